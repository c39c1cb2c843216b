"""P1: two organisations that have not worked together and have good reasons to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.gaps.introductions import ASKED, Pairs, Placed, common, incidence, placed
from graphkit.measures import reach
from graphkit.network import Matrix

__all__ = ["find"]

_LOOKED_AT = 5_000
_TIERS = ("weak", "some", "strong")
_EXACT_EFFICIENCY = 500
_MOST_REASONS = 6
_SPOKEN = 3
_TOLD_ACTIVITIES = 6


@dataclass(frozen=True, slots=True)
class _Reason:
    """One independent reason to introduce two organisations, in words and as evidence."""

    words: str
    evidence: tuple[Evidence, ...]
    broker: str | None = None


def find(ground: Ground, say: Callable[[str], object] = lambda _: None) -> list[Gap]:
    """Find introductions to consider: pairs without a joint activity, with one or more independent reasons.

    Score: sqrt(pct(feasibility) pct(value)) over all candidate pairs. Feasibility is that of `introductions.placed`;
    value is the mean of 1 - Jaccard of the partners, the share of one's themes that the other lacks, and (up to 500
    organisations) the gain in global efficiency. Reasons are: each partner of both, those first who have worked most
    with both, as long as neither has met two of them in one and the same activity alone; each activity in which both
    were asked; a theme of both that not everybody has; a place of both. The tier counts them: weak is one, some two,
    strong three or more; no more than six are told. A pair is claimed only where one completeness scope covers both;
    one that has been in contact over an activity, even if only planned, is left out. Reasons are sought for the 5,000
    pairs with the highest score; `say` is told where there are more, or where a large network let only some be
    compared.

    Source: the backtest in which this scorer was chosen is described in docs/backtest.md; feasibility is no
    probability, and pairs that a null model expects but that do not exist are the least likely ones.
    """
    found = placed(ground)
    if not found.possible:
        return []
    pairs = found.pairs
    scores = np.sqrt(_share(found.feasibility) * _share(_value(ground, pairs)))
    _say_limits(found, say)
    best = list(islice(_ranked(ground, pairs, scores), _LOOKED_AT))
    look = _Lookup(ground)
    reasoned = [(pair, score, tuple(islice(_reasons(look, *pair), _MOST_REASONS))) for pair, score in best]
    reasoned.sort(key=lambda found: -min(len(found[2]), len(_TIERS)))
    return [_gap(ground, *found) for found in reasoned if found[2]]


def _say_limits(found: Placed, say: Callable[[str], object]) -> None:
    compared = found.pairs[0].size
    if found.possible > compared:
        say(
            f"Of {found.possible:,} pairs that could be introduced (P1) the {compared:,} that share most (Adamic-Adar)"
            f" were compared, and the best {min(_LOOKED_AT, compared):,} explained."
        )
    elif compared > _LOOKED_AT:
        say(f"Of {compared:,} pairs that could be introduced (P1) the best {_LOOKED_AT:,} are explained.")


def _value(ground: Ground, pairs: Pairs) -> NDArray[np.float64]:
    """Mean of three shares: partners that are new, themes that are new, and efficiency that is gained."""
    parts = [_new_partners(ground, pairs), _new_themes(ground, pairs)]
    if len(ground.network.organisations) <= _EXACT_EFFICIENCY:
        parts.append(_efficiency_gain(ground.network.adjacency, pairs))
    return np.asarray(np.mean(parts, axis=0))


def _new_partners(ground: Ground, pairs: Pairs) -> NDArray[np.float64]:
    adjacency = ground.network.adjacency
    degrees: NDArray[np.float64] = np.asarray(adjacency.sum(axis=1))
    both = common(adjacency, pairs)
    return np.asarray(1 - both / np.maximum(degrees[pairs[0]] + degrees[pairs[1]] - both, 1))


def _new_themes(ground: Ground, pairs: Pairs) -> NDArray[np.float64]:
    themes = incidence(ground, ground.takes_part, "theme")
    sizes: NDArray[np.float64] = np.asarray(themes.sum(axis=1))
    both = common(themes, pairs)
    lacking = [np.where(sizes[end] > 0, 1 - both / np.maximum(sizes[end], 1), 0.0) for end in pairs]
    return np.asarray(np.mean(lacking, axis=0))


def _efficiency_gain(adjacency: Matrix, pairs: Pairs) -> NDArray[np.float64]:
    """Give the growth of global efficiency by each new tie, as a share of the largest growth."""
    steps = reach.distances(adjacency)
    gains = np.array([reach.efficiency_gain(steps, x, y) for x, y in zip(*pairs, strict=True)])
    return gains / gains.max() if gains.max(initial=0) > 0 else np.zeros_like(gains)


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give for each value the share of values that are smaller or equal (ties: their mean rank)."""
    return (pl.Series(values.round(12)).rank("average") / values.size).to_numpy()


def _ranked(ground: Ground, pairs: Pairs, scores: NDArray[np.float64]) -> Iterator[tuple[tuple[str, str], float]]:
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
        return _by_organisation(self.ground.takes_part.filter(pl.col("role") == ASKED), "activity", "label")

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
    """Yield the partners of both that speak for themselves, those first who have worked most with both.

    A partner whom the first, or the second, has met only in activities that speak for a partner before is no further
    reason: all who share one large activity with both are one path and not many.
    """
    used: set[str] = set()
    for broker in _both(ground, first, second):
        left, right = ground.joint(first, broker), ground.joint(second, broker)
        fresh = [next((each for each in side if each not in used), None) for side in (left, right)]
        if any(side and each is None for side, each in zip((left, right), fresh, strict=True)):
            continue
        used |= {each for each in fresh if each}
        words = f"both have worked with {ground.name(broker)} ({_said(ground, left)}; {_said(ground, right)})"
        evidence = (
            Evidence(broker, ground.name(broker), "partner of both"),
            *ground.evidence(left[:_TOLD_ACTIVITIES], f"{ground.name(first)} with {ground.name(broker)}"),
            *ground.evidence(right[:_TOLD_ACTIVITIES], f"{ground.name(second)} with {ground.name(broker)}"),
        )
        yield _Reason(words, evidence, broker)


def _both(ground: Ground, first: str, second: str) -> list[str]:
    """List the partners of both by how much each has worked with that one of them whom it knows less, most first."""
    rows, weights = ground.network.rows, ground.network.weights
    one, other = (slice(*weights.indptr[rows[end] : rows[end] + 2]) for end in (first, second))
    columns, mine, theirs = np.intersect1d(
        weights.indices[one], weights.indices[other], assume_unique=True, return_indices=True
    )
    order = np.lexsort((columns, -np.minimum(weights.data[one][mine], weights.data[other][theirs]).round(9)))
    return [ground.network.organisations[columns[k]] for k in order]


def _said(ground: Ground, activities: tuple[str, ...]) -> str:
    return listed([_dated(ground, activity) for activity in activities], most=2) or "no activity named"


def _dated(ground: Ground, activity: str) -> str:
    """Name an activity with its year, where that is known and not in its name already."""
    name, day = ground.name(activity), ground.dates.get(activity)
    return name if day is None or str(day.year) in name else f"{name} in {day.year}"


def _gap(ground: Ground, pair: tuple[str, str], score: float, reasons: tuple[_Reason, ...]) -> Gap:
    names = ground.name(pair[0]), ground.name(pair[1])
    scope = ground.scope_of(*pair)
    reach = f" ({ground.scope_words(scope)})" if scope else ""
    count = "is one reason" if len(reasons) == 1 else f"are {len(reasons)} reasons"
    count += " or more" if len(reasons) == _MOST_REASONS else ""
    return Gap(
        kind="P1",
        members=pair,
        labels=names,
        score=round(score, 6),
        tier=_TIERS[min(len(reasons), len(_TIERS)) - 1],
        explanation=(
            f"No joint activity of {names[0]} and {names[1]} is known{reach}, and there {count} to introduce them:"
            f" {'; '.join(reason.words for reason in reasons[:_SPOKEN])}"
            f"{'; the others stand in the evidence' if len(reasons) > _SPOKEN else ''}."
        ),
        evidence=tuple(evidence for reason in reasons for evidence in reason.evidence),
        action=_action(ground, names, reasons),
    )


def _action(ground: Ground, names: tuple[str, str], reasons: tuple[_Reason, ...]) -> str:
    brokers = [ground.name(reason.broker) for reason in reasons if reason.broker]
    if brokers:
        return f"Consider an introduction of {names[0]} to {names[1]} through {brokers[0]}."
    return f"Consider a first meeting of {names[0]} and {names[1]}, taking up {reasons[0].evidence[0].label}."
