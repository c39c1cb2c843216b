"""Cleans Murmurations profiles: readable names, and what tells one organisation from the others."""

import polars as pl

from graphkit.sources.names import mended, readable, site


def clean(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `label`, `other_name`, `identity` (the own id, else the site, else the name), `site` and `state`."""
    frame = frame.with_columns(
        pl.lit(None, pl.String).alias(name)
        for name in ("name", "website", "unique_id", "nickname", "status")
        if name not in frame.columns
    )
    name, label = mended(pl.col("name")), readable(pl.col("name"))
    status = pl.col("status").str.to_lowercase()
    return frame.with_columns(
        label=label,
        other_name=pl.when(name != label).then(name),
        identity=pl.coalesce("unique_id", site(pl.col("website")), "name"),
        site=site(pl.col("website")),
        state=pl.when(status.is_in(["active", "ended", "planned"]))
        .then(status)
        .when(status == "completed")
        .then(pl.lit("ended"))
        .otherwise(pl.lit("unknown")),
    )
