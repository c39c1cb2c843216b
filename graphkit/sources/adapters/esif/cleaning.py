"""Cleans lists of beneficiaries: readable names, numbers and addresses that stand in one, and where the money went."""

import re
from functools import cache
from pathlib import Path

import polars as pl

from graphkit import places
from graphkit.sources.names import mended, readable

_NUMBER = r"^(.*\S) ([0-9]{6})$"
_ADDRESS = r"^(.{4,}?),? [0-9].*\b[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}$"


def clean(frame: pl.DataFrame) -> pl.DataFrame:
    """Add labels, take the number of a provider and a street address out of the name, and tell where the money went."""
    written = mended(pl.col("organisation"))
    without_number = pl.coalesce(written.str.extract(_NUMBER, 1), written)
    bare = pl.coalesce(without_number.str.extract(_ADDRESS, 1), without_number)
    label = readable(bare)
    has_address = without_number != bare
    project = pl.when(mended(pl.col("project")) != "").then(mended(pl.col("project")))
    return _placed(frame).with_columns(
        recipient=pl.when(has_address).then(bare).otherwise(written),
        recipient_label=label,
        recipient_other=pl.when(~has_address & (written != label)).then(written),
        recipient_number=written.str.extract(_NUMBER, 2),
        label=pl.coalesce(project, pl.lit("Grant to ") + label),
    )


def _placed(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `there`, the postcode where it lies in the region that the money was for, and `area`, the code of the region.

    A list says for which region, or for the area of which partnership, a project was. The postcode is that of whoever
    signed, often of a head office elsewhere, or it is written wrongly. Where no region is said, the postcode stands.
    """
    if "postcode" not in frame.columns:
        return frame
    meant = _meant(frame)
    homes = places.lookup(frame["postcode"], "postcode")
    lies = [
        not regions or (home is not None and not places.around([home]).isdisjoint(regions))
        for regions, home in zip(meant, homes, strict=True)
    ]
    return frame.with_columns(
        there=pl.when(pl.Series(lies, dtype=pl.Boolean)).then("postcode"),
        area=pl.Series([_code(regions) for regions in meant], dtype=pl.String),
    )


def _meant(frame: pl.DataFrame) -> list[frozenset[str]]:
    """Return for each row the regions that its money was for, or none where none is said or known."""
    if "partnership" in frame.columns:
        known = _areas()
        return [known.get(_plain(words or ""), frozenset()) for words in frame["partnership"]]
    return [frozenset([place] if place else []) for place in places.lookup(frame["region"], "uk-region")]


def _code(regions: frozenset[str]) -> str | None:
    """Return the code of the one region, or None where there are several: their place is not known."""
    return next(iter(regions)).rpartition("-")[2].upper() if len(regions) == 1 else None


@cache
def _areas() -> dict[str, frozenset[str]]:
    """Return the regions in which the area of each Local Enterprise Partnership lies."""
    listed = pl.read_csv(Path(__file__).with_name("areas.csv"), infer_schema=False)
    return {
        _plain(name): frozenset(places.locate_codes(pl.Series(codes.split(" "))).drop_nulls())
        for name, codes in listed.select("name", "codes").iter_rows()
    }


def _plain(words: str) -> str:
    """Return a name without its capitals, blanks and signs, as the lists write one name in several ways."""
    return re.sub("[^a-z0-9]", "", words.lower().replace("&", "and"))
