"""Networks and measures beside networkx and igraph: seconds for each and how many times slower the others are.

Run `python benchmarks/measures.py [--ties 100000] [--patience 60] [--seed 1]`. The network is drawn from a seeded
generator: activities of 2 to 12 organisations, a few organisations in many. Sizes rise tenfold from 1,000 ties to
the largest; what a library has not, or what took so long or would need so much memory that the next size is
hopeless, is left out as "-". Ours answers with a frame and reads the adjacency that the network already holds.
"constraint, 50 named" is the other form that networkx has, node by node, for 50 organisations; ours does all.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from time import perf_counter

import igraph
import networkx as nx
import numpy as np
import polars as pl
from networkx.algorithms import bipartite
from rich.console import Console
from rich.table import Table

from graphkit.measures import brokers, groups, holes, position
from graphkit.network import COLUMNS, Network, recency_weights

GROWTH = 10
DENSE_CELLS = 30_000_000
TODAY = date(2026, 1, 1)
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


def jobs(frame: pl.DataFrame) -> dict[str, tuple[Job, Job | None, Job | None]]:
    """Name the jobs: ours, that of networkx, that of igraph (None where the library has no such thing)."""
    network = Network.from_ties(frame)
    graph = network.to_networkx()
    other = igraph.Graph.from_networkx(graph)
    plain, two_mode = sides(network)
    n = len(network.organisations)
    pairs = frame.select("source", "target").rows()
    warm = (network.weights, network.adjacency, network.steps, network.incidence, network.structure)
    assert all(part is not None for part in warm)

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
        "rows to weights": (lambda: Network.from_ties(frame).weights, read_networkx, read_igraph),
        "to_networkx": (network.to_networkx, None, None),
        "projection": (
            lambda: network.incidence @ network.incidence.T,
            lambda: bipartite.weighted_projected_graph(plain, range(n)),
            lambda: two_mode.bipartite_projection(which=0),
        ),
        "recency weights": (
            lambda: recency_weights(network, TODAY),
            lambda: bipartite.collaboration_weighted_projected_graph(plain, range(n)),
            None,
        ),
        "constraint": (
            lambda: holes.constraint(network),
            lambda: nx.constraint(graph, weight="weight"),
            lambda: other.constraint(weights="weight"),
        ),
        "constraint, 50 named": (
            lambda: holes.constraint(network),
            lambda: nx.constraint(graph, nodes=list(graph)[:50], weight="weight"),
            lambda: other.constraint(range(50), weights="weight"),
        ),
        "effective size": (
            lambda: holes.effective_size(network),
            (lambda: nx.effective_size(graph, weight="weight")) if dense else None,
            None,
        ),
        "articulation": (
            lambda: brokers.articulation(network),
            lambda: list(nx.articulation_points(graph)),
            other.articulation_points,
        ),
        "bridges": (lambda: brokers.bridges(network), lambda: list(nx.bridges(graph)), other.bridges),
        "coreness": (lambda: position.coreness(network), lambda: nx.core_number(graph), other.coreness),
        "betweenness": (
            lambda: position.betweenness(network),
            lambda: nx.betweenness_centrality(graph),
            other.betweenness,
        ),
        "pagerank": (
            lambda: position.pagerank(network),
            lambda: nx.pagerank(graph, tol=1e-12, max_iter=1000),
            lambda: other.pagerank(weights="weight"),
        ),
        "walks of 100 seeds": (
            lambda: position.personalised_pagerank(network, rows=range(min(n, 100)), steps=40),
            lambda: [nx.pagerank(graph, personalization={seed: 1}) for seed in list(graph)[:100]],
            lambda: [other.personalized_pagerank(reset_vertices=[seed]) for seed in range(min(n, 100))],
        ),
        "communities": (
            lambda: groups.communities(network),
            lambda: nx.community.louvain_communities(graph, seed=0),
            lambda: other.community_multilevel(weights="weight"),
        ),
    }


def seconds(job: Job) -> float:
    """Time a job: the best of three where it is quick, else the only run."""
    best = float("inf")
    for _ in range(3):
        gc.collect()
        start = perf_counter()
        job()
        best = min(best, perf_counter() - start)
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


def measured(ties: int, seed: int, clock: Clock) -> Table:
    """Run all jobs on a network of `ties` ties and lay out the seconds and ratios."""
    frame = draw(ties, seed)
    network = Network.from_ties(frame)
    table = Table("job", "ours, s", "networkx, s", "times", "igraph, s", "times", title=repr(network))
    for name, runs in jobs(frame).items():
        ours, *others = (clock.time(name, who, job) for who, job in enumerate(runs))
        cells = [f"{ours:.4f}" if ours is not None else "-"]
        for other in others:
            cells.append(f"{other:.4f}" if other is not None else "-")
            cells.append(f"{other / ours:.1f}" if ours and other is not None else "-")
        table.add_row(name, *cells)
    return table


def main() -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ties", type=int, default=10_000, help="the largest size (default 10000)")
    parser.add_argument("--patience", type=float, default=60, help="seconds that one job may take (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the generator (default 1)")
    wishes = parser.parse_args()
    clock, ties = Clock(wishes.patience), min(1000, wishes.ties)
    console = Console(width=110)
    while ties <= wishes.ties:
        console.print(measured(ties, wishes.seed, clock))
        ties *= GROWTH


if __name__ == "__main__":
    main()
