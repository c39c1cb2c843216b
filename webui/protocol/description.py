"""What the service says of itself: SPARQL 1.1 Service Description, with the counts and sources of its graphs (VoID)."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import rdflib
from flask import Blueprint, Flask, Response, current_app, redirect, request, url_for
from rdflib.namespace import DCAT, DCTERMS, PROV, RDF, RDFS, VOID, XSD

from graphkit.store import Store, Version, convert
from webui.protocol.access import open_to_all, own_address
from webui.protocol.formats import Format
from webui.settings import Settings
from webui.state import settings, store

__all__ = ["Content", "blueprint", "content_of", "count", "describe", "response"]

blueprint = Blueprint("description", __name__)

_SD: Final = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
_FORMATS: Final = rdflib.Namespace("http://www.w3.org/ns/formats/")
_RESULT_FORMATS: Final = (
    "SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV",
    "Turtle", "N-Triples", "RDF_XML", "JSON-LD", "TriG", "N-Quads",
)  # fmt: skip
_TOLD: Final = (
    DCTERMS.title, DCTERMS.description, DCTERMS.license, DCTERMS.source, DCTERMS.issued, DCTERMS.modified,
    DCTERMS.publisher, DCTERMS.creator, DCTERMS.rights, RDFS.label, PROV.wasDerivedFrom, PROV.generatedAtTime,
    DCAT.landingPage,
)  # fmt: skip
_EXTENSION: Final = "graphkit.description"
_FRESH_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Content:
    """What there is in a version: the statements of each named graph, of all together, and what is said of them."""

    version: Version | None
    graphs: Mapping[str, int]
    triples: int
    said: bytes


@blueprint.get("/.well-known/void")
def void() -> Response:
    """Lead to the description of the data (VoID, section 7.2)."""
    return open_to_all(_see_other(url_for("sparql.page")))


def response(form: Format) -> Response:
    """Answer with the service description in one of the formats of RDF."""
    data = _written(own_address(), form.suffix)
    answer = Response(data, content_type=form.content_type)
    answer.set_etag(sha256(data + form.content_type.encode()).hexdigest()[:32])
    answer.headers["Cache-Control"] = "no-cache"
    answer.vary.add("Accept")
    version = store().version
    if version:
        answer.headers["Graphkit-Version"] = str(version.number)
    answer.make_conditional(request)
    return answer


def describe(content: Content, settings: Settings, address: str) -> rdflib.Graph:
    """Describe the service at `address` over a store with some `content` as RDF."""
    graph = rdflib.Graph()
    for prefix, namespace in {"sd": _SD, "void": VOID, "dcterms": DCTERMS, "formats": _FORMATS}.items():
        graph.bind(prefix, namespace)
    endpoint = rdflib.URIRef(f"{address}/sparql")
    _service(graph, endpoint, "SPARQL11Query", settings.site_name)
    for name in _RESULT_FORMATS:
        graph.add((endpoint, _SD.resultFormat, _FORMATS[name]))
    graph.add((endpoint, _SD.feature, _SD.UnionDefaultGraph))
    if settings.services:
        graph.add((endpoint, _SD.feature, _SD.BasicFederatedQuery))
    dataset = rdflib.URIRef(f"{address}/sparql#dataset")
    graph.add((endpoint, _SD.defaultDataset, dataset))
    graph.add((dataset, DCTERMS.title, rdflib.Literal(settings.site_name)))
    graph.add((dataset, VOID.sparqlEndpoint, endpoint))
    _dataset(graph, dataset, content)
    if settings.token:
        update = rdflib.URIRef(f"{address}/sparql/update")
        _service(graph, update, "SPARQL11Update", settings.site_name)
        graph.add((update, _SD.defaultDataset, dataset))
    return graph


def count(store: Store) -> Content:
    """Count the graphs of a store, and gather what the graph itself says of them; this reads every statement."""
    graphs = dict(store.graphs().iter_rows())
    triples = int(store.select("SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")["n"][0])
    return Content(store.version, graphs, triples, _said(store, [rdflib.URIRef(iri) for iri in graphs]))


def content_of(app: Flask, store: Store) -> Content:
    """Return the counts of a store's present version, taken once for each version."""
    counted: _Counted = app.extensions.setdefault(_EXTENSION, _Counted())
    return counted.present(store)


def _service(graph: rdflib.Graph, endpoint: rdflib.URIRef, language: str, name: str) -> None:
    graph.add((endpoint, RDF.type, _SD.Service))
    graph.add((endpoint, _SD.endpoint, endpoint))
    graph.add((endpoint, _SD.supportedLanguage, _SD[language]))
    graph.add((endpoint, DCTERMS.title, rdflib.Literal(name)))


def _dataset(graph: rdflib.Graph, dataset: rdflib.URIRef, content: Content) -> None:
    """Describe the dataset: the default graph is the union, each named graph has its count and what is said of it."""
    for kind in (_SD.Dataset, VOID.Dataset):
        graph.add((dataset, RDF.type, kind))
    if version := content.version:
        graph.add((dataset, DCTERMS.modified, rdflib.Literal(version.time.isoformat(), datatype=XSD.dateTime)))
        graph.add((dataset, DCTERMS.identifier, rdflib.Literal(f"version {version.number}")))
    union = rdflib.URIRef(f"{dataset}-union")
    graph.add((dataset, _SD.defaultGraph, union))
    _counted(graph, union, content.triples)
    for position, (iri, quads) in enumerate(content.graphs.items(), 1):
        named, held = (rdflib.URIRef(f"{dataset}-{part}-{position}") for part in ("name", "graph"))
        graph.add((dataset, _SD.namedGraph, named))
        graph.add((named, RDF.type, _SD.NamedGraph))
        graph.add((named, _SD.name, rdflib.URIRef(iri)))
        graph.add((named, _SD.graph, held))
        _counted(graph, held, quads)
    graph.parse(data=content.said, format="nt")


def _counted(graph: rdflib.Graph, content: rdflib.URIRef, triples: int) -> None:
    for kind in (_SD.Graph, VOID.Dataset):
        graph.add((content, RDF.type, kind))
    graph.add((content, VOID.triples, rdflib.Literal(triples)))


def _said(store: Store, names: list[rdflib.URIRef]) -> bytes:
    """Return what the graph itself says of its named graphs: title, licence, source, dates."""
    if not names:
        return b""
    wanted, told = (" ".join(term.n3() for term in terms) for terms in (names, _TOLD))
    where = f"VALUES ?g {{ {wanted} }} VALUES ?p {{ {told} }} ?g ?p ?o FILTER(!ISBLANK(?o))"
    return store.construct(f"CONSTRUCT {{ ?g ?p ?o }} WHERE {{ {where} }}")


def _written(address: str, suffix: str) -> bytes:
    turtle = describe(content_of(current_app, store()), settings(), address).serialize(
        format="turtle", encoding="utf-8"
    )
    return turtle if suffix == "ttl" else convert(turtle, "ttl", suffix)


class _Counted:
    """The counts of the present version, taken once; those behind an endpoint, which has none, are a minute old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._content: Content | None = None
        self._taken = 0.0

    def present(self, store: Store) -> Content:
        with self._lock:
            version = store.version
            old = version is None and time.monotonic() - self._taken > _FRESH_SECONDS
            if self._content is None or self._content.version != version or old:
                self._content, self._taken = count(store), time.monotonic()
            return self._content


def _see_other(address: str) -> Response:
    answer = redirect(address, 303, Response=Response)
    assert isinstance(answer, Response)  # noqa: S101 - what it was asked to make
    return answer
