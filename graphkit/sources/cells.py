"""Judges the cells of a table by its description: what fits is brought into XSD's spelling, the rest is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import polars as pl

from graphkit.errors import DataError
from graphkit.sources.csvw import Column, Table
from graphkit.terms import PREFIXES

__all__ = ["AT", "PRECISION", "REFUSED", "ROW", "SLOT", "Judged", "judge", "pattern_of", "refusals"]

ROW: Final = "_row"
"""The column with the number of the row, from 1 for the first below the header."""
AT: Final = "_at"
"""The column with the fragment that leads to the row: `row=17` (RFC 7111) or `/grants/12` (RFC 6901)."""
SLOT: Final = "_slot"
"""The column of a group with the number of its cells."""

REFUSED: Final = pl.Schema(
    {"row": pl.Int64(), "column": pl.String(), "value": pl.String(), "reason": pl.String(), "refused": pl.String()}
)
"""The columns of what was refused; `refused` is row, value or conflict."""

PRECISION: Final = "_precision"
"""What is added to the name of a date for how exact it is."""
_PRECISIONS: Final = {"d": "day", "M": "month", "y": "year"}
_URI: Final = r"^(?:https?|ftp)://[^\s<>\"{}|\\^`/?#\x00-\x20]+(?:[/?#][^\s<>\"{}|\\^`\x00-\x20]*)?$"
_PARTS: Final = re.compile(r"yyyy|yy|MMMM|MMM|MM|M|dd|d|'[^']*'|[^A-Za-z']+|T|.")
_DATES: Final = {
    "yyyy": (r"\d{4}", "%Y"),
    "yy": (r"\d{2}", "%y"),
    "MMMM": (r"[A-Za-z]+", "%B"),
    "MMM": (r"[A-Za-z]{3}", "%b"),
    "MM": (r"\d{2}", "%m"),
    "M": (r"\d{1,2}", "%m"),
    "dd": (r"\d{2}", "%d"),
    "d": (r"\d{1,2}", "%d"),
}
_REASONS: Final = {
    "integer": "is no whole number",
    "decimal": "is no number",
    "date": "is no date",
    "boolean": "is neither of the two words",
    "anyURI": "is no web address",
    "string": "has not the form that is asked for",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """The cells that stand (text in XSD's spelling, null where there is none), and what was refused."""

    frame: pl.DataFrame
    refused: pl.DataFrame


def judge(frame: pl.DataFrame, table: Table) -> Judged:
    """Judge the cells of `frame`, which has text columns of the table's names beside `ROW`.

    A cell that does not fit is left out; where its column is required, or is empty although required, the whole row is.
    A date column gets a companion `<name>_precision` with day, month or year. Columns that the table does not
    describe stay as they are.
    """
    columns = [column for column in table.columns if column.name in frame.columns]
    frame = frame.with_columns(_emptied(column) for column in columns)
    fitting = frame.with_columns(each for column in columns for each in _fitted(column))
    refused = [REFUSED.to_frame()]
    bad_rows = pl.lit(value=False)
    for column in columns:
        wrong = frame[column.name].is_not_null() & fitting[column.name].is_null()
        if column.required:
            bad = fitting[column.name].is_null()
            bad_rows = bad_rows | bad
            refused.append(refusals(frame.filter(bad & ~wrong), column.title, None, "is empty", "row"))
            refused.append(refusals(frame.filter(wrong), column.title, column.name, _reason(column), "row"))
        elif wrong.any():
            refused.append(refusals(frame.filter(wrong), column.title, column.name, _reason(column), "value"))
    return Judged(fitting.filter(~bad_rows), pl.concat(refused))


def refusals(rows: pl.DataFrame, title: str, column: str | None, reason: str, kind: str) -> pl.DataFrame:
    """Write what was refused in `rows`: their cells of `column`, or no value."""
    value = pl.col(column).cast(pl.String) if column else pl.lit("")
    return rows.select(
        pl.col(ROW).cast(pl.Int64).alias("row"),
        pl.lit(title).alias("column"),
        value.str.slice(0, 200).alias("value"),
        pl.lit(reason).alias("reason"),
        pl.lit(kind).alias("refused"),
    )


def _reason(column: Column) -> str:
    words = _REASONS[column.base]
    if column.formats:
        words += f": {' or '.join(column.formats)}"
    if column.minimum is not None or column.maximum is not None:
        least = "" if column.minimum is None else f" at least {column.minimum}"
        most = "" if column.maximum is None else f" at most {column.maximum}"
        words += f",{least}{' and' if least and most else ''}{most} is asked for"
    return words


def _emptied(column: Column) -> pl.Expr:
    """Strip blanks at the ends, and take the words for "nothing" as nothing."""
    text = pl.col(column.name).cast(pl.String).str.strip_chars(" \t\r\n\xa0\u200b\ufeff")
    return pl.when(text.is_in(list(column.null))).then(None).otherwise(text).alias(column.name)


def _fitted(column: Column) -> list[pl.Expr]:
    cell = pl.col(column.name)
    if column.separator is not None:
        return [cell]
    if column.base == "date":
        return _dates(column)
    found = {"integer": _number, "decimal": _number, "boolean": _boolean, "anyURI": _uri, "string": _string}
    return [found[column.base](cell, column).alias(column.name)]


def _string(cell: pl.Expr, column: Column) -> pl.Expr:
    if not column.formats:
        return cell
    return pl.when(cell.str.contains(f"^(?:{column.formats[0]})$")).then(cell)


def _uri(cell: pl.Expr, _: Column) -> pl.Expr:
    return pl.when(cell.str.contains(_URI)).then(cell)


def _boolean(cell: pl.Expr, column: Column) -> pl.Expr:
    yes, _, no = (column.formats[0] if column.formats else "true|false").partition("|")
    return pl.when(cell == yes).then(pl.lit("true")).when(cell == no).then(pl.lit("false"))


def _number(cell: pl.Expr, column: Column) -> pl.Expr:
    """Bring a number into XSD's spelling, exactly: 1.234,50 becomes 1234.50 and 60% becomes 0.60."""
    plain = cell
    if column.thousands:
        grouped = rf"^[+-]?\d{{1,3}}(?:{re.escape(column.thousands)}\d{{3}})+(?:{re.escape(column.decimal)}\d+)?%?$"
        bare = cell.str.replace_all(column.thousands, "", literal=True)
        plain = pl.when(cell.str.contains(grouped)).then(bare).otherwise(cell)
    if column.decimal != ".":
        plain = pl.when(~plain.str.contains(".", literal=True)).then(
            plain.str.replace(column.decimal, ".", literal=True)
        )
    whole = column.base == "integer"
    fits = r"^[+-]?\d+$" if whole else r"^[+-]?(?:\d+\.?\d*|\.\d+)%?$"
    found: pl.Expr = pl.when(plain.str.contains(fits)).then(plain.str.strip_prefix("+"))
    if not whole:
        found = pl.when(found.str.ends_with("%")).then(_hundredth(found)).otherwise(found)
    return _between(found, column)


def _hundredth(text: pl.Expr) -> pl.Expr:
    number = text.str.strip_suffix("%").cast(pl.Decimal(38, 10), strict=False) / pl.lit(100).cast(pl.Decimal(38, 0))
    return number.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")


def _between(number: pl.Expr, column: Column) -> pl.Expr:
    if column.minimum is None and column.maximum is None:
        return number
    value = number.cast(pl.Decimal(38, 10), strict=False)
    fits = value.is_not_null()
    if column.minimum is not None:
        fits &= value >= pl.lit(str(column.minimum)).cast(pl.Decimal(38, 10))
    if column.maximum is not None:
        fits &= value <= pl.lit(str(column.maximum)).cast(pl.Decimal(38, 10))
    return pl.when(fits).then(number)


def _dates(column: Column) -> list[pl.Expr]:
    """Read a date by the first pattern that it has the shape of, and say how exact it is."""
    cell = pl.col(column.name)
    day, precision = pl.lit(None, pl.String), pl.lit(None, pl.String)
    for pattern in reversed(column.formats or ("yyyy-MM-dd",)):
        shape, form, known = pattern_of(pattern)
        filled = pl.concat_str(cell, pl.lit({"day": "", "month": " 01", "year": " 01 01"}[known]))
        form += {"day": "", "month": " %d", "year": " %m %d"}[known]
        read = filled.str.to_date(form, strict=False, exact=True).dt.to_string("%Y-%m-%d")
        here = cell.str.contains(f"^{shape}$") & read.is_not_null()
        day = pl.when(here).then(read).otherwise(day)
        precision = pl.when(here).then(pl.lit(f"{PREFIXES['voc']}precision/{known}")).otherwise(precision)
    return [day.alias(column.name), precision.alias(column.name + PRECISION)]


def pattern_of(pattern: str) -> tuple[str, str, str]:
    r"""Turn a date pattern of Unicode TR 35 into a regular expression, a strptime format and its precision.

    >>> pattern_of("dd. MMM yy")
    ('\\d{2}\\.\\ [A-Za-z]{3}\\ \\d{2}', '%d. %b %y', 'day')
    """
    shape, form, letters = "", "", set[str]()
    for part in _PARTS.findall(pattern):
        if part in _DATES:
            shape, form = shape + _DATES[part][0], form + _DATES[part][1]
            letters.add(part[0])
        elif part.isalpha() and part != "T":
            raise DataError(
                f"the date format '{pattern}' has '{part}', which is not understood", hint="such as dd/MM/yyyy"
            )
        else:
            literal = part.strip("'")
            shape, form = shape + re.escape(literal), form + literal.replace("%", "%%")
    if "y" not in letters or ("d" in letters and "M" not in letters):
        raise DataError(f"the date format '{pattern}' names no year, or a day without a month")
    return shape, form, _PRECISIONS["d" if "d" in letters else "M" if "M" in letters else "y"]
