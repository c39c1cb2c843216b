"""Contents as streams: canonical N-Quads in blocks of whole sorted lines, packed, merged, compared and counted.

A version of millions of quads is hundreds of megabytes of text, of which a change touches little. So a content is
never held whole: what a change adds is sorted in a frame, and flows together with the old lines block by block.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Final, Protocol, cast

import polars as pl
from isal import igzip, isal_zlib

from graphkit.errors import StoreError
from graphkit.store.base import Diff
from graphkit.store.naming import name_blanks

__all__ = [
    "Edit",
    "Packer",
    "difference",
    "frame_of",
    "in_blocks",
    "lies_in",
    "pack",
    "split_lines",
    "unpack",
    "unpacked",
    "whole_lines",
]

BLOCK_BYTES: Final = 8 * 1024**2
BLOCK_LINES: Final = 50_000
_LEVEL: Final = 1
_TRIPLE: Final = re.compile(
    rb'(?:<[^>]*>|_:\S+) <[^>]*> (?:<[^>]*>|_:\S+|"(?:[^"\\]|\\.)*+"(?:@[\w-]+|\^\^<[^>]*>)?) \.'
)
_SUBJECT_AND_PREDICATE: Final = re.compile(rb"(?:<[^>]*>|_:\S+) <[^>]*>")
_BLANK: Final = b"_:"
_UNREADABLE: Final = (OSError, EOFError, zlib.error, cast("type[Exception]", isal_zlib.IsalError))


class Reader(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, and none at the end."""


# ---- Packing --------------------------------------------------------------------------------------------


def pack(content: bytes) -> bytes:
    """Compress content; equal content gives equal bytes."""
    return bytes(igzip.compress(content, compresslevel=_LEVEL, mtime=0))


def unpack(packed: bytes, where: str) -> bytes:
    """Undo `pack`."""
    try:
        return bytes(igzip.decompress(packed))
    except _UNREADABLE as error:
        raise _broken(error, where) from error


def unpacked(file: IO[bytes], where: str, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield what was packed into a file in blocks of whole lines."""
    try:
        with igzip.IGzipFile(fileobj=file, mode="rb") as stream:
            yield from whole_lines(stream, block_bytes)
    except _UNREADABLE as error:
        raise _broken(error, where) from error


def whole_lines(file: Reader, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield what a file holds in blocks of whole lines; the last line need not have an end."""
    rest = b""
    while data := file.read(block_bytes):
        data = rest + data
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        if end:
            yield data[:end]
    if rest:
        yield rest


def _broken(error: Exception, where: str) -> StoreError:
    return StoreError(f"a version cannot be unpacked: {error}", where=where)


class Packer:
    """Packs blocks into a file as they come, and tells their hash and number of lines."""

    def __init__(self, file: IO[bytes]) -> None:
        self._stream = igzip.IGzipFile(filename="", fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._hash = hashlib.sha256()
        self.quads = 0

    @property
    def hash(self) -> str:
        """The SHA-256 of all lines up to now."""
        return self._hash.hexdigest()

    def write(self, blocks: Iterable[bytes]) -> None:
        """Pack all blocks and end the file."""
        for block in blocks:
            self._hash.update(block)
            self.quads += block.count(b"\n")
            self._stream.write(block)
        self._stream.close()


# ---- Sorting --------------------------------------------------------------------------------------------


def frame_of(lines: Iterable[bytes]) -> pl.Series:
    """Return lines (without their ends) as a sorted series of distinct ones."""
    return _sorted(pl.Series("line", list(lines), dtype=pl.Binary))


def _sorted(lines: pl.Series) -> pl.Series:
    return lines.unique().sort()


def in_blocks(lines: pl.Series) -> Iterator[bytes]:
    """Yield a sorted series as blocks of whole lines."""
    for start in range(0, len(lines), BLOCK_LINES):
        yield _joined(lines.slice(start, BLOCK_LINES).to_list())


def _joined(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n" if lines else b""


def split_lines(block: bytes) -> list[bytes]:
    """Return the lines of a block without their ends."""
    return block.removesuffix(b"\n").split(b"\n") if block else []


# ---- Changing -------------------------------------------------------------------------------------------


def lies_in(graph: str | None) -> Callable[[bytes], bool]:
    """Return what tells of a canonical line whether it lies in a graph, or with None in the default graph."""
    if graph is None:
        return lambda line: _TRIPLE.fullmatch(line) is not None
    tail = b" <" + graph.encode() + b"> ."
    return lambda line: line.endswith(tail) and not _SUBJECT_AND_PREDICATE.fullmatch(line[: -len(tail)])


class Edit:
    """What a change does to the lines of a content: graphs are cleared, lines go and come, in any order."""

    def __init__(self) -> None:
        self._cleared: dict[str | None, Callable[[bytes], bool]] = {}
        self._removed = set[bytes]()
        self._added: list[pl.Series] = []

    def __bool__(self) -> bool:
        """Tell whether anything was done."""
        return bool(self._cleared or self._removed or self._added)

    def clear(self, graph: str | None) -> None:
        """Take out a graph, or with None the default graph."""
        inside = self._cleared.setdefault(graph, lies_in(graph))
        self._added = [_outside(run, graph, inside) for run in self._added]

    def add(self, lines: pl.Series) -> None:
        """Put in lines; they need not be sorted."""
        self._added.append(lines)

    def remove(self, lines: Iterable[bytes]) -> None:
        """Take out lines."""
        gone = set(lines)
        self._removed |= gone
        self._added = [frame_of(line for line in run.to_list() if line not in gone) for run in self._added]

    def applied(self, old: Callable[[], Iterable[bytes]]) -> Iterator[bytes]:
        """Yield the blocks of the new content, with blank nodes named anew, given those of the old.

        `old` is asked twice: blank nodes are looked for before the rest flows.
        """
        added = _sorted(pl.concat(self._added)) if self._added else frame_of([])
        self._added = [added]
        shown = added.bin.contains(_BLANK)
        blanks = {
            line for block in self._left(old()) if _BLANK in block for line in split_lines(block) if _BLANK in line
        }
        blanks |= set(added.filter(shown).to_list())
        if not blanks:
            yield from _flowing(self._left(old()), in_blocks(added))
            return
        named = set(name_blanks(_joined(list(blanks))).removesuffix(b"\n").split(b"\n"))
        fresh = frame_of([*added.filter(~shown).to_list(), *named])
        yield from _flowing(_without_blanks(self._left(old())), in_blocks(fresh))

    def _left(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what stays of the old lines; a block that loses none passes as it is."""
        tails = {graph: b" ." if graph is None else b" <" + graph.encode() + b"> .\n" for graph in self._cleared}
        removed = sorted(self._removed)
        for block in blocks:
            tests = [inside for graph, inside in self._cleared.items() if tails[graph] in block]
            if not tests and not _within(block, removed):
                yield block
                continue
            kept = [
                line for line in split_lines(block) if line not in self._removed and not any(t(line) for t in tests)
            ]
            if kept:
                yield _joined(kept)


def _outside(run: pl.Series, graph: str | None, inside: Callable[[bytes], bool]) -> pl.Series:
    """Return the lines that do not lie in a graph; those that do not even end like it are not looked at."""
    suspect = run.bin.ends_with(b" ." if graph is None else b" <" + graph.encode() + b"> .")
    if not suspect.any():
        return run
    kept = [line for line in run.filter(suspect).to_list() if not inside(line)]
    return pl.concat([run.filter(~suspect), pl.Series("line", kept, dtype=pl.Binary)])


def _within(block: bytes, lines: list[bytes]) -> bool:
    """Tell whether any of sorted lines lies between the first and the last of a block."""
    return bool(lines) and bisect_left(lines, _first(block)) < bisect_right(lines, _last(block))


def _first(block: bytes) -> bytes:
    return block[: block.index(b"\n")]


def _last(block: bytes) -> bytes:
    return block[block.rfind(b"\n", 0, -1) + 1 : -1]


def _without_blanks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if _BLANK not in block:
            yield block
        elif kept := [line for line in split_lines(block) if _BLANK not in line]:
            yield _joined(kept)


def _flowing(one: Iterable[bytes], other: Iterable[bytes]) -> Iterator[bytes]:
    """Merge two streams of sorted distinct lines into one."""
    for left, right in _side_by_side(iter(one), iter(other)):
        if not left or not right:
            yield left or right
        else:
            yield _joined(sorted({*split_lines(left), *split_lines(right)}))


def difference(old: Iterable[bytes], new: Iterable[bytes]) -> Diff:
    """Compare two canonical contents."""
    added: list[bytes] = []
    removed: list[bytes] = []
    for left, right in _side_by_side(iter(old), iter(new)):
        if left != right:
            before, after = set(left.split(b"\n")), set(right.split(b"\n"))
            added += sorted(after - before - {b""})
            removed += sorted(before - after - {b""})
    return Diff(added=_joined(added), removed=_joined(removed))


def _side_by_side(one: Iterator[bytes], other: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Cut two streams so that each pair of pieces covers the same stretch of the order; one of a pair may be empty."""
    left, right = next(one, b""), next(other, b"")
    while left and right:
        end = min(_last(left), _last(right))
        (mine, left), (theirs, right) = _cut(left, end), _cut(right, end)
        yield mine, theirs
        left, right = left or next(one, b""), right or next(other, b"")
    while left or right:
        yield left, right
        left, right = next(one, b"") if left else b"", next(other, b"") if right else b""


def _cut(block: bytes, end: bytes) -> tuple[bytes, bytes]:
    """Cut a block behind the last line that is not after `end`."""
    if _last(block) <= end:
        return block, b""
    low, high = 0, len(block)
    while low < high:
        start = block.rfind(b"\n", low, (low + high) // 2) + 1 or low
        stop = block.index(b"\n", start)
        if block[start:stop] <= end:
            low = stop + 1
        else:
            high = start
    return block[:low], block[low:]
