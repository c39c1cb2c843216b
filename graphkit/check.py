"""Judges a graph by the shapes of the ontology, asked as queries or by pyshacl, and by the stored checks.

This is the one door to pyshacl.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import cache
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Final

import polars as pl
import rdflib
from rdflib import RDF, SH, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from graphkit import queries
from graphkit._shape_queries import ShapeQuery, UnknownShapeError, shape_queries
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
_FOUND: Final = pl.Schema(dict.fromkeys([*_COLUMNS[:-1], "iri"], pl.String()))
_ASKED_AT_ONCE: Final = 1_000
_HAS_ONTOLOGY: Final = f"ASK {{ GRAPH <{graph_iri('ontology')}> {{ ?s ?p ?o }} }}"
_ALL_OF: Final = "CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{}> {{ ?s ?p ?o }} }}"
_PLACES: Final = """
SELECT DISTINCT ?focus ?path ?graph WHERE {{ VALUES ?focus {{ {} }} GRAPH ?graph {{ ?focus ?path ?any }} }}"""
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

_LOOKED_AT: Final = "urn:graphkit:classes-and-schemes"
_CLASSES_AND_SCHEMES: Final = f"""
PREFIX rdf: <{PREFIXES["rdf"]}>
PREFIX rdfs: <{PREFIXES["rdfs"]}>
PREFIX skos: <{PREFIXES["skos"]}>
CONSTRUCT {{ ?s ?p ?o }} WHERE {{
    VALUES ?graph {{ {" ".join(f"<{name}>" for name in _BACKGROUND)} }}
    GRAPH ?graph {{ ?s ?p ?o }}
    FILTER(?p IN (rdfs:subClassOf, skos:inScheme) || ?p = rdf:type && !STRSTARTS(STR(?o), "{PREFIXES["owl"]}"))
}}"""
_WITHOUT_DESCRIBED: Final = f"""
PREFIX rdf: <{PREFIXES["rdf"]}>
DELETE {{ GRAPH ?graph {{ ?s ?p ?o }} }} WHERE {{ GRAPH ?any {{ ?s a rdf:Statement }} GRAPH ?graph {{ ?s ?p ?o }} }} ;
DELETE {{ ?s ?p ?o }} WHERE {{ {{ ?s a rdf:Statement }} UNION {{ GRAPH ?any {{ ?s a rdf:Statement }} }} ?s ?p ?o }}"""
"""A statement that is described is not what the shapes look at."""
_SUBCLASSES: Final = f"""
PREFIX rdfs: <{PREFIXES["rdfs"]}>
SELECT DISTINCT ?sub ?super WHERE {{ ?sub rdfs:subClassOf ?super FILTER(isIRI(?sub) && isIRI(?super)) }}"""


def check(store: Store, *, by_pyshacl: bool = False) -> pl.DataFrame:
    """Judge all that a store holds and return one row for each finding; no row means all is well.

    Columns, all text: severity (violation, warning or info), check (the shape's or the stored check's name),
    focus (the thing concerned), path (the property, shortened, or "" where several or none are concerned),
    value (or ""), message (what is wrong and what to do), source (the graph that says it, or ""). The rows are
    sorted by these columns. Where the store lacks the ontology, the shipped one stands behind the data. Stored
    checks say nothing about a thing that a shape already speaks of, so that one fault is told once, in the words
    that say how to mend it.
    A missing statement is reported only where a shape asks for it: the graph is open, the shapes are not.
    The shapes are asked as queries of the store's engine, which finds in minutes in millions of statements what
    takes pyshacl hours; `by_pyshacl` lets pyshacl judge, the reference, which finds the same.
    """
    start = perf_counter()
    with store.trial() as trial:
        if not trial.ask(_HAS_ONTOLOGY):
            trial.load(_background(), media_type="nq")
        findings = _judged(trial, by_pyshacl=by_pyshacl)
    _log.info("checked %s: %d findings in %.1f s", store.location, findings.height, perf_counter() - start)
    return findings


def _judged(trial: Change, *, by_pyshacl: bool = False) -> pl.DataFrame:
    """Judge a graph that has the ontology behind it, on a copy that may be changed."""
    by_queries = pl.concat([_SCHEMA.to_frame(), *_query_findings(trial)])
    by_shapes = _shape_findings(trial, by_pyshacl=by_pyshacl)
    by_queries = by_queries.join(by_shapes, on="focus", how="anti")
    return pl.concat([by_shapes, by_queries]).unique().sort(_COLUMNS)


def check_files(paths: Iterable[Path], store: Store | None = None) -> pl.DataFrame:
    """Judge RDF files before they are loaded, with the ontology and its vocabularies behind them.

    With a `store`, the files may speak of what it holds, and only findings that the store does not have already
    are returned. Each file stands in a graph named after it; a `.trig` file that keeps one graph for each passage
    is folded first. The columns are those of `check`. Raises `DataError` where a file cannot be read.
    """
    with closing(open_store()) as empty, (store or empty).trial() as trial:
        trial.load(_background(), media_type="nq")
        for path in paths:
            _load_file(trial, path)
        found = _judged(trial)
    return found if store is None or found.is_empty() else found.join(check(store), on=_COLUMNS, how="anti")


def check_change(store: Store, act: Callable[[Change], object]) -> pl.DataFrame:
    """Judge a change before it is made, and return the findings that it would bring; the store stays as it is.

    `act` does the change to the `Change` it is given: here one that is thrown away. Only findings are returned that
    the store does not have already, so that old faults do not hinder a new change; blank nodes, which have no names
    of their own, are told apart by their number only. The columns are those of `check`. Whoever makes the change
    afterwards must see to it that no other comes between. It takes one or two checks of the whole graph.
    """
    with store.trial() as trial:
        act(trial)
        if not trial.ask(_HAS_ONTOLOGY):
            trial.load(_background(), media_type="nq")
        found = _judged(trial)
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


def _shape_findings(trial: Change, *, by_pyshacl: bool) -> pl.DataFrame:
    """Return what the shapes find, with the graphs that say it."""
    found = None if by_pyshacl else _found_by_engine(trial)
    if found is None:
        found = _found_by_pyshacl(trial)
    if found.is_empty():
        return _SCHEMA.to_frame()
    return _with_sources(found, _places(trial, found["focus"].unique()))


def _found_by_pyshacl(trial: Change) -> pl.DataFrame:
    data, shapes = _data_graph(trial), _shapes_graph()
    results = _validate(data, shapes)
    rows = [_finding(results, result, shapes) for result in results.objects(None, SH.result)]
    return pl.DataFrame(rows, schema=_FOUND, orient="row").unique()


def _found_by_engine(trial: Change) -> pl.DataFrame | None:
    """Return what the shapes find when they are asked as queries, or None where one cannot be turned into a query.

    For that time the graphs of the ontology are replaced by the little of them that the shapes look at.
    """
    shapes = _shapes_graph()
    kept = [
        (name, trial.construct(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{name}> {{ ?s ?p ?o }} }}"))
        for name in _BACKGROUND
    ]
    trial.load(trial.construct(_CLASSES_AND_SCHEMES), media_type="nt", graph=_LOOKED_AT)
    for name in _BACKGROUND:
        trial.clear(name)
    trial.update(_WITHOUT_DESCRIBED)
    try:
        asked = shape_queries(shapes, _subclasses(trial))
        found = [_rows_by_engine(trial, shapes, query) for query in asked]
    except UnknownShapeError as error:
        _log.warning("pyshacl judges, because %s has no query", error)
        return None
    finally:
        trial.clear(_LOOKED_AT)
        for name, triples in kept:
            trial.load(triples, media_type="nt", graph=name)
    return pl.concat([_FOUND.to_frame(), *found]).unique()


def _rows_by_engine(trial: Change, shapes: Graph, query: ShapeQuery) -> pl.DataFrame:
    """Return the findings of one query as cells of rows, like `_finding`."""
    start = perf_counter()
    named = _named_shape(shapes, query.shape)
    message = shapes.value(named, SH.message)
    if message is None:
        raise UnknownShapeError(f"{named} says no message")
    rows = trial.select(query.sparql)
    severity = shapes.value(query.shape, SH.severity) or SH.Violation
    path = str(query.path) if isinstance(query.path, URIRef) else ""
    value = pl.coalesce("text", pl.col("blank").str.strip_prefix("_:")) if "text" in rows.columns else pl.lit("")
    cells = {
        "severity": pl.lit(str(severity).removeprefix(str(SH)).lower()),
        "check": pl.lit(str(named).rpartition("/")[2]),
        "focus": pl.col("this").str.strip_prefix("_:"),
        "path": pl.lit(compact(path) if path else ""),
        "value": pl.when(value == pl.col("this")).then(pl.lit("")).otherwise(value),
        "message": pl.lit(str(message)),
        "iri": pl.lit(path),
    }
    _log.debug("%s: %d rows in %.3f s by %s", named, rows.height, perf_counter() - start, query.sparql)
    return rows.select([cell.cast(pl.String).alias(name) for name, cell in cells.items()])


def _subclasses(trial: Change) -> Callable[[str], list[str]]:
    """Return what gives a class and all classes below it."""
    above = trial.select(_SUBCLASSES)
    below: dict[str, list[str]] = {}
    for sub, super_ in above.iter_rows():
        below.setdefault(super_, []).append(sub)

    def kinds(name: str) -> list[str]:
        found, left = {name}, [name]
        while left:
            fresh = set(below.get(left.pop(), ())) - found
            found |= fresh
            left += fresh
        return sorted(found)

    return kinds


def _places(trial: Change, focuses: pl.Series) -> pl.DataFrame:
    """Return the properties of things and the graphs that say them; blank nodes cannot be asked for."""
    named = focuses.filter(~focuses.str.contains(_BLANK)).to_list()
    pieces = [named[start : start + _ASKED_AT_ONCE] for start in range(0, len(named), _ASKED_AT_ONCE)]
    found = [trial.select(_PLACES.format(" ".join(f"<{name}>" for name in piece))) for piece in pieces]
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(("focus", "path", "graph"), pl.String())), *found])


def _data_graph(store: Change) -> Graph:
    """Return what the shapes look at, with the literals as the store spells them."""
    graph = Graph()
    normalise, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        graph.parse(data=store.construct(_STATEMENTS), format="nt")
    finally:
        rdflib.NORMALIZE_LITERALS = normalise
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


def _query_findings(store: Change) -> list[pl.DataFrame]:
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
