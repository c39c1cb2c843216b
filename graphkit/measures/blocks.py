"""Blocks: the parts of a network that no single leaving divides, found in whole levels of a tree at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from graphkit.network import Matrix

__all__ = ["blocks_of"]

_Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Tree:
    """A spanning tree from a root above the first row of each component: order, parents, levels, and its numbering.

    `levels` are slices of `order`; the children of one parent stand side by side. `first` numbers the rows so that
    those below a row follow it, `size` counts these, itself included.
    """

    order: _Ints
    parents: _Ints
    levels: list[_Ints]
    first: _Ints
    size: _Ints


def blocks_of(adjacency: Matrix) -> tuple[_Ints, _Ints]:
    """Return the rows of each block and the number of the block beside each, in order of block and row.

    `adjacency` is symmetric with an empty diagonal. An isolate is in no block; a tie that nothing goes around is a
    block of two. Blocks are numbered by their rows, in order.

    Notes
    -----
    Two ties are of one block where a circle runs through both; it is enough to say so of the ties of a spanning tree:
    R. E. Tarjan and U. Vishkin, SIAM Journal on Computing 14, 862 (1985). Each step goes through a level of the tree
    at once, so that a network of a million ties takes seconds.

    >>> from graphkit.network import Network
    >>> [part.tolist() for part in blocks_of(Network.from_pairs([("a", "b"), ("b", "c")]).adjacency)]
    [[0, 1, 1, 2], [0, 0, 1, 1]]
    """
    n = adjacency.shape[0]
    if not adjacency.nnz:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    tree = _tree(adjacency)
    children = np.flatnonzero(tree.parents[:n] != n)
    labels = _labels(adjacency, tree, children)
    rows = np.concatenate([children, tree.parents[children]])
    pairs = np.unique(np.column_stack([np.tile(labels, 2), rows]), axis=0)
    return _numbered(pairs[:, 0], pairs[:, 1])


def _numbered(labels: _Ints, rows: _Ints) -> tuple[_Ints, _Ints]:
    """Give the blocks numbers by their first row, then the second: two blocks have at most one row in common."""
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    sizes = np.diff(np.append(starts, labels.size))
    order = np.lexsort((rows[starts + 1], rows[starts]))
    cells = np.concatenate([np.arange(starts[k], starts[k] + sizes[k]) for k in order])
    return rows[cells], np.repeat(np.arange(order.size), sizes[order])


def _tree(adjacency: Matrix) -> _Tree:
    """Walk breadth first from the root, and number the rows so that subtrees are intervals."""
    n = adjacency.shape[0]
    _, component = csgraph.connected_components(adjacency, directed=False)
    tops = np.unique(component, return_index=True)[1]
    joined = adjacency.tocoo()
    upper = np.concatenate([joined.row, np.full(tops.size, n)])
    lower = np.concatenate([joined.col, tops])
    whole = sparse.coo_array((np.ones(upper.size), (upper, lower)), shape=(n + 1, n + 1)).tocsr()
    order, parents = (np.asarray(part, dtype=np.int64) for part in csgraph.breadth_first_order(whole, n))
    levels = _levels(order, parents)
    size = np.ones(n + 1, dtype=np.int64)
    for level in reversed(levels[1:]):
        starts = _families(level, parents)
        size[parents[level[starts]]] += np.add.reduceat(size[level], starts)
    first = np.zeros(n + 1, dtype=np.int64)
    for level in levels[1:]:
        starts = _families(level, parents)
        before = np.cumsum(size[level]) - size[level]
        counts = np.diff(np.append(starts, level.size))
        first[level] = first[parents[level]] + 1 + before - np.repeat(before[starts], counts)
    return _Tree(order, parents, levels, first, size)


def _levels(order: _Ints, parents: _Ints) -> list[_Ints]:
    """Divide the order of a walk into its levels: a level ends where the children of its first row begin."""
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    above = place[parents[order[1:]]]
    levels, start = [order[:1]], 1
    while start < order.size:
        end = 1 + int(np.searchsorted(above, start, side="left"))
        levels.append(order[start:end])
        start = end
    return levels


def _families(level: _Ints, parents: _Ints) -> _Ints:
    """Return where in a level the children of each parent begin."""
    above = parents[level]
    return np.flatnonzero(np.diff(above, prepend=-1))


def _labels(adjacency: Matrix, tree: _Tree, children: _Ints) -> _Ints:
    """Give each tie of the tree (named by its lower end) the number of its block."""
    n, first, size, parents = adjacency.shape[0], tree.first, tree.size, tree.parents
    ties = adjacency.tocoo()
    other = (parents[ties.row] != ties.col) & (parents[ties.col] != ties.row)
    left, right = ties.row[other].astype(np.int64), ties.col[other].astype(np.int64)
    low, high = first.copy(), first.copy()
    np.minimum.at(low, left, first[right])
    np.maximum.at(high, left, first[right])
    for level in reversed(tree.levels[2:]):
        starts = _families(level, parents)
        above = parents[level[starts]]
        low[above] = np.minimum(low[above], np.minimum.reduceat(low[level], starts))
        high[above] = np.maximum(high[above], np.maximum.reduceat(high[level], starts))
    apart = first[left] + size[left] <= first[right]
    above = parents[children]
    below = parents[above] != n
    beyond = (low[children] < first[above]) | (high[children] >= first[above] + size[above])
    bound = children[below & beyond]
    ends = np.concatenate([left[apart], bound]), np.concatenate([right[apart], parents[bound]])
    graph = sparse.coo_array((np.ones(ends[0].size), ends), shape=(n, n))
    _, labels = csgraph.connected_components(graph.tocsr(), directed=False)
    return np.asarray(labels, dtype=np.int64)[children]
