"""Consortia: the village by hand, small cases against trying everything, larger ones in bounded time."""

from __future__ import annotations

from itertools import combinations
from time import perf_counter

import numpy as np
import polars as pl
import pytest

from graphkit.errors import DataError, GraphkitError, UnknownNameError, UsageError
from graphkit.network import Network
from graphkit.plans.consortium import Candidates, Need, Proposal, load_candidates, proposals_in_words, propose
from graphkit.plans.opportunity import need_of
from graphkit.store import Store
from graphkit.terms import ID, graph_iri
from tests.village_fixture import village_store


@pytest.fixture(scope="module")
def candidates(village: Store) -> Candidates:
    """Read who could join a consortium in the village."""
    return load_candidates(village)


def _names(proposal: Proposal) -> set[str]:
    return {member.removeprefix(f"{ID}organisation/") for member in proposal.members}


def _generated(organisations: int, activities: int, capabilities: int, seed: int) -> Candidates:
    """Make organisations of which a few are in most activities, each with one or two capabilities."""
    rng = np.random.default_rng(seed)
    names = np.array([f"o{number:04}" for number in range(organisations)])
    chance = 1 / np.arange(1, organisations + 1) ** 0.7
    ties = []
    for number in range(activities):
        size = min(int(rng.lognormal(1.6, 0.6)) + 2, organisations)
        group = sorted(rng.choice(names, size, replace=False, p=chance / chance.sum()).tolist())
        ties += [(*pair, f"a{number}", None, 1 / (size - 1), None) for pair in combinations(group, 2)]
    columns = ["source", "target", "activity", "date", "weight", "kind"]
    frame = pl.DataFrame(ties, schema=columns, orient="row")
    skills = rng.integers(0, capabilities, (organisations, 2))
    rows = [(name, f"c{skill}") for name, both in zip(names.tolist(), skills.tolist(), strict=True) for skill in both]
    offers = pl.DataFrame(rows, schema=["organisation", "capability"], orient="row")
    asked = pl.DataFrame({"organisation": None, "capability": [f"c{n}" for n in range(capabilities)]})
    return Candidates.from_frame(pl.concat([offers, asked], how="vertical_relaxed"), Network.from_ties(frame))


def _worth(candidates: Candidates, need: Need, members: tuple[str, ...]) -> float:
    """Value a consortium by the words of `propose`: trust, and a quarter for each capability that two have."""
    inside = pl.all_horizontal(pl.col("source", "target").is_in(members))
    twice = sum(len(candidates.having("capability", c) & set(members)) > 1 for c in need.capabilities)
    return float(candidates.network.ties.filter(inside)["weight"].sum()) + twice / 4


def test_what_an_organisation_itself_is_about_is_something_it_can_do() -> None:
    """The farm works on energy, though none of its activities is about that; so it can do what is wider, too."""
    store = village_store()
    theme, farm = "https://w3id.org/solidarity-graph/vocabulary/theme", f"{ID}organisation/farm"
    with store.change("tell what the farm is about") as change:
        change.update(
            f"""PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
            INSERT DATA {{ GRAPH <{graph_iri("village")}> {{
            <{farm}> dcterms:subject <{theme}/wind> . <{theme}/wind> skos:broader <{theme}/energy> ;
            skos:prefLabel "Wind"@en . <{theme}/energy> skos:prefLabel "Energy"@en . }} }}"""
        )
    candidates = load_candidates(store)
    assert (
        candidates.having("capability", f"{theme}/wind") == candidates.having("capability", f"{theme}/energy") == {farm}
    )


class TestVillage:
    """Consortia that can be found on the drawing in village.ttl."""

    def test_the_members_have_what_is_asked_and_know_each_other(self, candidates: Candidates) -> None:
        """Finance, transport and retail in four: both with finance, Mill with the strongest tie, one with a bus."""
        found = propose(candidates, Need(capabilities=("theme/finance", "theme/transport", "theme/retail"), most=4))
        best = found.proposals[0]
        assert _names(best) == {"bakery", "bus-company", "credit-union", "mill"}
        assert best.trust == pytest.approx(1 + 4 / 3 + 1 / 2)
        assert best.value == pytest.approx(best.trust + 3 / 4)
        assert (best.linked, len(best.paths), best.proven) == (3, 6, True)
        covers = {cover.label: {candidates.name(o) for o in cover.members} for cover in best.covers}
        assert covers == {
            "Finance": {"Bakery", "Credit Union"},
            "Retail": {"Bakery", "Mill"},
            "Transport": {"Bus Company", "Credit Union"},
        }
        assert best.weak == ()
        assert found.missing is None

    def test_proposals_differ_in_two_members(self, candidates: Candidates) -> None:
        """Each of the three replaces at least two members of every other, and none is better than the one before."""
        need = Need(capabilities=("theme/finance", "theme/transport", "theme/retail"), most=4)
        found = propose(candidates, need).proposals
        assert len(found) == 3
        for one, other in combinations(found, 2):
            assert len(set(one.members) - set(other.members)) >= 2
            assert one.value >= other.value - 0.02

    def test_trust_leads_through_named_partners(self, candidates: Candidates) -> None:
        """Choir and Council have not worked together; both have with the credit union."""
        path = (
            propose(candidates, Need(kinds=("kind/trading-charity", "kind/local-authority"), most=2)).proposals[0].paths
        )
        chain = [p for p in path if p.through]
        assert [[candidates.name(o) for o in p.through] for p in chain] == [["Credit Union"]]
        assert [[candidates.name(a) for a in step] for step in chain[0].activities] == [["Reading Week"], ["Bus Link"]]

    def test_a_lead_is_in_and_newcomers_are_new_to_it(self, candidates: Candidates) -> None:
        """Bakery leads; Arts must come from somebody with whom it has not worked."""
        need = Need(capabilities=("theme/arts",), lead="organisation/bakery", newcomers=1, most=3)
        for proposal in propose(candidates, need).proposals:
            assert "bakery" in _names(proposal)
            assert {"choir", "library"} & {o.rpartition("/")[2] for o in proposal.newcomers}

    def test_without_a_lead_newcomers_have_worked_with_nobody(self, candidates: Candidates) -> None:
        """Museum, Foundation and the Valley Network have no joint activity."""
        found = propose(candidates, Need(kinds=("kind/trading-charity",), newcomers=1, most=2), proposals=1)
        assert found.proposals[0].newcomers
        assert {o.rpartition("/")[2] for o in found.proposals[0].newcomers} <= {
            "museum",
            "foundation",
            "valley-network",
        }

    def test_a_wider_kind_or_region_is_covered_by_a_narrower(self, candidates: Candidates) -> None:
        """A council is a public body, and the mill in Mill Lane works in Upton."""
        need = Need(kinds=("kind/public-body",), capabilities=("theme/retail",), within=("place/valley",), most=2)
        assert "council" in _names(propose(candidates, need).proposals[0])
        upton = propose(candidates, Need(regions=("place/upton",), within=("place/mill-lane",), least=1, most=1))
        assert [_names(p) for p in upton.proposals] == [{"mill"}]
        assert upton.notes == ("Only one consortium fits.",)

    def test_the_excluded_are_out(self, candidates: Candidates) -> None:
        """Without Choir the Library sings alone, and that is said."""
        need = Need(capabilities=("theme/arts", "theme/retail"), excluded=("organisation/choir",), most=2)
        best = propose(candidates, need).proposals[0]
        assert "choir" not in _names(best)
        assert "Only Library has Arts and culture." in best.weak

    def test_costs_stay_within_the_budget(self, candidates: Candidates) -> None:
        """Of three bakers' partners only the cheap ones fit; who has no cost is left out, and that is said."""
        costs = {"organisation/bakery": 5.0, "organisation/mill": 6.0, "organisation/farm": 1.0}
        found = propose(candidates, Need(capabilities=("theme/retail",), budget=7.0, costs=costs, most=3))
        assert (_names(found.proposals[0]), found.proposals[0].cost) == ({"bakery", "farm"}, 6.0)
        assert found.looked_at == 3
        assert "cost is not known" in found.notes[-1]

    def test_ended_planned_and_nameless_ones_are_no_candidates(self, candidates: Candidates) -> None:
        """Neither the proposed consortium nor the stallholders whom nobody names; a planned study shows nothing."""
        assert not any("valley-consortium" in o or "group/" in o for o in candidates.organisations)
        assert len(candidates.organisations) == 13


class TestNothingFits:
    """The gap C5: what is missing, why, and the nearest consortium."""

    def test_a_capability_of_nobody_is_the_gap(self, candidates: Candidates) -> None:
        """Housing is in the vocabulary, and no organisation is known for it."""
        found = propose(candidates, Need(capabilities=("theme/housing", "theme/retail"), most=3))
        assert found.proposals == ()
        assert found.missing is not None
        assert found.missing.labels == ("Housing",)
        assert "Housing (capability) is not known of any organisation" in found.missing.explanation
        gap = found.missing.as_gap()
        assert (gap.kind, gap.labels) == ("C5", ("Housing",))
        assert 0 < gap.score < 1
        assert found.nearest is not None
        assert "Nobody covers Housing." in found.nearest.weak
        words = proposals_in_words(found)
        assert "The nearest consortium" in words
        assert "http" not in words

    def test_who_has_it_and_may_not_take_part_is_named(self, candidates: Candidates) -> None:
        """Arts is in Downton, and only Upton may take part."""
        found = propose(candidates, Need(capabilities=("theme/arts", "theme/retail"), within=("place/upton",)))
        assert found.missing is not None
        assert [e.label for e in found.missing.evidence] == ["Choir", "Library"]
        assert "could be let in" in found.missing.action

    def test_only_the_least_is_given_up(self, candidates: Candidates) -> None:
        """Two members cannot do four things; one has to go, and no more."""
        themes = ("theme/arts", "theme/retail", "theme/transport", "theme/employment")
        found = propose(candidates, Need(capabilities=themes, most=2))
        assert found.missing is not None
        assert len(found.missing.capabilities) == 1
        assert "cannot be covered together with the rest" in found.missing.explanation

    def test_too_few_members_newcomers_or_too_little_money_are_said(self, candidates: Candidates) -> None:
        """Four sell; one of the region has no costs to spare; nobody in Mill Lane but the mill."""
        few = propose(candidates, Need(capabilities=("theme/retail",), least=6)).missing
        assert few is not None
        assert few.members == 2
        new = propose(candidates, Need(within=("place/mill-lane",), newcomers=1, least=1)).missing
        assert new is not None
        assert new.newcomers == 1
        costs = {"organisation/choir": 5.0, "organisation/library": 4.0}
        dear = propose(candidates, Need(capabilities=("theme/arts",), least=1, budget=3.0, costs=costs)).missing
        assert dear is not None
        assert dear.over_budget + 3 * len(dear.capabilities) > 0

    def test_nobody_at_all_may_take_part(self) -> None:
        """Without candidates everything is missing, and nothing fails."""
        nobody = Candidates.from_frame(pl.DataFrame({"organisation": [], "capability": []}), Network.from_pairs([]))
        found = propose(nobody, Need(least=1))
        assert found.missing is not None
        assert found.missing.members == 1


class TestAgainstTryingEverything:
    """Small random cases, each consortium tried."""

    @pytest.mark.parametrize("seed", range(8))
    def test_the_best_is_found_and_the_least_is_missing(self, seed: int) -> None:
        """The value equals the best of all subsets; where none fits, as many capabilities are missing as must be."""
        candidates = _generated(10, 9, 6, seed)
        need = Need(capabilities=("c0", "c1", "c2", "c3"), least=2, most=2 + seed % 3)
        skilled = [
            o
            for o in candidates.organisations
            if any(o in candidates.having("capability", c) for c in need.capabilities)
        ]
        subsets = [s for size in range(need.least, need.most + 1) for s in combinations(skilled, size)]
        lacks = {s: sum(not candidates.having("capability", c) & set(s) for c in need.capabilities) for s in subsets}
        fitting = [s for s, lack in lacks.items() if not lack]
        found = propose(candidates, need, proposals=2, differ=1)
        if not fitting:
            assert found.missing is not None
            assert len(found.missing.capabilities) == min(lacks.values())
            return
        ranked = sorted((_worth(candidates, need, s) for s in fitting), reverse=True)
        assert found.proposals[0].value == pytest.approx(ranked[0], abs=0.01)
        assert found.proposals[0].value == pytest.approx(_worth(candidates, need, found.proposals[0].members))
        if len(found.proposals) > 1:
            assert found.proposals[1].value <= ranked[0] + 1e-9
            assert set(found.proposals[0].members) - set(found.proposals[1].members)

    def test_the_same_rows_in_another_order_give_the_same_answer(self) -> None:
        """Nothing hangs on the order of rows."""
        one = _generated(40, 20, 6, 3)
        rows = (
            one.offers.rename({"value": "capability"})
            .drop("aspect")
            .sort("capability", "organisation", descending=True)
        )
        other = Candidates.from_frame(rows, one.network)
        need = Need(capabilities=("c0", "c1", "c2"), most=4)
        assert propose(one, need) == propose(other, need)


class TestLarge:
    """Bounded time."""

    def test_fifteen_hundred_candidates_take_seconds(self) -> None:
        """Five of 1,500 that cover three of twelve capabilities, with a newcomer."""
        candidates = _generated(1_500, 220, 12, 0)
        need = Need(capabilities=("c0", "c1", "c2"), most=5, newcomers=1)
        start = perf_counter()
        found = propose(candidates, need, proposals=1)
        assert perf_counter() - start < 30
        assert found.proposals[0].proven
        assert all(cover.members for cover in found.proposals[0].covers)
        assert found.proposals[0].newcomers

    def test_no_time_is_said(self) -> None:
        """A limit that ends before anything is found is an error with a next step."""
        candidates = _generated(300, 100, 12, 0)
        with pytest.raises(GraphkitError, match="more time"):
            propose(candidates, Need(capabilities=("c0", "c1", "c2"), most=6), time_limit=1e-4)


class TestRefusals:
    """Needs that contradict themselves, and names that are not known."""

    @pytest.mark.parametrize(
        ("need", "words"),
        [
            (Need(least=3, most=2), "at least 3 and at most 2"),
            (Need(least=0), "at least 0"),
            (Need(newcomers=3, most=2), "3 newcomers"),
            (Need(lead="a", newcomers=2, most=2), "2 newcomers"),
            (Need(lead="a", excluded=("a",)), "lead 'a' is excluded"),
            (Need(budget=10.0), "no cost of any"),
            (Need(budget=-1.0, costs={"a": 1.0}), "below 0"),
            (Need(lead="a", budget=1.0, costs={"b": 1.0}), "has no cost"),
        ],
    )
    def test_a_contradiction_is_refused(self, need: Need, words: str) -> None:
        """With both sides of it in the words."""
        pair = Candidates.from_frame(pl.DataFrame({"organisation": ["a", "b"]}), Network.from_pairs([("a", "b")]))
        with pytest.raises(UsageError, match=words):
            propose(pair, need)

    def test_an_unknown_capability_lists_the_near_ones(self, candidates: Candidates) -> None:
        """And so do regions, kinds and organisations."""
        for need, near in (
            (Need(capabilities=("theme/finanse",)), "theme/finance"),
            (Need(regions=("place/uptown",)), "place/upton"),
            (Need(kinds=("kind/mutal",)), "kind/mutual"),
            (Need(lead="organisation/backery"), "organisation/bakery"),
        ):
            with pytest.raises(UnknownNameError, match=near):
                propose(candidates, need)

    def test_wrong_calls_are_refused(self, candidates: Candidates) -> None:
        """No proposal asked for; one word where a list belongs; a frame without organisations."""
        with pytest.raises(UsageError, match="one proposal or more"):
            propose(candidates, Need(), proposals=0)
        with pytest.raises(UsageError, match="a list"):
            propose(candidates, Need(capabilities="theme/finance"))  # type: ignore[arg-type]
        with pytest.raises(DataError, match="organisation"):
            Candidates.from_frame(pl.DataFrame({"capability": ["x"]}), Network.from_pairs([]))


class TestOpportunity:
    """What an opportunity of the graph asks for."""

    CANTEEN = "https://w3id.org/solidarity-graph/id/opportunity/canteen-tender"

    def test_its_themes_places_and_offerer_become_the_need(self) -> None:
        """The tender of the council for a canteen, once a source says what it is about and where."""
        store = village_store()
        with store.change("tell more of the tender") as change:
            change.update(
                f"""PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX prov: <http://www.w3.org/ns/prov#>
                INSERT DATA {{ GRAPH <{graph_iri("village")}> {{ <{self.CANTEEN}>
                dcterms:subject <https://w3id.org/solidarity-graph/vocabulary/theme/retail> ;
                prov:atLocation <https://w3id.org/solidarity-graph/id/place/upton> }} }}"""
            )
        need = need_of(store, "opportunity/canteen-tender", Need(most=3, newcomers=1))
        assert need.capabilities == ("https://w3id.org/solidarity-graph/vocabulary/theme/retail",)
        assert need.within == ("https://w3id.org/solidarity-graph/id/place/upton",)
        assert need.excluded == ("https://w3id.org/solidarity-graph/id/organisation/council",)
        assert (need.most, need.newcomers) == (3, 1)
        found = propose(load_candidates(store), Need(capabilities=need.capabilities, within=need.within))
        assert found.proposals

    def test_one_that_says_nothing_asks_for_nothing(self, village: Store) -> None:
        """No source says what the tender is about: that is said, and not answered with anybody."""
        with pytest.raises(UsageError, match="Tender for the school canteen"):
            need_of(village, "opportunity/canteen-tender")
        assert need_of(village, "opportunity/canteen-tender", Need(capabilities=("theme/retail",))).capabilities
        with pytest.raises(UnknownNameError, match="opportunity"):
            need_of(village, "opportunity/canteen")
