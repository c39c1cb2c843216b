"""Which ties, added one after the other, would help the whole network most."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from graphkit.errors import UsageError, unknown_name
from graphkit.measures import reach
from graphkit.network import Matrix, Network
from graphkit.plans.words import one_pair

__all__ = ["OBJECTIVES", "best_ties", "resilience"]

_MOST_ORGANISATIONS = 2_000
_MOST_CANDIDATES = 20_000
_VALUED_ANEW = 2_000
_LEAST_GAIN = 1e-12
_LEAST_FOR_LEAVING = 3
_Pairs: TypeAlias = "NDArray[np.int64]"
_Search: TypeAlias = Callable[[Matrix, _Pairs, int], Iterator[tuple[int, float]]]


def best_ties(
    network: Network, k: int, candidates: Iterable[tuple[str, str]] | None = None, objective: str = "efficiency"
) -> pl.DataFrame:
    """Name the next `k` ties, one after the other, each the best to follow those before it.

    Parameters
    ----------
    k : int
        How many ties, at least 1; fewer are given where no further tie adds anything.
    candidates : pairs of organisations (IRI or `kind/slug`), optional
        By default all pairs without a tie. Pairs that have one are passed over. Of more than 20,000 an even
        sample is looked at, the same every time; compare `looked_at` with `possible`.
    objective : str
        "efficiency" (the mean of 1 / distance over all pairs) or "robustness" (the share of pairs of the others
        that are still connected when one organisation leaves, on average over who leaves).

    Returns
    -------
    rank, source, target, gain (by this tie after those before it), total (of the objective, with all ties so far),
    looked_at, possible (numbers of pairs)

    Raises `UsageError` for a network of more than 2,000 organisations, a k below 1 or a network with direction,
    `UnknownNameError` for an objective or organisation that is not known.

    Notes
    -----
    Greedy: the best next tie, not the best set. Every candidate is valued anew at each step, except for efficiency
    with more than 2,000 candidates. There a tie is valued again only while its last value is the highest (all are
    once a tie has joined two parts, which makes others worth more): within one part ties mostly take from each
    other's gain, but one whose gain has grown all the same can be passed over. Equal gains: the smaller IRIs first.

    References
    ----------
    M. Minoux, Accelerated greedy algorithms for maximizing submodular set functions, in Optimization Techniques,
    Springer 1978.

    >>> line = Network.from_pairs([("a", "b"), ("b", "c"), ("c", "d")])
    >>> best_ties(line, 1, objective="robustness").select("source", "target", "gain").rows()
    [('a', 'd', 0.3333333333333333)]
    """
    _check(network, k, objective)
    pairs = _candidates(network, candidates)
    looked_at = _sampled(pairs)
    start, scale, search = OBJECTIVES[objective](network)
    rows, total = [], start
    for rank, (place, gain) in enumerate(search(network.adjacency, looked_at, k), 1):
        total += gain / scale
        first, second = (network.organisations[row] for row in looked_at[place])
        rows.append((rank, first, second, gain / scale, total, len(looked_at), len(pairs)))
    types = (pl.Int64, pl.String, pl.String, pl.Float64, pl.Float64, pl.Int64, pl.Int64)
    names = ("rank", "source", "target", "gain", "total", "looked_at", "possible")
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")


def _check(network: Network, k: int, objective: str) -> None:
    if objective not in OBJECTIVES:
        raise unknown_name("objective", objective, OBJECTIVES)
    if k < 1:
        raise UsageError(f"the best {k} ties cannot be named", hint="ask for one or more")
    if network.directed:
        raise UsageError("the best ties are of a network without direction", hint="take networks/collaboration")
    size = len(network.organisations)
    if size > _MOST_ORGANISATIONS:
        raise UsageError(
            f"{size} organisations are too many: every tie is weighed against all pairs of them",
            where=repr(network),
            hint=f"choose a region or theme of at most {_MOST_ORGANISATIONS} organisations",
        )


def _candidates(network: Network, words: Iterable[tuple[str, str]] | None) -> _Pairs:
    """Return the pairs of rows without a tie, in order."""
    if words is None:
        return np.argwhere(np.triu(network.adjacency.toarray() == 0, 1)).astype(np.int64)
    named = {one_pair(pair, network.rows.keys(), "organisation", where="candidates") for pair in words}
    rows = sorted((network.rows[first], network.rows[second]) for first, second in named)
    pairs = np.array(rows, dtype=np.int64).reshape(-1, 2)
    open_pairs: _Pairs = pairs[network.adjacency.toarray()[pairs[:, 0], pairs[:, 1]] == 0]
    return open_pairs


def _sampled(pairs: _Pairs) -> _Pairs:
    """Return all pairs, or a random sample that is the same every time where they are too many."""
    if len(pairs) <= _MOST_CANDIDATES:
        return pairs
    chosen = np.random.default_rng(0).choice(len(pairs), _MOST_CANDIDATES, replace=False)
    return pairs[np.sort(chosen)]


# ---- Efficiency ----------------------------------------------------------------------------------


def _for_efficiency(network: Network) -> tuple[float, float, _Search]:
    n = len(network.organisations)
    return reach.global_efficiency(network), float(max(n * (n - 1), 1)), _lazy


def _lazy(adjacency: Matrix, pairs: _Pairs, k: int) -> Iterator[tuple[int, float]]:
    """Yield the place of the best next pair and its gain; what was valued before a tie is valued again if first."""
    steps = reach.distances(adjacency)
    ends = pairs.tolist()
    heap = _valued(steps, dict(enumerate(ends)), 0)
    given = 0
    while heap and given < k:
        loss, place, valued = heapq.heappop(heap)
        if valued < given:
            heapq.heappush(heap, (-_value(steps, *ends[place]), place, given))
        elif -loss <= _LEAST_GAIN:
            return
        else:
            yield place, -loss
            given += 1
            anew = len(heap) <= _VALUED_ANEW or np.isinf(steps[ends[place][0], ends[place][1]])
            steps = reach.shortened(steps, [(ends[place][0], ends[place][1])])
            heap = _valued(steps, {left: ends[left] for _, left, _ in heap}, given) if anew else heap


def _valued(steps: reach.Distances, ends: Mapping[int, list[int]], given: int) -> list[tuple[float, int, int]]:
    """Return a heap of the negative gain, the place, and after how many ties it was valued."""
    heap = [(-_value(steps, *pair), place, given) for place, pair in ends.items()]
    heapq.heapify(heap)
    return heap


def _value(steps: reach.Distances, first: int, second: int) -> float:
    """Return the gain by a tie, rounded so that equal gains are equal whatever the order of adding."""
    return round(reach.efficiency_gain(steps, first, second), 9)


# ---- Robustness ----------------------------------------------------------------------------------


def resilience(network: Network) -> float:
    """Give the share of pairs of the others still connected when one organisation leaves, mean over who leaves.

    1 where nobody is needed to hold the network together; 0 for fewer than three organisations.

    >>> round(resilience(Network.from_pairs([("a", "b"), ("b", "c")])), 3)
    0.667
    """
    total = sum(float((sizes[sizes > 0] - 1).sum()) for _, sizes in _leavings(network.adjacency))
    return total / _all_leavings(network.adjacency.shape[0])


def _for_robustness(network: Network) -> tuple[float, float, _Search]:
    return resilience(network), float(_all_leavings(len(network.organisations))), _anew


def _all_leavings(n: int) -> int:
    return n * (n - 1) * (n - 2) if n >= _LEAST_FOR_LEAVING else 1


def _anew(adjacency: Matrix, pairs: _Pairs, k: int) -> Iterator[tuple[int, float]]:
    """Yield the place of the best next pair and its gain, all pairs valued anew at each step."""
    left, right = pairs.T
    for _ in range(min(k, len(pairs))):
        gains = np.zeros(len(pairs))
        for parts, sizes in _leavings(adjacency):
            gains += np.where(parts[left] == parts[right], 0, 2 * sizes[left] * sizes[right])
        best = int(gains.argmax())
        if gains[best] <= 0:
            return
        yield best, float(gains[best])
        end = [[left[best], right[best]], [right[best], left[best]]]
        new = sparse.coo_array((np.ones(2), end), shape=adjacency.shape)
        adjacency = sparse.csr_array(adjacency + new)


def _leavings(adjacency: Matrix) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield for each organisation, if it left, everybody's part and the size of that part, 0 for itself.

    A tie x-y then joins the parts of x and y, and 2 s(x) s(y) pairs more are connected.
    """
    upper = sparse.triu(adjacency, 1).tocoo()
    n = adjacency.shape[0]
    for leaving in range(n):
        stay = (upper.row != leaving) & (upper.col != leaving)
        place = (upper.row[stay], upper.col[stay])
        rest = sparse.coo_array((np.ones(place[0].size), place), shape=(n, n))
        parts = csgraph.connected_components(rest, directed=False)[1].astype(np.int64)
        sizes = np.bincount(parts)[parts]
        sizes[leaving] = 0
        yield parts, sizes


OBJECTIVES: Final[Mapping[str, Callable[[Network], tuple[float, float, _Search]]]] = MappingProxyType(
    {"efficiency": _for_efficiency, "robustness": _for_robustness}
)
"""What the best ties can be best for; each gives the value as it is, the number of pairs, and the search."""
