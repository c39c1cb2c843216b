"""What of the Structural Funds reached the social economy, by region or year, at three levels of identification."""

from __future__ import annotations

from typing import Final

import polars as pl

from graphkit import queries
from graphkit.errors import unknown_name
from graphkit.funding.accounts import Account
from graphkit.store.base import Readable

__all__ = ["STRUCTURAL", "structural"]

STRUCTURAL: Final = {
    "structural-regions": "what of the Structural Funds reached the social economy in each region",
    "structural-years": "what of them reached it in each year",
}
"""The accounts of the Structural Funds by name, each with the question that it answers."""

_LEVELS: Final = ("strict", "likely", "possible")
_QUERY: Final = "funding/structural-funds"
_UNKNOWN: Final = "not known"
_METHOD: Final = (
    "grants about the Structural Funds, each once, in the region that it names, else in that of a beneficiary; strict:"
    " the beneficiary's own record, one joined with it, or one with the same official identifier, is of a core"
    " solidarity kind; likely and possible: an identity link to such a record of 0.6 and 0.2 or more; each level"
    " contains the one before; currencies kept apart"
)


def structural(store: Readable, name: str, *, digits: int = 3) -> Account:
    """Work out one of `STRUCTURAL`: sums and shares of each level, by region (of NUTS codes of `digits`) or year.

    Columns: region and region_label, or year; currency, grants, amount of all grants, then amount of each level and its
    share of all. Raises `UnknownNameError` for another name.
    """
    if name not in STRUCTURAL:
        raise unknown_name("account of the Structural Funds", name, STRUCTURAL)
    texts = ["region", "region_label", "currency"]
    rows = queries.run(store, _QUERY, digits=str(digits)).with_columns(
        pl.col(texts).cast(pl.String), pl.col("amount").cast(pl.Float64), pl.col("grants", "year").cast(pl.Int64)
    )
    by = ["region", "region_label"] if name == "structural-regions" else ["year"]
    keys = [*by, "currency"]
    frame = _of_level(rows, "all", keys).rename({"all": "amount"})
    for level in _LEVELS:
        part = _of_level(rows, level, keys).drop("grants")
        frame = frame.join(part, on=keys, how="left", nulls_equal=True).with_columns(pl.col(level).fill_null(0.0))
    shares = [
        pl.when(pl.col("amount") > 0).then((pl.col(level) / pl.col("amount")).round(6)).alias(f"{level}_share")
        for level in _LEVELS
    ]
    order = ["currency", "year"] if by == ["year"] else ["currency", "amount", "region"]
    frame = frame.with_columns(shares).sort(order, descending=[name == "amount" for name in order], nulls_last=True)
    if "region_label" in by:
        frame = frame.with_columns(pl.col("region_label").fill_null(_UNKNOWN))
    return Account(name, frame, _METHOD, _coverage(rows))


def _of_level(rows: pl.DataFrame, level: str, keys: list[str]) -> pl.DataFrame:
    kept = rows.filter(pl.col("level") == level)
    return kept.group_by(keys).agg(pl.col("grants").sum(), pl.col("amount").sum().round(2).alias(level))


def _coverage(rows: pl.DataFrame) -> str:
    every = rows.filter(pl.col("level") == "all")
    grants = int(every["grants"].sum())
    named = {"region": "without a known region", "year": "without a year", "currency": "without an amount"}
    lost = {words: every.filter(pl.col(column).is_null())["grants"].sum() for column, words in named.items()}
    found = {level: rows.filter(pl.col("level") == level)["grants"].sum() for level in _LEVELS}
    parts = [f"{number:,} {words}" for words, number in lost.items()]
    levels = [f"{number:,} {level}" for level, number in found.items()]
    return (
        f"{grants:,} grants, {', '.join(parts)}; identified: {', '.join(levels)}; a beneficiary whom no loaded register"
        " lists is in no level, and funding/structural-beneficiaries has those who are in one"
    )
