"""Questions under way: who asks what another asks already waits for that answer, and may be stopped alone."""

from __future__ import annotations

import threading
from typing import Final, Generic, TypeVar

from graphkit.errors import GraphkitError, LimitError

__all__ = ["Flight", "Flights"]

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")

_POLL_SECONDS: Final = 0.1
_OF_ITS_OWN: Final = frozenset({"stopped", "turn"})


class Flight(Generic[_Answer]):
    """One question under way; who leads it sets the `answer`, or the `error`, or that it is `too_long` to share."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.answer: _Answer | None = None
        self.error: GraphkitError | None = None
        self.too_long = False


class Flights(Generic[_Key, _Answer]):
    """All questions under way, by what makes them equal; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[_Key, Flight[_Answer]] = {}
        self._stops: dict[str, threading.Event] = {}

    def board(self, key: _Key) -> tuple[Flight[_Answer], bool]:
        """Return the flight of a question, and whether the caller leads it, who must then `land` it."""
        with self._lock:
            leads = key not in self._flights
            return self._flights.setdefault(key, Flight()), leads

    def land(self, key: _Key) -> None:
        """End a flight: those who wait go on, and the next one asks anew."""
        with self._lock:
            flight = self._flights.pop(key)
        flight.done.set()

    def follow(self, flight: Flight[_Answer], id: str, gone: threading.Event | None) -> _Answer | None:  # noqa: A002
        """Wait for the one who leads, and raise the error that was met.

        None where there is nothing to share: the answer is too long, or the one who leads was ended for itself.
        Raises `LimitError` where the one who waits, known by its `id`, is stopped or has `gone` away.
        """
        stop = threading.Event()
        with self._lock:
            self._stops[id] = stop
        try:
            while not flight.done.wait(_POLL_SECONDS):
                if stop.is_set() or (gone and gone.is_set()):
                    raise LimitError("the query was stopped", limit="stopped")
        finally:
            with self._lock:
                self._stops.pop(id, None)
        if flight.error and not _is_of_its_own(flight.error):
            raise flight.error
        return flight.answer

    def stop(self, id: str) -> bool:  # noqa: A002 - the protocol's word
        """Stop the one who waits under an id; False where none does."""
        with self._lock:
            stop = self._stops.get(id)
        if stop:
            stop.set()
        return stop is not None


def _is_of_its_own(error: GraphkitError) -> bool:
    """Tell whether an error concerns only who asked: it was stopped, or the queue was full."""
    return isinstance(error, LimitError) and error.limit in _OF_ITS_OWN
