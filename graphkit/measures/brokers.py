"""Brokers: organisations and ties that hold parts of the network together, and roles between groups."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from graphkit.errors import unknown_name
from graphkit.measures.blocks import Tree, blocks_of, tree_of
from graphkit.measures.groups import group_codes, membership
from graphkit.network import Matrix, Network, takes_graph

__all__ = ["articulation", "bridges", "brokerage", "cut_off_by"]

_CELLS_AT_ONCE = 20_000_000


@takes_graph
def articulation(network: Network) -> pl.DataFrame:
    """List the organisations whose leaving would cut others off from each other.

    If the parts that remain of an organisation's component have s1, s2, ... members, then `pairs_cut` is the
    sum over two parts of 2 s1 s2 / (n (n - 1)): the share of all pairs of the n organisations that lose every
    chain of ties, pairs with the leaving one not counted. `cut_off` counts the members of all parts but the
    largest. Direction and weight are not read. A network without such an organisation gives no row.

    Returns
    -------
    organisation, pairs_cut (a share, above 0), cut_off (a number of organisations, 1 or more)

    Notes
    -----
    One walk finds the blocks (parts that no single leaving divides); what hangs from an organisation is counted on the
    way.

    References
    ----------
    J. Hopcroft and R. Tarjan, Efficient algorithms for graph manipulation, Communications of the ACM 16, 372
    (1973).

    >>> articulation(Network.from_pairs([("a", "b"), ("b", "c")])).rows()
    [('b', 0.3333333333333333, 1)]
    """
    tree = tree_of(network.adjacency)
    n = len(network.organisations)
    tops, below = _below(tree)
    parts, squares = np.bincount(tops, below, n), np.bincount(tops, below**2, n)
    largest = np.zeros(n)
    np.maximum.at(largest, tops, below)
    others = tree.total - 1
    rest = others - parts
    cut_off = others - np.maximum(largest, rest)
    pairs = others**2 - squares - rest**2
    found = np.flatnonzero(cut_off > 0)
    return pl.DataFrame(
        {
            "organisation": network.names.gather(found),
            "pairs_cut": pairs[found] / _ordered_pairs(network),
            "cut_off": cut_off[found].astype(np.int64),
        }
    )


@takes_graph
def cut_off_by(network: Network) -> pl.DataFrame:
    """List for each organisation of `articulation` who would lose every chain of ties to the largest part that remains.

    Parts stand by falling size, equal ones by their first organisation; so the largest of equal parts that begins
    first counts as what remains. The whole takes one walk, however many such organisations there are.

    Returns
    -------
    organisation, lost (a list of organisations, part after part, each part in order)

    >>> cut_off_by(Network.from_pairs([("a", "b"), ("b", "c")])).rows()
    [('b', ['c'])]
    """
    forest = _forest(network)
    tour, starts = _tour(forest, len(network.organisations))
    kept = []
    for row, blocks in _blocks_of(forest):
        parts = sorted((_part(forest, tour, starts, row, block) for block in blocks), key=lambda p: (-p.size, p[0]))
        kept.append((network.organisations[row], [network.organisations[other] for p in parts[1:] for other in p]))
    schema = pl.Schema({"organisation": pl.String(), "lost": pl.List(pl.String())})
    return pl.DataFrame(kept, schema=schema, orient="row")


@takes_graph
def bridges(network: Network) -> pl.DataFrame:
    """List the pairs of partners whose tie is the only chain between two parts of the network.

    With a organisations on one side and b on the other, `pairs_cut` is 2ab / (n (n - 1)): the share of all
    pairs of the n organisations that lose every chain of ties. Several activities of one pair are one tie
    here. Direction and weight are not read. `source` is the smaller IRI.

    Returns
    -------
    source, target, pairs_cut (a share, above 0), cut_off (organisations on the smaller side)

    >>> bridges(Network.from_pairs([("a", "b"), ("b", "c")])).rows()[0]
    ('a', 'b', 0.6666666666666666, 1)
    """
    tree = tree_of(network.adjacency)
    alone = np.flatnonzero(np.bincount(tree.labels)[tree.labels] == 1)
    child, above = tree.children[alone], tree.above[alone]
    first, last = np.minimum(child, above), np.maximum(child, above)
    side, other = tree.size[child], tree.total[child] - tree.size[child]
    order = np.lexsort((last, first))
    return pl.DataFrame(
        {
            "source": network.names.gather(first[order]),
            "target": network.names.gather(last[order]),
            "pairs_cut": (2 * side * other / _ordered_pairs(network))[order],
            "cut_off": np.minimum(side, other)[order],
        }
    )


@takes_graph
def brokerage(network: Network, groups: pl.DataFrame, *, of: Collection[str] | None = None) -> pl.DataFrame:
    """Count how often each organisation stands between two others that are not joined, by role.

    A case is an ordered pair i, j with ties i to v and v to j and none from i to j; without direction each
    such pair counts both ways. v is `coordinator` where all three are of one group, `itinerant` where only i
    and j are, `gatekeeper` where only v and j are, `representative` where only i and v are, `liaison` where
    no two are. Cases with an organisation whose group is not known are left out.

    Parameters
    ----------
    groups : frame of organisation, group
        As for `group_codes`.
    of : collection of str, optional
        The organisations whose cases are counted, and listed, in order; by default all. On a large network a few are
        counted in no time, where all take minutes. Raises `UnknownNameError` for one that the network has not.

    Returns
    -------
    organisation, coordinator, itinerant, gatekeeper, representative, liaison, total (numbers of cases)

    References
    ----------
    R. V. Gould and R. M. Fernandez, Structures of mediation: a formal approach to brokerage in transaction
    networks, Sociological Methodology 19, 89 (1989).

    >>> regions = pl.DataFrame({"organisation": ["a", "b", "c"], "group": ["south", "north", "south"]})
    >>> brokerage(Network.from_pairs([("a", "b"), ("b", "c")]), regions)["itinerant"].to_list()
    [0, 2, 0]
    """
    names, codes = group_codes(network, groups)
    rows = _asked(network, of)
    same, other = _split(network, codes)
    # The ties that come into, and go out of, those that are asked for: a row for each of these.
    come = _Sides(sparse.csr_array(same.T.tocsr()[rows]), sparse.csr_array(other.T.tocsr()[rows]))
    go = _Sides(sparse.csr_array(same[rows]), sparse.csr_array(other[rows]))
    member = membership(codes, names.len())
    through = _rows_sum((come.other @ member).multiply(go.other @ member))
    into, out = (_rows_sum(come.same), _rows_sum(come.other)), (_rows_sum(go.same), _rows_sum(go.other))
    counts = {
        "coordinator": into[0] * out[0] - _returns(come.same, go.same) - _closed(come.same, go.same, same),
        "itinerant": through - _returns(come.other, go.other) - _closed(come.other, go.other, same),
        "gatekeeper": into[1] * out[0] - _closed(come.other, go.same, other),
        "representative": into[0] * out[1] - _closed(come.same, go.other, other),
        "liaison": into[1] * out[1] - through - _closed(come.other, go.other, other),
    }
    roles = {role: np.rint(cases).astype(np.int64) for role, cases in counts.items()}
    asked = pl.Series(network.organisations, dtype=pl.String)[rows]
    return pl.DataFrame({"organisation": asked, **roles}).with_columns(total=pl.sum_horizontal(*roles))


@dataclass(frozen=True, slots=True)
class _Forest:
    """The trees in which organisations (numbered first) and the blocks that they belong to take turns.

    `order` goes through all of them from the root down, `sizes` counts the organisations at and below each.
    """

    rows: NDArray[np.int64]
    blocks: NDArray[np.int64]
    sizes: NDArray[np.int64]
    parents: NDArray[np.int64]
    order: NDArray[np.int64]


def _below(tree: Tree) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give for each block the row from which it hangs, and how many organisations hang with it from that row."""
    block_above = np.full(tree.size.size, -1, dtype=np.int64)
    block_above[tree.children] = tree.labels
    heads = np.flatnonzero(block_above[tree.above] != tree.labels)
    number = int(tree.labels.max(initial=-1)) + 1
    tops = np.full(number, -1, dtype=np.int64)
    tops[tree.labels[heads]] = tree.above[heads]
    below = np.bincount(tree.labels[heads], tree.size[tree.children[heads]], number).astype(np.int64)
    return tops[tops >= 0], below[tops >= 0]


def _forest(network: Network) -> _Forest:
    """Build the trees of blocks, hung up at the first organisation of each component, with their sizes."""
    n = len(network.organisations)
    rows, blocks = blocks_of(network.adjacency)
    number = int(blocks[-1]) + 1 if blocks.size else 0
    order, parents = _walk_down(network, rows, blocks + n, n + number)
    sizes = np.concatenate([np.ones(n, dtype=np.int64), np.zeros(number + 1, dtype=np.int64)]).tolist()
    above = parents.tolist()
    for place in reversed(order[1:].tolist()):
        sizes[above[place]] += sizes[place]
    return _Forest(rows, blocks, np.array(sizes), parents, order)


def _tour(forest: _Forest, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the organisations so that those below anything stand side by side, and give where each of these begins."""
    parents, sizes = forest.parents.tolist(), forest.sizes.tolist()
    starts, free = [0] * len(sizes), [0] * len(sizes)
    tour = np.empty(n, dtype=np.int64)
    for place in forest.order[1:].tolist():
        above = parents[place]
        starts[place] = free[above]
        free[above] += sizes[place]
        free[place] = starts[place] + (place < n)
        if place < n:
            tour[starts[place]] = place
    return tour, np.array(starts, dtype=np.int64)


def _blocks_of(forest: _Forest) -> Iterator[tuple[int, list[int]]]:
    """Go through the organisations of more than one block, in order, with the blocks of each."""
    order = np.lexsort((forest.blocks, forest.rows))
    rows, firsts, counts = np.unique(forest.rows[order], return_index=True, return_counts=True)
    blocks = forest.blocks[order]
    for row, first, count in zip(rows.tolist(), firsts.tolist(), counts.tolist(), strict=True):
        if count > 1:
            yield row, blocks[first : first + count].tolist()


def _part(
    forest: _Forest, tour: NDArray[np.int64], starts: NDArray[np.int64], row: int, block: int
) -> NDArray[np.int64]:
    """Give in order the organisations that reach `row` through `block` alone."""
    n = tour.size
    here = n + block
    if forest.parents[row] != here:
        return np.sort(tour[starts[here] : starts[here] + forest.sizes[here]])
    top = row
    while (above := forest.parents[top]) != forest.sizes.size - 1:
        top = above
    first, last = starts[top], starts[top] + forest.sizes[top]
    own, end = starts[row], starts[row] + forest.sizes[row]
    return np.sort(np.concatenate([tour[first:own], tour[end:last]]))


def _walk_down(
    network: Network, rows: NDArray[np.int64], blocks: NDArray[np.int64], root: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Walk breadth first from a root that stands above the first organisation of each component."""
    _, labels = csgraph.connected_components(network.adjacency, directed=False)
    tops = np.unique(labels, return_index=True)[1]
    upper = np.concatenate([rows, np.full(tops.size, root)])
    lower = np.concatenate([blocks, tops])
    trees = sparse.coo_array((np.ones(upper.size), (upper, lower)), shape=(root + 1, root + 1)).tocsr()
    order, parents = csgraph.breadth_first_order(trees, root, directed=False)
    return np.asarray(order, dtype=np.int64), np.asarray(parents, dtype=np.int64)


def _ordered_pairs(network: Network) -> int:
    n = len(network.organisations)
    return max(n * (n - 1), 1)


def _split(network: Network, codes: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
    """Return 1 where a tie joins two of the same group, and 1 where it joins two of different groups."""
    ties = network.weights.tocoo()
    source, target = codes[ties.row], codes[ties.col]
    known = (source >= 0) & (target >= 0)
    same, other = (
        sparse.csr_array(
            sparse.coo_array((np.ones(int(kept.sum())), (ties.row[kept], ties.col[kept])), shape=ties.shape)
        )
        for kept in (known & (source == target), known & (source != target))
    )
    return same, other


@dataclass(frozen=True, slots=True)
class _Sides:
    """Ties of the organisations that are asked for (rows) within their group and to others."""

    same: Matrix
    other: Matrix


def _asked(network: Network, of: Collection[str] | None) -> NDArray[np.int64]:
    """Return the row numbers that are asked for, in order."""
    if of is None:
        return np.arange(len(network.organisations))
    for name in of:
        if name not in network.rows:
            raise unknown_name("organisation", name, network.organisations, where=repr(network))
    return np.array(sorted({network.rows[name] for name in of}), dtype=np.int64)


def _rows_sum(matrix: Matrix) -> NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64)


def _returns(come: Matrix, go: Matrix) -> NDArray[np.float64]:
    """Count the ties to each organisation that are returned."""
    return _rows_sum(come.multiply(go))


def _closed(come: Matrix, go: Matrix, across: Matrix) -> NDArray[np.float64]:
    """Count for each v the pairs i, j with i to v in `come`, v to j in `go` and i to j in `across`."""
    counts = np.zeros(come.shape[0])
    width = np.diff(across.indptr)
    cells = np.cumsum(come @ width.astype(np.float64)) if come.shape[0] else np.zeros(0)
    most = cells[-1] if cells.size else 0
    for rows in np.split(
        np.arange(cells.size), np.searchsorted(cells, np.arange(_CELLS_AT_ONCE, most, _CELLS_AT_ONCE))
    ):
        counts[rows] = _rows_sum((come[rows] @ across).multiply(go[rows]))
    return counts
