"""The SPARQL 1.1 Graph Store HTTP Protocol (W3C Recommendation of 21 March 2013).

Graphs are named indirectly at /store (`?graph=<iri>` or `?default`) and directly: /store/<anything> is the graph with
that very address as its name (under `Settings.public_address`, else as it was called), /graph/<source> the graph
https://w3id.org/solidarity-graph/graph/<source>. `?default` is the graph without a name by itself, and not the union of
all that queries see. PATCH is not offered: a part of a graph is changed at /sparql/update.

An entity tag names the version of the whole store, so If-Match fails (412) also where another graph was changed since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote
from uuid import uuid4

from flask import Blueprint, Response, request

from graphkit.errors import DataError, UsageError
from graphkit.store import Change, Version, open_store
from graphkit.store.pool.reader_pool import Question
from graphkit.terms import graph_iri
from webui.linked.sources import graph_response
from webui.protocol.access import may_write, open_to_all, own_address, preflight, reason
from webui.protocol.bodies import Document, read_documents
from webui.protocol.formats import GRAPHS, Format, negotiate
from webui.protocol.problems import Refusal
from webui.protocol.writes import Rejected, commit, rejection, state_tag, turn, written
from webui.state import pool, settings, store

__all__ = ["blueprint"]

blueprint = Blueprint("graphs", __name__)
blueprint.register_error_handler(Rejected, rejection)

_READS: Final = ("GET", "HEAD", "OPTIONS")
_METHODS: Final = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS")
_INDIRECT: Final = "/store"
_DIRECT: Final = "/store/<path:rest>"
_SOURCE: Final = "/graph/<path:source>"
_SCRATCH: Final = "urn:x-graphkit:scratch"
_SAFE: Final = "/!$&'()*+,;=:@~"
_UNREADABLE: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class _Target:
    """The graph that a request is about: its name, or None for the default graph."""

    graph: str | None

    @property
    def name(self) -> str:
        """How people call it."""
        return "the default graph" if self.graph is None else self.graph

    @property
    def base(self) -> str:
        """What completes relative addresses in its documents: its own name (section 5.2), else that of the store."""
        return own_address() + _INDIRECT if self.graph is None else self.graph

    def exists(self) -> bool:
        """Tell whether it is there; an empty default graph counts as not there."""
        return store().has_graph(self.graph)


@blueprint.after_request
def _readable_everywhere(response: Response) -> Response:
    return open_to_all(response) if request.method in _READS else response


@blueprint.route(_INDIRECT, methods=["OPTIONS"])
@blueprint.route(_DIRECT, methods=["OPTIONS"])
@blueprint.route(_SOURCE, methods=["OPTIONS"])
def options(**_named: str) -> Response:
    """Tell which methods there are; pages of other sites may only read."""
    response = preflight(_READS)
    response.headers["Allow"] = ", ".join(_METHODS)
    return response


@blueprint.get(_INDIRECT)
@blueprint.get(_DIRECT)
@blueprint.get(_SOURCE)
def read(rest: str = "", source: str = "") -> Response:
    """Give a graph in the format that Accept or `?format=` asks for; 404 where there is no such graph.

    People who follow the name of a source's graph get the page about it.
    A named graph is read by the pool of readers and within its limits.
    """
    target = _known_target(rest, source)
    if source and (page := graph_response(target.name)):
        return page
    if target.graph is not None and not target.exists():
        raise _not_there(target)
    form = negotiate(request.headers.get("Accept", ""), GRAPHS, asked=request.args.get("format", ""))
    version = store().version
    if version and request.if_none_match.contains_weak(_tag(version, form)):
        return _described(Response(status=304), version, form)
    data, version = _content(target, form, version)
    response = Response(data, content_type=form.content_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    _described(response, version, form).make_conditional(request)
    return response


@blueprint.put(_INDIRECT)
@blueprint.put(_DIRECT)
@blueprint.put(_SOURCE)
@may_write
def put(rest: str = "", source: str = "") -> Response:
    """Put a document in the place of all that the graph holds: 201 where it is new, else 204."""
    target = _known_target(rest, source)
    documents = read_documents(several=False)
    with turn():
        existed = _checked(target)
        commit(reason(f"PUT {target.name}"), lambda change: _replace(change, target, documents))
        return written(204 if existed else 201)


@blueprint.post(_INDIRECT)
@blueprint.post(_DIRECT)
@blueprint.post(_SOURCE)
@may_write
def post(rest: str = "", source: str = "") -> Response:
    """Add documents to a graph: 201 where it is new, else 204.

    Without a graph a new one is made, and its address is in the header Location. A multipart body may bring several
    documents, each in a format of its own; all are added or none.
    """
    found = _target(rest, source)
    target = found or _Target(f"{own_address()}{_INDIRECT}/{uuid4()}")
    documents = read_documents(several=True)
    with turn():
        existed = _checked(target)
        commit(reason(f"POST {target.name}"), lambda change: _add(change, target, documents))
        response = written(204 if existed else 201)
    if found is None:
        response.headers["Location"] = target.name
    return response


@blueprint.delete(_INDIRECT)
@blueprint.delete(_DIRECT)
@blueprint.delete(_SOURCE)
@may_write
def delete(rest: str = "", source: str = "") -> Response:
    """Remove a graph: 204, or 404 where there is no such graph; the default graph is emptied."""
    target = _known_target(rest, source)
    with turn():
        if not _checked(target) and target.graph is not None:
            raise _not_there(target)
        commit(reason(f"DELETE {target.name}"), lambda change: change.clear(target.graph))
        response = written(204)
    del response.headers["ETag"]
    return response


# ---- Which graph -----------------------------------------------------------------------------


def _target(rest: str, source: str) -> _Target | None:
    """Find the graph that the address names (section 4), or None where it names none."""
    names, default = _asked()
    if _UNREADABLE in rest + source:
        raise Refusal(400, "the address is not UTF-8")
    if len(names) + default + bool(rest or source) > 1:
        raise Refusal(400, "the request names several graphs", hint="give one of ?graph=<iri> and ?default, once")
    if rest:
        return _Target(f"{own_address()}{_INDIRECT}/{quote(rest, safe=_SAFE)}")
    if source:
        return _Target(graph_iri(source))
    return _Target(names[0]) if names else _Target(None) if default else None


def _known_target(rest: str, source: str) -> _Target:
    found = _target(rest, source)
    if found is None:
        raise Refusal(400, "the request names no graph", hint="add ?graph=<iri> or ?default to the address")
    return found


def _asked() -> tuple[list[str], int]:
    """Read the names in `?graph=`, and how many times `?default` is said."""
    try:
        pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise Refusal(400, "the address is not UTF-8, or has too many parameters") from error
    return [value for key, value in pairs if key == "graph"], sum(key == "default" for key, _ in pairs)


def _not_there(target: _Target) -> Refusal:
    return Refusal(404, "there is no such graph", where=target.name, hint="see /sparql for the graphs that there are")


# ---- Reading ---------------------------------------------------------------------------------


def _content(target: _Target, form: Format, version: Version | None) -> tuple[bytes, Version | None]:
    """Return the graph, and the version that it is of."""
    if target.graph is None:
        data = store().default_graph(form.suffix)
        if len(data) > settings().query_bytes:
            raise Refusal(413, f"the graph is longer than {settings().query_bytes:,} bytes", hint="ask for parts of it")
        return data, version
    question = Question(
        sparql=f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{target.graph}> {{ ?s ?p ?o }} }}",
        media_type=form.suffix,
        client=request.remote_addr or "",
    )
    answer = pool().ask(question, gone=request.environ.get("graphkit.gone"))
    return answer.data, answer.version


def _tag(version: Version, form: Format) -> str:
    return f"{state_tag(version)}-{form.suffix}"


def _described(response: Response, version: Version | None, form: Format) -> Response:
    response.vary.add("Accept")
    response.headers["Cache-Control"] = "no-cache"
    if version:
        response.set_etag(_tag(version, form))
        response.last_modified = version.time
        response.headers["Graphkit-Version"] = str(version.number)
    return response


# ---- Writing ---------------------------------------------------------------------------------


def _checked(target: _Target) -> bool:
    """Tell whether the graph is there; 412 where the conditions of the request are not met (RFC 9110, 13.2.2)."""
    exists, version = target.exists(), store().version
    state = state_tag(version) if version and exists else ""
    wanted, unwanted, since = request.if_match, request.if_none_match, request.if_unmodified_since
    if "If-Match" in request.headers:
        met = exists if wanted.star_tag else state in _states(wanted.as_set())
    else:
        met = since is None or version is None or version.time <= since
    if "If-None-Match" in request.headers:
        met = met and not (exists if unwanted.star_tag else state in _states(unwanted.as_set(include_weak=True)))
    if not met:
        hint = "read it again, and make your change to what there is now"
        raise Refusal(412, f"{target.name} is not as the request expects it", hint=hint)
    return exists


def _states(tags: set[str]) -> set[str]:
    """Return the versions that entity tags name, whatever format they are for; an absent graph matches none."""
    return {"-".join(tag.split("-")[:2]) for tag in tags} - {""}


def _replace(change: Change, target: _Target, documents: list[Document]) -> None:
    change.clear(target.graph)
    _add(change, target, documents)


def _add(change: Change, target: _Target, documents: list[Document]) -> None:
    """Load the documents into the graph, which is there afterwards even if they are empty."""
    for document in documents:
        try:
            _load(change, target, document)
        except (DataError, UsageError) as error:
            place = error.where.replace("the given bytes", document.name)
            raise Refusal(400, error.what, where=place, hint=error.hint) from error
    if target.graph is not None:
        change.create(target.graph)


def _load(change: Change, target: _Target, document: Document) -> None:
    data, suffix = document.data, document.suffix
    if target.graph is None and suffix == "jsonld":
        data, suffix = _of_one_graph(data, target.base), "nt"
    change.load(data, media_type=suffix, graph=target.graph, base=target.base)


def _of_one_graph(data: bytes, base: str) -> bytes:
    """Return JSON-LD as N-Triples; graphs of its own, which would otherwise land in the store, are refused."""
    with open_store() as scratch:
        with scratch.change("read") as change:
            change.load(data, media_type="jsonld", graph=_SCRATCH, base=base)
        return scratch.dump("nt", graph=_SCRATCH)
