"""What is worked out once for each version and kept: answers of stored queries, and what pages make of several."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

import polars as pl
from flask import Flask, current_app, g

from webui.i18n.marking import N_
from webui.works import Work

__all__ = ["MOST_BYTES", "SERVED_WITHIN", "Frames", "begin", "frames_of", "patience"]

MOST_BYTES: Final = 256_000_000
"""So many bytes of answers are kept; the one not used for longest goes first."""

SERVED_WITHIN: Final = 3.0
"""So many seconds a page of a service waits in all for what is read for the first time; then it says so."""

_PATIENCE: Final = 60.0

_KEPT: Final = "graphkit-frames"
_AT_ONCE: Final = 2
_READING: Final = (N_("reading what the page shows"),)


class Frames:
    """Answers by version and text of the query, up to a number of bytes; safe for many threads.

    `patience` is for how many seconds a page waits in all for what is made for the first time.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.patience = _PATIENCE
        self._most, self._held = most, 0
        self._lock = threading.Lock()
        self._turn, self._slow_turn = threading.BoundedSemaphore(_AT_ONCE), threading.BoundedSemaphore(1)
        self._works: dict[tuple[str, str], Work] = {}
        self._others: dict[str, tuple[str, Work]] = {}
        self._frames: OrderedDict[tuple[str, str], pl.DataFrame] = OrderedDict()

    def get(self, key: tuple[str, str]) -> pl.DataFrame | None:
        """Return what is kept under a key."""
        with self._lock:
            if key in self._frames:
                self._frames.move_to_end(key)
            return self._frames.get(key)

    def put(self, key: tuple[str, str], frame: pl.DataFrame) -> None:
        """Keep a frame, and let go of the oldest where there are too many bytes."""
        with self._lock:
            if key not in self._frames:
                self._frames[key] = frame
                self._held += int(frame.estimated_size())
            while self._held > self._most and len(self._frames) > 1:
                _, old = self._frames.popitem(last=False)
                self._held -= int(old.estimated_size())

    def made(
        self, key: tuple[str, str], make: Callable[[], pl.DataFrame], seconds: float | None, *, slow: bool = False
    ) -> pl.DataFrame:
        """Return what is kept under a key; where there is nothing, make it in a thread of its own, once for all.

        Of what is `slow` one thing is made at a time, so that it never takes the place of what the pages show.

        Raises `NotReady` where it is not there within so many seconds (None: whenever it is done); the work goes on.
        """
        kept = self.get(key)
        if kept is not None:
            return kept
        with self._lock:
            work = self._works.get(key)
            if work is None or work.failed:
                work = self._works[key] = Work(
                    lambda _: self._make(key, make), _READING, self._slow_turn if slow else self._turn
                )
        found: pl.DataFrame = work.within(seconds)
        return found

    def _make(self, key: tuple[str, str], make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        frame = make()
        self.put(key, frame)
        with self._lock:
            self._works.pop(key, None)
        return frame

    def other(self, name: str, mark: str, make: Callable[[], Any], seconds: float) -> Any:  # noqa: ANN401 - what is made
        """Return what `make` gives for a version, made once in a thread of its own; one is kept by name.

        Raises `NotReady` where it is not there within so many seconds; the work goes on.
        """
        with self._lock:
            held = self._others.get(name)
            if held is None or held[0] != mark or held[1].failed:
                held = self._others[name] = (mark, Work(lambda _: make(), _READING, self._turn))
        return held[1].within(seconds)


def begin(app: Flask) -> None:
    """Let an application keep answers."""
    app.extensions[_KEPT] = Frames()


def frames_of(app: Flask) -> Frames:
    """Return the answers that an application keeps."""
    found: Frames = app.extensions[_KEPT]
    return found


def patience() -> float:
    """Return for how many seconds the present request may still wait for what is made for the first time."""
    began: float = g.setdefault("began", perf_counter())
    return max(0.0, frames_of(current_app).patience - (perf_counter() - began))
