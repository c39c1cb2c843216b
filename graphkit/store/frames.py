"""Read SPARQL results in TSV, the format that is exact about kinds, into a frame of typed columns."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Final

import polars as pl

__all__ = ["frame_from_tsv"]

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_INTEGERS: Final = (
    "integer", "int", "long", "short", "byte",
    "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger",
    "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte",
)  # fmt: skip
_KIND_OF_DATATYPE: Final = {
    **{_XSD + name: "integer" for name in _INTEGERS},
    _XSD + "decimal": "decimal",
    _XSD + "double": "double",
    _XSD + "float": "double",
    _XSD + "boolean": "boolean",
    _XSD + "date": "date",
    _XSD + "dateTime": "datetime",
    _XSD + "dateTimeStamp": "datetime",
}
_LITERAL: Final = r'(?s)^"(?<body>.*)"(?:@[A-Za-z0-9-]+|\^\^<(?<datatype>[^<>"]*)>)?$'
_INTEGER: Final = r"^[+-]?[0-9]+$"
_DECIMAL: Final = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$"
_DOUBLE: Final = r"^(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN)$"
_BOOLEAN: Final = r"^(?:true|false|1|0)$"
_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DATETIME: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})?$"
)
_ZONE: Final = r"(?:Z|[+-][0-9]{2}:[0-9]{2})$"
_ESCAPES: Final = {
    "\\t": "\t",
    "\\n": "\n",
    "\\r": "\r",
    "\\b": "\b",
    "\\f": "\f",
    '\\"': '"',
    "\\'": "'",
    "\\\\": "\\",
}
_CODEPOINT: Final = r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
_MOST_DIGITS: Final = 38


def frame_from_tsv(data: bytes) -> pl.DataFrame:
    r"""Read the answer to a SELECT query, given in TSV, as a frame with a column for each variable.

    The types of the columns are those that `Store.select` promises. A column in which any value does not fit
    the type that it claims (a date "abc") is text as a whole, so nothing is lost and nothing fails.

    >>> frame_from_tsv(b'?name\t?age\n"Ann"@en\t41\n<urn:b>\t\n').rows()
    [('Ann', 41), ('urn:b', None)]
    """
    if data.startswith(b"\n"):
        return pl.DataFrame()
    raw = pl.read_csv(io.BytesIO(data), separator="\t", quote_char=None, infer_schema=False)
    return pl.DataFrame([_column(raw[name]).alias(name.removeprefix("?")) for name in raw.columns])


def _column(raw: pl.Series) -> pl.Series:
    if raw.null_count() == len(raw):
        return raw
    is_iri = raw.str.starts_with("<") & ~raw.str.starts_with("<<")
    if is_iri.all():
        return raw.str.slice(1, raw.str.len_chars() - 2)
    kind, lexical = _terms(raw)
    return _typed(set(kind.drop_nulls().unique()), lexical)


def _terms(raw: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Tell for each term its kind and its lexical value (IRIs without brackets, strings without quotes)."""
    term, literal = pl.col("term"), pl.col("literal").struct
    kind = (
        pl.when(term.str.starts_with('"'))
        .then(literal.field("datatype").replace_strict(_KIND_OF_DATATYPE, default="text", return_dtype=pl.String))
        .when(term.is_in(["true", "false"]))
        .then(pl.lit("boolean"))
        .when(term.str.contains(_INTEGER))
        .then(pl.lit("integer"))
        .when(term.str.contains(_DECIMAL))
        .then(pl.lit("decimal"))
        .when(term.str.contains(_DOUBLE))
        .then(pl.lit("double"))
        .when(term.is_not_null())
        .then(pl.lit("text"))
    )
    lexical = (
        pl.when(term.str.starts_with('"'))
        .then(literal.field("body"))
        .when(term.str.starts_with("<") & ~term.str.starts_with("<<"))
        .then(term.str.slice(1, term.str.len_chars() - 2))
        .otherwise(term)
    )
    frame = pl.DataFrame({"term": raw}).with_columns(literal=term.str.extract_groups(_LITERAL))
    frame = frame.select(kind=kind, lexical=lexical)
    return frame["kind"], _unescaped(frame["lexical"])


def _unescaped(text: pl.Series) -> pl.Series:
    r"""Replace the escapes of TSV by what they stand for.

    All are replaced in one pass from left to right, so that `\\n` (a backslash and an n) is no line break.
    """
    if not text.str.contains("\\", literal=True).any():
        return text
    escapes = _ESCAPES | _codepoints(text)
    return text.str.replace_many(list(escapes), list(escapes.values()))


def _codepoints(text: pl.Series) -> dict[str, str]:
    r"""Map each distinct `\uXXXX` that occurs to its character."""
    found = text.str.extract_all(_CODEPOINT).explode().drop_nulls().unique()
    return {escape: chr(int(escape[2:], 16)) for escape in found if int(escape[2:], 16) <= sys.maxunicode}


def _typed(kinds: set[str], lexical: pl.Series) -> pl.Series:
    reader = _reader(kinds)
    typed = reader(lexical) if reader else None
    return lexical if typed is None or typed.null_count() > lexical.null_count() else typed


def _reader(kinds: set[str]) -> Callable[[pl.Series], pl.Series | None] | None:
    """Return what turns text into the one type that all `kinds` fit, or None where only text fits."""
    if kinds <= {"integer", "decimal", "double"}:
        return _READERS["double" if "double" in kinds else "decimal" if "decimal" in kinds else "integer"]
    return _READERS.get(next(iter(kinds))) if len(kinds) == 1 else None


def _integers(text: pl.Series) -> pl.Series | None:
    if not text.str.contains(_INTEGER).all():
        return None
    narrow = text.cast(pl.Int64, strict=False)
    return narrow if narrow.null_count() == text.null_count() else _decimals(text)


def _decimals(text: pl.Series) -> pl.Series | None:
    if not text.str.contains(_DECIMAL).all():
        return None
    scale = text.str.extract(r"\.([0-9]*)$").str.len_chars().max()
    digits = scale if isinstance(scale, int) else 0
    if digits > _MOST_DIGITS:
        return None
    return text.cast(pl.Decimal(_MOST_DIGITS, digits), strict=False)


def _doubles(text: pl.Series) -> pl.Series | None:
    if not text.str.contains(_DOUBLE).all():
        return None
    return text.str.replace("INF", "inf", literal=True).cast(pl.Float64, strict=False)


def _booleans(text: pl.Series) -> pl.Series | None:
    if not text.str.contains(_BOOLEAN).all():
        return None
    return pl.select(pl.when(text.is_not_null()).then(text.is_in(["true", "1"]))).to_series()


def _dates(text: pl.Series) -> pl.Series | None:
    return text.str.to_date("%Y-%m-%d", strict=False) if text.str.contains(_DATE).all() else None


def _datetimes(text: pl.Series) -> pl.Series | None:
    """Read times with a zone as UTC and times without one as they are; a column of both stays text."""
    if not text.str.contains(_DATETIME).all():
        return None
    zoned = text.str.contains(_ZONE)
    if zoned.all():
        offset = text.str.replace("Z", "+00:00", literal=True)
        return offset.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False)
    if zoned.any():
        return None
    return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)


_READERS: Final[dict[str, Callable[[pl.Series], pl.Series | None]]] = {
    "integer": _integers,
    "decimal": _decimals,
    "double": _doubles,
    "boolean": _booleans,
    "date": _dates,
    "datetime": _datetimes,
}
