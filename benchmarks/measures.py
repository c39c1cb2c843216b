"""Networks and measures beside networkx, igraph and networkit: seconds, and how many times slower the others are.

Run `python benchmarks/measures.py [--ties 1000000] [--patience 60] [--seed 1] [--job articulation]`. The network is
drawn from a seeded generator: activities of 2 to 12 organisations, a few organisations in many. Sizes rise tenfold from
1,000 ties to the largest; what a library has not, or what took so long or would need so much memory that the next size
is hopeless, is left out as "-". Seconds are those of the processor, of all threads together, so that other work on the
machine does not count.

Everybody starts from the network in a form of its own, built beforehand: networkx, igraph and networkit from their
graphs, ours from a `Network` whose matrices and names stand. No result is kept from one run to the next. Ours answers
with a frame and names, the others with lists or dictionaries of numbers. What building costs is told by "rows to
weights", "to_networkx" and "graph of networkit"; that one ours of "communities" makes too, once for each network.

The last lines name where the aims are missed: 20 times as fast as networkx, never slower than twice the best peer; what
takes ours less than 5 ms is fast enough. "constraint, 50 named" is the other form that networkx has, node by node, for
50 organisations; ours does all.
"""

from __future__ import annotations

import argparse
import gc
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from time import process_time

import igraph
import networkit
import networkx as nx
import numpy as np
import polars as pl
from networkx.algorithms import bipartite
from rich.console import Console
from rich.table import Table
from scipy import sparse

from graphkit.gaps.lists import top_pairs
from graphkit.measures import brokers, fast, groups, holes, position
from graphkit.network import COLUMNS, Network, recency_weights

GROWTH = 10
DENSE_CELLS = 30_000_000
TODAY = date(2026, 1, 1)
PEERS = ("networkx", "igraph", "networkit")
BEST = 100
TIMES_NETWORKX, TIMES_BEST, FAST_ENOUGH = 20, 2, 0.005
Job = Callable[[], object]


def draw(ties: int, seed: int) -> pl.DataFrame:
    """Draw consortia until about `ties` pairs are joined; return the rows of a network query."""
    random = np.random.default_rng(seed)
    organisations = max(ties // 5, 10)
    rows, activity = [], 0
    while len(rows) < ties:
        size = int(random.integers(2, 13))
        members = np.unique((organisations * random.power(0.6, size)).astype(int))
        day = date(int(random.integers(2010, 2026)), 1, 1)
        first, second = np.triu_indices(members.size, 1)
        rows += [
            (f"https://example.org/o{a}", f"https://example.org/o{b}", f"https://example.org/a{activity}", day)
            for a, b in zip(members[first], members[second], strict=True)
        ]
        activity += 1
    frame = pl.DataFrame(rows[:ties], schema=list(COLUMNS[:4]), orient="row")
    return frame.with_columns(weight=None, kind=pl.lit("participation")).sample(fraction=1, shuffle=True, seed=seed)


def sides(network: Network) -> tuple[nx.Graph, igraph.Graph]:
    """Give who takes part in what as a two-mode graph for each library."""
    cells = network.incidence.tocoo()
    n = len(network.organisations)
    pairs = list(zip(cells.row.tolist(), (cells.col + n).tolist(), strict=True))
    plain = nx.Graph()
    plain.add_nodes_from(range(n + len(network.activities)))
    plain.add_edges_from(pairs)
    types = [False] * n + [True] * len(network.activities)
    return plain, igraph.Graph.Bipartite(types, pairs)


def built_networkit(network: Network) -> networkit.Graph:
    """Give the network to networkit, with weights."""
    upper = sparse.triu(network.weights, 1).tocoo()
    graph = networkit.Graph(len(network.organisations), weighted=True)
    graph.addEdges((upper.data, (upper.row, upper.col)), checkMultiEdge=False)
    return graph


def best_of_networkx(graph: nx.Graph) -> list[tuple[float, str, str]]:
    """Score all pairs without a tie and keep the best."""
    found = ((score, one, other) for one, other, score in nx.adamic_adar_index(graph))
    return heapq.nlargest(BEST, found)


def best_of_igraph(graph: igraph.Graph) -> np.ndarray:
    """Score all pairs as one dense table and keep the best without a tie."""
    scores = np.array(graph.similarity_inverse_log_weighted())
    scores[tuple(np.array(graph.get_edgelist()).T)] = 0
    scores = np.triu(scores, 1).ravel()
    return np.argpartition(scores, -BEST)[-BEST:]


def best_of_networkit(graph: networkit.Graph) -> list[tuple[tuple[int, int], float]]:
    """Score the pairs two steps apart and keep the best."""
    pairs = networkit.linkprediction.MissingLinksFinder(graph).findAtDistance(2)
    scores = networkit.linkprediction.AdamicAdarIndex(graph).runOn(pairs)
    return heapq.nlargest(BEST, scores, key=lambda each: each[1])


def jobs(frame: pl.DataFrame) -> dict[str, tuple[Job | None, ...]]:
    """Name the jobs: ours, then those of `PEERS` (None where a library has no such thing)."""
    network = Network.from_ties(frame)
    graph = network.to_networkx()
    other = igraph.Graph.from_networkx(graph)
    third = built_networkit(network)
    plain, two_mode = sides(network)
    n = len(network.organisations)
    pairs = frame.select("source", "target").rows()
    matrices = (network.weights, network.adjacency, network.steps, network.incidence)
    assert all(part is not None for part in (*matrices, network.names, fast.handed_over(network)))

    def read_networkx() -> nx.Graph:
        built = nx.Graph()
        for source, target in pairs:
            weight = built.edges[source, target]["weight"] if built.has_edge(source, target) else 0
            built.add_edge(source, target, weight=weight + 1)
        return built

    def read_igraph() -> igraph.Graph:
        built = igraph.Graph.TupleList(pairs)
        built.es["weight"] = 1
        return built.simplify(combine_edges="sum")

    dense = n * n <= DENSE_CELLS
    return {
        "rows to weights": (lambda: Network.from_ties(frame).weights, read_networkx, read_igraph, None),
        "to_networkx": (network.to_networkx, None, None, None),
        "graph of networkit": (None, None, None, lambda: built_networkit(network)),
        "projection": (
            lambda: network.incidence @ network.incidence.T,
            lambda: bipartite.weighted_projected_graph(plain, range(n)),
            lambda: two_mode.bipartite_projection(which=0),
            None,
        ),
        "recency weights": (
            lambda: recency_weights(network, TODAY),
            lambda: bipartite.collaboration_weighted_projected_graph(plain, range(n)),
            None,
            None,
        ),
        f"Adamic-Adar, best {BEST}": (
            lambda: top_pairs(network, "adamic_adar", BEST, today=TODAY),
            lambda: best_of_networkx(graph),
            (lambda: best_of_igraph(other)) if dense else None,
            lambda: best_of_networkit(third),
        ),
        "constraint": (
            lambda: holes.constraint(network),
            lambda: nx.constraint(graph, weight="weight"),
            lambda: other.constraint(weights="weight"),
            None,
        ),
        "constraint, 50 named": (
            lambda: holes.constraint(network),
            lambda: nx.constraint(graph, nodes=list(graph)[:50], weight="weight"),
            lambda: other.constraint(range(50), weights="weight"),
            None,
        ),
        "effective size": (
            lambda: holes.effective_size(network),
            (lambda: nx.effective_size(graph, weight="weight")) if dense else None,
            None,
            None,
        ),
        "articulation": (
            lambda: brokers.articulation(network),
            lambda: list(nx.articulation_points(graph)),
            other.articulation_points,
            lambda: networkit.components.BiconnectedComponents(third).run().getComponents(),
        ),
        "bridges": (
            lambda: brokers.bridges(network),
            lambda: list(nx.bridges(graph)),
            other.bridges,
            lambda: networkit.components.BiconnectedComponents(third).run().getComponents(),
        ),
        "coreness": (
            lambda: position.coreness(network),
            lambda: nx.core_number(graph),
            other.coreness,
            lambda: networkit.centrality.CoreDecomposition(third).run().scores(),
        ),
        "betweenness": (
            lambda: position.betweenness(network),
            lambda: nx.betweenness_centrality(graph),
            other.betweenness,
            lambda: networkit.centrality.Betweenness(third, normalized=True).run().scores(),
        ),
        "pagerank": (
            lambda: position.pagerank(network),
            lambda: nx.pagerank(graph, tol=1e-12, max_iter=1000),
            lambda: other.pagerank(weights="weight"),
            lambda: networkit.centrality.PageRank(third, tol=1e-12).run().scores(),
        ),
        "walks of 100 seeds": (
            lambda: position.personalised_pagerank(network, rows=range(min(n, 100)), steps=40),
            lambda: [nx.pagerank(graph, personalization={seed: 1}) for seed in list(graph)[:100]],
            lambda: [other.personalized_pagerank(reset_vertices=[seed]) for seed in range(min(n, 100))],
            None,
        ),
        "communities": (
            lambda: groups.communities(network, engine="networkit"),
            lambda: nx.community.louvain_communities(graph, seed=0),
            lambda: other.community_multilevel(weights="weight"),
            lambda: networkit.community.PLM(third, refine=True).run().getPartition(),
        ),
    }


def seconds(job: Job) -> float:
    """Time a job: the best of three where it is quick, else the only run."""
    best = float("inf")
    for _ in range(3):
        gc.collect()
        start = process_time()
        job()
        best = min(best, process_time() - start)
        if best > 1:
            break
    return best


@dataclass
class Clock:
    """Time the jobs and leave out those that would outlast the patience at the next size."""

    patience: float
    hopeless: set[tuple[str, int]] = field(default_factory=set)

    def time(self, name: str, who: int, job: Job | None) -> float | None:
        """Return the seconds, or None where the job does not exist or is hopeless."""
        if job is None or (name, who) in self.hopeless:
            return None
        took = seconds(job)
        if took * GROWTH**2 > self.patience:
            self.hopeless.add((name, who))
        return took


def measured(ties: int, seed: int, clock: Clock, only: Sequence[str]) -> tuple[Table, list[str]]:
    """Run the jobs on a network of `ties` ties; lay out the seconds and ratios, and name the aims that are missed."""
    frame = draw(ties, seed)
    network = Network.from_ties(frame)
    titles = [title for peer in PEERS for title in (f"{peer}, s", "times")]
    table = Table("job", "ours, s", *titles, title=repr(network))
    missed = []
    for name, runs in jobs(frame).items():
        if only and not any(word in name for word in only):
            continue
        ours, *others = (clock.time(name, who, job) for who, job in enumerate(runs))
        cells = [f"{ours:.4f}" if ours is not None else "-"]
        for other in others:
            cells.append(f"{other:.4f}" if other is not None else "-")
            cells.append(f"{other / ours:.1f}" if ours and other is not None else "-")
        table.add_row(name, *cells)
        missed += aims_missed(f"{name} at {ties:,}", ours, others)
    return table, missed


def aims_missed(name: str, ours: float | None, others: Sequence[float | None]) -> list[str]:
    """Say in which of the two aims a job falls short; what takes ours less than 5 ms is fast enough."""
    if ours is None or ours < FAST_ENOUGH:
        return []
    networkx, *_ = others
    best = min((other for other in others if other is not None), default=None)
    said = []
    if networkx is not None and networkx / ours < TIMES_NETWORKX:
        said.append(f"{name}: {networkx / ours:.1f} times networkx (aim {TIMES_NETWORKX})")
    if best is not None and ours / best > TIMES_BEST:
        said.append(f"{name}: {ours / best:.1f} times as long as the best peer (aim {TIMES_BEST})")
    return said


def main() -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ties", type=int, default=10_000, help="the largest size (default 10000)")
    parser.add_argument("--patience", type=float, default=60, help="seconds that one job may take (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the generator (default 1)")
    parser.add_argument("--job", action="append", default=[], help="only jobs whose name has this; may be repeated")
    wishes = parser.parse_args()
    networkit.setNumberOfThreads(1)
    clock, ties = Clock(wishes.patience), min(1000, wishes.ties)
    console, missed = Console(width=130), []
    while ties <= wishes.ties:
        table, more = measured(ties, wishes.seed, clock, wishes.job)
        console.print(table)
        missed += more
        ties *= GROWTH
    console.print("\n".join(["Aims that are missed:", *missed]) if missed else "No aim is missed.")


if __name__ == "__main__":
    main()
