"""What the readers give: rows in batches, each a frame of text, with what they could not make a row of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

import polars as pl

from graphkit.errors import DataError
from graphkit.sources.cells import REFUSED
from graphkit.sources.csvw import Table

__all__ = ["Batch", "Heading", "Notes", "column_name", "heading_for"]

_NUMBER: Final = re.compile(r"(?<=[/:])\d+(?=[/:])")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: `frame` has the columns ROW and AT and those of the table by name, all text.

    `groups` has a frame for each group of cells that may repeat in a row, with ROW and SLOT. `refused` are rows that
    are none. `rows` counts the rows that were read, the refused ones too.
    """

    frame: pl.DataFrame
    groups: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    refused: pl.DataFrame = field(default_factory=REFUSED.to_frame)
    rows: int = 0


@dataclass(slots=True)
class Notes:
    """What was seen beside the described cells: titles or paths that no column describes, with their values' number.

    For CSV the number is 0, because whole columns are left aside.
    """

    unknown: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Heading:
    """How the titles of a file are understood: for each, the column's name and the number in its title, if any."""

    names: tuple[tuple[str, int | None] | None, ...]
    unknown: tuple[str, ...]


def heading_for(titles: Sequence[str], table: Table, where: str) -> Heading:
    """Match the titles of a file with the columns of the table.

    Raises `DataError` where a title stands twice, where two differ only by case, where one is that of a described
    column but for case or blanks, and where a required column is missing.
    """
    _refuse_twins(titles, where)
    if table.open:
        names = [(column_name(title), None) for title in titles]
        _refuse_same_names(titles, [name for name, _ in names], where)
        return Heading(tuple(names), ())
    known = {title: column.name for column in table.columns for title in column.titles}
    found = [_match(title, known) for title in titles]
    unknown = tuple(title for title, match in zip(titles, found, strict=True) if match is None)
    _refuse_near(unknown, known, where)
    _require(titles, {match[0] for match in found if match}, table, where)
    return Heading(tuple(found), unknown)


def _match(title: str, known: Mapping[str, str]) -> tuple[str, int | None] | None:
    if title in known:
        return known[title], None
    number = _NUMBER.search(title)
    starred = _NUMBER.sub("*", title, count=1)
    return (known[starred], int(number[0])) if number and starred in known else None


def _refuse_twins(titles: Sequence[str], where: str) -> None:
    seen = dict[str, str]()
    for title in titles:
        key = title.strip().casefold()
        if key in seen:
            same = seen[key] == title
            what = f"the column '{title}' stands there twice" if same else None
            raise DataError(
                what or f"the columns '{seen[key]}' and '{title}' differ only by case or blanks",
                where=f"{where}, header",
                hint="rename or remove one of them: which is meant cannot be guessed",
            )
        seen[key] = title


def _refuse_near(unknown: Sequence[str], known: Mapping[str, str], where: str) -> None:
    plain = {title.strip().casefold(): title for title in known}
    for title in unknown:
        meant = plain.get(title.strip().casefold())
        if meant is not None:
            raise DataError(
                f"the column '{title}' is written '{meant}' in the description of the table",
                where=f"{where}, header",
                hint="write it alike in both, or add the title to the description",
            )


def _require(titles: Sequence[str], found: set[str], table: Table, where: str) -> None:
    missing = [
        column for column in table.columns if column.required and not column.virtual and column.name not in found
    ]
    if not missing:
        return
    near = get_close_matches(missing[0].title, titles, n=3, cutoff=0.5)
    wanted = " or ".join(f"'{title}'" for title in missing[0].titles)
    raise DataError(
        f"the file has no column {wanted}",
        where=f"{where}, header",
        hint=f"did you mean: {', '.join(near)}?" if near else f"its columns are: {', '.join(titles)[:300]}",
    )


def _refuse_same_names(titles: Sequence[str], names: Sequence[str], where: str) -> None:
    seen = dict[str, str]()
    for title, name in zip(titles, names, strict=True):
        if name in seen:
            raise DataError(
                f"the columns '{seen[name]}' and '{title}' would have the same name, {name}",
                where=f"{where}, header",
                hint="rename one of them, or describe the table in a table.csvw.json",
            )
        seen[name] = title


def column_name(title: str) -> str:
    """Make the name of a column that no description names from its title.

    >>> column_name("Total project costs £m"), column_name("2016")
    ('total_project_costs_m', 'c_2016')
    """
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return name if name[:1].isalpha() else f"c_{name}".rstrip("_")
