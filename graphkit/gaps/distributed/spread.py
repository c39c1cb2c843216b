"""A network that is spread over the machines of a Spark session, from participations or from a network held here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from time import perf_counter

import polars as pl

from graphkit.errors import UsageError
from graphkit.gaps.distributed import participations
from graphkit.gaps.distributed.door import (
    Frame,
    Session,
    collected,
    expression,
    handed_over,
    kept,
    quoted,
    read_table,
    smallest,
    translated,
)
from graphkit.gaps.distributed.joins import exact_sum, joined_through
from graphkit.network import Network

__all__ = ["Spread", "from_network", "from_participations", "named"]

_DAYS_OF_A_YEAR = 365.25
_COPIED_TIES = 2_000_000
_ROWS_OF_A_TASK = 5_000_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Spread:
    """A network in tables of Spark; build it with `from_participations` or `from_network`.

    `organisations` has the columns id and organisation, the ids from 0 in order of IRI; `members` id and activity, for
    the activities that join somebody; `shared` i, j, activity, date and size, a row for each pair i < j and joint
    activity. With up to `copied_ties` ties (both ways) every machine holds a copy of them; beyond that they travel.
    """

    spark: Session
    organisations: Frame
    members: Frame
    shared: Frame
    copied_ties: int = _COPIED_TIES

    @cached_property
    def ties(self) -> Frame:
        """Who has a tie with whom, both ways: u, v and their numbers of partners k_u, k_v."""
        pairs = self.shared.select("i", "j").distinct()
        both = kept(pairs.selectExpr("i AS u", "j AS v").unionAll(pairs.selectExpr("j AS u", "i AS v")))
        degrees = both.groupBy("u").agg(expression("count(*) AS k"))
        ends = degrees.selectExpr("u AS v", "k AS k_v")
        return kept(
            both.join(degrees.withColumnRenamed("k", "k_u"), "u").join(ends, "v").select("u", "v", "k_u", "k_v")
        )

    @cached_property
    def size(self) -> int:
        """The number of organisations."""
        with translated():
            return int(self.organisations.count())

    @cached_property
    def _facts(self) -> tuple[int, int]:
        """The number of ties, both ways, and of chains of two."""
        row = collected(self.ties.selectExpr("count(*) AS ties", "coalesce(sum(k_v), 0) AS chains")).row(0)
        return int(row[0]), int(row[1])

    @property
    def copied(self) -> bool:
        """Whether every machine can hold a copy of the ties."""
        return self._facts[0] <= self.copied_ties

    @property
    def chains(self) -> int:
        """How many chains of two ties there are: the rows that a list of common partners is made from."""
        return self._facts[1]

    def parts(self, rows: int) -> int:
        """Say into how many tasks to cut work on so many rows."""
        return max(int(self.spark.sparkContext.defaultParallelism), -(-rows // _ROWS_OF_A_TASK))

    def weighted(self) -> Frame:
        """Return the ties once each as a table of Spark: i, j, weight, activities, date.

        weight is the sum of 1 / (size - 1) over the joint activities, date the latest of them.
        """
        return self.shared.groupBy("i", "j").agg(
            expression(exact_sum("(1D / (size - 1))", "weight")),
            expression("count(*) AS activities"),
            expression("max(date) AS date"),
        )

    def recency(self, today: date, *, tau: float = 2.0) -> Frame:
        """Weigh each pair by how recent and how small its joint activities are: i, j, weight, as `recency_weights`."""
        if not tau > 0:
            raise UsageError(f"tau is {tau}, but it counts years", hint="give a number above 0, such as 2")
        days = f"greatest(datediff({quoted(today)}, date), 0)"
        age = f"CASE WHEN date IS NOT NULL THEN {days} / {_DAYS_OF_A_YEAR}D END AS age"
        aged = self.shared.selectExpr("i", "j", "activity", "size", age)
        ages = aged.groupBy("activity").agg(expression("min(age) AS age"))
        typical = collected(ages.selectExpr("percentile(age, 0.5D) AS age")).item() or 0.0
        faded = f"(exp(-coalesce(age, {typical!r}D) / {float(tau)!r}D) / (size - 1))"
        return aged.groupBy("i", "j").agg(expression(exact_sum(faded, "weight")))


def from_participations(
    spark: Session,
    source: pl.DataFrame | Path | str,
    *,
    largest: int | None = None,
    copied_ties: int = _COPIED_TIES,
) -> Spread:
    """Spread the network of those who took part in one activity, as `network_of` builds it here.

    Parameters
    ----------
    source : frame, or place of a Parquet or CSV file (or folder of them)
        The columns organisation, activity and, where known, date. A place is read by Spark: on a cluster it is one
        that every machine sees.
    largest : int, optional
        Activities of more organisations join nobody. One of n organisations makes n (n - 1) / 2 ties.
    copied_ties : int
        Up to so many ties (both ways) every machine holds a copy.

    Raises `DataError` for a table that is none of participations.
    """
    start = perf_counter()
    rows = kept(_checked(spark, source))
    organisations = _numbered(rows.select("organisation").distinct())
    days = (
        rows.where("activity IS NOT NULL")
        .groupBy("activity")
        .agg(expression("max(date) AS date"), expression("count(DISTINCT organisation) AS size"))
    )
    within = "size > 1" if largest is None else f"size > 1 AND size <= {int(largest)}"
    joined = rows.select("organisation", "activity").distinct().join(organisations, "organisation")
    members = kept(joined.join(days.where(within), "activity").select("id", "activity", "date", "size"))
    spread = Spread(spark, organisations, members.select("id", "activity"), kept(_shared(members)), copied_ties)
    _log.info("%d organisations spread in %.1f s", spread.size, perf_counter() - start)
    return spread


def from_network(spark: Session, network: Network, *, copied_ties: int = _COPIED_TIES) -> Spread:
    """Spread a network that is held here; direction is not read."""
    names = pl.DataFrame({"organisation": network.organisations}, schema={"organisation": pl.String})
    organisations = names.with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("id")).select("id", "organisation")
    ends = [pl.Series(name, end, dtype=pl.Int32) for name, end in zip("ij", network.ends, strict=True)]
    ties = network.ties.select(
        pl.min_horizontal(*ends).alias("i"),
        pl.max_horizontal(*ends).alias("j"),
        pl.coalesce("activity", pl.format("tie {}", pl.int_range(pl.len()))).alias("activity"),
        "date",
        pl.col("activity").is_not_null().alias("named"),
    )
    both = pl.concat([ties.select(pl.col(end).alias("id"), "activity", "named") for end in "ij"]).unique()
    sizes = both.group_by("activity").agg(pl.len().cast(pl.Int64).alias("size"))
    shared = (
        ties.group_by("i", "j", "activity")
        .agg(pl.col("date").max())
        .with_columns(pl.coalesce("date", pl.col("date").max().over("activity")))
        .join(sizes, on="activity")
        .sort("i", "j", "activity")
    )
    members = both.filter("named").select("id", "activity").sort("id", "activity")
    first, second, third = (handed_over(spark, frame) for frame in (organisations, members, shared))
    return Spread(spark, first, second, third, copied_ties)


def _checked(spark: Session, source: pl.DataFrame | Path | str) -> Frame:
    """Return the participations in their types, or raise the `DataError` that the local reader would."""
    if isinstance(source, pl.DataFrame):
        return handed_over(spark, participations.check_columns(source))
    where = str(source)
    table = read_table(spark, where)
    participations.check_names(table.columns, where)
    day = "date" if "date" in table.columns else "CAST(NULL AS DATE)"
    typed = table.selectExpr(
        "CAST(organisation AS STRING) AS organisation",
        "CAST(activity AS STRING) AS activity",
        f"CAST({day} AS STRING) AS told",
        f"try_cast({day} AS DATE) AS date",
    )
    with translated(where):
        lost, odd = collected(
            typed.selectExpr("count_if(organisation IS NULL)", "min(CASE WHEN date IS NULL THEN told END)")
        ).row(0)
    if odd is not None:
        raise participations.unreadable_date(odd, where)
    if lost:
        raise participations.nameless(lost, where)
    return typed.select("organisation", "activity", "date")


def _numbered(names: Frame) -> Frame:
    """Give the organisations numbers from 0 in order of IRI; one task sorts them, so that they stay the same."""
    number = "CAST(row_number() OVER (ORDER BY organisation) - 1 AS INT) AS id"
    return kept(names.selectExpr(number, "organisation"))


def _shared(members: Frame) -> Frame:
    """Pair those who took part in one activity; a large one is cut into pieces."""
    first = members.selectExpr("activity", "id AS i", "date", "size")
    second = members.selectExpr("activity", "id AS j")
    pairs = joined_through(first, second, via="activity", mine="i", copied=False)
    return pairs.where("i < j").select("i", "j", "activity", "date", "size")


def named(network: Spread, rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Put IRIs for the ids that stand in these columns of a frame on this machine."""
    wanted = pl.concat([rows[column] for column in columns]).unique().sort().cast(pl.Int32).alias("id").to_frame()
    known = network.organisations.join(smallest(handed_over(network.spark, wanted)), "id")
    names = dict(collected(known.select("id", "organisation")).rows()) if wanted.height else {}
    return rows.with_columns(pl.col(column).replace_strict(names, return_dtype=pl.String) for column in columns)
