"""Link scorers: how likely two organisations without a tie are to find each other, for all pairs in bounded memory."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from graphkit.errors import UsageError, unknown_name
from graphkit.measures import position
from graphkit.network import Matrix, Network, recency_weights

__all__ = ["SCORERS", "Pairs", "Scorer", "default_scorer", "find_scorer", "open_pairs", "ready_scorers", "settled"]

Pairs: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Row numbers of the first and of the second organisation of each pair, of equal length."""

_Rows: TypeAlias = Callable[[NDArray[np.int64]], NDArray[np.float64]]
_Prepare: TypeAlias = Callable[[Network, date], _Rows]

_LARGE = 5_000
_KATZ_STEPS = 4
_SEED = 20171231
_BITS = 40
_NO_SPREAD = 1e-9


@dataclass(frozen=True, slots=True)
class Scorer:
    """A way to score pairs: its name, its summary, and the function that prepares it for a network.

    `function(network, today)` returns a function from row numbers to an array, rows x organisations. Scores are
    symmetric, higher means more likely, and only their order means anything: none is a probability. Direction
    is not read.
    """

    name: str
    summary: str
    function: _Prepare
    worth: Callable[[Network], NDArray[np.float64]] | None = None
    """What each shared partner adds to the score, where nothing else does: then all other pairs score 0."""

    def rows(self, network: Network, today: date) -> _Rows:
        """Prepare the scorer and return a function from row numbers to their scores, rows x organisations.

        Scores that agree in their first twelve digits are made equal, so that the order in which numbers
        were added never decides between two pairs. The cell of an organisation with itself, or with a partner,
        holds a number of no meaning.
        """
        prepared = self.function(network, today)
        return lambda rows: settled(prepared(rows))

    def score(self, network: Network, pairs: Pairs, today: date) -> NDArray[np.float64]:
        """Score the given pairs of row numbers; a pair has the same score in both directions.

        Raises `UsageError` where the two arrays differ in length or a number is no row of the network.

        >>> line = Network.from_pairs([("a", "b"), ("b", "c")])
        >>> SCORERS["common_neighbours"].score(line, (np.array([0]), np.array([2])), date(2026, 1, 1)).tolist()
        [1.0]
        """
        left, right = _checked(network, pairs)
        result = np.zeros(left.size)
        if not left.size:
            return result
        score_rows = self.rows(network, today)
        wanted, place = np.unique(left, return_inverse=True)
        order = np.argsort(place, kind="stable")
        for block in position.row_blocks(len(network.organisations)):
            near = wanted[block[0] : block[-1] + 1]
            if near.size:
                here = order[slice(*np.searchsorted(place[order], [block[0], block[0] + near.size]))]
                result[here] = score_rows(near)[place[here] - block[0], right[here]]
        return result


def default_scorer(network: Network) -> str:
    """Name the scorer to use where no backtest says otherwise.

    Below 5,000 organisations that is the fusion, from there on the walk by recency and size alone, which takes half
    the time. docs/backtest.md has the figures.

    >>> default_scorer(Network.from_pairs([("a", "b")]))
    'fusion'
    """
    return "fusion" if len(network.organisations) < _LARGE else "ppr_recency"


def ready_scorers() -> tuple[str, ...]:
    """Name the scorers that can run here: all, but the learned one only where scikit-learn is installed.

    >>> ready_scorers()[:2]
    ('random', 'preferential_attachment')
    """
    without = () if find_spec("sklearn") else ("learned",)
    return tuple(name for name in SCORERS if name not in without)


def find_scorer(name: str) -> Scorer:
    """Return the scorer called `name`, or raise `UnknownNameError` that lists the near names.

    >>> find_scorer("katz").name
    'katz'
    """
    if name not in SCORERS:
        raise unknown_name("scorer", name, SCORERS)
    return SCORERS[name]


def open_pairs(network: Network, rows: NDArray[np.int64], *, both_ways: bool = False) -> NDArray[np.bool_]:
    """Tell for a block of rows which columns come later (or are others at all) and have no tie."""
    columns = np.arange(len(network.organisations))
    later = columns != rows[:, None] if both_ways else columns > rows[:, None]
    tied: NDArray[np.bool_] = network.adjacency[rows].toarray() > 0
    return np.asarray(later & ~tied)


def settled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to forty binary digits, so that the order in which numbers were added decides nothing."""
    fraction, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(np.ldexp(fraction, _BITS)), exponent - _BITS))


def _checked(network: Network, pairs: Pairs) -> Pairs:
    """Return the pairs as int64, the smaller row first, or refuse them."""
    first, second = (np.asarray(end, dtype=np.int64) for end in pairs)
    n = len(network.organisations)
    ends = np.concatenate([first, second])
    if first.shape != second.shape or ends.min(initial=0) < 0 or ends.max(initial=0) >= max(n, 1):
        raise UsageError(
            f"the pairs are no two arrays of one length with row numbers below {n}",
            hint="Network.rows gives the row number of each organisation",
        )
    return np.minimum(first, second), np.maximum(first, second)


def _degrees(network: Network) -> NDArray[np.float64]:
    return np.asarray(network.adjacency.sum(axis=1), dtype=np.float64)


def _random(network: Network, today: date) -> _Rows:  # noqa: ARG001
    """Score by chance, the same chance every time: what every other scorer has to beat.

    A pair of rows is mixed by splitmix64 (G. L. Steele and others, OOPSLA 2014) into a number in [0, 1).
    """
    n = np.uint64(len(network.organisations))
    columns = np.arange(len(network.organisations), dtype=np.uint64)

    def rows(block: NDArray[np.int64]) -> NDArray[np.float64]:
        seeds = block.astype(np.uint64)[:, None]
        mixed = np.minimum(seeds, columns) * n + np.maximum(seeds, columns) + np.uint64(_SEED)
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray((mixed ^ (mixed >> np.uint64(31))) / np.float64(2**64))

    return rows


def _preferential_attachment(network: Network, today: date) -> _Rows:  # noqa: ARG001
    """Score by k_i k_j, the product of the numbers of partners: those who have many get more.

    A.-L. Barabási and R. Albert, Science 286, 509 (1999).
    """
    degrees = _degrees(network)
    return lambda rows: np.outer(degrees[rows], degrees)


def _common_neighbours(network: Network, today: date) -> _Rows:  # noqa: ARG001
    """Score by the number of partners of both.

    M. E. J. Newman, Physical Review E 64, 025102 (2001).
    """
    return _shared(network, _one)


def _adamic_adar(network: Network, today: date) -> _Rows:  # noqa: ARG001
    """Score by the partners u of both, each counting 1 / log k_u.

    L. A. Adamic and E. Adar, Social Networks 25, 211 (2003).
    """
    return _shared(network, _by_logarithm)


def _resource_allocation(network: Network, today: date) -> _Rows:  # noqa: ARG001
    """Score by the partners u of both, each counting 1 / k_u.

    T. Zhou, L. Lü and Y.-C. Zhang, European Physical Journal B 71, 623 (2009).
    """
    return _shared(network, _by_degree)


def _l3(network: Network, today: date) -> _Rows:  # noqa: ARG001
    """Score by the paths i-u-v-j of three ties, each counting 1 / sqrt(k_u k_v): the like of one's partners' partners.

    I. A. Kovács and others, Nature Communications 10, 1240 (2019).
    """
    adjacency = network.adjacency
    shrink = 1 / np.sqrt(np.maximum(_degrees(network), 1))[:, None]

    def rows(block: NDArray[np.int64]) -> NDArray[np.float64]:
        first = shrink * adjacency[block].toarray().T
        return np.asarray((adjacency @ (shrink * (adjacency @ first))).T)

    return rows


def _katz(network: Network, today: date) -> _Rows:  # noqa: ARG001
    """Score by all walks of one to four ties, one of l ties counting beta^l, beta = 1 / (2 largest k).

    With this beta longer walks would add less and less. L. Katz, Psychometrika 18, 39 (1953), cut off as by
    D. Liben-Nowell and J. Kleinberg, JASIST 58, 1019 (2007).
    """
    adjacency = network.adjacency
    beta = 0.5 / max(_degrees(network).max(initial=1), 1)

    def rows(block: NDArray[np.int64]) -> NDArray[np.float64]:
        walks = beta * adjacency[block].toarray().T
        total = walks.copy()
        for _ in range(_KATZ_STEPS - 1):
            walks = beta * (adjacency @ walks)
            total += walks
        return np.asarray(total.T)

    return rows


def _ppr(network: Network, today: date) -> _Rows:  # noqa: ARG001
    """Score by k_i PPR_ij: personalised PageRank on bare ties (alpha 0.85, 12 steps), made symmetric.

    A walker starts with each organisation as often as it has partners; k_i PPR_ij = k_j PPR_ji is how often
    one that started at i is at j. T. H. Haveliwala, WWW 2002.
    """
    return _walks(network, network.adjacency)


def _ppr_recency(network: Network, today: date) -> _Rows:
    """Score by s_i PPR_ij on W_ij = sum over joint activities of exp(-age / 2 years) / (size - 1), s = row sums of W.

    Recent activities and small ones count more; symmetric as for `ppr`. T. H. Haveliwala, WWW 2002;
    M. E. J. Newman, Physical Review E 64, 016132 (2001), for the size.
    """
    return _walks(network, recency_weights(network, today))


def _fusion(network: Network, today: date) -> _Rows:
    """Score by the mean z-score of log PPR-recency and log (k_i + 1)(k_j + 1) over all pairs without a tie.

    A pair that no walk joins stands beside the least of those that one joins, else its zero would stretch the
    scale for all. Standard scores are combined as by J. H. Lee, SIGIR 1997.
    """
    walks, degrees = _ppr_recency(network, today), _degrees(network)

    def parts(rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        share = walks(rows)
        logged = np.log(share, where=share > 0, out=np.full_like(share, -np.inf))
        return logged, np.log(np.outer(degrees[rows] + 1, degrees + 1))

    moments = _moments(network, parts)
    return lambda rows: np.asarray(
        np.mean(
            [
                (np.maximum(part, least) - mean) / spread
                for part, (mean, spread, least) in zip(parts(rows), moments, strict=True)
            ],
            axis=0,
        )
    )


def _learned(network: Network, today: date) -> _Rows:
    """Score by a logistic regression on the other scores, taught by what formed in the last two years (extra "learn").

    With fewer than 100 new pairs to learn from it is the fusion. D. Liben-Nowell and J. Kleinberg, JASIST 58, 1019
    (2007), for supervised link prediction's setting; graphkit.gaps.learned has the features.
    """
    from graphkit.gaps.learned import prepare  # noqa: PLC0415 - it stands on this module, and scikit-learn is optional

    return prepare(network, today)


def _one(network: Network) -> NDArray[np.float64]:
    return np.ones(len(network.organisations))


def _by_logarithm(network: Network) -> NDArray[np.float64]:
    return np.asarray(1 / np.log(np.maximum(_degrees(network), 2)))


def _by_degree(network: Network) -> NDArray[np.float64]:
    return np.asarray(1 / np.maximum(_degrees(network), 1))


_WORTH: Final = {"common_neighbours": _one, "adamic_adar": _by_logarithm, "resource_allocation": _by_degree}


def _shared(network: Network, worth: Callable[[Network], NDArray[np.float64]]) -> _Rows:
    """Add up what the partners of both are worth."""
    adjacency = network.adjacency
    valued = sparse.csr_array(sparse.diags_array(worth(network)) @ adjacency)
    return lambda rows: np.asarray((adjacency[rows] @ valued).toarray())


def _walks(network: Network, weights: Matrix) -> _Rows:
    strength = np.asarray(weights.sum(axis=1), dtype=np.float64)
    return lambda rows: strength[rows][:, None] * position.personalised_pagerank(network, weights=weights, rows=rows)


def _moments(
    network: Network, parts: Callable[[NDArray[np.int64]], tuple[NDArray[np.float64], ...]]
) -> list[tuple[float, float, float]]:
    """Give mean, standard deviation and least finite value of each part over the pairs without a tie.

    A part without spread has mean 0 and deviation 1, one without any finite value also the least value 0.
    """
    sums, lows = np.zeros((2, 3)), np.full(2, np.inf)
    for rows in position.row_blocks(len(network.organisations)):
        mask = open_pairs(network, rows)
        for number, part in enumerate(parts(rows)):
            cells = part[mask & np.isfinite(part)]
            sums[number] += cells.size, cells.sum(), (cells**2).sum()
            lows[number] = cells.min(initial=lows[number])
    mean = settled(sums[:, 1] / np.maximum(sums[:, 0], 1))
    spread = settled(np.sqrt(np.maximum(sums[:, 2] / np.maximum(sums[:, 0], 1) - mean**2, 0)))
    return [
        (float(m), float(s), float(low)) if s > _NO_SPREAD else (0.0, 1.0, float(low) if np.isfinite(low) else 0.0)
        for m, s, low in zip(mean, spread, lows, strict=True)
    ]


def _known(*functions: _Prepare) -> Mapping[str, Scorer]:
    """Name each scorer after its function and take its summary from the docstring."""
    names = {function.__name__.removeprefix("_"): function for function in functions}
    known = [
        Scorer(name, (inspect.getdoc(function) or "").splitlines()[0], function, _WORTH.get(name))
        for name, function in names.items()
    ]
    return MappingProxyType({scorer.name: scorer for scorer in known})


SCORERS: Final[Mapping[str, Scorer]] = _known(
    _random,
    _preferential_attachment,
    _common_neighbours,
    _adamic_adar,
    _resource_allocation,
    _l3,
    _katz,
    _ppr,
    _ppr_recency,
    _fusion,
    _learned,
)
"""The scorers by name, the baselines first."""
