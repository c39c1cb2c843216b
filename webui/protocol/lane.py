"""The quick lane: queries that are answered in the server's loop, without a thread and without Flask.

The response to a plain query differs from another of its sort (the same Accept, Host, format and form of query) in
its body, its length, its entity tag and the links that hold its text, and in nothing else. So the application answers
the first of a sort, and its headers are the pattern for those that follow on the same version. Whatever is not plain
goes the whole way: other parameters, conditional requests, errors, queries for which no process is free.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

from werkzeug.exceptions import HTTPException

from graphkit.errors import GraphkitError
from graphkit.store.guard import query_form
from graphkit.store.pool.reader_pool import Begun, Question, ReaderPool
from webui.protocol.fields import address_of, pairs_of
from webui.protocol.results import DECIDES_OTHERWISE, Key, Request, Results, etag_of, is_repeatable, key_of
from webui.protocol.results import Headers as Given
from webui.serving.front import Headers, Ready
from webui.serving.packing import packed, takes_gzip

__all__ = ["Lane", "Plan", "Trip"]

_PATH: Final = "/sparql"
_MOST_PATTERNS: Final = 256
_PLAIN: Final = frozenset({"query", "format"})
_LONGEST_ADDRESS: Final = 1_400
_PACKED_IN_THE_LOOP: Final = 32_768
_NOT_PLAIN: Final = (*DECIDES_OTHERWISE, "if-none-match", "x-forwarded-prefix", "x-forwarded-host")


@dataclass(frozen=True, slots=True)
class _Sort:
    """What the headers of a response follow from, beside the version and the text of the query."""

    accept: str
    host: str
    format: str
    form: str


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The headers of a response on one version; `address` is what they say in the place of the present query's."""

    number: int
    suffix: str
    content_type: str
    address: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class Plan:
    """A plain query, with what its response will need."""

    question: Question
    pattern: _Pattern
    address: str
    asked: Request
    packs: bool


@dataclass(frozen=True, slots=True)
class Trip:
    """A query that runs in the lane."""

    begun: Begun
    plan: Plan


class Lane:
    """Begins plain queries, and makes their responses after the patterns that it has seen."""

    def __init__(self, pool: ReaderPool, results: Results) -> None:
        self._pool, self._results = pool, results
        self._patterns: dict[_Sort, _Pattern] = {}
        results.told = self.learn

    def learn(self, asked: Request, key: Key, number: int | None, ready: Ready) -> None:
        """See the response to a request that the application answered on version `number`."""
        path, query, accept, host = asked
        read = _read(query)
        if path != _PATH or number is None or read is None or key.rows is not None:
            return
        pairs, format_ = read
        address, headers = address_of(_PATH, pairs), [(name.lower(), value) for name, value in ready.headers]
        if not any(address in value for _, value in headers):
            return
        if len(self._patterns) >= _MOST_PATTERNS:
            self._patterns.clear()
        sort = _Sort(accept, host, format_, query_form(key.sparql))
        kind = dict(headers)["content-type"]
        self._patterns[sort] = _Pattern(number, key.form, kind, address, headers)

    def plan(self, path: str, query: str, headers: Given, client: str) -> Plan | None:
        """Return how a GET request can be answered here, or None where it has to go the whole way."""
        if path != _PATH or not self._patterns or any(headers.get(name, "") for name in _NOT_PLAIN):
            return None
        read = _read(query)
        if read is None:
            return None
        pairs, format_ = read
        text, address = dict(pairs)["query"], address_of(_PATH, pairs)
        accept, host = headers.get("accept", "") or "", headers.get("host", "") or ""
        pattern = self._patterns.get(_Sort(accept, host, format_, query_form(text)))
        if pattern is None or len(address) > _LONGEST_ADDRESS or not is_repeatable(text):
            return None
        question = Question(text, pattern.suffix, client=client, id=token_hex(16))
        packs = takes_gzip(headers.get("accept-encoding", "") or "")
        return Plan(question, pattern, address, (path, query, accept, host), packs)

    def begin(self, plan: Plan) -> Trip | None:
        """Begin a query, or return None where no process is free for it; raises `GraphkitError` where it is refused."""
        begun = self._begun(plan.question, plan.pattern.number)
        return Trip(begun, plan) if begun else None

    def is_full(self, plan: Plan) -> bool:
        """Tell whether it would help to wait until another query ends."""
        return self._pool.is_full(plan.question.client)

    def _begun(self, question: Question, number: int) -> Begun | None:
        """Begin a question on the version of that number; the pool may have gone on to the next."""
        begun = self._pool.begin(question)
        if begun is None or begun.version.number == number:
            return begun
        begun.give_up()
        with suppress(GraphkitError):
            begun.finish()
        return None

    def end(self, trip: Trip) -> Ready | None:
        """Make the response to a query whose answer is there.

        None where it goes the whole way: one that was cut, which is said there, and a long one that is kept and is to
        be packed, which takes a thread. Raises `GraphkitError` for what went wrong.
        """
        answer = trip.begun.finish()
        if answer.cut or answer.version is None:
            return None
        plan, data = trip.plan, answer.data
        key, pattern = key_of(plan.question, answer.version), plan.pattern
        etag = etag_of(key, pattern.content_type)
        own = {"etag": f'"{etag}"', "content-length": str(len(data))}
        headers = [
            (name, own.get(name) or value.replace(pattern.address, plan.address)) for name, value in pattern.headers
        ]
        kept = self._results.take(plan.question, answer, plan.asked, Ready(200, headers, data), etag)
        headers.append(("query-id", plan.question.id))
        if not plan.packs:
            return Ready(200, headers, data)
        if kept and len(data) > _PACKED_IN_THE_LOOP:
            return None
        return Ready(200, *packed(headers, data, "gzip"))


def _read(query: str) -> tuple[list[tuple[str, str]], str] | None:
    """Read the parameters of a plain query, and its format; None for any other."""
    try:
        pairs = pairs_of(query.encode("latin-1"), "the address")
    except (HTTPException, UnicodeEncodeError):
        return None
    names = [name for name, _ in pairs]
    if not _PLAIN.issuperset(names) or names.count("query") != 1 or len(names) != len(set(names)):
        return None
    return pairs, dict(pairs).get("format", "")
