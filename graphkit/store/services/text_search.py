"""Answer the one kind of query that the internal search endpoint takes, without running it in an engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import pyoxigraph as ox

from graphkit.errors import QueryError
from graphkit.store.services.outward import ACCEPTED, Reply

__all__ = ["LABEL", "MATCHED", "MATCHES", "MOST_HITS", "SCORE", "SEARCH", "Found", "Search", "answer_search"]

SEARCH: Final = "https://w3id.org/solidarity-graph/search"
"""The endpoint that a query names to search texts: SERVICE <…/search> { ?thing search:matches "words" }."""
MATCHES: Final = f"{SEARCH}#matches"
SCORE: Final = f"{SEARCH}#score"
MATCHED: Final = f"{SEARCH}#matched"
LABEL: Final = "http://www.w3.org/2000/01/rdf-schema#label"
MOST_HITS: Final = 100

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_TERM: Final = r'\?\w+|<[^<>"{}|^`\\\x00-\x20]*>|"(?:[^"\\\n\r]|\\.)*"(?:@[A-Za-z0-9-]+|\^\^<[^<>"{}|^`\\\x00-\x20]*>)?'
_TRIPLE: Final = re.compile(rf"({_TERM})\s+({_TERM})\s+({_TERM})\s+\.\s*")
_QUERY: Final = re.compile(r"SELECT \* WHERE \{\s*(?P<triples>.*?)\s*\}\s*", re.DOTALL)
_EXAMPLE: Final = (
    'write SERVICE <…/search> { ?thing search:matches "words" ; search:score ?score } and all else outside of it'
)


class Found(Protocol):
    """What a search finds: a thing, its label, the text of it that fits, and how well from 0 to 1."""

    @property
    def iri(self) -> str:
        """The thing."""

    @property
    def label(self) -> str:
        """Its name."""

    @property
    def matched(self) -> str:
        """The name by which it was found."""

    @property
    def score(self) -> float:
        """How well that fits, from 0 to 1."""


Search: TypeAlias = Callable[[str, int], Iterable[Found]]
"""Finds what is called like some words, at most so many, best first."""
_Row: TypeAlias = "dict[str, dict[str, str]]"


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a query wants to know: of which thing, for which words, and each property under which variable."""

    subject: str
    words: str
    variables: Mapping[str, str]


def answer_search(sparql: str, search: Search) -> Reply:
    """Answer a search as SPARQL results in JSON, one solution for each hit.

    The query must be one group of triples about one subject, as the engine writes the inside of a SERVICE group:
    exactly one `search:matches` with a text, and at most once each `search:score`, `search:matched` and `rdfs:label`
    with a variable of their own. Anything else is a `QueryError`: it is not evaluated, so that no query can keep the
    server busy from in here.
    """
    wish = _read(sparql)
    subject = [wish.subject[1:]] if wish.subject.startswith("?") else []
    rows = [_row(wish, hit) for hit in search(wish.words, MOST_HITS) if subject or wish.subject == f"<{hit.iri}>"]
    answer = {"head": {"vars": [*subject, *wish.variables.values()]}, "results": {"bindings": rows}}
    return Reply(ACCEPTED[0], json.dumps(answer).encode())


def _row(wish: _Wish, hit: Found) -> _Row:
    """Write a hit as one solution."""
    values = {
        SCORE: {"type": "literal", "value": f"{hit.score:.4f}", "datatype": _XSD + "decimal"},
        MATCHED: {"type": "literal", "value": hit.matched},
        LABEL: {"type": "literal", "value": hit.label},
    }
    row = {variable: values[name] for name, variable in wish.variables.items()}
    return row | ({wish.subject[1:]: {"type": "uri", "value": hit.iri}} if wish.subject.startswith("?") else {})


def _read(sparql: str) -> _Wish:
    """Read the query, and refuse it where it is not of the one kind."""
    subjects, words, variables = set[str](), list[str](), dict[str, str]()
    for subject, name, value in _triples(sparql):
        subjects.add(subject)
        if name == f"<{MATCHES}>":
            words.append(_text(value))
        elif name not in {f"<{each}>" for each in (SCORE, MATCHED, LABEL)} or not value.startswith("?"):
            raise _refusal(f"the search does not understand {name} {value}")
        elif name[1:-1] in variables or value[1:] in variables.values() or value in subjects:
            raise _refusal("the search takes each property once, with a variable of its own")
        else:
            variables[name[1:-1]] = value[1:]
    if len(subjects) != 1 or len(words) != 1:
        raise _refusal("the search takes one search:matches for one thing")
    (subject,) = subjects
    if subject[1:] in variables.values() or subject.startswith('"'):
        raise _refusal("the search takes each property once, with a variable of its own")
    return _Wish(subject, words[0], variables)


def _triples(sparql: str) -> Iterable[tuple[str, str, str]]:
    """Take the triples of the group apart; nothing may stand between them."""
    group = _QUERY.fullmatch(sparql)
    text, place = group["triples"] + " " if group else "", 0
    while found := _TRIPLE.match(text, place):
        yield found[1], found[2], found[3]
        place = found.end()
    if not group or place < len(text.rstrip()):
        raise _refusal("the search takes triples only, and no filter, option or group")


def _text(term: str) -> str:
    """Return the words of a literal."""
    if not term.startswith('"'):
        raise _refusal("the words to search for must be written out as a text")
    try:
        (statement,) = ox.parse(f"<urn:s> <urn:p> {term} .", format=ox.RdfFormat.N_TRIPLES)
    except (SyntaxError, ValueError) as error:
        raise _refusal("the words to search for cannot be read") from error
    return str(statement.object.value)


def _refusal(why: str) -> QueryError:
    return QueryError(why, where=f"SERVICE <{SEARCH}>", hint=_EXAMPLE)
