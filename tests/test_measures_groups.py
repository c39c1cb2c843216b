"""Groups: found and given, and what is not known of them."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import polars as pl
import pytest

from graphkit.errors import DataError
from graphkit.measures.groups import communities, ei_index, ei_of_network, group_codes, group_ties, modularity
from graphkit.network import Network

PAIRS = [("a", "b"), ("b", "c"), ("a", "c"), ("d", "e"), ("e", "f"), ("d", "f"), ("c", "d")]


def regions(**groups: object) -> pl.DataFrame:
    """Make a frame of organisation and group."""
    return pl.DataFrame({"organisation": list(groups), "group": list(groups.values())})


class TestGiven:
    """How given groups are read."""

    def test_numbers_keep_their_order(self) -> None:
        """Group 10 comes after group 9."""
        names, codes = group_codes(Network.from_pairs([("a", "b")]), regions(a=10, b=9))
        assert (names.to_list(), codes.tolist()) == ([9, 10], [1, 0])

    def test_strangers_and_the_unknown_are_passed_over(self) -> None:
        """Only groups that an organisation of the network has are groups of the network."""
        network = Network.from_pairs([("a", "b"), ("b", "c")])
        names, codes = group_codes(network, regions(a="x", b=None, z="y"))
        assert (names.to_list(), codes.tolist()) == (["x"], [0, -1, -1])

    @pytest.mark.parametrize("column", ["organisation", "group"])
    def test_a_missing_column_is_named(self, column: str) -> None:
        """The message names it."""
        with pytest.raises(DataError, match=f"'{column}'"):
            group_codes(Network.from_pairs([("a", "b")]), regions(a="x").drop(column))

    def test_the_same_group_twice_is_one(self) -> None:
        """Only a contradiction is refused, and its first organisation named."""
        network = Network.from_pairs([("a", "b")])
        same = pl.concat([regions(a="x"), regions(a="x")])
        assert group_codes(network, same)[1].tolist() == [0, -1]
        with pytest.raises(DataError, match="'a' is in two groups"):
            group_codes(network, pl.concat([same, regions(b="x"), regions(b="y"), regions(a="z")]))


class TestTies:
    """What lies within and between."""

    def test_ei_runs_from_inward_to_outward(self) -> None:
        """All ties inside give -1, all outside 1, none null."""
        network = Network.from_pairs([("a", "b"), ("c", "d")], organisations=["e"])
        found = ei_index(network, regions(a="in", b="in", c="out", d="other", e="none"))
        assert found.select("group", "ei").rows() == [("in", -1), ("none", None), ("other", 1), ("out", 1)]

    def test_ei_counts_pairs_not_activities(self) -> None:
        """Two activities of one pair are one pair."""
        frame = pl.DataFrame({"source": ["a", "a", "a"], "target": ["b", "b", "c"], "activity": ["x", "y", "z"]})
        network = Network.from_ties(frame.with_columns(date=None, weight=None, kind=None))
        assert ei_of_network(network, regions(a="n", b="n", c="s")) == 0

    def test_ties_with_an_unknown_group_are_left_out(self) -> None:
        """An unknown group is neither inside nor outside."""
        network = Network.from_pairs([("a", "b"), ("b", "c")])
        assert ei_index(network, regions(a="n", b="n")).rows() == [("n", 2, 1, 0, -1.0)]
        assert math.isnan(ei_of_network(network, regions(a="n")))

    def test_pairs_of_groups_without_a_tie_are_listed(self) -> None:
        """What is missing is what a gap is made of."""
        network = Network.from_pairs([("a", "b")], organisations=["c"])
        found = group_ties(network, regions(a="n", b="n", c="s"))
        assert found.rows() == [
            ("n", "n", 1, 1.0, 1, 1.0),
            ("n", "s", 0, 0.0, 2, 0.0),
            ("s", "s", 0, 0.0, 0, None),
        ]

    def test_direction_makes_two_of_a_pair_of_groups(self) -> None:
        """North funds south, not the other way."""
        network = Network.from_pairs([("a", "b")], directed=True)
        found = group_ties(network, regions(a="n", b="s"))
        assert found.filter(ties=1).rows() == [("n", "s", 1, 1.0, 1, 1.0)]
        assert found.height == 4

    def test_no_groups_give_no_rows(self) -> None:
        """Nothing known, nothing said."""
        nothing = pl.DataFrame(schema={"organisation": pl.String, "group": pl.String})
        network = Network.from_pairs(PAIRS)
        assert ei_index(network, nothing).is_empty()
        assert group_ties(network, nothing).is_empty()
        assert math.isnan(modularity(network, nothing))


class TestFound:
    """Communities by Louvain."""

    def test_two_triangles_are_two_communities(self) -> None:
        """Equal ones are numbered by their first organisation; an isolate is alone."""
        network = Network.from_pairs(PAIRS, organisations=["mill"])
        assert communities(network)["group"].to_list() == [0, 0, 0, 1, 1, 1, 2]
        assert modularity(network, communities(network)) == pytest.approx(6 / 7 - 0.5)

    def test_a_higher_resolution_gives_smaller_communities(self) -> None:
        """At a high resolution everybody is alone."""
        assert communities(Network.from_pairs(PAIRS), resolution=9)["group"].n_unique() == 6

    def test_another_process_finds_the_same(self) -> None:
        """The order of sets of text, which differs between processes, is not read."""
        code = (
            "from graphkit.network import Network; from graphkit.measures.groups import communities;"
            "ring = [(str(n), str((n * 7 + k) % 40)) for n in range(40) for k in (1, 3)];"
            "print(communities(Network.from_pairs(ring))['group'].to_list())"
        )
        paths = os.pathsep.join(path for path in sys.path if path)
        answers = {
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths},
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(answers) == 1
