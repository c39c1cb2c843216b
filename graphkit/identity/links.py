"""From scores and shared numbers to links: what joins two records, what keeps them apart, and what is for review."""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["LEVELS", "LIKELY", "POSSIBLE", "STRICT", "level", "number_links", "weighed"]

STRICT, LIKELY, POSSIBLE = 0.90, 0.60, 0.20
"""The confidence from which a link joins records by itself, is likely, or is possible; below that it is not kept."""

LEVELS: Final = {"strict": STRICT, "likely": LIKELY, "possible": POSSIBLE}
"""The three levels by name, the highest first."""

ONE_OF_SEVERAL: Final = 0.85
"""The confidence of an equal number where one record has several of that list: same-as is not a function."""

NAMES_DIFFER: Final = 0.5
"""The most for records whose names are only alike and that share no postcode: a village has a hub and a shop."""

MOST_BY_NAMES: Final = 0.9999
"""The most for names and places alone: only an equal number is certain."""

_MOST_OF_ONE_NUMBER: Final = 50
_NUMBER, _NAMES, _BOTH = "equal identifier", "names and places", "equal identifier, names and places"
_SAME_WORDS, _DIFFERENT, _SAME_POSTCODE = "same words", "different", "same postcode"


def level(confidence: pl.Expr) -> pl.Expr:
    """Name the level of a confidence: strict, likely, possible, or null.

    >>> pl.select(level(pl.lit(pl.Series([1.0, 0.7, 0.3, 0.1])))).to_series().to_list()
    ['strict', 'likely', 'possible', None]
    """
    return (
        pl.when(confidence >= STRICT)
        .then(pl.lit("strict"))
        .when(confidence >= LIKELY)
        .then(pl.lit("likely"))
        .when(confidence >= POSSIBLE)
        .then(pl.lit("possible"))
    )


def number_links(ids: pl.DataFrame) -> pl.DataFrame:
    """Link the records that share a number of an official list: left, right, id, confidence.

    `ids` are the numbers of `graphkit.identity.records.numbers`. Records with one number are linked each to each, or
    where there are more than fifty, all to the first of them.
    """
    several = ids.group_by("record", "list").len().filter(pl.col("len") > 1).select("record", "list", several=True)
    held = ids.join(several, on=["record", "list"], how="left").with_columns(pl.col("several").fill_null(value=False))
    held = held.with_columns(first=pl.col("record").min().over("list", "id"), size=pl.len().over("list", "id"))
    pairs = held.filter(pl.col("size") > 1).join(held, on=["list", "id"], suffix="_right")
    kept = (pl.col("size") <= _MOST_OF_ONE_NUMBER) | (pl.col("record") == pl.col("first"))
    sure = ~(pl.col("several") | pl.col("several_right"))
    return (
        pairs.filter((pl.col("record") < pl.col("record_right")) & kept)
        .select(
            left="record",
            right="record_right",
            id="id",
            confidence=pl.when(sure).then(1.0).otherwise(ONE_OF_SEVERAL),
        )
        .sort("left", "right", -pl.col("confidence"), "id")
        .group_by("left", "right", maintain_order=True)
        .agg(pl.col("id").str.join(", "), pl.col("confidence").max())
    )


def weighed(scores: pl.DataFrame, shared: pl.DataFrame, ids: pl.DataFrame, wholes: pl.DataFrame) -> pl.DataFrame:
    """Weigh names and numbers of each pair and keep what is at least possible.

    `scores` come from `graphkit.identity.scoring`, with left_place and right_place in words, `shared` from
    `number_links`, `ids` are all numbers, `wholes` the pairs of part and whole. The columns are left, right,
    confidence, method, reason (what speaks for it, in words), conflict (what keeps it from joining: other numbers of
    one list, or null). A part is never linked with its whole; neighbours with other names, or with names that mark two
    branches, are linked by a number only. Equal names are at least possible, wherever the records are, so that a person
    sees them.
    """
    named = scores.filter(pl.col("name") != _DIFFERENT)
    both = named.join(shared, on=["left", "right"], how="full", coalesce=True)
    score = pl.col("score").fill_null(0.0)
    alike = ~pl.col("name").str.starts_with(_SAME_WORDS).fill_null(value=False) & (pl.col("where") != _SAME_POSTCODE)
    capped = pl.min_horizontal(score, pl.when(alike).then(NAMES_DIFFER).otherwise(MOST_BY_NAMES))
    equal = pl.col("name").str.starts_with(_SAME_WORDS).fill_null(value=False)
    capped = pl.when(equal).then(pl.max_horizontal(capped, pl.lit(POSSIBLE))).otherwise(capped)
    made = both.with_columns(
        confidence=pl.max_horizontal(capped, pl.col("confidence").fill_null(0.0)),
        method=pl.when(pl.col("id").is_null())
        .then(pl.lit(_NAMES))
        .when(score >= POSSIBLE)
        .then(pl.lit(_BOTH))
        .otherwise(pl.lit(_NUMBER)),
        reason=_reason(),
    ).filter(pl.col("confidence") >= POSSIBLE)
    apart = wholes.select(left=pl.min_horizontal("part", "whole"), right=pl.max_horizontal("part", "whole"))
    made = made.join(apart, on=["left", "right"], how="anti")
    return (
        made.join(_conflicts(made, ids), on=["left", "right"], how="left")
        .select("left", "right", "confidence", "method", "reason", "conflict")
        .sort(-pl.col("confidence"), "left", "right")
    )


def _reason() -> pl.Expr:
    """Say in words what speaks for a link."""
    number = pl.format("both have {}", pl.col("id"))
    names = pl.format("names: {} ({} · {})", "name", "left_name", "right_name")
    places = pl.format("place: {} ({} · {})", "where", "left_place", "right_place")
    return pl.concat_str(number, names, places, separator="; ", ignore_nulls=True)


def _conflicts(pairs: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    """Find the pairs whose records have numbers of one list and none in common: left, right, conflict (in words)."""
    held = ids.group_by("record", "list").agg(pl.col("id").sort())
    return (
        pairs.select("left", "right")
        .join(held, left_on="left", right_on="record")
        .join(held, left_on=["right", "list"], right_on=["record", "list"], suffix="_right")
        .filter(pl.col("id").list.set_intersection("id_right").list.len() == 0)
        .sort("left", "right", "list")
        .group_by("left", "right", maintain_order=True)
        .agg(
            conflict=pl.format(
                "other numbers of the list {}: {} and {}",
                pl.col("list"),
                pl.col("id").list.join(", "),
                pl.col("id_right").list.join(", "),
            ).str.join("; ")
        )
    )
