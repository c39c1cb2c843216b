"""Answer questions about one version in a process that may be killed: what a child of the `nursery` does.

It asks the engine and little else. Whatever a query does to this process, the server goes on.
"""

from __future__ import annotations

import json
import os
import re
import resource
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import pyoxigraph as ox

from graphkit.errors import QueryError
from graphkit.store import engine
from graphkit.store.pool.wire import INLINE_BYTES, Kind, ReplyHead, Task, receive

__all__ = ["cut_rows", "reserved_bytes", "serve"]

_STATM: Final = Path("/proc/self/statm")
_GROWN_BYTES: Final = 64 * 1024**2
_MAY_HAVE_GROWN_SECONDS: Final = 0.005
_CPU_GRACE_SECONDS: Final = 2
_TSV: Final = ox.QueryResultsFormat.TSV
_XML: Final = frozenset({"xml", "rdf", "owl", "application/rdf+xml", "application/sparql-results+xml"})
_NOT_IN_XML: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
"""The characters that XML 1.0 cannot hold, not even as references (section 2.2)."""


_NO_XML: Final = ["the answer holds a control character, which XML cannot", "", "ask for JSON or Turtle"]


class _Sink:
    """Takes an answer up to a number of bytes: a short one in memory, a longer one in a file without a name."""

    def __init__(self, most: int, *, xml: bool = False) -> None:
        self._most, self._xml, self.size = most, xml, 0
        self.parts: list[bytes] = []
        self.file: IO[bytes] | None = None
        self.too_long = self.no_xml = False

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.too_long = self.size > self._most
        self.no_xml = self._xml and _NOT_IN_XML.search(data) is not None
        if self.too_long or self.no_xml:
            raise OSError("the answer cannot be sent")
        if self.file is not None:
            self.file.write(data)
            return len(data)
        self.parts.append(bytes(data))
        if self.size > INLINE_BYTES:
            self.file = _nameless_file()
            self.file.writelines(self.parts)
            self.parts.clear()
        return len(data)

    def flush(self) -> None:
        """Do nothing: all is kept until the end."""


class _Rows:
    """Takes the rows of a table as TSV, where each is one line, and stops after a number of them."""

    def __init__(self, rows: int, most_bytes: int) -> None:
        self._lines, self._most = rows + 1, most_bytes
        self._seen = self._size = 0
        self._parts: list[bytes] = []
        self.cut = self.too_long = False

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._size += len(data)
        self._seen += self._parts[-1].count(b"\n")
        self.cut, self.too_long = self._seen > self._lines, self._size > self._most
        if self.cut or self.too_long:
            raise OSError("these are rows enough")
        return len(data)

    def flush(self) -> None:
        """Do nothing: all is kept until the end."""

    def kept(self) -> bytes:
        """Return the names of the columns and the rows that are wanted."""
        whole = b"".join(self._parts)
        return b"\n".join(whole.split(b"\n", self._lines)[: self._lines]) + b"\n" if self.cut else whole


def serve(line: socket.socket, opened: Callable[[], ox.Store], memory_bytes: int) -> None:
    """Open a version and answer one question after the other until the other end closes the line.

    `memory_bytes` is what a query may take beyond what is reserved once the version is open.
    """
    store = _opened(opened)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_memory(memory_bytes)
    start = _resident_bytes()
    while message := receive(line)[0]:
        task, began = Task.read(message), time.perf_counter()
        _limit_time(task.seconds)
        if isinstance(store, str):
            _send(line, Kind.LOST, began, store.encode())
            return
        spent = _answer(line, store, task, began, start)
        if spent:
            return


def _opened(opened: Callable[[], ox.Store]) -> ox.Store | str:
    try:
        return opened()
    except OSError as error:
        return str(error)


def _answer(line: socket.socket, store: ox.Store, task: Task, began: float, start: int) -> bool:
    """Answer one question and tell whether this process shall be replaced, because it grew."""
    sink = _Sink(task.most_bytes, xml=task.media_type in _XML)
    try:
        cut = _run(store, task, sink)
    except QueryError as error:
        if sink.too_long:
            return _send(line, Kind.TOO_LONG, began, b"", spent=_has_grown(began, start))
        told = json.dumps(_NO_XML if sink.no_xml else [error.what, error.where, error.hint]).encode()
        return _send(line, Kind.REFUSED, began, told, spent=_has_grown(began, start))
    except MemoryError:
        return _send(line, Kind.MEMORY, began, b"", spent=True)
    spent = _has_grown(began, start)
    if sink.file is None:
        return _send(line, Kind.INLINE, began, b"".join(sink.parts), cut=cut, spent=spent)
    with sink.file as file:
        file.flush()
        head = ReplyHead(Kind.FILE, cut, spent, time.perf_counter() - began, sink.size)
        socket.send_fds(line, [head.packed()], [file.fileno()])
    return spent


def _send(
    line: socket.socket, kind: Kind, began: float, body: bytes, *, cut: bool = False, spent: bool = False
) -> bool:
    line.sendall(ReplyHead(kind, cut, spent, time.perf_counter() - began, len(body)).packed() + body)
    return spent


def _run(store: ox.Store, task: Task, sink: _Sink) -> bool:
    """Write the answer into the sink, and tell whether rows were left out."""
    cut = False

    def write(results: engine.Results) -> None:
        nonlocal cut
        if task.most_rows is None or not isinstance(results, ox.QuerySolutions):
            engine.write_results(results, task.media_type, into=sink)
        else:
            cut = _write_some(results, task, task.most_rows, sink)

    engine.ask_checked(store, task.sparql, write, default_graphs=task.default_graphs, named_graphs=task.named_graphs)
    return cut


def _write_some(results: ox.QuerySolutions, task: Task, most: int, sink: _Sink) -> bool:
    form = engine.results_format(task.media_type)
    rows = _Rows(most, 4 * task.most_bytes)
    try:
        results.serialize(rows, format=_TSV)  # type: ignore[arg-type]
    except OSError:
        sink.too_long = rows.too_long
        if not rows.cut:
            raise
    _rewrite(rows.kept(), form, sink)
    return rows.cut


def _rewrite(tsv: bytes, form: ox.QueryResultsFormat, sink: engine.Sink) -> None:
    """Write a table that is there as TSV in another format; the engine's TSV holds the terms whole."""
    if form == _TSV:
        sink.write(tsv)
    else:
        table = ox.parse_query_results(tsv, format=_TSV)
        table.serialize(sink, format=form)  # type: ignore[arg-type]


def cut_rows(tsv: bytes, media_type: str, most: int) -> tuple[bytes, bool]:
    """Return the first rows of a table of TSV as bytes of `media_type`, and whether there were more."""
    rows = _Rows(most, len(tsv))
    with suppress(OSError):
        rows.write(tsv)
    form, kept = engine.results_format(media_type), rows.kept()
    if form == _TSV:
        return kept, rows.cut
    return ox.parse_query_results(kept, format=_TSV).serialize(format=form) or b"", rows.cut


def _limit_time(seconds: float) -> None:
    """Bound the time here too, in case that nobody is left who could kill this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds) + 1 + _CPU_GRACE_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _limit_memory(most: int) -> None:
    """Bound the address space, counting from what the engine has reserved for its threads by now."""
    reserved = reserved_bytes()
    resource.setrlimit(resource.RLIMIT_AS, (reserved + most, reserved + most))


def reserved_bytes() -> int:
    """Return how much address space this process has, or 0 where the system does not tell."""
    return _pages(0)


def _resident_bytes() -> int:
    return _pages(1)


def _pages(field: int) -> int:
    if not _STATM.exists():
        return 0
    return int(_STATM.read_bytes().split()[field]) * resource.getpagesize()


def _has_grown(began: float, start: int) -> bool:
    """Tell whether a query left much memory behind; one that took no time cannot have."""
    return time.perf_counter() - began > _MAY_HAVE_GROWN_SECONDS and _resident_bytes() > start + _GROWN_BYTES


def _nameless_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("answer"), "w+b", INLINE_BYTES)
    return tempfile.TemporaryFile(buffering=INLINE_BYTES)
