"""The integer programme behind a consortium: who is in, which trust counts, and what may be missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from graphkit.errors import GraphkitError

__all__ = ["Answer", "Programme", "Rule"]

_FEWER_MEMBERS = 1e-3
_BUDGET_SLACK = 10.0
_TRUST_SLACK = 1e-3
_INFEASIBLE = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """What a consortium has to cover: at least `least` members of `rows`; `depth` says that two are better."""

    name: tuple[str, str]
    rows: tuple[int, ...]
    least: int = 1
    depth: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows that are in, what each rule lacks (by name, none left out as 0), and whether that is proven best."""

    rows: tuple[int, ...]
    lacks: Mapping[tuple[str, str], float]
    proven: bool


@dataclass(slots=True)
class _Rows:
    """Linear constraints as they are gathered: low <= sum of coefficients x variables <= high."""

    width: int
    place: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = field(default_factory=list)
    bounds: list[tuple[float, float]] = field(default_factory=list)

    def add(self, columns: Sequence[int], values: Sequence[float], low: float, high: float) -> None:
        self.place.append((np.asarray(columns, dtype=np.int64), np.asarray(values, dtype=np.float64)))
        self.bounds.append((low, high))

    def constraint(self) -> optimize.LinearConstraint:
        lengths = [columns.size for columns, _ in self.place]
        rows = np.repeat(np.arange(len(self.place)), lengths)
        columns = np.concatenate([columns for columns, _ in self.place])
        values = np.concatenate([values for _, values in self.place])
        matrix = sparse.csc_array(sparse.coo_array((values, (rows, columns)), shape=(len(self.place), self.width)))
        low, high = np.array(self.bounds).T
        return optimize.LinearConstraint(matrix, low, high)


@dataclass(frozen=True, slots=True)
class Programme:
    """Choose members 0 .. n - 1 so that the rules hold, with as much trust and depth as can be.

    `ties` are rows i < j and `trust` their weights (above 0): a weight counts where both are in. A rule with
    `depth` gives `depth` more where a second member covers it. `fixed` are in. `cost` is within `budget`, where
    there is one. Each member takes away up to 0.002, so that nobody is in who adds nothing, and those in the first rows
    a little less, so that of equal consortia always the same one is found.

    A product of two members is linearised by 0 <= y_ij <= 1 and, for each i, the sum over j of y_ij at most
    (most - 1) x_i: exact for whole x, and a tighter bound for the solver than y_ij <= x_i alone.
    """

    n: int
    ties: NDArray[np.int64]
    trust: NDArray[np.float64]
    rules: tuple[Rule, ...]
    fixed: tuple[int, ...]
    least: int
    most: int
    cost: NDArray[np.float64]
    budget: float | None
    depth: float
    limit: float

    def best(self, before: Iterable[tuple[int, ...]] = (), differ: int = 1) -> Answer | None:
        """Return the best consortium that replaces `differ` members of each one before, or None where none fits.

        Raises `GraphkitError` where the time limit ends before any is found.
        """
        return self._solve(list(before), differ, slack=False)

    def nearest(self) -> Answer | None:
        """Return the consortium that lacks least, counting each thing that is not covered as one."""
        return self._solve([], 1, slack=True)

    def value(self, members: Sequence[int]) -> float:
        """Return the trust within some members and the depth of what they cover, as the programme counts it."""
        inside = np.isin(self.ties, members).all(axis=1)
        twice = sum(rule.depth and len(set(rule.rows) & set(members)) > rule.least for rule in self.rules)
        return float(self.trust[inside].sum()) + self.depth * twice

    def _solve(self, before: list[tuple[int, ...]], differ: int, *, slack: bool) -> Answer | None:
        if not self.n and not slack:
            return None
        deep = [rule for rule in self.rules if rule.depth]
        ties, rules = len(self.ties), len(self.rules)
        first_depth = self.n + ties
        first_slack = first_depth + len(deep)
        width = first_slack + (rules + 2 if slack else 0)
        rows = _Rows(width)
        self._add_trust(rows)
        for place, rule in enumerate(self.rules):
            extra = [first_slack + place] if slack else []
            rows.add([*rule.rows, *extra], [1.0] * (len(rule.rows) + len(extra)), rule.least, np.inf)
        for place, rule in enumerate(deep):
            lacking = [first_slack + self.rules.index(rule)] if slack else []
            columns = [*rule.rows, *lacking, first_depth + place]
            rows.add(columns, [1.0] * (len(columns) - 1) + [-1.0], rule.least, np.inf)
        self._add_size(rows, first_slack + rules if slack else None)
        for members in before:
            rows.add(members, [1.0] * len(members), 0, max(len(members) - differ, 0))
        return self._asked(rows, first_depth, first_slack, slack=slack)

    def _add_trust(self, rows: _Rows) -> None:
        columns = np.tile(self.n + np.arange(len(self.ties)), 2)
        ends = self.ties.T.ravel()
        order = np.argsort(ends, kind="stable")
        degrees = np.bincount(ends, minlength=self.n)
        for row, own in enumerate(np.split(columns[order], np.cumsum(degrees)[:-1])):
            if own.size:
                most = float(min(own.size, self.most - 1))
                rows.add([*own.tolist(), row], [1.0] * own.size + [-most], -np.inf, 0)

    def _add_size(self, rows: _Rows, slack: int | None) -> None:
        everybody = list(range(self.n))
        rows.add(everybody, [1.0] * self.n, 0, self.most)
        extra = [] if slack is None else [slack]
        rows.add([*everybody, *extra], [1.0] * (self.n + len(extra)), self.least, np.inf)
        if self.budget is not None:
            over = [] if slack is None else [slack + 1]
            rows.add([*everybody, *over], [*self.cost.tolist(), *([-1.0] * len(over))], -np.inf, self.budget)

    def _asked(self, rows: _Rows, first_depth: int, first_slack: int, *, slack: bool) -> Answer | None:
        gain = np.zeros(rows.width)
        gain[: self.n] = -_FEWER_MEMBERS * (1 + np.arange(self.n) / max(self.n, 1))
        gain[self.n : first_depth] = self.trust
        gain[first_depth:first_slack] = self.depth
        upper = np.ones(rows.width)
        whole = np.zeros(rows.width, dtype=np.int64)
        whole[: self.n] = 1
        lower = np.zeros(rows.width)
        lower[list(self.fixed)] = 1
        if slack:
            gain *= _TRUST_SLACK / max(float(self.trust.sum()) + len(self.rules) + self.n, 1)
            gain[first_slack:] = -1
            gain[-1] = -_BUDGET_SLACK / max(self.budget or 1.0, 1.0)
            upper[first_slack:] = np.inf
            whole[first_slack:-1] = 1
        found = optimize.milp(
            -gain,
            integrality=whole,
            bounds=optimize.Bounds(lower, upper),
            constraints=rows.constraint(),
            options={"time_limit": self.limit, "mip_rel_gap": 0.0 if not slack else 1e-9},
        )
        if found.x is None:
            if found.status == _INFEASIBLE:
                return None
            raise GraphkitError(
                f"no consortium was found within {self.limit:g} s",
                hint="allow more time, or ask for fewer regions, kinds or capabilities at once",
            )
        names = [*(rule.name for rule in self.rules), ("size", ""), ("budget", "")]
        lacks = dict(zip(names, found.x[first_slack:].round(6).tolist(), strict=True)) if slack else {}
        members = tuple(np.flatnonzero(found.x[: self.n] > 0.5).tolist())  # noqa: PLR2004 - a whole number, nearly
        return Answer(members, {name: lack for name, lack in lacks.items() if lack > 0}, found.status == 0)
