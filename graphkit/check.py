"""Judges a graph by the shapes of the ontology and by the stored checks: the one door to pyshacl."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Final

import polars as pl
from rdflib import RDF, SH, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from graphkit import queries
from graphkit.errors import DataError
from graphkit.files import ontology_folder
from graphkit.ontology import fold, parts
from graphkit.store import convert, open_store
from graphkit.store.base import Change, Store
from graphkit.terms import GRAPH, PREFIXES, QUERY, compact, expand, graph_iri

__all__ = ["check", "check_change", "check_files", "report"]

_log = logging.getLogger(__name__)
_COLUMNS: Final = ("severity", "check", "focus", "path", "value", "message", "source")
_NODES: Final = ("focus", "value")
_SHAPE: Final = "https://w3id.org/solidarity-graph/shape/"
_BLANK: Final = r"^(?:[0-9a-f]{16,32}|c14n[0-9]+|N[0-9a-f]{32})$"
_IRI: Final = re.compile(r"(?:https?://|urn:)[^\s<>\"{}|\\^`]+")
_SCHEMA: Final = pl.Schema(dict.fromkeys(_COLUMNS, pl.String()))
_PLACES: Final = "SELECT DISTINCT ?focus ?path ?graph WHERE { GRAPH ?graph { ?focus ?path ?any } }"
_BACKGROUND: Final = tuple(graph_iri(name) for name in ("ontology", "vocabularies", "imports", "mappings"))
_STATEMENTS: Final = f"""
PREFIX rdf: <{PREFIXES["rdf"]}>
PREFIX rdfs: <{PREFIXES["rdfs"]}>
PREFIX skos: <{PREFIXES["skos"]}>
CONSTRUCT {{ ?s ?p ?o }} WHERE {{
    {{ ?s ?p ?o FILTER(?p IN (rdfs:subClassOf, skos:inScheme)) }}
    UNION {{ ?s a ?o BIND(rdf:type AS ?p) FILTER(!STRSTARTS(STR(?o), "{PREFIXES["owl"]}")) }}
    UNION {{ ?s ?p ?o FILTER NOT EXISTS {{ GRAPH ?any {{ ?s ?p ?o }} }} }}
    UNION {{ GRAPH ?graph {{ ?s ?p ?o }} FILTER(?graph NOT IN ({", ".join(f"<{name}>" for name in _BACKGROUND)})) }}
    FILTER NOT EXISTS {{ ?s a rdf:Statement }}
}}"""
"""What the shapes look at: the data, and of the ontology only classes and schemes."""


def check(store: Store) -> pl.DataFrame:
    """Judge all that a store holds and return one row for each finding; no row means all is well.

    Columns, all text: severity (violation, warning or info), check (the shape's or the stored check's name),
    focus (the thing concerned), path (the property, shortened, or "" where several or none are concerned),
    value (or ""), message (what is wrong and what to do), source (the graph that says it, or ""). The rows are
    sorted by these columns. Where the store lacks the ontology, the shipped one stands behind the data. Stored
    checks say nothing about a thing that a shape already speaks of, so that one fault is told once, in the words
    that say how to mend it.
    A missing statement is reported only where a shape asks for it: the graph is open, the shapes are not.
    """
    start = perf_counter()
    with _with_background(store) as whole:
        by_shapes = _shape_findings(whole)
        by_queries = pl.concat([_SCHEMA.to_frame(), *_query_findings(whole)])
    by_queries = by_queries.join(by_shapes, on="focus", how="anti")
    findings = pl.concat([by_shapes, by_queries]).unique().sort(_COLUMNS)
    _log.info("checked %s: %d findings in %.1f s", store.location, findings.height, perf_counter() - start)
    return findings


@contextmanager
def _with_background(store: Store) -> Iterator[Store]:
    """Lend the store itself where it holds the ontology, else a copy of it that does."""
    if graph_iri("ontology") in store.graphs()["graph"]:
        yield store
        return
    with closing(open_store()) as copy:
        with copy.change("copy to check") as change:
            change.load(_background(), media_type="nq")
            change.load(store.dump("nq"), media_type="nq")
        yield copy


def check_files(paths: Iterable[Path], store: Store | None = None) -> pl.DataFrame:
    """Judge RDF files before they are loaded, with the ontology and its vocabularies behind them.

    With a `store`, the files may speak of what it holds, and only findings that the store does not have already
    are returned. Each file stands in a graph named after it; a `.trig` file that keeps one graph for each passage
    is folded first. The columns are those of `check`. Raises `DataError` where a file cannot be read.
    """
    with open_store() as scratch:
        with scratch.change("check files") as change:
            change.load(_background(), media_type="nq")
            if store is not None:
                change.load(store.dump("nq"), media_type="nq")
            for path in paths:
                _load_file(change, path)
        found = check(scratch)
    return found if store is None or found.is_empty() else found.join(check(store), on=_COLUMNS, how="anti")


def check_change(store: Store, act: Callable[[Change], object]) -> pl.DataFrame:
    """Judge a change before it is made, and return the findings that it would bring; the store stays as it is.

    `act` does the change to the `Change` it is given: here one of a copy in memory. Only findings are returned that
    the store does not have already, so that old faults do not hinder a new change; blank nodes, which have no names
    of their own, are told apart by their number only. The columns are those of `check`. Whoever makes the change
    afterwards must see to it that no other comes between. It takes one or two checks of the whole graph.
    """
    with open_store() as scratch:
        with scratch.change("copy to check") as change:
            change.load(store.dump("nq"), media_type="nq")
        before = scratch.version
        with scratch.change("the change to check") as change:
            act(change)
        if scratch.version == before:
            return _SCHEMA.to_frame()
        found = check(scratch)
    return found if found.is_empty() else _not_among(found, check(store))


def _not_among(found: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the findings that are not known; of findings alike but for blank nodes, those beyond the known number."""
    keys = [pl.when(pl.col(name).str.contains(_BLANK)).then(pl.lit("_")).otherwise(name).alias(name) for name in _NODES]
    parts = [
        frame.with_row_index("row")
        .with_columns(keys)
        .with_columns(turn=pl.int_range(pl.len()).over(_COLUMNS))
        .select("row", "turn", *_COLUMNS)
        for frame in (found, known)
    ]
    new = parts[0].join(parts[1], on=[*_COLUMNS, "turn"], how="anti")
    return found.with_row_index("row").join(new.select("row"), on="row", how="semi").drop("row").sort(_COLUMNS)


def report(findings: pl.DataFrame, suffix: str = "ttl") -> bytes:
    """Write findings as a `sh:ValidationReport` in the RDF format of `suffix`.

    Each result names the shape or the stored check that speaks. The frame of findings does not tell whether a value
    was a literal, nor which component of a shape failed: what looks like an address is written as one.
    """
    graph, head = Graph(), BNode()
    graph.add((head, RDF.type, SH.ValidationReport))
    graph.add((head, SH.conforms, Literal(findings.is_empty())))
    for row in findings.select(_COLUMNS).iter_rows():
        result = BNode()
        graph.add((head, SH.result, result))
        for predicate, term in _said(dict(zip(_COLUMNS, row, strict=True))):
            graph.add((result, predicate, term))
    return convert(graph.serialize(format="nt", encoding="utf-8"), "nt", suffix)


def _said(finding: dict[str, str]) -> Iterator[tuple[URIRef, Node]]:
    """Yield the properties of one result."""
    shape, focus, value = URIRef(_SHAPE + finding["check"]), finding["focus"], finding["value"]
    is_shape = (shape, None, None) in _shapes_graph()
    yield RDF.type, SH.ValidationResult
    yield SH.resultSeverity, SH[finding["severity"].capitalize()]
    yield SH.sourceShape, shape if is_shape else URIRef(f"{QUERY}checks/{finding['check']}")
    yield SH.focusNode, URIRef(focus) if _IRI.fullmatch(focus) else BNode()
    yield SH.resultMessage, Literal(finding["message"])
    if finding["path"]:
        yield SH.resultPath, URIRef(expand(finding["path"]))
    if value:
        yield SH.value, URIRef(value) if _IRI.fullmatch(value) else Literal(value)


@cache
def _background() -> bytes:
    """Return what the shapes need to know as N-Quads, read once: the ontology and its vocabularies."""
    with closing(open_store()) as store:
        with store.change("read the ontology") as change:
            for part in parts():
                if part.path.suffix == ".ttl":
                    change.load(part.path, graph=part.graph)
        return store.dump("nq")


def _load_file(change: Change, path: Path) -> None:
    """Load a file into the graph of its name; files of quads keep their own graphs."""
    if not path.is_file():
        raise DataError("there is no such file", where=str(path), hint="give the path of an RDF file")
    if path.suffix == ".trig" and f"<{graph_iri(path.stem)}#" in path.read_text("utf-8", "replace"):
        change.load(fold(path), media_type="nq")
    elif path.suffix in {".trig", ".nq"}:
        change.load(path)
    else:
        change.load(path, graph=graph_iri(path.stem))


# ---- Shapes ---------------------------------------------------------------------------------------------


def _shape_findings(store: Store) -> pl.DataFrame:
    """Return what the shapes find, with the graphs that say it."""
    data, shapes = _data_graph(store), _shapes_graph()
    results = _validate(data, shapes)
    rows = [_finding(results, result, shapes) for result in results.objects(None, SH.result)]
    found = pl.DataFrame(
        rows,
        schema=[*_COLUMNS[:-1], "iri"],
        orient="row",
        schema_overrides=dict.fromkeys([*_COLUMNS[:-1], "iri"], pl.String()),
    )
    if found.is_empty():
        return _SCHEMA.to_frame()
    return _with_sources(found, store.select(_PLACES))


def _data_graph(store: Store) -> Graph:
    """Return what the shapes look at."""
    graph = Graph()
    graph.parse(data=store.construct(_STATEMENTS), format="nt")
    return graph


@cache
def _shapes_graph() -> Graph:
    """Return all shipped shapes as one graph, read once: they do not change, and reading takes a third of a check."""
    graph = Graph()
    for path in sorted((ontology_folder() / "shapes").glob("*.ttl")):
        graph.parse(path, format="turtle")
    return graph


def _validate(data: Graph, shapes: Graph) -> Graph:
    """Return pyshacl's report on the data as a graph."""
    import pyshacl  # noqa: PLC0415 - takes a while to load, and most commands do without
    from pyshacl.errors import ReportableRuntimeError, ShapeLoadError  # noqa: PLC0415

    try:
        _, report, text = pyshacl.validate(data, shacl_graph=shapes, inplace=True)
    except (ReportableRuntimeError, ShapeLoadError) as error:
        raise DataError("the shapes cannot be applied", hint=str(error)) from error
    if not isinstance(report, Graph):
        raise DataError("the shapes cannot be applied", hint=text)
    return report


def _finding(results: Graph, result: Node, shapes: Graph) -> tuple[str, ...]:
    """Return a finding as the cells of a row: the shape's words, the thing, the property, the value."""
    named = _named_shape(shapes, results.value(result, SH.sourceShape))
    path, value = results.value(result, SH.resultPath), results.value(result, SH.value)
    message = shapes.value(named, SH.message) or results.value(result, SH.resultMessage)
    focus = str(results.value(result, SH.focusNode))
    cells = (
        str(results.value(result, SH.resultSeverity)).removeprefix(str(SH)).lower(),
        str(named).rpartition("/")[2],
        focus,
        compact(str(path)) if isinstance(path, URIRef) else "",
        str(value) if value is not None and str(value) != focus else "",
        str(message),
    )
    return (*cells, str(path) if isinstance(path, URIRef) else "")


def _named_shape(shapes: Graph, shape: Node | None) -> Node | None:
    """Return the shape itself, or for one without a name the nearest shape above it that has a name."""
    while shape is not None and not isinstance(shape, URIRef):
        shape = shapes.value(None, SH.property, shape)
    return shape


def _with_sources(found: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Add the graph that says it: of the thing's property, else of the thing, the first by name."""
    graphs = pl.col("graph").str.strip_prefix(GRAPH).sort().first()
    by_path = places.group_by("focus", "path").agg(graphs.alias("exact"))
    by_focus = places.group_by("focus").agg(graphs.alias("near"))
    return (
        found.join(by_path, left_on=["focus", "iri"], right_on=["focus", "path"], how="left")
        .join(by_focus, on="focus", how="left")
        .with_columns(pl.coalesce("exact", "near", pl.lit("")).alias("source"))
        .select(_COLUMNS)
    )


# ---- Stored checks --------------------------------------------------------------------------------------


def _query_findings(store: Store) -> list[pl.DataFrame]:
    """Return what the stored checks find, one frame for each; each of their rows is a finding."""
    found = [query for query in queries.catalogue().values() if query.name.startswith("checks/")]
    return [_rows_of(queries.run(store, query), query) for query in found]


def _rows_of(answer: pl.DataFrame, query: queries.Query) -> pl.DataFrame:
    """Turn the rows of a check into findings: the first column is the thing, a second one the value."""
    columns = chain(answer.columns, ("", ""))
    focus, value = next(columns), next(columns)
    cells = {
        "severity": pl.lit("violation"),
        "check": pl.lit(query.name.removeprefix("checks/")),
        "focus": pl.col(focus),
        "path": pl.lit(""),
        "value": pl.col(value) if value else pl.lit(""),
        "message": pl.lit(query.summary),
        "source": pl.col("source") if "source" in answer.columns else pl.lit(""),
    }
    texts = [cell.cast(pl.String).fill_null("").alias(name) for name, cell in cells.items()]
    return answer.select(texts)
