"""The page about a named graph: which source it holds, under which licence, how much, and how to get it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from flask import Response, render_template, request
from werkzeug.exceptions import NotAcceptable

from graphkit import queries
from graphkit.queries import Query
from graphkit.store.base import Readable
from graphkit.terms import GRAPH
from webui.catalogue.tables import behind
from webui.linked.addresses import address_of
from webui.linked.reading import pick, reader
from webui.linked.replying import is_held, tag_of
from webui.links import Link, link, names_of
from webui.protocol.access import open_to_all, own_address
from webui.protocol.formats import GRAPHS, HTML, negotiate
from webui.protocol.problems import Refusal

__all__ = ["graph_page", "graph_response"]

_SHOWN: Final = 20
_PASSAGES: Final = "/passages"
_FIRST: Final = """#+ summary: The first statements of a graph
#+ params:
#+   graph: {type: iri, label: Graph}
SELECT ?subject ?property ?value ?is_link
WHERE {
  VALUES ?graph { UNDEF }
  GRAPH ?graph { ?subject ?property ?value }
  BIND(isIRI(?value) AS ?is_link)
}
"""
_SIZE: Final = """#+ summary: How many statements a graph has
#+ params:
#+   graph: {type: iri, label: Graph}
SELECT (COUNT(*) AS ?statements) WHERE { VALUES ?graph { UNDEF } GRAPH ?graph { ?subject ?property ?value } }
"""


def graph_page(iri: str) -> str | None:
    """Return the page about the named graph `iri` as HTML, or None where there is no such graph.

    To be shown to people where programs get the graph itself; `?version=` and Accept-Datetime choose the version.
    Raises the errors of `ReaderPool.ask`.
    """
    picked = pick()
    graph = reader(picked.number)
    size = int(queries.run(graph, _query("size", _SIZE), graph=iri)["statements"][0])
    if not size:
        return None
    bound = queries.bind(_query("first", _FIRST), {"graph": iri})
    first = graph.select(f"{bound}\nLIMIT {_SHOWN}")
    sources = queries.run(graph, "explore/sources")
    held = iri.removesuffix(_PASSAGES)
    rows = [row for row in sources.iter_rows(named=True) if row["graph"] == held]
    publishers = [value for row in rows for value in _publishers(graph, row["source"])]
    terms = [*first["subject"], *first["property"], *first["value"], iri, *publishers]
    names = names_of(graph, terms)
    return render_template(
        "graph.html",
        iri=iri,
        name=iri.removeprefix(GRAPH),
        sources=[_source(row, publishers, names) for row in rows],
        passages=iri.endswith(_PASSAGES),
        inferred=iri == queries.INFERRED,
        statements=size,
        rows=[_row(row, names) for row in first.iter_rows(named=True)],
        forms=_forms(iri),
        version=picked.version,
        address=own_address() + address_of(iri).removeprefix(request.script_root),
        behind=behind(queries.find("explore/sources"), {}),
    )


def graph_response(iri: str) -> Response | None:
    """Return the page about a named graph where the client prefers a page to data, else None.

    For the view that serves the graph itself, whose own answer follows where this is None. Raises `Refusal` 404 where
    there is no such graph.
    """
    try:
        form = negotiate(request.headers.get("Accept", ""), (*GRAPHS, HTML), asked=request.args.get("format", ""))
    except NotAcceptable:
        return None
    if form.suffix != HTML.suffix:
        return None
    picked = pick()
    tag = tag_of(picked, form)
    page = "" if is_held(tag) else graph_page(iri)
    if page is None:
        raise Refusal(404, "there is no such graph", where=iri, hint="see /sparql for the graphs that there are")
    response = Response(page, content_type=form.content_type)
    response.vary.update(("Accept", "Accept-Datetime"))
    response.headers["Cache-Control"] = "no-cache"
    if tag:
        response.set_etag(tag)
    response.make_conditional(request)
    return open_to_all(response)


def _publishers(graph: Readable, source: str) -> list[str]:
    rows = queries.run(graph, "explore/thing", thing=source, relation="dcterms:publisher")
    return rows.filter(rows["direction"] == "out")["value"].to_list()


def _source(row: dict[str, Any], publishers: list[str], names: dict[str, str]) -> dict[str, Any]:
    return {
        "label": row["label"],
        "href": address_of(row["source"]),
        "licence": link(row["license"], names) if row["license"] else None,
        "issued": row["issued"],
        "publishers": [link(each, names) for each in publishers],
    }


def _row(row: dict[str, Any], names: dict[str, str]) -> dict[str, Link]:
    value = str(row["value"])
    return {
        "subject": link(row["subject"], names),
        "property": link(row["property"], names),
        "value": link(value, names) if row["is_link"] else {"label": value, "href": ""},
    }


def _forms(iri: str) -> list[dict[str, str]]:
    """Return the addresses of the graph itself, as the Graph Store Protocol serves it."""
    address = address_of(iri)
    labels = {"ttl": "Turtle", "nt": "N-Triples", "jsonld": "JSON-LD", "rdf": "RDF/XML"}
    return [{"label": label, "href": f"{address}?format={suffix}"} for suffix, label in labels.items()]


@lru_cache(maxsize=2)
def _query(name: str, text: str) -> Query:
    return queries.parse_query(text, name)
