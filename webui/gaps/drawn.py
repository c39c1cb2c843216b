"""The drawing of a gap: whom it is about, and those around them."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graphkit.gaps import Gap
from webui.layout import places
from webui.network.asked import Asked
from webui.network.scene import Scene
from webui.picture import Picture

__all__ = ["around_gap"]

_MOST: Final = 36


def around_gap(picture: Picture, gap: Gap) -> Scene | None:
    """Return the members of a gap with their partners, those first whom several know; None for none in the network."""
    rows = [picture.network.rows[each] for each in gap.members if each in picture.network.rows]
    if not rows or len(rows) > _MOST:
        return None
    matrix = picture.network.adjacency
    known: NDArray[np.float64] = np.asarray(matrix[rows].sum(axis=0)).ravel()
    known[rows] = 0
    near = [int(row) for row in np.argsort(-known, kind="stable")[:_MOST] if known[row] > 0]
    keep = sorted({*rows, *near[: max(0, _MOST - len(rows))]})
    names = [picture.network.organisations[row] for row in keep]
    small = picture.network.subset(names)
    hints = [(gap.members[0], gap.members[1])] if len(gap.members) == 2 and len(rows) == 2 else []  # noqa: PLR2004 - a pair
    spots = places(small, dict.fromkeys(names, 0), hints)
    found = picture.organisations.filter(pl.col("row").is_in(keep)).sort("organisation")
    found = found.with_columns(
        x=spots[:, 0], y=spots[:, 1], size=pl.col("degree").cast(pl.Float64), drawn=pl.lit(value=True)
    )
    pairs = picture.pairs.filter(pl.col("a").is_in(keep) & pl.col("b").is_in(keep))
    return Scene(picture, Asked(open="all"), found, pairs, (gap,), frozenset(found["group"].to_list()), 0)
