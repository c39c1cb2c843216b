"""Triangles: all threes of organisations who work with each other, listed in blocks without multiplying matrices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from graphkit.network import Matrix

__all__ = ["Pairs", "pairs_of", "triangles"]

_WEDGES_AT_ONCE = 100_000
_Places: TypeAlias = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Each joined pair once, from who has fewer partners to who has more.

    Organisations are numbered anew by rising number of partners, equal ones by their row: `rank` gives the number of
    each row. `lower` and `upper` are the numbers at the ends of each pair, in order of both, `weights` what joins them.
    `starts` tells where the pairs of each lower end begin.
    """

    rank: _Places
    starts: _Places
    lower: _Places
    upper: _Places
    weights: NDArray[np.float64]

    def add_up(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up a value of each pair at both of its ends; the sums stand by number, not by row."""
        n = self.rank.size
        return np.asarray(np.bincount(self.lower, values, n) + np.bincount(self.upper, values, n), dtype=np.float64)


def pairs_of(mutual: Matrix) -> Pairs:
    """Read the pairs from a symmetric matrix with an empty diagonal.

    >>> from graphkit.network import Network
    >>> pairs = pairs_of(Network.from_pairs([("a", "b"), ("b", "c")]).weights)
    >>> pairs.rank.tolist(), pairs.lower.tolist(), pairs.upper.tolist()
    ([0, 2, 1], [0, 1], [2, 2])
    """
    n = mutual.shape[0]
    partners = np.diff(mutual.indptr)
    rank = np.empty(n, dtype=np.int32)
    rank[np.argsort(partners, kind="stable")] = np.arange(n, dtype=np.int32)
    lower, upper = np.repeat(rank, partners), rank[mutual.indices]
    once = np.flatnonzero(lower < upper)
    place = (lower[once], upper[once])
    ordered = sparse.coo_array((mutual.data[once], place), shape=(n, n)).tocsr()
    each = np.repeat(np.arange(n, dtype=np.int32), np.diff(ordered.indptr))
    return Pairs(rank, ordered.indptr, each, ordered.indices, ordered.data)


def triangles(pairs: Pairs) -> Iterator[tuple[_Places, _Places, _Places]]:
    """Yield the triangles in blocks: the pair of the two lower corners, of the outer two, of the two upper corners.

    Pairs are named by their place in `pairs`. Each triangle is given once, in order.

    Notes
    -----
    Two pairs with one lower end are a triangle where their upper ends are a pair too. Since nobody has more partners
    of higher number than twice the root of the number of pairs, few need to be looked at, also around hubs:
    N. Chiba and T. Nishizeki, Arboricity and subgraph listing algorithms, SIAM Journal on Computing 14, 210 (1985).

    >>> from graphkit.network import Network
    >>> ring = pairs_of(Network.from_pairs([("a", "b"), ("b", "c"), ("a", "c")]).weights)
    >>> [[part.tolist() for part in block] for block in triangles(ring)]
    [[[0], [1], [2]]]
    """
    n, number = pairs.rank.size, pairs.upper.size
    names = np.arange(1, number + 1, dtype=np.float64)
    known: Matrix = sparse.csr_array((names, pairs.upper, pairs.starts), shape=(n, n))
    after = np.arange(1, number + 1, dtype=np.int64)
    follow: _Places = (pairs.starts[1:][pairs.lower] - after).astype(pairs.starts.dtype)
    before = np.cumsum(follow, dtype=np.int64)
    total = int(before[-1]) if number else 0
    cuts = np.searchsorted(before, np.arange(_WEDGES_AT_ONCE, total, _WEDGES_AT_ONCE))
    for start, end in zip([0, *cuts.tolist()], [*cuts.tolist(), number], strict=True):
        if start < end:
            yield _closed(pairs, known, follow[start:end], start)


def _closed(pairs: Pairs, known: Matrix, follow: _Places, start: int) -> tuple[_Places, _Places, _Places]:
    """Put each pair from `start` on beside those that follow it in its row, and keep what a third pair closes."""
    kind = pairs.starts.dtype
    here = np.arange(start, start + follow.size, dtype=kind)
    first = np.repeat(here, follow)
    back = (np.cumsum(follow) - follow - here - 1).astype(kind)
    second = np.arange(first.size, dtype=kind) - np.repeat(back, follow)
    if not first.size:
        return first, first, first
    third = known[pairs.upper[first], pairs.upper[second]]
    closed = np.flatnonzero(third)
    return first[closed].astype(np.intp), second[closed].astype(np.intp), third[closed].astype(np.intp) - 1
