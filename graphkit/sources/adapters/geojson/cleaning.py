"""Cleans features of a directory: readable names, postcodes with their blank, and what tells features apart."""

import polars as pl

from graphkit.sources.names import mended, readable, site

_MAYBE = ("name", "id", "website", "postcode", "town", "latitude", "longitude")


def clean(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `label`, `other_name` and `identity`: the feature's id, else its site, else its name and position."""
    frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in _MAYBE if name not in frame.columns)
    name, label = mended(pl.col("name")), readable(pl.col("name"))
    spot = pl.concat_str(name, pl.lit(" "), pl.col("latitude"), pl.lit(" "), pl.col("longitude"))
    postcode = pl.col("postcode").str.to_uppercase().str.replace_all(r"\s", "")
    return frame.with_columns(
        label=label,
        other_name=pl.when(name != label).then(name),
        identity=pl.coalesce("id", site(pl.col("website")), spot, name),
        postcode=postcode.str.replace(r"^([A-Z]{1,2}[0-9][0-9A-Z]?)([0-9][A-Z]{2})$", "$1 $2"),
        town=mended(pl.col("town")),
    )
