"""Long lists: found, ordered and cut into pages by the server, so that no page holds them whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl
from flask import request

from webui.pages.blueprint import here
from webui.protocol.problems import Refusal

__all__ = ["ROWS", "Column", "Listed", "asked_date", "asked_number", "listed"]

ROWS: Final = 50
"""So many rows stand on one page of a list."""

_MOST_PAGES: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: its key in the rows, its head, whether it is a number, and by which column it orders.

    The list cannot be ordered by a `fixed` column. The words of a `tight` one stay in a line.
    """

    key: str
    label: str
    number: bool = False
    prose: bool = False
    by: str = ""
    fixed: bool = False
    tight: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list: its rows, where they stand among all, and the addresses of what is before and after."""

    frame: pl.DataFrame
    first: int
    total: int
    earlier: str
    later: str
    heads: tuple[dict[str, Any], ...]
    found: str = ""

    @property
    def last(self) -> int:
        """The number of the last row on this page."""
        return self.first + self.frame.height - 1


def listed(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    *,
    order: str,
    find: Sequence[str] = (),
    rows: int = ROWS,
    prefix: str = "",
) -> Listed:
    """Return the page of a list that the request asks by `?page=`, `?sort=` and `?find=`.

    `order` is the order where none is asked ("-amount": the largest first), `find` are the columns in which `?find=`
    looks, ignoring capitals. `prefix` stands before the names of the parameters where a page has several lists.
    Raises `Refusal` 400 for an order that there is not, 404 for a page.
    """
    wanted = request.args.get("find", "").strip()
    if wanted and find:
        held = [pl.col(name).str.to_lowercase().str.contains(wanted.lower(), literal=True) for name in find]
        frame = frame.filter(pl.any_horizontal(held).fill_null(value=False))
    chosen = request.args.get(f"{prefix}sort", "") or order
    keys = {column.by or column.key for column in columns if not column.fixed}
    name, falling = chosen.removeprefix("-"), chosen.startswith("-")
    if name not in keys:
        raise Refusal(400, f"a list cannot be ordered by '{name[:40]}'", hint=f"there are: {', '.join(sorted(keys))}")
    frame = frame.sort(name, descending=falling, nulls_last=True, maintain_order=True)
    paging = f"{prefix}page"
    page = asked_number(paging, 1, _MOST_PAGES)
    start = (page - 1) * rows
    if start and start >= frame.height:
        raise Refusal(
            404, "the list has no such page", hint=f"it has {frame.height} rows; begin at {here(**{paging: None})}"
        )
    return Listed(
        frame.slice(start, rows),
        start + 1 if frame.height else 0,
        frame.height,
        here(**{paging: page - 1 if page > 2 else None}) if page > 1 else "",  # noqa: PLR2004 - the first has no number
        here(**{paging: page + 1}) if start + rows < frame.height else "",
        tuple(_head(column, name, falling, f"{prefix}sort") for column in columns),
        wanted,
    )


def _head(column: Column, name: str, falling: bool, sort: str) -> dict[str, Any]:
    by = column.by or column.key
    mine = by == name
    next_order = (f"-{by}" if not falling else by) if mine else (f"-{by}" if column.number else by)
    return {
        "key": column.key,
        "label": column.label,
        "number": column.number,
        "prose": column.prose,
        "tight": column.tight,
        "href": "" if column.fixed else here(**{sort: next_order}),
        "sorted": ("descending" if falling else "ascending") if mine else "",
    }


def asked_number(name: str, default: int, most: int, arguments: Mapping[str, str] | None = None) -> int:
    """Read a whole number from 1 to `most` of the request; raises `Refusal` 400 for anything else."""
    text = (arguments or request.args).get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
        raise Refusal(400, f"'{text[:20]}' is no number for '{name}'", hint=f"write a number from 1 to {most:,}")
    return int(text[:9])


def asked_date(name: str, day: str) -> str:
    """Read a year or a day of the request; a year is lengthened by `day` ("-01-01", "-12-31"); empty if not asked.

    Raises `Refusal` 400 for anything else.
    """
    text = request.args.get(name, "").strip()
    if not text:
        return ""
    full = f"{text}{day}" if text.isascii() and text.isdigit() and len(text) == 4 else text  # noqa: PLR2004 - a year
    try:
        return date.fromisoformat(full).isoformat()
    except ValueError as error:
        raise Refusal(400, f"'{text[:20]}' is no year or day", where=name, hint="write 2014 or 2014-05-31") from error
