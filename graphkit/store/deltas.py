"""What an update takes out and puts in, told before it is run, so that the whole need not be read back after it.

INSERT DATA and DELETE DATA say it themselves. For DELETE/INSERT … WHERE the pattern is asked as a query, and the
templates are filled with its answers in an empty store, by the engine itself. Anything else, such as COPY, several
patterns one after the other, or blank nodes in what is to go, is not told here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pyoxigraph as ox

from graphkit.errors import QueryError
from graphkit.store.guard import bare_code, check_update
from graphkit.store.lines import split_lines
from graphkit.store.using import Token, outer_tokens

__all__ = ["Delta", "deltas_of"]

MOST_ANSWERS: Final = 300_000
_ANSWERS_AT_ONCE: Final = 5_000
_VARIABLE: Final = re.compile(r"[?$](\w+)")
_ANY: Final = "graphkit_any"
_FORM: Final = re.compile(
    r"DELETE WHERE \{ \}|(?:WITH )?(?:DELETE \{ \} )?(?:INSERT \{ \} )?(?:USING (?:NAMED )?)*WHERE \{ \}"
)
_NQ: Final = ox.RdfFormat.N_QUADS


@dataclass(frozen=True, slots=True)
class Delta:
    """The lines that one operation takes out, and those that it then puts in."""

    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Operation:
    """One operation of an update: the declarations before it, its words outside braces, and where its groups stand."""

    sparql: str
    prologue: str
    tokens: tuple[Token, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(token.word for token in self.tokens)

    def after(self, word: str) -> str | None:
        """Return the group in braces that follows a word."""
        for token, opening, closing in zip(self.tokens, self.tokens[1:], self.tokens[2:], strict=False):
            if token.word == word and (opening.word, closing.word) == ("{", "}"):
                return self.sparql[opening.start : closing.start + 1]
        return None


def deltas_of(store: ox.Store, sparql: str) -> list[Delta] | None:
    """Tell what an update that is about to run on `store` will do, or return None where that cannot be told."""
    try:
        check_update(sparql)
        operations = list(_operations(sparql))
        if all(operation.words[1:2] == ("DATA",) for operation in operations):
            return [_of_data(operation) for operation in operations]
        return [_of_pattern(store, operations[0])] if len(operations) == 1 else None
    except (_UntoldError, QueryError, SyntaxError, ValueError, OSError, RuntimeError):
        return None


class _UntoldError(Exception):
    """What an operation does cannot be told."""


def _operations(sparql: str) -> Iterator[_Operation]:
    prologue, tokens = "", list[Token]()
    all_tokens = list(outer_tokens(bare_code(sparql)))
    for token in all_tokens:
        if token.word == ";":
            if tokens:
                yield _Operation(sparql, prologue, tuple(tokens))
            tokens = []
        elif tokens or token.word in {"INSERT", "DELETE", "WITH"}:
            if not tokens:
                prologue += _declarations(sparql, all_tokens, token)
            tokens.append(token)
        elif token.word in _OTHER:
            raise _UntoldError
    if tokens:
        yield _Operation(sparql, prologue, tuple(tokens))


_OTHER: Final = {"LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY"}


def _declarations(sparql: str, tokens: Sequence[Token], first: Token) -> str:
    """Return the text between the operation before and this one, which holds nothing but declarations."""
    ends = [token.start + 1 for token in tokens if token.word == ";" and token.start < first.start]
    return sparql[ends[-1] if ends else 0 : first.start] + "\n"


def _of_data(operation: _Operation) -> Delta:
    group = operation.after("DATA")
    if len(operation.tokens) != len(("INSERT", "DATA", "{", "}")) or group is None:
        raise _UntoldError
    lines = _inserted(f"{operation.prologue} INSERT DATA {group}")
    if operation.words[0] == "INSERT":
        return Delta((), lines)
    return Delta(lines, ())


def _of_pattern(store: ox.Store, operation: _Operation) -> Delta:
    where = operation.after("WHERE")
    gone, come = operation.after("DELETE"), operation.after("INSERT")
    if operation.words[:2] == ("DELETE", "WHERE"):
        gone = where
    if where is None or not _is_whole(operation):
        raise _UntoldError
    templates = f"{gone or ''} {come or ''}"
    names = sorted(set(_VARIABLE.findall(bare_code(templates))))
    rows = _answers(store, operation, names, where)
    head = f"{operation.prologue} {_clause(operation, 'WITH')}"
    removed = _filled(head, gone, names, rows) if gone else ()
    if any(b"_:" in line for line in removed):
        raise _UntoldError
    return Delta(removed, _filled(head, come, names, rows) if come else ())


def _is_whole(operation: _Operation) -> bool:
    """Tell whether an operation has the form WITH? DELETE? INSERT? USING* WHERE, and nothing else."""
    words = [word for word in operation.words if word.isalpha() or word in "{}"]
    return _FORM.fullmatch(" ".join(words)) is not None


def _clause(operation: _Operation, word: str) -> str:
    """Return a word with the name of a graph that follows it, as they stand in the text."""
    for token, after in zip(operation.tokens, _next_words(operation), strict=True):
        if token.word == word:
            return operation.sparql[token.start : after]
    return ""


def _next_words(operation: _Operation) -> list[int]:
    """Return for each token where the next keyword begins."""
    starts = [token.start for token in operation.tokens if token.word in {"DELETE", "INSERT", "USING", "WHERE"}]
    return [min((start for start in starts if start > token.start), default=token.start) for token in operation.tokens]


def _answers(store: ox.Store, operation: _Operation, names: Sequence[str], where: str) -> list[str]:
    """Ask the pattern and return its answers as rows of a VALUES block."""
    columns = " ".join(f"?{name}" for name in names) or f"(1 AS ?{_ANY})"
    using = [
        operation.sparql[token.start + len("USING") : after]
        for token, after in zip(operation.tokens, _next_words(operation), strict=True)
        if token.word == "USING"
    ]
    chosen = " ".join(f"FROM {graph}" for graph in using)
    sparql = f"{operation.prologue} SELECT {columns} {chosen} WHERE {where}"
    with_graph = None if using else _graph_of(operation)
    found = store.query(sparql, default_graph=[with_graph]) if with_graph else store.query(sparql)
    rows = []
    for solution in found:  # type: ignore[union-attr]
        terms = [solution[index] for index in range(len(names) or 1)]
        if any(isinstance(term, ox.BlankNode) for term in terms):
            raise _UntoldError
        rows.append(f"({' '.join('UNDEF' if term is None else str(term) for term in terms)})")
        if len(rows) > MOST_ANSWERS:
            raise _UntoldError
    return rows


def _graph_of(operation: _Operation) -> ox.NamedNode | None:
    """Return the graph that WITH names, whose name may be shortened."""
    clause = _clause(operation, "WITH")
    if not clause:
        return None
    scratch = ox.Store()
    name = clause[len("WITH") :]
    scratch.update(f"{operation.prologue} INSERT DATA {{ GRAPH {name} {{ <urn:a> <urn:b> <urn:c> }} }}")
    return next(graph for graph in scratch.named_graphs() if isinstance(graph, ox.NamedNode))


def _filled(head: str, template: str, names: Sequence[str], rows: Sequence[str]) -> tuple[bytes, ...]:
    """Return the quads of a template for all rows."""
    columns = " ".join(f"?{name}" for name in names) or f"?{_ANY}"
    lines = list[bytes]()
    for start in range(0, len(rows), _ANSWERS_AT_ONCE):
        values = "\n".join(rows[start : start + _ANSWERS_AT_ONCE])
        lines += _inserted(f"{head} INSERT {template} WHERE {{ VALUES ({columns}) {{ {values} }} }}")  # noqa: S608 - SPARQL
    return tuple(lines)


def _inserted(sparql: str) -> tuple[bytes, ...]:
    """Return the quads that an update puts into an empty store."""
    scratch = ox.Store()
    scratch.update(sparql)
    return tuple(split_lines(scratch.dump(format=_NQ) or b""))
