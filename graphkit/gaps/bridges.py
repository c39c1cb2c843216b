"""Between two groups of organisations: where they have met, and which pairs are best placed to bring them together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from graphkit.gaps.base import Evidence
from graphkit.gaps.ground import Ground, listed
from graphkit.network import Matrix

__all__ = ["CONSIDERED", "meetings", "nearest_pairs", "pair_evidence", "pairs_in_words"]

CONSIDERED = 500
"""How many organisations of a group are looked at for pairs to bridge it."""

_PAIRS = 3
_SPOKEN_ACTIVITIES = 6


def meetings(ground: Ground, first: Sequence[int], second: Sequence[int]) -> list[str]:
    """List up to six activities in which organisations of both groups (row numbers) take part, newest first."""
    incidence = ground.network.incidence
    sides: list[NDArray[np.float64]] = [np.asarray(incidence[rows, :].sum(axis=0)) for rows in (first, second)]
    met = sides[0] * sides[1]
    activities = [ground.network.activities[column] for column in np.flatnonzero(met)]
    days = {activity: day.toordinal() if (day := ground.dates.get(activity)) else 0 for activity in activities}
    return sorted(activities, key=lambda activity: (-days[activity], activity))[:_SPOKEN_ACTIVITIES]


def nearest_pairs(ground: Ground, first: Sequence[int], second: Sequence[int]) -> list[tuple[int, int]]:
    """Choose up to three pairs of nameable organisations without a tie, as row numbers, that are best placed to bridge.

    Those with most partners in common come first, ties by row; each organisation stands in at most one pair. Of a group
    of more than 500 those are looked at who have most partners.
    """
    adjacency = ground.network.adjacency
    left, right = (_looked_at(ground, group) for group in (first, second))
    near = adjacency[left, :] @ adjacency[:, right]
    open_pairs = sparse.coo_array(near - near.multiply(adjacency[left, :][:, right]))
    one, other, common = open_pairs.row, open_pairs.col, open_pairs.data
    chosen: list[tuple[int, int]] = []
    for k in np.lexsort((other, one, -common)):
        pair = left[one[k]], right[other[k]]
        if len(chosen) == _PAIRS or common[k] <= 0:
            break
        if not {*pair} & {row for each in chosen for row in each}:
            chosen.append(pair)
    return chosen


def _looked_at(ground: Ground, group: Sequence[int]) -> list[int]:
    """Return the rows of a group that can be named, in order; of many those with most partners."""
    names = ground.network.organisations
    rows = np.array([row for row in group if names[row] in ground.nameable], dtype=np.int64)
    partners = np.diff(ground.network.adjacency.indptr)[rows]
    return [int(row) for row in np.sort(rows[np.argsort(-partners, kind="stable")[:CONSIDERED]])]


def _common(adjacency: Matrix, one: int, other: int) -> NDArray[np.int64]:
    both = sparse.coo_array(adjacency[[one], :].multiply(adjacency[[other], :]))
    return np.sort(both.col).astype(np.int64)


def pair_evidence(ground: Ground, one: int, other: int) -> tuple[Evidence, ...]:
    """Give both ends (row numbers) of a possible bridge, and an activity of each with the first partner of both."""
    names = ground.network.organisations
    common = [names[row] for row in _common(ground.network.adjacency, one, other)]
    known = listed([ground.name(partner) for partner in common], most=3)
    ends = names[one], names[other]
    between = [(end, activity) for end in ends for activity in ground.joint(end, common[0])[:1]]
    return (
        *(
            Evidence(end, ground.name(end), f"well placed to bridge: both ends have worked with {known}")
            for end in ends
        ),
        *(
            evidence
            for end, activity in between
            for evidence in ground.evidence([activity], f"{ground.name(end)} with {ground.name(common[0])}")
        ),
    )


def pairs_in_words(ground: Ground, pairs: Sequence[tuple[int, int]]) -> str:
    """Name the pairs as a person would say them."""
    names = ground.network.organisations
    return listed([" with ".join(ground.name(names[row]) for row in pair) for pair in pairs])
