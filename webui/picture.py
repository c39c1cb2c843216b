"""A network as it is drawn: organisations with community, place and facets, and the pairs that are joined."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graphkit import queries
from graphkit.errors import unknown_name
from graphkit.measures import MEASURES, position
from graphkit.network import Network
from graphkit.store.base import Readable
from webui.i18n.choosing import gettext
from webui.i18n.marking import N_
from webui.layout import Layout

__all__ = ["SIZES", "Picture", "facet_frames", "picture_of", "size_labels"]

SIZES: Final = {
    "degree": N_("partners"),
    "strength": N_("joint work, large activities counting less"),
    "coreness": N_("core number"),
    "effective_size": N_("partners who do not know each other"),
    "pagerank": N_("importance (PageRank)"),
    "betweenness": N_("lying between others (betweenness)"),
}
"""The measures by which organisations can be sized, in words."""

_BETWEEN_AT_MOST: Final = 1_500
"""Betweenness takes a minute at 5,000 organisations, so it is offered for smaller networks only."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A network as it is drawn.

    `organisations` has a row for each organisation, in the order of the network: organisation, label, kind, region
    (the first by name), group, degree, x, y, drawn, row. `drawn` is false for an organisation without a tie, known or
    suggested: the tables have it, the picture not. `communities` are group, label, size, of two or more. `pairs` has a
    row for each joined pair: a, b (rows), weight, activities (their number), first, last (dates). `themes` and `places`
    have a row for each organisation and theme or region.
    """

    network: Network
    organisations: pl.DataFrame
    communities: pl.DataFrame
    layout: Layout
    pairs: pl.DataFrame
    themes: pl.DataFrame
    places: pl.DataFrame
    _sizes: dict[str, pl.Series] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @cached_property
    def coded(self) -> pl.DataFrame:
        """The ties with the rows of their ends: a, b, activity, date, weight."""
        a, b = self.network.ends
        return self.network.ties.select("activity", "date", "weight").with_columns(a=pl.Series(a), b=pl.Series(b))

    @cached_property
    def years(self) -> tuple[int, int] | None:
        """The first and the last year of a dated tie, None where no tie is dated."""
        dates = self.network.ties["date"].drop_nulls()
        return (int(dates.dt.year().min()), int(dates.dt.year().max())) if dates.len() else None  # type: ignore[arg-type]

    @cached_property
    def labels(self) -> dict[str, str]:
        """The names of the organisations by IRI."""
        return dict(self.organisations.select("organisation", "label").rows())

    @property
    def sizes(self) -> tuple[str, ...]:
        """The measures by which this network can be sized."""
        small = len(self.network.organisations) <= _BETWEEN_AT_MOST
        return tuple(name for name in SIZES if small or name != "betweenness")

    def size(self, name: str) -> pl.Series:
        """Return a measure of each organisation, in the order of the network, 0 where it has none.

        Raises `UnknownNameError` for a measure that this network cannot be sized by.
        """
        if name not in self.sizes:
            raise unknown_name("measure to size by", name, self.sizes)
        with self._lock:
            if name not in self._sizes:
                frame = MEASURES[name].function(self.network)
                self._sizes[name] = frame[name].cast(pl.Float64).fill_null(0.0).fill_nan(0.0).rename("size")
            return self._sizes[name]


def size_labels(picture: Picture) -> list[dict[str, str]]:
    """Return the choices of a measure to size by, for a field."""
    return [{"value": name, "label": gettext(SIZES[name])} for name in picture.sizes]


def facet_frames(reader: Readable) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return what is known of organisations (label, kind), and their themes and places, a row for each.

    The themes of an organisation are its own and those of what it takes part in.
    """
    known = queries.run(reader, "gaps/organisations").select("organisation", "label", "kind")
    own = queries.run(reader, "gaps/themes").select(pl.col("thing").alias("organisation"), pl.col("theme_label"))
    through = queries.run(reader, "gaps/takes-part").select("organisation", "theme_label").drop_nulls()
    themes = (
        pl.concat([own, through], how="vertical_relaxed")
        .rename({"theme_label": "theme"})
        .unique()
        .sort("organisation", "theme")
    )
    places = queries.run(reader, "gaps/places").select("organisation", pl.col("label").alias("region")).unique()
    return known, themes, places.sort("organisation", "region")


def picture_of(
    network: Network, layout: Layout, facets: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame], hinted: Collection[str]
) -> Picture:
    """Join a network with its layout and with what is known of its organisations."""
    known, themes, places = facets
    regions = places.group_by("organisation").agg(pl.col("region").min())
    rows = (
        position.degree(network)
        .select("organisation", "degree")
        .with_columns(
            row=pl.int_range(pl.len()), group=pl.Series(layout.groups), x=layout.spots[:, 0], y=layout.spots[:, 1]
        )
        .join(known, on="organisation", how="left", maintain_order="left")
        .join(regions, on="organisation", how="left", maintain_order="left")
        .with_columns(pl.col("label").fill_null(pl.col("organisation")), pl.col("kind").fill_null("not known"))
        .with_columns(drawn=(pl.col("degree") > 0) | pl.col("organisation").is_in(list(hinted)))
    )
    members = pl.col("organisation").is_in(list(network.organisations))
    return Picture(network, rows, _named(rows), layout, _pairs(network), themes.filter(members), places.filter(members))


def _pairs(network: Network) -> pl.DataFrame:
    a, b = (np.asarray(end) for end in network.ends)
    low: NDArray[np.int64] = np.minimum(a, b)
    high: NDArray[np.int64] = np.maximum(a, b)
    return joined(network.ties.with_columns(a=pl.Series(low), b=pl.Series(high)))


def joined(ties: pl.DataFrame) -> pl.DataFrame:
    """Put the ties of each pair together: a, b, weight, activities, first, last."""
    return (
        ties.group_by("a", "b")
        .agg(
            pl.col("weight").sum(),
            activities=pl.col("activity").n_unique(),
            first=pl.col("date").min(),
            last=pl.col("date").max(),
        )
        .sort("a", "b")
    )


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Name each community of two or more after its best connected member; the isolates are left out."""
    ranked = rows.sort("degree", "organisation", descending=[True, False])
    return (
        ranked.group_by("group", maintain_order=True)
        .agg(size=pl.len(), label=pl.col("label").first(), degree=pl.col("degree").max())
        .filter(pl.col("degree") > 0)
        .select("group", "label", "size")
        .sort("group")
    )
