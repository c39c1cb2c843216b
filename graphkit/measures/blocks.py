"""Blocks: the parts of a network that no single leaving divides, found in whole levels of a tree at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from graphkit.measures.paths import narrowed
from graphkit.network import Matrix

__all__ = ["Tree", "blocks_of", "tree_of"]

_Ints: TypeAlias = NDArray[np.int64]
_Places: TypeAlias = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Tree:
    """A spanning tree of each component, hung up at its first row, with the block of each tie of the tree.

    A tie of the tree is named by its lower end: `children` are these rows, in order, `above` the row at the upper end
    of each and `labels` the number of its block; ties with one number are of one block. `size` counts the rows at and
    below each row, `total` those of its component.
    """

    children: _Places
    above: _Places
    labels: _Ints
    size: _Ints
    total: _Ints


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk, breadth first, from a root above the first row of each component: parents, levels, and a numbering.

    In a level the children of one parent stand side by side. `first` numbers the rows so that those below a row follow
    it, `size` counts these, itself included.
    """

    parents: _Places
    levels: list[_Places]
    first: _Places
    size: _Places


def blocks_of(adjacency: Matrix) -> tuple[_Ints, _Ints]:
    """Return the rows of each block and the number of the block beside each, in order of block and row.

    `adjacency` is symmetric with an empty diagonal. An isolate is in no block; a tie that nothing goes around is a
    block of two. Blocks are numbered by their rows, in order.

    >>> from graphkit.network import Network
    >>> [part.tolist() for part in blocks_of(Network.from_pairs([("a", "b"), ("b", "c")]).adjacency)]
    [[0, 1, 1, 2], [0, 0, 1, 1]]
    """
    if not adjacency.nnz:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    tree = tree_of(adjacency)
    rows = np.concatenate([tree.children, tree.above]).astype(np.int64)
    pairs = np.unique(np.column_stack([np.tile(tree.labels, 2), rows]), axis=0)
    return _numbered(pairs[:, 0], pairs[:, 1])


def tree_of(adjacency: Matrix) -> Tree:
    """Walk through a symmetric matrix with an empty diagonal, and tell the blocks apart.

    Notes
    -----
    Two ties are of one block where a circle runs through both; it is enough to say so of the ties of a spanning tree:
    R. E. Tarjan and U. Vishkin, SIAM Journal on Computing 14, 862 (1985). Each step goes through a level of the tree
    at once, so that a network of a million ties takes less than a second; a chain of n organisations has n levels.

    >>> from graphkit.network import Network
    >>> tree = tree_of(Network.from_pairs([("a", "b"), ("b", "c")]).adjacency)
    >>> tree.children.tolist(), tree.above.tolist(), tree.size.tolist()
    ([1, 2], [0, 1], [3, 2, 1])
    """
    n = adjacency.shape[0]
    plain = narrowed(adjacency)
    component = _components(plain)
    walk = _walk(plain, np.unique(component, return_index=True)[1].astype(np.int32))
    children = np.flatnonzero(walk.parents[:n] != n)
    above = walk.parents[children]
    labels = _labels(plain, walk, children)
    return Tree(children, above, labels, walk.size[:n].astype(np.int64), np.bincount(component)[component])


def _numbered(labels: _Ints, rows: _Ints) -> tuple[_Ints, _Ints]:
    """Give the blocks numbers by their first row, then the second: two blocks have at most one row in common."""
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    sizes = np.diff(np.append(starts, labels.size))
    order = np.lexsort((rows[starts + 1], rows[starts]))
    cells = np.concatenate([np.arange(starts[k], starts[k] + sizes[k]) for k in order])
    return rows[cells], np.repeat(np.arange(order.size), sizes[order])


def _components(plain: Matrix) -> _Ints:
    """Give each row of a symmetric matrix the number of its component, 0 to that of the row with the most partners.

    That one is mostly the largest by far, and a walk goes through it in less than half the time of a search.
    """
    if not plain.shape[0]:
        return np.zeros(0, dtype=np.int64)
    first = csgraph.breadth_first_order(plain, int(np.argmax(np.diff(plain.indptr))), return_predecessors=False)
    component = np.ones(plain.shape[0], dtype=np.int64)
    component[first] = 0
    others = np.flatnonzero(component)
    if others.size:
        component[others] += csgraph.connected_components(plain[others][:, others], connection="strong")[1]
    return component


def _walk(plain: Matrix, tops: _Places) -> _Walk:
    """Walk breadth first from the root, and number the rows so that subtrees are intervals."""
    n = plain.shape[0]
    starts = np.append(plain.indptr, plain.indices.size + tops.size).astype(np.int32)
    near = np.concatenate([plain.indices, tops])
    whole: Matrix = sparse.csr_array((np.ones(near.size), near, starts), shape=(n + 1, n + 1))
    order, parents = csgraph.breadth_first_order(whole, n)
    levels = _levels(order, parents)
    size = np.ones(n + 1, dtype=np.int32)
    for level in reversed(levels[1:]):
        families = _families(level, parents)
        size[parents[level[families]]] += np.add.reduceat(size[level], families)
    first = np.zeros(n + 1, dtype=np.int32)
    for level in levels[1:]:
        families = _families(level, parents)
        before = np.cumsum(size[level], dtype=np.int32) - size[level]
        counts = np.diff(np.append(families, level.size))
        first[level] = first[parents[level]] + 1 + before - np.repeat(before[families], counts)
    return _Walk(parents, levels, first, size)


def _levels(order: _Places, parents: _Places) -> list[_Places]:
    """Divide the order of a walk into its levels: a level ends where the children of its first row begin."""
    place = np.empty(order.size, dtype=np.int32)
    place[order] = np.arange(order.size, dtype=np.int32)
    above = place[parents[order[1:]]]
    levels, start = [order[:1]], 1
    while start < order.size:
        end = 1 + int(np.searchsorted(above, start, side="left"))
        levels.append(order[start:end])
        start = end
    return levels


def _families(level: _Places, parents: _Places) -> _Ints:
    """Return where in a level the children of each parent begin."""
    above = parents[level]
    return np.flatnonzero(np.diff(above, prepend=-1))


def _labels(plain: Matrix, walk: _Walk, children: _Places) -> _Ints:
    """Give each tie of the tree (named by its lower end) the number of its block.

    A tie outside the tree never joins a row to one above or below it in a walk breadth first, so it binds the ties of
    the tree at whose lower ends it is. A tie of the tree is bound to the one above where something from below it leads
    past its upper end.
    """
    n, first, parents = plain.shape[0], walk.first, walk.parents
    partners = np.diff(plain.indptr)
    rows = np.repeat(np.arange(n, dtype=np.int32), partners)
    inside = (np.repeat(parents[:n], partners) == plain.indices) | (parents[plain.indices] == rows)
    others = np.where(inside, rows, plain.indices)
    apart: Matrix = sparse.csr_array((plain.data, others, plain.indptr), shape=plain.shape)
    number, label = csgraph.connected_components(apart, connection="strong")
    low, high = _reach(plain, walk)
    above = parents[children]
    below = parents[above] != n
    beyond = (low[children] < first[above]) | (high[children] >= first[above] + walk.size[above])
    bound = children[below & beyond]
    ends = label[bound], label[parents[bound]]
    together = sparse.coo_array((np.ones(bound.size), ends), shape=(number, number)).tocsr()
    _, joined = csgraph.connected_components(together, directed=False)
    return np.asarray(joined[label[children]], dtype=np.int64)


def _reach(plain: Matrix, walk: _Walk) -> tuple[_Places, _Places]:
    """Tell the lowest and the highest number to which a tie leads from each row or from one below it."""
    low, high = walk.first.copy(), walk.first.copy()
    joined = np.flatnonzero(np.diff(plain.indptr))
    far, starts = walk.first[plain.indices], plain.indptr[joined]
    low[joined] = np.minimum(low[joined], np.minimum.reduceat(far, starts))
    high[joined] = np.maximum(high[joined], np.maximum.reduceat(far, starts))
    for level in reversed(walk.levels[2:]):
        families = _families(level, walk.parents)
        above = walk.parents[level[families]]
        low[above] = np.minimum(low[above], np.minimum.reduceat(low[level], families))
        high[above] = np.maximum(high[above], np.maximum.reduceat(high[level], families))
    return low, high
