"""G3: two circles of organisations that hold together by themselves, and meet each other more rarely than by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.bridges import meetings, nearest_pairs, pair_evidence, pairs_in_words
from graphkit.gaps.ground import Ground, listed
from graphkit.gaps.group_bridging import LEVEL
from graphkit.measures.groups import communities
from graphkit.measures.nulls import Bicm, Joint, bicm, curveball, joint_activities
from graphkit.network import Matrix, Network

__all__ = ["LARGEST", "find"]

LARGEST = 300
"""The most organisations with a tie for which communities are searched for, unless more are allowed."""

_RUNS = 50
_STABLE = 0.8
_LEAST_MEMBERS = 3
_LEAST_EXPECTED = 3.0
_SAMPLES = 99
_STRONG = 0.01
_SPOKEN = 3
_NAMED = 12


@dataclass(frozen=True, slots=True)
class _Circle:
    """Organisations (row numbers of the network, in order) that stand together, and how stable that is."""

    rows: tuple[int, ...]
    stability: float


@dataclass(frozen=True, slots=True)
class _Hole:
    """Two circles, how often they meet, and the chance that random networks hold any two so far apart."""

    first: _Circle
    second: _Circle
    joint: Joint
    p: float


def find(ground: Ground, *, seed: int = 0, largest: int = LARGEST) -> list[Gap]:
    """Find pairs of stable communities whose organisations meet more rarely than their activity leads to expect.

    Communities are those of the Louvain method on weights 1 / (n - 1), found 50 times with other seeds. A circle is a
    community of the first run with three organisations or more, two of which share a community in 80% of all runs
    on average. Score: max(0, 1 - O / E) as for G1: O meetings of the two circles, E by the bipartite
    configuration model, E at least 3.

    That communities have few ties between them is how they were found, so the p of G1 would claim holes in any
    network. Here p is the share of 99 random networks with the same degrees (curveball), divided by the same method,
    in which any two communities, stable or not, are as far apart by z. It holds for all pairs of a network together
    (Westfall and Young 1993); below 0.05 a hole is claimed, at the least p of 0.01 with tier strong. Only where one
    completeness scope covers both circles; not in networks in which a tie has no activity, or with more than `largest`
    organisations with a tie, for which the runs take minutes.

    Source: Burt 1992 for the holes; Blondel and others 2008 for the communities; Lancichinetti and Fortunato 2012,
    Scientific Reports 2, 336, for agreement over runs; Saracco and others 2017 for E.
    """
    joined = _joined(ground.network)
    if not 2 * _LEAST_MEMBERS <= len(joined.organisations) <= largest or joined.ties["activity"].null_count():
        return []
    model, drawn = bicm(joined.incidence), _projected(joined, joined.incidence)
    parts = _divided(drawn, 0)
    far = [(a, b, joint) for a, b in combinations(parts, 2) if (joint := _deficit(model, joined.incidence, a, b))]
    names = joined.organisations
    covered = [(a, b, joint) for a, b, joint in far if ground.scope_of(*(names[row] for row in (*a, *b)))]
    circles = _stable(drawn, sorted({part for a, b, _ in covered for part in (a, b)}))
    stable = [(circles[a], circles[b], joint) for a, b, joint in covered if a in circles and b in circles]
    furthest = _furthest(joined, model, seed, [joint.z for _, _, joint in stable])
    holes = (_Hole(a, b, joint, (1 + int((furthest <= joint.z).sum())) / (1 + _SAMPLES)) for a, b, joint in stable)
    return [gap for hole in holes if hole.p < LEVEL and (gap := _gap(ground, joined, hole))]


def _joined(network: Network) -> Network:
    """Return the network without the organisations that have no tie."""
    degrees: NDArray[np.float64] = np.asarray(network.adjacency.sum(axis=1))
    return network.subset(network.organisations[row] for row in np.flatnonzero(degrees))


def _divided(network: Network, seed: int) -> list[tuple[int, ...]]:
    """Return the communities of one run that are large enough, as row numbers in order."""
    groups = communities(network, seed=seed)["group"].to_numpy()
    parts = (np.flatnonzero(groups == group) for group in np.unique(groups))
    return sorted(tuple(rows.tolist()) for rows in parts if rows.size >= _LEAST_MEMBERS)


def _stable(network: Network, parts: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], _Circle]:
    """Return those of the parts of the first run whose pairs stand together in enough of all runs.

    The runs end as soon as no two parts can get there any more.
    """
    kept = dict.fromkeys(parts, 1.0)
    for run in range(1, _RUNS):
        if len(kept) <= 1:
            return {}
        groups = communities(network, seed=run)["group"].to_numpy()
        sums = {rows: total + _together(groups[list(rows)]) for rows, total in kept.items()}
        kept = {rows: total for rows, total in sums.items() if total + _RUNS - 1 - run >= _STABLE * _RUNS}
    return {rows: _Circle(rows, total / _RUNS) for rows, total in kept.items()}


def _together(groups: NDArray[np.int64]) -> float:
    """Return the share of pairs of organisations that have the same group."""
    n, sizes = groups.size, np.unique(groups, return_counts=True)[1]
    return float(sizes @ (sizes - 1)) / (n * (n - 1))


def _deficit(model: Bicm, incidence: Matrix, first: Sequence[int], second: Sequence[int]) -> Joint | None:
    """Compare two groups; None where too little is expected to tell, or they meet as often as expected."""
    joint = joint_activities(model, incidence, list(first), list(second))
    return joint if joint.expected >= _LEAST_EXPECTED and joint.observed < joint.expected else None


def _furthest(network: Network, model: Bicm, seed: int, observed: Sequence[float]) -> NDArray[np.float64]:
    """Return for each random network the lowest z of any two of its communities; infinite where none can tell.

    The draws end as soon as none of the observed z can be claimed any more.
    """
    least, lowest = min(observed, default=-np.inf), np.array([])
    most = LEVEL * (1 + _SAMPLES) - 1
    for number, sample in enumerate(curveball(network.incidence, samples=_SAMPLES, seed=seed)):
        if not observed or (lowest <= least).sum() >= most:
            break
        parts = _divided(_projected(network, sample), number)
        found = [joint.z for a, b in combinations(parts, 2) if (joint := _deficit(model, sample, a, b))]
        lowest = np.append(lowest, min(found, default=np.inf))
    return lowest


def _projected(network: Network, incidence: Matrix) -> Network:
    """Return the network of the same organisations that take part in other activities, weighted 1 / (n - 1)."""
    sizes: NDArray[np.float64] = np.asarray(incidence.sum(axis=0))
    scaled = incidence @ sparse.diags_array(1 / np.maximum(sizes - 1, 1))
    shared = sparse.triu(scaled @ incidence.T, 1).tocoo()
    names = pl.Series(network.organisations, dtype=pl.String)
    ties = pl.DataFrame({"source": names[shared.row], "target": names[shared.col], "weight": shared.data})
    alone = pl.DataFrame({"source": names}).with_columns(target=pl.lit(None, pl.String), weight=pl.lit(1.0))
    nothing = [pl.lit(None, pl.String).alias(column) for column in ("activity", "date", "kind")]
    return Network.from_ties(pl.concat([ties, alone]).with_columns(nothing))


def _gap(ground: Ground, joined: Network, hole: _Hole) -> Gap | None:
    """Return the gap, or None where a circle has nobody who could be named."""
    sides = [_rows(ground, joined, circle) for circle in (hole.first, hole.second)]
    named = [_centre(ground, rows) for rows in sides]
    if not all(named):
        return None
    (one, other), joint = sorted(zip(named, sides, (hole.first, hole.second), strict=True)), hole.joint
    pairs = nearest_pairs(ground, one[1], other[1])
    centres = one[0], other[0]
    names = ground.name(centres[0]), ground.name(centres[1])
    scope = ground.scope_of(*(ground.network.organisations[row] for rows in sides for row in rows))
    reach = f" ({ground.scope_words(scope)})" if scope else ""
    times = "once" if joint.observed == 1 else f"{joint.observed} times"
    return Gap(
        kind="G3",
        members=centres,
        labels=names,
        score=round(1 - joint.observed / joint.expected, 6),
        tier="strong" if hole.p <= _STRONG else "some",
        explanation=(
            f"The {_circle_words(ground, one[0], one[1])} and the {_circle_words(ground, other[0], other[1])} have met"
            f" {times} in joint activities{reach}, where {joint.expected:.1f} times would be expected from how much"
            " each organisation takes part. On average two of a circle stand together in at least"
            f" {min(one[2].stability, other[2].stability):.0%} of {_RUNS} divisions of the network. Of {_SAMPLES}"
            " random networks with the same degrees, divided in the same way,"
            f" {round(hole.p * (1 + _SAMPLES)) - 1 or 'none'} had any two circles so far apart (p = {hole.p:.2f})."
        ),
        evidence=(
            *(e for pair in pairs for e in pair_evidence(ground, *pair)),
            *ground.evidence(meetings(ground, one[1], other[1]), "joint activity of the two circles"),
            *_members(ground, one[0], one[1]),
            *_members(ground, other[0], other[1]),
            *((ground.scope_evidence(scope),) if scope else ()),
        ),
        action=_action(ground, names, pairs),
    )


def _rows(ground: Ground, joined: Network, circle: _Circle) -> list[int]:
    """Return the row numbers of a circle in the whole network."""
    return [ground.network.rows[joined.organisations[row]] for row in circle.rows]


def _by_ties(ground: Ground, rows: Sequence[int]) -> list[str]:
    """List the organisations of a circle by falling number of ties inside it."""
    inside = ground.network.adjacency[list(rows), :][:, list(rows)]
    ties: NDArray[np.float64] = np.asarray(inside.sum(axis=1))
    return [ground.network.organisations[rows[k]] for k in np.argsort(-ties, kind="stable")]


def _centre(ground: Ground, rows: Sequence[int]) -> str:
    """Return the nameable organisation with most ties inside a circle, or nothing."""
    return next((each for each in _by_ties(ground, rows) if each in ground.nameable), "")


def _circle_words(ground: Ground, centre: str, rows: Sequence[int]) -> str:
    others = [ground.name(each) for each in _by_ties(ground, rows) if each != centre]
    return f"circle of {len(rows)} around {ground.name(centre)} (with {listed(others, most=_SPOKEN)})"


def _members(ground: Ground, centre: str, rows: Sequence[int]) -> tuple[Evidence, ...]:
    note = f"in the circle around {ground.name(centre)}"
    return tuple(Evidence(each, ground.name(each), note) for each in _by_ties(ground, rows)[:_NAMED])


def _action(ground: Ground, names: tuple[str, str], pairs: Sequence[tuple[int, int]]) -> str:
    call = f"Look for a broker between the circles around {names[0]} and {names[1]}"
    if not pairs:
        return f"{call}; no two of them have a partner in common yet."
    return f"{call}; well placed to begin are {pairs_in_words(ground, pairs)}."
