"""Measures: pure functions from a network to a frame, each known by its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import networkx as nx
import polars as pl

from graphkit.errors import unknown_name
from graphkit.measures import brokers, groups, holes, position
from graphkit.network import Network

__all__ = ["MEASURES", "Measure", "measure"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure that needs nothing but a network: its name, its summary, the columns of its frame."""

    name: str
    summary: str
    columns: tuple[str, ...]
    function: Callable[[Network | nx.Graph[Any]], pl.DataFrame]


def _known(function: Callable[[Network | nx.Graph[Any]], pl.DataFrame], *columns: str) -> Measure:
    name = function.__name__
    return Measure(name, (inspect.getdoc(function) or name).splitlines()[0], columns, function)


def _by_name(*measures: Measure) -> Mapping[str, Measure]:
    return MappingProxyType({measure.name: measure for measure in measures})


MEASURES: Final[Mapping[str, Measure]] = _by_name(
    _known(position.degree, "organisation", "degree", "incoming", "outgoing"),
    _known(position.strength, "organisation", "strength", "incoming", "outgoing"),
    _known(position.coreness, "organisation", "coreness"),
    _known(position.betweenness, "organisation", "betweenness"),
    _known(position.closeness, "organisation", "closeness"),
    _known(position.pagerank, "organisation", "pagerank"),
    _known(position.components, "organisation", "component", "size"),
    _known(position.isolates, "organisation"),
    _known(holes.constraint, "organisation", "constraint"),
    _known(holes.effective_size, "organisation", "effective_size"),
    _known(holes.efficiency, "organisation", "efficiency"),
    _known(brokers.articulation, "organisation", "pairs_cut", "cut_off"),
    _known(brokers.bridges, "source", "target", "pairs_cut", "cut_off"),
    _known(groups.communities, "organisation", "group"),
)
"""The measures by name, in the order of their modules."""


def measure(name: str, network: Network | nx.Graph[Any]) -> pl.DataFrame:
    """Run the measure called `name` on a network, or on a networkx graph.

    Raises `UnknownNameError` that lists the near names.

    >>> measure("degree", Network.from_pairs([("a", "b")])).rows()
    [('a', 1, 1, 1), ('b', 1, 1, 1)]
    """
    if name not in MEASURES:
        raise unknown_name("measure", name, MEASURES)
    return MEASURES[name].function(network)
