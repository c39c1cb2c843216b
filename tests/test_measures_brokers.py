"""Brokers: cuts and roles that can be counted on fingers."""

from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
import pytest

from graphkit.errors import DataError, UnknownNameError
from graphkit.measures import brokers
from graphkit.measures.blocks import blocks_of
from graphkit.measures.brokers import articulation, bridges, brokerage
from graphkit.network import Network


def village(*, organisations: tuple[str, ...] = ()) -> Network:
    """Make a triangle a, b, c from which a chain c, d, e hangs."""
    return Network.from_pairs([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("d", "e")], organisations=organisations)


def sectors(**groups: str) -> pl.DataFrame:
    """Make a frame of organisation and group."""
    return pl.DataFrame({"organisation": list(groups), "group": list(groups.values())})


class TestCuts:
    """What falls apart when somebody or something goes."""

    def test_who_leaves_cuts_others_off(self) -> None:
        """Without c, 2 x 2 of 10 pairs are cut; without d, 3 x 1."""
        found = articulation(village())
        assert found["organisation"].to_list() == ["c", "d"]
        assert found["pairs_cut"].to_list() == pytest.approx([0.4, 0.3])
        assert found["cut_off"].to_list() == [2, 1]

    def test_the_share_is_of_all_organisations(self) -> None:
        """Isolates and other parts enlarge the whole and make each cut a smaller share."""
        found = articulation(village(organisations=("x", "y", "z")))
        assert found["pairs_cut"].to_list() == pytest.approx([4 / 28, 3 / 28])

    def test_parts_that_fall_away_are_cut_off_from_each_other_too(self) -> None:
        """The middle of a star of four leaves holds six pairs together."""
        star = Network.from_pairs([("m", leaf) for leaf in "abcd"])
        assert articulation(star).rows() == [("m", pytest.approx(0.6), 3)]

    def test_a_bridge_has_two_sides(self) -> None:
        """Without the tie c, d 3 x 2 of 10 pairs are cut; without d, e 4 x 1."""
        found = bridges(village())
        assert found.select("source", "target").rows() == [("c", "d"), ("d", "e")]
        assert found["pairs_cut"].to_list() == pytest.approx([0.6, 0.4])
        assert found["cut_off"].to_list() == [2, 1]

    def test_two_activities_of_one_pair_are_still_a_bridge(self) -> None:
        """A partnership ends for the pair as a whole."""
        frame = pl.DataFrame({"source": ["a", "b"], "target": ["b", "a"], "activity": ["x", "y"]})
        network = Network.from_ties(frame.with_columns(date=None, weight=None, kind=None))
        assert bridges(network).rows() == [("a", "b", 1.0, 1)]

    def test_direction_is_not_read(self) -> None:
        """A grant and its return are one tie between two."""
        network = Network.from_pairs([("a", "b"), ("b", "a"), ("c", "b")], directed=True)
        assert bridges(network).height == 2
        assert articulation(network)["organisation"].to_list() == ["b"]

    def test_a_ring_has_no_weak_point(self) -> None:
        """Where there are two ways round, nobody is cut off."""
        ring = Network.from_pairs([("a", "b"), ("b", "c"), ("c", "d"), ("d", "a")])
        assert articulation(ring).is_empty()
        assert bridges(ring).is_empty()

    def test_a_long_chain_is_no_trouble(self) -> None:
        """Depth costs no recursion: in 3,001 in a row the middle cuts half from half."""
        chain = Network.from_pairs([(f"{n:04}", f"{n + 1:04}") for n in range(3000)])
        middle = articulation(chain).filter(organisation="1500")
        assert middle["cut_off"].to_list() == [1500]
        assert middle["pairs_cut"].to_list() == pytest.approx([1500 * 1500 / (3001 * 1500)])


class TestRoles:
    """Gould and Fernandez' roles, one chain i to v to j each."""

    @pytest.mark.parametrize(
        ("groups", "role"),
        [
            ({"i": "x", "v": "x", "j": "x"}, "coordinator"),
            ({"i": "x", "v": "y", "j": "x"}, "itinerant"),
            ({"i": "y", "v": "x", "j": "x"}, "gatekeeper"),
            ({"i": "x", "v": "x", "j": "y"}, "representative"),
            ({"i": "x", "v": "y", "j": "z"}, "liaison"),
        ],
    )
    def test_a_chain_has_one_role(self, groups: dict[str, str], role: str) -> None:
        """The middle one has its role once, and nobody else has any."""
        chain = Network.from_pairs([("i", "v"), ("v", "j")], directed=True)
        found = brokerage(chain, sectors(**groups)).unpivot(index="organisation").filter(pl.col("value") != 0)
        assert sorted(found.rows()) == sorted([("v", role, 1), ("v", "total", 1)])

    def test_without_direction_each_pair_counts_both_ways(self) -> None:
        """The gatekeeper of one way is the representative of the other."""
        chain = Network.from_pairs([("i", "v"), ("v", "j")])
        found = brokerage(chain, sectors(i="x", v="x", j="y")).row(2, named=True)
        assert (found["gatekeeper"], found["representative"], found["total"]) == (1, 1, 2)

    def test_a_closed_chain_needs_no_broker(self) -> None:
        """Where i reaches j itself nobody stands between."""
        triangle = Network.from_pairs([("i", "v"), ("v", "j"), ("i", "j")], directed=True)
        assert brokerage(triangle, sectors(i="x", v="y", j="z"))["total"].sum() == 0

    def test_chains_with_an_unknown_group_are_left_out(self) -> None:
        """What is not known is not counted as a group of its own."""
        chain = Network.from_pairs([("i", "v"), ("v", "j")])
        assert brokerage(chain, sectors(i="x", v="y"))["total"].sum() == 0
        assert brokerage(chain, sectors().cast(pl.String))["total"].sum() == 0

    def test_two_groups_for_one_organisation_are_refused(self) -> None:
        """A role needs one group each."""
        twice = pl.DataFrame({"organisation": ["v", "v"], "group": ["x", "y"]})
        with pytest.raises(DataError, match="'v' is in two groups"):
            brokerage(Network.from_pairs([("i", "v")]), twice)


def _drawn(seed: int) -> Network:
    """Draw a small network with parts, isolates, circles and single ties."""
    random = np.random.default_rng(seed)
    n, ties = int(random.integers(1, 25)), int(random.integers(0, 40))
    names = [f"o{each:02}" for each in range(n)]
    pairs = [(names[a], names[b]) for a, b in random.integers(0, n, (ties, 2)) if a != b]
    return Network.from_pairs(pairs, organisations=names)


@pytest.mark.parametrize("seed", range(100))
def test_blocks_are_those_of_networkx(seed: int) -> None:
    """The parts that no single leaving divides, whatever the shape of the network."""
    network = _drawn(seed)
    rows, numbers = blocks_of(network.adjacency)
    found = [rows[numbers == each].tolist() for each in np.unique(numbers)]
    assert found == sorted(sorted(block) for block in nx.biconnected_components(network.structure))


@pytest.mark.parametrize("seed", range(100))
def test_who_is_cut_off_is_found_by_taking_each_organisation_away(seed: int) -> None:
    """For every fragile point all but the largest part that remains, part after part."""
    network, names = _drawn(seed), _drawn(seed).organisations
    expected = {}
    for row in sorted(nx.articulation_points(network.structure)):
        rest = network.structure.subgraph(nx.node_connected_component(network.structure, row) - {row})
        parts = sorted(nx.connected_components(rest), key=lambda part: (-len(part), min(part)))
        expected[names[row]] = [names[other] for part in parts[1:] for other in sorted(part)]
    assert dict(brokers.cut_off_by(network).rows()) == expected


def test_roles_of_some_are_those_of_all() -> None:
    """Asking for a few organisations counts the same cases, and lists them alone."""
    network = _drawn(7)
    groups = network.table().with_row_index("n").select("organisation", group=pl.col("n") % 3)
    some = list(network.organisations[::3])
    everybody = brokers.brokerage(network, groups)
    assert brokers.brokerage(network, groups, of=some).equals(everybody.filter(pl.col("organisation").is_in(some)))
    with pytest.raises(UnknownNameError, match="nobody"):
        brokers.brokerage(network, groups, of=["nobody"])
