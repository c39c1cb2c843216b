"""Whose turn it is: few questions run at once, and nobody who asks much keeps the others waiting."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from graphkit.errors import LimitError

__all__ = ["Ticket", "Turns"]

MOST_WAITING_OF_ONE: Final = 64
MOST_WAITING: Final = 512
_LOOK_EVERY_SECONDS: Final = 0.1
_COME_BACK: Final = "try again in a few seconds"


@dataclass(eq=False, slots=True)
class Ticket:
    """The place of one question in the queue; `called` is set when its turn has come or it need not wait longer."""

    id: str
    client: str
    sparql: str
    started: float
    stopped: bool = False
    called: threading.Event | None = None
    has_turn: bool = field(default=False)


class Turns:
    """Lets `most` questions run at once, the clients in rotation.

    Where more than one may run, no client has all turns, so that a second one need not wait for the first. At most
    64 questions of one client wait and 512 of all.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._most_of_one = max(1, most - 1)
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._count = 0

    @contextmanager
    def turn(self, ticket: Ticket, seconds: float, gone: threading.Event | None) -> Iterator[None]:
        """Wait for the ticket's turn, at most some seconds, and give the turn back at the end of the block.

        Raises `LimitError` of the kind "turn" where too many wait or the turn does not come in time, and "stopped"
        where the ticket is dropped or `gone` is set.
        """
        self._enter(ticket)
        try:
            if not ticket.has_turn:
                self._wait(ticket, time.monotonic() + seconds, gone)
            yield
        finally:
            self.leave(ticket)

    def take(self, ticket: Ticket) -> bool:
        """Give the ticket its turn if one is free at once; who gets one gives it back with `leave`.

        Nobody is passed by: while a turn is free, all that wait are of clients that have as many as one may have.
        """
        with self._lock:
            if self._is_full(ticket.client):
                return False
            self._give(ticket)
            return True

    def is_full(self, client: str) -> bool:
        """Tell whether a client would have to wait for a turn now."""
        with self._lock:
            return self._is_full(client)

    def _is_full(self, client: str) -> bool:
        return not self._free or self._running[client] >= self._most_of_one

    def drop(self, ticket: Ticket) -> None:
        """Let a ticket wait no longer."""
        ticket.stopped = True
        if ticket.called is not None:
            ticket.called.set()

    def _enter(self, ticket: Ticket) -> None:
        with self._lock:
            if not self._is_full(ticket.client):
                self._give(ticket)
                return
            line = self._waiting.get(ticket.client, ())
            if len(line) >= MOST_WAITING_OF_ONE or self._count >= MOST_WAITING:
                raise LimitError("too many queries are waiting for their turn", limit="turn", hint=_COME_BACK)
            ticket.called = threading.Event()
            self._waiting.setdefault(ticket.client, deque()).append(ticket)
            self._count += 1

    def _wait(self, ticket: Ticket, deadline: float, gone: threading.Event | None) -> None:
        called = ticket.called or threading.Event()
        while not called.wait(max(0.0, min(_LOOK_EVERY_SECONDS if gone else deadline, deadline - time.monotonic()))):
            if gone is not None and gone.is_set():
                raise LimitError("nobody waits for the answer any more", limit="stopped")
            if time.monotonic() >= deadline:
                raise LimitError("the turn of the query did not come in time", limit="turn", hint=_COME_BACK)
        if ticket.stopped:
            raise LimitError("the query was stopped", limit="stopped")

    def leave(self, ticket: Ticket) -> None:
        """Give a turn back, or the place in the queue."""
        with self._lock:
            if ticket.has_turn:
                self._take_back(ticket)
            elif ticket in (line := self._waiting.get(ticket.client, deque())):
                line.remove(ticket)
                self._count -= 1
            while self._free and (following := self._next()) is not None:
                self._give(following)

    def _next(self) -> Ticket | None:
        """Take the first ticket of the next client that may run one more; that client goes to the end."""
        for client, line in list(self._waiting.items()):
            if not line:
                del self._waiting[client]
            elif self._running[client] < self._most_of_one:
                self._waiting.move_to_end(client)
                self._count -= 1
                return line.popleft()
        return None

    def _give(self, ticket: Ticket) -> None:
        self._free -= 1
        self._running[ticket.client] += 1
        ticket.has_turn = True
        if ticket.called is not None:
            ticket.called.set()

    def _take_back(self, ticket: Ticket) -> None:
        self._free += 1
        self._running[ticket.client] -= 1
        if not self._running[ticket.client]:
            del self._running[ticket.client]
        ticket.has_turn = False
