"""Answer one query in a process of its own that may be killed: the far end of `readers`.

Its standard input is one line of JSON (`Task`), its standard output one line of JSON followed by the answer.
It imports the engine and little else, so that starting it takes about a tenth of a second.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import TypedDict

import pyoxigraph as ox

from graphkit.errors import GraphkitError, QueryError
from graphkit.store import engine

__all__ = ["Reply", "Task", "main", "too_long"]


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
    _limit(task)
    answer = _Capped(task["max_bytes"])
    reply: Reply = {"what": "", "where": "", "hint": ""}
    try:
        engine.answer(_opened(task["folder"]), task["query"], task["media_type"], into=answer)
    except GraphkitError as error:
        reply = _told(too_long(task["max_bytes"]) if answer.overflowed else error)
        answer.parts.clear()
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.writelines(answer.parts)


def _limit(task: Task) -> None:
    """Bound the memory, and the time too, in case that the parent dies and cannot kill this process."""
    resource.setrlimit(resource.RLIMIT_AS, (task["memory_bytes"], task["memory_bytes"]))
    seconds = int(task["seconds"]) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _opened(folder: str | None) -> ox.Store:
    return ox.Store() if folder is None else ox.Store.read_only(folder)


def too_long(most: int) -> QueryError:
    """Build the error for an answer of more than `most` bytes."""
    return QueryError(
        f"the answer is longer than {most:,} bytes", hint="ask for less, with LIMIT or a narrower pattern"
    )


def _told(error: GraphkitError) -> Reply:
    return {"what": error.what, "where": error.where, "hint": error.hint}


if __name__ == "__main__":
    main()
