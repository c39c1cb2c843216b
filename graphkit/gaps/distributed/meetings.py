"""How often groups meet, and how often they would by chance, counted on Spark and compared here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from itertools import combinations
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.errors import DataError
from graphkit.gaps.distributed.door import Frame, collected, expression, handed_over, kept, smallest
from graphkit.gaps.distributed.spread import Spread
from graphkit.measures.nulls import Bicm, Joint, bicm, joint_activities
from graphkit.network import Matrix

__all__ = ["group_meetings"]

_SCHEMA = {
    "group": pl.String,
    "other": pl.String,
    "observed": pl.Int64,
    "expected": pl.Float64,
    "variance": pl.Float64,
    "z": pl.Float64,
    "p": pl.Float64,
}


def group_meetings(network: Spread, groups: pl.DataFrame) -> pl.DataFrame:
    """Compare for each two groups how often they meet with the bipartite configuration model, as gap G1 does.

    A meeting is a joint activity of one organisation of each group. An organisation may be in several groups; those
    of both are left out of a comparison, and two groups of which one holds the other are not compared. Spark counts
    who takes part in how much and who meets whom; the model is solved here, for the different numbers of activities
    only. This machine holds two numbers for each participation meanwhile.

    Parameters
    ----------
    groups : frame of organisation, group
        Organisations that the network has not are passed over.

    Returns
    -------
    group, other, observed, expected, variance, z (nan where chance allows no variation), p; as
    `graphkit.measures.nulls.joint_activities`. For q see `false_discovery` there.

    Raises `DataError` where a column is missing.
    """
    lacking = [column for column in ("organisation", "group") if column not in groups.columns]
    if lacking:
        raise DataError(f"the groups lack the column '{lacking[0]}'", hint="give the columns organisation, group")
    given = groups.select(pl.col("organisation", "group").cast(pl.String)).drop_nulls().unique()
    names = given["group"].unique().sort().to_list()
    grouped = _grouped(network, given, names)
    both = kept(grouped.join(grouped.selectExpr("id", "g AS h"), "id").where("g < h"))
    rows = _Rows.of(network, grouped, both)
    observed = _observed(network, grouped, both)
    table = []
    for g, h in combinations(range(len(names)), 2):
        joint = rows.compare(g, h, observed.get((g, h), 0))
        if joint is not None:
            table.append((names[g], names[h], *astuple(joint)))
    return pl.DataFrame(table, schema=_SCHEMA, orient="row")


@dataclass(frozen=True)
class _Rows:
    """The model, and how many members of each group, and of both of two groups, are in how many activities.

    Members of equal degree are alike to the model, so that any rows of that degree can stand for them: `begin` is the
    first row of each degree.
    """

    model: Bicm
    begin: Mapping[int, int]
    members: Mapping[int, Mapping[int, int]]
    in_both: Mapping[tuple[int, int], Mapping[int, int]]

    @classmethod
    def of(cls, network: Spread, grouped: Frame, both: Frame) -> _Rows:
        """Count on Spark, solve here."""
        active = network.members.groupBy("id").agg(expression("count(*) AS k"))
        degrees = kept(network.organisations.join(active, "id", "left").selectExpr("id", "coalesce(k, 0) AS k"))
        sizes = network.members.groupBy("activity").agg(expression("count(*) AS k"))
        known, many = _histogram(degrees)
        model = bicm(_with_margins(np.repeat(known, many), np.repeat(*_histogram(sizes))))
        begin = dict(zip(known.tolist(), (np.cumsum(many) - many).tolist(), strict=True))
        members, in_both = defaultdict[int, dict[int, int]](dict), defaultdict[tuple[int, int], dict[int, int]](dict)
        for g, k, count in _counted(grouped.join(degrees, "id"), "g", "k"):
            members[g][k] = count
        for g, h, k, count in _counted(both.join(degrees, "id"), "g", "h", "k"):
            in_both[g, h][k] = count
        return cls(model, begin, members, in_both)

    def compare(self, g: int, h: int, observed: int) -> Joint | None:
        """Compare the members of one group with those of another, or return None where one holds the other."""
        shared = self.in_both.get((g, h), {})
        first: list[int] = []
        second: list[int] = []
        for k, start in self.begin.items():
            mine, yours = (self.members[group].get(k, 0) - shared.get(k, 0) for group in (g, h))
            first += range(start, start + mine)
            second += range(start + mine, start + mine + yours)
        if not (first and second):
            return None
        met = sparse.coo_array(
            ([observed, 1.0], ([first[0], second[0]], [0, 0])), shape=(self.model.row_classes.size, 1)
        )
        return joint_activities(self.model, met.tocsr(), first, second)


def _grouped(network: Spread, groups: pl.DataFrame, names: list[str]) -> Frame:
    """Return who is in which group, by numbers: id, g."""
    codes = groups.select("organisation", pl.col("group").cast(pl.Enum(names)).to_physical().cast(pl.Int32).alias("g"))
    known = network.organisations.join(smallest(handed_over(network.spark, codes)), "organisation")
    return kept(known.select("id", "g"))


def _counted(frame: Frame, *keys: str) -> list[tuple[int, ...]]:
    return collected(frame.groupBy(*keys).agg(expression("count(*) AS n"))).rows()


def _histogram(frame: Frame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different values of k, falling, and how often each stands."""
    table = np.array(sorted(_counted(frame, "k"), reverse=True), dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _with_margins(degrees: NDArray[np.int64], sizes: NDArray[np.int64]) -> Matrix:
    """Return a table with these numbers in its rows and columns, which is all that the model reads of an incidence."""
    place = (
        np.repeat(np.arange(degrees.size, dtype=np.int32), degrees),
        np.repeat(np.arange(sizes.size, dtype=np.int32), sizes),
    )
    values = np.ones(place[0].size, dtype=np.int8)
    table: Any = sparse.coo_array((values, place), shape=(degrees.size, sizes.size))
    return cast("Matrix", table)


def _observed(network: Spread, grouped: Frame, both: Frame) -> dict[tuple[int, int], int]:
    """Count the meetings of each two groups without the members of both."""
    inside = network.members.join(smallest(grouped), "id").groupBy("activity", "g").agg(expression("count(*) AS n"))
    overlap = (
        network.members.join(smallest(both), "id").groupBy("activity", "g", "h").agg(expression("count(*) AS shared"))
    )
    pairs = inside.join(inside.selectExpr("activity", "g AS h", "n AS m"), "activity").where("g < h")
    apart = pairs.join(overlap, ["activity", "g", "h"], "left").selectExpr(
        "g", "h", "(n - coalesce(shared, 0)) * (m - coalesce(shared, 0)) AS met"
    )
    rows = collected(apart.groupBy("g", "h").agg(expression("sum(met) AS met"))).rows()
    return {(g, h): met for g, h, met in rows}
