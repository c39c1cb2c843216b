"""Reads the records of a JSON file in batches: one after the other, never the whole file at once."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn, cast

import polars as pl

from graphkit.errors import DataError
from graphkit.sources.batches import Batch, Notes, column_name
from graphkit.sources.cells import AT, REFUSED, ROW, SLOT
from graphkit.sources.csvw import Table
from graphkit.sources.opening import Pieces

__all__ = ["MOST_RECORD", "read_json"]

MOST_RECORD: Final = 16 * 1024**2
"""The most characters that one record, or anything beside the records, may have."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"/\d+(?=/|$)")
_ENDS_NUMBER: Final = frozenset("0123456789+-.eE")


def read_json(pieces: Pieces, table: Table, records: str, batch_bytes: int, notes: Notes) -> Iterator[Batch]:
    """Yield the records at the pointer `records` ("/*" for a list, "/grants/*" for a list in an object).

    A title of the table is the path of a value within a record: "name", "location/0/name", or "location/*/name" for
    a group that may repeat. Raises `DataError` with line and column where the JSON is malformed or breaks off, has a
    key twice in one object, or has a record longer than 16 million characters.
    """
    keys = _path(records)
    prefix = "".join(f"/{key}" for key in keys)
    maker, size = _Maker(table, prefix, notes), 0
    text = _Text(pieces, table.dialect.encoding)
    for record, length in text.records(keys):
        maker.add(record)
        size += length
        if size >= batch_bytes:
            yield maker.batch()
            size = 0
    if maker.pending:
        yield maker.batch()


def _path(records: str) -> list[str]:
    parts = records.split("/")
    if parts[0] or parts[-1] != "*" or "*" in parts[1:-1]:
        raise DataError(
            f"'{records}' leads to no records", hint='write "/*" for a list, or "/grants/*" for one in an object'
        )
    return parts[1:-1]


class _Text:
    """A window on the text that is read on as far as the next value needs it."""

    def __init__(self, pieces: Pieces, encoding: str) -> None:
        self._where, self._pieces = str(pieces.path), iter(pieces)
        self._encoding = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
        self._decoder = codecs.getincrementaldecoder(self._encoding)("strict")
        self._json = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_object)
        self._text, self._at, self._ended = "", 0, False
        self._line, self._column = 1, 1

    def records(self, keys: list[str]) -> Iterator[tuple[Any, int]]:
        """Yield each record with its length in characters."""
        for key in keys:
            self._enter(key)
        self._expect("[", "a list of records")
        if self._peek() == "]":
            return
        while True:
            before = self._at
            record = self._value()
            yield record, self._at - before
            if self._separator("]"):
                return
            self._forget()

    def _enter(self, key: str) -> None:
        """Go into the object to the value of `key`, over the values before it."""
        self._expect("{", f"an object with '{key}'")
        while self._peek() != "}":
            found = self._value()
            self._expect(":", "':'")
            if found == key:
                return
            self._value()
            self._forget()
            if self._separator("}"):
                break
        self._fail(f"there is no '{key}'")

    def _separator(self, end: str) -> bool:
        """Go over a comma, and tell whether the end came instead."""
        found = self._peek()
        if found not in (",", end):
            self._fail(f"',' or '{end}' should stand here")
        self._at += 1
        return found == end

    def _expect(self, mark: str, what: str) -> None:
        if self._peek() != mark:
            self._fail(f"{what} should stand here")
        self._at += 1

    def _peek(self) -> str:
        """Return the next character that is no blank, or "" at the end."""
        while True:
            self._at = cast("re.Match[str]", _SPACE.match(self._text, self._at)).end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _value(self) -> Any:  # noqa: ANN401 - any JSON value
        self._peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    self._fail(error.msg, error.pos)
            except RecursionError:
                self._fail("the values are nested too deeply")
            except DataError as error:
                self._fail(error.what)
            else:
                if end < len(self._text) or self._text[end - 1] not in _ENDS_NUMBER or not self._more():
                    self._at = end
                    return value

    def _more(self) -> bool:
        """Read on, as much again as the value has already; tell whether there was anything."""
        if len(self._text) - self._at > MOST_RECORD:
            self._fail(f"a record is longer than {MOST_RECORD:,} characters")
        wanted, got = max(len(self._text) - self._at, 1), []
        while wanted > 0 and not self._ended:
            piece = next(self._pieces, None)
            self._ended = piece is None
            got.append(self._decoded(piece or b""))
            wanted -= len(got[-1])
        self._text += "".join(got)
        return any(got)

    def _decoded(self, piece: bytes) -> str:
        try:
            return self._decoder.decode(piece, final=self._ended)
        except UnicodeDecodeError as error:
            raise DataError(
                f"the file is not written in {self._encoding}: byte 0x{error.object[error.start]:02X} cannot be read",
                where=self._where,
                hint="JSON is written in UTF-8; else name its encoding with --encoding",
            ) from error

    def _forget(self) -> None:
        """Let go of the text before the window, but keep count of its lines."""
        if self._at > MOST_RECORD // 16:
            self._line, self._column = self._place(self._at)
            self._text, self._at = self._text[self._at :], 0

    def _place(self, at: int) -> tuple[int, int]:
        lines = self._text.count("\n", 0, at)
        return self._line + lines, at - self._text.rfind("\n", 0, at) if lines else self._column + at

    def _fail(self, what: str, at: int | None = None) -> NoReturn:
        at = self._at if at is None else at
        line, column = self._place(at)
        cut = self._ended and not self._text[at:].strip()
        raise DataError(
            "the JSON breaks off in the middle" if cut else f"the JSON cannot be read: {what}",
            where=f"{self._where}, line {line}, column {column}",
            hint="the file may be cut off: fetch it again" if cut else "",
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise DataError(f"an object has the key '{twice}' twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise DataError(f"{name} is no JSON number")


class _Maker:
    """Lays records out as rows."""

    def __init__(self, table: Table, prefix: str, notes: Notes) -> None:
        self._table, self._prefix, self._notes = table, prefix, notes
        self._known = {title: column.name for column in table.columns for title in column.titles}
        self._rows: list[dict[str, Any]] = []
        self._groups: dict[str, list[dict[str, Any]]] = {}
        self._refused: list[tuple[int, str, str, str, str]] = []
        self._first = self._count = 0

    @property
    def pending(self) -> bool:
        """Whether anything was added since the last batch."""
        return self._count > self._first

    def add(self, record: object) -> None:
        """Lay out one record; what is no object is refused."""
        self._count += 1
        if not isinstance(record, dict):
            self._refused.append((self._count, "", json.dumps(record, default=str)[:200], "is no object", "row"))
            return
        row: dict[str, Any] = {ROW: self._count, AT: f"{self._prefix}/{self._count - 1}"}
        slots: dict[tuple[str, int], dict[str, Any]] = {}
        for path, value in _leaves(record, ""):
            self._place(path, value, row, slots)
        self._rows.append(row)
        for (group, slot), cells in slots.items():
            self._groups.setdefault(group, []).append({ROW: self._count, SLOT: slot, **cells})

    def _place(self, path: str, value: str, row: dict[str, Any], slots: dict[tuple[str, int], dict[str, Any]]) -> None:
        if self._table.open:
            row[column_name(path)] = value
            return
        if path in self._known:
            row.setdefault(self._known[path], value)
            return
        starred = _NUMBER.sub("/*", path, count=1)
        name = self._known.get(starred)
        if name is None:
            self._notes.unknown[_NUMBER.sub("/*", path)] += 1
            return
        group, _, part = name.partition(".")
        slot = int(cast("re.Match[str]", _NUMBER.search(path))[0][1:])
        slots.setdefault((group, slot), {})[part] = value

    def batch(self) -> Batch:
        """Give what was added since the last batch."""
        names = dict.fromkeys(name for row in self._rows for name in row) or {ROW: None, AT: None}
        frame = _frame(self._rows, tuple(names))
        parts: Mapping[str, list[str]] = {
            group: list(dict.fromkeys(name for row in rows for name in row)) for group, rows in self._groups.items()
        }
        groups = {group: _frame(self._groups[group], tuple(names)) for group, names in parts.items()}
        refused = pl.DataFrame(self._refused, schema=REFUSED, orient="row")
        found = Batch(frame, groups, refused, self._count - self._first)
        self._rows, self._groups, self._refused, self._first = [], {}, [], self._count
        return found


def _frame(rows: list[dict[str, Any]], names: tuple[str, ...]) -> pl.DataFrame:
    schema = {name: pl.Int64() if name in (ROW, SLOT) else pl.String() for name in names}
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in names}, schema=schema)


def _leaves(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield each value that is neither object nor list with its path; null is no value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}/{key}" if path else key)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}/{place}" if path else str(place))
    elif value is not None:
        yield path, _word(value)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
