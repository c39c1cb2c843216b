"""Answers that are kept: equal questions about one version are answered once, and repeated requests at once.

There are two ways in. `Results.ask` is for threads that answer a request: it looks for the answer, joins an equal
question under way, or asks the pool. `Results.fast` is for the server's loop: it knows requests that were answered
before, byte for byte, and needs neither a thread nor Flask. Both share the same answers and one budget in bytes.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Protocol, TypeAlias

from graphkit.errors import GraphkitError
from graphkit.store import Version
from graphkit.store.guard import bare_code
from graphkit.store.pool.reader_pool import Answer, Question, ReaderPool
from webui.protocol.flights import Flight, Flights
from webui.serving.front import Ready
from webui.serving.packing import takes_gzip

__all__ = [
    "DECIDES_OTHERWISE",
    "Figures",
    "Given",
    "Held",
    "Key",
    "Request",
    "Results",
    "etag_of",
    "is_repeatable",
    "key_of",
]

_LARGEST_PART: Final = 8
_OVERHEAD: Final = 1_000
DECIDES_OTHERWISE: Final = ("accept-datetime", "if-modified-since", "if-match", "query-id", "range")
_CHANGING: Final = re.compile(r"(?<![\w?$:.-])(?:(?:RAND|NOW|UUID|STRUUID)\s*\(|SERVICE\b)", re.IGNORECASE)
_CHANGING_WORDS: Final = ("RAND", "NOW", "UUID", "SERVICE")
Request: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Key:
    """All that decides the bytes of an answer: the hash of the version, the query, the dataset, the form, the cap."""

    state: str
    sparql: str
    form: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An answer in memory, which can be read as often as one likes."""

    data: bytes
    version: Version | None
    cut: bool
    seconds: float

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes, in one piece."""
        yield self.data


Given: TypeAlias = Held | Answer
"""What a question is given: an answer in memory, or a long one that can be read once."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How the kept answers are used: `hits` in threads, `fast` in the loop, `joined` to an equal question under way."""

    entries: int
    bytes: int
    hits: int
    misses: int
    joined: int
    fast: int


class Headers(Protocol):
    """Request headers, as a server or a plain dictionary with names in small letters gives them."""

    def get(self, key: str, default: str, /) -> str | None:
        """Return one header."""


@dataclass(slots=True)
class _Kept:
    """An answer with its cost and the requests that are known to lead to it."""

    answer: Held
    cost: int
    requests: set[Request] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Known:
    """A response to a request; `number` is the version that must still be the newest, None for a pinned one.

    `short` is the same in gzip, once it was made in a thread; None also where `ready` is as short as can be.
    """

    key: Key
    number: int | None
    etag: str
    ready: Ready
    cost: int
    short: Ready | None = None


def key_of(question: Question, version: Version) -> Key:
    """Return what decides the bytes of the answer to `question` about `version`."""
    return Key(
        version.hash,
        question.sparql,
        question.media_type,
        question.default_graphs,
        question.named_graphs,
        question.max_rows,
    )


def etag_of(key: Key, content_type: str) -> str:
    """Return the entity tag of an answer, which can be told before the query runs."""
    parts = (key.state, key.sparql, key.form, repr(key.default_graphs), repr(key.named_graphs), repr(key.rows))
    return sha256("\x00".join((*parts, content_type)).encode()).hexdigest()[:32]


def is_repeatable(sparql: str) -> bool:
    """Tell whether the same query always has the same answer: no chance, no clock, no other server in it.

    >>> is_repeatable("SELECT (NOW() AS ?t) {}"), is_repeatable("SELECT ?now { ?now ?p 'RAND()' }")
    (False, True)
    """
    upper = sparql.upper()
    return not any(word in upper for word in _CHANGING_WORDS) or _CHANGING.search(bare_code(sparql)) is None


class Results:
    """Whole answers, the least recently used thrown away first; safe to use from several threads.

    `most_bytes` bounds all together (0 keeps none); an answer of more than an eighth of it is not kept. `newest`
    tells the number of the newest version, and must be quick: it is called for every repeated request.
    """

    def __init__(self, pool: ReaderPool, newest: Callable[[], int | None], most_bytes: int) -> None:
        self._pool, self._newest, self._most = pool, newest, most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._known: dict[Request, _Known] = {}
        self._flights: Flights[tuple[Key, float | None], Held] = Flights()
        self._bytes = self._hits = self._misses = self._joined = self._fast = 0
        self.told: Callable[[Request, Key, int | None, Ready], None] | None = None

    # ---- In a thread ---------------------------------------------------------------------------

    def ask(self, question: Question, version: Version | None, *, gone: threading.Event | None = None) -> Given:
        """Answer a question about `version`: from what is kept, with an equal question under way, or from the pool.

        Without a version (an endpoint keeps none), or where the answer changes by itself, the pool is asked each
        time. Raises what the pool raises.
        """
        if version is None or not is_repeatable(question.sparql):
            return self._pool.ask(question, gone=gone)
        key = key_of(question, version)
        while True:
            if kept := self._find(key):
                return kept
            flight, leads = self._flights.board((key, question.seconds))
            self._count(joined=not leads)
            if leads:
                return self._lead(flight, key, question, gone)
            if answer := self._flights.follow(flight, question.id, gone):
                return answer
            if flight.too_long:
                return self._pool.ask(question, gone=gone)

    def stop(self, id: str) -> bool:  # noqa: A002 - the protocol's word
        """End a question, also one that waits for an equal one; False where none has this id."""
        return self._flights.stop(id) or self._pool.stop(id)

    def figures(self) -> Figures:
        """Return how the answers are used."""
        with self._lock:
            return Figures(len(self._kept), self._bytes, self._hits, self._misses, self._joined, self._fast)

    def _find(self, key: Key) -> Held | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept.move_to_end(key)
            self._hits += 1
            return kept.answer

    def _count(self, *, joined: bool) -> None:
        with self._lock:
            self._joined += joined
            self._misses += not joined

    def _lead(self, flight: Flight[Held], key: Key, question: Question, gone: threading.Event | None) -> Given:
        try:
            answer = self._pool.ask(question, gone=gone)
            if answer.size > self._most // _LARGEST_PART:
                flight.too_long = True
                return answer
            flight.answer = Held(answer.data, answer.version, answer.cut, answer.seconds)
            self._keep(question, flight.answer)
        except GraphkitError as error:
            flight.error = error
            raise
        finally:
            self._flights.land((key, question.seconds))
        return flight.answer

    def _keep(self, question: Question, answer: Held) -> None:
        """Keep a whole answer, under the version that it was really given on."""
        if answer.version is None or answer.cut:
            return
        key = key_of(question, answer.version)
        cost = answer.size + len(question.sparql) * 2 + _OVERHEAD
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _Kept(answer, cost)
                self._bytes += cost
            self._shrink()

    def _shrink(self) -> None:
        """Throw away what was not used for longest, with the requests that lead to it."""
        while self._bytes > self._most and self._kept:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.cost
            for known in oldest.requests:
                self._known.pop(known, None)

    # ---- In the server's loop ------------------------------------------------------------------

    def fast(self, method: str, path: str, query: str, headers: Headers) -> Ready | None:
        """Answer a GET request that was answered before, or return None; from memory, without waiting.

        `query` is the query string as it came. A request is known by its path, query string and the headers Accept
        and Host; one that asks by other headers for something else is left to the application.
        """
        if method != "GET":
            return None
        asked = (path, query, headers.get("accept", "") or "", headers.get("host", "") or "")
        known = self._known.get(asked)
        if known is None or (known.number is not None and known.number != self._present()):
            return None
        if any(headers.get(name, "") for name in DECIDES_OTHERWISE):
            return None
        packs = takes_gzip(headers.get("accept-encoding", "") or "")
        if packs and known.short is None and known.ready.shrinks:
            return None
        with self._lock:
            if known.key in self._kept:
                self._kept.move_to_end(known.key)
            self._fast += 1
        held = headers.get("if-none-match", "")
        if held and known.etag in held:
            return _unchanged(known)
        return known.short if packs and known.short else known.ready

    def learn(
        self, asked: Request, key: Key, number: int | None, ready: Ready, etag: str, short: Ready | None = None
    ) -> None:
        """Remember the response to a request whose answer is kept; `number` is None where it never changes."""
        cost = sum(map(len, asked)) + sum(len(name) + len(value) for name, value in ready.headers) + _OVERHEAD
        cost += len(short.body) if short else 0
        with self._lock:
            self._forget(asked)
            kept = self._kept.get(key)
            if kept is None:
                return
            kept.requests.add(asked)
            kept.cost += cost
            self._bytes += cost
            self._known[asked] = _Known(key, number, f'"{etag}"', ready, cost, short)
            self._shrink()

    def take(self, question: Question, answer: Answer, asked: Request, ready: Ready, etag: str) -> bool:
        """Keep an answer that was got elsewhere, with the request that led to it; tell whether it is kept."""
        self._count(joined=False)
        if answer.version is None or answer.size > self._most // _LARGEST_PART:
            return False
        self._keep(question, Held(ready.body, answer.version, answer.cut, answer.seconds))
        self.learn(asked, key_of(question, answer.version), answer.version.number, ready, etag)
        return True

    def _forget(self, asked: Request) -> None:
        """Take a request away from the answer that it led to until now."""
        known = self._known.pop(asked, None)
        kept = self._kept.get(known.key) if known else None
        if known and kept:
            kept.requests.discard(asked)
            kept.cost -= known.cost
            self._bytes -= known.cost

    def _present(self) -> int | None:
        """Return the number of the newest version, or one that no version has where the store is closed."""
        try:
            return self._newest()
        except GraphkitError:
            return -1


def _unchanged(known: _Known) -> Ready:
    """Return the 304 that says that the client holds the present answer (RFC 9110, 15.4.5)."""
    left_out = {"content-length", "content-type", "content-disposition"}
    return Ready(304, [pair for pair in known.ready.headers if pair[0].lower() not in left_out], b"")
