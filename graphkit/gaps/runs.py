"""A search as RDF: its gaps in a named graph of their own, with what they were found in and by what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from rdflib import RDF, RDFS, XSD, BNode, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, PROV

import graphkit
from graphkit.gaps.base import KINDS, Gap
from graphkit.gaps.reviews import lasting_gap
from graphkit.gaps.search import GapReport
from graphkit.store import Store
from graphkit.terms import ID, PREFIXES, SOL, graph_iri

__all__ = ["GAPS_GRAPH", "save_run", "to_turtle"]

GAPS_GRAPH = graph_iri("gaps/")
"""What the names of the graphs of all runs begin with."""

_NAMED: Final = 4
"""So many of those whom a gap concerns stand in its label; it points to all."""

_Triple = tuple[URIRef | BNode, URIRef, URIRef | Literal]


def to_turtle(report: GapReport) -> bytes:
    """Write a report as Turtle: a sol:GapRun with PROV, and a node of the gap's own class for each gap.

    Nothing is said there about the organisations themselves: a gap points to whom it concerns, and a suggestion
    stays text.
    """
    return _graph(report).serialize(format="turtle").encode()


def save_run(store: Store, report: GapReport, *, who: str = "") -> str:
    """Keep a report in a named graph of `store` and return the name of that graph.

    The name follows from the content that was searched, the day and the software, so that saving the same run
    again changes nothing.
    """
    name = GAPS_GRAPH + _run_id(report)
    if name not in set(store.graphs()["graph"]):
        triples = _graph(report).serialize(format="nt").encode()
        with store.change(f"gaps found up to {report.as_of}", who=who) as change:
            change.load(triples, media_type="nt", graph=name)
    return name


def _run_id(report: GapReport) -> str:
    seen = json.dumps([graphkit.__version__, str(report.as_of), [_identity(gap) for gap in report.gaps]])
    return hashlib.sha256(seen.encode()).hexdigest()[:12]


def _identity(gap: Gap) -> list[object]:
    return [gap.kind, gap.members, gap.score, gap.explanation]


def _graph(report: GapReport) -> Graph:
    graph = Graph()
    for prefix in ("sol", "prov", "dcterms", "xsd"):
        graph.bind(prefix, PREFIXES[prefix])
    run = URIRef(f"{ID}run/{_run_id(report)}")
    for triple in _run(run, report):
        graph.add(triple)
    for rank, gap in enumerate(report.gaps, 1):
        for triple in _gap(run, rank, gap):
            graph.add(triple)
    return graph


def _run(run: URIRef, report: GapReport) -> Iterator[_Triple]:
    software = URIRef(f"{ID}software/graphkit-{graphkit.__version__}")
    yield run, RDF.type, _sol("GapRun")
    yield run, RDFS.label, Literal(f"Search for gaps, sources up to {report.as_of}", lang="en")
    yield run, PROV.endedAtTime, Literal(datetime.now(UTC).replace(microsecond=0))
    yield run, PROV.wasAssociatedWith, software
    yield run, DCTERMS.description, Literal(report.banner, lang="en")
    yield run, _sol("parameters"), Literal(json.dumps({"as_of": str(report.as_of), "network": report.network.name}))
    yield software, RDF.type, PROV.SoftwareAgent
    yield software, RDFS.label, Literal(f"graphkit {graphkit.__version__}", lang="en")
    if report.version:
        used = URIRef(f"{ID}version/{report.version.hash}")
        yield run, PROV.used, used
        yield run, _sol("storeVersion"), Literal(report.version.number)
        yield run, _sol("storeHash"), Literal(report.version.hash)
        yield used, RDF.type, PROV.Entity
        yield used, RDFS.label, Literal(f"Version {report.version.number} of the graph", lang="en")


def _gap(run: URIRef, rank: int, gap: Gap) -> Iterator[_Triple]:
    node = URIRef(f"{run.replace('/run/', '/gap/')}-{rank:04d}")
    yield node, RDF.type, _sol(KINDS[gap.kind].class_name)
    more = [f"{len(gap.labels) - _NAMED} more"] if len(gap.labels) > _NAMED else []
    named = " · ".join([*gap.labels[:_NAMED], *more])
    yield node, RDFS.label, Literal(f"{KINDS[gap.kind].name}: {named}", lang="en")
    yield node, PROV.wasGeneratedBy, run
    yield node, DCTERMS.isVersionOf, URIRef(gap.iri)
    yield from lasting_gap(gap.key)
    yield node, _sol("rank"), Literal(rank)
    yield node, _sol("score"), Literal(Decimal(str(gap.score)), datatype=XSD.decimal)
    yield node, _sol("tier"), URIRef(f"{PREFIXES['voc']}tier/{gap.tier}")
    yield node, _sol("explanation"), Literal(gap.explanation)
    yield node, _sol("suggestedAction"), Literal(gap.action)
    for member in gap.members:
        yield node, _sol("concerns"), URIRef(member)
    for evidence in gap.evidence:
        yield node, _sol("evidencedBy"), URIRef(evidence.iri)


def _sol(name: str) -> URIRef:
    return URIRef(SOL + name)
