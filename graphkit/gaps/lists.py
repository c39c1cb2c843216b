"""Lists of the pairs without a tie that score highest, in order, with a cap for each organisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.errors import UsageError
from graphkit.gaps.scorers import Scorer, find_scorer, open_pairs, settled
from graphkit.measures import position
from graphkit.network import Network

__all__ = ["top_pairs"]

_POOL = 50_000
_CELLS_AT_ONCE = 20_000_000
_Floats: TypeAlias = "NDArray[np.float64]"
_Ints: TypeAlias = "NDArray[np.int64]"
_Rows: TypeAlias = Callable[[_Ints], _Floats]


def top_pairs(
    network: Network, scorer: str, k: int, *, today: date, per_organisation: int | None = None
) -> pl.DataFrame:
    """List the `k` pairs without a tie that score highest, best first, ties in order of IRI.

    With `per_organisation` the list is what one gets by going down all pairs and leaving out those of which
    one has already been named so often: else organisations with many partners fill the list. Memory holds one
    block of rows and some 50,000 pairs, whatever the size of the network.

    Returns
    -------
    source, target, score (its order alone has a meaning)

    Raises `UsageError` where `k` or `per_organisation` is below 1, `UnknownNameError` for the scorer.

    >>> star = Network.from_pairs([("a", "b"), ("a", "c"), ("a", "d")])
    >>> top_pairs(star, "common_neighbours", 2, today=date(2026, 1, 1), per_organisation=1).rows()
    [('b', 'c', 1.0)]
    """
    if min(k, k if per_organisation is None else per_organisation) < 1:
        raise UsageError("a list of no pairs was asked for", hint="give 1 or more for k and per_organisation")
    cells = _Cells(network, find_scorer(scorer), today)
    chosen: list[tuple[int, int, float]] = []
    named: Counter[int] = Counter()
    limit = k if per_organisation is None else per_organisation
    while len(chosen) < k:
        full = np.array([row for row, count in named.items() if count >= limit], dtype=np.int64)
        pool = cells.best(max(k, _POOL), full, [(i, j) for i, j, _ in chosen])
        if not pool:
            break
        for i, j, score in pool:
            if len(chosen) < k and max(named[i], named[j]) < limit:
                named.update((i, j))
                chosen.append((i, j, score))
    names = network.organisations
    rows = [(names[i], names[j], score) for i, j, score in chosen]
    return pl.DataFrame(rows, schema={"source": pl.String, "target": pl.String, "score": pl.Float64}, orient="row")


class _Cells:
    """The scores of all pairs without a tie, block by block: only those above 0 where a scorer counts partners.

    A pair with no shared partner has score 0 with such a scorer. So the sparse product has all that a list needs, until
    it is used up; on 100,000 organisations that is the difference between seconds and minutes.
    """

    def __init__(self, network: Network, scorer: Scorer, today: date) -> None:
        self._network, self._scorer, self._today = network, scorer, today
        self._rows: _Rows | None = None

    def best(self, size: int, full: _Ints, taken: list[tuple[int, int]]) -> list[tuple[int, int, float]]:
        """Give the best pairs, in order, that are not taken and of which none is full."""
        n = len(self._network.organisations)
        barred = np.zeros(n, dtype=bool)
        barred[full] = True
        keys = np.array([i * n + j for i, j in taken], dtype=np.int64)
        best = _top(self._shared(), barred, keys, size, n)
        if not best[0].size:
            best = _top(self._all(), barred, keys, size, n)
        return [(key // n, key % n, score) for score, key in zip(*(part.tolist() for part in best), strict=True)]

    def _all(self) -> Iterator[tuple[_Ints, _Floats]]:
        """Go through all pairs as keys row * n + column, with their scores."""
        n = len(self._network.organisations)
        self._rows = self._rows or self._scorer.rows(self._network, self._today)
        for rows in position.row_blocks(n):
            row, column = np.nonzero(open_pairs(self._network, rows))
            yield rows[row] * n + column, self._rows(rows)[row, column]

    def _shared(self) -> Iterator[tuple[_Ints, _Floats]]:
        """Go through the pairs that share a partner, where the scorer counts nothing else; none for other scorers."""
        network, n = self._network, len(self._network.organisations)
        if not n or self._scorer.worth is None:
            return
        adjacency, worth = network.adjacency, self._scorer.worth(network)
        valued = sparse.csr_array(sparse.diags_array(worth) @ adjacency)
        cells = np.cumsum(adjacency @ np.asarray(adjacency.sum(axis=1), dtype=np.float64))
        for rows in np.split(
            np.arange(n), np.searchsorted(cells, np.arange(_CELLS_AT_ONCE, cells[-1], _CELLS_AT_ONCE))
        ):
            product = (adjacency[rows] @ valued).tocoo()
            later = product.col > rows[product.row]
            key = rows[product.row[later]] * n + product.col[later]
            tied = adjacency[rows].tocoo()
            apart = ~np.isin(key, rows[tied.row] * n + tied.col)
            yield key[apart], settled(product.data[later][apart])


_NO_SCORE, _NO_KEY = np.zeros(0), np.zeros(0, dtype=np.int64)


def _top(
    cells: Iterator[tuple[_Ints, _Floats]], barred: NDArray[np.bool_], taken: _Ints, size: int, n: int
) -> tuple[_Floats, _Ints]:
    """Keep the best of the cells, without those that are taken or barred."""
    best = _NO_SCORE, _NO_KEY
    for keys, scores in cells:
        kept = ~(barred[keys // n] | barred[keys % n])
        kept[kept] = ~np.isin(keys[kept], taken)
        best = _merged(np.concatenate([best[0], scores[kept]]), np.concatenate([best[1], keys[kept]]), size)
    return best


def _merged(scores: _Floats, keys: _Ints, size: int) -> tuple[_Floats, _Ints]:
    """Keep the highest `size` scores, in falling order, those of one score by rising key."""
    if scores.size > size:
        least = np.partition(scores, scores.size - size)[scores.size - size]
        kept = scores >= least
        scores, keys = scores[kept], keys[kept]
    order = np.lexsort((keys, -scores))[:size]
    return scores[order], keys[order]
