"""Calls, tenders and funding programmes: what each is about, where, until when, and whether it may be open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import polars as pl

__all__ = ["Call", "calls_of", "still_open"]

_CLOSED: Final = ("completed", "ended")


@dataclass(frozen=True, slots=True)
class Call:
    """An opportunity, or a funding programme (`opportunity` is False): what it is about, where, and until when.

    `themes` and `regions` are pairs of IRI and name, in order.
    """

    iri: str
    label: str
    opportunity: bool
    offered_by: tuple[str, ...]
    offered_by_labels: tuple[str, ...]
    deadline: date | None
    themes: tuple[tuple[str, str], ...]
    regions: tuple[tuple[str, str], ...]


def calls_of(frame: pl.DataFrame) -> tuple[Call, ...]:
    """Make the calls of the rows of `gaps/calls`, in order of IRI."""
    groups = groupby(frame.sort("call", "label").iter_rows(named=True), key=itemgetter("call"))
    return tuple(_call(str(iri), list(rows)) for iri, rows in groups)


def still_open(calls: pl.DataFrame, day: date, thing: str = "opportunity") -> pl.DataFrame:
    """Keep the rows about calls that may be open on `day`; `thing` is the column that names the call.

    The rows have a status, a deadline and the day of publication (`issued`). Shut is what has a status that closes it,
    which the queries also say of what led to a contract, or a deadline that is past. One without a deadline is taken
    for open for a year from its publication, and always where that has no date.
    """
    status = pl.col("status").cast(pl.String).str.split("/").list.last()
    closed = status.is_in(_CLOSED).fill_null(value=False)
    deadline, issued = (pl.col(name).cast(pl.Date) for name in ("deadline", "issued"))
    past = (deadline < day).fill_null(value=False)
    old = (deadline.is_null() & (issued.dt.offset_by("1y") < day)).fill_null(value=False)
    shut = calls.filter(closed | past | old)[thing]
    return calls.filter(~pl.col(thing).is_in(shut.implode()))


def _call(iri: str, rows: Sequence[Mapping[str, Any]]) -> Call:
    def pairs(name: str) -> tuple[tuple[str, str], ...]:
        found = {(row[name], row[f"{name}_label"]) for row in rows}
        return tuple(sorted(pair for pair in found if None not in pair))

    offering = pairs("offered_by")
    return Call(
        iri=iri,
        label=str(rows[0]["label"]),
        opportunity=bool(rows[0]["opportunity"]),
        offered_by=tuple(offerer for offerer, _ in offering),
        offered_by_labels=tuple(label for _, label in offering),
        deadline=min((row["deadline"] for row in rows if row["deadline"]), default=None),
        themes=pairs("theme"),
        regions=pairs("region"),
    )
