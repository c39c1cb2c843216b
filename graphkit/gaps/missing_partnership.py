"""P1: two organisations that have not worked together and have good reasons to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.gaps.scorers import find_scorer
from graphkit.measures import reach
from graphkit.network import Matrix

__all__ = ["find"]

_LOOKED_AT = 5_000
_TIERS = ("weak", "some", "strong")
_ASKED = "https://w3id.org/solidarity-graph/vocabulary/role/consulted"
_EXACT_EFFICIENCY = 500
_Pairs: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class _Reason:
    """One independent reason to introduce two organisations, in words and as evidence."""

    words: str
    evidence: tuple[Evidence, ...]
    broker: str | None = None


def find(ground: Ground) -> list[Gap]:
    """Find introductions to consider: pairs without a joint activity, with one or more independent reasons.

    Score: sqrt(pct(feasibility) pct(value)) over all candidate pairs. Feasibility is the mean of the z-scores of
    log personalised PageRank (on weights by recency and size) and log preferential attachment; value is the mean
    of 1 - Jaccard of the partners, the share of one's themes that the other lacks, and (up to 500 organisations)
    the gain in global efficiency. Reasons are: each partner of both, each activity in which both were asked, a
    theme of both that not everybody has, a place of both. The tier counts them: weak is one, some two, strong
    three or more. A pair is claimed only where one completeness scope covers both; one that has been in contact
    over an activity, even if only planned, is left out. All are given; a search caps how many of them one
    organisation stands in.

    Source: the backtest in which this scorer was chosen is described in docs/backtest.md; feasibility is no
    probability, and pairs that a null model expects but that do not exist are the least likely ones.
    """
    pairs = _candidates(ground)
    if not pairs[0].size:
        return []
    scores = np.sqrt(_share(_feasibility(ground, pairs)) * _share(_value(ground, pairs)))
    best = list(islice(_ranked(ground, pairs, scores), _LOOKED_AT))
    look = _Lookup(ground)
    reasoned = [(pair, score, tuple(_reasons(look, *pair))) for pair, score in best]
    reasoned.sort(key=lambda found: -min(len(found[2]), len(_TIERS)))
    return [_gap(ground, *found) for found in reasoned if found[2]]


def _candidates(ground: Ground) -> _Pairs:
    """Pair the nameable organisations of one scope that share a partner or were asked together, and have no contact."""
    adjacency = ground.network.adjacency
    asked = _incidence(ground, ground.takes_part.filter(pl.col("role") == _ASKED), "activity")
    contact = _contact(ground)
    near = adjacency @ adjacency + asked @ asked.T
    open_pairs = sparse.triu(near - near.multiply(contact), 1).tocoo()
    left, right = open_pairs.coords
    names = ground.network.organisations
    kept = [
        k
        for k, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True))
        if open_pairs.data[k] > 0
        and {names[i], names[j]} <= ground.nameable
        and (names[i], names[j]) not in ground.related_pairs
        and ground.scope_of(names[i], names[j])
    ]
    return left[kept].astype(np.int64), right[kept].astype(np.int64)


def _contact(ground: Ground) -> Matrix:
    """Return 1 where two organisations have a tie, or stand in one activity not merely as two who were asked."""
    everybody = _incidence(ground, ground.takes_part, "activity")
    others = ground.takes_part.filter(pl.col("role") != _ASKED)
    active = _incidence(ground, others, "activity", ground.takes_part["activity"])
    met = everybody @ active.T
    matrix = sparse.csr_array(ground.network.adjacency + met + met.T)
    matrix.data = np.ones_like(matrix.data)
    return matrix


def _incidence(ground: Ground, frame: pl.DataFrame, column: str, values: pl.Series | None = None) -> Matrix:
    """Return 1 where an organisation of the network (row) has a value of `column` (column, of all `values`)."""
    rows = ground.network.rows
    columns = (frame[column] if values is None else values).drop_nulls().unique().sort()
    pairs = frame.select("organisation", column).drop_nulls().unique()
    pairs = pairs.filter(pl.col("organisation").is_in(list(rows))).sort("organisation", column)
    codes = pairs[column].cast(pl.Enum(columns)).to_physical().cast(pl.Int64).to_numpy()
    place = (np.array([rows[o] for o in pairs["organisation"]], dtype=np.int64), codes)
    matrix: Matrix = sparse.coo_array((np.ones(pairs.height), place), shape=(len(rows), len(columns))).tocsr()
    return matrix


def _feasibility(ground: Ground, pairs: _Pairs) -> NDArray[np.float64]:
    """Score the pairs by personalised PageRank and preferential attachment together."""
    return find_scorer("fusion").score(ground.network, pairs, ground.as_of)


def _value(ground: Ground, pairs: _Pairs) -> NDArray[np.float64]:
    """Mean of three shares: partners that are new, themes that are new, and efficiency that is gained."""
    parts = [_new_partners(ground, pairs), _new_themes(ground, pairs)]
    if len(ground.network.organisations) <= _EXACT_EFFICIENCY:
        parts.append(_efficiency_gain(ground.network.adjacency, pairs))
    return np.asarray(np.mean(parts, axis=0))


def _new_partners(ground: Ground, pairs: _Pairs) -> NDArray[np.float64]:
    adjacency = ground.network.adjacency
    degrees: NDArray[np.float64] = np.asarray(adjacency.sum(axis=1))
    common = _cells(adjacency @ adjacency, pairs)
    return np.asarray(1 - common / np.maximum(degrees[pairs[0]] + degrees[pairs[1]] - common, 1))


def _new_themes(ground: Ground, pairs: _Pairs) -> NDArray[np.float64]:
    themes = _incidence(ground, ground.takes_part, "theme")
    sizes: NDArray[np.float64] = np.asarray(themes.sum(axis=1))
    common = _cells(themes @ themes.T, pairs)
    lacking = [np.where(sizes[end] > 0, 1 - common / np.maximum(sizes[end], 1), 0.0) for end in pairs]
    return np.asarray(np.mean(lacking, axis=0))


def _efficiency_gain(adjacency: Matrix, pairs: _Pairs) -> NDArray[np.float64]:
    """Give the growth of global efficiency by each new tie, as a share of the largest growth."""
    steps = reach.distances(adjacency)
    gains = np.array([reach.efficiency_gain(steps, x, y) for x, y in zip(*pairs, strict=True)])
    return gains / gains.max() if gains.max(initial=0) > 0 else np.zeros_like(gains)


def _cells(matrix: Matrix, pairs: _Pairs) -> NDArray[np.float64]:
    return np.asarray(sparse.csr_array(matrix)[pairs[0], pairs[1]]).ravel()


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give for each value the share of values that are smaller or equal (ties: their mean rank)."""
    return (pl.Series(values.round(12)).rank("average") / values.size).to_numpy()


def _ranked(ground: Ground, pairs: _Pairs, scores: NDArray[np.float64]) -> Iterator[tuple[tuple[str, str], float]]:
    """Go through the pairs from the highest score down, ties in order of IRI."""
    order = np.lexsort((pairs[1], pairs[0], -scores.round(9)))
    names = ground.network.organisations
    for k in order:
        yield (names[pairs[0][k]], names[pairs[1][k]]), float(scores[k])


@dataclass(frozen=True, eq=False)
class _Lookup:
    """What each organisation was asked in, works on and where, so that many pairs are compared fast."""

    ground: Ground

    @cached_property
    def asked(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """The activities in which each was asked, with their names."""
        return _by_organisation(self.ground.takes_part.filter(pl.col("role") == _ASKED), "activity", "label")

    @cached_property
    def themes(self) -> Mapping[str, frozenset[tuple[str, str, str]]]:
        """The activities with a telling theme of each, the themes and their names."""
        return _by_organisation(self.ground.telling_themes, "activity", "theme", "theme_label")

    @cached_property
    def places(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """The places of each, with their names."""
        return _by_organisation(self.ground.places, "place", "label")


def _by_organisation(frame: pl.DataFrame, *columns: str) -> Mapping[str, frozenset[Any]]:
    found: dict[str, set[tuple[str, ...]]] = {}
    for organisation, *values in frame.select("organisation", *columns).drop_nulls().unique().rows():
        found.setdefault(organisation, set()).add(tuple(values))
    return {organisation: frozenset(values) for organisation, values in found.items()}


def _reasons(look: _Lookup, first: str, second: str) -> Iterator[_Reason]:
    """Yield the independent reasons to introduce two organisations, the strongest kind first."""
    yield from _common_partners(look.ground, first, second)
    none: frozenset[Any] = frozenset()
    asked = sorted(look.asked.get(first, none) & look.asked.get(second, none))
    for activity, label in asked:
        yield _Reason(f"both were asked in {label}", look.ground.evidence([activity], "both were asked"))
    told = {activity for activity, _ in asked}
    own = [
        {(theme, label) for activity, theme, label in look.themes.get(end, none) if activity not in told}
        for end in (first, second)
    ]
    yield from _common(own[0] & own[1], "both work on {}")
    yield from _common(look.places.get(first, none) & look.places.get(second, none), "both work in {}")


def _common(shared: AbstractSet[tuple[str, str]], words: str) -> Iterator[_Reason]:
    """Yield at most one reason from what both have."""
    if shared:
        evidence = tuple(Evidence(iri, label, "in common") for iri, label in sorted(shared))
        yield _Reason(words.format(listed([each.label for each in evidence], most=3)), evidence)


def _common_partners(ground: Ground, first: str, second: str) -> Iterator[_Reason]:
    rows, adjacency = ground.network.rows, ground.network.adjacency
    both = adjacency[[rows[first]], :].multiply(adjacency[[rows[second]], :]).tocoo().col
    for column in sorted(both.tolist()):
        broker = ground.network.organisations[column]
        left, right = ground.joint(first, broker), ground.joint(second, broker)
        words = f"both have worked with {ground.name(broker)} ({_said(ground, left)}; {_said(ground, right)})"
        evidence = (
            Evidence(broker, ground.name(broker), "partner of both"),
            *ground.evidence(left, f"{ground.name(first)} with {ground.name(broker)}"),
            *ground.evidence(right, f"{ground.name(second)} with {ground.name(broker)}"),
        )
        yield _Reason(words, evidence, broker)


def _said(ground: Ground, activities: tuple[str, ...]) -> str:
    return listed([ground.name(activity) for activity in activities], most=2) or "no activity named"


def _gap(ground: Ground, pair: tuple[str, str], score: float, reasons: tuple[_Reason, ...]) -> Gap:
    names = ground.name(pair[0]), ground.name(pair[1])
    scope = ground.scope_of(*pair)
    reach = f" ({ground.scope_words(scope)})" if scope else ""
    count = "is one reason" if len(reasons) == 1 else f"are {len(reasons)} reasons"
    return Gap(
        kind="P1",
        members=pair,
        labels=names,
        score=round(score, 6),
        tier=_TIERS[min(len(reasons), len(_TIERS)) - 1],
        explanation=(
            f"No joint activity of {names[0]} and {names[1]} is known{reach}, and there {count} to introduce them:"
            f" {'; '.join(reason.words for reason in reasons)}."
        ),
        evidence=tuple(evidence for reason in reasons for evidence in reason.evidence),
        action=_action(ground, names, reasons),
    )


def _action(ground: Ground, names: tuple[str, str], reasons: tuple[_Reason, ...]) -> str:
    brokers = [ground.name(reason.broker) for reason in reasons if reason.broker]
    if brokers:
        return f"Consider an introduction of {names[0]} to {names[1]} through {brokers[0]}."
    return f"Consider a first meeting of {names[0]} and {names[1]}, taking up {reasons[0].evidence[0].label}."
