"""The warm parent of a pool's workers: a small process of one thread that forks one for each line it is given.

`python -m graphkit.store.pool.nursery FD` listens to its pool on the socket FD. It holds no data: its workers open a
checkpoint on disk after the fork, because a process that has the engine's files open must not be forked. On order
it forks a second nursery, which loads one version into memory and forks workers that share it. A nursery ends,
with all it forked, as soon as the pool's end of its line is closed, also by a crash of the server.
"""

from __future__ import annotations

import contextlib
import gc
import gzip
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

import pyoxigraph as ox

from graphkit.store.pool.wire import Order, Said, receive
from graphkit.store.pool.worker import serve

__all__ = ["main"]

_LOOK_EVERY_BYTES: Final = 8 * 1024**2
_END_WITHIN_SECONDS: Final = 1.0
_STATM: Final = Path("/proc/self/statm")


class _GivenUpError(Exception):
    """Loading a copy takes more memory than allowed, or nobody wants it any more."""


class _Nursery:
    """Forks children on order and buries them."""

    def __init__(self, line: socket.socket, store: ox.Store | None = None) -> None:
        self._line, self._store = line, store
        self._workers: set[int] = set()
        self._copies: set[int] = set()
        self._woken, self._waker = socket.socketpair()

    def run(self) -> None:
        """Take orders until the line is closed."""
        for end in (self._woken, self._waker):
            end.setblocking(False)  # noqa: FBT003 - has no keyword
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([self._line, self._woken], [], [])
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
                self._bury()
            if self._line in ready:
                message, files = receive(self._line)
                if not message:
                    break
                self._obey(Order.read(message), files)
        self._end_children()

    def _obey(self, order: Order, files: list[int]) -> None:
        if order.act == "kill":
            if order.pid in self._workers | self._copies:
                os.kill(order.pid, signal.SIGKILL)
            return
        work, children = self._work(order)
        pid = self._fork(work, *files)
        children.add(pid)
        handles = [os.pidfd_open(pid)] if hasattr(os, "pidfd_open") else []
        socket.send_fds(self._line, [Said(pid=pid).packed()], handles)
        for file in (*handles, *files):
            os.close(file)

    def _work(self, order: Order) -> tuple[Callable[[socket.socket], None], set[int]]:
        """Return what a child shall do with its line, and among whom it is counted."""
        if order.act == "copy":
            return partial(_hold_copy, order), self._copies
        store = self._store
        opened = partial(_open, order.path) if store is None else lambda: store
        return lambda line: serve(line, opened, order.memory_bytes), self._workers

    def _fork(self, work: Callable[[socket.socket], None], line: int, errors: int) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            self._become_child()
            os.dup2(errors, 2)
            os.close(errors)
            with socket.socket(fileno=line) as own:
                work(own)
        except BaseException:  # noqa: BLE001 - the pool reads these words; nothing may reach the parent's code
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)

    def _become_child(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._line, self._woken, self._waker):
            end.close()

    def _bury(self) -> None:
        for children in (self._workers, self._copies):
            for pid in list(children):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    children.discard(pid)

    def _end_children(self) -> None:
        """Kill the workers; the copies notice by themselves that their lines are closed too."""
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + _END_WITHIN_SECONDS
        while self._copies and time.monotonic() < deadline:
            self._bury()
            time.sleep(0.002)
        for pid in self._copies:
            os.kill(pid, signal.SIGKILL)
        for pid in self._workers | self._copies:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


class _Watched:
    """Reads packed quads, and looks now and then whether going on makes sense."""

    def __init__(self, file: gzip.GzipFile, line: socket.socket, most_bytes: int) -> None:
        self._file, self._line, self._most = file, line, most_bytes
        self._read, self._start = 0, _resident_bytes()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        before, self._read = self._read, self._read + len(data)
        if before // _LOOK_EVERY_BYTES != self._read // _LOOK_EVERY_BYTES:
            self.look()
        return data

    def taken(self) -> int:
        """Return how many bytes the copy takes up to now."""
        return _resident_bytes() - self._start

    def look(self) -> None:
        """Raise an error where the copy has become too large, or the pool does not want it any more."""
        if self.taken() > self._most:
            raise _GivenUpError("too large")
        if select.select([self._line], [], [], 0)[0]:
            raise _GivenUpError("not wanted")


def _hold_copy(order: Order, line: socket.socket) -> None:
    """Load packed quads into memory, say so, and be the nursery of workers that share them."""
    store = ox.Store()
    with gzip.open(str(order.path)) as file:
        watched = _Watched(file, line, order.memory_bytes)
        try:
            store.bulk_load(watched, format=ox.RdfFormat.N_QUADS)  # type: ignore[arg-type]
            for name in order.graphs:
                store.add_graph(ox.NamedNode(name))
            watched.look()
        except (_GivenUpError, OSError, MemoryError):
            with contextlib.suppress(OSError):
                line.sendall(Said(fits=False).packed())
            return
    line.sendall(Said(copy_bytes=watched.taken()).packed())
    gc.freeze()
    _Nursery(line, store).run()


def _open(folder: str | None) -> ox.Store:
    return ox.Store() if folder is None else ox.Store.read_only(folder)


def _resident_bytes() -> int:
    """Return how much memory this process holds, or 0 where the system does not tell."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> NoReturn:
    """Be the nursery of the pool at the other end of the socket that the first argument names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as line:
        _Nursery(line).run()
    sys.exit(0)


if __name__ == "__main__":
    main()
