"""What a version of the graph says about a thing, from both ends, as the lines of an RDF document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import rdflib
from rdflib.namespace import DCTERMS, FOAF, OWL, PROV, RDF, RDFS, VOID, XSD

from graphkit import queries
from graphkit.queries import Query
from graphkit.store import Version
from graphkit.store.base import Readable

__all__ = ["PAGE", "Description", "Statement", "about_document", "describe"]

PAGE: Final = 500
"""How many of the statements that point to a thing stand on one page of its description."""

_MOST_NAMED: Final = 2_000
_BATCH: Final = 250
_LABEL: Final = RDFS.label.n3()
_WEB: Final = ("<http://", "<https://")
_LICENCES: Final = """#+ summary: Under which licences the sources of graphs may be used
#+ params:
#+   graph: {type: iri, label: Graph}
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX sol: <https://w3id.org/solidarity-graph/ns#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
SELECT DISTINCT ?licence
WHERE {
  VALUES ?graph { UNDEF }
  BIND(STRDT(STR(?graph), xsd:anyURI) AS ?name)
  ?source sol:sourceGraph ?name ; dcterms:license ?licence .
  FILTER(isIRI(?licence))
}
ORDER BY ?licence
"""
_BLANK: Final = "_:"


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """A statement with its terms as Turtle writes them; `graph` is empty for the default graph."""

    graph: str
    subject: str
    property: str
    value: str


@dataclass(frozen=True, slots=True)
class Description:
    """What is said about a thing: its statements, and whether there is a next page of those that point to it.

    `licences` are those of the sources whose graphs the statements stand in.
    """

    iri: str
    statements: tuple[Statement, ...]
    page: int
    more: bool
    licences: tuple[str, ...] = ()

    @property
    def graphs(self) -> list[str]:
        """The named graphs that the statements about the thing stand in, without those of the names of others."""
        own = f"<{self.iri}>"
        return sorted(
            {each.graph[1:-1] for each in self.statements if each.graph and own in {each.subject, each.value}}
        )


def describe(
    reader: Readable,
    iri: str,
    *,
    page: int = 1,
    traces: bool = False,
    inverse: bool = True,
    also: Sequence[str] = (),
) -> Description:
    """Describe a thing from both ends (a symmetric concise bounded description).

    On the first page stand the statements about it, with those of its blank nodes, and, with `traces`, from which
    passage each comes. Every page has up to `PAGE` of the statements that point to it (without `inverse`: none),
    with all that is said of the nodes that only join it to others, such as participations. All things that are
    named get their labels. `also` are further things of which everything is said, such as the concepts of a
    vocabulary. Raises the errors of `ReaderPool.ask`.
    """
    first = page == 1
    pointing, more = _pointing(reader, iri, page) if inverse else ([], False)
    joints = sorted({each.subject for each in pointing if each.value == "true" and each.subject.startswith(_WEB)})
    found = [Statement(each.graph, each.subject, each.property, f"<{iri}>") for each in pointing]
    found += _about(reader, [*([iri, *also] if first else []), *(joint[1:-1] for joint in joints)])
    if first and traces:
        found += _statements(reader, "explore/traces", iri)
    own = set(found)
    whole = Description(iri, tuple(sorted(own | set(_labels(reader, own)))), page, more)
    return replace(whole, licences=_licences(reader, whole.graphs))


def _pointing(reader: Readable, iri: str, page: int) -> tuple[list[Statement], bool]:
    """Return a page of the statements that point to a thing, "true" or "false" in the place of the value."""
    rows = _statements(reader, "explore/pointing", iri, f"\nLIMIT {PAGE + 1} OFFSET {PAGE * (page - 1)}")
    return [row for row in rows[:PAGE] if not row.subject.startswith(_BLANK)], len(rows) > PAGE


def _about(reader: Readable, iris: Sequence[str]) -> list[Statement]:
    """Return what is said about things; only where that has blank nodes, theirs are asked for too."""
    found = [
        each
        for start in range(0, len(iris), _BATCH)
        for each in _statements(reader, "explore/statements", iris[start : start + _BATCH])
    ]
    if any(each.value.startswith(_BLANK) for each in found):
        found = _statements(reader, "explore/statements-nested", iris)
    return found


def _labels(reader: Readable, statements: Iterable[Statement]) -> Iterator[Statement]:
    """Return the names of all things in the statements."""
    terms = {term for each in statements for term in (each.subject, each.property, each.value) if term.startswith(_WEB)}
    named = {each.subject for each in statements if each.property == _LABEL}
    wanted = sorted(term[1:-1] for term in terms - named)[:_MOST_NAMED]
    if wanted:
        yield from _statements(reader, "explore/label-statements", wanted)


def _statements(reader: Readable, name: str, iris: str | Sequence[str], tail: str = "") -> list[Statement]:
    """Answer a stored query of four columns, the terms as Turtle writes them."""
    query: Query = queries.find(name)
    lines = reader.answer(queries.bind(query, {"thing": iris}) + tail, "tsv").decode().split("\n")[1:]
    return [Statement(*line.split("\t")) for line in lines if line]


def _licences(reader: Readable, graphs: Sequence[str]) -> tuple[str, ...]:
    """Return under which licences the sources of these graphs, or the graphs themselves, may be used."""
    if not graphs:
        return ()
    frame = reader.select(queries.bind(_licence_query(), {"graph": graphs}))
    return tuple(frame["licence"])


@lru_cache(maxsize=1)
def _licence_query() -> Query:
    return queries.parse_query(_LICENCES, "licences")


# ---- The document itself -------------------------------------------------------------------------------


def about_document(address: str, description: Description, version: Version | None, data: str) -> tuple[Statement, ...]:
    """Describe the document: what it is about, of which version of which data, from which graphs, when.

    `address` is the document's own address, `data` that of the dataset. The statements stand in a graph of the
    document's name, which a format without graphs leaves out.
    """
    document, thing = rdflib.URIRef(address), rdflib.URIRef(description.iri)
    said: list[tuple[rdflib.URIRef, rdflib.term.Identifier]] = [
        (RDF.type, FOAF.Document),
        (FOAF.primaryTopic, thing),
        (VOID.inDataset, rdflib.URIRef(data)),
        *((DCTERMS.license, rdflib.URIRef(licence)) for licence in description.licences),
    ]
    said += [(PROV.wasDerivedFrom, rdflib.URIRef(graph)) for graph in description.graphs]
    if version:
        said += [
            (OWL.versionInfo, rdflib.Literal(str(version.number))),
            (DCTERMS.modified, rdflib.Literal(_utc(version.time), datatype=XSD.dateTime, normalize=False)),
        ]
    name = document.n3()
    return tuple(Statement(name, name, property_.n3(), value.n3()) for property_, value in said)


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
