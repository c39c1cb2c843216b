"""Triangles: each is listed once, with its three pairs, also around hubs."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import pytest

from graphkit.measures import triangles
from graphkit.network import Network


def _listed(network: Network) -> list[tuple[int, ...]]:
    """Name each triangle by its rows, as often as it is listed."""
    pairs = triangles.pairs_of(network.weights)
    row_of = {number: row for row, number in enumerate(pairs.rank.tolist())}
    found = []
    for block in triangles.triangles(pairs):
        for first, second, third in zip(*(part.tolist() for part in block), strict=True):
            assert pairs.lower[first] == pairs.lower[second]
            ends = (pairs.lower[first], pairs.upper[first], pairs.upper[second])
            assert (pairs.lower[third], pairs.upper[third]) == ends[1:]
            found.append(tuple(sorted(row_of[int(end)] for end in ends)))
    return sorted(found)


@pytest.mark.parametrize("at_once", [1, 7, 100_000])
@pytest.mark.parametrize("seed", range(20))
def test_every_triangle_is_listed_once(seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are found by asking of each three, whatever the size of the blocks."""
    monkeypatch.setattr(triangles, "_WEDGES_AT_ONCE", at_once)
    network = Network.from_networkx(nx.gnm_random_graph(3 + seed, seed * 4, seed=seed))
    structure = network.structure
    expected = [three for three in combinations(structure, 3) if all(map(structure.has_edge, three, three[1:] + three))]
    assert _listed(network) == expected


def test_a_hub_costs_no_more_than_its_pairs() -> None:
    """Around an organisation with 2,000 partners who stand in pairs, no more than 3,000 wedges are looked at."""
    pairs = triangles.pairs_of(Network.from_networkx(nx.windmill_graph(1000, 3)).weights)
    partners = [int(number) for number in pairs.starts[1:] - pairs.starts[:-1]]
    assert sum(number * (number - 1) // 2 for number in partners) <= 3000
    assert sum(first.size for first, *_ in triangles.triangles(pairs)) == 1000
