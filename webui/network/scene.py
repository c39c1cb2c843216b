"""What a view shows of a picture: who passes the filters, which ties are left, which communities are open."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graphkit.errors import unknown_name
from graphkit.gaps import Gap
from graphkit.network import Network
from webui.layout import around
from webui.network.asked import Asked, full, short
from webui.picture import Picture, joined

__all__ = ["FEW", "Scene", "scene"]

FEW: Final = 60
"""Up to so many organisations are drawn one by one unless communities are asked for."""

_PAIR: Final = 2
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scene:
    """A view of a picture.

    `rows` are the organisations that pass, with their partners among these (`degree`), the measure that sizes them
    (`size`) and whether they are drawn; `pairs` the joined pairs among them (a, b, weight, activities, first, last);
    `gaps` the gaps that concern them. `open` are the communities whose members are drawn one by one. `undated` counts
    the pairs that only a filter by time leaves out because no source dates them.
    """

    picture: Picture
    asked: Asked
    rows: pl.DataFrame
    pairs: pl.DataFrame
    gaps: tuple[Gap, ...]
    open: frozenset[int]
    undated: int

    @cached_property
    def communities(self) -> pl.DataFrame:
        """The communities that have members here: group, label, size (members here), whole (members in all)."""
        here = self.rows.group_by("group").agg(size=pl.len())
        return (
            self.picture.communities.rename({"size": "whole"})
            .join(here, on="group", maintain_order="left")
            .select("group", "label", "size", "whole")
        )

    @cached_property
    def drawn(self) -> pl.DataFrame:
        """The organisations that are drawn one by one."""
        return self.rows.filter(pl.col("drawn") & pl.col("group").is_in(sorted(self.open)))

    @cached_property
    def bubbles(self) -> pl.DataFrame:
        """The communities that are drawn as one: group, label, size, x, y, radius, ties (pairs inside)."""
        groups = self.communities.filter(~pl.col("group").is_in(sorted(self.open)))
        inside = self._group_pairs.filter(pl.col("ga") == pl.col("gb")).select(
            pl.col("ga").alias("group"), pl.col("pairs").alias("ties")
        )
        centres = self.picture.layout.centres[groups["group"].to_numpy()] if groups.height else np.zeros((0, 3))
        return groups.join(inside, on="group", how="left", maintain_order="left").with_columns(
            pl.col("ties").fill_null(0), x=centres[:, 0], y=centres[:, 1], radius=centres[:, 2]
        )

    @cached_property
    def _group_pairs(self) -> pl.DataFrame:
        groups = self.picture.layout.groups
        ga, gb = groups[self.pairs["a"].to_numpy()], groups[self.pairs["b"].to_numpy()]
        frame = self.pairs.select("weight").with_columns(
            ga=pl.Series(np.minimum(ga, gb)), gb=pl.Series(np.maximum(ga, gb))
        )
        return frame.group_by("ga", "gb").agg(pairs=pl.len(), weight=pl.col("weight").sum()).sort("ga", "gb")

    @cached_property
    def lines(self) -> pl.DataFrame:
        """The lines of the picture: a, b (marks), pairs, weight. A mark is a row, or -1 - group for a bubble."""
        groups = self.picture.layout.groups
        is_open = np.zeros(int(groups.max(initial=0)) + 1, dtype=bool)
        is_open[sorted(self.open)] = True
        marks = np.where(is_open[groups], np.arange(len(groups)), -1 - groups)
        a, b = (marks[self.pairs[end].to_numpy()] for end in ("a", "b"))
        frame = self.pairs.select("weight").with_columns(a=pl.Series(np.minimum(a, b)), b=pl.Series(np.maximum(a, b)))
        found = frame.filter(pl.col("a") != pl.col("b")).group_by("a", "b")
        return found.agg(pairs=pl.len(), weight=pl.col("weight").sum()).sort("a", "b")

    @cached_property
    def suggested(self) -> tuple[Gap, ...]:
        """The gaps between two organisations that are both here."""
        here = set(self.rows["organisation"])
        return tuple(gap for gap in self.gaps if len(gap.members) == _PAIR and set(gap.members) <= here)

    @cached_property
    def network(self) -> Network:
        """The organisations that pass and the ties among them, of the years that are asked for."""
        kept = self.picture.network.subset(self.rows["organisation"])
        if not (self.asked.since or self.asked.until):
            return kept
        return Network(kept.name, kept.organisations, kept.ties.filter(_in_years(self.asked)), kept.directed)

    def mark(self, iri: str) -> int:
        """Return the mark of the picture that stands for an organisation."""
        row = self.picture.network.rows[iri]
        group = int(self.picture.layout.groups[row])
        return row if group in self.open else -1 - group


def scene(picture: Picture, asked: Asked, gaps: Sequence[Gap] = ()) -> Scene:
    """Return the view of `picture` that is asked for; raises `UnknownNameError` for an organisation it has not."""
    keep, rings = _kept(picture, asked)
    pairs, undated = _dated(picture, asked)
    pairs = pairs.filter(pl.Series(keep[pairs["a"].to_numpy()] & keep[pairs["b"].to_numpy()]))
    if rings is not None:
        inside = np.zeros(len(keep), dtype=bool)
        inside[[row for ring in rings for row in ring]] = True
        keep &= inside
        pairs = pairs.filter(pl.Series(keep[pairs["a"].to_numpy()] & keep[pairs["b"].to_numpy()]))
    degree = np.bincount(np.concatenate([pairs["a"].to_numpy(), pairs["b"].to_numpy()]), minlength=len(keep))
    rows = picture.organisations.with_columns(degree=pl.Series(degree), size=picture.size(asked.size))
    if asked.size == "degree":
        rows = rows.with_columns(size=pl.col("degree").cast(pl.Float64))
    rows = rows.filter(pl.Series(keep))
    known = set(rows["organisation"])
    concerned = tuple(gap for gap in gaps if any(member in known for member in gap.members))
    hinted = {
        member for gap in concerned if len(gap.members) == _PAIR and set(gap.members) <= known for member in gap.members
    }
    middle = full(asked.organisation)
    rows = rows.with_columns(drawn=(pl.col("degree") > 0) | pl.col("organisation").is_in([*hinted, middle]))
    if rings is not None:
        rows = _ringed(picture, rows, middle, rings)
    return Scene(picture, asked, rows, pairs, concerned, _opened(picture, asked, rows), undated)


def _kept(picture: Picture, asked: Asked) -> tuple[NDArray[np.bool_], list[list[int]] | None]:
    """Tell which organisations pass the filters, and for an ego view who stands at which distance."""
    passes = pl.lit(value=True)
    if asked.kind:
        passes &= pl.col("kind") == asked.kind
    if asked.community:
        passes &= pl.col("group").cast(pl.String) == asked.community
    for name, frame in (("theme", picture.themes), ("region", picture.places)):
        if wanted := getattr(asked, name):
            passes &= pl.col("organisation").is_in(frame.filter(pl.col(name) == wanted)["organisation"].to_list())
    keep = picture.organisations.with_columns(keep=passes)["keep"].fill_null(value=False).to_numpy().copy()
    if asked.find:
        words = _fold(asked.find).split()
        texts = picture.organisations.select(pl.col("label") + " " + pl.col("region").fill_null(""))
        keep &= np.fromiter(
            (all(word in text for word in words) for text in map(_fold, texts.to_series())), bool, len(keep)
        )
    if not asked.organisation:
        return keep, None
    iri = full(asked.organisation)
    if iri not in picture.network.rows:
        raise unknown_name(
            "organisation of this network", short(iri), [short(each) for each in picture.network.organisations]
        )
    middle = picture.network.rows[iri]
    keep[middle] = True
    return keep, _rings(picture, middle, asked.depth)


def _rings(picture: Picture, middle: int, depth: int) -> list[list[int]]:
    """Return the organisations at distance 0, 1, … `depth` from one."""
    matrix = picture.network.adjacency
    seen, rings = {middle}, [[middle]]
    for _ in range(depth):
        near = {int(each) for row in rings[-1] for each in matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]}
        rings.append(sorted(near - seen))
        seen |= near
    return rings


def _ringed(picture: Picture, rows: pl.DataFrame, middle: str, rings: list[list[int]]) -> pl.DataFrame:
    """Give the organisations of an ego view their places around its middle."""
    here = set(rows["row"])
    kept = [[row for row in ring if row in here] for ring in rings[1:]]
    spots = around(picture.network, picture.network.rows[middle], kept, picture.layout.groups)
    own = spots[rows["row"].to_numpy()]
    return rows.with_columns(x=own[:, 0], y=own[:, 1])


def _dated(picture: Picture, asked: Asked) -> tuple[pl.DataFrame, int]:
    """Return the pairs joined in the years that are asked for, and how many are left out for want of a date."""
    if not (asked.since or asked.until):
        return picture.pairs, 0
    coded = picture.coded.with_columns(a=pl.min_horizontal("a", "b"), b=pl.max_horizontal("a", "b"))
    undated = coded.group_by("a", "b").agg(none=pl.col("date").is_null().all())["none"].sum()
    return joined(coded.filter(_in_years(asked))), int(undated)


def _in_years(asked: Asked) -> pl.Expr:
    year = pl.col("date").dt.year()
    return ((year >= (asked.since or 0)) & (year <= (asked.until or 9999))).fill_null(value=False)


def _opened(picture: Picture, asked: Asked, rows: pl.DataFrame) -> frozenset[int]:
    """Return the communities to draw one by one: those asked for, or all where there are few organisations."""
    every = frozenset(rows["group"].unique().to_list())
    known = frozenset(picture.communities["group"].to_list())
    if asked.open == "all" or asked.organisation:
        return every
    if asked.open == "none":
        return every - known
    if asked.open:
        return (frozenset(map(int, asked.open.split(","))) & every) | (every - known)
    return every if int(rows["drawn"].sum()) <= FEW else every - known


def _fold(text: str) -> str:
    """Leave out accents and case, so that "malaga" finds "Málaga"."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).casefold()
