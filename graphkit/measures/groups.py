"""Groups of organisations: which ones the ties suggest, and how far given ones keep to themselves."""

from __future__ import annotations

from typing import Literal

import networkx as nx
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.errors import DataError
from graphkit.measures import fast
from graphkit.network import Matrix, Network, takes_graph

__all__ = [
    "communities",
    "ei_index",
    "ei_of_network",
    "group_codes",
    "group_ties",
    "membership",
    "modularity",
    "pairs_of",
]


def group_codes(network: Network, groups: pl.DataFrame) -> tuple[pl.Series, NDArray[np.int64]]:
    """Return the groups in order, and for each organisation the place of its group in them, -1 for none.

    `groups` has the columns `organisation` and `group` (text or numbers; null is not known), at most one
    group for an organisation. Organisations outside the network are passed over; those of the network
    without a group are not known, and the measures of groups leave them out. Raises `DataError` that names
    the missing column or the organisation with two groups.

    >>> regions = pl.DataFrame({"organisation": ["a", "b"], "group": ["south", "north"]})
    >>> names, codes = group_codes(Network.from_pairs([("a", "b"), ("b", "c")]), regions)
    >>> names.to_list(), codes.tolist()
    (['north', 'south'], [1, 0, -1])
    """
    for column in ("organisation", "group"):
        if column not in groups.columns:
            raise DataError(f"the groups lack the column '{column}'", hint="give the columns organisation, group")
    given = groups.select("organisation", "group").drop_nulls().unique()
    twice = given.filter(pl.col("organisation").is_duplicated())["organisation"].sort()
    if twice.len():
        raise DataError(f"the organisation '{twice[0]}' is in two groups", hint="give one group for each")
    placed = network.table().join(given, on="organisation", how="left", maintain_order="left")["group"]
    names = placed.drop_nulls().unique().sort()
    ranks = placed.rank("dense").cast(pl.Int64) - 1
    return names.rename("group"), ranks.fill_null(-1).to_numpy()


@takes_graph
def communities(
    network: Network, *, resolution: float = 1.0, seed: int = 0, engine: Literal["networkx", "networkit"] = "networkx"
) -> pl.DataFrame:
    """Divide the network into communities with many ties inside and few between, by the Louvain method.

    The division is one of several that are nearly as good: another `seed` may give another. A higher
    `resolution` gives smaller communities. Ties count by weight, whatever the direction. An isolate is a
    community of its own. Communities are numbered from 0 by falling size, equal ones by their first
    organisation; the same rows and seed give the same communities.

    Returns
    -------
    organisation, group (a number)

    Notes
    -----
    `engine="networkit"` (extra `fast`) takes a hundredth of the time on large networks. It divides otherwise, as well
    or better by modularity, and so it is used only where it is asked for.
    Louvain may join parts that hang together only through a third; where that matters, compare several seeds.

    References
    ----------
    V. D. Blondel and others, Fast unfolding of communities in large networks, Journal of Statistical
    Mechanics P10008 (2008).

    >>> triangles = [("a", "b"), ("b", "c"), ("a", "c"), ("d", "e"), ("e", "f"), ("d", "f")]
    >>> communities(Network.from_pairs([*triangles, ("c", "d")]))["group"].to_list()
    [0, 0, 0, 1, 1, 1]
    """
    if engine == "networkit":
        labels = fast.communities(network, resolution=resolution, seed=seed)
    else:
        labels = _louvain(sparse.csr_array(network.weights + network.weights.T), resolution, seed)
    sizes, (_, firsts) = np.bincount(labels), np.unique(labels, return_index=True)
    place = np.empty(sizes.size, dtype=np.int64)
    place[np.lexsort((firsts, -sizes))] = np.arange(sizes.size)
    return network.table(group=place[labels])


@takes_graph
def ei_index(network: Network, groups: pl.DataFrame) -> pl.DataFrame:
    """Compare for each group the pairs of partners that leave it with those inside it.

    E-I = (external - internal) / (external + internal): -1 where all ties stay inside, 1 where all lead out.
    A pair of partners counts once, whatever its weight, direction and number of activities. Pairs with an
    organisation whose group is not known are left out. A small group has fewer chances of internal ties, so
    compare with chance before calling a group closed.

    Parameters
    ----------
    groups : frame of organisation, group
        As for `group_codes`.

    Returns
    -------
    group, organisations, internal, external (numbers), ei (null for a group without ties)

    References
    ----------
    D. Krackhardt and R. N. Stern, Informal networks and organizational crises: an experimental simulation,
    Social Psychology Quarterly 51, 123 (1988).

    >>> regions = pl.DataFrame({"organisation": ["a", "b", "c"], "group": ["south", "south", "north"]})
    >>> ei_index(Network.from_pairs([("a", "b"), ("b", "c")]), regions).rows()
    [('north', 1, 0, 1, 1.0), ('south', 2, 1, 1, 0.0)]
    """
    names, codes = group_codes(network, groups)
    left, right = pairs_of(network, codes)
    inside = left == right
    internal = np.bincount(left[inside], minlength=names.len())
    external = np.bincount(np.concatenate([left[~inside], right[~inside]]), minlength=names.len())
    counts = pl.DataFrame(
        {
            "group": names,
            "organisations": np.bincount(codes[codes >= 0], minlength=names.len()),
            "internal": internal,
            "external": external,
        }
    )
    difference, ties = pl.col("external") - pl.col("internal"), pl.col("external") + pl.col("internal")
    return counts.with_columns(ei=pl.when(ties > 0).then(difference / ties))


@takes_graph
def ei_of_network(network: Network, groups: pl.DataFrame) -> float:
    """Compare in the whole network the pairs of partners between groups with those inside groups.

    E-I as in `ei_index`, each pair counted once; nan where no pair has two known groups.

    >>> regions = pl.DataFrame({"organisation": ["a", "b", "c"], "group": ["south", "south", "north"]})
    >>> ei_of_network(Network.from_pairs([("a", "b"), ("b", "c")]), regions)
    0.0
    """
    left, right = pairs_of(network, group_codes(network, groups)[1])
    return 1 - 2 * float(np.mean(left == right)) if left.size else float("nan")


@takes_graph
def group_ties(network: Network, groups: pl.DataFrame) -> pl.DataFrame:
    """Count the ties within each group and between each two.

    All pairs of groups are listed, those without a tie as well; where the network is directed from `group` to
    `other` and back apart, else once. Organisations whose group is not known are left out.

    Parameters
    ----------
    groups : frame of organisation, group
        As for `group_codes`.

    Returns
    -------
    group, other, ties (pairs of organisations that are joined), weight (the sum of their weights), possible
    (pairs that could be joined), density (ties / possible; null where no pair is possible)

    >>> regions = pl.DataFrame({"organisation": ["a", "b", "c"], "group": ["south", "south", "north"]})
    >>> group_ties(Network.from_pairs([("a", "b"), ("b", "c")]), regions).rows()[1]
    ('north', 'south', 1, 1.0, 2, 0.5)
    """
    names, codes = group_codes(network, groups)
    sizes = np.bincount(codes[codes >= 0], minlength=names.len()).astype(np.float64)
    possible = np.outer(sizes, sizes) - np.diag(sizes)
    ties, weight = (_between(matrix, codes, names.len()) for matrix in (network.steps, network.weights))
    if not network.directed:
        ties, weight, possible = (_halve_diagonal(array) for array in (ties, weight, possible))
    size = (names.len(), names.len())
    first, second = np.indices(size).reshape(2, -1) if network.directed else np.triu_indices(names.len())
    table = pl.DataFrame(
        {
            "group": names[first],
            "other": names[second],
            "ties": ties[first, second].astype(np.int64),
            "weight": weight[first, second],
            "possible": possible[first, second].astype(np.int64),
        }
    )
    return table.with_columns(density=pl.when(pl.col("possible") > 0).then(pl.col("ties") / pl.col("possible")))


@takes_graph
def modularity(network: Network, groups: pl.DataFrame, *, resolution: float = 1.0) -> float:
    """Measure how much more weight lies inside the groups than if ties were dealt out at random by strength.

    Q = sum over groups of inside / total - resolution x out x in / total^2, with the weights between
    organisations whose group is known. From -0.5 to below 1, and 0 for a single group; nan where there is no
    tie.

    References
    ----------
    M. E. J. Newman and M. Girvan, Finding and evaluating community structure in networks, Physical Review E
    69, 026113 (2004); E. A. Leicht and M. E. J. Newman, Physical Review Letters 100, 118703 (2008), for
    direction.

    >>> regions = pl.DataFrame({"organisation": ["a", "b", "c", "d"], "group": ["x", "x", "y", "y"]})
    >>> modularity(Network.from_pairs([("a", "b"), ("c", "d")]), regions)
    0.5
    """
    names, codes = group_codes(network, groups)
    between = _between(network.weights, codes, names.len())
    total = float(between.sum())
    if not total:
        return float("nan")
    by_chance = between.sum(axis=0) @ between.sum(axis=1)
    return float(np.trace(between) / total - resolution * by_chance / total**2)


def _louvain(both: Matrix, resolution: float, seed: int) -> NDArray[np.int64]:
    """Give each row the number of the community that networkx finds for it, from 0 without a gap."""
    upper = sparse.triu(both, 1).tocoo()
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(both.shape[0]))
    graph.add_weighted_edges_from(zip(upper.row.tolist(), upper.col.tolist(), upper.data.tolist(), strict=True))
    labels = np.empty(both.shape[0], dtype=np.int64)
    for number, members in enumerate(nx.community.louvain_communities(graph, resolution=resolution, seed=seed)):
        labels[list(members)] = number
    return labels


def pairs_of(network: Network, codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the codes at both ends of each joined pair, once for each pair whose codes are both known."""
    upper = sparse.triu(network.adjacency, 1).tocoo()
    left, right = codes[upper.row], codes[upper.col]
    known = (left >= 0) & (right >= 0)
    return left[known], right[known]


def membership(codes: NDArray[np.int64], number: int) -> Matrix:
    """Return 1 where an organisation is of a group, organisations x `number` groups."""
    known = np.flatnonzero(codes >= 0)
    place = (known, codes[known])
    matrix: Matrix = sparse.coo_array((np.ones(known.size), place), shape=(codes.size, number)).tocsr()
    return matrix


def _between(matrix: Matrix, codes: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    """Add up the cells of a matrix from group to group, as a dense array."""
    member = membership(codes, number)
    return np.asarray((member.T @ matrix @ member).toarray())


def _halve_diagonal(array: NDArray[np.float64]) -> NDArray[np.float64]:
    return array - np.diag(np.diag(array)) / 2
