"""What-if and the best next ties: the village counted by hand, and small graphs against networkx."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from time import perf_counter

import networkx as nx
import numpy as np
import polars as pl
import pytest

from graphkit.errors import UnknownNameError, UsageError
from graphkit.gaps.ground import Ground, load_ground
from graphkit.measures import reach
from graphkit.network import Network
from graphkit.plans.best_ties import best_ties, resilience
from graphkit.plans.whatif import what_if, what_if_in_words
from graphkit.store import Store
from graphkit.terms import ID

TIE = ("organisation/council", "organisation/mill")


@pytest.fixture(scope="module")
def ground(village: Store) -> Ground:
    """Read what the finders need from the village."""
    return load_ground(village, date(2024, 6, 1))


def _random(organisations: int, ties: int, seed: int) -> Network:
    ends = np.random.default_rng(seed).integers(0, organisations, (ties, 2)).tolist()
    names = [f"o{number:04}" for number in range(organisations)]
    return Network.from_pairs([(names[a], names[b]) for a, b in ends if a != b], organisations=names)


def _kinds(gaps: tuple) -> set[str]:
    return {f"{gap.kind} {' + '.join(gap.labels)}" for gap in gaps}


class TestReach:
    """Distances, efficiency and the gain by one tie."""

    @pytest.mark.parametrize(("organisations", "ties"), [(30, 25), (30, 60), (150, 400), (5, 0), (1, 0), (0, 0)])
    def test_efficiency_is_that_of_networkx(self, organisations: int, ties: int) -> None:
        """In one part, in many, without ties, and for nobody."""
        network = _random(organisations, ties, 1) if organisations else Network.from_pairs([])
        expected = nx.global_efficiency(network.to_networkx()) if organisations > 1 else 0
        assert reach.global_efficiency(network) == pytest.approx(expected, abs=1e-12)

    def test_the_gain_of_a_tie_is_exact(self) -> None:
        """The gain and the shortened distances are those of the network with the tie, also between parts."""
        network = _random(30, 32, 2)
        steps, n = reach.distances(network.adjacency), 30
        for first, second in np.random.default_rng(3).integers(0, n, (40, 2)).tolist():
            if first == second:
                continue
            graph = network.to_networkx()
            graph.add_edge(network.organisations[first], network.organisations[second])
            after = Network.from_pairs(graph.edges, organisations=network.organisations)
            gain = (nx.global_efficiency(graph) - reach.global_efficiency(network)) * n * (n - 1)
            assert reach.efficiency_gain(steps, first, second) == pytest.approx(gain, abs=1e-9)
            np.testing.assert_array_equal(reach.shortened(steps, [(first, second)]), reach.distances(after.adjacency))

    def test_a_network_wider_than_one_word_is_counted_in_full(self) -> None:
        """Pairs by distance of a ring of 200: 400 at each distance up to 99, and 200 opposite ones."""
        ring = Network.from_pairs([(f"{i:03}", f"{(i + 1) % 200:03}") for i in range(200)])
        assert reach.pairs_at(ring).tolist() == [400] * 99 + [200]


class TestVillage:
    """Changes whose effect can be counted on the drawing in village.ttl."""

    def test_a_tie_between_mill_and_council_makes_a_ring(self, ground: Ground) -> None:
        """Bakery and its tie to the credit union are not fragile any more; Mill's partners are no closed circle."""
        found = what_if(ground, add_ties=[TIE])
        assert found.points_gone == (f"{ID}organisation/bakery",)
        assert found.points_new == ()
        assert _kinds(found.closed) == {"R1 Bakery", "R1 Bakery + Credit Union", "B2 Mill"}
        assert found.opened == ()
        assert (found.before.pairs, found.after.pairs) == (15, 16)
        assert (found.before.parts, found.before.isolates, found.before.largest) == (4, 3, 11)
        assert found.before.connected == found.after.connected == pytest.approx(110 / 182)
        assert found.after.efficiency > found.before.efficiency
        assert [(who.label, who.partners) for who in found.concerned] == [("Council", (4, 5)), ("Mill", (3, 4))]

    def test_without_the_credit_union_the_village_falls_into_three(self, ground: Ground) -> None:
        """Four, four and two are left, beside three isolates: 12 + 12 + 2 of 156 ordered pairs are connected."""
        found = what_if(ground, remove_organisation=["organisation/credit-union"])
        assert (found.after.organisations, found.after.parts, found.after.largest) == (13, 6, 4)
        assert found.after.connected == pytest.approx(26 / 156)
        assert {"R2 Bus Company", "R2 Choir", "R2 Library"} <= _kinds(found.opened)
        gone = next(who for who in found.concerned if who.label == "Credit Union")
        assert gone.partners == (5, None)
        assert {who.label for who in found.concerned} >= {"Bakery", "Choir", "Library", "Council", "Bus Company"}
        assert any("of 14 organisations" in note for note in found.notes)

    def test_an_activity_joins_each_two_of_its_members(self, ground: Ground) -> None:
        """Museum and Union come in from the edge; an activity of three adds three pairs and closes R2."""
        found = what_if(
            ground, add_activity=[["organisation/museum", "organisation/union", "organisation/valley-consortium"]]
        )
        assert found.after.pairs - found.before.pairs == 3
        assert {"R2 Museum", "R2 Union"} <= _kinds(found.closed)
        assert set(found.network.ties.filter(pl.col("kind") == "what-if")["weight"]) == {0.5}

    def test_a_new_member_is_joined_to_everybody_in_the_activity(self, ground: Ground) -> None:
        """Museum joins the Savings Club of two: three pairs of weight 1/2 instead of one of weight 1."""
        found = what_if(ground, add_member=[("activity/savings-club", "organisation/museum")])
        club = found.network.ties.filter(pl.col("activity") == f"{ID}activity/savings-club")
        assert (club.height, set(club["weight"]), set(club["date"])) == (3, {0.5}, {date(2022, 1, 10)})
        assert found.after.pairs == 17
        assert "R1 Bakery + Credit Union" in _kinds(found.closed)

    def test_an_activity_that_does_not_take_place_leaves_other_ties(self, ground: Ground) -> None:
        """Without the harvest fair Bakery and Mill still have the bread project; Dairy and Farm have nothing."""
        found = what_if(ground, remove_activity=["activity/harvest-fair"])
        assert found.after.pairs == 15 - 5
        assert {"R2 Dairy", "R2 Farm", "R2 Mill"} <= _kinds(found.opened)

    def test_removing_a_tie_takes_all_its_activities(self, ground: Ground) -> None:
        """Choir and Library shared two activities, and are no partners then."""
        found = what_if(ground, remove_ties=[("organisation/choir", "organisation/library")])
        assert found.after.pairs == 14
        assert f"{ID}organisation/credit-union" not in found.points_new

    def test_groups_give_the_ei_index(self, ground: Ground) -> None:
        """Upton's four against the rest: one pair of 15 leads out, and two of 16 with the new tie."""
        upton = {f"{ID}organisation/{name}" for name in ("bakery", "mill", "dairy", "farm")}
        groups = pl.DataFrame(
            {
                "organisation": ground.network.organisations,
                "group": ["upton" if o in upton else "rest" for o in ground.network.organisations],
            }
        )
        found = what_if(ground, add_ties=[TIE], groups=groups)
        assert found.before.ei == pytest.approx((1 - 14) / 15)
        assert found.after.ei == pytest.approx((2 - 14) / 16)
        assert "E-I index" in what_if_in_words(found)

    def test_the_store_and_the_ground_stay_as_they_are(self, village: Store, ground: Ground) -> None:
        """Only a copy is changed."""
        version, ties = village.version, ground.network.ties
        what_if(ground, remove_organisation=["organisation/council"])
        assert village.version == version
        assert ground.network.ties.equals(ties)

    def test_words_name_people_and_not_addresses(self, ground: Ground) -> None:
        """The text asks the question, shows before and after, and has no IRI."""
        words = what_if_in_words(what_if(ground, add_ties=[TIE], add_activity=[["organisation/museum", TIE[0]]]))
        assert words.startswith("What if Council and Mill work together and Council and Museum do something together?")
        assert "No longer a fragile point: Bakery" in words
        assert "http" not in words
        assert "urn:" not in words


class TestRefusals:
    """What is refused, and with which words."""

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({}, "no change"),
            ({"add_ties": [("a", "a")]}, "two different"),
            ({"remove_ties": [("a", "c")]}, "no tie"),
            ({"add_ties": [("a", "b")], "remove_organisation": ["a"]}, "leaves and joins"),
            ({"add_ties": [("a", "b")], "remove_ties": [("b", "a")]}, "added and removed"),
            ({"add_activity": [["a"]]}, "joins nobody"),
            ({"add_activity": ["ab"]}, "list"),
        ],
    )
    def test_a_contradiction_is_refused(self, changes: dict, words: str) -> None:
        """Nothing to do, a tie to oneself, a tie that is not there, two changes against each other."""
        with pytest.raises(UsageError, match=words):
            what_if(Network.from_pairs([("a", "b"), ("b", "c")]), **changes)

    def test_an_unknown_name_lists_the_near_ones(self, ground: Ground) -> None:
        """For organisations and for activities."""
        with pytest.raises(UnknownNameError, match="organisation/bakery"):
            what_if(ground, remove_organisation=["organisation/bakry"])
        with pytest.raises(UnknownNameError, match="activity/bus-link"):
            what_if(ground, remove_activity=["activity/bus-lnk"])
        with pytest.raises(UsageError, match="already"):
            what_if(ground, add_member=[("activity/bus-link", "organisation/council")])

    def test_without_a_ground_gaps_are_not_compared(self) -> None:
        """A bare network has no names and scopes, and the answer says so."""
        found = what_if(Network.from_pairs([("a", "b"), ("b", "c")]), add_ties=[("a", "b")])
        assert found.closed == found.opened == ()
        assert "work together already" in found.notes[0]
        assert "Gaps are not compared" in found.notes[1]


class TestBestTies:
    """The next ties, one by one."""

    @pytest.mark.parametrize("seed", range(4))
    def test_each_tie_is_the_best_of_all_that_are_left(self, seed: int) -> None:
        """Greedy against trying every pair at every step, for both objectives, in one part and in several."""
        network = _random(9, 10, seed)
        for objective, value in (("efficiency", reach.global_efficiency), ("robustness", resilience)):
            found, ties = best_ties(network, 3, objective=objective), [*network.structure.edges]
            names, total = network.organisations, value(network)
            pairs = [(names[a], names[b]) for a, b in ties]
            for row in found.rows(named=True):
                taken = {frozenset(pair) for pair in pairs}
                tries = (
                    value(Network.from_pairs([*pairs, pair], organisations=names))
                    for pair in combinations(names, 2)
                    if frozenset(pair) not in taken
                )
                assert total + row["gain"] == pytest.approx(max(tries), abs=1e-9)
                total += row["gain"]
                pairs.append((row["source"], row["target"]))
                assert row["total"] == pytest.approx(total)

    def test_resilience_is_the_mean_over_who_leaves(self) -> None:
        """Against counting the connected pairs of each network without one."""
        network = _random(15, 16, 9)
        graph = network.to_networkx()
        left = [nx.subgraph(graph, set(graph) - {gone}) for gone in graph]
        shares = [sum(len(c) * (len(c) - 1) for c in nx.connected_components(g)) / (14 * 13) for g in left]
        assert resilience(network) == pytest.approx(np.mean(shares))

    def test_a_ring_needs_nothing_for_robustness(self) -> None:
        """No tie adds anything, so none is named; everybody joined to everybody has none left."""
        ring = Network.from_pairs([("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
        assert best_ties(ring, 2, objective="robustness").is_empty()
        assert best_ties(Network.from_pairs([("a", "b")]), 2).is_empty()

    def test_equal_gains_are_taken_in_the_order_of_names(self) -> None:
        """Of four isolates all pairs are alike."""
        found = best_ties(Network.from_pairs([], organisations="dcba"), 1)
        assert found.select("source", "target").rows() == [("a", "b")]

    def test_only_the_candidates_are_named(self, ground: Ground) -> None:
        """Pairs that have a tie already are passed over."""
        pairs = [("organisation/bakery", "organisation/mill"), ("organisation/museum", "organisation/union")]
        found = best_ties(ground.network, 5, candidates=pairs)
        assert found["target"].to_list() == [f"{ID}organisation/union"]
        assert (found["looked_at"][0], found["possible"][0]) == (1, 1)

    def test_a_sample_is_said_and_the_same_every_time(self) -> None:
        """Of 210 organisations 20,000 pairs are looked at, in bounded time."""
        network, start = _random(210, 1_500, 4), perf_counter()
        first, again = best_ties(network, 1), best_ties(network, 1)
        assert perf_counter() - start < 30
        assert first.equals(again)
        assert first["looked_at"][0] == 20_000 < first["possible"][0]

    def test_what_cannot_be_answered_is_refused(self) -> None:
        """Too many organisations, no tie asked for, an objective that is not known."""
        with pytest.raises(UsageError, match="too many"):
            best_ties(Network.from_pairs([], organisations=map(str, range(2_001))), 1)
        with pytest.raises(UsageError, match="best 0 ties"):
            best_ties(Network.from_pairs([("a", "b")]), 0)
        with pytest.raises(UnknownNameError, match="efficiency"):
            best_ties(Network.from_pairs([("a", "b")]), 1, objective="eficiency")
