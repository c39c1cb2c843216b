"""Read RDF into the spelling of the engine: blocks of N-Quads, of large files of lines a piece at a time."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

import pyoxigraph as ox

from graphkit.errors import DataError
from graphkit.store.formats import MOST_UNPACKED_BYTES, read_source, source_format
from graphkit.store.lines import whole_lines

__all__ = ["normal_blocks"]

PIECE_BYTES: Final = 8 * 1024**2
_NQ: Final = ox.RdfFormat.N_QUADS
_LINES: Final = (_NQ, ox.RdfFormat.N_TRIPLES)
_BLANK: Final = b"_:"


@dataclass(frozen=True, slots=True)
class _Source:
    """Where lines come from, how they are read, and how an error names the place."""

    source: Path | bytes
    form: ox.RdfFormat
    graph: str | None
    base: str | None

    @property
    def where(self) -> str:
        return str(self.source) if isinstance(self.source, Path) else "the given bytes"

    def open(self) -> BinaryIO | gzip.GzipFile:
        if isinstance(self.source, bytes):
            return BytesIO(self.source)
        return gzip.open(self.source) if self.source.suffix.lower() == ".gz" else self.source.open("rb")


def normal_blocks(
    source: Path | bytes, *, media_type: str | None = None, graph: str | None = None, base: str | None = None
) -> Iterator[bytes]:
    """Yield the quads of a source as N-Quads, as the engine writes them; the lines come in no order, maybe twice.

    A large file of N-Triples or N-Quads without blank nodes is read in pieces of 8 MiB; anything else whole, because
    what a line means may depend on another. The errors are those of `read_source`.
    """
    lines = _Source(source, source_format(source, media_type), graph, base)
    if lines.form in _LINES and _is_large(source) and not _has_blanks(lines):
        yield from _by_pieces(lines)
    else:
        held = read_source(source, media_type=media_type, graph=graph, base=base)
        yield held.dump(format=_NQ) or b""


def _is_large(source: Path | bytes) -> bool:
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
    except OSError:
        return False
    packed = isinstance(source, Path) and source.suffix.lower() == ".gz"
    return size > (PIECE_BYTES // 32 if packed else PIECE_BYTES)


def _has_blanks(lines: _Source) -> bool:
    return any(_BLANK in piece for piece in _pieces(lines))


def _by_pieces(lines: _Source) -> Iterator[bytes]:
    first = 0
    for piece in _pieces(lines):
        held = read_source(
            piece,
            media_type=lines.form.media_type,
            graph=lines.graph,
            base=lines.base,
            where=lines.where,
            lines_before=first,
        )
        first += piece.count(b"\n")
        yield held.dump(format=_NQ) or b""


def _pieces(lines: _Source) -> Iterator[bytes]:
    """Yield the source in pieces of whole lines."""
    limit = lines.source.suffix.lower() == ".gz" if isinstance(lines.source, Path) else False
    read = 0
    try:
        with closing(lines.open()) as file:
            for piece in whole_lines(file, PIECE_BYTES):
                read += len(piece)
                if limit and read > MOST_UNPACKED_BYTES:
                    raise DataError(
                        f"the file unpacks to more than {MOST_UNPACKED_BYTES:,} bytes",
                        where=lines.where,
                        hint="unpack and split it, if you trust where it comes from",
                    )
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"the file cannot be read: {reason}", where=lines.where) from error
