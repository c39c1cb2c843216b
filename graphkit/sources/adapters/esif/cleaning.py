"""Cleans lists of beneficiaries: readable names, numbers that stand behind a name, addresses that stand in one."""

import polars as pl

from graphkit.sources.names import mended, readable

_NUMBER = r"^(.*\S) ([0-9]{6})$"
_ADDRESS = r"^(.{4,}?),? [0-9].*\b[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}$"


def clean(frame: pl.DataFrame) -> pl.DataFrame:
    """Add labels, and take the number of a provider and a street address out of the name."""
    written = mended(pl.col("organisation"))
    without_number = pl.coalesce(written.str.extract(_NUMBER, 1), written)
    bare = pl.coalesce(without_number.str.extract(_ADDRESS, 1), without_number)
    label = readable(bare)
    has_address = without_number != bare
    project = pl.when(mended(pl.col("project")) != "").then(mended(pl.col("project")))
    return frame.with_columns(
        recipient=pl.when(has_address).then(bare).otherwise(written),
        recipient_label=label,
        recipient_other=pl.when(~has_address & (written != label)).then(written),
        recipient_number=written.str.extract(_NUMBER, 2),
        label=pl.coalesce(project, pl.lit("Grant to ") + label),
    )
