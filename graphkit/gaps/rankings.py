"""How the pairs that formed stand among all pairs without a tie, for one scorer, in bounded memory."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from time import perf_counter
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from graphkit.gaps.scorers import Pairs, find_scorer, open_pairs
from graphkit.measures import position
from graphkit.network import Matrix, Network

__all__ = ["BANDS", "FIGURES", "Case", "Seen", "drawn", "figures", "formed", "places", "surveyed", "untied"]

FIGURES: Final = ("auc_random", "auc_distance_2", "auc_degree", "auc_act", "ap", "ap_1_in_12", "p_at_k", "hits_at_10")
"""What is measured of each scorer, in this order; docs/backtest.md says how to read each."""

BANDS: Final = (0, 100, 1_000, 10_000, 100_000)
"""Where the bands of ranks begin in which the pairs that formed are counted; the last has no end."""

_HITS = 10
_NEGATIVES_FOR_EACH = 11.0
_DRAWS = 1_000
_AT_ONCE = 64
_Floats: TypeAlias = "NDArray[np.float64]"
_Ints: TypeAlias = "NDArray[np.int64]"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Case:
    """A cut: the network known up to it and the new pairs after it, as places in the order of all untied pairs."""

    network: Network
    cut: date
    new: _Ints
    ends: Pairs
    shares: Matrix
    negatives: Mapping[str, _Ints]
    near: NDArray[np.bool_]
    row: dict[str, object]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept of a scorer: for each new pair its standing, and what stands at the top of the lists."""

    beaten: Mapping[str, _Floats]
    above: _Floats
    at_top: NDArray[np.bool_]
    hit: _Floats


def places(network: Network, first: _Ints, second: _Ints) -> _Ints:
    """Give the place of each pair (first < second) without a tie among all such pairs, row after row."""
    n = len(network.organisations)
    upper = sparse.triu(network.adjacency, 1).tocoo()
    tied = np.sort(upper.row.astype(np.int64) * n + upper.col)
    before = first * n - first * (first + 1) // 2 + second - first - 1
    return np.asarray(before - np.searchsorted(tied, first * n + second))


def untied(network: Network, first: _Ints, second: _Ints) -> Pairs:
    """Keep the pairs without a tie, the smaller row first."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    kept = (low < high) & (np.asarray(network.adjacency[low, high]).ravel() == 0)
    return low[kept], high[kept]


def _count(network: Network) -> int:
    """Count the pairs without a tie."""
    n = len(network.organisations)
    return n * (n - 1) // 2 - int(network.adjacency.nnz) // 2


def surveyed(case: Case, name: str, k: int) -> Seen:
    """Score all pairs without a tie and keep how the new ones stand."""
    start = perf_counter()
    values, hit = _all_scores(case, name)
    mine = values[case.new]
    top = np.isin(case.new, _top(values, min(k, values.size)))
    beaten = {kind: _standing(values[these], mine)[0] for kind, these in case.negatives.items()}
    values[case.new] = np.nan
    beaten["auc_random"], above = _standing(values[~np.isnan(values)], mine)
    _log.info("%s on %r in %.1f s", name, case.network, perf_counter() - start)
    return Seen(beaten, above, top, hit)


def _all_scores(case: Case, name: str) -> tuple[_Floats, _Floats]:
    """Give the scores of all pairs without a tie, and for each organisation of a new pair whether its list hits."""
    network, score_rows = case.network, find_scorer(name).rows(case.network, case.cut)
    n, hits, stop = len(network.organisations), [], 0
    whole = np.empty(_count(network))
    who, keys = np.unique(np.concatenate(case.ends)), case.ends[0] * n + case.ends[1]
    for rows in position.row_blocks(n):
        scores = score_rows(rows)
        cells = scores[open_pairs(network, rows)]
        whole[stop : stop + cells.size] = cells
        stop += cells.size
        asking = np.isin(rows, who)
        hits.append(_hits(network, rows[asking], scores[asking], keys))
    return whole, np.concatenate(hits)


def _hits(network: Network, rows: _Ints, scores: _Floats, keys: _Ints) -> _Floats:
    """Tell for each row whether one of its ten best columns without a tie is a new partner, ties by column."""
    if not rows.size:
        return np.zeros(0)
    n = len(network.organisations)
    low = np.where(open_pairs(network, rows, both_ways=True), -scores, np.inf)
    last = np.partition(low, min(_HITS, n) - 1, axis=1)[:, [min(_HITS, n) - 1]]
    row, column = np.nonzero((low <= last) & np.isfinite(low))
    order = np.lexsort((column, low[row, column], row))
    row, column = row[order], column[order]
    listed = np.arange(row.size) - np.searchsorted(row, row) < _HITS
    first, second = rows[row[listed]], column[listed]
    good = np.isin(np.minimum(first, second) * n + np.maximum(first, second), keys)
    return np.asarray(np.bincount(row[listed][good], minlength=rows.size) > 0, dtype=np.float64)


def _top(values: _Floats, k: int) -> _Ints:
    """Give the places of the `k` highest values, those of one value by rising place."""
    least = np.partition(values, values.size - k)[values.size - k]
    high = np.flatnonzero(values >= least)
    return high[np.lexsort((high, -values[high]))[:k]]


def _standing(others: _Floats, mine: _Floats) -> tuple[_Floats, _Floats]:
    """Give for each of `mine` the share of `others` that it beats and how many stand above it, equals by halves.

    Equal ones count above as many as there would be on average in a shuffled order.
    """
    others.sort()
    less, most = np.searchsorted(others, mine, "left"), np.searchsorted(others, mine, "right")
    group, sizes = np.unique(mine, return_inverse=True, return_counts=True)[1:]
    order = np.argsort(group, kind="stable")
    turn = np.empty(mine.size)
    turn[order] = np.arange(mine.size) - np.searchsorted(group[order], group[order]) + 1
    above = others.size - most + (most - less) * turn / (sizes[group] + 1)
    return (less + (most - less) / 2) / max(others.size, 1), above


def drawn(shares: Matrix, seed: int) -> _Floats:
    """Draw how often each activity counts, activities x draws; in the first draw each counts once."""
    count = shares.shape[1]
    counts = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=_DRAWS).T
    return np.hstack([np.ones((count, 1)), counts])


def figures(case: Case, seen: Seen, draws: _Floats, k: int) -> dict[str, _Floats]:
    """Compute each figure in each draw, some draws at a time."""
    parts = [
        _some(case, seen, np.asarray(case.shares @ part), k)
        for part in np.array_split(draws, -(-draws.shape[1] // _AT_ONCE), axis=1)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in FIGURES}


def _some(case: Case, seen: Seen, weights: _Floats, k: int) -> dict[str, _Floats]:
    """Compute each figure from the weights of the new pairs, pairs x draws."""
    pairs = _count(case.network)
    apart = max(pairs - case.new.size, 1)
    result = {
        kind: _mean(beaten, weights * case.near[:, None] if kind == "auc_distance_2" else weights)
        for kind, beaten in seen.beaten.items()
    }
    result["ap"] = _average_precision(seen.above, weights, 1.0)
    result["ap_1_in_12"] = _average_precision(seen.above, weights, _NEGATIVES_FOR_EACH * case.new.size / apart)
    result["p_at_k"] = seen.at_top @ weights / min(k, pairs)
    place = np.unique(np.concatenate(case.ends), return_inverse=True)[1]
    column = np.tile(np.arange(case.new.size), 2)
    member = sparse.coo_array((1 / np.bincount(place)[place], (place, column))).tocsr()
    result["hits_at_10"] = _mean(seen.hit, np.asarray(member @ weights))
    return result


def formed(case: Case, seen: Seen, draws: _Floats) -> tuple[_Ints, _Floats]:
    """Count for each band of ranks its pairs and, in each draw, the share of them that formed: bands x draws.

    A band that begins beyond the last pair is left out.
    """
    order = np.argsort(seen.above, kind="stable")
    rank = np.empty(order.size)
    rank[order] = seen.above[order] + np.arange(order.size)
    edges = np.array([*(start for start in BANDS if start < _count(case.network)), _count(case.network)])
    sizes = np.diff(edges)
    band = np.searchsorted(edges, rank, side="right") - 1
    weights = np.asarray(case.shares @ draws)
    totals = np.zeros((sizes.size, weights.shape[1]))
    np.add.at(totals, np.minimum(band, sizes.size - 1), weights)
    return sizes, totals / sizes[:, None]


def _mean(values: _Floats, weights: _Floats) -> _Floats:
    """Take the weighted mean in each draw; not a number where nothing has weight."""
    total = weights.sum(axis=0)
    return np.asarray(np.where(total > 0, values @ weights / np.where(total > 0, total, 1), np.nan))


def _average_precision(above: _Floats, weights: _Floats, scale: float) -> _Floats:
    """Average the precision at each new pair, where each pair that stayed apart counts `scale`."""
    order = np.argsort(above, kind="stable")
    found = np.cumsum(weights[order], axis=0)
    precision = found / np.maximum(found + scale * above[order][:, None], np.finfo(float).tiny)
    return np.asarray((precision * weights[order]).sum(axis=0) / weights.sum(axis=0))
