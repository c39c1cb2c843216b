"""Every measure that networkx has gives what networkx gives, on networks of every odd shape."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from itertools import combinations, permutations
from typing import TypeAlias

import igraph
import networkx as nx
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from graphkit.errors import MissingExtraError
from graphkit.measures import (
    MEASURES,
    brokers,
    cores,
    fast,
    groups,
    holes,
    measure,
    paths,
    position,
    reach,
    triangles,
)
from graphkit.network import COLUMNS, Network

Schemas: TypeAlias = dict[str, pl.Schema]
EXACT = {"rtol": 1e-12, "atol": 1e-12}
TIGHT = {"rel_tol": 1e-12, "abs_tol": 1e-12}


def network_of(graph: nx.Graph) -> Network:
    """Turn a graph of networkx into a network, its nodes named by text that sorts as they do."""
    names = {node: f"https://example.org/ü/{place:04}" for place, node in enumerate(graph)}
    edges = [(names[u], names[v], None, None, d.get("weight", 1), None) for u, v, d in graph.edges(data=True)]
    alone = [(names[node], *[None] * 5) for node in graph]
    frame = pl.DataFrame([*edges, *alone], schema=list(COLUMNS), orient="row", infer_schema_length=None)
    return Network.from_ties(frame.sample(fraction=1, shuffle=True, seed=1), directed=graph.is_directed())


def weighted(graph: nx.Graph, seed: int) -> nx.Graph:
    """Give each edge a weight from 0.1 to 5."""
    random = np.random.default_rng(seed)
    for *_, data in graph.edges(data=True):
        data["weight"] = float(random.uniform(0.1, 5))
    return graph


def lone(number: int) -> nx.Graph:
    """Make nodes without edges."""
    return nx.empty_graph(number)


UNDIRECTED: dict[str, Callable[[], nx.Graph]] = {
    "empty": nx.Graph,
    "one organisation": lambda: lone(1),
    "isolates": lambda: lone(4),
    "one tie": lambda: nx.path_graph(2),
    "one tie of weight 3 and an isolate": lambda: nx.disjoint_union(weighted(nx.path_graph(2), 3), lone(1)),
    "path": lambda: nx.path_graph(7),
    "star": lambda: nx.star_graph(6),
    "clique": lambda: nx.complete_graph(6),
    "ring": lambda: weighted(nx.cycle_graph(9), 1),
    "lollipop": lambda: weighted(nx.lollipop_graph(5, 4), 2),
    "barbell": lambda: nx.barbell_graph(4, 3),
    "several parts": lambda: nx.disjoint_union_all(
        [nx.barbell_graph(3, 2), nx.path_graph(5), lone(3), nx.star_graph(4), nx.cycle_graph(3)]
    ),
    "windmill of triangles": lambda: nx.windmill_graph(5, 3),
    "tree": lambda: nx.balanced_tree(2, 4),
    "karate club": nx.karate_club_graph,
    "sparse random": lambda: weighted(nx.gnm_random_graph(45, 42, seed=5), 5),
    "dense random": lambda: weighted(nx.gnm_random_graph(20, 90, seed=6), 6),
    "hubs": lambda: nx.barabasi_albert_graph(45, 2, seed=7),
}
DIRECTED: dict[str, Callable[[], nx.DiGraph]] = {
    "empty": nx.DiGraph,
    "isolates": lambda: nx.empty_graph(3, create_using=nx.DiGraph),
    "one grant": lambda: nx.path_graph(2, create_using=nx.DiGraph),
    "chain": lambda: nx.path_graph(6, create_using=nx.DiGraph),
    "both ways": lambda: weighted(nx.karate_club_graph().to_directed(), 8),
    "random with dead ends": lambda: weighted(nx.gnm_random_graph(40, 70, seed=9, directed=True), 9),
    "dense": lambda: weighted(nx.gnm_random_graph(15, 100, seed=10, directed=True), 10),
}
GRAPHS = {**UNDIRECTED, **{f"directed {name}": make for name, make in DIRECTED.items()}}


@pytest.fixture(params=GRAPHS, name="graph")
def graph_of_every_shape(request: pytest.FixtureRequest) -> nx.Graph:
    """Make a graph of networkx, its nodes in the order of their names."""
    return GRAPHS[request.param]()


@pytest.fixture(scope="module")
def usual() -> Schemas:
    """Note the schema of each measure on a network that lacks nothing."""
    network = network_of(nx.karate_club_graph())
    return {name: measure.function(network).schema for name, measure in MEASURES.items()}


def column(frame: pl.DataFrame, name: str) -> np.ndarray:
    """Return a column with null as nan, as networkx says it."""
    return frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def values(by_node: dict[object, float]) -> list[float]:
    """Return what networkx found, in the order of its nodes."""
    return list(by_node.values())


class TestPosition:
    """Degree, strength, core, paths and walks."""

    def test_degree(self, graph: nx.Graph) -> None:
        """Partners, and what comes in and goes out."""
        found = position.degree(network_of(graph))
        assert found["degree"].to_list() == [d for _, d in graph.to_undirected().degree()]
        ways = (graph.in_degree, graph.out_degree) if graph.is_directed() else (graph.degree, graph.degree)
        assert found["incoming"].to_list() == [d for _, d in ways[0]()]
        assert found["outgoing"].to_list() == [d for _, d in ways[1]()]

    def test_strength(self, graph: nx.Graph) -> None:
        """The weighted degree, in both directions where there are two."""
        expected = [d for _, d in graph.degree(weight="weight")]
        np.testing.assert_allclose(column(position.strength(network_of(graph)), "strength"), expected, **EXACT)

    @pytest.mark.parametrize("layers", [cores._MOST_LAYERS, 1])
    @pytest.mark.parametrize("few", [cores._FEW, 1000, 0])
    def test_coreness(self, graph: nx.Graph, layers: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """The core number, without direction: in layers large and small, and where there are too many of them."""
        monkeypatch.setattr(cores, "_MOST_LAYERS", layers)
        monkeypatch.setattr(cores, "_FEW", few)
        network, expected = network_of(graph), values(nx.core_number(graph.to_undirected()))
        assert position.coreness(network)["coreness"].to_list() == expected
        peeled = cores.cores_of(network.adjacency)
        assert layers == 1 or (peeled is not None and peeled.tolist() == expected)

    @pytest.mark.parametrize("width", [1, 3, 64])
    def test_betweenness(self, graph: nx.Graph, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """The share of shortest paths, along the direction, however many starting points are taken at once."""
        monkeypatch.setattr(paths, "_FEWEST", 1)
        monkeypatch.setattr(paths, "_CELLS_AT_ONCE", width * len(graph))
        found = column(position.betweenness(network_of(graph)), "betweenness")
        np.testing.assert_allclose(found, values(nx.betweenness_centrality(graph)), **EXACT)

    @pytest.mark.parametrize("ready", [True, False])
    def test_betweenness_of_long_paths(self, graph: nx.Graph, ready: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """The other ways, with networkit and without, in blocks of three."""
        blocks = position.row_blocks
        monkeypatch.setattr(position, "row_blocks", lambda n: blocks(n, cells=3 * n))
        monkeypatch.setattr(fast, "ready", lambda: ready)
        monkeypatch.setattr(position, "carried_by", lambda steps: None)
        found = column(position.betweenness(network_of(graph)), "betweenness")
        np.testing.assert_allclose(found, values(nx.betweenness_centrality(graph)), **EXACT)

    def test_closeness_in_small_blocks(self, graph: nx.Graph, monkeypatch: pytest.MonkeyPatch) -> None:
        """How many organisations are taken at once changes nothing."""
        blocks = position.row_blocks
        monkeypatch.setattr(position, "row_blocks", lambda n: blocks(n, cells=3 * n))
        found = column(position.closeness(network_of(graph)), "closeness")
        np.testing.assert_allclose(found, values(nx.closeness_centrality(graph)), **EXACT)

    def test_closeness(self, graph: nx.Graph) -> None:
        """Closeness scaled to the part that is reached, along the direction."""
        found = column(position.closeness(network_of(graph)), "closeness")
        np.testing.assert_allclose(found, values(nx.closeness_centrality(graph)), **EXACT)

    @pytest.mark.parametrize("alpha", [0.0, 0.5, 0.85, 0.95])
    def test_pagerank(self, graph: nx.Graph, alpha: float) -> None:
        """The random walker, with weights, direction and dead ends."""
        found = column(position.pagerank(network_of(graph), alpha=alpha), "pagerank")
        expected = nx.pagerank(graph, alpha=alpha, tol=1e-14, max_iter=2000)
        np.testing.assert_allclose(found, values(expected), rtol=0, atol=1e-11)
        assert not len(graph) or abs(found.sum() - 1) < 1e-12

    def test_personalised_pagerank(self, graph: nx.Graph) -> None:
        """Each row is networkx's walk with one seed."""
        found = position.personalised_pagerank(network_of(graph), steps=200)
        assert found.shape == (len(graph), len(graph))
        for row, seed in list(enumerate(graph))[:12]:
            expected = nx.pagerank(graph, personalization={seed: 1}, tol=1e-12, max_iter=2000)
            np.testing.assert_allclose(found[row], values(expected), rtol=0, atol=1e-9)

    def test_components(self, graph: nx.Graph) -> None:
        """Connected parts, without direction, the largest first."""
        found = position.components(network_of(graph))
        nodes = np.array(list(graph))
        parts = {frozenset(part) for part in nx.connected_components(graph.to_undirected())}
        mine = {frozenset(nodes[found["component"].to_numpy() == number].tolist()) for number in range(len(parts))}
        assert mine == parts
        by_number = found.unique("component").sort("component")
        assert by_number["component"].to_list() == list(range(len(parts)))
        assert by_number["size"].to_list() == sorted((len(part) for part in parts), reverse=True)

    def test_isolates(self, graph: nx.Graph) -> None:
        """Who has no tie."""
        network = network_of(graph)
        expected = [network.organisations[list(graph).index(node)] for node in nx.isolates(graph)]
        assert position.isolates(network)["organisation"].to_list() == expected


class TestHoles:
    """Burt's measures, with and without weights and direction."""

    @pytest.mark.parametrize("weight", [None, "weight"])
    def test_constraint(self, graph: nx.Graph, weight: str | None) -> None:
        """Node by node, not the matrix form of networkx."""
        found = holes.constraint(network_of(graph), weighted=weight is not None)
        expected = node_by_node(nx.constraint, graph, weight)
        np.testing.assert_allclose(column(found, "constraint"), expected, **EXACT)

    @pytest.mark.parametrize("weight", [None, "weight"])
    def test_effective_size_and_efficiency(self, graph: nx.Graph, weight: str | None) -> None:
        """Node by node, and divided by the number of partners."""
        network = network_of(graph)
        expected = node_by_node(nx.effective_size, graph, weight)
        found = holes.effective_size(network, weighted=weight is not None)
        np.testing.assert_allclose(column(found, "effective_size"), expected, **EXACT)
        partners = np.array([max(d, 1) for _, d in graph.to_undirected().degree()])
        found = holes.efficiency(network, weighted=weight is not None)
        np.testing.assert_allclose(column(found, "efficiency"), expected / partners, **EXACT)

    def test_constraint_in_small_blocks(self, graph: nx.Graph, monkeypatch: pytest.MonkeyPatch) -> None:
        """How many triangles are looked for at once changes nothing."""
        network = network_of(graph)
        whole = [holes.constraint(network), holes.effective_size(network)]
        monkeypatch.setattr(triangles, "_WEDGES_AT_ONCE", 5)
        assert_frame_equal(holes.constraint(network), whole[0], **TIGHT)
        assert_frame_equal(holes.effective_size(network), whole[1], **TIGHT)

    @pytest.mark.parametrize("name", UNDIRECTED)
    def test_constraint_of_igraph(self, name: str) -> None:
        """A second library says the same."""
        graph = UNDIRECTED[name]()
        other = igraph.Graph(n=len(graph), edges=list(nx.convert_node_labels_to_integers(graph).edges))
        other.es["weight"] = [data.get("weight", 1) for *_, data in graph.edges(data=True)]
        network = network_of(graph)
        for weight in (None, "weight"):
            found = column(holes.constraint(network, weighted=weight is not None), "constraint")
            np.testing.assert_allclose(found, other.constraint(weights=weight) if len(graph) else [], **EXACT)


def node_by_node(measure: Callable[..., dict[object, float]], graph: nx.Graph, weight: str | None) -> np.ndarray:
    """Return what networkx computes for each node by itself.

    There a node that only receives is taken for an isolate, which its own matrix form does not do; the measures
    add both directions, so such a node is computed with all edges turned round.
    """
    found = measure(graph, nodes=list(graph), weight=weight)
    if graph.is_directed():
        turned = measure(graph.reverse(), nodes=list(graph), weight=weight)
        found = {node: turned[node] if np.isnan(found[node]) else found[node] for node in graph}
    return np.array([found[node] for node in graph])


class TestBrokers:
    """Who and what holds the parts together."""

    def test_articulation(self, graph: nx.Graph) -> None:
        """Taking each organisation away and counting the pairs that lost each other."""
        network, plain = network_of(graph), graph.to_undirected()
        expected = []
        for place, node in enumerate(plain):
            rest = plain.subgraph(nx.node_connected_component(plain, node)) if len(plain) else plain
            sizes = [len(part) for part in nx.connected_components(rest.subgraph(set(rest) - {node}))]
            lost = sum(a * b for a, b in combinations(sizes, 2))
            if lost:
                share = 2 * lost / (len(plain) * (len(plain) - 1))
                expected.append((network.organisations[place], share, sum(sizes) - max(sizes)))
        found = brokers.articulation(network)
        assert_frame_equal(found, pl.DataFrame(expected, schema=found.schema, orient="row"), **TIGHT)
        nodes = list(plain)
        assert {nodes[network.rows[o]] for o in found["organisation"]} == set(nx.articulation_points(plain))

    def test_bridges(self, graph: nx.Graph) -> None:
        """Taking each tie away and measuring both sides."""
        network, plain = network_of(graph), graph.to_undirected()
        number = {node: place for place, node in enumerate(plain)}
        expected = []
        for pair in nx.bridges(plain):
            rest = plain.copy()
            rest.remove_edge(*pair)
            a, b = (len(nx.node_connected_component(rest, node)) for node in pair)
            ends = (network.organisations[place] for place in sorted(number[node] for node in pair))
            expected.append((*ends, 2 * a * b / (len(plain) * (len(plain) - 1)), min(a, b)))
        found = brokers.bridges(network)
        assert_frame_equal(found, pl.DataFrame(sorted(expected), schema=found.schema, orient="row"), **TIGHT)

    def test_brokerage(self, graph: nx.Graph) -> None:
        """Counting every chain of three by hand, some organisations without a group."""
        network = network_of(graph)
        sectors = dict(zip(graph, "xyzxyzzyxyxx?xzy" * 3, strict=False))
        known = {node: sector for node, sector in sectors.items() if sector != "?"}
        frame = pl.DataFrame(
            [(network.organisations[list(graph).index(node)], sector) for node, sector in known.items()],
            schema={"organisation": pl.String, "group": pl.String},
            orient="row",
        )
        found = brokers.brokerage(network, frame).drop("organisation")
        counts = {node: dict.fromkeys(found.columns, 0) for node in graph}
        for i, v, j in permutations(known, 3):
            if graph.has_edge(i, v) and graph.has_edge(v, j) and not graph.has_edge(i, j):
                counts[v][role(known[i], known[v], known[j])] += 1
                counts[v]["total"] += 1
        assert found.rows(named=True) == list(counts.values())


def role(i: str, v: str, j: str) -> str:
    """Name the role of v between i and j."""
    return {
        (True, True, True): "coordinator",
        (False, False, True): "itinerant",
        (False, True, False): "gatekeeper",
        (True, False, False): "representative",
        (False, False, False): "liaison",
    }[i == v, v == j, i == j]


class TestGroups:
    """Communities and what lies within and between groups."""

    def test_modularity(self, graph: nx.Graph) -> None:
        """Of communities and of a division at random."""
        network = network_of(graph)
        found = groups.communities(network)
        chance = network.table(group=np.arange(len(graph)) % 3)
        for division in (found, chance):
            parts: dict[int, set[object]] = {}
            for node, group in zip(graph, division["group"], strict=True):
                parts.setdefault(group, set()).add(node)
            if not graph.number_of_edges():
                assert np.isnan(groups.modularity(network, division))
                continue
            for resolution in (1.0, 0.7):
                expected = nx.community.modularity(graph, parts.values(), resolution=resolution)
                found_here = groups.modularity(network, division, resolution=resolution)
                np.testing.assert_allclose(found_here, expected, **EXACT)

    def test_communities_are_those_of_louvain(self, graph: nx.Graph) -> None:
        """On the nodes in order and the weights of both directions, with the same seed."""
        network = network_of(graph)
        plain = nx.empty_graph(len(graph))
        both = network.weights.toarray() + network.weights.toarray().T
        plain.add_weighted_edges_from((i, j, both[i, j]) for i, j in combinations(plain, 2) if both[i, j])
        expected = nx.community.louvain_communities(plain, seed=3)
        found = groups.communities(network, seed=3)["group"].to_numpy()
        assert {frozenset(np.flatnonzero(found == number).tolist()) for number in np.unique(found)} == {
            frozenset(part) for part in expected
        }
        ranked = sorted(expected, key=lambda part: (-len(part), min(part)))
        assert all(set(found[list(part)]) == {number} for number, part in enumerate(ranked))

    def test_group_ties_and_ei(self, graph: nx.Graph) -> None:
        """Counting every tie by hand, every fifth organisation without a group."""
        network = network_of(graph)
        codes = [None if place % 5 == 4 else f"g{place % 3}" for place in range(len(graph))]
        division = network.table(group=pl.Series(codes, dtype=pl.String))
        group_of = dict(zip(graph, codes, strict=True))
        table = groups.group_ties(network, division)
        for group, other, ties, weight, possible, _ in table.rows():
            pairs = permutations(graph, 2) if graph.is_directed() else combinations(graph, 2)
            ends = {group, other} if not graph.is_directed() else (group, other)
            kind = type(ends)
            here = [(u, v) for u, v in pairs if kind((group_of[u], group_of[v])) == ends]
            joined = [graph.edges[u, v].get("weight", 1) for u, v in here if graph.has_edge(u, v)]
            assert (ties, possible) == (len(joined), len(here))
            np.testing.assert_allclose(weight, sum(joined), **EXACT)
        plain = graph.to_undirected()
        inner = [(group_of[u], group_of[v]) for u, v in plain.edges if group_of[u] and group_of[v]]
        for group, size, internal, external, ei in groups.ei_index(network, division).rows():
            assert size == codes.count(group)
            assert internal == sum(a == b == group for a, b in inner)
            assert external == sum(a != b and group in (a, b) for a, b in inner)
            assert ei == ((external - internal) / (external + internal) if external + internal else None)
        overall = groups.ei_of_network(network, division)
        if inner:
            np.testing.assert_allclose(overall, sum(1 if a != b else -1 for a, b in inner) / len(inner))
        else:
            assert np.isnan(overall)


class TestFrames:
    """What all frames have in common."""

    def test_columns_are_those_declared_and_rows_are_sorted(self, graph: nx.Graph, usual: Schemas) -> None:
        """The registry tells the truth, also on an empty network; isolates have their row."""
        network = network_of(graph)
        for name, known in MEASURES.items():
            found = known.function(network)
            assert tuple(found.columns) == known.columns
            assert found.schema == usual[name]
            assert found.equals(found.sort(found.columns[: 2 if "source" in found.columns else 1]))
            if name not in {"isolates", "articulation", "bridges"}:
                assert found["organisation"].to_list() == list(network.organisations)

    @pytest.mark.parametrize("name", MEASURES)
    def test_the_order_of_rows_changes_nothing(self, name: str) -> None:
        """Shuffled and turned rows give the same frame to the last bit."""
        graph = weighted(nx.gnm_random_graph(50, 90, seed=11), 11)
        rows = [
            (f"{u:02}", f"{v:02}", f"a{(u + v) % 9}", None, d["weight"], None) for u, v, d in graph.edges(data=True)
        ]
        frame = pl.DataFrame(rows, schema=list(COLUMNS), orient="row", infer_schema_length=None)
        turned = frame.select(pl.col("target").alias("source"), pl.col("source").alias("target"), *COLUMNS[2:])
        first = MEASURES[name].function(Network.from_ties(frame))
        for seed in range(3):
            mixed = pl.concat([frame, turned]).sample(fraction=1, shuffle=True, seed=seed)
            assert MEASURES[name].function(Network.from_ties(mixed)).equals(first)


class TestLinguaFranca:
    """Every measure takes a networkx graph, and faster libraries give the same numbers."""

    @pytest.mark.parametrize("name", MEASURES)
    def test_every_measure_takes_a_networkx_graph(self, graph: nx.Graph, name: str) -> None:
        """A graph that networkx holds gives what the network gives from which it was exported."""
        network = network_of(graph)
        assert_frame_equal(measure(name, network.to_networkx()), measure(name, network), check_exact=False)

    def test_numbers_of_the_whole_take_a_graph(self) -> None:
        """Efficiency and the share of connected pairs of a path of three."""
        assert reach.global_efficiency(nx.path_graph(3)) == pytest.approx(nx.global_efficiency(nx.path_graph(3)))
        assert reach.connected_share(nx.path_graph(3)) == 1

    def test_communities_of_networkit_are_as_good_and_the_same_every_time(self) -> None:
        """By modularity within 2% of those of networkx, or better; the seed decides."""
        network = network_of(nx.planted_partition_graph(6, 20, 0.4, 0.02, seed=1))
        one, again = (groups.communities(network, engine="networkit", seed=3) for _ in range(2))
        assert one.equals(again)
        plain = groups.modularity(network, groups.communities(network))
        assert groups.modularity(network, one) >= 0.98 * plain

    def test_a_network_is_handed_over_once_and_let_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A second division reads what networkit holds; nothing of it outlives the network."""
        handed: list[object] = []
        hand_over = fast._graph
        monkeypatch.setattr(fast, "_graph", lambda *given, **named: handed.append(1) or hand_over(*given, **named))
        held = len(fast._HANDED_OVER)
        network = network_of(nx.planted_partition_graph(3, 10, 0.5, 0.05, seed=1))
        several = [groups.communities(network, engine="networkit", resolution=each) for each in (0.5, 1, 1, 4)]
        assert len(handed) == 1
        assert several[1].equals(several[2])
        assert several[0]["group"].n_unique() < several[3]["group"].n_unique()
        assert len(fast._HANDED_OVER) == held + 1
        del network
        gc.collect()
        assert len(fast._HANDED_OVER) == held

    def test_without_networkit_the_install_line_is_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Asking for its communities says what to install."""
        monkeypatch.setitem(sys.modules, "networkit", None)
        with pytest.raises(MissingExtraError, match="networkit") as caught:
            groups.communities(Network.from_pairs([("a", "b")]), engine="networkit")
        assert "solidarity-graphkit[fast]" in str(caught.value)
