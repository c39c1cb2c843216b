"""Cleans tables of official numbers: the register of a number, readable names, and parts of charities in mergers."""

import polars as pl

from graphkit.sources.names import mended, readable

_LIST = r"^([A-Z]{2}-[A-Z]+)-"
_NAMES = {"label": "name", "part_label": "part_name", "whole_label": "whole_name"}
_OTHERS = {"other_name": ("name", "label"), "part_other": ("part_name", "part_label")}


def clean(frame: pl.DataFrame) -> pl.DataFrame:
    """Add labels, the registers of the numbers, and for mergers what the charities and the event are called by."""
    frame = frame.with_columns(
        **{f"list_{end}": pl.col(f"id_{end}").str.extract(_LIST) for end in "ab" if f"id_{end}" in frame.columns}
    )
    if "old_name" in frame.columns:
        return _mergers(frame)
    frame = frame.with_columns(
        readable(pl.col(column)).alias(label) for label, column in _NAMES.items() if column in frame.columns
    )
    return frame.with_columns(
        pl.when(mended(pl.col(column)) != pl.col(label)).then(mended(pl.col(column))).alias(other)
        for other, (column, label) in _OTHERS.items()
        if column in frame.columns
    )


def _mergers(frame: pl.DataFrame) -> pl.DataFrame:
    """Call a part of a charity by its number and that of the part, and what was never registered by its name."""
    registered = pl.col("id_a").is_not_null() & (pl.col("id_a") != "")
    old_part, new_part = _part("old_part"), _part("new_part")
    old = (
        pl.when(registered)
        .then(pl.col("id_a") + old_part)
        .otherwise(pl.lit("unregistered ") + mended(pl.col("old_name")))
    )
    new = pl.col("id_b") + new_part
    return frame.with_columns(
        old=old,
        new=new,
        event=old + pl.lit(" ") + new,
        old_id=pl.when(registered & (old_part == "")).then(pl.col("id_a")),
        old_label=readable(pl.col("old_name")),
        new_label=readable(pl.col("new_name")),
    )


def _part(column: str) -> pl.Expr:
    plain = pl.col(column).fill_null("").str.strip_chars()
    return pl.when(plain.is_in(["", "0"])).then(pl.lit("")).otherwise(pl.lit("-part-") + plain)
