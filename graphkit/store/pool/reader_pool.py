"""Answer queries of people nobody knows from a pool of processes that may be killed."""

from __future__ import annotations

import logging
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol, runtime_checkable

from graphkit.errors import GraphkitError, LimitError, StoreError, UnknownNameError, UsageError
from graphkit.store.asking import Asking
from graphkit.store.base import Readable, Store, Version
from graphkit.store.embedded import EmbeddedStore
from graphkit.store.guard import check_query, query_form
from graphkit.store.pool.faults import death_of, fault_of, nobody_waits, too_long, too_slow
from graphkit.store.pool.generations import Generations
from graphkit.store.pool.processes import Died, Reader, Reply, TooLate
from graphkit.store.pool.questions import Answer, AnswerFile, Limits, Question, Running
from graphkit.store.pool.turns import Ticket, Turns
from graphkit.store.pool.wire import Kind, Task
from graphkit.store.pool.worker import cut_rows

__all__ = ["Answer", "Begun", "Limits", "Question", "ReaderPool", "Rewrite", "Running"]

Rewrite = Callable[[str], AbstractContextManager[str]]
"""Gives the text that runs in the place of a query, for as long as the block lasts."""

_LOOK_EVERY_SECONDS: Final = 1.0
_LEAST_SECONDS: Final = 0.05
_MOST_TRIES: Final = 3
_DIED_IDLE_SECONDS: Final = 1.0
_LONGEST_REMEMBERED: Final = 10_000
_log = logging.getLogger(__name__)


@runtime_checkable
class _Endpoint(Protocol):
    """A store that can be told how long to wait, and which graphs to ask."""

    def answer_in(
        self,
        sparql: str,
        media_type: str,
        seconds: float,
        *,
        default_graphs: tuple[str, ...] = (),
        named_graphs: tuple[str, ...] = (),
    ) -> bytes:
        """Answer any query form within some seconds."""


class ReaderPool:
    """Processes that answer questions about the versions of one store, within limits that hold.

    Nothing is started before the first question. A query that goes beyond its time is killed, one that breaks its
    process or takes all its memory is an error, and the pool goes on. `rewrite` may put another text in the place
    of a query for as long as it runs, such as one that calls other endpoints through a gate; that text is checked
    again. An endpoint limits itself: in front of one, only the waiting time, the length and the rows are bounded.
    """

    def __init__(self, store: Store, limits: Limits | None = None, rewrite: Rewrite | None = None) -> None:
        self.limits = limits or Limits()
        self._store, self._rewrite = store, rewrite
        self._turns = Turns(self.limits.readers)
        self._lock = threading.Lock()
        self._tickets: dict[Ticket, Reader | None] = {}
        self._looked = time.monotonic()
        self._generations: Generations | None = None
        if isinstance(store, EmbeddedStore):
            self._generations = Generations(store, self.limits.memory_bytes, self.limits.copy_bytes)
            self._ending = weakref.finalize(self, self._generations.close)

    def ask(self, question: Question, *, gone: threading.Event | None = None) -> Answer:
        """Answer a question; `gone` is set when nobody waits for the answer any more.

        Raises `QueryError` for a query that is malformed or refused, `LimitError` for one that went beyond a limit
        or was stopped, `UnknownNameError` for a version that is not kept.
        """
        started = time.monotonic()
        seconds, rows = self.limits.seconds_for(question), self.limits.rows_for(question)
        ticket = Ticket(question.id or uuid.uuid4().hex, question.client, question.sparql, started)
        with self._text(question.sparql) as text, self._registered(ticket), self._turns.turn(ticket, seconds, gone):
            if self._generations is None:
                return self._ask_endpoint(question, text, seconds, started)
            self._look()
            run = _Run(question, text, seconds, rows, ticket, gone)
            version, reply = self._ask_readers(self._generations, run)
        head = reply.head
        file = None if reply.file is None else AnswerFile(reply.file)
        return Answer(version, head.size, head.cut, time.monotonic() - started, reply.body, file)

    def begin(self, question: Question) -> Begun | None:
        """Begin a question about the newest version without waiting, for a caller that must not (an event loop).

        None where it would have to wait, for a turn or for a process, or where the query calls a service: then
        `ask` is the way. Raises `QueryError` for a query that is refused before it runs.
        """
        version = self._store.version
        simple = question.version is None and "service" not in question.sparql.lower()
        if self._generations is None or version is None or not simple:
            return None
        _check(question.sparql)
        now = time.monotonic()
        ticket = Ticket(question.id or uuid.uuid4().hex, question.client, question.sparql, now)
        if not self._turns.take(ticket):
            return None
        reader = self._generations.idle_reader(version.number)
        if reader is None:
            self._turns.leave(ticket)
            return None
        run = _Run(question, question.sparql, self.limits.seconds_for(question), self.limits.rows_for(question), ticket)
        with self._lock:
            self._tickets[ticket] = reader
        try:
            reader.send(self._task(run, run.seconds))
        except Died:
            self._put_away(run, reader, usable=False)
            return None
        return Begun(self, run, reader, version, now)

    def is_full(self, client: str) -> bool:
        """Tell whether `begin` would find no turn for a client now, rather than no process."""
        return self._turns.is_full(client)

    def _end(self, begun: Begun) -> Answer:
        """Read the answer to a question that `begin` sent off."""
        run, reader, usable = begun.run, begun.reader, False
        try:
            reply = reader.receive(time.monotonic() + _LEAST_SECONDS)
            usable = not reply.head.spent and reply.head.kind != Kind.LOST
            self._check_reply(reply)
        except TooLate as late:
            reader.kill()
            raise too_slow(run.seconds) from late
        except Died as death:
            if time.monotonic() - begun.started >= run.seconds:
                raise too_slow(run.seconds) from death
            if run.ticket.stopped:
                raise LimitError("the query was stopped", limit="stopped") from death
            raise death_of(death.words, self.limits) from death
        finally:
            self._put_away(run, reader, usable=usable and not run.ticket.stopped)
        head = reply.head
        file = None if reply.file is None else AnswerFile(reply.file)
        return Answer(begun.version, head.size, head.cut, time.monotonic() - begun.started, reply.body, file)

    def _put_away(self, run: _Run, reader: Reader, *, usable: bool) -> None:
        """Give back what `begin` took."""
        with self._lock:
            self._tickets.pop(run.ticket, None)
        if self._generations is not None:
            self._generations.give_back(reader, usable=usable)
        self._turns.leave(run.ticket)

    def view(
        self,
        client: str = "",
        *,
        version: int | None = None,
        gone: threading.Event | None = None,
        max_rows: int | None = None,
    ) -> Readable:
        """Return something to run stored queries on, whose every question goes through this pool."""
        return _View(self, client, version, gone, max_rows)

    def running(self) -> list[Running]:
        """List what runs or waits, the oldest first."""
        with self._lock:
            found = [
                Running(ticket.id, ticket.client, ticket.sparql, ticket.started, waits=not ticket.has_turn)
                for ticket in self._tickets
            ]
        return sorted(found, key=lambda each: each.started)

    def stop(self, id: str) -> bool:  # noqa: A002 - the protocol's word
        """End a query that runs or waits, whoever asked it; False where none has this id."""
        with self._lock:
            found = [ticket for ticket in self._tickets if ticket.id == id]
            for ticket in found:
                self._turns.drop(ticket)
                if (reader := self._tickets[ticket]) is not None:
                    reader.kill()
        return bool(found)

    @property
    def ready(self) -> bool:
        """Tell whether the newest version can be asked; the processes for it are started if there are none."""
        if self._generations is None:
            return True
        try:
            self._look()
            newest = self._store.version
            self._generations.prepare(newest.number if newest else 0, newest.quads if newest else 0)
        except GraphkitError as error:
            _log.warning("the newest version cannot be asked: %s", error)
            return False
        return True

    def close(self) -> None:
        """End all processes; what runs or waits is stopped, and nothing can be asked any more."""
        with self._lock:
            for ticket in self._tickets:
                self._turns.drop(ticket)
        if self._generations is not None:
            self._ending()

    # ---- Before the answer -----------------------------------------------------------------------

    @contextmanager
    def _text(self, sparql: str) -> Iterator[str]:
        """Give the checked text that is sent to the engine."""
        if self._rewrite is None:
            _check(sparql)
            yield sparql
            return
        with self._rewrite(sparql) as text:
            if text == sparql:
                _check(text)
            else:
                check_query(text, services=True)
            yield text

    @contextmanager
    def _registered(self, ticket: Ticket) -> Iterator[None]:
        with self._lock:
            self._tickets[ticket] = None
        try:
            yield
        finally:
            with self._lock:
                del self._tickets[ticket]

    def _look(self) -> None:
        """Let a folder that was opened for reading notice new versions, at most once a second."""
        now = time.monotonic()
        if now - self._looked > _LOOK_EVERY_SECONDS:
            self._looked = now
            self._store.refresh()

    def _version(self, number: int | None) -> tuple[Version | None, bool]:
        """Return the version that is asked for, and whether it is the newest."""
        if number is None:
            return self._store.version, True
        kept = {version.number: version for version in self._store.versions()}
        if number not in kept:
            numbers = ", ".join(map(str, kept)) or "none"
            raise UnknownNameError(
                f"there is no version {number}", where=self._store.location, hint=f"kept are: {numbers}"
            )
        return kept[number], number == max(kept)

    # ---- The answer ------------------------------------------------------------------------------

    def _ask_readers(self, generations: Generations, run: _Run) -> tuple[Version | None, Reply]:
        """Ask a reader; one that is found dead or without its files is replaced, twice at most."""
        left = run.seconds
        for again in range(_MOST_TRIES):
            last = again == _MOST_TRIES - 1
            version, reader = self._reader(generations, run.question.version)
            began = time.monotonic()
            try:
                reply = self._ask_one(generations, reader, run, max(left, _LEAST_SECONDS))
            except Died as death:
                left -= time.monotonic() - began
                if last or death.words or run.seconds - left > _DIED_IDLE_SECONDS:
                    raise death_of(death.words, self.limits) from death
            else:
                if last or reply.head.kind != Kind.LOST:
                    self._check_reply(reply)
                    break
        return version, reply

    def _check_reply(self, reply: Reply) -> None:
        fault = fault_of(reply, self.limits, self._store.location)
        if fault:
            raise fault

    def _reader(self, generations: Generations, number: int | None) -> tuple[Version | None, Reader]:
        """Get a reader of the version that is asked for; if that is dropped meanwhile, of the newest one."""
        while True:
            version, newest = self._version(number)
            kept = (version.number, version.quads) if version else (0, 0)
            try:
                return version, generations.reader(*kept, newest=newest)
            except StoreError:
                if version is None or version in self._store.versions():
                    raise

    def _ask_one(self, generations: Generations, reader: Reader, run: _Run, seconds: float) -> Reply:
        ticket, usable = run.ticket, False
        try:
            self._attach(ticket, reader)
            reply = reader.ask(self._task(run, seconds), run.gone)
            usable = not reply.head.spent and reply.head.kind != Kind.LOST
        except TooLate as late:
            reader.kill()
            raise (nobody_waits() if late.gone else too_slow(run.seconds)) from late
        except Died as death:
            if ticket.stopped:
                raise LimitError("the query was stopped", limit="stopped") from death
            raise
        finally:
            with self._lock:
                self._tickets[ticket] = None
            generations.give_back(reader, usable=usable and not ticket.stopped)
        return reply

    def _task(self, run: _Run, seconds: float) -> Task:
        graphs = run.question.default_graphs, run.question.named_graphs
        return Task(run.text, run.question.media_type, *graphs, seconds, self.limits.max_bytes, run.rows)

    def _attach(self, ticket: Ticket, reader: Reader) -> None:
        """Let `stop` find the reader of a question."""
        with self._lock:
            if ticket.stopped:
                raise LimitError("the query was stopped", limit="stopped")
            self._tickets[ticket] = reader

    def _ask_endpoint(self, question: Question, text: str, seconds: float, started: float) -> Answer:
        """Ask a store that is no process of ours, with the limits that can be had there."""
        if question.version is not None:
            raise UsageError("an endpoint keeps no versions", where=self._store.location, hint="ask without a version")
        rows = self.limits.rows_for(question)
        some = rows is not None and query_form(text) == "SELECT"
        try:
            data = self._from_endpoint(question, text, "tsv" if some else question.media_type, seconds)
        except StoreError as error:
            if time.monotonic() - started >= seconds:
                raise too_slow(seconds) from error
            raise
        cut = False
        if some and rows is not None:
            data, cut = cut_rows(data, question.media_type, rows)
        if len(data) > self.limits.max_bytes:
            raise too_long(self.limits.max_bytes)
        return Answer(None, len(data), cut, time.monotonic() - started, data)

    def _from_endpoint(self, question: Question, text: str, media_type: str, seconds: float) -> bytes:
        if isinstance(self._store, _Endpoint):
            graphs = question.default_graphs, question.named_graphs
            return self._store.answer_in(text, media_type, seconds, default_graphs=graphs[0], named_graphs=graphs[1])
        return self._store.answer(text, media_type)


@dataclass(frozen=True, slots=True)
class _Run:
    """What belongs to a question while it runs."""

    question: Question
    text: str
    seconds: float
    rows: int | None
    ticket: Ticket
    gone: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A question that runs: when its file can be read, or its time is over, `finish` must be called, once."""

    pool: ReaderPool
    run: _Run
    reader: Reader
    version: Version
    started: float

    @property
    def seconds(self) -> float:
        """The time that it may take."""
        return self.run.seconds

    def fileno(self) -> int:
        """Return the file that can be read when the answer is there."""
        return self.reader.fileno()

    def give_up(self) -> None:
        """End the query, because its time is over or nobody waits; `finish` is still to be called."""
        self.run.ticket.stopped = True
        self.reader.kill()

    def finish(self) -> Answer:
        """Return the answer, or raise what is wrong as `ReaderPool.ask` does."""
        return self.pool._end(self)  # noqa: SLF001 - its other half


class _View(Asking):
    """Answers as a store does, through a pool and within its limits."""

    def __init__(
        self, pool: ReaderPool, client: str, version: int | None, gone: threading.Event | None, max_rows: int | None
    ) -> None:
        self._pool, self._client, self._version, self._gone, self._max_rows = pool, client, version, gone, max_rows

    @property
    def whole(self) -> bool:
        """Whether every answer comes whole, and none is cut after so many rows."""
        return self._max_rows is None and self._pool.limits.max_rows is None

    def answer(self, sparql: str, media_type: str) -> bytes:
        """Answer any query form as the bytes of `media_type`."""
        question = Question(sparql, media_type, version=self._version, client=self._client, max_rows=self._max_rows)
        return self._pool.ask(question, gone=self._gone).data

    def close(self) -> None:
        """Do nothing: the pool goes on."""


def _check(sparql: str) -> None:
    """Check a query as it is asked; the last short ones that passed are remembered."""
    if len(sparql) > _LONGEST_REMEMBERED:
        check_query(sparql)
    else:
        _check_remembered(sparql)


@lru_cache(maxsize=256)
def _check_remembered(sparql: str) -> None:
    check_query(sparql)
