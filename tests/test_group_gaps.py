"""Gaps between groups: what was planted is found, what is chance is not, and what is not covered is not claimed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from graphkit.gaps import Gap, find_gaps
from graphkit.gaps.broker import find as brokers
from graphkit.gaps.ground import Ground
from graphkit.gaps.group_bridging import find as deficits
from graphkit.gaps.group_bridging import groups_of
from graphkit.gaps.inward_group import find as inward
from graphkit.measures.nulls import curveball
from graphkit.network import Network
from graphkit.store import Store

DAY = date(2024, 6, 1)
ORGANISATIONS = 60
REGIONS = ("east", "north", "south")
_Table = NDArray[np.float64]


def name(row: int) -> str:
    """Give the IRI of an organisation, so that the order of the IRIs is that of the rows."""
    return f"urn:o{row:02d}"


def texts(*columns: str) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))


def network_of(table: _Table) -> Network:
    """Join the organisations (rows) that take part in the same activity (columns)."""
    ties = [
        (name(i), name(j), f"urn:a{column:03d}", None, 1.0, "participation")
        for column in range(table.shape[1])
        for place, i in enumerate(np.flatnonzero(table[:, column]))
        for j in np.flatnonzero(table[:, column])[place + 1 :]
    ]
    alone = [(name(row), None, None, None, None, None) for row in range(table.shape[0])]
    schema = {"source": pl.String, "target": pl.String, "activity": pl.String, "date": pl.Date}
    columns = {**schema, "weight": pl.Float64, "kind": pl.String}
    return Network.from_ties(pl.DataFrame([*ties, *alone], schema=columns, orient="row"))


def ground_of(network: Network, regions: Sequence[str | None], *, covered: Sequence[int] | None = None) -> Ground:
    """Put organisations into regions, and the given rows (all by default) into one completeness scope."""
    rows = range(len(network.organisations))
    inside = [name(row) for row in (rows if covered is None else covered)]
    placed = [(name(row), f"urn:{region}", region.title()) for row, region in enumerate(regions) if region]
    people = [(name(row), f"Organisation {row}", None, True, False) for row in rows]
    kinds = {
        "organisation": pl.String,
        "label": pl.String,
        "kind": pl.String,
        "named": pl.Boolean,
        "making": pl.Boolean,
    }
    activities = [(name(0), each, f"Activity {each}", None, None) for each in network.activities]
    part = ["organisation", "activity", "label", "role", "date"]
    scope = {"scope": "urn:scope", "region_label": "Everywhere", "subject_label": None, "end": date(2024, 1, 1)}
    return Ground(
        network=network,
        organisations=pl.DataFrame(people, schema=kinds, orient="row"),
        takes_part=pl.DataFrame(activities, schema=dict.fromkeys(part, pl.String), orient="row").with_columns(
            theme=pl.lit(None, pl.String), theme_label=pl.lit(None, pl.String)
        ),
        places=pl.DataFrame(placed, schema=["organisation", "place", "label"], orient="row"),
        related=texts("source", "target"),
        scopes=pl.DataFrame({"organisation": inside}, schema={"organisation": pl.String}).with_columns(
            **{column: pl.lit(value) for column, value in scope.items()}
        ),
        as_of=DAY,
    )


def third(row: int) -> str:
    return REGIONS[row * 3 // ORGANISATIONS]


THIRDS = [third(row) for row in range(ORGANISATIONS)]


def drawn(seed: int, allowed: Sequence[tuple[str, ...]], activities: int = 150) -> _Table:
    """Draw activities of two to five organisations, each from one of the allowed sets of regions in turn."""
    rng = np.random.default_rng(seed)
    eager = rng.random(ORGANISATIONS) ** 2 + 0.05
    table = np.zeros((ORGANISATIONS, activities))
    for column in range(activities):
        chance = eager * [region in allowed[column % len(allowed)] for region in THIRDS]
        table[rng.choice(ORGANISATIONS, rng.integers(2, 6), replace=False, p=chance / chance.sum()), column] = 1
    return table


def members(gaps: Sequence[Gap]) -> set[tuple[str, ...]]:
    return {gap.labels for gap in gaps}


class TestBridging:
    """G1."""

    HOLE = (("north", "east"), ("south", "east"))

    @pytest.mark.parametrize("seed", range(3))
    def test_a_planted_hole_between_two_regions_is_found(self, seed: int) -> None:
        """North and South both work with East and never with each other."""
        ground = ground_of(network_of(drawn(seed, self.HOLE)), THIRDS)
        (gap,) = deficits(ground, groups_of(ground))
        assert gap.labels == ("North", "South")
        assert gap.members == ("urn:north", "urn:south")
        assert gap.score == 1
        assert gap.tier == "strong"

    def test_the_words_say_what_was_counted_and_how_often_was_looked(self) -> None:
        """Observed, expected, z, the rate and the number of pairs; the pairs that could bridge know the same people."""
        ground = ground_of(network_of(drawn(0, self.HOLE)), THIRDS)
        (gap,) = deficits(ground, groups_of(ground))
        assert "have met 0 times in joint activities (among the organisations of Everywhere, up to 2024-01-01)" in (
            gap.explanation
        )
        assert "over the 3 pairs of groups looked at" in gap.explanation
        ends = [e.iri for e in gap.evidence if "well placed to bridge" in e.note]
        assert len(ends) == len(set(ends)) == 6
        rows, adjacency = ground.network.rows, ground.network.adjacency
        for one, other in zip(ends[::2], ends[1::2], strict=True):
            assert (THIRDS[rows[one]], THIRDS[rows[other]]) == ("north", "south")
            assert (adjacency @ adjacency)[rows[one], rows[other]] > 0
            assert adjacency[rows[one], rows[other]] == 0
        assert "joint call or meeting of organisations in North and organisations in South" in gap.action

    def test_a_deficit_that_is_not_a_void_counts_its_meetings(self) -> None:
        """With a few activities of both regions the score is 1 - O / E, and these activities are shown."""
        table = drawn(0, (*self.HOLE * 12, ("north", "south")), activities=175)
        ground = ground_of(network_of(table), THIRDS)
        (gap,) = deficits(ground, groups_of(ground))
        met = int((table[20:40].sum(axis=0) * table[40:].sum(axis=0)).sum())
        assert met > 0
        assert f"have met {met} times" in gap.explanation
        assert 0 < gap.score < 1
        assert any(e.note == "joint activity of the two groups" for e in gap.evidence)

    def test_outside_a_scope_nothing_is_claimed(self) -> None:
        """One organisation of the North that no scope covers, and the hole is not known to be one."""
        network = network_of(drawn(0, self.HOLE))
        ground = ground_of(network, THIRDS, covered=[row for row in range(ORGANISATIONS) if row != 25])
        assert deficits(ground, groups_of(ground)) == []

    def test_two_scopes_do_not_make_one(self) -> None:
        """One source covers the North and another the South: neither tells of what they do together."""
        ground = ground_of(network_of(drawn(0, self.HOLE)), THIRDS)
        region = pl.Series([f"urn:scope/{region}" for region in THIRDS])
        apart = Ground(**{**vars_of(ground), "scopes": ground.scopes.with_columns(scope=region)})
        assert all(group.scopes for group in groups_of(apart))
        assert deficits(apart, groups_of(apart)) == []

    def test_only_pairs_that_can_tell_are_counted_as_looked_at(self) -> None:
        """A region of one quiet organisation has less than 3 expected meetings with each of the others."""
        table = drawn(0, self.HOLE)
        regions = [*THIRDS]
        regions[int(table[:20].sum(axis=1).argmin())] = "west"
        ground = ground_of(network_of(table), regions)
        (gap,) = deficits(ground, groups_of(ground))
        assert "over the 3 pairs of groups looked at" in gap.explanation

    def test_few_expected_meetings_are_no_evidence(self) -> None:
        """Ten activities lead to expect too few meetings to tell anything."""
        ground = ground_of(network_of(drawn(0, self.HOLE, activities=10)), THIRDS)
        assert deficits(ground, groups_of(ground)) == []

    def test_who_is_in_both_groups_is_left_out(self) -> None:
        """An organisation of both regions bridges nothing and hides nothing."""
        ground = ground_of(network_of(drawn(0, self.HOLE)), THIRDS)
        both = pl.DataFrame({"organisation": [name(0)] * 2, "place": ["urn:north", "urn:south"], "label": ["N", "S"]})
        with_both = Ground(**{**vars_of(ground), "places": pl.concat([ground.places, both])})
        assert {gap.members for gap in deficits(with_both, groups_of(with_both))} == {("urn:north", "urn:south")}

    def test_a_theme_of_the_joint_activities_makes_no_group(self) -> None:
        """Who shares an activity shares its theme: a group by such a theme would prove itself."""
        ground = ground_of(network_of(drawn(0, self.HOLE)), THIRDS)
        joint = ground.network.activities[0]
        rows = [(name(1), joint, "Retail"), (name(2), "urn:study", "Arts")]
        columns = {"organisation": pl.String, "activity": pl.String, "theme_label": pl.String}
        themed = pl.DataFrame(rows, schema=columns, orient="row").with_columns(theme="urn:t/" + pl.col("theme_label"))
        changed = Ground(**{**vars_of(ground), "takes_part": themed})
        assert [group.label for group in groups_of(changed) if group.facet == "theme"] == ["Arts"]


def vars_of(ground: Ground) -> dict[str, object]:
    names = ("network", "organisations", "takes_part", "places", "related", "scopes", "as_of")
    return {field: getattr(ground, field) for field in names}


class TestInward:
    """G2."""

    CLOSED = (("north",), ("south", "east"))

    def test_a_planted_inward_region_is_found(self) -> None:
        """All activities of the North are its own; South and East mix."""
        ground = ground_of(network_of(drawn(0, self.CLOSED)), THIRDS)
        (gap,) = inward(ground, groups_of(ground))
        assert gap.labels == ("North",)
        assert gap.score == 1
        assert "E-I index -1.00" in gap.explanation
        assert "over the 3 groups looked at" in gap.explanation
        assert gap.action == "Invite partners from outside to the next joint activity of organisations in North."

    def test_ties_are_counted_as_pairs_of_partners(self) -> None:
        """The share inside and the members that reach out are those of the adjacency."""
        ground = ground_of(network_of(drawn(0, (*self.CLOSED * 8, REGIONS))), THIRDS)
        (gap,) = inward(ground, groups_of(ground))
        adjacency = ground.network.adjacency.toarray()
        inside, out = adjacency[20:40, 20:40].sum() / 2, adjacency[20:40].sum() - adjacency[20:40, 20:40].sum()
        assert gap.score == pytest.approx(inside / (inside + out), abs=1e-6)
        assert f"{inside:.0f} of {inside + out:.0f} ties of organisations in North" in gap.explanation
        reaching = [e.iri for e in gap.evidence if e.note == "already works with others"]
        assert reaching
        assert all(adjacency[ground.network.rows[iri], [*range(20), *range(40, 60)]].sum() for iri in reaching)

    def test_outside_a_scope_nothing_is_claimed(self) -> None:
        """The North looks inward only because nobody tells of the ties of one of its members."""
        network = network_of(drawn(0, self.CLOSED))
        ground = ground_of(network, THIRDS, covered=[row for row in range(ORGANISATIONS) if row != 25])
        assert inward(ground, groups_of(ground)) == []

    def test_one_large_activity_is_not_many_findings(self) -> None:
        """Ten of thirty in one activity have 45 ties inside; against random tens of the same ties that counts once."""
        table = np.zeros((12, 4))
        table[:5, 0] = 1
        table[[4, 5], 1] = table[[6, 7], 2] = table[[8, 9, 10, 11], 3] = 1
        ground = ground_of(network_of(table), ["x"] * 4 + ["y"] * 8)
        assert inward(ground, groups_of(ground)) == []

    def test_a_search_gives_the_same_every_time(self) -> None:
        """The permutations are seeded."""
        ground = ground_of(network_of(drawn(0, (*self.CLOSED * 4, REGIONS))), THIRDS)
        groups = groups_of(ground)
        assert inward(ground, groups) == inward(ground, groups)
        assert inward(ground, groups)


def test_under_chance_claims_stay_below_the_stated_level() -> None:
    """In 200 random networks of the same degrees at most 5% of runs claim anything, up to two standard errors.

    Most activities are of two, where a model that forgets their size sees deficits everywhere, and the large region
    has most of its ties inside by its size alone.
    """
    table = np.zeros((ORGANISATIONS, 200))
    rng = np.random.default_rng(0)
    for column in range(200):
        table[rng.choice(ORGANISATIONS, 2 + column % 5 // 3, replace=False), column] = 1
    start, uneven = network_of(table), ["east"] * 8 + ["north"] * 8 + ["south"] * 44
    groups = groups_of(ground_of(start, uneven))
    runs, claims = 200, {"G1": 0, "G2": 0}
    for sample in curveball(start.incidence, samples=runs, seed=3):
        ground = ground_of(network_of(sample.toarray()), uneven)
        claims["G1"] += bool(deficits(ground, groups))
        claims["G2"] += bool(inward(ground, groups))
    allowed = runs * 0.05 + 2 * math.sqrt(runs * 0.05 * 0.95)
    assert max(claims.values()) <= allowed, claims


class TestBroker:
    """B1."""

    def test_the_village_hangs_on_its_credit_union(self, village: Store) -> None:
        """Counted by hand: Bakery (co-operative) and Choir (trading charity) meet only in Credit Union.

        It links 1 of the 3 co-operatives with 1 of the 2 trading charities. Of the 10 pairs of its 5 partners, all of
        different kinds, Library and Choir, and Council and Bus Company, have worked together: 8 are left. By region
        both Bakery and Credit Union stand between Upton and Downton, so neither does alone.
        """
        (gap,) = find_gaps(village, kinds=["B1"], today=DAY).gaps
        assert gap.labels == ("Credit Union",)
        assert gap.score == pytest.approx(1 / 6, abs=1e-6)
        assert gap.tier == "exact"
        assert gap.explanation.startswith(
            "Only Credit Union is known to join organisations of the kind Co-operative to organisations of the kind"
            " Trading charity"
        )
        assert "between 8 pairs of organisations of two other groups (liaison) and 0 of one other" in gap.explanation
        assert "2 pairs of groups looked at" in gap.explanation
        assert [e.label for e in gap.evidence] == ["Bakery", "Savings Club", "Choir", "Reading Week"]
        assert "second broker" in gap.action

    def test_small_graphs_have_no_group_claims(self, village: Store) -> None:
        """Twelve organisations are too few for a deficit or an inward group."""
        assert find_gaps(village, kinds=["G1", "G2"], today=DAY).gaps == ()

    @staticmethod
    def joined(pairs: Sequence[tuple[int, int]], regions: Sequence[str | None]) -> list[Gap]:
        table = np.zeros((len(regions), len(pairs)))
        for column, pair in enumerate(pairs):
            table[list(pair), column] = 1
        ground = ground_of(network_of(table), regions, covered=[])
        return brokers(ground, groups_of(ground))

    def test_one_organisation_of_neither_group_is_the_broker(self) -> None:
        """0 and 1 are of x, 2 and 3 of y; 4 alone knows both. No scope is needed for what is known."""
        (gap,) = self.joined([(0, 4), (1, 4), (2, 4)], ["x", "x", "y", "y", None])
        assert gap.labels == ("Organisation 4",)
        assert gap.score == pytest.approx(2 * 1 / 4)

    @pytest.mark.parametrize(
        "more", [[(0, 5), (3, 5)], [(1, 3)], []], ids=["a second broker", "a tie of its own", "no tie to the other"]
    )
    def test_where_it_is_not_alone_nothing_is_claimed(self, more: list[tuple[int, int]]) -> None:
        """Another organisation that knows both, a tie between the groups, or no connection at all."""
        pairs = [(0, 4), (2, 4), *more] if more else [(0, 4)]
        assert self.joined(pairs, ["x", "x", "y", "y", None, None]) == []

    def test_a_member_can_be_the_only_door_of_its_group(self) -> None:
        """0 knows the others of x and one of y, who knows nobody else of y."""
        (gap,) = self.joined([(0, 1), (0, 2), (0, 3)], ["x", "x", "x", "y", "y"])
        assert gap.labels == ("Organisation 0",)
        assert gap.score == pytest.approx(2 * 1 / 4)

    def test_of_two_ends_of_one_tie_neither_is_alone(self) -> None:
        """Both 0 and 3 stand between x and y: the tie is fragile, which is another gap."""
        pairs = [(0, 1), (0, 2), (0, 3), (3, 4), (3, 5)]
        assert self.joined(pairs, ["x", "x", "x", "y", "y", "y"]) == []

    def test_a_way_around_the_door_is_found(self) -> None:
        """6 of neither group knows 1 of x and 3 of y, so that 0 is not the only way."""
        pairs = [(0, 1), (0, 2), (0, 3), (1, 6), (3, 6)]
        assert self.joined(pairs, ["x", "x", "x", "y", "y", "y", None]) == []

    def test_groups_are_of_two_others_or_more(self) -> None:
        """A single organisation is no group to be joined."""
        assert self.joined([(0, 2), (1, 2)], ["x", "y", None]) == []
        assert self.joined([(0, 1), (0, 2)], ["x", "x", "y", "y"]) == []

    def test_groups_with_a_common_member_are_joined_by_it(self) -> None:
        """0 is of x and of y, so that 5, who knows one of each, is not all that joins them."""
        network = network_of(np.array([[0, 0], [1, 0], [0, 0], [0, 1], [0, 0], [1, 1]], dtype=np.float64))
        ground = ground_of(network, ["x", "x", "x", "y", "y", None], covered=[])
        assert len(brokers(ground, groups_of(ground))) == 1
        second = pl.DataFrame({"organisation": [name(0)], "place": ["urn:y"], "label": ["Y"]})
        both = Ground(**{**vars_of(ground), "places": pl.concat([ground.places, second])})
        assert brokers(both, groups_of(both)) == []

    def test_one_broker_is_named_once(self) -> None:
        """It joins three pairs of groups and stands in the list with all of them."""
        pairs = [(0, 6), (2, 6), (4, 6)]
        (gap,) = self.joined(pairs, ["x", "x", "y", "y", "z", "z", None])
        assert gap.explanation.count(" to organisations in ") == 3
        assert "3 pairs of groups looked at" in gap.explanation

    def test_betweenness_is_compared_with_random_networks(self) -> None:
        """The middle of a star stands on all chains; the samples are seeded."""
        pairs = [(0, 4), (1, 4), (2, 4)]
        first, again = (self.joined(pairs, ["x", "x", "y", "y", None]) for _ in range(2))
        assert first == again
        assert "Of the shortest chains between others 50% run through it" in first[0].explanation
