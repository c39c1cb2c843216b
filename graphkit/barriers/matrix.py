"""The matrix of regions and barriers or building blocks, with small numbers of people left out."""

from __future__ import annotations

from typing import Final

import polars as pl

from graphkit import queries
from graphkit.errors import UsageError
from graphkit.store.base import Readable

__all__ = ["SMALLEST_CELL", "answers", "matrix"]

SMALLEST_CELL: Final = 5
"""Of fewer people than this an answer is not shown."""

_INTERVIEWS: Final = "Interviews"
_TEXTS: Final = ("region", "region_label", "part", "about", "about_label", "evidence_label", "stance_label")


def matrix(store: Readable, region: str = "", *, smallest: int = SMALLEST_CELL) -> pl.DataFrame:
    """Count what speaks for and against each barrier and building block in each region, by kind of evidence.

    Columns: region, region_label, part, about, about_label, then `for` and `against` (claims of documents, statistics
    and of no stated kind), people_for and people_against (who were asked), suppressed (whether an answer of fewer
    than `smallest` people was left out), coverage, method. A region and theme of which nobody speaks has no row: it is
    not known. `region` narrows to one region with the places within it. Raises `UsageError` for a `smallest` below 2.
    """
    if smallest < 2:  # noqa: PLR2004 - one person can always be recognised
        raise UsageError("of a single person no answer is shown", hint="give a smallest cell of 2 or more")
    values = {"region_asked": region} if region else {}
    frame = queries.run(store, "policy/barriers", **values)
    frame = frame.with_columns(pl.col(_TEXTS).cast(pl.String), pl.col("claims", "respondents", "fewest").cast(pl.Int64))
    asked = (pl.col("respondents") > 0) | (pl.col("evidence_label") == _INTERVIEWS).fill_null(value=False)
    small = asked & (pl.col("fewest").fill_null(0) < smallest)
    rows = frame.with_columns(asked=asked, small=small)
    shown, speaks = ~pl.col("small"), pl.col("stance_label").str.to_lowercase()
    cells = rows.group_by("region", "region_label", "part", "about", "about_label").agg(
        *(
            pl.col("claims").filter(shown & ~pl.col("asked") & (speaks == stance)).sum().alias(stance)
            for stance in ("for", "against")
        ),
        *(
            pl.col("respondents").filter(shown & (speaks == stance)).sum().alias(f"people_{stance}")
            for stance in ("for", "against")
        ),
        suppressed=pl.col("small").any(),
        kinds=pl.col("evidence_label").fill_null("kind not stated").unique().sort().str.join(", "),
    )
    coverage = pl.format("{}", "kinds") + pl.when("suppressed").then(
        pl.lit(f"; answers of fewer than {smallest} people are left out")
    ).otherwise(pl.lit(""))
    method = (
        f"claims and people are counted apart; people who were asked are shown from {smallest} on; no row means that"
        " nobody speaks of it"
    )
    return (
        cells.with_columns(coverage=coverage, method=pl.lit(method))
        .drop("kinds")
        .sort("region_label", "region", "part", "about_label", nulls_last=True)
    )


def answers(store: Readable, region: str = "") -> pl.DataFrame:
    """Tell which building block answers a barrier of a region, and where else people speak for it."""
    return queries.run(store, "policy/answers", **({"region": region} if region else {}))
