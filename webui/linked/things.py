"""The things of the graph: /id leads to the document about a thing, /doc is that document in every format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from graphkit.errors import DataError
from graphkit.store.base import Readable
from graphkit.terms import ID, PREFIXES
from webui.linked.addresses import VOCABULARY, address_of, document_address, split_suffix
from webui.linked.describing import Statement, about_document, describe
from webui.linked.page import partners, thing_page, values_page
from webui.linked.reading import gone_or_unknown, is_known, pick, reader
from webui.linked.replying import choose, is_held, reply, see_other, tag_of
from webui.linked.sections import sections
from webui.linked.writing import write
from webui.protocol.access import own_address
from webui.protocol.formats import HTML, Format
from webui.protocol.problems import Refusal
from webui.protocol.query import Pick
from webui.state import analysis

__all__ = ["document", "register"]

_MOST_PAGES = 1_000_000
_IN_LINKS = ":/?#[]@!$&'()*+,;=%-._~"


def register(blueprint: Blueprint) -> None:
    """Add the addresses of things to a blueprint."""
    blueprint.add_url_rule("/id/<path:path>", "thing", _thing)
    blueprint.add_url_rule("/doc/<path:path>", "document", _document)
    blueprint.add_url_rule("/concept", "concept", _concept)
    blueprint.add_url_rule("/values", "values", _values)


# ---- Things --------------------------------------------------------------------------------------------


def _thing(path: str) -> BaseResponse:
    """Send on from a thing to the document about it, in the form that suits the client (303)."""
    stem, form = split_suffix(path)
    chosen = choose(form)
    _check_known(ID + stem, pick(), document_address("doc", stem))
    search = request.query_string.decode("latin-1")
    return see_other(document_address("doc", stem, "" if chosen.suffix == HTML.suffix else chosen.suffix, search))


def _document(path: str) -> Response:
    """Give the document about a thing: with a suffix in that format, else in the form that suits the client."""
    stem, form = split_suffix(path)
    return document(ID + stem, document_address("doc", stem), form)


def document(iri: str, stem: str, form: Format | None) -> Response:
    """Give the document about `iri` in a format (None: by the header Accept); `stem` is its address.

    `?version=` and Accept-Datetime choose the version, `?page=` the page of the statements that point to the
    thing, `?provenance=1` adds the passage from which each statement comes. Raises `Refusal` 404 where nothing is
    known, 410 where that was known once, and `NotAcceptable`.
    """
    chosen, picked = choose(form), pick()
    tag = tag_of(picked, chosen)
    if is_held(tag):
        return reply(b"", chosen, picked, tag, stem=stem, about=iri, negotiated=form is None)
    _check_known(iri, picked, stem)
    graph, further = reader(picked.number), list[str]()
    if chosen.suffix == HTML.suffix:
        shown = thing_page(graph, iri)
        body: str | bytes = _page(shown, iri, stem, picked)
        further = _licence_links(shown["licences"])
    else:
        body, further = _data(graph, iri, stem, chosen, picked)
    return reply(body, chosen, picked, tag, stem=stem, about=iri, negotiated=form is None, further=further)


def _check_known(iri: str, picked: Pick, stem: str) -> None:
    if is_known(iri, reader(picked.number)):
        return
    if picked.number is None:
        raise gone_or_unknown(iri, stem)
    hint = f"the newest version may: {stem}"
    raise Refusal(404, f"version {picked.number} knows nothing about {iri}", hint=hint)


def _page(shown: Mapping[str, Any], iri: str, stem: str, picked: Pick) -> str:
    """Write the page for people; partners and gaps are computed on the newest version and shown with it only."""
    newest = partners(analysis(), iri) if picked.number is None and iri.startswith(ID) else {}
    forms = [
        {"label": label, "href": f"{stem}.{suffix}{_version_search(picked)}"}
        for label, suffix in (
            ("Turtle", "ttl"), ("JSON-LD", "jsonld"), ("RDF/XML", "rdf"), ("N-Triples", "nt"),
            ("TriG, with graphs", "trig"), ("N-Quads, with graphs", "nq"),
        )
    ]  # fmt: skip
    return render_template(
        "thing.html",
        **shown,
        **newest,
        sections=sections(iri, shown["label"]),
        scheme=_scheme(iri),
        forms=forms,
        version=picked.version,
        pinned=picked.number is not None,
        stem=stem,
        address=f"{own_address()}{stem.removeprefix(request.script_root)}",
    )


def _version_search(picked: Pick) -> str:
    return f"?version={picked.number}" if picked.number is not None else ""


def _scheme(iri: str) -> str:
    """Return the address of the vocabulary that a concept belongs to, else nothing."""
    home, _, name = iri.removeprefix(VOCABULARY).rpartition("/")
    return address_of(VOCABULARY + home) if iri.startswith(VOCABULARY) and home and name else ""


def _data(graph: Readable, iri: str, stem: str, form: Format, picked: Pick) -> tuple[bytes, list[str]]:
    """Write the document as RDF, and return it with the links to its other pages."""
    page, traces = _page_number(), request.args.get("provenance", "") not in {"", "0"}
    found = describe(graph, iri, page=page, traces=traces)
    address = own_address() + stem.removeprefix(request.script_root)
    said = about_document(address, found, picked.version, f"{own_address()}/sparql#dataset")
    kept = {name: request.args[name] for name in ("version", "provenance") if name in request.args}
    links = _licence_links(found.licences)
    for name, number, there in (("prev", page - 1, page > 1), ("next", page + 1, found.more)):
        if there:
            search = urlencode({**kept, "page": number})
            links.append(f'<{stem}.{form.suffix}?{search}>; rel="{name}"')
    return _written((*found.statements, *said), form), links


def _written(statements: Iterable[Statement], form: Format) -> bytes:
    try:
        return write(statements, form.suffix)
    except DataError as error:
        hint = "ask for another format, such as text/turtle"
        raise Refusal(
            406, f"this document cannot be given as {form.media_type}", where=error.what, hint=hint
        ) from error


def _licence_links(licences: Iterable[str]) -> list[str]:
    return [f'<{quote(licence, safe=_IN_LINKS)}>; rel="license"' for licence in licences]


def _page_number() -> int:
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) < _MOST_PAGES):
        raise Refusal(400, f"'{text[:20]}' is no number of a page", hint="pages count from 1")
    return int(text)


# ---- Lists and old addresses ---------------------------------------------------------------------------


def _concept() -> BaseResponse:
    """Lead from the old address of concepts and terms to their own."""
    iri = request.args.get("iri", "")
    address = address_of(iri) if iri.startswith((VOCABULARY, PREFIXES["sol"])) else ""
    if not address:
        raise Refusal(404, f"'{iri[:200]}' is no concept or term of this service", hint="see /ns and /vocabulary")
    return redirect(address, 301)


def _values() -> str:
    """Show one page of the values of one relation of a thing with very many."""
    iri, relation, direction = (request.args.get(name, "") for name in ("thing", "relation", "direction"))
    found = values_page(reader(pick().number), iri, relation, direction, _page_number()) if relation else None
    if found is None:
        raise Refusal(
            404, "there is no such list of values", hint=f"begin at the page of the thing: {url_for('pages.home')}"
        )
    return render_template("values.html", **found)
