"""Stored queries: read the `.rq` files, bind their parameters safely, run them and check their answers."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Final, Literal, TypeAlias, get_args

import polars as pl
import rdflib
from rdflib.namespace import XSD

from graphkit import terms
from graphkit._query_order import in_order
from graphkit._query_rdf import as_rdf, default_terms
from graphkit._query_text import NO_HEADER, Header, Order, Place, Shape, Slot, read_header, read_shape
from graphkit._rules import Rule, read_rule
from graphkit.errors import DataError, QueryError, UsageError, unknown_name
from graphkit.files import queries_folder
from graphkit.store.base import Change, Readable, Store

__all__ = [
    "INFERRED",
    "Form",
    "Parameter",
    "Query",
    "as_rdf",
    "bind",
    "catalogue",
    "construct",
    "default_terms",
    "derive",
    "derive_in",
    "find",
    "load_query",
    "parse_query",
    "run",
]

INFERRED: Final = terms.graph_iri("inferred")
"""The graph that holds what the rules of `queries/build` derive."""

Form: TypeAlias = Literal["SELECT", "CONSTRUCT", "ASK", "DESCRIBE"]
_Values: TypeAlias = "str | Sequence[str]"

_FRESH: Final = "urn:graphkit:fresh"
_MOST_FRESH: Final = 100_000
_NO_LINES: Final = pl.Series("line", [], dtype=pl.Binary)

_log = logging.getLogger(__name__)
_LITERALS: Final[Mapping[str, tuple[re.Pattern[str], rdflib.URIRef, str]]] = {
    "date": (re.compile(r"\d{4}-\d\d-\d\d"), XSD.date, "2024-03-31"),
    "integer": (re.compile(r"[+-]?\d+"), XSD.integer, "12"),
    "decimal": (re.compile(r"[+-]?(\d+\.?\d*|\.\d+)"), XSD.decimal, "12.50"),
    "boolean": (re.compile(r"true|false"), XSD.boolean, "true"),
}
_TYPES: Final = ("iri", "text", *_LITERALS)
_FULL_IRI: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|urn:|tag:)[^<>\"{}|^`\\\x00-\x20\x7f-\x9f]+")
_SLUG: Final = re.compile(r"[a-z][a-z-]*/[^/:<>\"{}|^`\\\x00-\x20\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that who runs a query can choose: a block `VALUES ?name { … }` in its text.

    `type` is iri, text, date, integer, decimal or boolean; `class_` names the class whose things an iri can be;
    `default` is what the file has in the block, as SPARQL terms, or None where that is UNDEF (all things).
    """

    name: str
    type: str
    label: str
    about: str = ""
    class_: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A SPARQL query with a name, a summary, parameters and, for a SELECT, the meaning of each column in order."""

    name: str
    path: Path | None
    summary: str
    description: str
    tags: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: Mapping[str, str]
    text: str
    form: Form
    slots: tuple[Slot, ...] = field(repr=False)
    """Where the parameters' blocks stand in the text."""
    order: Order | None = field(default=None, repr=False)
    """The ORDER BY with which the text ends, where that can be followed outside the engine."""

    @property
    def iri(self) -> str:
        """The IRI of the query, as `sol:monitoredBy` has it."""
        return terms.QUERY + self.name


# ---- Reading ---------------------------------------------------------------------------------


def load_query(path: Path, name: str | None = None) -> Query:
    """Read a `.rq` file; its name is `name`, or the file's own without the suffix.

    Raises `DataError` that names the file and the line where the header or the query is not as it should be.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise DataError("the query's file cannot be read", where=str(path), hint=str(error)) from error
    return _load(path, name or path.stem, (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=1024)
def _load(path: Path, name: str, state: tuple[int, int]) -> Query:  # noqa: ARG001 - a changed file is read again
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("the query's file cannot be read", where=str(path), hint=str(error)) from error
    return parse_query(text, name, path)


def parse_query(text: str, name: str, path: Path | None = None) -> Query:
    """Read a query with its header from `text`.

    With the `path` of a stored query all habits of stored queries are asked for: a header with a summary, the
    meaning of each answered column and each parameter, an ORDER BY, no LIMIT. A text without a path is somebody's
    own, from a prompt or a form: it may lack all of these. Raises `DataError` with the line of the fault.

    >>> query = parse_query("SELECT ?place WHERE { ?place a <https://w3id.org/solidarity-graph/ns#Region> }", "mine")
    >>> query.form, list(query.columns), query.parameters
    ('SELECT', ['place'], ())
    """
    place = Place(text, str(path or name))
    shape = read_shape(place)
    header = read_header(place) if path or text.startswith("#+") else NO_HEADER
    _check_parameters(place, header, shape)
    if path:
        _check_habits(place, header, shape)
    form = next(form for form in get_args(Form) if form == shape.form)
    return Query(
        name,
        path,
        header.summary,
        header.description,
        header.tags,
        tuple(_parameter(place, each, header, shape) for each in header.params),
        {variable: header.columns.get(variable, "") for variable in shape.variables},
        text,
        form,
        shape.slots,
        shape.order,
    )


def catalogue(folder: Path | None = None) -> dict[str, Query]:
    """Read all stored queries of `folder`, or the shipped ones, by name."""
    return {name: load_query(path, name) for name, path in _files(folder).items()}


def find(name: str, folder: Path | None = None) -> Query:
    """Return the stored query called `name`, such as "funding/by-region", which may also be its IRI.

    Raises `UnknownNameError` with the nearest names where there is none.
    """
    files, short = _files(folder), name.removeprefix(terms.QUERY).removesuffix(".rq")
    if short not in files:
        raise unknown_name("query", short, files)
    return load_query(files[short], short)


def _files(folder: Path | None) -> dict[str, Path]:
    root = folder or queries_folder()
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in sorted(root.rglob("*.rq"))}


def _check_habits(place: Place, header: Header, shape: Shape) -> None:
    """Ask for what every stored query has."""
    if shape.form == "SELECT":
        _check_order(place, shape)
    elif header.columns:
        raise place.error(f"a {shape.form} query has no columns", header.lines["columns"])
    if tuple(header.columns) != shape.variables:
        said, answered = ", ".join(header.columns) or "none", ", ".join(shape.variables)
        what = f"the columns of the header ({said}) are not those of the query ({answered})"
        raise place.error(what, header.lines.get("columns", 0), hint="name the same columns in the same order")
    for slot in shape.slots:
        if slot.name not in header.params:
            hint = (
                f"describe '{slot.name}' under 'params', or write VALUES (?{slot.name}) {{ (…) }} if nobody chooses it"
            )
            raise place.error(f"the block VALUES ?{slot.name} is not a parameter of the header", slot.start, hint=hint)


def _check_order(place: Place, shape: Shape) -> None:
    if shape.star is not None:
        raise place.error("the query answers '*'", shape.star, hint="name its variables, as the header does")
    if shape.limit is not None:
        hint = "who runs the query says how many rows to show"
        raise place.error("a stored query has no LIMIT and no OFFSET", shape.limit, hint=hint)
    if not shape.ordered:
        hint = "order by enough columns to make the order the same every time"
        raise place.error("the query has no ORDER BY", len(place.text.rstrip()), hint=hint)


def _check_parameters(place: Place, header: Header, shape: Shape) -> None:
    blocks = {slot.name for slot in shape.slots}
    for name in header.params:
        if name not in blocks:
            hint = f"write VALUES ?{name} {{ UNDEF }} in the query"
            raise place.error(f"the parameter '{name}' has no VALUES block", header.lines[f"params.{name}"], hint=hint)


def _parameter(place: Place, name: str, header: Header, shape: Shape) -> Parameter:
    words, at = header.params[name], header.lines[f"params.{name}"]
    if words["type"] not in _TYPES:
        error = unknown_name("type of parameter", words["type"], _TYPES)
        raise place.error(error.what, at, hint=error.hint)
    blocks = {" ".join(place.text[slot.start : slot.end].split()) for slot in shape.slots if slot.name == name}
    if len(blocks) > 1:
        raise place.error(f"the blocks VALUES ?{name} hold different terms", at, hint="a parameter has one default")
    (block,) = blocks
    default = None if block.upper() == "UNDEF" else block
    return Parameter(name, words["type"], words["label"], words["about"], words["class"] or None, default)


# ---- Binding ---------------------------------------------------------------------------------


def bind(query: Query, values: Mapping[str, str | Sequence[str]]) -> str:
    """Return the text of `query` with `values` in its VALUES blocks, written as RDF terms; several are alternatives.

    An iri can be a full IRI, `prefix:local` with a known prefix, or `kind/slug` of the data ("place/valley").
    Raises `UnknownNameError` for a parameter that the query has not, `UsageError` for a value of the wrong type.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in values:
        if name not in known:
            raise unknown_name("parameter", name, known, where=query.name)
    bound = {name: _block(query, known[name], value) for name, value in values.items()}
    slots = sorted((slot for slot in query.slots if slot.name in bound), key=lambda slot: -slot.start)
    text = query.text
    for slot in slots:
        text = f"{text[: slot.start]} {bound[slot.name]} {text[slot.end :]}"
    return text


def _block(query: Query, parameter: Parameter, values: _Values) -> str:
    every = [values] if isinstance(values, str) else list(values)
    if not every:
        raise UsageError(f"the parameter '{parameter.name}' is given no value", where=query.name)
    return " ".join(_term(query, parameter, value) for value in every)


def _term(query: Query, parameter: Parameter, value: str) -> str:
    """Write one value as a SPARQL term that cannot break out of its block."""
    try:
        value.encode()
        if parameter.type == "iri":
            return rdflib.URIRef(_iri(value)).n3()
        if parameter.type == "text":
            return rdflib.Literal(value).n3()
        return _literal(parameter.type, value)
    except ValueError as error:
        what = f"the parameter '{parameter.name}' takes {_with_article(parameter.type)}, not {value!r}"
        raise UsageError(what, where=query.name, hint=str(error)) from error


def _literal(kind: str, value: str) -> str:
    pattern, datatype, example = _LITERALS[kind]
    if not value.isascii() or not pattern.fullmatch(value):
        raise ValueError(f"write it like this: {example}")
    if kind == "date":
        date.fromisoformat(value)
    return f'"{value}"^^{datatype.n3()}'


def _iri(value: str) -> str:
    """Lengthen the short forms of an IRI, and refuse what is none."""
    if _SLUG.fullmatch(value):
        return terms.ID + value
    full = terms.expand(value)
    if not _FULL_IRI.fullmatch(full):
        raise ValueError("write a full IRI, prefix:local with a known prefix, or kind/slug such as place/valley")
    return full


def _with_article(kind: str) -> str:
    return "an IRI" if kind == "iri" else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


# ---- Running ---------------------------------------------------------------------------------


def run(store: Readable, query: str | Query, /, **values: str | Sequence[str]) -> pl.DataFrame:
    """Answer a stored SELECT query, or one of `parse_query`, with its parameters bound to `values`.

    The frame has exactly the columns of the query's header. Its rows are put in order here, and not by the engine,
    where every answer of `store` comes whole: an engine sorts before it drops what is repeated, which takes longer than
    all the rest. Raises `UnknownNameError` for an unknown query or
    parameter, `UsageError` for a query of another form, `QueryError` where the answer breaks its contract.
    """
    found = _expect(query, "SELECT")
    sparql, start = bind(found, values), perf_counter()
    _log.debug("%s:\n%s", found.name, sparql)
    order = found.order if store.whole else None
    if order:
        sparql = sparql[: len(sparql) - len(found.text) + order.start]
    frame = store.select(sparql)
    if order:
        frame = in_order(frame, order)
    if found.columns and frame.columns != list(found.columns):
        what = f"the answer has the columns {', '.join(frame.columns)} and not {', '.join(found.columns)}"
        raise QueryError(what, where=found.name)
    _log.info("query %s: %d rows in %.3f s", found.name, frame.height, perf_counter() - start)
    return frame


def construct(store: Readable, query: str | Query, /, **values: str | Sequence[str]) -> bytes:
    """Answer a stored CONSTRUCT query, with its parameters bound to `values`, as N-Triples."""
    found = _expect(query, "CONSTRUCT")
    return store.construct(bind(found, values))


def _expect(query: str | Query, form: Form) -> Query:
    found = find(query) if isinstance(query, str) else query
    if found.form != form:
        hint = "use run for a SELECT query and construct for a CONSTRUCT query"
        raise UsageError(f"the query is a {found.form} and not a {form}", where=found.name, hint=hint)
    return found


def derive(store: Store, folder: Path | None = None) -> bytes:
    """Fill the graph `INFERRED` of a store with what the rules of `build` derive, and return it as N-Triples.

    The rules run in turn until none of them says anything new, so their order makes no difference. What was in
    the graph before is removed. `folder` is the folder of queries, or the shipped one.
    """
    with store.change("derive by the rules of queries/build") as change:
        derive_in(change, folder=folder)
    return store.dump("nt", INFERRED)


def derive_in(change: Change, *, fresh: Sequence[str] = (), folder: Path | None = None) -> None:
    """Derive what follows within an open change, as `derive` does.

    With `fresh` graphs the caller says that statements came into these graphs only in this change, and that none went
    from any. Where the version before was derived by the same rules only what follows from these graphs is then
    looked for; the result is the same, and takes seconds where to derive all of millions takes minutes. Where a new
    statement may forbid an older conclusion, all is derived anew.
    """
    rules = [read_rule(query.text) for name, query in catalogue(folder).items() if name.startswith("build/")]
    name, start = sha256("\0".join(rule.text for rule in rules).encode()).hexdigest(), perf_counter()
    predicates = _predicates(change, fresh) if fresh and change.rules == name else None
    if predicates is None or _conflict(change, rules, fresh, predicates):
        change.clear(INFERRED)
        found = [_concluded(change, [rule.text]) for rule in rules]
    else:
        _forget_said(change, fresh)
        many = _count(change, fresh) > _MOST_FRESH
        found = [_concluded(change, rule.about(fresh, predicates, many=many)) for rule in rules]
    total = _to_the_end(change, rules, found)
    change.rules = name
    _log.info("derived %d new statements by %d rules in %.3f s", total, len(rules), perf_counter() - start)


def _to_the_end(change: Change, rules: Sequence[Rule], found: Sequence[pl.Series]) -> int:
    """Load what was found and ask the rules about it, again and again until they find nothing."""
    total = 0
    while len(lines := pl.concat([_NO_LINES, *found]).unique().sort()):
        total += len(lines)
        triples = b"\n".join(lines.to_list()) + b"\n"
        change.load(triples, media_type="nt", graph=INFERRED)
        predicates = set(lines.cast(pl.String).str.extract(r"^\S+ <([^>]*)>").unique())
        touched = [rule for rule in rules if rule.touched(predicates)]
        if len(lines) > _MOST_FRESH:
            found = [_concluded(change, rule.about([INFERRED], predicates, many=True)) for rule in touched]
            continue
        change.load(triples, media_type="nt", graph=_FRESH)
        found = [_concluded(change, rule.about([_FRESH], predicates)) for rule in touched]
        change.clear(_FRESH)
    return total


def _concluded(change: Change, texts: Iterable[str]) -> pl.Series:
    runs = [pl.Series("line", change.construct(text).splitlines(), dtype=pl.Binary) for text in texts]
    return pl.concat([_NO_LINES, *runs])


def _predicates(change: Change, graphs: Sequence[str]) -> set[str]:
    frame = change.select(f"SELECT DISTINCT ?p WHERE {{ {_any_of(graphs)} }}")
    return set(frame["p"])


def _count(change: Change, graphs: Sequence[str]) -> int:
    return int(change.select(f"SELECT (COUNT(*) AS ?statements) WHERE {{ {_any_of(graphs)} }}").item())


def _any_of(graphs: Sequence[str]) -> str:
    return f"VALUES ?g {{ {' '.join(f'<{graph}>' for graph in graphs)} }} GRAPH ?g {{ ?s ?p ?o }}"


def _conflict(change: Change, rules: Iterable[Rule], fresh: Sequence[str], predicates: set[str]) -> bool:
    return any(change.ask(asked) for rule in rules for asked in rule.conflicts(fresh, predicates, INFERRED))


def _forget_said(change: Change, fresh: Sequence[str]) -> None:
    """Remove from the conclusions what is now said: a statement is derived only where nobody says it."""
    said = change.construct(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {_any_of(fresh)} GRAPH <{INFERRED}> {{ ?s ?p ?o }} }}")
    if said:
        change.update(f"DELETE DATA {{ GRAPH <{INFERRED}> {{ {said.decode()} }} }}")
