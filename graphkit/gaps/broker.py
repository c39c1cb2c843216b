"""B1: an organisation that alone joins two groups, so that a second broker is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.gaps.group_bridging import Group
from graphkit.measures import brokers, position
from graphkit.measures.nulls import curveball
from graphkit.network import Network

__all__ = ["find"]

_FACETS = ("kind", "region")
_LEAST_OTHERS = 2
_SAMPLES = 20
_LARGEST_SAMPLED = 300
_SPOKEN_PAIRS = 3
_Counts: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Join:
    """Two groups that one organisation alone joins, and the share of pairs of their members that it links."""

    broker: int
    first: Group
    second: Group
    share: float


def find(
    ground: Ground, groups: Sequence[Group], say: Callable[[str], object] = lambda _: None, *, seed: int = 0
) -> list[Gap]:
    """Find the named organisations that alone join two groups by kind or region of two or more others each.

    X joins A to B where it has a partner among the others of A and one among the others of B; it alone does where
    no two of these others are partners and nobody else has a partner on both sides. Where two organisations can
    be said to (the two ends of a single tie) it is neither: see R1. Groups with a common member are left out.
    Score: the largest share, over the pairs of groups that X joins, of pairs of others between which X stands;
    exact, as far as ties are known. The explanation adds the roles of liaison (between two other groups) and
    itinerant (between two of one other group), and up to 300 organisations the betweenness with its z against
    20 curveball samples of who takes part in what, which is a measure of overload and no test; above, `say` is told.

    Source: Gould and Fernandez 1989 for the roles; Freeman 1977 for betweenness; Strona and others 2014.
    """
    joins, looked_at = _sole_joins(ground, [group for group in groups if group.facet in _FACETS])
    if not joins:
        return []
    overload = _overload(ground.network, seed)
    if len(ground.network.organisations) > _LARGEST_SAMPLED:
        say(f"How much runs through a broker (B1) is compared with chance up to {_LARGEST_SAMPLED} organisations only.")
    named = {ground.network.organisations[join.broker] for join in joins}
    roles = {facet: _roles(ground, groups, facet, named) for facet in {join.first.facet for join in joins}}
    by_broker = groupby(sorted(joins, key=_rank), key=lambda join: join.broker)
    return [_gap(ground, list(of_one), roles, overload, looked_at) for _, of_one in by_broker]


def _rank(join: _Join) -> tuple[int, float, str, str]:
    return join.broker, -join.share, join.first.iri, join.second.iri


def _sole_joins(ground: Ground, groups: Sequence[Group]) -> tuple[list[_Join], int]:
    """Return who alone joins which groups, and how many pairs of groups were looked at."""
    if not groups:
        return [], 0
    names, member = ground.network.organisations, _members(ground.network, groups)
    partners = sparse.csc_array(ground.network.adjacency @ member)
    pairs, looked_at = _pairs(groups, member, partners)
    found = []
    for a, b in pairs:
        to_a, to_b = (partners[:, [each]].toarray().ravel() for each in (a, b))
        for broker in _sole(ground.network, groups[a].rows, groups[b].rows, to_a, to_b):
            others = [group.rows - {broker} for group in (groups[a], groups[b])]
            if names[broker] in ground.nameable and min(map(len, others)) >= _LEAST_OTHERS:
                share = to_a[broker] * to_b[broker] / (len(others[0]) * len(others[1]))
                found.append(_Join(broker, groups[a], groups[b], float(share)))
    return found, looked_at


def _pairs(
    groups: Sequence[Group], member: sparse.csr_array, partners: sparse.csc_array
) -> tuple[list[tuple[int, int]], int]:
    """Return the pairs of groups that somebody with partners in both could join, and how many pairs there are.

    Both are of one facet, large enough and without a common member. Nobody joins two groups without a partner in each,
    so that on a large graph nearly all pairs need not be looked at one by one.
    """
    large = np.array([len(group.rows) >= _LEAST_OTHERS for group in groups])
    facets = np.unique([group.facet for group in groups], return_inverse=True)[1]
    overlap = sparse.triu(member.T @ member, 1).tocoo()
    fit = large[overlap.row] & large[overlap.col] & (facets[overlap.row] == facets[overlap.col])
    sizes = np.bincount(facets[large])
    possible = int((sizes * (sizes - 1) // 2).sum()) - int(fit.sum())
    reaching = partners.copy()
    reaching.data = np.ones_like(reaching.data)
    both = sparse.triu(reaching.T @ reaching, 1).tocoo()
    fit = large[both.row] & large[both.col] & (facets[both.row] == facets[both.col])
    key, apart = both.row.astype(np.int64) * len(groups) + both.col, overlap.row.astype(np.int64) * len(groups)
    fit &= ~np.isin(key, apart + overlap.col)
    rows = np.sort(key[fit])
    return list(zip((rows // len(groups)).tolist(), (rows % len(groups)).tolist(), strict=True)), possible


def _members(network: Network, groups: Sequence[Group]) -> sparse.csr_array:
    """Return 1 where an organisation (row) is of a group (column)."""
    rows = [row for group in groups for row in sorted(group.rows)]
    places = np.repeat(np.arange(len(groups)), [len(group.rows) for group in groups])
    shape = (len(network.organisations), len(groups))
    return sparse.coo_array((np.ones(len(rows)), (rows, places)), shape=shape).tocsr()


def _sole(network: Network, first: frozenset[int], second: frozenset[int], to_a: _Counts, to_b: _Counts) -> list[int]:
    """Return the one organisation that joins two groups, or nothing where it is none or more than one."""
    both = np.flatnonzero((to_a > 0) & (to_b > 0))
    ends = [row for row in first if to_b[row]], [row for row in second if to_a[row]]
    outside = np.array([row for row in both if row not in first and row not in second], dtype=np.int64)
    if not ends[0]:
        return outside.tolist() if outside.size == 1 else []
    inner = [
        end
        for side, to_own in zip(ends, (to_a, to_b), strict=True)
        for end in side
        if len(side) == 1 and to_own[end] and not _another(network, end, outside, to_own)
    ]
    return inner if len(inner) == 1 else []


def _another(network: Network, end: int, outside: NDArray[np.int64], to_own: _Counts) -> bool:
    """Tell whether somebody of neither group has a partner in the group of `end` other than `end` itself."""
    if not outside.size:
        return False
    with_end = np.asarray(network.adjacency[outside, :][:, [end]].toarray()).ravel()
    return bool((to_own[outside] > with_end).any())


def _roles(ground: Ground, groups: Sequence[Group], facet: str, named: set[str]) -> Mapping[str, tuple[int, int]]:
    """Count for each organisation that is named the pairs between which it is liaison and itinerant.

    An organisation of several groups has no one place between groups, and is left out.
    """
    names = ground.network.organisations
    rows = [(names[row], group.iri) for group in groups if group.facet == facet for row in sorted(group.rows)]
    frame = pl.DataFrame(rows, schema={"organisation": pl.String, "group": pl.String}, orient="row")
    counts = brokers.brokerage(ground.network, frame.filter(~pl.col("organisation").is_duplicated()), of=named)
    pairs = counts.select("organisation", pl.col("liaison", "itinerant") // 2)
    return {organisation: (liaison, itinerant) for organisation, liaison, itinerant in pairs.iter_rows()}


def _overload(network: Network, seed: int) -> NDArray[np.float64] | None:
    """Return the betweenness of each organisation and its z, 2 x organisations, or None where it is not computed."""
    bare = network.ties["activity"].null_count()
    if bare or len(network.organisations) > _LARGEST_SAMPLED:
        return None
    observed = position.betweenness(network)["betweenness"].to_numpy()
    drawn = np.array(
        [_betweenness(network, sample) for sample in curveball(network.incidence, samples=_SAMPLES, seed=seed)]
    )
    spread = drawn.std(axis=0, ddof=1)
    z = np.divide(observed - drawn.mean(axis=0), spread, out=np.full(spread.shape, np.nan), where=spread > 0)
    return np.vstack([observed, z])


def _betweenness(network: Network, incidence: sparse.csr_array) -> NDArray[np.float64]:
    joined = sparse.triu(incidence @ incidence.T, 1).tocoo()
    names = network.organisations
    pairs = [(names[i], names[j]) for i, j in zip(joined.row.tolist(), joined.col.tolist(), strict=True)]
    return position.betweenness(Network.from_pairs(pairs, organisations=names))["betweenness"].to_numpy()


def _gap(
    ground: Ground,
    joins: list[_Join],
    roles: Mapping[str, Mapping[str, tuple[int, int]]],
    overload: NDArray[np.float64] | None,
    looked_at: int,
) -> Gap:
    broker = joins[0].broker
    iri = ground.network.organisations[broker]
    name = ground.name(iri)
    said = listed([f"{join.first.words} to {join.second.words}" for join in joins], most=_SPOKEN_PAIRS)
    first = joins[0]
    return Gap(
        kind="B1",
        members=(iri,),
        labels=(name,),
        score=round(first.share, 6),
        tier="exact",
        explanation=(
            f"Only {name} is known to join {said}: nobody else has worked with both sides, and no two others of them"
            f" have worked together. {_standing(name, iri, roles[first.first.facet], overload, broker)}Found among the"
            f" {looked_at} pairs of groups looked at."
        ),
        evidence=tuple(_evidence(ground, joins)),
        action=(
            f"Find a second broker between {first.first.words} and {first.second.words}: let {name} bring another"
            " organisation into its contacts on both sides."
        ),
    )


def _standing(
    name: str,
    iri: str,
    roles: Mapping[str, tuple[int, int]],
    overload: NDArray[np.float64] | None,
    broker: int,
) -> str:
    """Say how much runs through the broker, a sentence or two with a space behind, or nothing."""
    liaison, itinerant = roles.get(iri, (0, 0))
    words = ""
    if liaison + itinerant:
        words = (
            f"{name} stands between {liaison} pairs of organisations of two other groups (liaison) and {itinerant} of"
            " one other group (itinerant) that have not worked together. "
        )
    if overload is None:
        return words
    share, z = overload[:, broker]
    against = f", z = {z:.1f} against {_SAMPLES} random networks with the same degrees" if np.isfinite(z) else ""
    return f"{words}Of the shortest chains between others {share:.0%} run through it{against}. "


def _evidence(ground: Ground, joins: list[_Join]) -> Iterator[Evidence]:
    """Name the partners on each side, and the newest activity with each, once."""
    names, adjacency = ground.network.organisations, ground.network.adjacency
    broker = names[joins[0].broker]
    known = set(sparse.coo_array(adjacency[[joins[0].broker], :]).col.tolist())
    sides = {group.iri: group for join in joins for group in (join.first, join.second)}
    for group in sides.values():
        for partner in (names[row] for row in sorted(known & group.rows)):
            yield Evidence(partner, ground.name(partner), f"partner among {group.words}")
            yield from ground.evidence(ground.joint(broker, partner)[:1], f"joint activity with {ground.name(partner)}")
