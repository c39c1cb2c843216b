"""G2: a group whose ties stay inside it more than chance would have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.gaps.group_bridging import LEVEL, Group
from graphkit.measures.nulls import false_discovery
from graphkit.network import Matrix

__all__ = ["PERMUTATIONS", "find"]

PERMUTATIONS = 999
"""How often the organisations are dealt out anew; the least p is 1 / 1000."""

_LEAST_ORGANISATIONS = 5
_LEAST_TIES = 5
_STRONG = 0.01
_AT_ONCE = 250
_SPOKEN = 6


@dataclass(frozen=True, slots=True)
class _Closed:
    """A group with more ties inside than out, and the chance of that."""

    group: Group
    internal: int
    external: int
    p: float

    @property
    def ei(self) -> float:
        """The E-I index: -1 where all ties stay inside."""
        return (self.external - self.internal) / (self.external + self.internal)


def find(ground: Ground, groups: Sequence[Group], *, seed: int = 0) -> list[Gap]:
    """Find the groups by region, kind or theme that have more ties inside than out, and more than by chance.

    Score: the share of ties that stay inside, (1 - EI) / 2 with EI = (external - internal) / (external + internal);
    a tie is a pair of partners, whatever they do together. p is the share of 999 random groups with an E-I index
    as low: of as many organisations, drawn from those of which the region (kind, theme) is known and who have a
    tie among them, while the ties stay as they are, so that a large activity does not count as many findings.
    Looked at are groups with five such organisations and five ties or more, that one completeness scope covers;
    claimed where EI is below 0, and p as well as the false discovery rate over all groups looked at is below 0.05. A
    group whose EI is not below 0 can never be claimed; it counts with p = 1, which makes the others no less careful.

    Source: Krackhardt and Stern 1988 for the index; Hubert 1987, Assignment Methods in Combinatorial Data
    Analysis, for permuting labels.
    """
    rng = np.random.default_rng(seed)
    looked_at = list(_looked_at(ground, groups, rng))
    rates = false_discovery([closed.p for closed in looked_at])
    return [
        _gap(ground, closed, float(q), len(looked_at))
        for closed, q in zip(looked_at, rates, strict=True)
        if q < LEVEL and closed.ei < 0
    ]


def _looked_at(ground: Ground, groups: Sequence[Group], rng: np.random.Generator) -> Iterator[_Closed]:
    """Yield the groups that are covered and large enough, with their ties."""
    for facet in sorted({group.facet for group in groups if group.scopes}):
        members = [group for group in groups if group.facet == facet]
        known, ties = _among(ground.network.adjacency, members)
        for group in members:
            inside = np.isin(known, sorted(group.rows)).astype(np.float64)[:, None]
            internal, external = (int(count[0]) for count in _counted(ties, inside))
            large = inside.sum() >= _LEAST_ORGANISATIONS and internal + external >= _LEAST_TIES
            if group.scopes and large:
                inward = external < internal
                chance = _chance(ties, int(inside.sum()), (internal, external), rng) if inward else 1.0
                yield _Closed(group, internal, external, chance)


def _among(adjacency: Matrix, groups: Sequence[Group]) -> tuple[NDArray[np.int64], Matrix]:
    """Return the organisations of any of the groups who have a tie among them, and the ties among these."""
    anyone = np.array(sorted({row for group in groups for row in group.rows}), dtype=np.int64)
    ties: Matrix = adjacency[anyone, :][:, anyone]
    joined = np.flatnonzero(_sums(ties, 1))
    return anyone[joined], ties[joined, :][:, joined]


def _counted(ties: Matrix, inside: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count the ties inside and out of each group; `inside` is organisations x groups."""
    reached: NDArray[np.float64] = np.asarray(ties @ inside)
    twice = (inside * reached).sum(axis=0)
    ends = _sums(ties, 1) @ inside
    return twice / 2, ends - twice


def _sums(matrix: Matrix, axis: int) -> NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=axis))


def _chance(ties: Matrix, size: int, found: tuple[int, int], rng: np.random.Generator) -> float:
    """Return the share of random groups of `size` with as large a share of their ties inside, itself included."""
    n, as_low = ties.shape[0], 0
    for start in range(0, PERMUTATIONS, _AT_ONCE):
        wide = min(_AT_ONCE, PERMUTATIONS - start)
        inside = np.zeros((n, wide))
        drawn = rng.permuted(np.tile(np.arange(n), (wide, 1)), axis=1)[:, :size]
        inside[drawn, np.arange(wide)[:, None]] = 1
        internal, external = _counted(ties, inside)
        as_low += int((internal * sum(found) >= found[0] * (internal + external))[internal + external > 0].sum())
    return (1 + as_low) / (1 + PERMUTATIONS)


def _gap(ground: Ground, closed: _Closed, q: float, looked_at: int) -> Gap:
    group, total = closed.group, closed.internal + closed.external
    reaching = _reaching(ground, group)
    reach = ground.scope_words(min(group.scopes))
    return Gap(
        kind="G2",
        members=(group.iri,),
        labels=(group.label,),
        score=round(closed.internal / total, 6),
        tier="strong" if q < _STRONG else "some",
        explanation=(
            f"{closed.internal} of {total} ties of {group.words} stay among themselves ({reach}): E-I index"
            f" {closed.ei:.2f}. Of {PERMUTATIONS} random groups of that size {_few(closed.p)} kept so much to"
            f" themselves (p = {closed.p:.3f}); false discovery rate {q:.3f} over the {looked_at} groups looked at."
        ),
        evidence=(
            *(Evidence(each, ground.name(each), "already works with others") for each in reaching),
            *ground.evidence(_inner(ground, group), "joint activity inside the group"),
        ),
        action=_action(ground, group, reaching),
    )


def _few(p: float) -> str:
    count = round(p * (1 + PERMUTATIONS)) - 1
    return str(count) if count else "none"


def _reaching(ground: Ground, group: Group) -> list[str]:
    """Name the members with most partners outside the group, at most six."""
    names = ground.network.organisations
    rows = sorted(row for row in group.rows if names[row] in ground.nameable)
    outside = sorted(set(range(len(names))) - group.rows)
    partners = _sums(ground.network.adjacency[rows, :][:, outside], 1)
    order = np.argsort(-partners, kind="stable")[:_SPOKEN]
    return [names[rows[k]] for k in order if partners[k] > 0]


def _inner(ground: Ground, group: Group) -> list[str]:
    """List the activities with two or more of the group, those with most of them first."""
    members = _sums(ground.network.incidence[sorted(group.rows), :], 0)
    order = np.argsort(-members, kind="stable")[:_SPOKEN]
    return [ground.network.activities[k] for k in order if members[k] > 1]


def _action(ground: Ground, group: Group, reaching: list[str]) -> str:
    if not reaching:
        return f"Invite partners from outside to the next joint activity of {group.words}."
    through = listed([ground.name(each) for each in reaching], most=3)
    return f"Invite partners from outside to the next joint activity of {group.words}; {through} already know some."
