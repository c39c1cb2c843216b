"""Null models: what organisations would share by chance, given only how many activities each one takes part in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from graphkit.errors import DataError, UsageError
from graphkit.network import Matrix

__all__ = ["Bicm", "Joint", "Side", "bicm", "curveball", "false_discovery", "joint_activities", "meet", "side"]

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]
_TOLERANCE = 1e-11
_ROUNDS = 300
_NEWTON_ROUNDS = 100
_LONGEST_STEP = 3.0
_TRADES_PER_ORGANISATION = 5


@dataclass(frozen=True, eq=False)
class Bicm:
    """The bipartite configuration model of an incidence, by classes of equal degree.

    `degrees` are the different numbers of activities of an organisation and `sizes` those of organisations in an
    activity, both falling; `row_classes` and `column_classes` tell the class of each organisation and activity.
    `probabilities` (classes x classes) is the chance that an organisation takes part in an activity.
    """

    degrees: _Ints
    sizes: _Ints
    row_classes: _Ints
    column_classes: _Ints
    probabilities: _Floats

    def expected_degrees(self) -> tuple[_Floats, _Floats]:
        """Return the expected number of activities of each organisation, and of organisations in each activity."""
        rows, columns = self.counts
        return (
            np.asarray(self.probabilities @ columns)[self.row_classes],
            np.asarray(rows @ self.probabilities)[self.column_classes],
        )

    @cached_property
    def counts(self) -> tuple[_Floats, _Floats]:
        """How many organisations, and how many activities, are in each class."""
        return (
            np.bincount(self.row_classes, minlength=self.degrees.size).astype(np.float64),
            np.bincount(self.column_classes, minlength=self.sizes.size).astype(np.float64),
        )

    @cached_property
    def size_kept(self) -> _Floats:
        """For each class of size the pairs in an activity of that size, over those that the model expects."""
        same = self.counts[0] @ self.probabilities**2
        expected = self.sizes**2 - same
        pairs = self.sizes * (self.sizes - 1.0)
        return np.divide(pairs, expected, out=np.ones_like(pairs), where=expected > _TOLERANCE)


@dataclass(frozen=True, slots=True)
class Joint:
    """How often two groups meet, and how often they would by chance.

    `observed` and `expected` count pairs of one organisation of each group that take part in the same activity, once
    for each activity. `z` is nan where chance allows no variation; `p` is the chance of so few or fewer.
    """

    observed: int
    expected: float
    variance: float
    z: float
    p: float


def bicm(incidence: Matrix) -> Bicm:
    """Fit the bipartite configuration model: the most random incidence with the observed degrees on average.

    Organisation i takes part in activity a with probability x_i y_a / (1 + x_i y_a), independently; the fitnesses x
    and y are such that every expected degree equals the observed one. What the degrees leave no choice about (an
    organisation in every activity, or a nested block) has probability 1 or 0, although no finite fitness gives that.

    Parameters
    ----------
    incidence : organisations x activities, sparse
        As `Network.incidence`; every stored value is taken as 1.

    Notes
    -----
    Organisations of equal degree have equal fitness, so the equations are solved for the different degrees only: a
    fixed point, then Newton's method where that is slow. Raises `DataError` where neither converges.

    References
    ----------
    F. Saracco and others, Inferring monopartite projections of bipartite networks: an entropy-based approach, New
    Journal of Physics 19, 053022 (2017); G. Cimini and others, arXiv 2105.03391.

    >>> model = bicm(sparse.csr_array([[1.0, 0.0], [0.0, 1.0]]))
    >>> model.probabilities.round(3).tolist()
    [[0.5]]
    """
    rows, columns = _margins(incidence)
    degrees, row_classes = _classes(rows)
    sizes, column_classes = _classes(columns)
    counts = np.bincount(row_classes, minlength=degrees.size), np.bincount(column_classes, minlength=sizes.size)
    return Bicm(degrees, sizes, row_classes, column_classes, _solve(degrees, counts[0], sizes, counts[1]))


def joint_activities(model: Bicm, incidence: Matrix, first: ArrayLike, second: ArrayLike) -> Joint:
    """Compare the joint activities of two groups without common members with those that chance would give.

    The expected number is the sum over pairs i, j and activities a of p_ia p_ja c_a. The model keeps the size of an
    activity only on average, and so expects (s^2 - sum of p^2) / 2 pairs in an activity of s organisations where
    there are s (s - 1) / 2, twice too many in one of two; c_a is the quotient of the two, so that all pairs of
    organisations together are expected to meet as often as they do.

    `p` is the lower tail of the normal approximation with continuity correction, and the variance is that of the
    canonical model, in which degrees also vary: z is about half of that against curveball samples (measured: from
    nearly all of it where groups are small in a sparse network to a third where they are most of the network), so
    the test is conservative.

    Parameters
    ----------
    first, second : row numbers of organisations
        No organisation is in both, else `UsageError`.

    Notes
    -----
    Sums over classes of equal degree, so the cost grows with the number of different degrees. Activities are
    independent in the model, and so are the participants K and L of the groups in one: the variance is the sum
    over activities of E[K^2] E[L^2] - E[K]^2 E[L]^2.

    References
    ----------
    F. Saracco and others, New Journal of Physics 19, 053022 (2017), for the motif; Z. P. Neal, R. Domagalski and
    B. Sagan, Scientific Reports 11, 23929 (2021), for canonical models against those that keep degrees exactly.
    """
    groups = [np.unique(np.asarray(group, dtype=np.int64)) for group in (first, second)]
    if np.intersect1d(groups[0], groups[1]).size:
        raise UsageError("the two groups have members in common", hint="compare those who are in only one of them")
    return meet(model, *(side(model, incidence, group) for group in groups))


@dataclass(frozen=True, eq=False)
class Side:
    """What a comparison needs of one group.

    The mean and the mean square of its participants in an activity of each class of size, and its participants in each.
    """

    mean: _Floats
    square: _Floats
    met: _Floats


def side(model: Bicm, incidence: Matrix, group: ArrayLike) -> Side:
    """Prepare a group (row numbers, each once) that is to be compared with many others by `meet`."""
    rows = np.asarray(group, dtype=np.int64)
    return Side(*_participants(model, rows), np.asarray(incidence[rows, :].sum(axis=0)))


def meet(model: Bicm, first: Side, second: Side) -> Joint:
    """Compare two groups without common members, as `joint_activities`."""
    counts = model.counts[1]
    expected = float(counts @ (first.mean * second.mean * model.size_kept))
    variance = float(counts @ (first.square * second.square - (first.mean * second.mean) ** 2))
    observed = round(float(np.einsum("i,i->", first.met, second.met)))  # Short: two threads of BLAS would only wait.
    return Joint(observed, expected, variance, *_test(observed, expected, variance))


def false_discovery(p: ArrayLike) -> _Floats:
    """Return the q of each p: the least false discovery rate at which it is still a discovery.

    q of the k-th smallest of n values is the minimum over j >= k of p_j n / j, as Benjamini and Hochberg, Journal
    of the Royal Statistical Society B 57, 289 (1995). The order is kept; nothing in, nothing out.

    >>> false_discovery([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")[::-1]
    scaled = values[order] * values.size / np.arange(values.size, 0, -1)
    q = np.empty_like(values)
    q[order] = np.minimum.accumulate(np.minimum(scaled, 1.0))
    return q


def curveball(incidence: Matrix, *, samples: int = 1, seed: int = 0) -> Iterator[Matrix]:
    """Yield random incidences with exactly the observed degrees, drawn by trades of the curveball algorithm.

    In a trade two organisations put the activities that only one of them is in together and deal them out anew,
    each getting as many as before. The samples are steps of one chain, each `5 n` trades after the one before, with
    `5 n` trades to begin with for n organisations; in the limit every incidence is equally likely. The same seed
    gives the same samples.

    References
    ----------
    G. Strona and others, A fast and unbiased procedure to randomize ecological binary matrices with fixed row and
    column totals, Nature Communications 5, 4114 (2014); C. J. Carstens, Physical Review E 91, 042812 (2015), for
    the proof.

    >>> [sample.toarray().sum() for sample in curveball(sparse.csr_array([[1.0, 0.0], [0.0, 1.0]]), samples=2)]
    [np.float64(2.0), np.float64(2.0)]
    """
    rng = np.random.default_rng(seed)
    given = sparse.csr_array(incidence)
    hands = [set(given.indices[start:end].tolist()) for start, end in pairwise(given.indptr.tolist())]
    for _ in range(samples):
        _trade(hands, rng)
        yield _dealt(hands, incidence.shape)


def _margins(incidence: Matrix) -> tuple[_Ints, _Ints]:
    given = sparse.coo_array(incidence)
    return np.bincount(given.row, minlength=given.shape[0]), np.bincount(given.col, minlength=given.shape[1])


def _classes(degrees: _Ints) -> tuple[_Ints, _Ints]:
    """Return the different values, falling, and for each degree the place of its value in them."""
    values, codes = np.unique(-degrees, return_inverse=True)
    return -values, codes.astype(np.int64)


def _solve(degrees: _Ints, rows: _Ints, sizes: _Ints, columns: _Ints) -> _Floats:
    """Return the probabilities between classes with these falling degrees and sizes and these numbers of members.

    Where the degrees of the first k classes are as large as the others allow (Gale and Ryser), these take part in
    all of the first l activities and the others in none of the rest; then the two remaining blocks are on their own.
    """
    result = np.zeros((degrees.size, sizes.size))
    if not result.size:
        return result
    cut = _forced(degrees, rows, sizes, columns)
    if cut is None:
        return _fit(degrees, rows, sizes, columns)
    k, most = cut
    result[:k, :most] = 1
    result[:k, most:] = _solve(degrees[:k] - columns[:most].sum(), rows[:k], sizes[most:], columns[most:])
    result[k:, :most] = _solve(degrees[k:], rows[k:], sizes[:most] - rows[:k].sum(), columns[:most])
    return result


def _forced(degrees: _Ints, rows: _Ints, sizes: _Ints, columns: _Ints) -> tuple[int, int] | None:
    """Return the first k, l for which the first k classes of rows and l of columns leave no choice, or None."""
    many, wide, needed, offered = (
        np.concatenate([[0], np.cumsum(part)]) for part in (rows, columns, rows * degrees, columns * sizes)
    )
    slack = np.outer(many, wide) + (offered[-1] - offered)[None, :] - needed[:, None]
    slack[0, -1] = slack[-1, 0] = 1
    tight = np.argwhere(slack == 0)
    return (int(tight[0, 0]), int(tight[0, 1])) if tight.size else None


def _fit(degrees: _Ints, rows: _Ints, sizes: _Ints, columns: _Ints) -> _Floats:
    """Solve for the fitnesses by a fixed point, then by Newton's method on their logarithms."""
    root = math.sqrt(float(rows @ degrees))
    x, y = degrees / root, sizes / root
    for _ in range(_ROUNDS):
        x = degrees / ((columns * y) / (1 + np.outer(x, y))).sum(axis=1)
        y = sizes / ((rows * x)[:, None] / (1 + np.outer(x, y))).sum(axis=0)
        found = _probabilities(np.log(x), np.log(y))
        if _converged(found, degrees, rows, sizes, columns):
            return found
    return _newton(np.log(x), np.log(y), degrees, rows, sizes, columns)


def _newton(x: _Floats, y: _Floats, degrees: _Ints, rows: _Ints, sizes: _Ints, columns: _Ints) -> _Floats:
    for _ in range(_NEWTON_ROUNDS):
        found = _probabilities(x, y)
        if _converged(found, degrees, rows, sizes, columns):
            return found
        spread = found * (1 - found) * np.outer(rows, columns)
        slope = np.block([[np.diag(spread.sum(axis=1)), spread], [spread.T, np.diag(spread.sum(axis=0))]])
        lack = np.concatenate([rows * (degrees - found @ columns), columns * (sizes - rows @ found)])
        scale = 1 / np.sqrt(np.maximum(np.diag(slope), np.finfo(float).tiny))
        step = np.linalg.lstsq(slope * np.outer(scale, scale), lack * scale, rcond=1e-13)[0] * scale
        step *= min(1.0, _LONGEST_STEP / float(np.abs(step).max()))
        x, y = x + step[: x.size], y + step[x.size :]
    raise DataError(
        "the null model of the joint activities did not converge",
        hint="report the network: its degrees are an edge case that this version does not solve",
    )


def _probabilities(x: _Floats, y: _Floats) -> _Floats:
    return np.asarray(1 / (1 + np.exp(-np.add.outer(x, y))))


def _converged(found: _Floats, degrees: _Ints, rows: _Ints, sizes: _Ints, columns: _Ints) -> bool:
    off = np.abs(found @ columns - degrees) / degrees, np.abs(rows @ found - sizes) / sizes
    return max(float(part.max()) for part in off) < _TOLERANCE


def _participants(model: Bicm, group: _Ints) -> tuple[_Floats, _Floats]:
    """Return the mean and the mean square of the participants of a group in an activity of each class of size."""
    members = np.bincount(model.row_classes[group], minlength=model.degrees.size).astype(np.float64)
    mean = members @ model.probabilities
    return mean, members @ (model.probabilities * (1 - model.probabilities)) + mean**2


def _test(observed: int, expected: float, variance: float) -> tuple[float, float]:
    """Return z, and the lower tail of the normal distribution at half a case above what was observed."""
    if variance <= _TOLERANCE * max(1.0, expected):
        return math.nan, 1.0
    spread = math.sqrt(variance)
    return (observed - expected) / spread, math.erfc((expected - observed - 0.5) / (spread * math.sqrt(2))) / 2


def _trade(hands: list[set[int]], rng: np.random.Generator) -> None:
    """Let random pairs of rows trade, five times as often as there are rows; changes `hands`."""
    n = len(hands)
    if n < 2:  # noqa: PLR2004 - a trade needs two
        return
    trades = _TRADES_PER_ORGANISATION * n
    first = rng.integers(n, size=trades)
    second = (first + rng.integers(1, n, size=trades)) % n
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        mine, yours = hands[one] - hands[other], hands[other] - hands[one]
        if mine and yours:
            both = hands[one] & hands[other]
            pool = rng.permutation(sorted(mine | yours)).tolist()
            hands[one] = both | set(pool[: len(mine)])
            hands[other] = both | set(pool[len(mine) :])


def _dealt(hands: list[set[int]], shape: tuple[int, int]) -> Matrix:
    ends = np.concatenate([[0], np.cumsum([len(hand) for hand in hands])])
    columns = np.array([column for hand in hands for column in sorted(hand)], dtype=np.int64)
    result: Matrix = sparse.csr_array((np.ones(columns.size), columns, ends), shape=shape)
    return result
