"""What one asks a pool of readers, what comes back, and what a query may take."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from graphkit.errors import UsageError
from graphkit.store.base import Version

__all__ = ["Answer", "AnswerFile", "Limits", "Question", "Running"]

_CHUNK_BYTES: Final = 262_144


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take, and how many run at once.

    `seconds` is wall-clock time from when a process takes the query up; for its turn it waits as long again at most.
    `memory_bytes` is what it may take beyond what the engine needs to start, `max_bytes` the longest answer,
    `max_rows` how many rows of a table are given (None: all). `copy_bytes` bounds the copy of the newest version in
    memory; while a new version is loaded, the one before may still be there beside it.
    """

    seconds: float = 10.0
    memory_bytes: int = 2 * 1024**3
    max_bytes: int = 50_000_000
    max_rows: int | None = None
    readers: int = 4
    copy_bytes: int = 2 * 1024**3

    def seconds_for(self, question: Question) -> float:
        """Return how long a question may take: what it asks for, at most what is allowed."""
        asked = self.seconds if question.seconds is None else question.seconds
        if not asked > 0:
            raise UsageError(f"a query may take more than 0 seconds, not {asked:g}")
        return min(asked, self.seconds)

    def rows_for(self, question: Question) -> int | None:
        """Return how many rows a question is given, None for all."""
        if question.max_rows is not None and question.max_rows < 0:
            raise UsageError(f"an answer cannot have {question.max_rows} rows")
        return min((rows for rows in (question.max_rows, self.max_rows) if rows is not None), default=None)


@dataclass(frozen=True, slots=True)
class Question:
    """One query: its text, the media type of its answer, the version and dataset it asks, and for whom.

    `seconds` and `max_rows` can only lower the limits of the pool. The graphs take the place of FROM and FROM NAMED.
    Questions of one `client` wait for each other before others wait for them; an `id` is made where it is empty.
    """

    sparql: str
    media_type: str
    version: int | None = None
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    seconds: float | None = None
    max_rows: int | None = None
    client: str = ""
    id: str = ""


class AnswerFile:
    """An open file without a name, closed when nobody holds it any more."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.close = weakref.finalize(self, os.close, number)

    def read(self, start: int, size: int) -> bytes:
        """Return some of its bytes; raises `UsageError` where it was closed."""
        if not self.close.alive:
            raise UsageError("this answer was given back before", hint="ask again, or keep its data")
        return os.pread(self._number, size, start)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, which was complete before its first byte leaves.

    A short one is held in memory, a long one in a file without a name. `version` is that which was asked (None: an
    empty store, or an endpoint), `cut` says that rows were left out, `seconds` is how long it took, with waiting.
    """

    version: Version | None
    size: int
    cut: bool = False
    seconds: float = 0.0
    body: bytes = field(default=b"", repr=False)
    file: AnswerFile | None = field(default=None, repr=False)

    @property
    def data(self) -> bytes:
        """All its bytes."""
        return self.body if self.file is None else self.file.read(0, self.size)

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes in pieces, once: the file of a long answer is closed at the end."""
        if self.file is None:
            yield self.body
            return
        try:
            for start in range(0, self.size, _CHUNK_BYTES):
                yield self.file.read(start, _CHUNK_BYTES)
        finally:
            self.close()

    def close(self) -> None:
        """Close the file of a long answer that nobody is going to read."""
        if self.file is not None:
            self.file.close()


@dataclass(frozen=True, slots=True)
class Running:
    """A query that runs or waits for its turn; `started` is on the clock of `time.monotonic`."""

    id: str
    client: str
    sparql: str
    started: float = field(default_factory=time.monotonic)
    waits: bool = False
