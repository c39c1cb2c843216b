"""Cleans the Co-operatives UK list: readable names, postcodes with their blank."""

import polars as pl

from graphkit.sources.names import mended, readable


def clean(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `label` and `other_name`, and write postcodes as the post does."""
    name, label = mended(pl.col("name")), readable(pl.col("name"))
    postcode = pl.col("postcode").str.to_uppercase().str.replace_all(r"\s", "")
    return frame.with_columns(
        label=label,
        other_name=pl.when(name != label).then(name),
        postcode=postcode.str.replace(r"^([A-Z0-9]+)([0-9][A-Z]{2})$", "$1 $2"),
        locality=mended(pl.col("locality")),
    )
