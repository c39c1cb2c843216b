"""Who took part in what: the table from which both engines read a network."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from graphkit.errors import DataError
from graphkit.network import Network

__all__ = ["COLUMNS", "check_columns", "network_of", "read_participations"]

COLUMNS: Final = ("organisation", "activity", "date")
"""The columns of a table of participations; `date` may be left out."""

_CSV: Final = (".csv", ".csv.gz")


def read_participations(path: Path) -> pl.DataFrame:
    """Read participations from a Parquet or CSV file (with a line of names).

    Raises `DataError` where the file is not there or not readable, or lacks a column.
    """
    try:
        is_csv = path.name.endswith(_CSV)
        frame = pl.read_csv(path, infer_schema=False) if is_csv else pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            "the participations cannot be read",
            where=str(path),
            hint="give a Parquet file, or CSV with a line of names",
        ) from error
    return check_columns(frame, str(path))


def check_columns(frame: pl.DataFrame, where: str = "") -> pl.DataFrame:
    """Return the columns of participations in their types; `DataError` where one is missing or unreadable."""
    check_names(frame.columns, where)
    given = frame if "date" in frame.columns else frame.with_columns(date=pl.lit(None, pl.Date))
    day = given["date"]
    days = day.str.to_date("%Y-%m-%d", strict=False) if day.dtype == pl.String else day.cast(pl.Date, strict=False)
    unread = day.filter(day.is_not_null() & days.is_null())
    if unread.len():
        raise unreadable_date(str(unread[0]), where)
    lost = given["organisation"].null_count()
    if lost:
        raise nameless(lost, where)
    return given.select(pl.col("organisation", "activity").cast(pl.String), days)


def check_names(names: list[str], where: str = "") -> None:
    """Raise a `DataError` where a column is missing."""
    missing = [name for name in COLUMNS[:2] if name not in names]
    if missing:
        raise DataError(
            f"the participations lack the column {', '.join(missing)}",
            where=where,
            hint="give the columns organisation, activity and, where it is known, date",
        )


def unreadable_date(text: str, where: str) -> DataError:
    """Build the error for a date that is none."""
    return DataError(
        f"the date '{text}' is none", where=where, hint="write dates such as 2015-12-07, or leave them empty"
    )


def nameless(rows: int, where: str) -> DataError:
    """Build the error for rows without an organisation."""
    return DataError(f"{rows} participations name no organisation", where=where, hint="every row names who took part")


def network_of(participations: pl.DataFrame, *, largest: int | None = None, name: str = "") -> Network:
    """Join all that took part in one activity, on this machine: what the engine spark does, for one that fits.

    A pair weighs 1 / (size - 1) for each joint activity. The date of an activity is the latest that stands with it.
    An organisation without an activity, or alone in its own, is in the network and has no tie. Activities of more
    organisations than `largest` join nobody.

    >>> rows = pl.DataFrame({"organisation": ["a", "b", "c"], "activity": ["fair", "fair", None]})
    >>> network_of(rows)
    Network: 3 organisations, 1 ties, undirected
    """
    rows = check_columns(participations)
    days = rows.group_by("activity").agg(pl.col("date").max(), size=pl.col("organisation").n_unique())
    if largest is not None:
        days = days.filter(pl.col("size") <= largest)
    members = rows.select("organisation", "activity").drop_nulls().unique().join(days, on="activity")
    pairs = members.join(members.select("activity", target="organisation"), on="activity").filter(
        pl.col("organisation") < pl.col("target")
    )
    ties = pairs.select(
        pl.col("organisation").alias("source"),
        "target",
        "activity",
        "date",
        weight=1 / (pl.col("size") - 1),
        kind=pl.lit("participation"),
    )
    everybody = rows.select(pl.col("organisation").unique().alias("source"))
    return Network.from_ties(pl.concat([ties, everybody], how="diagonal"), name=name)
