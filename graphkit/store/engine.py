"""Ask the RDF engine: every question to pyoxigraph goes through here and its errors become ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol, TypeVar

import pyoxigraph as ox

from graphkit.errors import QueryError, UsageError
from graphkit.store.formats import rdf_format
from graphkit.store.guard import check_query, check_update, names_dataset
from graphkit.store.using import with_dataset

__all__ = [
    "Results",
    "Sink",
    "answer",
    "ask_checked",
    "check_update_syntax",
    "expect_form",
    "results_format",
    "update",
    "write_results",
]

_T = TypeVar("_T")
Results = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples

_RESULTS: Final = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
_PLACE: Final = re.compile(r"^error at (\d+):(\d+): (.*)$", re.DOTALL)
_SENTENCE: Final = re.compile(r"(?:^|, |one of )([A-Z][a-z]+(?: \w+){2,}|The [\w ]+)")
_LONGEST_REASON: Final = 160


class Sink(Protocol):
    """What an answer can be written into instead of being returned."""

    def write(self, data: bytes, /) -> int:
        """Take bytes and return how many."""

    def flush(self) -> None:
        """Pass on what was taken."""


def answer(store: ox.Store, sparql: str, media_type: str, *, into: Sink | None = None) -> bytes:
    """Answer a query of any form as bytes, or write them `into` a sink and return none.

    Raises `QueryError` where the query is refused, cannot be read or fails, and `UsageError` where its form
    cannot be given in `media_type`.
    """
    check_query(sparql)
    return ask_checked(store, sparql, lambda results: write_results(results, media_type, into=into))


def ask_checked(
    store: ox.Store,
    sparql: str,
    use: Callable[[Results], _T],
    *,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
) -> _T:
    """Ask a query that `check_query` let pass, and return what `use` makes of its results.

    Graphs that are given are the whole dataset, in place of any FROM, as the SPARQL 1.1 Protocol has it (section
    2.1.4): with named graphs alone the default graph is empty. Where neither the arguments nor the query name any,
    the default graph is the union of all graphs. Raises `QueryError` where the query cannot be read or fails.
    """
    with _asking(sparql, "query"):
        if default_graphs or named_graphs:
            return use(
                store.query(
                    sparql,
                    default_graph=[ox.NamedNode(iri) for iri in default_graphs],
                    named_graphs=[ox.NamedNode(iri) for iri in named_graphs],
                )
            )
        return use(store.query(sparql, use_default_graph_as_union=not names_dataset(sparql)))


def write_results(results: Results, media_type: str, *, into: Sink | None = None) -> bytes:
    """Write what the engine found as bytes of `media_type`."""
    form = triples_format(media_type) if isinstance(results, ox.QueryTriples) else results_format(media_type)
    return results.serialize(into, format=form) or b""  # type: ignore[arg-type]


def results_format(media_type: str) -> ox.QueryResultsFormat:
    """Return the format for the answer to a SELECT or ASK query that a suffix or media type names."""
    key = media_type.strip().lower().removeprefix(".")
    form = _RESULTS.get(key) or (ox.QueryResultsFormat.from_media_type(key) if "/" in key else None)
    if form is None:
        raise QueryError(
            f"a SELECT or ASK query cannot be answered as '{media_type}'",
            hint=f"use one of: {', '.join(_RESULTS)}",
        )
    return form


def triples_format(media_type: str) -> ox.RdfFormat:
    try:
        return rdf_format(media_type)
    except UsageError as error:
        raise QueryError(
            f"a CONSTRUCT or DESCRIBE query cannot be answered as '{media_type}'",
            hint="use one of: ttl, nt, rdf, jsonld, trig, nq",
        ) from error


def expect_form(form: str, *wanted: str) -> None:
    """Refuse a query whose form is not one of those wanted; a text without any form is left to the parser."""
    if form and form not in wanted:
        raise QueryError(f"a query of the form {' or '.join(wanted)} is needed here, and this is {form}")


def update(
    store: ox.Store,
    sparql: str,
    *,
    using: Sequence[str] = (),
    using_named: Sequence[str] = (),
    base: str | None = None,
) -> None:
    """Run a checked update, its patterns on the graphs `using` and `using_named` if there are any."""
    check_update(sparql)
    whole = with_dataset(sparql, using, using_named)
    with _asking(sparql, "update"):
        store.update(whole, base_iri=base)


def check_update_syntax(sparql: str, *, base: str | None = None) -> None:
    """Refuse an update that is not allowed or cannot be read, without touching any store."""
    try:
        update(ox.Store(), sparql, base=base)
    except QueryError as error:
        if not isinstance(error.__cause__, RuntimeError):
            raise


@contextmanager
def _asking(sparql: str, act: str) -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        raise _syntax_error(str(error.msg or error), sparql, act) from error
    except (RuntimeError, OSError, ValueError) as error:
        raise QueryError(f"the {act} fails: {error}") from error


def _syntax_error(message: str, sparql: str, act: str) -> QueryError:
    found = _PLACE.match(message)
    if not found:
        return QueryError(f"the {act} cannot be read: {_shortened(message)}")
    line, column = int(found[1]), int(found[2])
    lines = sparql.split("\n")
    text = lines[line - 1].strip() if line <= len(lines) else ""
    where = f"line {line}, column {column}" + (f": {_shortened(text)}" if text else "")
    return QueryError(f"the {act} cannot be read: {_reason(found[3])}", where=where)


def _reason(words: str) -> str:
    """Pick the sentence out of the engine's list of all that could have stood there, if it holds one."""
    sentence = _SENTENCE.search(words)
    return sentence[1] if sentence else _shortened(" ".join(words.split()))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else text[:_LONGEST_REASON].rstrip() + " …"
