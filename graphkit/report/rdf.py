"""A report as RDF: a schema:Report, its figures as observations of a data cube, its plan as possible actions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from rdflib import DCTERMS, PROV, RDF, RDFS, XSD, BNode, Graph, Literal, Namespace, URIRef

import graphkit
from graphkit.report.document import Action, Asked, Figure, Report, Table, said
from graphkit.terms import ID, PREFIXES, QUERY

__all__ = ["to_turtle"]

_QB: Final = Namespace("http://purl.org/linked-data/cube#")
_SCHEMA: Final = Namespace(PREFIXES["schema"])
_DCAT: Final = Namespace(PREFIXES["dcat"])
_SHORT: Final = 12
_Triple = tuple[Any, URIRef, Any]


def to_turtle(report: Report) -> bytes:
    """Write a report as Turtle.

    The report is a schema:Report, a dcat:Dataset and a qb:DataSet about its region, derived from a version of the
    graph. Each figure is a qb:Observation with unit, coverage, method and query; one that is not known has no value.
    Each action is a schema:PlanAction with the status of a possible one, and never a fact. Sources: W3C, The RDF Data
    Cube Vocabulary (2014); schema.org.
    """
    graph = Graph()
    for prefix in ("dcat", "dcterms", "prov", "rdfs", "schema", "xsd"):
        graph.bind(prefix, PREFIXES.get(prefix, str(RDFS) if prefix == "rdfs" else ""))
    graph.bind("qb", _QB)
    whole = URIRef(f"{ID}report/{_name(report)}")
    for triple in _triples(report, whole):
        graph.add(triple)
    return graph.serialize(format="turtle").encode()


def _name(report: Report) -> str:
    """Name a report by its region, its version and what it says, for it may compare with chosen regions."""
    said_all = [f"{figure.key}={figure.value}" for _, figure in report.figures()]
    tables = [block for part in report.sections for block in part.blocks if isinstance(block, Table)]
    said_all += [table.caption + repr(table.rows) for table in tables]
    mark = hashlib.sha256("\n".join(said_all).encode()).hexdigest()[:_SHORT]
    version = f"-v{report.version.number}" if report.version else ""
    return f"{report.region.iri.rpartition('/')[2]}{version}-{mark}"


def _triples(report: Report, whole: URIRef) -> Iterator[_Triple]:
    for kind in (_SCHEMA.Report, _DCAT.Dataset, _QB.DataSet, PROV.Entity):
        yield whole, RDF.type, kind
    yield whole, RDFS.label, Literal(report.title, lang="en")
    yield whole, DCTERMS.description, Literal(" ".join(said(line) for line in report.lead), lang="en")
    yield whole, _SCHEMA.about, URIRef(report.region.iri)
    yield whole, DCTERMS.spatial, URIRef(report.region.iri)
    yield whole, DCTERMS.created, Literal(report.as_of)
    yield whole, DCTERMS.creator, URIRef(f"{ID}software/graphkit-{graphkit.__version__}")
    if report.version:
        version = URIRef(f"urn:sha256:{report.version.hash}")
        yield whole, PROV.wasDerivedFrom, version
        yield version, RDFS.label, Literal(f"Version {report.version.number} of the graph", lang="en")
        yield version, PROV.generatedAtTime, Literal(report.version.time)
    yield from _structure(whole)
    for section, figure in report.figures():
        yield from _observation(whole, section.key, figure)
    for number, action in enumerate(report.actions(), 1):
        yield from _act(whole, number, action)


def _structure(whole: URIRef) -> Iterator[_Triple]:
    structure = URIRef(f"{whole}-structure")
    yield whole, _QB.structure, structure
    yield structure, RDF.type, _QB.DataStructureDefinition
    parts = (
        ("dimension", ("chapter", "figure")),
        ("measure", ("value",)),
        ("attribute", ("unit", "coverage", "method")),
    )
    for kind, names in parts:
        for name in names:
            part = BNode(f"{kind}-{name}")
            yield structure, _QB.component, part
            yield part, _QB[kind], _property(name)
            yield _property(name), RDF.type, _QB[f"{kind.title()}Property"]
            yield _property(name), RDFS.label, Literal(name, lang="en")


def _observation(whole: URIRef, chapter: str, figure: Figure) -> Iterator[_Triple]:
    node = URIRef(f"{whole}-figure-{figure.key}")
    yield node, RDF.type, _QB.Observation
    yield node, RDFS.label, Literal(figure.label, lang="en")
    yield node, _QB.dataSet, whole
    yield node, _property("chapter"), Literal(chapter)
    yield node, _property("figure"), Literal(figure.key)
    if figure.value is not None:
        yield node, _property("value"), Literal(Decimal(figure.value), datatype=XSD.decimal)
    for name in ("unit", "coverage", "method"):
        yield node, _property(name), Literal(getattr(figure, name), lang="en")
    yield node, PROV.wasDerivedFrom, _asked(figure.asked)


def _act(whole: URIRef, number: int, action: Action) -> Iterator[_Triple]:
    node = URIRef(f"{whole}-action-{number:02d}")
    yield node, RDF.type, _SCHEMA.PlanAction
    yield node, _SCHEMA.actionStatus, _SCHEMA.PotentialActionStatus
    yield node, DCTERMS.isPartOf, whole
    yield node, RDFS.label, Literal(action.what, lang="en")
    yield node, DCTERMS.description, Literal(action.why, lang="en")
    yield node, _SCHEMA.result, Literal(action.success, lang="en")
    for predicate, things in (
        (_SCHEMA.agent, action.who),
        (_SCHEMA.participant, action.partners),
        (_SCHEMA.object, action.commitments),
        (_SCHEMA.about, action.goals),
        (PROV.wasInfluencedBy, action.evidence),
    ):
        for thing in things:
            yield node, predicate, URIRef(thing.iri)
    yield node, PROV.wasDerivedFrom, URIRef(action.gap) if action.gap else _asked(action.asked)


def _asked(asked: Asked) -> URIRef:
    return URIRef(f"{QUERY}{asked.query}{f'?{urlencode(asked.values)}' if asked.values else ''}")


def _property(name: str) -> URIRef:
    return URIRef(f"{ID}report-property/{name}")
