"""Structural holes: how far the partners of an organisation are bound to each other."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.measures.triangles import Pairs, pairs_of, triangles
from graphkit.network import Matrix, Network, takes_graph

__all__ = ["constraint", "effective_size", "efficiency"]


@takes_graph
def constraint(network: Network, *, weighted: bool = True) -> pl.DataFrame:
    """Measure how much of each organisation's attention is bound in partners who are bound to each other.

    c(i) = sum over partners j of (p_ij + sum over q of p_iq p_qj)^2, where p_ij is the share of i's ties that
    goes to j: w_ij + w_ji divided by the sum of these over all partners.

    Parameters
    ----------
    weighted : bool
        Read the weights; else each tie counts 1.

    Returns
    -------
    organisation, constraint; null for an isolate, 1 with a single partner, near 0 with many partners who do
    not work together; at most 1.125 without weights (two who work together), below 2 with them

    Notes
    -----
    With w_ij the tie of a pair over both directions and s_i the sum of these at i, what is summed is
    (w_ij + t_ij)^2 / s_i^2, where t_ij = sum over q of w_iq w_qj / s_q is the same from both ends. It is added up over
    the triangles, each of which is looked at once.

    References
    ----------
    R. S. Burt, Structural Holes, Harvard 1992; Structural holes and good ideas, American Journal of Sociology
    110, 349 (2004).

    >>> constraint(Network.from_pairs([("a", "b"), ("b", "c")]), weighted=False)["constraint"].to_list()
    [1.0, 0.5, 1.0]
    """
    pairs = pairs_of(_mutual(network, weighted=weighted))
    bound = pairs.weights + _through_others(pairs)
    shares = pairs.add_up(bound * bound) / _strengths(pairs) ** 2
    return _with_isolates_null(network, "constraint", shares[pairs.rank])


@takes_graph
def effective_size(network: Network, *, weighted: bool = True) -> pl.DataFrame:
    """Count each organisation's partners less what they repeat of each other.

    e(i) = sum over partners j of (1 - sum over q of p_iq m_jq), where p_iq is the share of i's ties that
    goes to q and m_jq is the tie of j and q divided by j's strongest; ties count in both directions. Without
    weights and direction this is n - 2t/n for n partners with t ties among them.

    Parameters
    ----------
    weighted : bool
        Read the weights; else each tie counts 1.

    Returns
    -------
    organisation, effective_size (a number of partners, from 1 to all of them without weights); null for an
    isolate

    References
    ----------
    R. S. Burt, Structural Holes, Harvard 1992; S. P. Borgatti, Structural holes: unpacking Burt's redundancy
    measures, Connections 20, 35 (1997).

    >>> triangle = Network.from_pairs([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
    >>> effective_size(triangle)["effective_size"].round(3).to_list()
    [1.0, 1.0, 2.333, 1.0]
    """
    return _with_isolates_null(network, "effective_size", _effective(network, weighted=weighted))


@takes_graph
def efficiency(network: Network, *, weighted: bool = True) -> pl.DataFrame:
    """Divide each organisation's effective size by the number of its partners.

    1 where no two partners work together, near 0 where all repeat each other.

    Parameters
    ----------
    weighted : bool
        Read the weights; else each tie counts 1.

    Returns
    -------
    organisation, efficiency (a share); null for an isolate

    References
    ----------
    R. S. Burt, Structural Holes, Harvard 1992.

    >>> efficiency(Network.from_pairs([("a", "b"), ("b", "c")]))["efficiency"].to_list()
    [1.0, 1.0, 1.0]
    """
    partners = np.maximum(_partners(network), 1)
    return _with_isolates_null(network, "efficiency", _effective(network, weighted=weighted) / partners)


def _effective(network: Network, *, weighted: bool) -> NDArray[np.float64]:
    """Take from the number of partners what each triangle repeats: w_jq (w_iq / max_j + w_ij / max_q) / s_i at i."""
    pairs = pairs_of(_mutual(network, weighted=weighted))
    lower, upper, weights, n = pairs.lower, pairs.upper, pairs.weights, pairs.rank.size
    strongest = np.zeros(n)
    np.maximum.at(strongest, lower, weights)
    np.maximum.at(strongest, upper, weights)
    to_lower, to_upper = weights / strongest[lower], weights / strongest[upper]
    lost = np.zeros(n)
    for first, second, third in triangles(pairs):
        inner, outer, far = weights[first], weights[second], weights[third]
        lost += np.bincount(lower[first], outer * to_lower[third] + inner * to_upper[third], n)
        lost += np.bincount(lower[third], far * to_lower[second] + inner * to_upper[second], n)
        lost += np.bincount(upper[third], far * to_lower[first] + outer * to_upper[first], n)
    return _partners(network) - (lost / _strengths(pairs))[pairs.rank]


def _through_others(pairs: Pairs) -> NDArray[np.float64]:
    """Give for each pair i, j the sum over those joined to both, q, of w_iq w_qj / s_q."""
    weights, number, total = pairs.weights, pairs.weights.size, _strengths(pairs)
    by_lower, by_upper = weights / total[pairs.lower], weights / total[pairs.upper]
    through = np.zeros(number)
    for first, second, third in triangles(pairs):
        through += np.bincount(first, weights[second] * by_upper[third], number)
        through += np.bincount(second, weights[first] * by_lower[third], number)
        through += np.bincount(third, weights[second] * by_lower[first], number)
    return through


def _strengths(pairs: Pairs) -> NDArray[np.float64]:
    """Add up the ties of each organisation; 1 for an isolate, by which nothing is divided."""
    total = pairs.add_up(pairs.weights)
    total[total == 0] = 1
    return total


def _mutual(network: Network, *, weighted: bool) -> Matrix:
    """Return the ties of each pair added over both directions, or those of one where both are the same."""
    one_way = network.weights if weighted else network.steps
    return sparse.csr_array(one_way + one_way.T) if network.directed else one_way


def _partners(network: Network) -> NDArray[np.int64]:
    return np.diff(network.adjacency.indptr).astype(np.int64)


def _with_isolates_null(network: Network, name: str, values: NDArray[np.float64]) -> pl.DataFrame:
    joined = _partners(network) > 0
    return network.table(**{name: pl.Series(np.where(joined, values, np.nan)).fill_nan(None)})
