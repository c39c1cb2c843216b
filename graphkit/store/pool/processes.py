"""The pool's side of its processes: a nursery that forks, and readers that answer one question after the other."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from graphkit.errors import QueryError
from graphkit.store.pool.wire import INLINE_BYTES, Kind, Order, ReplyHead, Said, Task, receive

__all__ = ["Died", "Nursery", "Process", "Reader", "Reply", "TooLate", "refusal"]

_IMPORTS_FROM: Final = str(Path(__file__).resolve().parents[3])
_LOOK_EVERY_SECONDS: Final = 0.1
_STARTED_WITHIN_SECONDS: Final = 20.0
_ENDED_WITHIN_SECONDS: Final = 5.0
_ROOM_FOR_A_FILE: Final = socket.CMSG_SPACE(4)
_CLOSE_ON_EXEC: Final = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
_WORDS_READ: Final = 16_384


class Died(Exception):  # noqa: N818 - between the parts of the pool only
    """A process ended while somebody waited for it; `words` are its last ones."""

    def __init__(self, words: str = "") -> None:
        super().__init__(words)
        self.words = words


class TooLate(Exception):  # noqa: N818
    """A reader did not answer in time, or nobody waits for it any more (`gone`)."""

    def __init__(self, *, gone: bool) -> None:
        super().__init__(gone)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reader answered: bytes or the number of an open file, of which whoever takes it becomes the owner."""

    head: ReplyHead
    body: bytes
    file: int | None = None


class Process:
    """A process that was forked elsewhere; killing it never hits another one that got its number."""

    def __init__(self, pid: int, handle: int | None, nursery: Nursery) -> None:
        self.pid, self._handle, self._nursery = pid, handle, nursery
        self._lock = threading.Lock()

    def kill(self) -> None:
        """End it at once; one that has ended already is no error."""
        with self._lock:
            if self._handle is None:
                self._nursery.kill(self.pid)
            elif self._handle >= 0:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self, seconds: float) -> bool:
        """Wait for its end as far as the platform tells it; say whether it has ended."""
        if self._handle is None or self._handle < 0:
            return True
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def close(self) -> None:
        """Give back the handle."""
        with self._lock:
            if self._handle is not None and self._handle >= 0:
                os.close(self._handle)
                self._handle = -1


class Reader:
    """A worker process, asked by one thread at a time; others may kill it meanwhile."""

    def __init__(self, line: socket.socket, errors: IO[bytes], process: Process, nursery: Nursery) -> None:
        self._line, self._errors, self._process = line, errors, process
        self.nursery = nursery
        self._poll = select.poll()
        self._poll.register(line, select.POLLIN)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def ask(self, task: Task, gone: threading.Event | None) -> Reply:
        """Send a question and wait for the whole answer.

        Raises `TooLate` when the time is over or `gone` is set (the caller then kills this reader), and `Died`.
        """
        deadline = time.monotonic() + task.seconds
        self.send(task)
        return self.receive(deadline, gone)

    def fileno(self) -> int:
        """Return the file that can be read when an answer is there."""
        return self._line.fileno()

    def send(self, task: Task) -> None:
        """Send a question; raises `Died`."""
        try:
            self._line.sendall(task.packed())
        except OSError as error:
            raise Died(self._last_words()) from error

    def receive(self, deadline: float, gone: threading.Event | None = None) -> Reply:
        """Wait for the whole answer to the question that was sent; raises `TooLate` and `Died`."""
        try:
            self._wait(deadline, gone)
            data, ancillary, _, _ = self._line.recvmsg(INLINE_BYTES + ReplyHead.SIZE, _ROOM_FOR_A_FILE, _CLOSE_ON_EXEC)
            file = int.from_bytes(ancillary[0][2][:4], sys.byteorder) if ancillary else None
            head, body = self._whole(data, deadline, gone)
        except (OSError, EOFError) as error:
            raise Died(self._last_words()) from error
        return Reply(head, body, file)

    def _whole(self, data: bytes, deadline: float, gone: threading.Event | None) -> tuple[ReplyHead, bytes]:
        while len(data) < ReplyHead.SIZE:
            data += self._more(deadline, gone)
        head = ReplyHead.read(data)
        body = data[ReplyHead.SIZE :]
        while head.kind != Kind.FILE and len(body) < head.size:
            body += self._more(deadline, gone)
        return head, body

    def _more(self, deadline: float, gone: threading.Event | None) -> bytes:
        self._wait(deadline, gone)
        data = self._line.recv(INLINE_BYTES)
        if not data:
            raise EOFError
        return data

    def _wait(self, deadline: float, gone: threading.Event | None) -> None:
        while True:
            left = deadline - time.monotonic()
            step = left if gone is None else min(left, _LOOK_EVERY_SECONDS)
            if self._poll.poll(max(step, 0) * 1000):
                return
            if time.monotonic() >= deadline:
                raise TooLate(gone=False)
            if gone is not None and gone.is_set():
                raise TooLate(gone=True)

    def _last_words(self) -> str:
        self._process.wait(1.0)
        return os.pread(self._errors.fileno(), _WORDS_READ, 0).decode(errors="replace")

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def end(self, *, wait: bool = False) -> None:
        """Let an idle process go: it ends when it sees that the line is closed; with `wait`, stay until it has."""
        self._line.close()
        if wait:
            self._process.wait(_ENDED_WITHIN_SECONDS)
        self._errors.close()
        self._process.close()


class Nursery:
    """A process that forks readers, and copies of itself that hold a version in memory.

    `Nursery.start()` starts the first one; the others are forked from it with `copy`.
    """

    def __init__(self, line: socket.socket, started: subprocess.Popen[bytes] | Process) -> None:
        self._line, self._started = line, started
        self._lock = threading.Lock()

    @classmethod
    def start(cls) -> Nursery:
        """Start a process that holds nothing, and ends when this process does."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "graphkit.store.pool.nursery", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=os.environ | {"PYTHONPATH": _import_path()},
                start_new_session=True,
            )
        return cls(ours, process)

    def reader(self, folder: Path | None, memory_bytes: int) -> Reader:
        """Fork a reader of the version held in memory, or else of the checkpoint in `folder` (None: of nothing)."""
        order = Order("worker", None if folder is None else str(folder), memory_bytes=memory_bytes)
        line, errors, process = self._forked(order)
        return Reader(line, errors, process, self)

    def copy(self, packed: Path, empty_graphs: tuple[str, ...], most_bytes: int) -> Nursery:
        """Fork a nursery that loads the packed quads into memory; `loaded` tells when it is done."""
        line, errors, process = self._forked(Order("copy", str(packed), empty_graphs, most_bytes))
        errors.close()
        return Nursery(line, process)

    def loaded(self, seconds: float = 0.0) -> Said | None:
        """Return what a nursery from `copy` says when it is done, or None where that takes longer; raises `Died`."""
        with self._lock:
            poll = select.poll()
            poll.register(self._line, select.POLLIN)
            if not poll.poll(seconds * 1000):
                return None
            return self._heard()[0]

    def kill(self, pid: int) -> None:
        """Kill a child, where only its parent can tell that the number is still its own."""
        with self._lock, contextlib.suppress(OSError):
            self._line.sendall(Order("kill", pid=pid).packed())

    def _forked(self, order: Order) -> tuple[socket.socket, IO[bytes], Process]:
        """Have a child forked that holds the other end of a new line; raises `Died` where the nursery has ended."""
        ours, theirs = socket.socketpair()
        errors = _nameless_file()
        try:
            with theirs, self._lock:
                self._line.settimeout(_STARTED_WITHIN_SECONDS)
                socket.send_fds(self._line, [order.packed()], [theirs.fileno(), errors.fileno()])
                said, handles = self._heard()
        except BaseException as error:
            ours.close()
            errors.close()
            if isinstance(error, OSError):
                raise Died(str(error)) from error
            raise
        return ours, errors, Process(said.pid, handles[0] if handles else None, self)

    def _heard(self) -> tuple[Said, list[int]]:
        try:
            message, files = receive(self._line)
        except (OSError, EOFError) as error:
            raise Died(str(error)) from error
        if not message:
            raise Died
        return Said.read(message), files

    def close(self) -> None:
        """Close the line, at which the process ends all its children and then itself.

        Who is just waiting for an answer of it is told that it has ended.
        """
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._line.close()

    def ended(self) -> bool:
        """Tell whether the process has ended, and bury it if so."""
        if isinstance(self._started, Process):
            done = self._started.wait(0.0)
            if done:
                self._started.close()
            return done
        return self._started.poll() is not None

    def wait(self) -> None:
        """Wait until the process has ended after `close`, and kill it where that takes too long."""
        if isinstance(self._started, Process):
            if not self._started.wait(_ENDED_WITHIN_SECONDS):
                self._started.kill()
            self._started.close()
            return
        try:
            self._started.wait(_ENDED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._started.kill()
            self._started.wait()


def refusal(reply: Reply) -> QueryError:
    """Return the error that a reader told in its three parts."""
    what, where, hint = json.loads(reply.body)
    return QueryError(what, where=where, hint=hint)


def _nameless_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("words"), "w+b", 0)
    return tempfile.TemporaryFile(buffering=0)


def _import_path() -> str:
    """Let the nursery import what this process can, also from a checkout that is not installed."""
    return os.pathsep.join([_IMPORTS_FROM, *filter(None, [os.environ.get("PYTHONPATH")])])
