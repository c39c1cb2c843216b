"""C4: an objective, a region or an organisation that no money is known to reach, or that hangs on a single funder."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.calls import Call
from graphkit.gaps.ground import Ground, listed
from graphkit.gaps.means import Means, Register, wider

__all__ = ["find"]

_LEAST_ORGANISATIONS = 3
_SPOKEN = 3
_CALLS = 3
_MEMBER = "https://w3id.org/solidarity-graph/vocabulary/role/member"
_NO_PART = frozenset(
    f"https://w3id.org/solidarity-graph/vocabulary/role/{role}" for role in ("consulted", "subject", "visitor")
)
_NOTES = {"region": "works in the region", "organisation": "", "objective": "pursues it"}


@dataclass(frozen=True, slots=True)
class _Award:
    """A grant, who gives it, and in which step it reaches somebody."""

    iri: str
    label: str
    date: date | None
    funder: str
    funder_label: str
    step: str

    def evidence(self) -> tuple[Evidence, ...]:
        """Give the path: the funder, and its grant with the day from which it holds."""
        return (
            Evidence(self.funder, self.funder_label, "funder"),
            Evidence(self.iri, self.label, f"grant of {self.funder_label} ({self.step})", self.date),
        )


@dataclass(frozen=True, slots=True)
class _Need:
    """What needs money, an objective, region or organisation (`sort`), and through what it would be reached.

    `behind` are the organisations that must be covered for a claim.
    """

    iri: str
    label: str
    sort: str
    through: tuple[str, ...]
    themes: frozenset[str]
    behind: frozenset[str]


@dataclass(frozen=True, eq=False)
class _View:
    """The ground and the means, and what is looked up in them again and again."""

    ground: Ground
    means: Means

    @cached_property
    def money(self) -> tuple[Register, ...]:
        """The scopes about grants."""
        return self.means.registers_of("money")

    @cached_property
    def open_calls(self) -> tuple[Call, ...]:
        """The calls and programmes that may be open at the end of what the sources cover."""
        return self.means.open_on(self.ground.as_of)

    @cached_property
    def givers(self) -> frozenset[str]:
        """Who gives or offers money."""
        return frozenset(self.means.awards["funder"]).union(*(call.offered_by for call in self.means.offered))

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The names of who and what pursues an objective, by IRI."""
        return dict(self.means.objectives.select("pursued_by", "pursued_by_label").drop_nulls().rows())

    @cached_property
    def _themes_of(self) -> Mapping[str, frozenset[str]]:
        pairs = self.ground.takes_part.select("organisation", "theme").drop_nulls().unique()
        return {
            organisation: frozenset(themes)
            for organisation, themes in pairs.group_by("organisation").agg("theme").rows()
        }

    @cached_property
    def _given(self) -> pl.DataFrame:
        """The grants in order, newest first, undated last, none from after the end of the scopes."""
        rows = self.means.awards.filter(pl.col("date").is_null() | (pl.col("date") <= self.ground.as_of))
        return rows.sort("date", "award", "funder", descending=[True, False, False], nulls_last=True)

    @cached_property
    def reached(self) -> frozenset[str]:
        """The organisations and activities that a grant reaches."""
        return frozenset(self._given["reached"])

    @cached_property
    def _awards_of(self) -> Mapping[str, list[tuple[Any, ...]]]:
        """The grants that reach each organisation and activity, in order, as the fields of an `_Award`."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        fields = self._given.select("reached", "award", "label", "date", "funder", "funder_label", "step")
        for thing, *award in fields.iter_rows():
            found.setdefault(thing, []).append(tuple(award))
        return found

    def _own(self, thing: str) -> list[_Award]:
        """Return the grants that reach a thing itself, newest first, undated last."""
        return [_Award(*fields) for fields in self._awards_of.get(thing, ())]

    def name(self, iri: str) -> str:
        """Name an organisation or an activity."""
        return self.labels.get(iri) or self.ground.name(iri)

    def themes(self, things: Iterable[str]) -> frozenset[str]:
        """Return the themes of things, and of what organisations among them take part in."""
        none: frozenset[str] = frozenset()
        sides = (self.means.themes_of, self._themes_of)
        return none.union(*(side.get(thing, none) for thing in things for side in sides))

    def regions(self, things: Iterable[str]) -> frozenset[str]:
        """Return the regions of organisations, the larger ones included."""
        none: frozenset[str] = frozenset()
        return none.union(*(self.means.regions_of.get(thing, none) for thing in things))

    def register(self, organisations: Iterable[str]) -> Register | None:
        """Return the first scope about grants that covers all of these organisations."""
        places = [{organisation, *self.regions([organisation])} for organisation in organisations]
        fitting = (each for each in self.money if places and all(each.covered & place for place in places))
        return next(fitting, None)

    @cached_property
    def wanting(self) -> Mapping[str, tuple[str, ...]]:
        """The nameable organisations that give no money themselves, by the regions in which they work, in order."""
        found: dict[str, list[str]] = {}
        for organisation in sorted(self.ground.nameable - self.givers):
            for region in self.means.regions_of.get(organisation, ()):
                found.setdefault(region, []).append(organisation)
        return {region: tuple(those) for region, those in found.items()}

    @cached_property
    def activities(self) -> Mapping[str, int]:
        """How many activities each organisation takes part in; to be a member of something is none."""
        doing = self.ground.takes_part.filter(pl.col("role") != _MEMBER)
        return dict(doing.group_by("organisation").agg(pl.col("activity").n_unique()).rows())

    @cached_property
    def _ranked(self) -> tuple[int, ...]:
        return tuple(sorted(self.activities.get(organisation, 0) for organisation in self.ground.nameable))

    def weight(self, need: _Need) -> float:
        """Return 1, or for an organisation the share of organisations that take part in no more than it does."""
        if need.sort != "organisation":
            return 1.0
        return bisect_right(self._ranked, self.activities.get(need.iri, 0)) / len(self._ranked)

    @cached_property
    def _carried_out(self) -> Mapping[str, tuple[str, ...]]:
        """The activities that a grant pays for, by who carries them out: not who is asked, visited or studied."""
        apart = sorted({role for role, above in wider("role").items() if above & _NO_PART} | _NO_PART)
        paid = self._given.filter(pl.col("step") == "activity")["reached"].unique()
        rows = self.ground.takes_part.filter(~pl.col("role").is_in(apart), pl.col("activity").is_in(paid.implode()))
        groups = rows.select("organisation", "activity").unique().sort("activity").group_by("organisation")
        return {organisation: tuple(sorted(activities)) for organisation, activities in groups.agg("activity").rows()}

    def _reaching(self, thing: str) -> list[_Award]:
        """Return the grants that reach a thing itself or as a participant, newest first, undated last."""
        through = [award for activity in self._carried_out.get(thing, ()) for award in self._own(activity)]
        known = {(award.iri, award.funder): award for award in self._own(thing)}
        for award in through:
            if (award.iri, award.funder) not in known:
                known[award.iri, award.funder] = replace(award, step="participant")
        return sorted(known.values(), key=lambda a: (-(a.date.toordinal() if a.date else 0), a.iri, a.funder))

    def is_reached(self, need: _Need) -> bool:
        """Tell whether any grant reaches a need."""
        return any(thing in self.reached or thing in self._carried_out for thing in need.through)

    def awards(self, need: _Need) -> tuple[_Award, ...]:
        """Return the grants that reach a need, each once for each funder."""
        awards = {(a.iri, a.funder): a for thing in need.through for a in self._reaching(thing)}
        return tuple(awards.values())


def find(ground: Ground, means: Means) -> list[Gap]:
    """Find what no path of funding reaches, or only paths from one funder.

    A path leads from a funder over a grant to its recipient, to the activity that it pays for, and to those who carry
    that out; from them to the region in which they work, and to the objective that they or the activity pursue. A bid
    is no path. Score: w / (1 + f) with f funders from whom a path leads: none, or one who gave two or more grants; with
    two funders or more, or with a single grant, there is no gap. w is 1; for an organisation it is the share of
    organisations that take part in no more activities, so that who does most without money comes first. One of which no
    activity is known is not told: nothing says that it needs money. Exact.

    Claimed only inside a completeness scope about grants (of `sol:recipient` or `schema:funder`): an organisation
    that it covers, a region inside it with three such organisations or more, an objective all of whose pursuers it
    covers. A scope whose source names one funder only tells of that funder's money: that none of it reaches a region or
    an objective, and of no organisation that it has no other funder, or none. Who gives money itself needs none; the
    organisations and the smaller regions inside a region that is claimed with the same score are not told again.
    Objectives without a path outside every such scope are together one gap D. The action names up to three calls that
    may be open, those first that share most themes: only calls that share a theme or a region, and none for other
    regions or on other themes.

    Source: Provan and Milward 2001 on what a network is measured by; Froelich 1999, Nonprofit and Voluntary Sector
    Quarterly 28, 246, on resting on one source of money.
    """
    view = _View(ground, means)
    pursued = _pursued(view)
    regions = _largest([(need, gap) for need, register in _regions(view) if (gap := _gap(view, need, register))])
    poor = {organisation for need, gap in regions if gap.score == 1 for organisation in need.through}
    needs = [*_organisations(view, poor), *pursued]
    gaps = [_gap(view, need, register) for need in needs if (register := view.register(need.behind))]
    unknown = [need for need in pursued if not view.register(need.behind) and not view.awards(need)]
    return [*(gap for _, gap in regions), *(gap for gap in gaps if gap), *_unknown(view, unknown, len(pursued))]


# ---- Who needs money -----------------------------------------------------------------------------


def _largest(found: list[tuple[_Need, Gap]]) -> list[tuple[_Need, Gap]]:
    """Leave out the regions whose organisations all stand in a larger one with the same score, or in one before it."""
    kept: list[tuple[_Need, Gap]] = []
    for need, gap in sorted(found, key=lambda each: (-len(each[0].behind), each[0].iri)):
        if not any(need.behind <= other.behind and gap.score == known.score for other, known in kept):
            kept.append((need, gap))
    return kept


def _regions(view: _View) -> Iterator[tuple[_Need, Register]]:
    """Yield the regions inside a scope about grants with enough organisations, in order."""
    seen: set[str] = set()
    for register in view.money:
        for region in sorted((register.covered & view.means.region_labels.keys()) - seen):
            seen.add(region)
            those = view.wanting.get(region, ())
            if len(those) >= _LEAST_ORGANISATIONS:
                label = view.means.region_labels[region]
                yield _Need(region, label, "region", those, view.themes(those), frozenset(those)), register


def _organisations(view: _View, told: set[str]) -> Iterator[_Need]:
    doing = view.activities.keys() | view.reached
    for organisation in sorted((view.ground.nameable & doing) - view.givers - told):
        alone = (organisation,)
        name = view.ground.name(organisation)
        yield _Need(organisation, name, "organisation", alone, view.themes(alone), frozenset(alone))


def _pursued(view: _View) -> list[_Need]:
    """List the objectives that somebody pursues, with the organisations behind each, in order."""
    parts = view.ground.takes_part.select("activity", "organisation").unique()
    everybody = frozenset(view.ground.organisations["organisation"])
    found = []
    for key, rows in view.means.objectives.drop_nulls("pursued_by").group_by("objective", "label"):
        pursuers = tuple(sorted(set(rows["pursued_by"])))
        taking = parts.filter(pl.col("activity").is_in(pursuers))["organisation"]
        behind = (frozenset(pursuers) & everybody) | (frozenset(taking) - frozenset(pursuers))
        objective, label = str(key[0]), str(key[1])
        themes = view.themes((*pursuers, objective))
        found.append(_Need(objective, label, "objective", pursuers, themes, behind))
    return sorted(found, key=lambda need: (need.iri, need.label))


# ---- Saying --------------------------------------------------------------------------------------


def _gap(view: _View, need: _Need, register: Register) -> Gap | None:
    """Return the gap, or None where money reaches it from several funders, or in one grant alone."""
    if len(register.sorts) == 1 and (need.sort == "organisation" or view.is_reached(need)):
        return None
    awards = view.awards(need)
    funders = {award.funder: award.funder_label for award in awards}
    if len(funders) > 1 or len(awards) == 1:
        return None
    calls = _matching(view, need, frozenset(funders))
    reach = f"{register.label}, up to {register.end}" if register.end else register.label
    through = tuple(Evidence(t, view.name(t), _NOTES[need.sort]) for t in need.through if t != need.iri)
    return Gap(
        kind="C4",
        members=(need.iri,),
        labels=(need.label,),
        score=round(view.weight(need) / (1 + len(funders)), 6),
        tier="exact",
        explanation=f"{_said(need, awards, through)} ({reach}).",
        evidence=(
            *(evidence for award in awards[:_SPOKEN] for evidence in award.evidence()),
            *through[: 2 * _SPOKEN],
            *(Evidence(call.iri, call.label, _why(need, call), call.deadline) for call in calls),
            register.evidence,
        ),
        action=_action(need, calls, tuple(funders.values())),
    )


def _said(need: _Need, awards: tuple[_Award, ...], through: tuple[Evidence, ...]) -> str:
    pursuing = listed([e.label for e in through], most=_SPOKEN)
    who = {
        "region": f"any of the {len(need.through)} organisations known in {need.label}",
        "organisation": need.label,
        "objective": f"what is done for the objective “{need.label}” ({pursuing})",
    }[need.sort]
    if not awards:
        return f"No grant is known that reaches {who}"
    named = listed([award.label for award in awards], most=_SPOKEN)
    return f"All {len(awards)} grants that are known to reach {who} come from {awards[0].funder_label} ({named})"


def _matching(view: _View, need: _Need, without: frozenset[str]) -> list[Call]:
    """Choose calls that may be open and that others offer, those with most themes in common first."""
    where = view.regions((need.iri, *need.through)) | ({need.iri} if need.sort == "region" else set())
    scored = []
    for call in view.open_calls:
        regions, common = {region for region, _ in call.regions}, {theme for theme, _ in call.themes} & need.themes
        elsewhere = bool(regions and where and not regions & where)
        known = bool(call.offered_by) and without.issuperset(call.offered_by)
        near = bool(common) or bool(regions & where and not call.themes)
        if near and not elsewhere and not known:
            scored.append((-len(common), call.iri, call))
    return [call for *_, call in sorted(scored, key=lambda each: each[:2])[:_CALLS]]


def _why(need: _Need, call: Call) -> str:
    common = [label for theme, label in call.themes if theme in need.themes]
    about = f"on {listed(common)}" if common else "whose themes no source gives"
    offered = f" of {listed(call.offered_by_labels)}" if call.offered_by_labels else ""
    return f"call{offered} {about}"


def _action(need: _Need, calls: list[Call], funders: tuple[str, ...]) -> str:
    who = {"region": f"the organisations in {need.label}", "objective": f"“{need.label}”"}.get(need.sort, need.label)
    begin = f"Look for a second funder of {who} beside {funders[0]}" if funders else f"Match {who} to a call"
    if not calls:
        return f"{begin}; none that would fit is known here."
    return f"{begin}: {listed([call.label for call in calls])} may fit."


def _unknown(view: _View, needs: list[_Need], pursued: int) -> list[Gap]:
    """Return one data gap for the objectives that no money is known to reach and no scope covers."""
    if not needs:
        return []
    counts: dict[str, int] = {}
    for need in needs:
        counts |= {thing: counts.get(thing, 0) + 1 for thing in need.through}
    pursuers = sorted(counts, key=lambda thing: (-counts[thing], thing))
    said = listed([f"{view.name(thing)} ({counts[thing]})" for thing in pursuers])
    programmes = [call for call in view.open_calls if not call.opportunity]
    givers = sorted({label for call in programmes for label in call.offered_by_labels})
    whose = f" of {listed(givers)}" if givers else ""
    return [
        Gap(
            kind="D",
            members=tuple(need.iri for need in needs),
            labels=tuple(need.label for need in needs),
            score=round(len(needs) / pursued, 6),
            tier="not-known",
            explanation=(
                f"Objectives for which no grant is known: {len(needs)} of {pursued}. They are pursued by {said}. No"
                " source here says that it lists all grants. Not known, and not to be taken as absent."
            ),
            evidence=(
                *(Evidence(t, view.name(t), f"pursues {counts[t]} of these objectives") for t in pursuers),
                *(Evidence(call.iri, call.label, "a funding programme that may be open") for call in programmes),
            ),
            action=f"Ask those who pursue them how it is paid for, and bring in the grants{whose}.",
        )
    ]
