"""What a pool and its processes say to each other over a socket: framed messages, and how they look.

Every message begins with its length; a question and an order are JSON, the head of a reply has a fixed shape.
Both ends run the same release, so the shapes carry no version.
"""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Final

__all__ = ["INLINE_BYTES", "Kind", "Order", "ReplyHead", "Said", "Task", "pack", "read_exactly", "receive"]

INLINE_BYTES: Final = 65_536
"""Answers up to this length go through the socket, longer ones in a file that is handed over."""

_LENGTH: Final = struct.Struct("!I")
_HEAD: Final = struct.Struct("!BBBdQ")
_READ_AT_ONCE: Final = 262_144


class Kind(IntEnum):
    """What a reply holds."""

    INLINE = 0
    """The answer follows."""
    FILE = 1
    """The answer lies in the file that comes with the head."""
    REFUSED = 2
    """The query cannot be answered; its three parts follow as JSON."""
    TOO_LONG = 3
    MEMORY = 4
    LOST = 5
    """The version could not be read; the reason follows."""


@dataclass(frozen=True, slots=True)
class Task:
    """One question to a worker; `most_rows` is None where all rows are wanted."""

    sparql: str
    media_type: str
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]
    seconds: float
    most_bytes: int
    most_rows: int | None

    def packed(self) -> bytes:
        """Write it for the socket."""
        fields = (
            self.sparql,
            self.media_type,
            self.default_graphs,
            self.named_graphs,
            self.seconds,
            self.most_bytes,
            self.most_rows,
        )
        return pack(json.dumps(fields).encode())

    @classmethod
    def read(cls, message: bytes) -> Task:
        """Read what `packed` wrote."""
        return cls(*json.loads(message))


@dataclass(frozen=True, slots=True)
class Order:
    """What a nursery shall do: fork a `worker`, fork a `copy` of itself that loads a file, or `kill` a child.

    `path` is the folder of a checkpoint or the file of packed quads (None: nothing, or what is held in memory);
    `graphs` are the empty graphs of a copy, which packed quads cannot name.
    """

    act: str
    path: str | None = None
    graphs: tuple[str, ...] = ()
    memory_bytes: int = 0
    pid: int = 0

    def packed(self) -> bytes:
        """Write it for the socket."""
        return pack(json.dumps(asdict(self)).encode())

    @classmethod
    def read(cls, message: bytes) -> Order:
        """Read what `packed` wrote."""
        return cls(**json.loads(message))


@dataclass(frozen=True, slots=True)
class Said:
    """What a nursery answers: the process that was forked, or how many bytes its loaded copy takes.

    `fits` is False where loading was given up because it would take more than was allowed.
    """

    pid: int = 0
    copy_bytes: int = 0
    fits: bool = True

    def packed(self) -> bytes:
        """Write it for the socket."""
        return pack(json.dumps(asdict(self)).encode())

    @classmethod
    def read(cls, message: bytes) -> Said:
        """Read what `packed` wrote."""
        return cls(**json.loads(message))


@dataclass(frozen=True, slots=True)
class ReplyHead:
    """How a reply begins: `size` bytes follow, or lie in a file; a worker that is `spent` wants to be replaced."""

    kind: Kind
    cut: bool
    spent: bool
    seconds: float
    size: int

    SIZE = _HEAD.size

    def packed(self) -> bytes:
        """Write it for the socket."""
        return _HEAD.pack(self.kind, self.cut, self.spent, self.seconds, self.size)

    @classmethod
    def read(cls, data: bytes) -> ReplyHead:
        """Read the head at the beginning of `data`."""
        kind, cut, spent, seconds, size = _HEAD.unpack_from(data)
        return cls(Kind(kind), bool(cut), bool(spent), seconds, size)


def pack(message: bytes) -> bytes:
    """Put the length before a message."""
    return _LENGTH.pack(len(message)) + message


def receive(line: socket.socket) -> tuple[bytes, list[int]]:
    """Read one message and the files that come with it; both are empty where the other end has closed."""
    data, files, _, _ = socket.recv_fds(line, _LENGTH.size, 2)
    if not data:
        return b"", files
    head = data + read_exactly(line, _LENGTH.size - len(data))
    return read_exactly(line, _LENGTH.unpack(head)[0]), files


def read_exactly(line: socket.socket, size: int) -> bytes:
    """Read so many bytes, or raise `EOFError` where the other end closes before."""
    parts = []
    while size:
        part = line.recv(min(size, _READ_AT_ONCE))
        if not part:
            raise EOFError("the other end has closed")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
