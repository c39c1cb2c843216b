"""What a person reads: the summary of a graph, its lists, and gaps and exports in the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from graphkit import measures, ontology, queries
from graphkit.errors import UsageError, unknown_name
from graphkit.export import (
    NETWORK_FORMATS,
    backtest_to_html,
    backtest_to_turtle,
    frame_to_text,
    gaps_to_json,
    gaps_to_words,
    network_to_bytes,
    standing_in_words,
    standings_as_frame,
    standings_to_json,
)
from graphkit.gaps import KINDS, GapReport, as_frame, to_turtle
from graphkit.gaps.backtest import BacktestReport
from graphkit.monitor import Standing
from graphkit.network import load_network
from graphkit.store import Store
from graphkit.terms import compact, expand, graph_iri

__all__ = [
    "LISTS",
    "backtest_as",
    "exported",
    "findings_in_words",
    "gaps_as",
    "labels",
    "standings_as",
    "summary",
    "versions_frame",
    "with_labels",
]

_RDF_FORMATS: Final = ("nq", "trig", "nt", "ttl", "rdf", "jsonld")


def summary(store: Store, found: GapReport, *, top: int = 3) -> str:
    """Say what the graph holds, how its commitments stand, and its first `top` gaps of each kind."""
    counts = queries.run(store, "explore/counts")
    version = found.version
    title = f"version {version.number}, {version.quads} quads, {version.hash[:12]}" if version else store.location
    return "\n".join(
        [
            f"\nThe graph  ({title})\n",
            *(f"  {row['count']:>5}  {row['what']}" for row in counts.rows(named=True)),
            "\nCommitments\n",
            *map(standing_in_words, found.standings),
            "\nGaps\n",
            gaps_to_words(found, top=top),
        ]
    )


def standings_as(found: list[Standing], form: str) -> str:
    """Write how commitments stand as `words`, `json`, or in one of the formats of a frame."""
    if form == "words":
        return "\n".join(map(standing_in_words, found)) + "\n"
    return standings_to_json(found) if form == "json" else frame_to_text(standings_as_frame(found), form)


def findings_in_words(findings: pl.DataFrame) -> str:
    """Write each finding of a check in two lines: where it is, and what is wrong and what to do."""
    lines = [
        f"{row['severity']} {row['check']}: {compact(row['focus'] or '')}"
        f"{' ' + compact(row['path']) if row['path'] else ''}"
        f"{' in ' + compact(row['source']) if row['source'] else ''}\n    {row['message']}"
        f"{' Found: ' + row['value'] if row['value'] else ''}\n"
        for row in findings.rows(named=True)
    ]
    return "".join(lines)


def gaps_as(found: GapReport, form: str, *, top: int | None = None) -> str:
    """Write gaps as `words`, `json`, `ttl`, or in one of the formats of a frame."""
    if form == "words":
        return gaps_to_words(found, top=top)
    if form == "json":
        return gaps_to_json(found)
    if form == "ttl":
        return to_turtle(found).decode()
    return frame_to_text(as_frame(found), form)


def backtest_as(found: BacktestReport, form: str, network: str) -> str:
    """Write a backtest as `words`, `html`, `ttl`, or its figures in one of the formats of a frame."""
    if form == "words":
        return found.to_text() + "\n"
    if form == "html":
        return backtest_to_html(found, network)
    if form == "ttl":
        return backtest_to_turtle(found, network).decode()
    cases = found.cases.select("case", "cut", "consortia", "new_pairs")
    return frame_to_text(cases.join(found.figures, on="case"), form)


def labels(store: Store) -> dict[str, str]:
    """Return the names of organisations and groups by IRI."""
    return dict(queries.run(store, "gaps/organisations").select("organisation", "label").rows())


def with_labels(store: Store, frame: pl.DataFrame) -> pl.DataFrame:
    """Put names in front of the columns that hold organisations."""
    names = labels(store)
    held = [column for column in ("organisation", "source", "target") if column in frame.columns]
    named = [pl.col(column).replace_strict(names, default=pl.col(column)).alias(f"{column}_label") for column in held]
    return frame.select(*named, pl.all())


def versions_frame(store: Store) -> pl.DataFrame:
    """Return the versions of a store as a frame, oldest first."""
    rows = [(v.number, v.time, v.who, v.why, v.quads, v.graphs, v.hash) for v in store.versions()]
    return pl.DataFrame(rows, schema=["number", "time", "who", "why", "quads", "graphs", "hash"], orient="row")


def exported(store: Store, what: str | None, form: str | None) -> bytes:
    """Return the whole graph, a network (a name that begins with `networks/`) or a named graph as bytes.

    Raises `UsageError` for a format that does not fit, `UnknownNameError` for a graph that is not there.
    """
    if what and what.startswith("networks/"):
        return network_to_bytes(load_network(store, what), form or "graphml", labels(store))
    suffix = form or ("ttl" if what else "nq")
    if suffix not in _RDF_FORMATS:
        known = ", ".join(NETWORK_FORMATS)
        raise UsageError(
            f"a graph cannot be written as {suffix}", hint=f"use {', '.join(_RDF_FORMATS)}; only networks: {known}"
        )
    return store.dump(suffix, _existing_graph(store, what) if what else None)


def _existing_graph(store: Store, name: str) -> str:
    iri = name if "://" in name else expand(name) if ":" in name else graph_iri(name)
    known = store.graphs()["graph"].to_list()
    if iri not in known:
        raise unknown_name("graph", iri, known)
    return iri


def _queries_list() -> pl.DataFrame:
    rows = [(q.name, ", ".join(p.name for p in q.parameters), q.summary) for q in queries.catalogue().values()]
    return pl.DataFrame(rows, schema=["query", "parameters", "summary"], orient="row")


def _networks_list() -> pl.DataFrame:
    return _queries_list().filter(pl.col("query").str.starts_with("networks/"))


def _measures_list() -> pl.DataFrame:
    rows = [(m.name, ", ".join(m.columns), m.summary) for m in measures.MEASURES.values()]
    return pl.DataFrame(rows, schema=["measure", "columns", "summary"], orient="row")


def _gaps_list() -> pl.DataFrame:
    rows = [(kind.code, kind.name, kind.question) for kind in KINDS.values()]
    return pl.DataFrame(rows, schema=["kind", "name", "question"], orient="row")


LISTS: Final[Mapping[str, Callable[[], pl.DataFrame]]] = MappingProxyType(
    {
        "queries": _queries_list,
        "networks": _networks_list,
        "measures": _measures_list,
        "gaps": _gaps_list,
        "terms": ontology.terms,
    }
)
"""The lists that need no store, by name."""
