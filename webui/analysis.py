"""What several pages show of one version of the graph, computed once: gaps, networks, communities, layouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from threading import Lock

import networkx as nx
import numpy as np
import polars as pl
from numpy.typing import NDArray

from graphkit import queries
from graphkit.gaps import GapReport, find_gaps
from graphkit.measures import groups, position
from graphkit.network import Network, load_network
from graphkit.store import Store, Version

__all__ = ["Analysis", "Picture", "network_names"]

_SEED = 7
_ISOLATES_IN_A_ROW = 12


@dataclass(frozen=True, eq=False)
class Picture:
    """A network as it is drawn: a row for each organisation with its community, degree and place."""

    network: Network
    organisations: pl.DataFrame
    communities: pl.DataFrame


class Analysis:
    """Answers about the newest version of a store; a new version is computed anew, an old one is forgotten."""

    def __init__(self, store: Store, today: date | None = None) -> None:
        self.store = store
        self._today = today
        self._lock = Lock()
        self._current: _OfVersion | None = None

    @property
    def report(self) -> GapReport:
        """The gaps of the newest version."""
        return self._newest().report

    def picture(self, name: str) -> Picture:
        """Return the network of the query `name` with communities and places."""
        return self._newest().picture(name)

    def _newest(self) -> _OfVersion:
        with self._lock:
            version = self.store.version
            if self._current is None or self._current.version != version:
                self._current = _OfVersion(self.store, version, self._today)
            return self._current


class _OfVersion:
    def __init__(self, store: Store, version: Version | None, today: date | None) -> None:
        self.store, self.version, self.today = store, version, today
        self.picture = lru_cache(maxsize=16)(self._picture)

    @cached_property
    def report(self) -> GapReport:
        return find_gaps(self.store, today=self.today)

    def _picture(self, name: str) -> Picture:
        network = load_network(self.store, name)
        found = groups.communities(network)
        known = queries.run(self.store, "gaps/organisations").select("organisation", "label", "kind")
        places = queries.run(self.store, "gaps/places").group_by("organisation").agg(region=pl.col("label").min())
        spots = _places(network, dict(found.rows()))
        rows = (
            position.degree(network)
            .select("organisation", "degree")
            .join(found, on="organisation")
            .join(known, on="organisation", how="left")
            .join(places, on="organisation", how="left")
            .with_columns(pl.col("label").fill_null(pl.col("organisation")), pl.col("kind").fill_null("not known"))
            .with_columns(x=spots[:, 0], y=spots[:, 1])
        )
        return Picture(network, rows, _named_communities(rows))


def _named_communities(rows: pl.DataFrame) -> pl.DataFrame:
    """Name each community of two or more after its best connected member; the isolates are one row."""
    ranked = rows.sort("degree", "organisation", descending=[True, False])
    return (
        ranked.group_by("group", maintain_order=True)
        .agg(size=pl.len(), label=pl.format("around {}", pl.col("label").first()), degree=pl.col("degree").max())
        .filter(pl.col("degree") > 0)
        .select("group", "label", "size")
        .sort("group")
    )


def _places(network: Network, communities: Mapping[str, int]) -> NDArray[np.float64]:
    """Place the organisations: joined ones by springs that hold communities together, isolates in rows below."""
    graph = network.structure
    degrees = np.asarray(network.adjacency.sum(axis=1))
    spots = np.zeros((len(degrees), 2))
    joined = [row for row in graph if degrees[row] > 0]
    if joined:
        found = nx.spring_layout(_held_together(network, communities), seed=_SEED, iterations=200, weight="pull")
        for row in joined:
            spots[row] = found[row]
    alone = np.flatnonzero(degrees == 0)
    spots[alone, 0] = (np.arange(alone.size) % _ISOLATES_IN_A_ROW) / (_ISOLATES_IN_A_ROW - 1) * 2 - 1
    spots[alone, 1] = -1.25 - 0.12 * (np.arange(alone.size) // _ISOLATES_IN_A_ROW)
    return spots


def _held_together(network: Network, communities: Mapping[str, int]) -> nx.Graph[int]:
    """Return the joined organisations with stronger springs inside a community."""
    graph = network.structure.copy()
    graph.remove_nodes_from(list(nx.isolates(graph)))
    names = network.organisations
    for first, second, tie in graph.edges(data=True):
        tie["pull"] = 3.0 if communities[names[first]] == communities[names[second]] else 1.0
    return graph


def network_names() -> list[str]:
    """Return the names of the network queries that can be drawn."""
    return [name for name in queries.catalogue() if name.startswith("networks/")]
