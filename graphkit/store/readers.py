"""Answer queries of people nobody knows, within limits that hold: time, memory, length."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from graphkit.errors import QueryError, StoreError
from graphkit.store.base import Store
from graphkit.store.embedded import EmbeddedStore
from graphkit.store.guard import check_query
from graphkit.store.worker import Reply, Task, too_long

__all__ = ["answer_within"]

_IMPORTS_FROM: Final = str(Path(__file__).resolve().parents[2])
_ASK_FOR_LESS: Final = "ask for less: narrow the pattern, or add a LIMIT to each part"
_OUT_OF_MEMORY: Final = ("memory allocation", "MemoryError", "bad_alloc", "temporarily unavailable")
_log = logging.getLogger(__name__)


def answer_within(
    store: Store,
    sparql: str,
    media_type: str,
    *,
    seconds: float = 10.0,
    memory_bytes: int = 2 * 1024**3,
    max_bytes: int = 50_000_000,
) -> bytes:
    """Answer one query as bytes of `media_type`, or raise `QueryError` when it goes beyond its limits.

    On an embedded store the query runs in a process of its own on the newest version; whatever it does to that
    process, this one goes on. `seconds` is wall-clock time with the start of the process (about 0.1 s),
    `memory_bytes` the memory it may take beyond what the engine needs to start, `max_bytes` the longest answer.
    An endpoint limits itself: there only the waiting time and the length are bounded.
    """
    check_query(sparql)
    if isinstance(store, EmbeddedStore):
        folder = store.checkpoint()
        task: Task = {
            "folder": None if folder is None else str(folder),
            "query": sparql,
            "media_type": media_type,
            "seconds": seconds,
            "memory_bytes": memory_bytes,
            "max_bytes": max_bytes,
        }
        return _answer_apart(task)
    answer = (
        store.answer_in(sparql, media_type, seconds) if isinstance(store, _Timed) else store.answer(sparql, media_type)
    )
    if len(answer) > max_bytes:
        raise too_long(max_bytes)
    return answer


@runtime_checkable
class _Timed(Protocol):
    """A store that can be told how long to wait."""

    def answer_in(self, sparql: str, media_type: str, seconds: float) -> bytes:
        """Answer any query form within some seconds."""


def _answer_apart(task: Task) -> bytes:
    """Run the worker, kill it when its time is over, and read what it wrote."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "graphkit.store.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": _import_path()},
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(json.dumps(task).encode() + b"\n", timeout=task["seconds"])
        except subprocess.TimeoutExpired as error:
            raise QueryError(
                f"the query took longer than {task['seconds']:g} seconds and was stopped", hint=_ASK_FOR_LESS
            ) from error
        finally:
            process.kill()
    _log.debug("a worker answered in %.3f s", time.perf_counter() - started)
    return _read_reply(out, err, process.returncode, task)


def _import_path() -> str:
    """Let the worker import what this process can, also from a checkout that is not installed."""
    return os.pathsep.join([_IMPORTS_FROM, *filter(None, [os.environ.get("PYTHONPATH")])])


def _read_reply(out: bytes, err: bytes, code: int, task: Task) -> bytes:
    head, found, body = out.partition(b"\n")
    if code or not found:
        raise _death(err.decode(errors="replace"), code, task)
    reply: Reply = json.loads(head)
    if reply["what"]:
        raise QueryError(reply["what"], where=reply["where"], hint=reply["hint"])
    return body


def _death(words: str, code: int, task: Task) -> QueryError | StoreError:
    """Tell from the way a worker died what was wrong with its query."""
    if any(sign in words for sign in _OUT_OF_MEMORY):
        most = task["memory_bytes"] // 1024**2
        return QueryError(f"the query needed more than {most:,} MiB of memory and was stopped", hint=_ASK_FOR_LESS)
    if code == -signal.SIGXCPU:
        return QueryError(f"the query took longer than {task['seconds']:g} seconds and was stopped", hint=_ASK_FOR_LESS)
    if code < 0:
        return QueryError(
            f"the query broke the process that answered it (signal {-code})",
            hint="write it with less nesting and shorter paths",
        )
    last = words.strip().rpartition("\n")[2]
    return StoreError(f"the process for queries failed: {last}", where=task["folder"] or "memory")
