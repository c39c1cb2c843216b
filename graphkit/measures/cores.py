"""Cores: how deep everybody lies in the network, found by peeling it in whole layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphkit.measures.paths import narrowed
from graphkit.network import Matrix

__all__ = ["cores_of"]

_MOST_LAYERS = 5000
_FEW = 8
_Places: TypeAlias = NDArray[np.integer]


def cores_of(adjacency: Matrix) -> NDArray[np.int64] | None:
    """Give the largest k for which each row belongs to the k-core; None where there are too many layers to peel.

    `adjacency` is symmetric with an empty diagonal. A layer is all that have no more than k partners left; with it go
    the ties to those that remain. A network of a million ties has some hundred layers, but a chain is peeled from its
    two ends, one after the other: then going from one to the next, as networkx does, is faster.

    V. Batagelj and M. Zaversnik, Fast algorithms for determining (generalized) core groups in social networks,
    Advances in Data Analysis and Classification 5, 129 (2011); here layer by layer.

    >>> from graphkit.network import Network
    >>> cores_of(Network.from_pairs([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")]).adjacency).tolist()
    [2, 2, 2, 1]
    """
    cores = np.zeros(adjacency.shape[0], dtype=np.int64)
    for number, (core, layer) in enumerate(_layers(adjacency)):
        if number == _MOST_LAYERS:
            return None
        cores[layer] = core
    return cores


def _layers(adjacency: Matrix) -> Iterator[tuple[int, _Places]]:
    """Yield layer after layer with the k of its core."""
    plain = narrowed(adjacency)
    starts, near = plain.indptr, plain.indices
    width = np.diff(starts)
    left, inside = width.copy(), np.ones(width.size, dtype=bool)
    rest, core = np.arange(width.size, dtype=np.int32), 0
    while rest.size:
        core = max(core, int(left[rest].min()))
        layer: _Places = rest[left[rest] <= core]
        while layer.size:
            yield core, layer
            inside[layer] = False
            lost = near[_cells(starts[layer], width[layer])]
            if lost.size * _FEW > left.size:
                left -= np.bincount(lost, minlength=left.size)
                layer = np.flatnonzero((left <= core) & inside)
            else:
                np.subtract.at(left, lost, 1)
                layer = np.unique(lost[(left[lost] <= core) & inside[lost]])
        rest = rest[inside[rest]]


def _cells(starts: _Places, width: _Places) -> _Places:
    """Name the cells of several stretches, each with its start and width."""
    ends = np.cumsum(width, dtype=width.dtype)
    cells: _Places = np.repeat(starts - ends + width, width) + np.arange(ends[-1], dtype=width.dtype)
    return cells
