"""A frame as text: a table for people, CSV and JSON for machines, and CSV that a spreadsheet can open safely."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphkit.errors import unknown_name
from graphkit.terms import compact

__all__ = ["FRAME_FORMATS", "frame_to_text", "json_value"]

_FORMULA_START: Final = r"^[=+\-@\t\r]"
_WIDTH: Final = 120
_NUMBERS = (pl.Int64, pl.Float64, pl.Decimal)


def frame_to_text(frame: pl.DataFrame, name: str) -> str:
    """Write a frame in one of `FRAME_FORMATS`; raises `UnknownNameError` for any other name.

    >>> print(frame_to_text(pl.DataFrame({"name": ["Mill"], "ties": [3]}), "csv"), end="")
    name,ties
    Mill,3
    """
    if name not in FRAME_FORMATS:
        raise unknown_name("format of a table", name, FRAME_FORMATS)
    return FRAME_FORMATS[name](frame)


def _csv(frame: pl.DataFrame) -> str:
    return frame.write_csv()


def _tsv(frame: pl.DataFrame) -> str:
    return frame.write_csv(separator="\t")


def _spreadsheet(frame: pl.DataFrame) -> str:
    """Write CSV in which no text begins a formula: such a text gets an apostrophe in front."""
    text = pl.col(pl.String)
    formula = text.str.contains(_FORMULA_START)
    safe = frame.with_columns(pl.when(formula).then(pl.lit("'") + text).otherwise(text).name.keep())
    return safe.write_csv(include_bom=True)


def json_value(value: object) -> object:
    """Return what stands for `value` in JSON: ISO text for a date, a number for a decimal.

    >>> json_value(Decimal("1200.50"))
    1200.5
    """
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def _json(frame: pl.DataFrame) -> str:
    rows = [{column: json_value(value) for column, value in row.items()} for row in frame.iter_rows(named=True)]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def _table(frame: pl.DataFrame) -> str:
    """Draw a table as wide as the terminal (or 120), IRIs shortened by known prefixes, long cells folded."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column, kind in frame.schema.items():
        table.add_column(Text(column), justify="right" if kind in _NUMBERS else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(Text("" if cell is None else compact(str(cell))) for cell in row))
    sink = io.StringIO()
    width = shutil.get_terminal_size((_WIDTH, 0)).columns
    console = Console(file=sink, width=width, highlight=False, color_system=None)
    console.print(table)
    rows = "row" if frame.height == 1 else "rows"
    return "\n".join(line.rstrip() for line in sink.getvalue().splitlines()) + f"\n\n{frame.height} {rows}\n"


FRAME_FORMATS: Final[Mapping[str, Callable[[pl.DataFrame], str]]] = MappingProxyType(
    {"table": _table, "csv": _csv, "tsv": _tsv, "json": _json, "spreadsheet": _spreadsheet}
)
"""The formats of a frame by name; `spreadsheet` is CSV that no spreadsheet takes for formulas."""
