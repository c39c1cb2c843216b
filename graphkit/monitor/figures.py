"""The figures of indicators: run the stored query of each, and judge what it answers by coverage, age and target."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final

import numpy as np
import polars as pl
from scipy import sparse

from graphkit import queries
from graphkit.errors import QueryError
from graphkit.measures.nulls import Joint, bicm, joint_activities
from graphkit.monitor.base import Figure, months_between
from graphkit.network import Matrix
from graphkit.store.base import Readable
from graphkit.terms import QUERY

__all__ = ["COLUMNS", "figures_of"]

COLUMNS: Final = ("figure", "value", "unit", "covered", "total", "coverage", "method", "newest")
"""What a query of figures answers; one tagged `expectation` answers activity, organisation, side, date instead."""

_LEAST_EXPECTED: Final = 3.0
_MEETINGS: Final = ("activity", "organisation", "side", "date")
_LONG_NUMBER: Final = re.compile(r"(?<![\d.\-/])[1-9]\d{4,}(?![\d\-/])")
_log = logging.getLogger(__name__)


def figures_of(store: Readable, today: date, reviews: Mapping[str, int | None] | None = None) -> list[Figure]:
    """Work out the figures of the indicators in `store` as of `today`, in order of what they are about.

    With `reviews` only indicators of what stands there are worked out, else those of evaluation measures too.
    `reviews` are the months after which the evidence for a commitment is stale. Nothing after `today` is counted.
    Raises `UnknownNameError` for a query that is not in the catalogue, `QueryError` where its answer is not that of
    an indicator.
    """

    @cache
    def answered(query: str, since: date | None, until: date) -> list[dict[str, Any]]:
        return _answer(store, query, since, until)

    found: list[Figure] = []
    for row in queries.run(store, "monitor/indicators").rows(named=True):
        if reviews is not None and row["about"] not in reviews:
            continue
        review = (reviews or {}).get(row["about"])
        if not row["query"]:
            found.append(_figure(row, _nothing(row, row["coverage"]), "", today, review))
            continue
        name = str(row["query"]).removeprefix(QUERY)
        answer = answered(name, row["since"], min(today, row["until"] or today))
        each = answer or [_nothing(row, f"the graph holds nothing that {name} could count")]
        found += [_figure(row, line, name, today, review) for line in each]
    _log.info("%d figures worked out", len(found))
    return found


def _nothing(row: Mapping[str, Any], why: str | None) -> dict[str, Any]:
    """Stand for the figure of an indicator that nothing can be said about."""
    said = {"figure": row["label"], "unit": row["unit"] or "", "coverage": why or "not stated"}
    return said | {
        "value": None,
        "covered": 0,
        "total": 0,
        "method": row["calculation"] or "not stated",
        "newest": None,
    }


def _answer(store: Readable, name: str, since: date | None, until: date) -> list[dict[str, Any]]:
    query = queries.find(name)
    asked = {"since": since, "until": until}
    known = {parameter.name for parameter in query.parameters}
    values = {key: day.isoformat() for key, day in asked.items() if day and key in known}
    frame = queries.run(store, query, **values)
    wanted = _MEETINGS if "expectation" in query.tags else COLUMNS
    if tuple(frame.columns[: len(wanted)]) != wanted:
        raise QueryError(
            f"the answer has the columns {', '.join(frame.columns)}, which is not that of an indicator",
            where=name,
            hint=f"the columns are {', '.join(wanted)}",
        )
    rows = [_meetings(frame)] if "expectation" in query.tags else frame.to_dicts()
    _refuse_bare(rows, name)
    return [row for row in rows if row is not None]


def _refuse_bare(rows: list[dict[str, Any]], name: str) -> None:
    """Refuse a figure that says neither how much it covers nor how it was worked out."""
    bare = [row["figure"] for row in rows if not (row["coverage"] and row["method"] and row["unit"])]
    if bare:
        raise QueryError(
            f"the figure '{bare[0]}' has no coverage, no method or no unit",
            where=name,
            hint="a figure never stands alone: answer all three in every row",
        )


def _figure(row: Mapping[str, Any], line: Mapping[str, Any], query: str, today: date, review: int | None) -> Figure:
    value = None if line["value"] is None or not line["covered"] else Decimal(str(line["value"]))
    newest = line["newest"] if isinstance(line["newest"], date) else None
    return Figure(
        about=row["about"],
        indicator=row["indicator"],
        label=row["label"],
        name=line["figure"],
        status=_status(value, row["target"], newest, today, review),
        value=value,
        unit=line["unit"],
        covered=int(line["covered"]),
        total=int(line["total"]),
        coverage=_legible(line["coverage"]),
        method=_legible(line["method"]),
        query=query,
        newest=newest,
        target=row["target"],
        as_of=today,
    )


def _legible(words: str) -> str:
    """Part the thousands of the numbers in a text, as `1234567` to `1,234,567`; shorter ones may be years."""
    return _LONG_NUMBER.sub(lambda found: f"{int(found[0]):,}", words)


def _status(value: Decimal | None, target: Decimal | None, newest: date | None, today: date, review: int | None) -> str:
    if value is None:
        return "not-measurable"
    if value == 0:
        return "no-evidence"
    if review is not None and newest is not None and months_between(newest, today) > review:
        return "stale"
    return "on-track" if target is not None and value >= target else "some-evidence"


def _meetings(frame: pl.DataFrame) -> dict[str, Any]:
    """Compare how often the two sides meet with how often chance would have it, as the gap G1 does."""
    pairs = frame.unique(["organisation", "activity"], keep="first", maintain_order=True)
    pairs = pairs.filter(pl.len().over("activity") > 1)
    organisations = pairs.select("organisation", "side").unique("organisation").sort("organisation")
    incidence = _incidence(pairs, organisations["organisation"])
    one, two = (
        np.flatnonzero((organisations["side"] == side).fill_null(value=False).to_numpy()) for side in ("one", "two")
    )
    days = pairs.filter(pl.col("side").is_not_null())["date"].cast(pl.Date).drop_nulls()
    joint = joint_activities(bicm(incidence), incidence, one, two) if one.size and two.size else None
    known = joint is not None and joint.expected >= _LEAST_EXPECTED
    return {
        "figure": "meetings observed for each one expected",
        "value": round(joint.observed / joint.expected, 4) if joint and known else None,
        "unit": "observed / expected",
        "covered": one.size + two.size if known else 0,
        "total": organisations.height,
        "coverage": f"public bodies: {one.size}, core solidarity organisations: {two.size}, of"
        f" {organisations.height} organisations in {incidence.shape[1]} joint activities",
        "method": _method(joint),
        "newest": days.max() if days.len() else None,
    }


def _incidence(pairs: pl.DataFrame, organisations: pl.Series) -> Matrix:
    """Return organisations x activities with 1 where one takes part in the other."""
    activities = pairs["activity"].unique().sort()
    rows, columns = (
        pairs[name].cast(pl.Enum(names)).to_physical().cast(pl.Int64).to_numpy()
        for name, names in (("organisation", organisations), ("activity", activities))
    )
    shape = (organisations.len(), activities.len())
    incidence: Matrix = sparse.coo_array((np.ones(rows.size), (rows, columns)), shape=shape).tocsr()
    return incidence


def _method(joint: Joint | None) -> str:
    model = (
        "pairs of a public body and a core solidarity organisation in one activity,"
        " against a bipartite configuration model"
    )
    if joint is None:
        return f"{model}; one of the two sides takes part in nothing that is known"
    numbers = f"{joint.observed} observed, {joint.expected:.1f} expected"
    if joint.expected < _LEAST_EXPECTED:
        return f"{model}: {numbers}; fewer than {_LEAST_EXPECTED:.0f} expected say nothing either way"
    return f"{model}: {numbers}" + ("" if math.isnan(joint.z) else f", z = {joint.z:.1f}")
