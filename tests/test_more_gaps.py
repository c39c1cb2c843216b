"""Empty cells, money, capabilities, one-sided ties and holes between circles: planted ones are found, others not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from graphkit import queries
from graphkit.assembly import assemble_shipped
from graphkit.check import check
from graphkit.cli.ask import gaps as command
from graphkit.errors import UnknownNameError, UsageError
from graphkit.gaps import KINDS, TIERS, Gap, GapReport, as_frame, find_gaps, parts_by, save_run
from graphkit.gaps.community_hole import find as holes
from graphkit.measures.nulls import curveball
from graphkit.ontology import load_ontology
from graphkit.store import Store, open_store
from graphkit.terms import ID, PREFIXES, SOL, graph_iri
from tests.test_group_gaps import drawn, ground_of, network_of

DAY = date(2024, 6, 1)
TOWNS = ("east", "north", "south")
_SPACES = "".join(f"@prefix {prefix}: <{space}> .\n" for prefix, space in PREFIXES.items()) + "".join(
    f"@prefix {kind}: <{ID}{kind}/> .\n"
    for kind in ("activity", "grant", "objective", "opportunity", "organisation", "part", "place", "scope",
                 "source")
)  # fmt: skip
_COUNTY = """
place:county a sol:Region ; rdfs:label "County"@en ; geo:sfWithin place:country .
place:country a sol:Region ; rdfs:label "Country"@en .
place:abroad a sol:Region ; rdfs:label "Abroad"@en ; geo:sfWithin place:country .
source:book a sol:Source ; rdfs:label "The book"@en .
""" + "".join(
    f'place:{town} a sol:Region ; rdfs:label "{town.title()}"@en ; geo:sfWithin place:county .\n' for town in TOWNS
)


def facts_of(organisation: str, town: str, kind: str = "cooperative") -> str:
    """Say that an organisation exists, where it works and of which kind it is."""
    label = organisation.replace("-", " ").title()
    return (
        f'organisation:{organisation} a org:Organization ; rdfs:label "{label}"@en ; prov:atLocation place:{town} ;'
        f" org:classification <{PREFIXES['voc']}kind/{kind}> .\n"
    )


def joint(
    activity: str, day: str | None, members: dict[str, str], theme: str | None = None, kind: str = "Activity"
) -> str:
    """Say who took part in an activity in which role, and when it was."""
    when = f'; schema:startDate "{day}"^^xsd:date' if day else ""
    about = f"; dcterms:subject <{PREFIXES['voc']}theme/{theme}>" if theme else ""
    parts = "".join(
        f"part:{activity}-{member} a sol:Participation ; sol:participatesIn activity:{activity} ;"
        f" sol:participant organisation:{member} ; m8g:role <{PREFIXES['voc']}role/{role}> .\n"
        for member, role in members.items()
    )
    label = activity.replace("-", " ").title()
    return (
        f'activity:{activity} a sol:{kind} ; rdfs:label "{label}"@en ;'
        f" adms:status <{PREFIXES['voc']}status/completed> {when} {about} .\n{parts}"
    )


def scope(name: str, predicate: str, about: str, *, source: str = "book", period: bool = True) -> str:
    """Declare a source complete about a predicate, from 2010 to 2023 unless without a period."""
    years = '; schema:startDate "2010-01-01"^^xsd:date ; schema:endDate "2023-12-31"^^xsd:date' if period else ""
    return (
        f'scope:{name} a sol:CompletenessScope ; rdfs:label "All of {name}"@en ; sol:scopeSource source:{source} ;'
        f" sol:scopePredicate {predicate} ; {about} {years} .\n"
    )


COUNTY_WIDE = "prov:atLocation place:county"


def store_of(facts: str, **more: str) -> Store:
    """Put facts into graph/book, each of `more` into a graph of its name, and derive what follows."""
    store = open_store()
    with store.change("a generated county") as change:
        load_ontology(change)
        for name, text in {"book": _COUNTY + facts, **more}.items():
            change.load((_SPACES + text).encode(), media_type="ttl", graph=graph_iri(name))
    queries.derive(store)
    return store


def found(store: Store, *kinds: str) -> tuple[Gap, ...]:
    return find_gaps(store, kinds=kinds, today=DAY).gaps


def labels(gaps: Sequence[Gap]) -> list[tuple[str, ...]]:
    return [gap.labels for gap in gaps]


def notes(gap: Gap) -> dict[str, str]:
    return {evidence.label: evidence.note for evidence in gap.evidence}


class TestEmptyCell:
    """C3."""

    REGISTER = scope("organisations", "prov:atLocation", COUNTY_WIDE)

    @staticmethod
    def towns(unions: dict[str, int]) -> str:
        """Put twenty organisations into each town, so many of them credit unions, the rest co-operatives."""
        return "".join(
            facts_of(f"{town}-{number:02}", town, "credit-union" if number < unions[town] else "cooperative")
            for town in TOWNS
            for number in range(20)
        )

    def test_a_planted_empty_cell_is_found(self) -> None:
        """18 of 60 are credit unions, 6 would be expected in North, and there is none; the narrowest word is said."""
        store = store_of(self.towns({"east": 9, "north": 0, "south": 9}) + self.REGISTER)
        (gap,) = found(store, "C3")
        assert gap.labels == ("North", "Credit union")
        assert gap.members == (f"{ID}place/north", f"{PREFIXES['voc']}kind/credit-union")
        assert gap.score == pytest.approx(1 - math.exp(-6), abs=1e-6)
        assert gap.tier == "some"
        assert gap.explanation.startswith(
            "No organisation of the kind Credit union is in North (All of organisations, up to 2023-12-31); 6.0 would"
            " be expected from its size: 18 of the 60 organisations compared are of that kind, and 20 are in North."
        )
        assert "over the 6 combinations looked at" in gap.explanation
        assert notes(gap)["East 00"] == "of the kind, elsewhere"
        assert notes(gap)["All of organisations"] == "declared complete up to here"
        assert "Recruit an organisation of the kind Credit union for North" in gap.action

    def test_an_even_spread_has_no_empty_cell(self) -> None:
        """Six in each town; and one in North is not none, even where nine would be expected."""
        assert found(store_of(self.towns(dict.fromkeys(TOWNS, 6)) + self.REGISTER), "C3") == ()
        assert found(store_of(self.towns({"east": 13, "north": 1, "south": 13}) + self.REGISTER), "C3") == ()

    def test_a_register_of_one_kind_tells_nothing_of_another(self) -> None:
        """Companies of another source are missing from North; a register of co-operatives claims nothing of them."""
        members = "".join(facts_of(f"{town}-{n:02}", town, "cooperative") for town in TOWNS for n in range(20))
        firms = "".join(
            facts_of(f"{t}-firm-{n:02}", t, "private-company") for t in ("east", "south") for n in range(20)
        )
        assert found(store_of(members + self.REGISTER, firms=firms), "C3") == ()
        told = [gap.labels for gap in found(store_of(members + firms + self.REGISTER), "C3")]
        assert ("North", "Private company") in told

    def test_a_small_number_tells_nothing(self) -> None:
        """With 8 credit unions 2.7 would be expected in North; with 10, 3.3, which among six looked at is chance."""
        for each in (4, 5):
            assert found(store_of(self.towns({"east": each, "north": 0, "south": each}) + self.REGISTER), "C3") == ()

    def test_what_can_tell_nothing_is_not_counted_as_looked_at(self) -> None:
        """Two trade unions would be 0.7 in each town: still six combinations."""
        facts = self.towns({"east": 9, "north": 0, "south": 9})
        rare = facts.replace(facts_of("east-19", "east"), facts_of("east-19", "east", "trade-union"))
        rare = rare.replace(facts_of("south-19", "south"), facts_of("south-19", "south", "trade-union"))
        (gap,) = found(store_of(rare + self.REGISTER), "C3")
        assert "over the 6 combinations looked at" in gap.explanation

    def test_a_place_inside_counts_for_the_larger_one(self) -> None:
        """The credit unions of a village in North are in North."""
        village = 'place:hamlet a sol:Region ; rdfs:label "Hamlet"@en ; geo:sfWithin place:north .\n'
        inside = "".join(facts_of(f"hamlet-{n}", "hamlet", "credit-union") for n in range(3))
        facts = self.towns({"east": 9, "north": 0, "south": 9}) + self.REGISTER + village + inside
        assert ("North", "Credit union") not in labels(found(store_of(facts), "C3"))

    def test_without_a_register_it_is_not_known(self) -> None:
        """The same towns and no scope: one data gap that names the cell, and no claim."""
        gaps = found(store_of(self.towns({"east": 9, "north": 0, "south": 9})), "C3", "D")
        assert not [gap for gap in gaps if gap.kind == "C3"]
        (gap,) = [gap for gap in gaps if gap.labels == ("North",)]
        assert "(Credit union in North)" in gap.explanation
        assert "not to be taken as absent" in gap.explanation
        assert gap.tier == "not-known"

    @staticmethod
    def led(leading: dict[str, int]) -> str:
        """Let ten co-operatives of each town take part in an activity of their own, so many of them as lead."""
        people = "".join(facts_of(f"{town}-{n}", town) for town in TOWNS for n in range(15))
        acts = "".join(
            joint(f"work-{town}-{n}", "2020-05-01", {f"{town}-{n}": "lead" if n < leading[town] else "partner"})
            for town in TOWNS
            for n in range(15)
        )
        return people + acts

    def test_a_role_that_nobody_of_a_region_takes_is_found(self) -> None:
        """Of 45 co-operatives 20 lead, none of the 15 in North: 6.7 expected; the leads elsewhere are named."""
        activities = scope("activities", "sol:participatesIn", COUNTY_WIDE)
        gaps = found(store_of(self.led({"east": 10, "north": 0, "south": 10}) + activities), "C3")
        assert ("North", "Co-operative", "Lead") in labels(gaps)
        gap = next(gap for gap in gaps if gap.labels[-1] == "Lead")
        assert gap.score == pytest.approx(1 - math.exp(-20 / 3), abs=1e-6)
        assert gap.explanation.startswith(
            "None of the 15 organisations of the kind Co-operative in North takes the role"
        )
        assert notes(gap)["East 0"] == "takes the role elsewhere"
        assert notes(gap)["North 0"] == "of the kind, here"
        assert "to take the role Lead" in gap.action
        assert found(store_of(self.led(dict.fromkeys(TOWNS, 7)) + activities), "C3") == ()
        assert found(store_of(self.led({"east": 10, "north": 0, "south": 10})), "C3") == ()

    def test_by_chance_nothing_is_claimed_more_often_than_said(self) -> None:
        """Kinds dealt out at random over towns: of 40 counties at most 5 claim an empty cell (expected: below 2)."""
        rng, claims = np.random.default_rng(5), 0
        for _ in range(40):
            dealt = rng.permutation([*["credit-union"] * 15, *["trade-union"] * 15, *["cooperative"] * 30])
            people = "".join(facts_of(f"o-{n:02}", TOWNS[n // 20], str(kind)) for n, kind in enumerate(dealt))
            claims += bool(found(store_of(people + self.REGISTER), "C3"))
        assert claims <= 5


class TestNoFundingPath:
    """C4."""

    REGISTER = scope("grants", "sol:recipient", COUNTY_WIDE)
    PEOPLE = (
        "".join(facts_of(f"{town}-{n}", town) for town in TOWNS for n in range(4))
        + facts_of("fund", "county", "funder")
        + facts_of("trust", "county", "funder")
    )

    @staticmethod
    def grant(name: str, funder: str, recipient: str, item: str = "") -> str:
        """Say that a funder gave a grant in 2020."""
        paid = f"; schema:fundedItem activity:{item}" if item else ""
        return (
            f'grant:{name} a schema:MonetaryGrant ; rdfs:label "Grant {name}"@en ; schema:funder'
            f" organisation:{funder} ; sol:recipient organisation:{recipient} ;"
            f' schema:startDate "2020-03-01"^^xsd:date {paid} .\n'
        )

    def grants(self, *organisations: str) -> str:
        """Give each organisation a grant of each of two funders."""
        return "".join(self.grant(f"{f}-{o}", f, o) for o in organisations for f in ("fund", "trust"))

    def everybody(self) -> list[str]:
        return [f"{town}-{n}" for town in TOWNS for n in range(4)]

    def test_an_organisation_without_a_path_is_found(self) -> None:
        """All but two have grants of two funders; funders need none, nor does who is not known to do anything."""
        given = [each for each in self.everybody() if each not in {"east-2", "east-3"}]
        member = joint("club", None, {"east-3": "member"}, kind="Activity")
        facts = self.PEOPLE + self.REGISTER + self.grants(*given) + member
        assert found(store_of(facts), "C4") == ()
        (gap,) = found(store_of(facts + joint("work", "2020-05-01", {"east-2": "lead"})), "C4")
        assert (gap.labels, gap.score, gap.tier) == (("East 2",), 1, "exact")
        assert gap.explanation == "No grant is known that reaches East 2 (All of grants, up to 2023-12-31)."
        assert gap.action == "Match East 2 to a call; none that would fit is known here."
        assert found(store_of(self.PEOPLE + self.REGISTER + self.grants(*self.everybody())), "C4") == ()

    def test_a_region_without_money_stands_for_its_organisations(self) -> None:
        """Nobody in North has a grant: one gap and not five; where nobody has one, the county is told alone."""
        (gap,) = found(store_of(self.PEOPLE + self.REGISTER), "C4")
        assert gap.labels == ("County",)
        assert gap.action == "Match the organisations in County to a call; none that would fit is known here."
        given = [each for each in self.everybody() if not each.startswith("north")]
        (gap,) = found(store_of(self.PEOPLE + self.REGISTER + self.grants(*given)), "C4")
        assert (gap.labels, gap.score) == (("North",), 1)
        assert "any of the 4 organisations known in North" in gap.explanation
        assert [label for label, note in notes(gap).items() if note == "works in the region"] == [
            f"North {n}" for n in range(4)
        ]

    def test_money_of_one_funder_alone_is_half_a_path(self) -> None:
        """Two grants, both of the Fund; one grant alone says nothing about resting on one funder."""
        others = [each for each in self.everybody() if each not in {"east-1", "east-2"}]
        facts = self.PEOPLE + self.REGISTER + self.grants(*others) + self.grant("c", "fund", "east-2")
        facts += self.grant("a", "fund", "east-1") + self.grant("b", "fund", "east-1")
        (gap,) = found(store_of(facts), "C4")
        assert (gap.labels, gap.score) == (("East 1",), 0.5)
        assert "All 2 grants that are known to reach East 1 come from Fund (Grant a and Grant b)" in gap.explanation
        assert [(e.label, e.date) for e in gap.evidence[:2]] == [("Fund", None), ("Grant a", date(2020, 3, 1))]
        assert gap.action.startswith("Look for a second funder of East 1 beside Fund")

    def test_a_list_of_one_funder_tells_nothing_of_others(self) -> None:
        """In a list of the Fund alone nobody rests on it, nor lacks money; a region that it left out is told."""
        given = [each for each in self.everybody() if not each.startswith("north")]
        fund = "".join(self.grant(f"{n}-{each}", "fund", each) for each in given for n in ("one", "two"))
        work = joint("work", "2020-05-01", {"north-2": "lead"})
        (gap,) = found(store_of(self.PEOPLE + self.REGISTER + fund + work), "C4")
        assert gap.labels == ("North",)
        other = self.grant("other", "trust", "east-0")
        told = found(store_of(self.PEOPLE + self.REGISTER + fund + work, elsewhere=other), "C4")
        assert labels(told) == [("North",)]

    def test_who_carries_out_what_is_paid_for_is_reached(self) -> None:
        """Two funders pay for an activity of East 0 in which East 2 is a partner; who is only asked is not reached."""
        given = [each for each in self.everybody() if each not in {"east-2", "east-3"}]
        work = joint("works", "2020-05-01", {"east-0": "lead", "east-2": "partner", "east-3": "consulted"})
        paid = self.grant("x", "fund", "east-0", "works") + self.grant("y", "trust", "east-0", "works")
        gaps = found(store_of(self.PEOPLE + self.REGISTER + self.grants(*given) + work + paid), "C4")
        assert labels(gaps) == [("East 3",)]

    def test_a_call_that_fits_is_named(self) -> None:
        """One on its theme, still open; not those closed, abroad, on another theme, or that say nothing of either."""
        given = [each for each in self.everybody() if each != "east-2"]
        theme = f"dcterms:subject <{PREFIXES['voc']}theme/housing>"
        calls = f"""
        opportunity:homes a sol:Opportunity ; rdfs:label "Homes call"@en ; sol:offeredBy organisation:trust ; {theme} ;
            sol:deadline "2024-09-30"^^xsd:date .
        opportunity:old a sol:Opportunity ; rdfs:label "Old call"@en ; {theme} ; sol:deadline "2019-09-30"^^xsd:date .
        opportunity:far a sol:Opportunity ; rdfs:label "Far call"@en ; {theme} ; prov:atLocation place:abroad .
        opportunity:any a sol:Opportunity ; rdfs:label "Call on anything"@en ; sol:offeredBy organisation:trust .
        opportunity:arts a sol:Opportunity ; rdfs:label "Arts call"@en ; dcterms:subject <{PREFIXES["voc"]}theme/arts> .
        opportunity:done a sol:Opportunity ; rdfs:label "Done call"@en ; {theme} ;
            adms:status <{PREFIXES["voc"]}status/ended> .
        """
        work = joint("homes-plan", "2020-05-01", {"east-2": "lead"}, "housing")
        (gap,) = found(store_of(self.PEOPLE + self.REGISTER + self.grants(*given) + calls + work), "C4")
        assert gap.action == "Match East 2 to a call: Homes call may fit."
        assert notes(gap)["Homes call"] == "call of Trust on Housing"

    OBJECTIVE = """
    objective:homes a sol:Objective ; rdfs:label "Homes for all"@en .
    organisation:east-0 sol:pursues objective:homes . organisation:north-1 sol:pursues objective:homes .
    """

    def test_an_objective_is_reached_through_those_who_pursue_it(self) -> None:
        """Neither East 0 nor North 1 has a grant; with two funders behind one of them the objective has a path."""
        given = [each for each in self.everybody() if each not in {"east-0", "north-1"}]
        work = joint("homes", "2020-05-01", {"east-0": "lead", "north-1": "lead"})
        facts = self.PEOPLE + self.REGISTER + self.OBJECTIVE + work
        gaps = {gap.labels[0]: gap for gap in found(store_of(facts + self.grants(*given)), "C4")}
        assert gaps.keys() == {"East 0", "North 1", "Homes for all"}
        assert "the objective “Homes for all” (East 0 and North 1)" in gaps["Homes for all"].explanation
        assert labels(found(store_of(facts + self.grants(*given, "east-0")), "C4")) == [("North 1",)]

    def test_outside_every_register_it_is_not_known(self) -> None:
        """No scope about grants: the objective is a data gap, organisations and regions are not claimed."""
        gaps = found(store_of(self.PEOPLE + self.OBJECTIVE), "C4", "D")
        assert not [gap for gap in gaps if gap.kind == "C4"]
        (gap,) = [gap for gap in gaps if gap.labels == ("Homes for all",)]
        assert (gap.kind, gap.tier) == ("D", "not-known")
        assert "pursued by East 0 (1) and North 1 (1)" in gap.explanation


class TestRegion:
    """A search for what lies in one region."""

    WORK = "".join(joint(f"w-{n}", "2015-05-01", {f"east-{n}": "lead", f"north-{n}": "partner"}) for n in range(4))
    FACTS = TestNoFundingPath.PEOPLE + WORK + scope("activities", "sol:participatesIn", COUNTY_WIDE)

    def test_only_gaps_of_which_something_lies_there_are_given(self) -> None:
        """Four ties from East to North sleep: all are of East, none of South; what is not known counts East alone."""
        store = store_of(self.FACTS)
        east, south = (find_gaps(store, today=DAY, region=f"place/{town}") for town in ("east", "south"))
        assert len(east.of_kind("P2")) == len(find_gaps(store, today=DAY, kinds=["P2"]).gaps) == 4
        assert not south.of_kind("P2")
        assert {label for gap in south.of_kind("R2") for label in gap.labels} == {f"South {n}" for n in range(4)}
        assert "Only gaps of which something lies in South are given." in south.banner
        county = find_gaps(store, today=DAY, region=f"{ID}place/county")
        assert county.counts()["R2"] >= 4 + len(east.of_kind("R2"))

    def test_the_limits_of_length_hold_for_the_region_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where only two ties are looked at, those of the region that is asked for are the ones."""
        monkeypatch.setattr("graphkit.gaps.dormant_tie._LOOKED_AT", 2)
        facts = self.FACTS + joint("late", "2021-05-01", {"south-0": "lead", "south-1": "partner"})
        store = store_of(facts)
        (gap,) = find_gaps(store, kinds=["P2"], today=DAY, region="place/south").gaps
        assert gap.labels == ("South 0", "South 1")
        assert gap not in find_gaps(store, kinds=["P2"], today=DAY).gaps

    def test_things_of_which_something_is_not_known_are_those_of_the_region(self) -> None:
        """Without a scope the four of North are told of alone."""
        (gap,) = [
            gap
            for gap in find_gaps(store_of(TestNoFundingPath.PEOPLE), kinds=["D"], today=DAY, region="place/north").gaps
            if "no activity is known" in gap.explanation
        ]
        assert gap.labels == tuple(f"North {n}" for n in range(4))
        assert "4 of 4" in gap.explanation

    def test_a_region_that_is_not_known_is_refused(self) -> None:
        """With the names that are."""
        with pytest.raises(UnknownNameError, match="region"):
            find_gaps(store_of(self.FACTS), region="place/estern")


AWARDED = f"a sol:Activity ; dcterms:type <{PREFIXES['voc']}activity-kind/contract> ; dcterms:isReferencedBy"


class TestNoEligible:
    """C5."""

    HOUSING = f"dcterms:subject <{PREFIXES['voc']}theme/housing> , <{PREFIXES['voc']}theme/retail>"
    WIDE = scope("activities", "sol:participatesIn", COUNTY_WIDE)
    PEOPLE = (
        facts_of("baker", "north")
        + facts_of("builder", "abroad")
        + facts_of("council", "county", "local-authority")
        + joint("market", "2020-05-01", {"baker": "lead", "council": "partner"}, "retail")
        + joint("houses", "2021-05-01", {"builder": "lead", "council": "consulted"}, "housing")
    )

    def call(self, more: str = "; prov:atLocation place:county") -> str:
        """Offer an opportunity on housing and retail."""
        return (
            'opportunity:quarter a sol:Opportunity ; rdfs:label "New quarter"@en ; sol:offeredBy organisation:council ;'
            f" {self.HOUSING} {more} .\n"
        )

    def test_a_capability_of_nobody_who_may_take_part_is_found(self) -> None:
        """Retail is the baker's; housing only of a builder abroad, who is named with what shows it."""
        (gap,) = found(store_of(self.PEOPLE + self.call() + self.WIDE), "C5")
        assert gap.labels == ("New quarter", "Housing")
        assert gap.members == (f"{ID}opportunity/quarter", f"{PREFIXES['voc']}theme/housing")
        assert (gap.score, gap.tier) == (0.5, "exact")
        assert gap.explanation == (
            "For “New quarter” of Council, with no deadline known, among the organisations that work in County nobody"
            " is known for Housing (All of activities, up to 2023-12-31)."
        )
        assert notes(gap)["Builder"] == "has Housing, and works elsewhere"
        assert [(e.label, e.date) for e in gap.evidence if e.note == "shows Housing"] == [("Houses", date(2021, 5, 1))]
        assert gap.action == "Ask Builder to come in from elsewhere for “New quarter”, or build up Housing."

    def test_who_offers_it_does_not_count(self) -> None:
        """The council knows housing, and cannot bid for what it offers itself."""
        own = joint("estate", "2020-05-01", {"council": "lead"}, "housing")
        (gap,) = found(store_of(self.PEOPLE + own + self.call() + self.WIDE), "C5")
        assert gap.labels == ("New quarter", "Housing")

    def test_where_everything_is_covered_there_is_no_gap(self) -> None:
        """A builder in the county; an opportunity without a theme asks for nothing."""
        local = facts_of("mason", "south") + joint("wall", "2020-05-01", {"mason": "lead"}, "housing")
        assert found(store_of(self.PEOPLE + local + self.call() + self.WIDE), "C5") == ()
        bare = 'opportunity:x a sol:Opportunity ; rdfs:label "X"@en ; prov:atLocation place:county .\n'
        assert found(store_of(self.PEOPLE + bare + self.WIDE), "C5") == ()

    @pytest.mark.parametrize(
        ("more", "count"),
        [
            ('; prov:atLocation place:county ; sol:deadline "2023-12-31"^^xsd:date', 1),
            ('; prov:atLocation place:county ; sol:deadline "2023-12-30"^^xsd:date', 0),
            ('; prov:atLocation place:county ; dcterms:issued "2023-02-01"^^xsd:date', 1),
            ('; prov:atLocation place:county ; dcterms:issued "2022-12-30"^^xsd:date', 0),
            (f"; prov:atLocation place:county . activity:works {AWARDED} opportunity:quarter", 0),
            (f"; prov:atLocation place:county ; adms:status <{PREFIXES['voc']}status/ended>", 0),
            (f"; prov:atLocation place:county ; adms:status <{PREFIXES['voc']}status/active>", 1),
        ],
    )
    def test_only_open_opportunities_are_looked_at(self, more: str, count: int) -> None:
        """Open on the last day that the sources speak of, published within a year, and without a contract."""
        assert len(found(store_of(self.PEOPLE + self.call(more) + self.WIDE), "C5")) == count

    @pytest.mark.parametrize("more", ["; prov:atLocation place:abroad", "; prov:atLocation place:country"])
    def test_outside_a_scope_it_is_not_known(self, more: str) -> None:
        """Abroad, or in the whole country, somebody may be able whom no source names."""
        gaps = found(store_of(self.PEOPLE + self.call(more) + self.WIDE), "C5", "D")
        gap = next(gap for gap in gaps if gap.labels[0] == "New quarter") if "abroad" in more else None
        assert not [each for each in gaps if each.kind == "C5"]
        if gap:
            assert (gap.kind, gap.tier, gap.labels[1:]) == ("D", "not-known", ("Retail",))
            assert "not to be taken as absent" in gap.explanation

    def test_an_opportunity_without_a_region_is_not_known(self) -> None:
        """Arts of nobody, anywhere that a source tells of: a data gap."""
        call = (
            f'opportunity:x a sol:Opportunity ; rdfs:label "X"@en ; dcterms:subject <{PREFIXES["voc"]}theme/arts> .\n'
        )
        gaps = [gap for gap in found(store_of(self.PEOPLE + call + self.WIDE), "C5", "D") if gap.labels[0] == "X"]
        assert [(gap.kind, gap.labels) for gap in gaps] == [("D", ("X", "Arts and culture"))]
        assert gaps[0].action.startswith("Look for an organisation that the graph does not know yet")

    def test_seven_members_cannot_do_nine_things(self) -> None:
        """Nine themes, each of one organisation: the slack of the programme is two of nine."""
        themes = ("arts", "education", "employment", "finance", "health", "leisure", "housing", "rail", "retail")
        people = "".join(
            facts_of(f"o-{theme}", "north") + joint(f"w-{theme}", "2020-05-01", {f"o-{theme}": "lead"}, theme)
            for theme in themes
        )
        asked = " , ".join(f"<{PREFIXES['voc']}theme/{theme}>" for theme in themes)
        call = f'opportunity:x a sol:Opportunity ; rdfs:label "X"@en ; dcterms:subject {asked} ; {COUNTY_WIDE} .\n'
        (gap,) = found(store_of(people + call + self.WIDE), "C5")
        assert gap.score == pytest.approx(2 / 9, abs=1e-6)
        assert len(gap.labels) == 3
        assert "cannot be covered together with the rest by seven members" in gap.explanation


class TestOneSided:
    """S1."""

    PEOPLE = facts_of("mill", "north") + facts_of("farm", "south") + facts_of("shop", "east")

    @staticmethod
    def source(name: str) -> str:
        """Publish a source of an organisation in the graph of its name."""
        return (
            f'source:{name} a sol:Source ; rdfs:label "{name.title()} report"@en ; dcterms:publisher'
            f' organisation:{name} ; sol:sourceGraph "{graph_iri(name)}"^^xsd:anyURI .\n'
        )

    def scopes(self, *names: str) -> str:
        """Declare that the report of each tells all that it takes part in."""
        return "".join(
            self.source(name) + scope(name, "sol:participatesIn", f"sol:scopeSubject organisation:{name}", source=name)
            for name in names
        )

    BOTH = joint("fair", "2020-05-01", {"mill": "partner", "farm": "partner"})
    ALONE = joint("barn", "2021-05-01", {"mill": "partner", "farm": "partner"})

    def test_a_tie_that_one_side_tells_of_more_is_found(self) -> None:
        """Both tell of the fair, the mill alone of the barn: one of two."""
        store = store_of(self.PEOPLE + self.scopes("mill", "farm"), mill=self.BOTH + self.ALONE, farm=self.BOTH)
        (gap,) = found(store, "S1")
        assert gap.labels == ("Farm", "Mill")
        assert (gap.score, gap.tier) == (0.5, "some")
        assert gap.explanation == (
            "Mill tells of 2 joint activities with Farm; Farm, whose own sources are declared complete for that time,"
            " tells of 1. Mill alone names Barn."
        )
        told = {(e.label, e.note, e.date) for e in gap.evidence}
        assert ("Barn", "told by Mill alone", date(2021, 5, 1)) in told
        assert ("Fair", "told by both", date(2020, 5, 1)) in told
        assert {"Mill report", "Farm report", "All of mill", "All of farm"} <= {e.label for e in gap.evidence}
        assert gap.action.startswith("Bring Mill and Farm together over Barn")

    def test_a_silent_side_scores_one(self) -> None:
        """The farm tells of none, although its report is there: a claim, and no data gap beside it."""
        store = store_of(self.PEOPLE + self.scopes("mill", "farm"), mill=self.ALONE)
        (gap,) = found(store, "S1")
        assert not [each for each in found(store, "D") if "only the other side tells" in each.explanation]
        assert (gap.score, gap.tier) == (1, "weak")
        assert "tells of none" in gap.explanation

    def test_where_both_tell_alike_there_is_no_gap(self) -> None:
        """The same two activities in both reports."""
        told = self.BOTH + self.ALONE
        assert found(store_of(self.PEOPLE + self.scopes("mill", "farm"), mill=told, farm=told), "S1") == ()

    def test_what_lies_outside_the_period_or_has_no_date_is_not_compared(self) -> None:
        """The farm's report begins in 2010 and ends in 2023; nobody knows whether it should tell of an undated barn."""
        for day in ("2005-05-01", "2024-02-01", None):
            barn = joint("barn", day, {"mill": "partner", "farm": "partner"})
            assert found(store_of(self.PEOPLE + self.scopes("mill", "farm"), mill=barn), "S1") == (), day

    def test_without_a_report_of_its_own_the_other_side_is_not_known(self) -> None:
        """The farm never reported: a data gap, and no claim that it is silent; the same without a scope."""
        for facts in (self.scopes("mill"), self.scopes("mill") + self.source("farm")):
            gaps = found(store_of(self.PEOPLE + facts, mill=self.ALONE), "S1", "D")
            assert not [gap for gap in gaps if gap.kind == "S1"]
            (gap,) = [gap for gap in gaps if gap.labels == ("Farm",)]
            assert "told by Mill" in gap.explanation
            assert notes(gap)["Barn"] == "Mill tells of Farm"
            assert gap.tier == "not-known"


def town(member: str) -> str:
    """Tell the town of an organisation of a drawn network."""
    return TOWNS[int(member.removeprefix("urn:o")) * 3 // 60]


@pytest.fixture(scope="module")
def gap() -> Gap:
    """Plant three towns that work among themselves, and North and South a little with East."""
    alone: tuple[tuple[str, ...], ...] = (("north",), ("south",), ("east",))
    table = drawn(1, (*alone, *alone, ("north", "east"), ("south", "east")))
    gaps = holes(ground_of(network_of(table), [None] * 60))
    (planted,) = [gap for gap in gaps if {town(member) for member in gap.members} == {"north", "south"}]
    return planted


class TestCircles:
    """G3."""

    def test_a_planted_hole_between_circles_is_found(self, gap: Gap) -> None:
        """North and South never meet; each circle is of one town, although no place is told."""
        assert gap.score == 1
        assert gap.tier == "strong"
        assert [town(member) for member in gap.members] == ["north", "south"]
        assert "have met 0 times in joint activities (among the organisations of Everywhere" in gap.explanation
        assert "Of 99 random networks" in gap.explanation
        assert gap.action.startswith("Look for a broker between the circles around")

    def test_the_circles_and_the_nearest_pairs_are_evidence(self, gap: Gap) -> None:
        """Members are named by circle; the pairs have a partner in common, one end in each circle."""
        circles: dict[str, set[str]] = {}
        for evidence in gap.evidence:
            if evidence.note.startswith("in the circle"):
                circles.setdefault(evidence.note, set()).add(town(evidence.iri))
        assert sorted(map(sorted, circles.values())) == [["north"], ["south"]]
        ends = [e.iri for e in gap.evidence if "well placed to bridge" in e.note]
        assert [town(end) for end in ends] == ["north", "south"] * (len(ends) // 2)
        assert ends

    def test_outside_a_scope_nothing_is_claimed(self) -> None:
        """One organisation of the North that no scope covers."""
        table = drawn(1, (("north",), ("south",)))
        covered = [row for row in range(60) if row != 25]
        assert holes(ground_of(network_of(table), [None] * 60, covered=covered)) == []

    def test_random_networks_have_no_holes(self) -> None:
        """Louvain divides any network; of 40 random ones with the same degrees at most 4 claim a hole."""
        rng, table = np.random.default_rng(0), np.zeros((30, 45))
        for column in range(45):
            table[rng.choice(30, 2 + column % 5 // 3, replace=False), column] = 1
        samples = curveball(network_of(table).incidence, samples=40, seed=3)
        claims = [bool(holes(ground_of(network_of(sample.toarray()), [None] * 30))) for sample in samples]
        assert sum(claims) <= 4

    def test_small_and_large_networks_are_left_alone(self) -> None:
        """Five organisations make no two circles; above the limit the search says that it did not look."""
        few = np.zeros((5, 2))
        few[:2, 0] = few[3:, 1] = 1
        assert holes(ground_of(network_of(few), [None] * 5)) == []
        assert holes(ground_of(network_of(drawn(1, (("north",), ("south",)))), [None] * 60), largest=30) == []


@pytest.fixture(scope="module")
def shipped() -> Iterator[Store]:
    """Assemble the shipped graph."""
    store = assemble_shipped()
    yield store
    store.close()


@pytest.fixture(scope="module")
def report(shipped: Store) -> GapReport:
    """Search the shipped graph for all gaps."""
    return find_gaps(shipped, today=date(2026, 11, 24))


class TestShipped:
    """What a reader of the founding text would agree to."""

    def test_every_gap_explains_itself(self, report: GapReport) -> None:
        """Explanation, action, evidence with names, a tier, and no bare IRI in any words."""
        for gap in report.gaps:
            assert gap.explanation.endswith(".")
            assert gap.action.endswith(".")
            assert gap.evidence, gap.labels
            assert gap.tier in TIERS
            words = [gap.explanation, gap.action, *gap.labels, *(e.label for e in gap.evidence)]
            assert not any("http" in word or not word for word in words), gap

    def test_money_is_not_known_rather_than_missing(self, report: GapReport) -> None:
        """No source lists grants: no C4 is claimed, and the objectives of the regional network stand as not known."""
        assert report.of_kind("C4") == ()
        (gap,) = [gap for gap in report.of_kind("D") if "no grant is known" in gap.explanation]
        assert "Wessex Solidarity Economy Network (16)" in gap.explanation
        assert "Heritage Lottery Fund" in gap.action

    def test_partners_have_not_told_their_side(self, report: GapReport) -> None:
        """Only the network's own page tells of its ties: no S1, and its partners stand as not asked."""
        assert report.of_kind("S1") == ()
        (gap,) = [gap for gap in report.of_kind("D") if "only the other side tells" in gap.explanation]
        assert gap.labels == ("Co-operative Group", "ERIS", "Stagecoach")

    def test_nothing_is_claimed_from_what_no_source_lists(self, report: GapReport) -> None:
        """Neither registers of organisations nor many activities are in the graph: no C3, C5 or G3."""
        assert {code: len(report.of_kind(code)) for code in ("C3", "C5", "G3")} == {"C3": 0, "C5": 0, "G3": 0}


class TestWritten:
    """The gaps as RDF and on the command line."""

    PEOPLE = TestNoFundingPath.PEOPLE + TestNoFundingPath.REGISTER + TestNoFundingPath.OBJECTIVE
    EVERYTHING = (
        PEOPLE
        + TestNoEligible.PEOPLE
        + TestNoEligible().call()
        + TestNoEligible.WIDE
        + TestOneSided.PEOPLE
        + TestOneSided().scopes("mill", "farm")
    )

    def test_a_run_with_the_new_kinds_keeps_the_shapes(self) -> None:
        """Each node has the class of its kind, and the check of the graph finds no fault in any of them."""
        store = store_of(self.EVERYTHING, mill=TestOneSided.ALONE)
        report = find_gaps(store, today=DAY)
        assert {"C4", "C5", "S1"} <= {gap.kind for gap in report.gaps}
        name = save_run(store, report)
        query = f"SELECT DISTINCT ?kind WHERE {{ GRAPH <{name}> {{ ?gap <{SOL}score> ?score ; a ?kind }} }}"
        assert set(store.select(query)["kind"]) == {KINDS[gap.kind].iri for gap in report.gaps}
        findings = check(store).filter(pl.col("focus").str.contains("/id/gap/"))
        assert findings.rows() == []

    def test_the_command_puts_gaps_together_and_takes_a_cap(self, tmp_path: Path) -> None:
        """--by region prints a part for each; --per-organisation caps; a table is refused with --by."""
        with open_store(tmp_path / "store") as kept, kept.change("a generated county") as change:
            change.load(store_of(self.PEOPLE).dump("nq"), media_type="nq")
        asked = ["--store", str(tmp_path / "store"), "--as-of", "2024-06-01"]
        done = CliRunner().invoke(command, [*asked, "--by", "region", "--kind", "C4"])
        assert done.exit_code == 0, done.output
        assert done.output.startswith("A small graph.")
        assert "\nRegion County: 1 gap.\n\nC4  No funding path: Whom does no money reach" in done.output
        done = CliRunner().invoke(command, [*asked, "--kind", "P1", "--per-organisation", "1"])
        assert done.exit_code == 0, done.output
        done = CliRunner().invoke(command, [*asked, "--region", "county", "--kind", "C4"])
        assert "something lies in County" in done.output
        assert "C4  No funding path" in done.output
        done = CliRunner().invoke(command, [*asked, "--region", "county", "--save"])
        assert "whole graph" in str(done.exception)
        done = CliRunner().invoke(command, [*asked, "--by", "theme", "-f", "csv"])
        assert isinstance(done.exception, UsageError)
        assert "one list" in str(done.exception)


class TestReport:
    """Caps, groups by region and theme, and what runs."""

    def test_what_a_cap_leaves_out_is_counted_and_said(self, shipped: Store, report: GapReport) -> None:
        """With one introduction for each organisation fewer are given, and the rest are counted."""
        everything = find_gaps(shipped, kinds=["P1"], today=DAY, per_organisation=99)
        one = find_gaps(shipped, kinds=["P1"], today=DAY, per_organisation=1)
        names = [member for gap in one.gaps for member in gap.members]
        assert len(names) == len(set(names))
        assert one.left_out == {"P1": len(everything.gaps) - len(one.gaps)}
        assert f"{one.left_out['P1']} of P1" in one.banner
        assert everything.left_out == {}
        assert "Left out" not in everything.banner
        assert report.left_out["P1"] == len(everything.gaps) - len(report.of_kind("P1"))

    def test_a_large_network_is_said_not_to_be_searched_for_circles(self) -> None:
        """With 302 organisations in pairs the banner says so, but only where circles were asked for."""
        pairs = "".join(
            facts_of(f"a-{n}", "north")
            + facts_of(f"b-{n}", "south")
            + joint(f"work-{n}", "2020-05-01", {f"a-{n}": "lead", f"b-{n}": "partner"})
            for n in range(151)
        )
        store = store_of(pairs)
        said = "Holes between communities (G3) are searched for up to 300 organisations only."
        assert said in find_gaps(store, kinds=["G3"], today=DAY).banner
        assert said not in find_gaps(store, kinds=["C4"], today=DAY).banner

    def test_a_cap_below_one_is_refused(self, shipped: Store) -> None:
        """With what to do instead."""
        with pytest.raises(UsageError, match="cannot stand in 0"):
            find_gaps(shipped, kinds=["P1"], today=DAY, per_organisation=0)

    def test_every_gap_lies_in_some_group(self, report: GapReport) -> None:
        """By region and by theme no gap is lost; those with many, and those with none, come last."""
        for groups in (report.by_region(), report.by_theme()):
            assert {gap for gaps in groups.values() for gap in gaps} == set(report.gaps)
            assert list(groups)[-2:] == ["across several", "not known"]

    def test_gaps_stand_under_the_networks_of_their_members(self, report: GapReport) -> None:
        """A member of a network brings its gaps there, and none is lost; who belongs to none comes last."""
        groups = report.by_network()
        assert {gap for gaps in groups.values() for gap in gaps} == set(report.gaps)
        assert list(groups)[-1] == "not known"
        assert all(
            report.places.networks_of(gap) for name, gaps in groups.items() if name != "not known" for gap in gaps
        )
        assert len(groups) > 1

    def test_gaps_stand_where_their_members_are(self, report: GapReport) -> None:
        """The group of West Howe is a gap of West Howe; a commitment is one of its theme."""
        assert ("Eight West Howe organisations",) in labels(report.by_region()["West Howe"])
        assert [gap.kind for gap in report.by_theme()["Public procurement"]] == ["C1", "D"]
        frame = as_frame(report)
        assert {"regions", "themes"} <= set(frame.columns)
        assert frame.filter(pl.col("members") == "Eight West Howe organisations")["regions"].to_list() == ["West Howe"]

    def test_parts_begin_with_the_banner_of_the_whole(self, report: GapReport) -> None:
        """Then a part for each region with its name and number; another word is refused."""
        whole, *parts = parts_by(report, "region")
        assert (whole.banner, whole.gaps) == (report.banner, ())
        assert any(part.banner == "Region West Howe: 1 gap." for part in parts)
        with pytest.raises(UnknownNameError, match="region"):
            parts_by(report, "regoin")

    def test_a_kind_alone_is_the_same_as_among_all(self, shipped: Store, report: GapReport) -> None:
        """What is asked for decides which finders run, and not what they find."""
        for code in KINDS:
            alone = find_gaps(shipped, kinds=[code], today=date(2026, 11, 24))
            assert alone.gaps == report.of_kind(code), code
