"""Where an organisation stands in its network: its ties, its distance from the core, the paths through it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import networkx as nx
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from graphkit.errors import UsageError
from graphkit.measures import fast
from graphkit.measures.cores import cores_of
from graphkit.measures.paths import carried_by, narrowed
from graphkit.network import Matrix, Network, takes_graph

__all__ = [
    "betweenness",
    "closeness",
    "components",
    "coreness",
    "degree",
    "isolates",
    "pagerank",
    "personalised_pagerank",
    "row_blocks",
    "strength",
]

_Level: TypeAlias = "sparse.coo_array[np.float64, tuple[int, int]]"
_CELLS_AT_ONCE = 4_000_000
_PAGERANK_RESIDUE = 1e-13


@takes_graph
def degree(network: Network) -> pl.DataFrame:
    """Count the partners of each organisation.

    An organisation counts once, however many activities it shares. `incoming` counts the partners from which
    a tie comes, `outgoing` those to which one goes, `degree` those with either; without direction all three
    agree. An isolate has 0.

    Returns
    -------
    organisation, degree, incoming, outgoing (numbers of organisations)

    References
    ----------
    L. C. Freeman, Centrality in social networks: conceptual clarification, Social Networks 1, 215 (1979).

    >>> degree(Network.from_pairs([("a", "b"), ("b", "c")]))["degree"].to_list()
    [1, 2, 1]
    """
    return network.table(
        degree=_count(network.adjacency, 1),
        incoming=_count(network.weights, 0),
        outgoing=_count(network.weights, 1),
    )


@takes_graph
def strength(network: Network) -> pl.DataFrame:
    """Add up the weights of each organisation's ties.

    `incoming` and `outgoing` are the column and row sums of the weights. `strength` is their sum where the
    network is directed; without direction all three agree. An isolate has 0.

    Returns
    -------
    organisation, strength, incoming, outgoing (in the unit of the weights)

    References
    ----------
    A. Barrat and others, The architecture of complex weighted networks, PNAS 101, 3747 (2004).

    >>> strength(Network.from_pairs([("a", "b"), ("b", "c")]))["strength"].to_list()
    [1.0, 2.0, 1.0]
    """
    incoming: NDArray[np.float64] = network.weights.sum(axis=0)
    outgoing: NDArray[np.float64] = network.weights.sum(axis=1)
    both = incoming + outgoing if network.directed else outgoing
    return network.table(strength=both, incoming=incoming, outgoing=outgoing)


@takes_graph
def coreness(network: Network) -> pl.DataFrame:
    """Give the largest k for which each organisation belongs to the k-core.

    The k-core is the largest part of the network in which everybody has at least k partners within that part.
    Direction and weight are not read. An isolate has 0.

    Returns
    -------
    organisation, coreness (a number of partners)

    References
    ----------
    S. B. Seidman, Network structure and minimum degree, Social Networks 5, 269 (1983).

    >>> coreness(Network.from_pairs([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")]))["coreness"].to_list()
    [2, 2, 2, 1]
    """
    cores = cores_of(network.adjacency)
    if cores is None:
        known = nx.core_number(network.structure)
        cores = np.fromiter(known.values(), dtype=np.int64, count=len(known))
    return network.table(coreness=cores)


@takes_graph
def betweenness(network: Network) -> pl.DataFrame:
    """Give the share of shortest paths between others that pass through each organisation.

    b(v) = sum over s, t of paths(s, t | v) / paths(s, t), divided by the (n - 1)(n - 2) ordered pairs of
    others; pairs without a path add nothing. Paths count steps, not weights, and follow the direction of ties
    where there is one. Between 0 and 1; 0 for an isolate and in a network of fewer than three.

    Returns
    -------
    organisation, betweenness (a share)

    Notes
    -----
    Brandes' algorithm from a block of organisations at once. Where shortest paths are long it is that of networkit, if
    that is installed (extra `fast`) and ties have no direction.

    References
    ----------
    U. Brandes, A faster algorithm for betweenness centrality, Journal of Mathematical Sociology 25, 163
    (2001).

    >>> betweenness(Network.from_pairs([("a", "b"), ("b", "c")]))["betweenness"].to_list()
    [0.0, 1.0, 0.0]
    """
    n = len(network.organisations)
    total = carried_by(network.steps)
    if total is None and fast.ready() and not network.directed:
        return network.table(betweenness=fast.betweenness(network.adjacency))
    if total is None:
        back = network.steps.T.tocsr()
        total = np.sum([_dependency(_levels(network.steps, seeds), back) for seeds in row_blocks(n)], axis=0)
    return network.table(betweenness=total / max((n - 1) * (n - 2), 1))


@takes_graph
def closeness(network: Network) -> pl.DataFrame:
    """Give the inverse of the mean distance from the others, scaled by the share that can be reached.

    c(v) = (r - 1) / sum of distances x (r - 1) / (n - 1), where r counts those from whom v can be reached, v
    included. Distances count steps, not weights, and follow the direction of ties where there is one.
    Between 0 and 1; 0 for an isolate.

    Returns
    -------
    organisation, closeness (an inverse number of steps)

    References
    ----------
    S. Wasserman and K. Faust, Social Network Analysis, Cambridge 1994, equation 5.22.

    >>> closeness(Network.from_pairs([("a", "b"), ("b", "c")]))["closeness"].round(3).to_list()
    [0.667, 1.0, 0.667]
    """
    n = len(network.organisations)
    back = network.steps.T.tocsr()
    result = np.zeros(n)
    for seeds in row_blocks(n):
        counts = [np.bincount(level.row, minlength=seeds.size) for level in _levels(back, seeds)]
        reached = np.sum(counts, axis=0) - 1.0
        far = np.sum([distance * count for distance, count in enumerate(counts)], axis=0)
        result[seeds] = reached**2 / (np.maximum(far, 1) * max(n - 1, 1))
    return network.table(closeness=result)


@takes_graph
def pagerank(network: Network, *, alpha: float = 0.85) -> pl.DataFrame:
    """Give the share of time that a random walker along the ties spends with each organisation.

    At each step the walker follows a tie, chosen by weight and direction, with probability `alpha`, else
    starts again anywhere; from an organisation without a way out it starts again anywhere. The shares sum to
    1.

    Returns
    -------
    organisation, pagerank (a share)

    Notes
    -----
    Where ties have no direction the equations are symmetric and are solved by conjugate gradients, in far fewer steps
    than the walk takes.

    References
    ----------
    L. Page and others, The PageRank citation ranking: bringing order to the web, Stanford 1999.

    >>> pagerank(Network.from_pairs([("a", "b"), ("b", "c")]))["pagerank"].round(3).to_list()
    [0.257, 0.486, 0.257]
    """
    n = len(network.organisations)
    _check_walk(alpha, 0)
    steps = math.ceil(math.log(_PAGERANK_RESIDUE, alpha)) if alpha else 0
    if not network.directed:
        return network.table(pagerank=_both_ways(network.weights, alpha, steps))
    anywhere = np.full((n, 1), 1 / max(n, 1))
    return network.table(pagerank=_walk(network.weights, anywhere, alpha, steps).ravel())


@takes_graph
def personalised_pagerank(
    network: Network,
    *,
    alpha: float = 0.85,
    steps: int = 12,
    weights: Matrix | None = None,
    rows: Sequence[int] | NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Give the share of time that a walker who always starts again at its seed spends with each organisation.

    x(0) = seed, x(t + 1) = alpha x(t) P + (1 - alpha) seed, where P are the weights divided by their row
    sums; from an organisation without a way out the walker goes back to its seed. After `steps` steps the
    shares are within 2 alpha^(steps + 1) of those of an endless walk, summed over a row.

    Parameters
    ----------
    alpha : float
        The probability of going on; at least 0 and below 1.
    steps : int
        The number of steps; at least 0.
    weights : n x n sparse matrix, optional
        Instead of `network.weights`, such as those of `recency_weights`; none is negative.
    rows : row numbers, optional
        The seeds, one or more; by default all. With `row_blocks` memory stays bounded.

    Returns
    -------
    An array, seeds x organisations; each row sums to 1. The row of an isolate is 1 at itself.

    Raises `UsageError` where a parameter is out of range or the weights have another shape.

    References
    ----------
    T. H. Haveliwala, Topic-sensitive PageRank, WWW 2002.

    >>> line = Network.from_pairs([("a", "b"), ("b", "c")])
    >>> personalised_pagerank(line, steps=1, alpha=0.5).tolist()
    [[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.0, 0.5, 0.5]]
    """
    n = len(network.organisations)
    matrix = network.weights if weights is None else weights
    _check_walk(alpha, steps)
    if matrix.shape != (n, n) or matrix.data.min(initial=0) < 0:
        raise UsageError(
            f"the weights are {matrix.shape[0]} x {matrix.shape[1]} or hold a negative number",
            hint=f"give {n} x {n} weights, none of them below 0",
        )
    chosen = np.arange(n) if rows is None else np.asarray(rows, dtype=np.int64)
    seeds = np.zeros((n, chosen.size))
    seeds[chosen, np.arange(chosen.size)] = 1
    return np.ascontiguousarray(_walk(matrix, seeds, alpha, steps).T)


def row_blocks(n: int, *, cells: int = _CELLS_AT_ONCE) -> Iterator[NDArray[np.int64]]:
    """Split the row numbers below `n` into blocks so that a block x n array has at most `cells` cells.

    >>> [block.tolist() for block in row_blocks(3, cells=6)]
    [[0, 1], [2]]
    """
    size = max(cells // max(n, 1), 1)
    return (np.arange(start, min(start + size, n)) for start in range(0, n, size))


@takes_graph
def components(network: Network) -> pl.DataFrame:
    """Tell to which connected part of the network each organisation belongs.

    Two organisations are in one part where a chain of ties joins them, whatever the direction. Parts are
    numbered from 0 by falling size, equal ones by their first organisation. An isolate is a part of its own.

    Returns
    -------
    organisation, component (a number), size (organisations of that part)

    >>> components(Network.from_pairs([("b", "c")], organisations=["a"])).rows()
    [('a', 1, 1), ('b', 0, 2), ('c', 0, 2)]
    """
    _, labels = csgraph.connected_components(network.adjacency, directed=False)
    parts = network.table(label=labels).with_columns(size=pl.len().over("label").cast(pl.Int64))
    first = pl.col("organisation").first().over("label")
    return parts.with_columns(first=first).select(
        "organisation",
        component=pl.struct(-pl.col("size"), "first").rank("dense").cast(pl.Int64) - 1,
        size="size",
    )


@takes_graph
def isolates(network: Network) -> pl.DataFrame:
    """List the organisations that have no tie in this network.

    Nobody is known to work with them here; that is not to say that nobody does.

    Returns
    -------
    organisation

    >>> isolates(Network.from_pairs([("b", "c")], organisations=["a"])).rows()
    [('a',)]
    """
    return degree(network).filter(pl.col("degree") == 0).select("organisation")


def _count(matrix: Matrix, axis: int) -> NDArray[np.int64]:
    """Count the cells that hold a value along an axis: 0 for each column, 1 for each row."""
    return np.asarray(matrix.count_nonzero(axis=axis), dtype=np.int64)


def _levels(steps: Matrix, seeds: NDArray[np.int64]) -> list[_Level]:
    """Count the shortest paths, for each distance from 0 on as a matrix of seeds x organisations."""
    shape = (seeds.size, steps.shape[0])
    level: _Level = sparse.coo_array((np.ones(seeds.size), (np.arange(seeds.size), seeds)), shape=shape)
    seen = np.zeros(shape, dtype=bool)
    levels = []
    while level.nnz:
        levels.append(level)
        seen[level.row, level.col] = True
        reached = (level.tocsr() @ steps).tocoo()
        new = ~seen[reached.row, reached.col]
        level = sparse.coo_array((reached.data[new], (reached.row[new], reached.col[new])), shape=shape)
    return levels


def _dependency(levels: list[_Level], back: Matrix) -> NDArray[np.float64]:
    """Add up, from the farthest level to the nearest, the paths that each organisation carries."""
    carried = np.zeros(levels[0].shape)
    for near, far in reversed(list(pairwise(levels[1:]))):
        share = (1 + carried[far.row, far.col]) / far.data
        onward = sparse.csr_array((share, (far.row, far.col)), shape=far.shape)
        passed = (onward @ back).multiply(near).tocoo()
        carried[passed.row, passed.col] = passed.data
    return np.asarray(carried.sum(axis=0))


def _check_walk(alpha: float, steps: int) -> None:
    if not 0 <= alpha < 1:
        raise UsageError(f"alpha is {alpha}, but it is a probability below 1", hint="the usual value is 0.85")
    if steps < 0:
        raise UsageError(f"a walk of {steps} steps cannot be taken", hint="give 0 or more, such as 12")


def _walk(weights: Matrix, seeds: NDArray[np.float64], alpha: float, steps: int) -> NDArray[np.float64]:
    """Walk from the seeds (organisations x walkers, columns sum to 1) and return where the walkers are."""
    out: NDArray[np.float64] = weights.sum(axis=1)
    stuck = out == 0
    forward = (sparse.diags_array(1 / np.where(stuck, 1, out)) @ weights).T.tocsr()
    where = seeds
    for _ in range(steps):
        where = alpha * (forward @ where) + seeds * (1 - alpha + alpha * where[stuck].sum(axis=0))
    return where


def _both_ways(weights: Matrix, alpha: float, steps: int) -> NDArray[np.float64]:
    """Give the shares of a walker on symmetric weights, who starts again anywhere.

    With S = D^-1/2 W D^-1/2 the shares are D^1/2 y up to a factor, where (1 - alpha S) y = D^-1/2 1. Those who go on
    from an isolate start again anywhere, which only enlarges this factor. All eigenvalues lie between 1 - alpha and
    1 + alpha, so fewer steps are needed than by walking, which are the most that are taken.
    """
    strength: NDArray[np.float64] = weights.sum(axis=1)
    root = np.sqrt(np.where(strength > 0, strength, 1))
    between = narrowed(weights)
    between.data = between.data / (np.repeat(root, np.diff(between.indptr)) * root[between.indices])
    found, residue = np.zeros(root.size), 1 / root
    ahead, left = residue, (residue * residue).sum()
    enough = left * _PAGERANK_RESIDUE**2
    for _ in range(steps + 1):
        if left <= enough:
            break
        image = ahead - alpha * (between @ ahead)
        step = left / (ahead * image).sum()
        found, residue = found + step * ahead, residue - step * image
        before, left = left, (residue * residue).sum()
        ahead = residue + left / before * ahead
    shares = root * found
    return np.asarray(shares / shares.sum()) if shares.size else shares
