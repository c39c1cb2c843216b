"""Sums of money in one currency and at the prices of one year, at stated rates; what cannot be converted is counted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from graphkit import queries
from graphkit.errors import DataError, UsageError, unknown_name
from graphkit.store.base import Readable

__all__ = ["Conversion", "in_one_currency", "load_rates", "read_deflator"]

_EURO: Final = "EUR"
_DEFLATOR_COLUMNS: Final = ("year", "index")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was done to the amounts of a frame, and to how many of its grants it could not be done.

    `words` tells currency, rates and prices; `lost` counts the grants without an amount, year or rate, whose money is
    not in the sums.
    """

    words: str
    lost: int


def load_rates(store: Readable) -> pl.DataFrame:
    """Return the exchange rates of `store`: currency, year and per_euro, with the euro itself at 1 in every year.

    Raises `DataError` where a currency has two rates for one year.
    """
    frame = queries.run(store, "funding/exchange-rates").select(
        pl.col("currency").cast(pl.String), pl.col("year").cast(pl.Int64), pl.col("per_euro").cast(pl.Float64)
    )
    rates = frame.unique()
    twice = rates.filter(rates.select("currency", "year").is_duplicated())
    if twice.height:
        currency, year = twice.select("currency", "year").row(0)
        raise DataError(f"there are two rates of {currency} for {year}", hint="keep one of the two sources of rates")
    return rates.sort("currency", "year")


def read_deflator(path: Path) -> pl.DataFrame:
    """Read a price index from a CSV file with the columns `year` and `index`, such as 2015,100.0.

    Raises `DataError` with the line where a cell is no number, an index is not above 0 or a year comes twice.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError("the price index cannot be read", where=str(path), hint=str(error)) from error
    if missing := [name for name in _DEFLATOR_COLUMNS if name not in frame.columns]:
        raise DataError(
            f"the price index has no column {', '.join(missing)}",
            where=str(path),
            hint="the columns are year and index",
        )
    numbers = frame.select(
        pl.col("year").str.strip_chars().cast(pl.Int64, strict=False),
        pl.col("index").str.strip_chars().cast(pl.Float64, strict=False),
    ).with_row_index("line", offset=2)
    wrong = numbers.filter(
        pl.col("year").is_null() | pl.col("index").is_null() | (pl.col("index") <= 0) | pl.col("year").is_duplicated()
    )
    if wrong.height:
        raise DataError(
            "a row of the price index is not one year with an index above 0",
            where=f"{path}:{wrong['line'][0]}",
            hint="write each year once, such as 2015,100.0",
        )
    return numbers.select("year", "index")


def in_one_currency(
    flows: pl.DataFrame,
    rates: pl.DataFrame,
    currency: str,
    *,
    deflator: pl.DataFrame | None = None,
    base_year: int | None = None,
) -> tuple[pl.DataFrame, Conversion]:
    """Return `flows` with all amounts in `currency`, at the average rates of the year of each grant.

    With a `deflator` (of that currency's prices) amounts are at the prices of `base_year`, its last year unless
    given. Rows that cannot be converted keep their grants and have no amount; the conversion counts them. Raises
    `UnknownNameError` for a currency without any rate, `UsageError` for a base year outside the deflator.
    """
    known = {_EURO, *rates["currency"]}
    if currency not in known:
        raise unknown_name("currency", currency, known)
    per_euro = rates.select("currency", "year", pl.col("per_euro").alias("source_rate"))
    target = rates.filter(pl.col("currency") == currency).select("year", pl.col("per_euro").alias("target_rate"))
    euro = pl.lit(1.0)
    source_rate = pl.when(pl.col("currency") == _EURO).then(euro).otherwise("source_rate")
    target_rate = euro if currency == _EURO else pl.col("target_rate")
    factor = pl.when(pl.col("currency") == currency).then(euro).otherwise(target_rate / source_rate)
    joined = flows.join(per_euro, on=["currency", "year"], how="left").join(target, on="year", how="left")
    frame = joined.with_columns(factor=factor)
    words = f"in {currency} at the average rates of the euro in the year of each grant"
    if deflator is not None:
        frame, words = _at_prices(frame, words, deflator, base_year)
    priced = pl.col("grants") - pl.col("unpriced")
    converted = frame.with_columns(
        amount=pl.when(priced > 0).then(pl.col("amount").cast(pl.Float64) * pl.col("factor")),
        lost=pl.when(pl.col("factor").is_null()).then("grants").otherwise("unpriced"),
        currency=pl.lit(currency),
    )
    lost = int(converted["lost"].sum())
    return converted.drop("source_rate", "target_rate", "factor", "lost"), Conversion(words, lost)


def _at_prices(
    frame: pl.DataFrame, words: str, deflator: pl.DataFrame, base_year: int | None
) -> tuple[pl.DataFrame, str]:
    years = deflator["year"].to_list()
    base = base_year if base_year is not None else max(years)
    if base not in years:
        raise UsageError(
            f"the price index has no year {base}", hint=f"it has {min(years)} to {max(years)}; choose one of these"
        )
    level = float(deflator.filter(pl.col("year") == base)["index"][0])
    frame = frame.join(deflator, on="year", how="left").with_columns(factor=pl.col("factor") * level / pl.col("index"))
    return frame.drop("index"), f"{words}, at prices of {base}"
