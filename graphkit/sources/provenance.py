"""Describes a source in one snapshot: who published what under which licence, which file, how many rows."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from graphkit.sources import places
from graphkit.sources.folder import Scope, Source
from graphkit.terms import ID, PREFIXES, expand, graph_iri

__all__ = ["FileFacts", "Naming", "describe", "period"]

_QUARTER: Final = re.compile(r"(\d{4})-q([1-4])")
_YEARS: Final = re.compile(r"(?<!\d)(\d{4})-(\d{4})(?!\d)")
_DAY: Final = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?$")
_FIRST, _LAST = 1, 12


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of one snapshot of a source: of the adapter, of its series (adapter and layout), and of itself."""

    adapter: str
    series: str
    snapshot: str

    @property
    def source(self) -> str:
        """The address of the source in this snapshot."""
        return f"{ID}source/{self.adapter}.{self.snapshot}"

    @property
    def graph(self) -> str:
        """The graph of its statements."""
        return graph_iri(f"{self.adapter}/{self.snapshot}")

    @property
    def history(self) -> str:
        """The graph that keeps what came, went and changed."""
        return graph_iri(f"{self.adapter}/history")

    @property
    def series_iri(self) -> str:
        """The address of the series that the snapshot belongs to."""
        return f"{ID}series/{self.adapter}" + (f".{self.series}" if self.series else "")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of the imported files, and how many of their rows there were."""

    names: tuple[str, ...]
    hashes: tuple[str, ...]
    retrieved: date
    address: str
    read: int
    kept: int
    refused: int


def describe(source: Source, naming: Naming, facts: FileFacts, before: str | None, layout: str) -> bytes:
    """Describe the source, its series and its scopes as N-Triples; `before` is the source that this one replaces."""
    this, title = f"<{naming.source}>", f"{source.title}, {naming.snapshot}"
    lines = [
        f"{this} <{PREFIXES['rdf']}type> <{PREFIXES['sol']}Source> .",
        _literal(this, "rdfs:label", title, "@en"),
        _literal(this, "dcterms:description", source.gives, "@en"),
        *_publisher(this, source),
        f"{this} <{PREFIXES['dcterms']}license> <{source.licence}> .",
        _literal(this, "dcterms:issued", facts.retrieved.isoformat(), _xsd("date")),
        _literal(this, "sol:sourceGraph", naming.graph, _xsd("anyURI")),
        _literal(this, "sol:adapter", f"{source.name} {source.version}"),
        _literal(this, "sol:rowsRead", str(facts.read), _xsd("integer")),
        _literal(this, "sol:rowsKept", str(facts.kept), _xsd("integer")),
        _literal(this, "sol:rowsRefused", str(facts.refused), _xsd("integer")),
        f"{this} <{PREFIXES['dcat']}inSeries> <{naming.series_iri}> .",
        f"<{naming.series_iri}> <{PREFIXES['rdf']}type> <{PREFIXES['dcat']}DatasetSeries> .",
        _literal(
            f"<{naming.series_iri}>",
            "rdfs:label",
            source.title + (f", {naming.series}" if naming.series else ""),
            "@en",
        ),
    ]
    lines += [_literal(this, "sol:fileName", name) for name in facts.names]
    lines += [_literal(this, "sol:fileHash", found) for found in facts.hashes]
    if source.homepage:
        lines.append(f"{this} <{PREFIXES['dcat']}landingPage> <{source.homepage}> .")
    if facts.address:
        lines.append(f"{this} <{PREFIXES['dcat']}downloadURL> <{facts.address}> .")
    if before:
        lines.append(f"{this} <{PREFIXES['prov']}wasRevisionOf> <{before}> .")
    for scope in source.scopes:
        if scope.layout in (None, layout):
            lines += _scope(scope, naming, facts.retrieved)
    around = [f"{ID}{scope.place}" for scope in source.scopes if scope.place]
    return "".join(f"{line}\n" for line in lines).encode() + places.describe(around)


def _publisher(this: str, source: Source) -> list[str]:
    """Name the publisher: an agent at the address of its own page, or at one of ours."""
    slug = re.sub("[^a-z0-9]+", "-", source.publisher.lower()).strip("-")
    agent = f"<{source.publisher_page or f'{ID}publisher/{slug}'}>"
    return [
        f"{this} <{PREFIXES['dcterms']}publisher> {agent} .",
        f"{agent} <{PREFIXES['rdf']}type> <{PREFIXES['foaf']}Agent> .",
        _literal(agent, "rdfs:label", source.publisher, "@en"),
    ]


def _scope(scope: Scope, naming: Naming, retrieved: date) -> list[str]:
    this = f"<{ID}scope/{naming.adapter}.{naming.snapshot}.{scope.name}>"
    first, last = period(naming.snapshot, retrieved)
    lines = [
        f"{this} <{PREFIXES['rdf']}type> <{PREFIXES['sol']}CompletenessScope> .",
        _literal(this, "rdfs:label", f"{scope.label}, {naming.snapshot}", "@en"),
        _literal(this, "rdfs:comment", scope.comment, "@en"),
        f"{this} <{PREFIXES['sol']}scopeSource> <{naming.source}> .",
        f"{this} <{PREFIXES['sol']}scopePredicate> <{expand(scope.predicate)}> .",
        _literal(this, "schema:startDate", scope.start or first.isoformat(), _xsd("date")),
        _literal(this, "schema:endDate", scope.end or last.isoformat(), _xsd("date")),
    ]
    if scope.subject:
        lines.append(f"{this} <{PREFIXES['sol']}scopeSubject> <{ID}{scope.subject}> .")
    if scope.place:
        lines.append(f"{this} <{PREFIXES['prov']}atLocation> <{ID}{scope.place}> .")
    return lines


def period(snapshot: str, retrieved: date) -> tuple[date, date]:
    """Return the first and the last day that the name of a snapshot speaks of, or twice the day of retrieval.

    >>> [day.isoformat() for day in period("2023-q2", date(2024, 1, 5))]
    ['2023-04-01', '2023-06-30']
    >>> [day.isoformat() for day in period("uk-2007-2013", date(2024, 1, 5))]
    ['2007-01-01', '2013-12-31']
    """
    if quarter := _QUARTER.search(snapshot):
        year, month = int(quarter[1]), 3 * int(quarter[2])
        return date(year, month - 2, 1), date(year, month, calendar.monthrange(year, month)[1])
    if years := _YEARS.search(snapshot):
        return date(int(years[1]), 1, 1), date(int(years[2]), 12, 31)
    if (found := _DAY.search(snapshot)) and _FIRST <= int(found[2] or 1) <= _LAST:
        year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
        if day:
            return date(year, month, day), date(year, month, day)
        last = month or 12
        return date(year, month or 1, 1), date(year, last, calendar.monthrange(year, last)[1])
    return retrieved, retrieved


def _xsd(name: str) -> str:
    return f"^^<{PREFIXES['xsd']}{name}>"


def _literal(subject: str, predicate: str, text: str, kind: str = "") -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'{subject} <{expand(predicate)}> "{plain}"{kind} .'
