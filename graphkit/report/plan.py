"""The chapters of a regional report on its gaps, and on the action plan that follows from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import polars as pl

from graphkit import ontology, queries
from graphkit.gaps import KINDS, TIERS, Gap, listed
from graphkit.gaps.means import wider
from graphkit.monitor import Standing
from graphkit.report.calls import Call, bids
from graphkit.report.document import Action, Asked, Block, Cell, Named, NotKnown, Section, Table
from graphkit.report.facts import MONEY, Facts
from graphkit.terms import ID, PREFIXES

__all__ = ["gaps_section", "plan_section"]

_OF_A_KIND: Final = 3
_MOST_THEMES: Final = 3
"""What touches more themes than this says nothing of a goal."""
_LONG: Final = 80
_MOST: Final = 12
_WHOSE_MONEY: Final = (
    "of missing money are not listed: they are about a place, or about somebody who is not of a core solidarity kind,"
    " and a list of one fund's beneficiaries does not tell what other funders gave. graphkit gaps has them."
)
_NAMED: Final = 6
_JOINING: Final = frozenset({"P1", "P2", "S1", "G1", "G2", "G3", "B1", "B2", "R1", "R2"})
_PARTNERSHIPS: Final = "monitor/partnerships"
_ADDRESSED: Final = "monitor/addressed"
_FUNDS: Final = "monitor/structural-funds"
_KIND: Final = PREFIXES["voc"] + "kind/"
_THEME: Final = PREFIXES["voc"] + "theme/"
_SDG: Final = PREFIXES["sdg"]

_SUCCESS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "P1": "A source tells of an activity in which both take part; networks/collaboration then has the pair.",
        "P2": "A source tells of a new joint activity of the two with a date; the tie is no longer dormant.",
        "S1": "Both sides tell of the activity in sources of their own.",
        "G1": "More activities have members of both groups than the random model expects less its spread.",
        "G2": "More of the group's ties lead out of it; the gap is no longer found.",
        "G3": "A source tells of an activity with members of both circles.",
        "B1": "A second organisation has worked with both sides; the gap is no longer found.",
        "B2": "It has a partner whom its other partners do not know; its constraint falls.",
        "R1": "A source tells of a second activity that joins both sides; the point is no longer fragile.",
        "R2": "A source tells of an activity that it shares with others.",
        "C1": "The query that monitors the commitment finds evidence.",
        "C2": "The query that monitors the commitment finds evidence newer than the review period.",
        "C3": "A source names somebody of the kind or in the role.",
        "C4": "A grant, or one of another funder, reaches it; funding/grants then has it.",
        "C5": "A source tells of somebody who has what the call asks for.",
    }
)
"""For each kind of gap what the graph would show once it is closed."""


# ---- Gaps -----------------------------------------------------------------------------------------------------


def gaps_section(facts: Facts) -> Section:
    """Rank the gaps of the region; those of data come last, in the chapter on doubts."""
    found = facts.listed_gaps
    asked = Asked("gaps/organisations")
    money = sum(gap.kind == MONEY for gap in facts.gaps) - sum(gap.kind == MONEY for gap in found)
    left: list[Block] = [(f"{money} more {_WHOSE_MONEY}",)] if money else []
    if not found:
        nothing = NotKnown(
            f"No gap was found whose members are in {facts.region.label}.",
            "A gap is claimed only where a source says that it tells all; declare completeness scopes, or import more.",
        )
        return Section("gaps", "Gaps, ranked", (nothing, *left, (facts.found.banner,)))
    rows: list[tuple[Cell, ...]] = [
        (number, KINDS[gap.kind].name, _members(gap), gap.tier.replace("-", " "), f"{gap.score:.2f}", gap.explanation)
        for number, gap in enumerate(found[:20], 1)
    ]
    table = Table(
        "Gaps whose members are in the region",
        ("Rank", "Kind", "Who or what", "Evidence", "Score", "Why"),
        tuple(rows),
        facts.found.banner,
        "graphkit gaps: by kind, evidence, then score; a score ranks gaps of one kind and is no probability",
        asked,
        max(len(found) - 20, 0),
    )
    return Section("gaps", "Gaps, ranked", (table, *left))


def _members(gap: Gap) -> Cell:
    if len(gap.members) == 1:
        return Named(gap.labels[0], gap.members[0])
    return " · ".join(gap.labels[:_NAMED]) + (
        f" and {len(gap.labels) - _NAMED} more" if len(gap.labels) > _NAMED else ""
    )


# ---- The plan ---------------------------------------------------------------------------------------------------


def plan_section(facts: Facts, calls: Sequence[Call]) -> Section:
    """Propose what could be done: for gaps of the region, open calls, and commitments without evidence from it."""
    chosen = list(_chosen(facts))
    sides = _sides(facts, chosen)
    actions = [_of_gap(facts, gap, sides) for gap in chosen[:_MOST]]
    actions += bids(facts, calls)
    silent = [
        standing
        for standing in facts.found.standings
        if facts.belonging.isdisjoint(finding.iri for finding in standing.findings)
    ]
    asked = dict.fromkeys(standing.query for standing in silent if standing.query != _ADDRESSED)
    actions += [_of_commitments(facts, [each for each in silent if each.query == query]) for query in asked]
    if not actions:
        nothing = NotKnown(
            "No action follows from what is known of this region.",
            "Import more about it; an action stands here only with a gap or a commitment behind it.",
        )
        return Section("plan", "Action plan", (nothing,))
    opening = (
        "Proposals for people to weigh, each with its reason. None is asserted as a fact, and none was agreed with"
        " those whom it names."
    )
    left = len(chosen) - min(len(chosen), _MOST)
    bound = f"at most {_OF_A_KIND} of a kind and {_MOST} in all are turned into one"
    more: list[Block] = [(f"{left} further gaps of the region have no action here: {bound}.",)] if left else []
    return Section("plan", "Action plan", ((opening,), *actions, *more, *_elsewhere(silent)))


def _elsewhere(silent: Iterable[Standing]) -> list[Block]:
    """Name the commitments for which no pattern of the graph tells what a region could do."""
    kept = _commitments(each for each in silent if each.query == _ADDRESSED)
    if not kept:
        return []
    between = [cell for each in kept for cell in ("; ", each)][1:]
    why = "What counts for them is only what a source says acts on them; it does not tell what a region could do."
    return [("No action is proposed for ", *between, f". {why}")]


def _chosen(facts: Facts) -> Iterable[Gap]:
    """Yield the gaps of the region that somebody there can act on, strongest evidence first, a few of each kind."""
    counts: Counter[str] = Counter()
    order = {gap.key: place for place, gap in enumerate(facts.listed_gaps)}
    for gap in sorted(facts.listed_gaps, key=lambda gap: (TIERS.index(gap.tier), order[gap.key])):
        if counts[gap.kind] < _OF_A_KIND:
            counts[gap.kind] += 1
            yield gap


def _sides(facts: Facts, gaps: list[Gap]) -> dict[str, frozenset[str]]:
    """Tell of each organisation in these gaps of which kinds it is, wider ones included."""
    members = {iri for gap in gaps for iri in (*gap.members, *(each.iri for each in gap.evidence))}
    wanted = sorted(iri for iri in members if iri.startswith(f"{ID}organisation/"))
    if not wanted:
        return {}
    frame = queries.run(facts.store, "explore/organisations", organisation=wanted).drop_nulls("kind")
    kinds = wider("kind")
    return {iri: frozenset(kinds.get(kind, {kind})) for iri, kind in frame.select("organisation", "kind").rows()}


def _of_gap(facts: Facts, gap: Gap, sides: Mapping[str, frozenset[str]]) -> Action:
    people = [Named(label, iri) for iri, label in zip(gap.members, gap.labels, strict=True) if _acts(iri)]
    served, serves = _served(facts, gap, sides)
    own = facts.found.places.themes_of(gap)
    themes = {*(own if len(own) <= _MOST_THEMES else ()), *_themes(facts, served)}
    others = [
        Named(each.label, each.iri)
        for each in gap.evidence
        if _acts(each.iri) and each.iri not in gap.members and _is_partner(gap)
    ]
    return Action(
        key=gap.short_key,
        what=gap.action,
        who=tuple(people[:1]),
        partners=tuple(dict.fromkeys([*people[1:], *others]))[:_NAMED],
        why=gap.explanation,
        evidence=tuple(dict.fromkeys(Named(each.label, each.iri) for each in gap.evidence))[:_NAMED],
        commitments=served,
        goals=_goals(themes),
        serves=serves,
        success=_SUCCESS[gap.kind],
        strength=f"evidence: {gap.tier.replace('-', ' ')}; kind {gap.kind}, {KINDS[gap.kind].name.lower()}",
        asked=Asked("gaps/takes-part"),
        gap=gap.iri,
    )


def _acts(iri: str) -> bool:
    return iri.startswith((f"{ID}organisation/", f"{ID}group/"))


def _is_partner(gap: Gap) -> bool:
    return gap.kind in {"R1", "B1", "B2"}


def _served(facts: Facts, gap: Gap, sides: Mapping[str, frozenset[str]]) -> tuple[tuple[Named, ...], str]:
    """Return the commitments for which the action would count as evidence by their own queries, and why."""
    own = [standing for standing in facts.found.standings if standing.commitment in gap.members]
    if own:
        return _commitments(own), "the gap is one of this commitment"
    if gap.kind in _JOINING:
        kinds = [sides.get(iri, frozenset()) for iri in (*gap.members, *(each.iri for each in gap.evidence))]
        public = any(f"{_KIND}public-body" in each for each in kinds)
        core = any(f"{_KIND}core-solidarity-organisation" in each for each in kinds)
        if public and core:
            served = [each for each in facts.found.standings if each.query == _PARTNERSHIPS]
            return _commitments(served), "public bodies and solidarity organisations together are what its query counts"
    if gap.kind == "C4":
        served = [each for each in facts.found.standings if each.query == _FUNDS]
        return _commitments(served), "a grant of the Structural Funds would count for it, another grant would not"
    return (), ""


def _commitments(standings: Iterable[Standing]) -> tuple[Named, ...]:
    return tuple(Named(f"{each.identifier} {each.label}".strip(), each.commitment) for each in standings)


def _themes(facts: Facts, served: Iterable[Named]) -> set[str]:
    return {theme for each in served for theme in facts.found.places.themes.get(each.iri, ())}


def _goals(themes: Iterable[str]) -> tuple[Named, ...]:
    """Return the Sustainable Development Goals to which themes are aligned in the shipped mappings."""
    labels = dict(ontology.concepts().filter(pl.col("scheme") == "theme").select("label", "concept").rows())
    wanted = [labels[theme] for theme in themes if theme in labels]
    table = ontology.mappings().filter(
        pl.col("subject_id").is_in(wanted) & pl.col("object_id").str.starts_with(_SDG)
    )  # fmt: skip
    rows = table.select("object_id", "object_label").unique().sort("object_id")
    return tuple(Named(f"{iri.removeprefix(_SDG)} {_shortened(label)}", iri) for iri, label in rows.iter_rows())


def _shortened(text: str) -> str:
    """Cut a long name of a goal after a whole word."""
    return text if len(text) <= _LONG else text[:_LONG].rpartition(" ")[0].rstrip(",;") + " …"


def _of_commitments(facts: Facts, standings: list[Standing]) -> Action:
    """Propose to show, or to make, evidence from the region for commitments that one query follows."""
    query = standings[0].query
    asks = queries.find(query).summary
    served = _commitments(standings)
    stand = "; ".join(
        f"{each.identifier} as a whole stands at “{each.status.replace('-', ' ')}” with"
        f" {_pieces(len(each.findings))} up to {each.as_of}"
        for each in standings
    )
    several = "Commitments" if len(standings) > 1 else "Commitment"
    return Action(
        key=f"commitment-{standings[0].commitment.rpartition('/')[2]}",
        what=f"{several} {listed([each.identifier for each in standings])}: gather what was done in"
        f" {facts.region.label}, and begin where it was nothing. What counts: {asks[:1].lower()}{asks[1:]}.",
        who=_best_known(facts, "public-body"),
        partners=_best_known(facts, "core-solidarity-organisation"),
        why=f"Nothing in the graph that counts has to do with {facts.region.label}; {stand}. What no source tells may"
        " still have been done.",
        evidence=tuple(dict.fromkeys(Named(each.policy_label, each.policy) for each in standings)),
        commitments=served,
        goals=_goals(_themes(facts, served)),
        serves="the commitment itself",
        success=f"The query {query} finds something in the region, or in which somebody of it takes part.",
        strength="evidence: none from here",
        asked=Asked(query, (("commitment", standings[0].commitment),) if len(standings) == 1 else ()),
    )


def _best_known(facts: Facts, side: str) -> tuple[Named, ...]:
    """Name organisations of a side; of many only those with a known activity or grant."""
    kinds = wider("kind")
    named = [
        Named(row["label"], row["organisation"])
        for row in facts.existing.sort("label", "organisation").rows(named=True)
        if row["kind"] and _KIND + side in kinds.get(row["kind"], {row["kind"]})
    ]
    if len(named) > _NAMED:
        named = [each for each in named if each.iri in facts.known_for]
    return tuple(named[:_NAMED])


def _pieces(number: int) -> str:
    return "one piece of evidence" if number == 1 else f"{number or 'no'} pieces of evidence"
