"""Link scorers: equal to networkx and to small dense computations, symmetric, in order, capped."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import networkx as nx
import numpy as np
import polars as pl
import pytest

from graphkit.errors import UnknownNameError, UsageError
from graphkit.gaps import lists, scorers
from graphkit.gaps.lists import top_pairs
from graphkit.gaps.scorers import SCORERS, default_scorer, find_scorer
from graphkit.measures import position
from graphkit.network import Network, recency_weights

DAY = date(2020, 1, 1)


def consortia(*, activities: int = 40, organisations: int = 60, seed: int = 3) -> Network:
    """Draw activities of two to five organisations, dated, a few organisations in many."""
    random = np.random.default_rng(seed)
    rows = []
    for activity in range(activities):
        members = np.unique((organisations * random.power(0.6, random.integers(2, 6))).astype(int))
        day = date(2012 + activity % 8, 1 + activity % 12, 1)
        rows += [
            (f"o{a:03}", f"o{b:03}", f"a{activity:03}", day, None, None) for a in members for b in members if a < b
        ]
    isolate = ("o999", None, None, None, None, None)
    columns = ["source", "target", "activity", "date", "weight", "kind"]
    return Network.from_ties(pl.DataFrame([*rows, isolate], schema=columns, orient="row"))


@pytest.fixture(scope="module")
def network() -> Network:
    """Give one drawn network, with an isolate."""
    return consortia()


def untied(network: Network) -> tuple[np.ndarray, np.ndarray]:
    return np.nonzero(np.triu(network.adjacency.toarray() == 0, 1))


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("adamic_adar", nx.adamic_adar_index),
        ("resource_allocation", nx.resource_allocation_index),
        ("preferential_attachment", nx.preferential_attachment),
        ("common_neighbours", lambda g, pairs: ((i, j, len(list(nx.common_neighbors(g, i, j)))) for i, j in pairs)),
    ],
)
def test_neighbourhood_scorers_equal_networkx(network: Network, name: str, reference) -> None:
    """On all pairs without a tie."""
    pairs = untied(network)
    expected = [score for _, _, score in reference(network.structure, np.transpose(pairs).tolist())]
    np.testing.assert_allclose(SCORERS[name].score(network, pairs, DAY), expected, rtol=1e-11)


def test_l3_equals_the_sum_over_all_paths_of_three_ties(network: Network) -> None:
    """Counted path by path."""
    graph, (left, right) = network.structure, untied(network)
    expected = [
        sum(1 / np.sqrt(graph.degree(u) * graph.degree(v)) for u in graph[i] for v in graph[j] if graph.has_edge(u, v))
        for i, j in zip(left.tolist(), right.tolist(), strict=True)
    ]
    np.testing.assert_allclose(SCORERS["l3"].score(network, (left, right), DAY), expected, rtol=1e-11)


def test_katz_equals_the_sum_of_dense_powers(network: Network) -> None:
    """Four powers of the adjacency, each with its power of beta."""
    adjacency = network.adjacency.toarray()
    beta = 0.5 / adjacency.sum(axis=1).max()
    expected = sum(beta**length * np.linalg.matrix_power(adjacency, length) for length in (1, 2, 3, 4))
    pairs = untied(network)
    np.testing.assert_allclose(SCORERS["katz"].score(network, pairs, DAY), expected[pairs], rtol=1e-11)


@pytest.mark.parametrize("name", ["ppr", "ppr_recency"])
def test_walks_are_the_measure_made_symmetric_by_strength(network: Network, name: str) -> None:
    """Strength times personalised PageRank, the same from both ends."""
    weights = network.adjacency if name == "ppr" else recency_weights(network, DAY)
    walks = position.personalised_pagerank(network, weights=weights)
    expected = walks * np.asarray(weights.sum(axis=1))[:, None]
    np.testing.assert_allclose(expected, expected.T, rtol=1e-9, atol=1e-15)
    pairs = untied(network)
    np.testing.assert_allclose(SCORERS[name].score(network, pairs, DAY), expected[pairs], rtol=1e-11)


def test_the_fusion_is_the_mean_of_two_standard_scores(network: Network) -> None:
    """Over all pairs without a tie; those that no walk joins stand beside the least of the others."""
    pairs = untied(network)
    walks = SCORERS["ppr_recency"].score(network, pairs, DAY)
    joined = walks > 0
    assert 0 < joined.sum() < joined.size
    logs = np.log(walks[joined])
    walked = (np.log(np.maximum(walks, walks[joined].min())) - logs.mean()) / logs.std()
    degrees = network.adjacency.toarray().sum(axis=1)
    attached = np.log((degrees[pairs[0]] + 1) * (degrees[pairs[1]] + 1))
    expected = (walked + (attached - attached.mean()) / attached.std()) / 2
    np.testing.assert_allclose(SCORERS["fusion"].score(network, pairs, DAY), expected, rtol=1e-6, atol=1e-9)


def test_recent_work_scores_higher() -> None:
    """Of two like chains the one of this year comes before the one of ten years ago."""
    rows = [
        ("a", "b", "old 1", "2010-01-01"),
        ("b", "c", "old 2", "2010-01-01"),
        ("d", "e", "new 1", "2020-01-01"),
        ("e", "f", "new 2", "2020-01-01"),
    ]
    frame = pl.DataFrame(rows, schema=["source", "target", "activity", "date"], orient="row")
    network = Network.from_ties(frame.with_columns(weight=None, kind=None))
    assert top_pairs(network, "ppr_recency", 1, today=DAY).row(0)[:2] == ("d", "f")
    assert top_pairs(network, "ppr", 1, today=DAY).row(0)[:2] == ("a", "c")


@pytest.mark.parametrize("name", SCORERS)
def test_scores_do_not_depend_on_direction_or_blocks(
    network: Network, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pair, its reverse, a pair alone and blocks of one row give the same number to the last bit."""
    pairs = untied(network)
    scores = SCORERS[name].score(network, pairs, DAY)
    assert np.isfinite(scores).all()
    assert np.array_equal(SCORERS[name].score(network, pairs[::-1], DAY), scores)
    one = pairs[0][7:8], pairs[1][7:8]
    assert SCORERS[name].score(network, one, DAY) == scores[7]
    best = top_pairs(network, name, 20, today=DAY)
    whole = position.row_blocks
    monkeypatch.setattr(scorers.position, "row_blocks", lambda n: whole(n, cells=3 * n))
    assert np.array_equal(SCORERS[name].score(network, pairs, DAY), scores)
    assert top_pairs(network, name, 20, today=DAY).equals(best)


@pytest.mark.parametrize("name", SCORERS)
def test_scores_are_symmetric(network: Network, name: str) -> None:
    """Whichever organisation asks for its list, a pair has one score."""
    n = len(network.organisations)
    scores = SCORERS[name].rows(network, DAY)(np.arange(n))
    assert scores.shape == (n, n)
    apart = ~np.eye(n, dtype=bool)
    np.testing.assert_allclose(scores[apart], scores.T[apart], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SCORERS)
def test_the_top_list_is_a_sort_of_all_pairs(network: Network, name: str) -> None:
    """By falling score, ties by the IRI of the first and then of the second."""
    left, right = untied(network)
    order = np.lexsort((right, left, -SCORERS[name].score(network, (left, right), DAY)))[:50]
    names = np.array(network.organisations)
    found = top_pairs(network, name, 50, today=DAY)
    assert found["source"].to_list() == names[left[order]].tolist()
    assert found["target"].to_list() == names[right[order]].tolist()


def test_no_organisation_fills_a_capped_list(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is what a greedy walk down all pairs gives, however small the pool that is looked at at once."""
    whole = top_pairs(network, "fusion", 10_000, today=DAY)
    assert whole.height == untied(network)[0].size
    named: Counter[str] = Counter()
    expected = []
    for source, target, _ in whole.rows():
        if max(named[source], named[target]) < 2 and len(expected) < 40:
            named.update((source, target))
            expected.append((source, target))
    monkeypatch.setattr(lists, "_POOL", 1)
    found = top_pairs(network, "fusion", 40, today=DAY, per_organisation=2)
    assert found.select("source", "target").rows() == expected


def test_chance_is_the_same_every_time_and_even(network: Network) -> None:
    """Its numbers lie in [0, 1), differ, and have the mean of an even draw."""
    scores = SCORERS["random"].score(network, untied(network), DAY)
    assert len(set(scores.tolist())) == scores.size
    assert 0 <= scores.min() < scores.max() < 1
    assert abs(scores.mean() - 0.5) < 4 * np.sqrt(1 / 12 / scores.size)


def test_pairs_of_many_organisations_do_not_overflow() -> None:
    """With 60,000 organisations a pair's number is beyond 32 bits and the last pair is still found."""
    n = 60_000
    ends = [(f"o{i:05}", f"o{i + 1:05}") for i in (0, n - 3, n - 2)]
    network = Network.from_pairs(ends, organisations=[f"o{i:05}" for i in range(n)])
    last = np.array([n - 3], dtype=np.int32), np.array([n - 1], dtype=np.int32)
    assert SCORERS["common_neighbours"].score(network, last, DAY).tolist() == [1.0]
    assert 0 <= SCORERS["random"].score(network, last, DAY)[0] < 1
    assert (n - 3) * n + n - 1 > 2**31


def test_wrong_use_is_refused(network: Network) -> None:
    """An unknown name lists the near ones; arrays that are no pairs and empty lists are told."""
    with pytest.raises(UnknownNameError, match="adamic_adar"):
        find_scorer("adamic_ader")
    for pairs in (
        (np.array([0]), np.array([1, 2])),
        (np.array([0]), np.array([10**6])),
        (np.array([-1]), np.array([1])),
    ):
        with pytest.raises(UsageError, match="row numbers below"):
            SCORERS["ppr"].score(network, pairs, DAY)
    for wish in ({"k": 0}, {"k": 1, "per_organisation": 0}):
        with pytest.raises(UsageError, match="no pairs"):
            top_pairs(network, "ppr", today=DAY, **wish)


@pytest.mark.parametrize("name", SCORERS)
def test_an_empty_network_and_one_without_untied_pairs_have_no_list(name: str) -> None:
    """No pair, no failure; isolates can be scored."""
    nobody = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    for pairs in ([], [("a", "b")]):
        network = Network.from_pairs(pairs)
        assert top_pairs(network, name, 5, today=DAY).height == 0
        assert SCORERS[name].score(network, nobody, DAY).size == 0
    assert top_pairs(Network.from_pairs([], organisations="ab"), name, 5, today=DAY).height == 1


def test_each_scorer_says_what_it_is() -> None:
    """Name and summary are ready for a page; the default is one of them, small networks have the fusion."""
    for name, scorer in SCORERS.items():
        assert scorer.name == name
        assert scorer.summary.startswith("Score by")
    assert default_scorer(Network.from_pairs([("a", "b")])) == "fusion"
    large = Network.from_pairs([], organisations=[f"o{i}" for i in range(5_000)])
    assert default_scorer(large) == "ppr_recency"


@pytest.mark.parametrize("name", ["common_neighbours", "adamic_adar", "resource_allocation"])
@pytest.mark.parametrize("per_organisation", [None, 3])
def test_lists_of_shared_partners_equal_those_of_all_pairs(
    network: Network, name: str, per_organisation: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sparse product gives the same list, also in small blocks and when the pairs above 0 are used up."""
    everything = len(network.organisations) ** 2
    monkeypatch.setattr(lists, "_CELLS_AT_ONCE", 50)
    quick = top_pairs(network, name, everything, today=DAY, per_organisation=per_organisation)
    plain = replace(SCORERS[name], worth=None)
    monkeypatch.setattr(lists, "find_scorer", lambda _: plain)
    slow = top_pairs(network, name, everything, today=DAY, per_organisation=per_organisation)
    assert quick.equals(slow)
    assert (slow["score"] == 0).any()


def test_a_list_of_a_large_network_takes_seconds() -> None:
    """Twenty thousand organisations in a ring of triangles: 200 million pairs, few of which share a partner."""
    count = 20_000
    ring = Network.from_pairs([(f"o{i:05}", f"o{(i + step) % count:05}") for i in range(count) for step in (1, 2)])
    best = top_pairs(ring, "common_neighbours", 10, today=DAY)
    assert best["score"].to_list() == [2.0] * 10
