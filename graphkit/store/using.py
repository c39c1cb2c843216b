"""Give the operations of an update the dataset that the request names: USING clauses put where they belong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from graphkit.errors import QueryError
from graphkit.store.formats import graph_name
from graphkit.store.guard import bare_code

__all__ = ["Token", "outer_tokens", "with_dataset"]

_TOKEN: Final = re.compile(r"[?$]\w+|[\w:%@][\w:%.-]*|\S")
_CHOOSING: Final = ("USING", "WITH")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign of an update in capitals, and where it begins."""

    word: str
    start: int


def with_dataset(sparql: str, using: Sequence[str] = (), using_named: Sequence[str] = ()) -> str:
    """Return the update with `USING` and `USING NAMED` clauses in each operation that has a pattern.

    This is what the parameters `using-graph-uri` and `using-named-graph-uri` of the SPARQL 1.1 Protocol (section
    2.2.3) ask for: the graphs replace the dataset of every WHERE. `DELETE WHERE {…}`, whose grammar has no place
    for USING, becomes `DELETE {…} USING … WHERE {…}`, which means the same. Without any graph the text returns as
    it is. Raises `QueryError` where the update itself says USING or WITH, which the protocol forbids, and
    `UsageError` where a name is no absolute IRI.

    >>> with_dataset("DELETE WHERE { ?s ?p ?o }", using=["urn:g"])
    'DELETE { ?s ?p ?o } USING <urn:g> WHERE { ?s ?p ?o }'
    """
    clauses = [f"USING {graph_name(iri)} " for iri in using]
    clauses += [f"USING NAMED {graph_name(iri)} " for iri in using_named]
    if not clauses:
        return sparql
    tokens = list(outer_tokens(bare_code(sparql)))
    _refuse_choice(tokens)
    return _inserted(sparql, tokens, "".join(clauses))


def outer_tokens(code: str) -> Iterator[Token]:
    """Yield the tokens outside all braces, and the outermost braces themselves."""
    depth = 0
    for found in _TOKEN.finditer(code):
        text = found[0]
        depth -= text == "}"
        if depth < 0:
            raise _unbalanced()
        if depth == 0:
            yield Token(text.upper(), found.start())
        depth += text == "{"
    if depth:
        raise _unbalanced()


def _refuse_choice(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.word in _CHOOSING:
            raise QueryError(
                f"the update says {token.word}, and the request names graphs with using-graph-uri or "
                "using-named-graph-uri: the dataset may be chosen in one place only",
                hint=f"leave out the parameters, or the {token.word} of the update",
            )


def _inserted(sparql: str, tokens: Sequence[Token], clauses: str) -> str:
    """Put the clauses before each WHERE; a `DELETE WHERE` gets its pattern as a template too."""
    parts, done = [], 0
    for index, token in enumerate(tokens):
        if token.word != "WHERE" or index == 0:
            continue
        parts.append(sparql[done : token.start])
        if tokens[index - 1].word == "DELETE":
            parts.append(_pattern(sparql, tokens, index) + " ")
        parts.append(clauses)
        done = token.start
    return "".join([*parts, sparql[done:]])


def _pattern(sparql: str, tokens: Sequence[Token], where: int) -> str:
    """Return the group after a WHERE with its braces."""
    braces = tokens[where + 1 : where + 3]
    if [brace.word for brace in braces] != ["{", "}"]:
        raise _unbalanced()
    return sparql[braces[0].start : braces[1].start + 1]


def _unbalanced() -> QueryError:
    return QueryError(
        "the update cannot be read: its braces do not match",
        hint="close each { with a }; write a blank after each < that compares",
    )
