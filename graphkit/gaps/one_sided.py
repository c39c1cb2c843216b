"""S1: a tie that one of the two tells of more than the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.gaps.means import Means

__all__ = ["find"]

_TIERS = ("weak", "some", "strong")


@dataclass(frozen=True, slots=True)
class _Scope:
    """A period for which a source of the organisation's own tells all its joint activities."""

    scope: str
    label: str
    start: date | None
    end: date | None

    def holds(self, day: date | None) -> bool:
        """Tell whether a day is in the period; a day that is not known is in it only where the period has no bounds."""
        if day is None:
            return self.start is None and self.end is None
        return (self.start is None or day >= self.start) and (self.end is None or day <= self.end)


@dataclass(frozen=True, eq=False)
class _Told:
    """Who tells of which activity of whom, in sources of their own."""

    means: Means

    @cached_property
    def scopes(self) -> Mapping[str, tuple[_Scope, ...]]:
        """The scopes of each organisation's own sources."""
        found: dict[str, list[_Scope]] = {}
        for reporter, *scope in self.means.own_scopes.select("reporter", "scope", "label", "start", "end").rows():
            found.setdefault(reporter, []).append(_Scope(*scope))
        return {reporter: tuple(scopes) for reporter, scopes in found.items()}

    @cached_property
    def sources(self) -> Mapping[str, tuple[str, str]]:
        """The first source of each organisation, and its name."""
        rows = self.means.reports.select("reporter", "source", "source_label").unique().sort("reporter", "source")
        return {reporter: (source, label) for reporter, source, label in reversed(rows.rows())}

    @cached_property
    def _said(self) -> Mapping[tuple[str, str], frozenset[str]]:
        groups = self.means.reports.group_by("reporter", "activity").agg("organisation")
        return {(reporter, activity): frozenset(those) for reporter, activity, those in groups.rows()}

    def tells(self, reporter: str, activity: str, both: frozenset[str]) -> bool:
        """Tell whether a source of `reporter` names both in an activity."""
        return both <= self._said.get((reporter, activity), frozenset())

    def covers(self, reporter: str, day: date | None) -> _Scope | None:
        """Return the scope that makes the silence of `reporter` about that day tell something, or None."""
        return next((scope for scope in self.scopes.get(reporter, ()) if scope.holds(day)), None)


def find(ground: Ground, means: Means) -> list[Gap]:
    """Find the ties of which the sources of the two sides do not tell alike.

    Score: |r_i - r_j| / max(r_i, r_j), where r_i counts the joint activities of i and j that a source published by i
    tells of, with both in it; tier by the number n = max(r_i, r_j): weak for one, some for two, strong for more.
    Activities that neither tells of count for neither. Compared are only the activities of a day on which completeness
    scopes of both sides' own sources hold; an undated one only where the scopes have no bounds. Organisations whose
    own sources do not declare that they tell all are silent because nobody asked: those with a tie that the other
    side tells of are together one gap D. Two sources that tell of the same activity under two names look one-sided
    until the two are joined, so a first question to both is whether they mean the same.

    Source: Krackhardt 1987, Social Networks 9, 109, on what each side says; Provan and Milward 2001 on confirmed ties.
    """
    told = _Told(means)
    gaps: list[Gap] = []
    unknown: dict[str, dict[str, list[str]]] = {}
    for first, second in _pairs(ground, told):
        gap = _compared(ground, told, first, second)
        if gap:
            gaps.append(gap)
        for teller, silent in ((first, second), (second, first)):
            shared = [a for a in ground.joint(first, second) if told.tells(teller, a, frozenset((first, second)))]
            if shared and silent in ground.nameable and silent not in told.scopes:
                unknown.setdefault(silent, {}).setdefault(teller, []).extend(shared)
    return [*gaps, *_unknown(ground, told, unknown)]


def _pairs(ground: Ground, told: _Told) -> list[tuple[str, str]]:
    """List the pairs with a tie of which one or both tell, or declare that they tell all, in order."""
    telling = pl.Series([*told.scopes, *told.means.reports["reporter"].unique()], dtype=pl.String)
    either = pl.any_horizontal(pl.col("source", "target").is_in(telling.implode()))
    frame = ground.network.ties.select("source", "target").filter(either).unique().sort("source", "target")
    return [(first, second) for first, second in frame.rows()]


def _compared(ground: Ground, told: _Told, first: str, second: str) -> Gap | None:
    """Return the gap of a pair, or None where both tell alike or the two cannot be compared."""
    both = frozenset((first, second))
    tells: dict[str, list[str]] = {first: [], second: []}
    bases: dict[str, Evidence] = {}
    for activity in ground.joint(first, second):
        day = ground.dates.get(activity)
        scopes = [scope for side in (first, second) if (scope := told.covers(side, day))]
        if len(scopes) == len(both):
            bases |= {s.scope: Evidence(s.scope, s.label, "declared complete up to here", s.end) for s in scopes}
            for side in tells:
                tells[side] += [activity] if told.tells(side, activity, both) else []
    louder, quieter = sorted(tells, key=lambda side: (-len(tells[side]), side))
    if len(tells[louder]) == len(tells[quieter]):
        return None
    return _gap(ground, told, (louder, tells[louder]), (quieter, tells[quieter]), tuple(bases.values()))


def _gap(
    ground: Ground, told: _Told, loud: tuple[str, list[str]], quiet: tuple[str, list[str]], bases: tuple[Evidence, ...]
) -> Gap:
    (louder, more), (quieter, fewer) = loud, quiet
    pair = min(louder, quieter), max(louder, quieter)
    names = ground.name(louder), ground.name(quieter)
    alone = [activity for activity in more if activity not in fewer]
    said = listed([ground.name(activity) for activity in alone], most=3)
    sources = [told.sources[side] for side in (louder, quieter) if side in told.sources]
    return Gap(
        kind="S1",
        members=pair,
        labels=(ground.name(pair[0]), ground.name(pair[1])),
        score=round((len(more) - len(fewer)) / len(more), 6),
        tier=_TIERS[min(len(more), len(_TIERS)) - 1],
        explanation=(
            f"{names[0]} tells of {_counted(len(more))} with {names[1]}; {names[1]}, whose own sources are declared"
            f" complete for that time, tells of {len(fewer) or 'none'}. {names[0]} alone names {said}."
        ),
        evidence=(
            *ground.evidence(alone, f"told by {names[0]} alone"),
            *ground.evidence([a for a in fewer if a in more], "told by both"),
            *ground.evidence([a for a in fewer if a not in more], f"told by {names[1]} alone"),
            *(Evidence(source, label, "own source") for source, label in sources),
            *bases,
        ),
        action=(
            f"Bring {names[0]} and {names[1]} together over {said}: it may have another name with one of them, or have"
            " been forgotten, or be no partnership in the eyes of one side."
        ),
    )


def _counted(number: int) -> str:
    return "one joint activity" if number == 1 else f"{number} joint activities"


def _unknown(ground: Ground, told: _Told, silent: Mapping[str, Mapping[str, list[str]]]) -> list[Gap]:
    """Return one data gap for those of whose ties only the other side tells."""
    if not silent:
        return []
    members = tuple(sorted(silent))
    ties = ground.network.ties
    everybody = pl.concat([ties["source"], ties["target"]]).n_unique()
    tellers = sorted({teller for by in silent.values() for teller in by})
    return [
        Gap(
            kind="D",
            members=members,
            labels=tuple(map(ground.name, members)),
            score=round(len(members) / everybody, 6),
            tier="not-known",
            explanation=(
                f"Organisations with ties of which only the other side tells: {len(members)} of {everybody}"
                f" ({listed(map(ground.name, members))}); told by {listed(map(ground.name, tellers))}. What they would"
                " say themselves is not known, and silence is not to be taken as denial."
            ),
            evidence=(
                *(Evidence(*told.sources[teller], "the source that tells") for teller in tellers),
                *(
                    evidence
                    for member in members
                    for teller, activities in silent[member].items()
                    for evidence in ground.evidence(activities, f"{ground.name(teller)} tells of {ground.name(member)}")
                ),
            ),
            action=f"Ask {listed(map(ground.name, members), most=3)} for their own account of these activities.",
        )
    ]
