"""Find the SERVICE calls of a query, so certainly that what is put in their place is all that the engine can call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from graphkit.errors import QueryError
from graphkit.store.guard import bare_code, check_query, keyword_places

__all__ = ["MOST_CALLS", "Call", "find_calls", "with_endpoints"]

MOST_CALLS: Final = 10
"""How many SERVICE groups one query may have."""

_IRI: Final = r'<(?P<iri>[^<>"{}|^`\\\x00-\x20]*)>'
_BEFORE: Final = re.compile(r"[\w?$@:.%\\-]")
_NAME: Final = r"(?P<prefix>[^\W\d_][\w-]*|):(?P<local>[\w-]*)"
_CALL: Final = re.compile(
    rf"SERVICE(?P<silent>[ \t\r\n]+SILENT)?(?P<target>[ \t\r\n]*{_IRI}|[ \t\r\n]+{_NAME})(?=[ \t\r\n{{#])",
    re.IGNORECASE,
)
_VARIABLE: Final = re.compile(r"SERVICE(?:\s+SILENT)?\s*[?$]", re.IGNORECASE)
_PREFIX: Final = re.compile(rf"PREFIX[ \t\r\n]+(?P<prefix>[\w.-]*):[ \t\r\n]*{_IRI}", re.IGNORECASE)
_HINT: Final = "write SERVICE <https://…> { … } with the full address, without a comment in between"


@dataclass(frozen=True, slots=True)
class Call:
    """One SERVICE of a query: the endpoint that it names, whether it may fail unheard, and where its parts stand."""

    endpoint: str
    silent: bool
    keyword: int
    start: int
    end: int


def find_calls(sparql: str) -> tuple[Call, ...]:
    """Return the SERVICE calls of a query in their order, and refuse the query if anything about them is in doubt.

    The endpoint must be a full IRI, or a prefixed name whose prefix the query declares once. Raises `QueryError` for
    a variable, for a call inside a call, for more than ten, and wherever `check_query` finds fault with the rest of
    the text: so nothing that is left of it can be a call.

    >>> [call.endpoint for call in find_calls("SELECT * { SERVICE <https://example.org/sparql> { ?s ?p ?o } }")]
    ['https://example.org/sparql']
    """
    places = keyword_places(sparql, "SERVICE") if "service" in sparql.lower() else []
    if not places:
        _check_remembered(sparql)
        return ()
    if len(places) > MOST_CALLS:
        raise QueryError(f"the query has more than {MOST_CALLS} SERVICE groups", hint="split it into smaller queries")
    code = bare_code(sparql)
    calls = tuple(_read(sparql, code, place) for place in places)
    check_query(_without(sparql, calls))
    _refuse_nested(code, calls)
    return calls


@lru_cache(maxsize=256)
def _check_remembered(sparql: str) -> None:
    """Check a query without calls; the last ones that passed are remembered."""
    check_query(sparql)


def with_endpoints(sparql: str, calls: Sequence[Call], addresses: Sequence[str]) -> str:
    """Return the query with another address in the place of each call's endpoint."""
    for call, address in sorted(zip(calls, addresses, strict=True), key=lambda pair: -pair[0].start):
        sparql = f"{sparql[: call.start]}<{address}>{sparql[call.end :]}"
    return sparql


def _read(sparql: str, code: str, place: int) -> Call:
    """Read the call whose keyword stands at `place`."""
    found = _CALL.match(sparql, place)
    if _VARIABLE.match(sparql, place):
        raise QueryError("SERVICE is not allowed with a variable: the endpoint must be written out", hint=_HINT)
    if (
        not found
        or _BEFORE.match(sparql[max(place - 1, 0) : place])
        or not code[found.end() :].lstrip().startswith("{")
    ):
        raise QueryError("SERVICE is not allowed here: it cannot be told for certain what it calls", hint=_HINT)
    text = found["target"]
    start = found.end() - len(text.lstrip())
    endpoint = found["iri"] if found["iri"] is not None else _expanded(sparql, found["prefix"], found["local"])
    return Call(endpoint, found["silent"] is not None, place, start, found.end())


def _expanded(sparql: str, prefix: str, local: str) -> str:
    """Write a prefixed name out; the prefix must be declared once."""
    spaces = [space for name, space in _declared(sparql) if name == prefix]
    if len(spaces) != 1:
        times = "not" if not spaces else "more than once"
        raise QueryError(f"SERVICE is not allowed here: the prefix '{prefix}:' is {times} declared", hint=_HINT)
    return spaces[0] + local


def _declared(sparql: str) -> Iterator[tuple[str, str]]:
    for place in keyword_places(sparql, "PREFIX"):
        if found := _PREFIX.match(sparql, place):
            yield found["prefix"], found["iri"]


def _without(sparql: str, calls: Sequence[Call]) -> str:
    """Blank out the calls, each from its keyword to the end of its endpoint."""
    for call in calls:
        sparql = sparql[: call.keyword] + " " * (call.end - call.keyword) + sparql[call.end :]
    return sparql


def _refuse_nested(code: str, calls: Sequence[Call]) -> None:
    """Refuse a call inside the group of another: the other endpoint would be told our inner addresses."""
    ends = {call.keyword: _group_end(code, call.end) for call in calls}
    for keyword, end in ends.items():
        if any(keyword < other < end for other in ends):
            raise QueryError(
                "SERVICE is not allowed inside the group of another SERVICE", hint="put the two groups side by side"
            )


def _group_end(code: str, place: int) -> int:
    """Return where the group ends that is opened after `place`."""
    depth = 0
    for found in re.compile(r"[{}]").finditer(code, place):
        depth += 1 if found[0] == "{" else -1
        if depth <= 0:
            return found.start()
    return len(code)
