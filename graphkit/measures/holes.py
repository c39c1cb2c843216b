"""Structural holes: how far the partners of an organisation are bound to each other."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.network import Matrix, Network, takes_graph

__all__ = ["constraint", "effective_size", "efficiency"]

_PRODUCTS_AT_ONCE = 8_000_000


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
    As matrices (P + A o P^2)^2 summed over rows, where o and the outer square go cell by cell and A is 1
    where two are joined: only the cells of ties are kept of P^2.

    References
    ----------
    R. S. Burt, Structural Holes, Harvard 1992; Structural holes and good ideas, American Journal of Sociology
    110, 349 (2004).

    >>> constraint(Network.from_pairs([("a", "b"), ("b", "c")]), weighted=False)["constraint"].to_list()
    [1.0, 0.5, 1.0]
    """
    shares = _shares(_mutual(network, weighted=weighted))
    bound = shares + _product_where(network.adjacency, shares, shares)
    return _with_isolates_null(network, "constraint", (bound * bound).sum(axis=1))


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
    partners = np.maximum(network.adjacency.sum(axis=1), 1)
    return _with_isolates_null(network, "efficiency", _effective(network, weighted=weighted) / partners)


def _effective(network: Network, *, weighted: bool) -> NDArray[np.float64]:
    mutual = _mutual(network, weighted=weighted)
    strongest = np.zeros(len(network.organisations))
    np.maximum.at(strongest, mutual.nonzero()[0], mutual.data)
    relative = _divide_rows(mutual, strongest)
    redundancy = _product_where(network.adjacency, network.adjacency, relative)
    lost: NDArray[np.float64] = _shares(mutual).multiply(redundancy).sum(axis=1)
    return np.asarray(network.adjacency.sum(axis=1) - lost)


def _mutual(network: Network, *, weighted: bool) -> Matrix:
    """Return the ties of each pair added over both directions."""
    one_way = network.weights if weighted else network.steps
    return sparse.csr_array(one_way + one_way.T)


def _shares(mutual: Matrix) -> Matrix:
    return _divide_rows(mutual, np.asarray(mutual.sum(axis=1)))


def _divide_rows(matrix: Matrix, by: NDArray[np.float64]) -> Matrix:
    result = matrix.copy()
    result.data = result.data / np.repeat(by, np.diff(result.indptr))
    return result


def _product_where(mask: Matrix, left: Matrix, right: Matrix) -> Matrix:
    """Return `left @ right` times `mask` cell by cell, in row blocks that bound the memory."""
    work = np.asarray(left.astype(bool) @ np.diff(right.indptr).astype(np.int64))
    cuts = np.flatnonzero(np.diff(work.cumsum() // _PRODUCTS_AT_ONCE, prepend=0))
    ends = np.unique([*cuts, left.shape[0]])
    starts = np.concatenate([[0], ends[:-1]])
    blocks = [(left[a:b] @ right).multiply(mask[a:b]) for a, b in zip(starts, ends, strict=True)]
    return sparse.csr_array(sparse.vstack(blocks))


def _with_isolates_null(network: Network, name: str, values: NDArray[np.float64]) -> pl.DataFrame:
    joined = network.adjacency.sum(axis=1) > 0
    return network.table(**{name: pl.Series(np.where(joined, values, np.nan)).fill_nan(None)})
