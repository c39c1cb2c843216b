"""Position: what can be counted on fingers, and the limits of the walks."""

from __future__ import annotations

from datetime import date

import networkx as nx
import numpy as np
import pytest

from graphkit.errors import UsageError
from graphkit.measures.cores import cores_of
from graphkit.measures.paths import carried_by
from graphkit.measures.position import (
    betweenness,
    closeness,
    components,
    coreness,
    degree,
    pagerank,
    personalised_pagerank,
    row_blocks,
    strength,
)
from graphkit.network import Network, recency_weights


def fork() -> Network:
    """Make a bank that funds two farms, one of which funds the bank back, and a lone mill."""
    return Network.from_pairs(
        [("bank", "farm a"), ("bank", "farm b"), ("farm b", "bank")], organisations=["mill"], directed=True
    )


class TestCounts:
    """Degrees and strengths where there is a direction."""

    def test_degree_counts_partners_not_ties(self) -> None:
        """A partner in both directions is one partner."""
        assert degree(fork()).rows() == [
            ("bank", 2, 1, 2),
            ("farm a", 1, 1, 0),
            ("farm b", 1, 1, 1),
            ("mill", 0, 0, 0),
        ]

    def test_strength_adds_both_directions(self) -> None:
        """What comes in and what goes out."""
        assert strength(fork())["strength"].to_list() == [3, 1, 2, 0]

    def test_equal_components_are_numbered_by_their_first_organisation(self) -> None:
        """Of two pairs the one with the smaller IRI comes first, the larger part before both."""
        network = Network.from_pairs([("c", "d"), ("a", "b"), ("x", "y"), ("y", "z")])
        assert components(network)["component"].to_list() == [1, 1, 2, 2, 0, 0, 0]


class TestPaths:
    """Paths on networks where they can be seen."""

    def test_the_middle_of_a_star_is_on_every_path(self) -> None:
        """The centre has 1, the others nothing."""
        star = Network.from_pairs([("m", leaf) for leaf in "abcd"])
        assert betweenness(star)["betweenness"].to_list() == [0, 0, 0, 0, 1]

    def test_closeness_follows_what_comes_in(self) -> None:
        """Nobody reaches the mill; the first of a chain is reached by nobody."""
        chain = Network.from_pairs([("a", "b"), ("b", "c")], organisations=["mill"], directed=True)
        np.testing.assert_allclose(closeness(chain)["closeness"], [0, 1 / 3, 2 / 3 * 2 / 3, 0])

    def test_long_chains_are_left_to_other_ways(self) -> None:
        """Neither layer by layer nor with tables: a ring of 99 and a chain of 20,000, all alike but the ends."""
        ring = Network.from_networkx(nx.cycle_graph(99))
        assert carried_by(ring.steps) is None
        assert betweenness(ring)["betweenness"].to_numpy() == pytest.approx(48 * 49 / (98 * 97))
        chain = Network.from_networkx(nx.path_graph(20_000))
        assert cores_of(chain.adjacency) is None
        assert set(coreness(chain)["coreness"]) == {1}

    def test_thirty_steps_are_not_yet_long(self) -> None:
        """The longest path that tables are used for, and one more."""
        assert carried_by(Network.from_networkx(nx.path_graph(30)).steps) is not None
        assert carried_by(Network.from_networkx(nx.path_graph(32)).steps) is None


class TestWalks:
    """Personalised PageRank: shape, mass, limits."""

    def test_each_row_is_a_distribution(self) -> None:
        """After any number of steps all walkers are somewhere."""
        for steps in (0, 1, 12):
            rows = personalised_pagerank(fork(), steps=steps)
            assert (rows >= 0).all()
            np.testing.assert_allclose(rows.sum(axis=1), 1)

    def test_a_walker_without_a_way_out_returns_to_its_seed(self) -> None:
        """The mill stays at home; farm a leads nowhere, so its walkers stay there."""
        rows = personalised_pagerank(fork())
        assert rows[3].tolist() == [0, 0, 0, 1]
        assert rows[1].tolist() == [0, 1, 0, 0]

    def test_some_rows_are_the_same_rows(self) -> None:
        """A block of seeds gives that block of the whole."""
        network = Network.from_pairs([("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("a", "c")])
        whole = personalised_pagerank(network)
        blocks = [personalised_pagerank(network, rows=rows) for rows in row_blocks(4, cells=12)]
        assert [block.shape for block in blocks] == [(3, 4), (1, 4)]
        np.testing.assert_array_equal(np.vstack(blocks), whole)
        np.testing.assert_array_equal(personalised_pagerank(network, rows=[2, 0]), whole[[2, 0]])

    def test_other_weights_lead_elsewhere(self) -> None:
        """The walk on recent and small activities is networkx's walk on those weights."""
        network = Network.from_pairs([("a", "b"), ("b", "c"), ("a", "b")])
        weights = recency_weights(network, date(2026, 1, 1)) * 1.0
        weights[0, 1] = weights[1, 0] = 9.0
        graph = nx.from_scipy_sparse_array(weights)
        found = personalised_pagerank(network, weights=weights, steps=200)
        expected = nx.pagerank(graph, personalization={0: 1}, tol=1e-13, max_iter=1000)
        np.testing.assert_allclose(found[0], list(expected.values()), atol=1e-10)

    def test_a_short_walk_is_as_near_as_promised(self) -> None:
        """Summed over a row, t steps differ by at most 2 alpha^(t + 1)."""
        pairs = [(f"{u:02}", f"{v:02}") for u, v in nx.barabasi_albert_graph(40, 2, seed=2).edges]
        network = Network.from_pairs(pairs)
        endless = personalised_pagerank(network, steps=300)
        for steps in (0, 3, 12, 40):
            far = abs(personalised_pagerank(network, steps=steps) - endless).sum(axis=1).max()
            assert far <= 2 * 0.85 ** (steps + 1)

    @pytest.mark.parametrize(("alpha", "steps"), [(1.0, 12), (-0.1, 12), (float("nan"), 12), (0.85, -1)])
    def test_a_walk_out_of_range_is_refused(self, alpha: float, steps: int) -> None:
        """A walker who never starts again, or walks backwards in time, is an error."""
        with pytest.raises(UsageError):
            personalised_pagerank(fork(), alpha=alpha, steps=steps)

    def test_weights_of_another_network_are_refused(self) -> None:
        """The shape must be that of the network, and no weight negative."""
        with pytest.raises(UsageError, match="3 x 3"):
            personalised_pagerank(fork(), weights=Network.from_pairs([("a", "b"), ("b", "c")]).weights)
        with pytest.raises(UsageError, match="negative"):
            personalised_pagerank(fork(), weights=-fork().weights)

    def test_pagerank_without_going_on_is_even(self) -> None:
        """With alpha 0 the walker starts again at every step."""
        assert pagerank(fork(), alpha=0)["pagerank"].to_list() == [0.25] * 4
