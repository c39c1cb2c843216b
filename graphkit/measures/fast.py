"""The one door to networkit (extra `fast`): measures in C++ for what takes long by other ways.

Nothing here is needed: `position.betweenness` takes this way by itself where shortest paths are long and networkit is
installed, and the tests prove that the numbers are the same; `groups.communities` takes it where it is asked for. One
thread is used, so that the same network always gives the same answer and other work on the machine is not held up.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from graphkit.errors import MissingExtraError
from graphkit.network import Matrix, Network

__all__ = ["betweenness", "communities", "handed_over", "ready"]

_HANDED_OVER: Final[WeakKeyDictionary[Network, Any]] = WeakKeyDictionary()
"""The graph of networkit for each network that still stands; it goes with the network."""


def ready() -> bool:
    """Tell whether networkit is installed."""
    return find_spec("networkit") is not None


def betweenness(adjacency: Matrix) -> NDArray[np.float64]:
    """Give the share of shortest paths between others that pass through each row; ties without direction."""
    library = _library()
    if adjacency.shape[0] < 3:  # noqa: PLR2004 - there are no others to stand between
        return np.zeros(adjacency.shape[0])
    scores = library.centrality.Betweenness(_graph(library, adjacency), normalized=True).run().scores()
    return np.asarray(scores, dtype=np.float64)


def communities(network: Network, *, resolution: float, seed: int) -> NDArray[np.int64]:
    """Give each row the number of its community, by the Louvain method with refinement, from 0 without a gap.

    Ties count by weight, whatever the direction. Other divisions than those of networkx, as good or better.
    C. L. Staudt and H. Meyerhenke, IEEE Transactions on Parallel and Distributed Systems 27, 171 (2016).
    """
    library = _library()
    library.engineering.setSeed(seed, useThreadId=False)
    part = library.community.PLM(handed_over(network), refine=True, gamma=resolution).run().getPartition()
    part.compact()
    return np.asarray(part.getVector(), dtype=np.int64)


def handed_over(network: Network) -> Any:  # noqa: ANN401 - networkit has no types
    """Give networkit's graph of the weights of a network, over both directions; made once and kept with the network.

    Trying several seeds and resolutions then costs no more than each division.
    """
    if network not in _HANDED_OVER:
        both = sparse.csr_array(network.weights + network.weights.T)
        _HANDED_OVER[network] = _graph(_library(), both, weighted=True)
    return _HANDED_OVER[network]


def _library() -> Any:  # noqa: ANN401 - networkit has no types
    try:
        import networkit  # noqa: PLC0415 - optional, at its one door
    except ImportError as error:
        raise MissingExtraError("networkit is not installed", hint="pip install 'solidarity-graphkit[fast]'") from error
    networkit.setNumberOfThreads(1)
    return networkit


def _graph(library: Any, matrix: Matrix, *, weighted: bool = False) -> Any:  # noqa: ANN401 - networkit has no types
    """Hand over a symmetric matrix."""
    upper = sparse.coo_array(sparse.triu(matrix, 1))
    graph = library.Graph(matrix.shape[0], weighted=weighted)
    rows, columns = (end.astype(np.uint64) for end in (upper.row, upper.col))
    graph.addEdges((upper.data, (rows, columns)) if weighted else (rows, columns), checkMultiEdge=False)
    return graph
