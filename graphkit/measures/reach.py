"""Reach: how near everybody is to everybody, and what one more tie would add to that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph

from graphkit.network import Matrix, Network, takes_graph

__all__ = ["Distances", "connected_share", "distances", "efficiency_gain", "global_efficiency", "pairs_at", "shortened"]

Distances: TypeAlias = "NDArray[np.float64]"
"""The steps from everybody to everybody, organisations x organisations: 0 to oneself, inf without a chain."""

_WORD = 64
_CELLS_AT_ONCE = 8_000_000


@takes_graph
def global_efficiency(network: Network) -> float:
    """Give the mean of 1 / distance over all pairs of organisations, exactly.

    Distances count steps, whatever the direction and weight; a pair without a chain of ties adds 0. Between 0
    (no tie) and 1 (everybody is joined to everybody); 0 for fewer than two organisations.

    References
    ----------
    V. Latora and M. Marchiori, Efficient behavior of small-world networks, Physical Review Letters 87, 198701
    (2001).

    >>> round(global_efficiency(Network.from_pairs([("a", "b"), ("b", "c")])), 3)
    0.833
    """
    counts = pairs_at(network)
    return float((counts / np.arange(1, counts.size + 1)).sum() / _all_pairs(network))


@takes_graph
def connected_share(network: Network) -> float:
    """Give the share of all pairs of organisations that a chain of ties joins; 0 for fewer than two.

    >>> round(connected_share(Network.from_pairs([("a", "b")], organisations=["c"])), 3)
    0.333
    """
    sizes = np.bincount(csgraph.connected_components(network.adjacency, directed=False)[1])
    return float((sizes * (sizes - 1)).sum() / _all_pairs(network))


@takes_graph
def pairs_at(network: Network) -> NDArray[np.int64]:
    """Count the ordered pairs of organisations at distance 1, 2, 3 and so on, as far as chains of ties lead.

    Notes
    -----
    Breadth first from 64 organisations at once, a bit for each; memory is bounded.

    >>> pairs_at(Network.from_pairs([("a", "b"), ("b", "c")])).tolist()
    [4, 2]
    """
    adjacency = network.adjacency
    joined = np.flatnonzero(np.diff(adjacency.indptr))
    width = max(_CELLS_AT_ONCE // max(adjacency.nnz, 1), 1) * _WORD
    total = np.zeros(0, dtype=np.int64)
    for start in range(0, joined.size, width):
        counts = np.array(list(_rings(adjacency, joined, joined[start : start + width])), dtype=np.int64)
        longer, shorter = (total, counts) if total.size >= counts.size else (counts, total)
        longer[: shorter.size] += shorter
        total = longer
    return total


def _rings(adjacency: Matrix, joined: NDArray[np.int64], seeds: NDArray[np.int64]) -> Iterator[int]:
    """Yield how many pairs of a seed and another lie at distance 1, 2 and so on."""
    seen = np.zeros((adjacency.shape[0], -(-seeds.size // _WORD)), dtype=np.uint64)
    places = np.arange(seeds.size)
    seen[seeds, places // _WORD] = np.uint64(1) << (places % _WORD).astype(np.uint64)
    front = seen.copy()
    while True:
        reached = np.bitwise_or.reduceat(front[adjacency.indices], adjacency.indptr[joined], axis=0)
        front[joined] = reached & ~seen[joined]
        number = int(np.bitwise_count(front).sum())
        if not number:
            return
        seen |= front
        yield number


def _all_pairs(network: Network) -> int:
    n = len(network.organisations)
    return max(n * (n - 1), 1)


def distances(adjacency: Matrix) -> Distances:
    """Count the steps from everybody to everybody; the whole n x n array is held in memory.

    >>> distances(Network.from_pairs([("a", "b")]).adjacency).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    return np.asarray(csgraph.shortest_path(adjacency, unweighted=True, directed=False), dtype=np.float64)


def efficiency_gain(steps: Distances, first: int, second: int) -> float:
    """Tell by how much a tie of two organisations would raise the sum of 1 / distance over all ordered pairs.

    Exact: only a pair s, t with d(s, x) + 1 < d(s, y) and d(y, t) + 1 < d(x, t) can come nearer by the tie
    x-y, so only those are looked at. Divided by n (n - 1) it is the gain in global efficiency.

    >>> line = distances(Network.from_pairs([("a", "b"), ("b", "c")]).adjacency)
    >>> efficiency_gain(line, 0, 2)
    1.0
    """
    from_first, from_second = steps[first], steps[second]
    near_first = np.flatnonzero(from_first + 1 < from_second)
    near_second = np.flatnonzero(from_second + 1 < from_first)
    if not near_first.size:
        return 0.0
    before = steps[np.ix_(near_first, near_second)]
    after = from_first[near_first][:, None] + 1 + from_second[near_second][None, :]
    return float(2 * np.maximum(1 / after - 1 / before, 0).sum())


def shortened(steps: Distances, ties: Iterable[tuple[int, int]]) -> Distances:
    """Return the distances after these ties have been added, exactly.

    A tie x-y changes D to min(D, D[:, x] + 1 + D[y, :], D[:, y] + 1 + D[x, :]).
    """
    for first, second in ties:
        detour = steps[:, [first]] + 1 + steps[[second], :]
        steps = np.minimum(steps, np.minimum(detour, detour.T))
    return steps
