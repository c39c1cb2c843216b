"""Answer one query in a process of its own that may be killed: the far end of `readers`.

Its standard input is one line of JSON (`Task`), its standard output one line of JSON followed by the answer.
It imports the engine and little else, so that starting it takes about a tenth of a second.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Final, TypedDict

import pyoxigraph as ox

from graphkit.errors import GraphkitError, QueryError
from graphkit.store import engine

__all__ = ["Reply", "Task", "main", "too_long"]


_STATM: Final = Path("/proc/self/statm")


class Task(TypedDict):
    """What to answer and how much it may take; `folder` is None where the store is empty."""

    folder: str | None
    query: str
    media_type: str
    seconds: float
    memory_bytes: int
    max_bytes: int


class Reply(TypedDict):
    """What is wrong with the query, in the three parts of an error; all empty where the answer follows."""

    what: str
    where: str
    hint: str


class _Capped:
    """Gathers the answer, up to a number of bytes."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self.parts: list[bytes] = []
        self.overflowed = False

    def write(self, data: bytes) -> int:
        self._size += len(data)
        if self._size > self._most:
            self.overflowed = True
            raise OSError("the answer is too long")
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: all is kept until the end."""


def main() -> None:
    """Do the one task that stands on the standard input."""
    task: Task = json.loads(sys.stdin.buffer.readline())
    _limit_time(task["seconds"])
    store = ox.Store() if task["folder"] is None else ox.Store.read_only(task["folder"])
    _limit_memory(task["memory_bytes"])
    answer = _Capped(task["max_bytes"])
    reply: Reply = {"what": "", "where": "", "hint": ""}
    try:
        engine.answer(store, task["query"], task["media_type"], into=answer)
    except GraphkitError as error:
        reply = _told(too_long(task["max_bytes"]) if answer.overflowed else error)
        answer.parts.clear()
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.writelines(answer.parts)


def _limit_time(seconds: float) -> None:
    """Bound the time here too, in case that the parent dies and cannot kill this process."""
    most = int(seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_memory(most: int) -> None:
    """Bound the address space, counting from what the engine has reserved for its threads by now."""
    reserved = 0
    if _STATM.exists():
        reserved = int(_STATM.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (reserved + most, reserved + most))


def too_long(most: int) -> QueryError:
    """Build the error for an answer of more than `most` bytes."""
    return QueryError(
        f"the answer is longer than {most:,} bytes", hint="ask for less, with LIMIT or a narrower pattern"
    )


def _told(error: GraphkitError) -> Reply:
    return {"what": error.what, "where": error.where, "hint": error.hint}


if __name__ == "__main__":
    main()
