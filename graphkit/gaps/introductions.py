"""Which pairs could be introduced at all, and how well placed they are, in bounded memory on networks of any size."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.gaps.ground import Ground
from graphkit.gaps.scorers import default_scorer, find_scorer, settled
from graphkit.measures import position
from graphkit.network import Matrix, Network

__all__ = ["ASKED", "COMPARED", "Pairs", "Placed", "common", "incidence", "placed"]

ASKED: Final = "https://w3id.org/solidarity-graph/vocabulary/role/consulted"
"""The role of those who were asked for their view."""

COMPARED: Final = 200_000
"""On a large network, how many of the pairs that share a partner are compared with each other."""

Pairs: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]
_CELLS_AT_ONCE = 20_000_000
_PAIRS_AT_ONCE = 100_000
_NO_SPREAD = 1e-9
_JUST_BELOW = 1 - 1e-9
_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Placed:
    """Pairs of row numbers that could be introduced, their feasibility, and how many such pairs there are in all."""

    pairs: Pairs
    feasibility: _Floats
    possible: int


def placed(ground: Ground) -> Placed:
    """List the pairs that could be introduced and score how well placed they are.

    Candidates are the nameable organisations of one completeness scope that share a partner or were asked together,
    and have neither had contact nor belong together. Below 5,000 organisations all are given, with the scorer `fusion`.
    From there on those 200,000 with the highest Adamic-Adar score (being asked together counts 1) are given, with the
    mean of the z-scores of log L3 and log Adamic-Adar, which lead the list on large networks (docs/backtest.md).
    """
    large = default_scorer(ground.network) != "fusion"
    left, right, near, possible = _candidates(ground, COMPARED if large else None)
    pairs = left, right
    if not left.size:
        return Placed(pairs, np.zeros(0), 0)
    if not large:
        return Placed(pairs, find_scorer("fusion").score(ground.network, pairs, ground.as_of), possible)
    return Placed(pairs, settled(np.mean([_standard(_l3(ground.network, pairs)), _standard(near)], axis=0)), possible)


def incidence(ground: Ground, frame: pl.DataFrame, column: str, values: pl.Series | None = None) -> Matrix:
    """Return 1 where an organisation of the network (row) has a value of `column` (column, of all `values`)."""
    columns = (frame[column] if values is None else values).drop_nulls().unique().sort()
    rows = pl.DataFrame({"organisation": ground.network.organisations}, schema={"organisation": pl.String})
    pairs = (
        frame.select("organisation", column).drop_nulls().unique().join(rows.with_row_index("row"), on="organisation")
    )
    codes = pairs[column].cast(pl.Enum(columns)).to_physical().cast(pl.Int64).to_numpy()
    place = (pairs["row"].cast(pl.Int64).to_numpy(), codes)
    matrix: Matrix = sparse.coo_array((np.ones(pairs.height), place), shape=(rows.height, len(columns))).tocsr()
    return matrix


def common(matrix: Matrix, pairs: Pairs) -> _Floats:
    """Add up for each pair of rows the products of their cells: how many columns both have, where cells are 1."""
    parts = [
        np.asarray(matrix[left].multiply(matrix[right]).sum(axis=1), dtype=np.float64)
        for left, right in zip(*(_chunks(end) for end in pairs), strict=True)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _chunks(values: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [values[start : start + _PAIRS_AT_ONCE] for start in range(0, values.size, _PAIRS_AT_ONCE)]


@dataclass(frozen=True, slots=True)
class _Free:
    """Those who could be introduced to somebody (row numbers of the network, in order), and what is known of them.

    `valued` has what each partner (row) adds to the score of each of them (column); `active` leaves out of `everybody`
    the activities in which one was merely asked. `together` are the pairs, as row * n + row, that belong together.
    """

    ground: Ground
    rows: NDArray[np.int64]
    valued: Matrix
    adjacency: Matrix
    asked: Matrix
    everybody: Matrix
    active: Matrix
    together: NDArray[np.int64]

    def blocks(self) -> list[slice]:
        """Split them so that what the products of a block hold stays bounded."""
        adjacency = self.ground.network.adjacency
        cells = adjacency[self.rows] @ np.diff(self.valued.indptr) + self.everybody @ self.active.sum(axis=0)
        ends = np.cumsum(np.asarray(cells, dtype=np.float64))
        if not ends.size:
            return []
        cuts = np.searchsorted(ends, np.arange(_CELLS_AT_ONCE, ends[-1], _CELLS_AT_ONCE)).tolist()
        return [slice(start, end) for start, end in pairwise([0, *cuts, ends.size]) if end > start]

    def near(self, block: slice) -> tuple[Pairs, _Floats]:
        """Return the pairs of a block with a later one that share something and had no contact, and what they share.

        Contact is a tie, or one activity not merely as two who were asked; it is marked by what no number is added to.
        """
        own, later = self.rows[block], slice(block.start, None)
        shared = self.ground.network.adjacency[own] @ self.valued[:, later]
        if self.asked.nnz:
            shared = shared + self.asked[block] @ self.asked[later].T
        met = self.everybody[block] @ self.active[later].T
        if self.asked.nnz:
            met = met + self.active[block] @ self.everybody[later].T
        met = sparse.csr_array(met + self.adjacency[block][:, later])
        met.data[:] = np.inf
        cells = sparse.coo_array(shared + met)
        kept = (cells.col > cells.row) & (cells.data > 0) & (cells.data < np.inf)
        return (own[cells.row[kept]], self.rows[later][cells.col[kept]]), cells.data[kept]

    def fit(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Tell which pairs are asked for, covered by one scope, and do not belong together."""
        kept = self.ground.share_scope(pairs) & self.ground.asked_for(pairs)
        if self.together.size:
            keys = pairs[0][kept] * len(self.ground.network.organisations) + pairs[1][kept]
            place = np.minimum(np.searchsorted(self.together, keys), self.together.size - 1)
            kept[kept] = self.together[place] != keys
        return kept


def _free(ground: Ground) -> _Free:
    """Collect what is known of those who can be named and whom a completeness scope covers."""
    network, rows, names = ground.network, ground.network.rows, ground.network.organisations
    named = np.fromiter((name in ground.nameable for name in names), dtype=bool, count=len(names))
    free = np.flatnonzero(named & (ground.scope_bits > 0).any(axis=1))
    known = [(rows[one], rows[other]) for one, other in ground.related_pairs if one in rows and other in rows]
    others, activities = ground.takes_part.filter(pl.col("role") != ASKED), ground.takes_part["activity"]
    near = network.adjacency[:, free]
    return _Free(
        ground,
        free,
        valued=sparse.csr_array(sparse.diags_array(_worth(network)) @ near),
        adjacency=near[free],
        asked=incidence(ground, ground.takes_part.filter(pl.col("role") == ASKED), "activity")[free],
        everybody=incidence(ground, ground.takes_part, "activity")[free],
        active=incidence(ground, others, "activity", activities)[free],
        together=np.unique(np.array([one * len(names) + other for one, other in known], dtype=np.int64)),
    )


def _candidates(ground: Ground, most: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64], _Floats, int]:
    """Return both ends of the candidates in order, what they share, and how many there are; the best `most` of them."""
    free, n = _free(ground), max(len(ground.network.organisations), 1)
    keys, shared, possible, least = np.zeros(0, dtype=np.int64), np.zeros(0), 0, 0.0
    for block in free.blocks():
        pairs, worth = free.near(block)
        kept = free.fit(pairs)
        possible += int(kept.sum())
        kept &= worth >= least
        keys = np.concatenate([keys, pairs[0][kept] * n + pairs[1][kept]])
        shared = np.concatenate([shared, settled(worth[kept])])
        if most is not None and keys.size > 2 * most:
            keys, shared = _best(keys, shared, most)
            least = float(shared.min()) * _JUST_BELOW
    if most is not None:
        keys, shared = _best(keys, shared, most)
    order = np.argsort(keys)
    return keys[order] // n, keys[order] % n, shared[order], possible


def _best(keys: NDArray[np.int64], shared: _Floats, most: int) -> tuple[NDArray[np.int64], _Floats]:
    """Keep those that share most, of those that share as much the first."""
    if keys.size > most:
        high = shared >= np.partition(shared, keys.size - most)[keys.size - most]
        keys, shared = keys[high], shared[high]
    order = np.lexsort((keys, -shared))[:most]
    return keys[order], shared[order]


def _worth(network: Network) -> _Floats:
    """Return what a shared partner adds to the Adamic-Adar score."""
    worth = find_scorer("adamic_adar").worth
    return np.zeros(0) if worth is None else worth(network)


def _l3(network: Network, pairs: Pairs) -> _Floats:
    """Score pairs by the paths of three ties as the scorer `l3` does, without the pairs that are not asked for."""
    degrees = np.maximum(np.asarray(network.adjacency.sum(axis=1), dtype=np.float64), 1)
    shrunk = sparse.csr_array(network.adjacency @ sparse.diags_array(1 / np.sqrt(degrees)))
    result = np.zeros(pairs[0].size)
    lefts, place = np.unique(pairs[0], return_inverse=True)
    order = np.argsort(place, kind="stable")
    for block in position.row_blocks(len(network.organisations)):
        near = lefts[block[0] : block[-1] + 1]
        if near.size:
            here = order[slice(*np.searchsorted(place[order], [block[0], block[0] + near.size]))]
            reached = np.asarray((shrunk[near] @ network.adjacency).toarray())
            result[here] = _reached(reached, place[here] - block[0], shrunk, pairs[1][here])
    return settled(result)


def _reached(reached: _Floats, rows: NDArray[np.int64], shrunk: Matrix, right: NDArray[np.int64]) -> _Floats:
    """Add up, for each pair, what of a row of `reached` lies at the partners of the organisation `right`."""
    lengths = np.diff(shrunk.indptr)[right]
    starts = np.cumsum(lengths) - lengths
    cells = np.arange(lengths.sum()) - np.repeat(starts - shrunk.indptr[right], lengths)
    products = reached[np.repeat(rows, lengths), shrunk.indices[cells]] * shrunk.data[cells]
    sums = np.bincount(np.repeat(np.arange(right.size), lengths), weights=products, minlength=right.size)
    return np.asarray(sums, dtype=np.float64)


def _standard(values: _Floats) -> _Floats:
    """Return the z-score of the logarithm; a value of 0 stands beside the least above it."""
    least = values[values > 0].min(initial=np.inf)
    logged = np.log(np.maximum(values, least if np.isfinite(least) else 1.0))
    spread = logged.std()
    return np.asarray((logged - logged.mean()) / spread if spread > _NO_SPREAD else np.zeros(values.size))
