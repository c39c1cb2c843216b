"""The catalogue of stored queries: the list, a page with a form and an answer for each, and the whole as RDF."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import rdflib
from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from graphkit import queries
from graphkit.queries import Query
from graphkit.terms import PREFIXES
from webui.catalogue.answers import answered, split_suffix, tagged
from webui.protocol.access import own_address
from webui.protocol.formats import GRAPHS, HTML, Format, negotiate

__all__ = ["Folder", "blueprint", "service_link"]

blueprint = Blueprint("catalogue", __name__)

_FOLDERS: Final[Mapping[str, str]] = {
    "explore": "What is in the graph: organisations, activities, people, places, and what happened when.",
    "policy": "Policies, the commitments made in them, and who says what about them.",
    "funding": "Who gives money to whom, under which scheme, and what can be bid for.",
    "networks": "Who is tied to whom: each answers the ties of one network.",
    "monitor": "What has been done about each commitment.",
    "indicators": "The figures by which commitments and measures are followed, each with its coverage and method.",
    "gaps": "What the search for gaps reads.",
    "checks": "Faults in the data: each must answer no row.",
    "build": "Rules: what follows from the data and is added to it.",
}
_SUFFIXES: Final = {form.suffix for form in GRAPHS}
_RDFLIB: Final = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}


@dataclass(frozen=True, slots=True)
class Folder:
    """The queries of one folder that the list shows, and what the folder is for."""

    name: str
    about: str
    queries: tuple[Query, ...]


def service_link() -> str:
    """Return the value of the header Link that leads to the description of the whole interface (RFC 8631)."""
    return f'<{own_address()}/api/openapi.json>; rel="service-desc"; type="application/json"'


@blueprint.get("/queries")
@blueprint.get("/queries.<any(html,ttl,nt,rdf,jsonld):suffix>")
def listing(suffix: str = "") -> BaseResponse:
    """List the stored queries by folder, those with a `?tag=` or with all words of `?find=`; or give them as RDF."""
    form = negotiate(request.headers.get("Accept", ""), (HTML, *GRAPHS), asked=suffix or request.args.get("format", ""))
    known = queries.catalogue()
    response = _list(known) if form.suffix == HTML.suffix else _as_rdf(known, form)
    response.headers["Link"] = service_link()
    return response


@blueprint.get("/queries/<path:name>")
def query(name: str) -> BaseResponse:
    """Show one stored query with its form and its answer, or give the answer as data."""
    stem, suffix = split_suffix(name)
    response = answered(queries.find(stem), f"/queries/{stem}", suffix)
    response.headers.add("Link", service_link())
    return response


@blueprint.get("/query/<path:name>")
def identified(name: str) -> BaseResponse:
    """Lead from the IRI of a stored query to its page (303), or to its description in RDF where a client wants that."""
    found = queries.find(name)
    form = negotiate(request.headers.get("Accept", ""), (HTML, *GRAPHS), asked=request.args.get("format", ""))
    if form.suffix != HTML.suffix:
        return _as_rdf({found.name: found}, form)
    response = redirect(url_for("catalogue.query", name=found.name), 303)
    response.vary.add("Accept")
    return response


def _list(known: Mapping[str, Query]) -> Response:
    tag, words = request.args.get("tag", "").strip(), request.args.get("find", "").strip()
    shown = [each for each in known.values() if (not tag or tag in each.tags) and _has_words(each, words)]
    tags = Counter(each for query in known.values() for each in query.tags)
    html = render_template(
        "queries.html",
        page="queries",
        folders=_folders(shown),
        tags=sorted(tags.items(), key=lambda pair: pair[0]),
        tag=tag,
        words=words,
        shown=len(shown),
        total=len(known),
        forms=sorted(_SUFFIXES),
    )
    response = Response(html)
    response.vary.add("Accept")
    return response


def _has_words(query: Query, words: str) -> bool:
    text = " ".join((query.name, query.summary, query.description, *query.tags, *query.columns.values())).casefold()
    return all(word in text for word in words.casefold().split())


def _folders(shown: Sequence[Query]) -> list[Folder]:
    """Group queries by folder: the known folders first, in a reader's order."""
    found: dict[str, list[Query]] = {}
    for query in shown:
        found.setdefault(query.name.rpartition("/")[0], []).append(query)
    order = {name: place for place, name in enumerate(_FOLDERS)}
    names = sorted(found, key=lambda name: (order.get(name, len(order)), name))
    return [Folder(name, _FOLDERS.get(name, ""), tuple(found[name])) for name in names]


def _as_rdf(known: Mapping[str, Query], form: Format) -> Response:
    data = _serialised(queries.as_rdf(known, target=own_address() + "/sparql"), form.suffix)
    response = Response(data, content_type=form.content_type)
    return tagged(response, hashlib.sha256(data).hexdigest()[:32])


@lru_cache(maxsize=16)
def _serialised(triples: bytes, suffix: str) -> bytes:
    """Write N-Triples in another format, with the prefixes of the house."""
    if suffix == "nt":
        return triples
    graph = rdflib.Graph(bind_namespaces="none")
    for prefix, space in PREFIXES.items():
        graph.bind(prefix, space, override=True, replace=True)
    graph.parse(data=triples, format="nt")
    return graph.serialize(format=_RDFLIB[suffix], encoding="utf-8")
