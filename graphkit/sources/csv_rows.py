"""Reads CSV in batches: checks encoding, header and the number of cells of each row, in bounded memory.

Records are cut where a line ends outside quotes; numpy finds these places and polars reads the cells, so that a file
of any length is read at the speed of both.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from graphkit.errors import DataError
from graphkit.sources.batches import Batch, Heading, Notes, heading_for
from graphkit.sources.cells import AT, REFUSED, ROW, SLOT
from graphkit.sources.csvw import Dialect, Table
from graphkit.sources.opening import Pieces

__all__ = ["MOST_RECORD", "read_csv"]

MOST_RECORD: Final = 16 * 1024**2
"""The most bytes that one record may have; a longer one is a quote that was never closed, or no CSV."""

_NEWLINE: Final = 10
_MARKS: Final = 3
_SHOWN: Final = 200


def read_csv(pieces: Pieces, table: Table, batch_bytes: int, notes: Notes) -> Iterator[Batch]:
    """Yield the rows of a CSV file in batches of about `batch_bytes`.

    Raises `DataError` where the encoding or the header is not the described one, or a record is longer than
    16 MB. A row with too many or too few cells is refused; empty lines are no rows.
    """
    reader = _Reader(pieces, table, notes)
    for block in _blocks(_decoded(pieces, table.dialect), table.dialect, batch_bytes, str(pieces.path)):
        batch = reader.read(block)
        if batch is not None:
            yield batch
    reader.finish()


def _decoded(pieces: Pieces, dialect: Dialect) -> Iterator[bytes]:
    """Yield the text as UTF-8, and refuse what is not in the described encoding."""
    encoding = "utf-8-sig" if codecs.lookup(dialect.encoding).name == "utf-8" else dialect.encoding
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    unicode = _LooksLikeUtf8() if encoding != "utf-8-sig" else None
    line, last = 1, b""
    try:
        for piece in pieces:
            last = piece
            if unicode:
                unicode.look(piece)
            yield decoder.decode(piece).encode()
            line += piece.count(b"\n")
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        at = line + last[: error.start].count(b"\n")
        raise DataError(
            f"the file is not written in {dialect.encoding}: the byte 0x{error.object[error.start]:02X} cannot be read",
            where=f"{pieces.path}, line {at}",
            hint="name its encoding with --encoding, such as cp1252 or cp1250",
        ) from error
    if unicode and unicode.found:
        raise DataError(
            f"the file is described as {dialect.encoding}, and is written in UTF-8",
            where=str(pieces.path),
            hint="give --encoding utf-8",
        )


class _LooksLikeUtf8:
    """Tells whether bytes that are not all ASCII make sense as UTF-8, which no other encoding does by chance."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._fits, self._marks = True, 0

    @property
    def found(self) -> bool:
        return self._fits and self._marks >= _MARKS

    def look(self, piece: bytes) -> None:
        if not self._fits:
            return
        try:
            self._marks += len(piece) - len(self._decoder.decode(piece))
        except UnicodeDecodeError:
            self._fits = False


def _blocks(texts: Iterator[bytes], dialect: Dialect, size: int, where: str) -> Iterator[bytes]:
    """Yield whole records, about `size` bytes of them at a time."""
    kept, line = b"", 1
    for text in texts:
        kept += text
        if len(kept) < size:
            continue
        end = _last_end(kept, dialect)
        if end:
            yield kept[:end]
            line += kept.count(b"\n", 0, end)
            kept = kept[end:]
        if len(kept) > MOST_RECORD:
            raise DataError(
                f"a record is longer than {MOST_RECORD:,} bytes",
                where=f"{where}, from line {line}",
                hint=f"perhaps a quote ({dialect.quote}) is never closed, or the file is no CSV",
            )
    if kept:
        yield kept if kept.endswith(b"\n") else kept + b"\n"


def _last_end(text: bytes, dialect: Dialect) -> int:
    ends = _outside(text, _NEWLINE, dialect)
    return int(ends[-1]) + 1 if ends.size else 0


def _outside(text: bytes, byte: int, dialect: Dialect) -> npt.NDArray[np.intp]:
    """Find where `byte` stands outside quotes."""
    data = np.frombuffer(text, dtype=np.uint8)
    places = np.flatnonzero(data == byte)
    quotes = np.flatnonzero(data == ord(dialect.quote))
    return places[np.searchsorted(quotes, places) % 2 == 0] if quotes.size else places


@dataclass(slots=True)
class _Reader:
    """Turns blocks of records into batches, the first record being the header."""

    pieces: Pieces
    table: Table
    notes: Notes
    heading: Heading | None = None
    titles: tuple[str, ...] = ()
    rows: int = 0
    skip: int = field(init=False)

    def __post_init__(self) -> None:
        self.skip = self.table.dialect.skip

    def read(self, block: bytes) -> Batch | None:
        """Read a block; None where it held nothing but the header or empty lines."""
        dialect = self.table.dialect
        ends = _outside(block, _NEWLINE, dialect) + 1
        if not ends.size:
            raise DataError(
                "a quote is never closed",
                where=f"{self.pieces.path}, after row {self.rows}",
                hint="the file may be cut off",
            )
        if int(ends[-1]) < len(block):
            raise DataError(
                "the last record has a quote that is never closed",
                where=f"{self.pieces.path}, after row {self.rows + ends.size - 1}",
                hint="the file may be cut off",
            )
        starts = np.concatenate(([0], ends[:-1]))
        if self.heading is None:
            first = self._header(block, starts, ends)
            starts, ends = starts[first:], ends[first:]
        starts, ends = _without_empty(block, starts, ends)
        return self._batch(block, starts, ends) if starts.size else None

    def finish(self) -> None:
        """Refuse a file that has no header."""
        if self.heading is None:
            raise DataError("the file is empty", where=str(self.pieces.path), hint="give a file with a header line")

    def _header(self, block: bytes, starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]) -> int:
        """Read the header and return how many records it and what stands above it take."""
        if self.skip >= starts.size:
            raise DataError("the file has no header", where=str(self.pieces.path))
        line = block[starts[self.skip] : ends[self.skip]]
        if b"\r" in line.rstrip(b"\r\n"):
            raise DataError(
                "the lines end with CR alone",
                where=str(self.pieces.path),
                hint="save the file with LF or CRLF line ends",
            )
        cells = self._parsed(line)
        if cells is None:
            raise DataError("the header cannot be read", where=f"{self.pieces.path}, header")
        self.titles = tuple(str(cell or "") for cell in cells.row(0))
        delimiter = self.table.dialect.delimiter
        if len(self.titles) == 1 and (
            other := next((d for d in ",;\t|" if d in self.titles[0] and d != delimiter), "")
        ):
            raise DataError(
                f"the header has one cell only, with the separator {delimiter!r}",
                where=f"{self.pieces.path}, header",
                hint=f"it looks as if {other!r} separates the cells: name it with --delimiter",
            )
        self.heading = heading_for(self.titles, self.table, str(self.pieces.path))
        self.notes.unknown.update(dict.fromkeys(self.heading.unknown, 0))
        return self.skip + 1

    def _batch(self, block: bytes, starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]) -> Batch:
        between = _outside(block, ord(self.table.dialect.delimiter), self.table.dialect)
        counts = np.searchsorted(between, ends) - np.searchsorted(between, starts) + 1
        numbers = np.arange(self.rows + 1, self.rows + 1 + starts.size)
        self.rows += int(starts.size)
        good = counts == len(self.titles)
        frame, misread = self._read_rows(block, numbers[good], starts[good], ends[good])
        refused = pl.concat([_miscounted(numbers[~good], counts[~good], len(self.titles)), misread])
        return self._named(frame, refused, int(starts.size))

    def _read_rows(
        self, block: bytes, numbers: npt.NDArray[np.intp], starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Read the cells of rows; where quotes make them doubtful, row by row, and refuse the misread."""
        records = _Records(block, starts, ends)
        frame = self._parsed(records.joined()) if numbers.size else pl.DataFrame(schema=_schema(len(self.titles)))
        if frame is not None and frame.height == numbers.size:
            return frame.with_columns(pl.Series(ROW, numbers, pl.Int64)), REFUSED.to_frame()
        parts, refused = [], []
        for number, record in zip(numbers.tolist(), records, strict=True):
            one = self._parsed(record)
            if one is not None and one.height == 1:
                parts.append(one.with_columns(pl.lit(number, pl.Int64).alias(ROW)))
            else:
                text = record.decode().strip()[:_SHOWN]
                refused.append((number, "", text, "has a quote inside a cell that is not quoted", "row"))
        schema = pl.Schema({**_schema(len(self.titles)), ROW: pl.Int64()})
        return pl.concat([schema.to_frame(), *parts]), pl.DataFrame(refused, schema=REFUSED, orient="row")

    def _parsed(self, text: bytes) -> pl.DataFrame | None:
        """Read cells; None where polars finds other cells than were counted."""
        width = len(self.titles) or None
        try:
            return pl.read_csv(
                io.BytesIO(text),
                has_header=False,
                separator=self.table.dialect.delimiter,
                quote_char=self.table.dialect.quote,
                infer_schema=False,
                schema=_schema(width) if width else None,
                raise_if_empty=False,
            )
        except pl.exceptions.PolarsError:
            return None

    def _named(self, frame: pl.DataFrame, refused: pl.DataFrame, rows: int) -> Batch:
        """Give the columns their names, and put the numbered ones into groups."""
        if self.heading is None:
            raise DataError("the file has no header", where=str(self.pieces.path))
        plain, grouped = dict[str, pl.Expr](), dict[str, dict[int, list[pl.Expr]]]()
        for place, match in enumerate(self.heading.names):
            cell = pl.col(f"c{place}")
            if match is None:
                continue
            name, number = match
            if "." not in name:
                plain[name] = cell.alias(name) if name not in plain else pl.coalesce(plain[name], cell).alias(name)
            else:
                group, _, part = name.partition(".")
                grouped.setdefault(group, {}).setdefault(number or 0, []).append(cell.alias(part))
        at = pl.format("row={}", pl.col(ROW)).alias(AT)
        groups = {name: _group(frame, slots) for name, slots in grouped.items()}
        return Batch(frame.select(ROW, at, *plain.values()), groups, refused, rows)


@dataclass(frozen=True, slots=True)
class _Records:
    """Some records of a block, which need not follow each other."""

    block: bytes
    starts: npt.NDArray[np.intp]
    ends: npt.NDArray[np.intp]

    def __iter__(self) -> Iterator[bytes]:
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            yield self.block[start:end]

    def joined(self) -> bytes:
        """Return all of them as one text, without copying each where nothing stands between them."""
        if bool((self.starts[1:] == self.ends[:-1]).all()):
            return self.block[int(self.starts[0]) : int(self.ends[-1])]
        return b"".join(self)


def _group(frame: pl.DataFrame, slots: dict[int, list[pl.Expr]]) -> pl.DataFrame:
    parts = [frame.select(ROW, pl.lit(slot, pl.Int64).alias(SLOT), *cells) for slot, cells in sorted(slots.items())]
    whole = pl.concat(parts, how="diagonal")
    return whole.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in whole.columns[2:]))


def _schema(width: int) -> pl.Schema:
    return pl.Schema({f"c{place}": pl.String() for place in range(width)})


def _without_empty(
    block: bytes, starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Leave out lines that hold nothing."""
    short = np.flatnonzero(ends - starts <= 2)  # noqa: PLR2004 - \n or \r\n
    empty = [place for place in short.tolist() if not block[starts[place] : ends[place]].strip(b"\r\n")]
    return np.delete(starts, empty), np.delete(ends, empty)


def _miscounted(rows: npt.NDArray[np.intp], counts: npt.NDArray[np.intp], wanted: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "row": rows.astype(np.int64),
            "column": [""] * rows.size,
            "value": [str(count) for count in counts.tolist()],
            "reason": [f"has {count} cells, and the header {wanted}" for count in counts.tolist()],
            "refused": ["row"] * rows.size,
        },
        schema=REFUSED,
    )
