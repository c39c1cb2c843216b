"""Paths: who stands on the shortest paths between others, counted for many starting points at once."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from graphkit.network import Matrix

__all__ = ["carried_by", "narrowed"]

_MOST_STEPS = 30
_CELLS_AT_ONCE = 500_000
_FEWEST, _MOST = 8, 64
_Table: TypeAlias = "NDArray[np.float64]"


def carried_by(steps: Matrix) -> NDArray[np.float64] | None:
    """Add up for each row, over all pairs of others, its share of the shortest paths along `steps`.

    None where a shortest path takes more than 30 steps: then going from one to the next is faster than this way, which
    goes through the whole matrix at each step.

    Notes
    -----
    Brandes' sums with tables of rows x starting points. For a start, let p(v) be the shortest paths to v and g(v) the
    sum over those after v of g(w), plus 1 / p(v); then v carries p(v) g(v) - 1.

    >>> from graphkit.network import Network
    >>> carried_by(Network.from_pairs([("a", "b"), ("b", "c")]).steps).tolist()
    [0.0, 2.0, 0.0]
    """
    n = steps.shape[0]
    back = narrowed(steps)
    ahead = narrowed(sparse.csr_array(back.T))
    total = np.zeros(n)
    width = int(np.clip(_CELLS_AT_ONCE // max(n, 1), _FEWEST, _MOST))
    for start in range(0, n, width):
        seeds = np.arange(start, min(start + width, n))
        walked = _walk(ahead, seeds)
        if walked is None:
            return None
        total += _add_up(back, *walked)
    return total


def narrowed(matrix: Matrix) -> Matrix:
    """Give the matrix anew, its places in 32 bits where they fit, which takes less time to read; values are shared."""
    if matrix.nnz > np.iinfo(np.int32).max:
        return sparse.csr_array(matrix)
    places = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    narrow: Matrix = sparse.csr_array((matrix.data, *places), shape=matrix.shape)
    return narrow


def _walk(ahead: Matrix, seeds: NDArray[np.int64]) -> tuple[_Table, NDArray[np.int8], int] | None:
    """Count the shortest paths from each seed, and at which step each row is reached (-1 for never), up to the last."""
    shape = (ahead.shape[0], seeds.size)
    step = np.full(shape, -1, dtype=np.int8)
    paths = np.zeros(shape)
    columns = np.arange(seeds.size)
    paths[seeds, columns], step[seeds, columns] = 1, 0
    front: _Table = paths.copy()
    for number in range(1, _MOST_STEPS + 1):
        front = np.asarray(ahead @ front)
        front *= step < 0
        new = front > 0
        if not new.any():
            return paths, step, number - 1
        np.copyto(step, number, where=new)
        paths += front
    return None


def _add_up(back: Matrix, paths: _Table, step: NDArray[np.int8], last: int) -> NDArray[np.float64]:
    """Go back from the last step to the first and add up what each row carries; the seeds themselves carry nothing."""
    inverse = np.divide(1, paths, out=np.zeros_like(paths), where=paths > 0)
    total = np.zeros(paths.shape[0])
    onward: _Table = inverse * (step == last)
    for number in range(last - 1, 0, -1):
        here = step == number
        onward = np.asarray(back @ onward)
        onward *= here
        total += np.einsum("ij,ij->i", paths, onward)
        np.add(onward, inverse, out=onward, where=here)
    return total
