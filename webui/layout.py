"""Where organisations are drawn: each connected part by itself, the parts packed side by side, isolates below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from graphkit.network import Network

__all__ = ["places"]

Points = NDArray[np.float64]

_SEED = 7
_EXACT_AT_MOST = 150
_GAP = 1.0
_ISOLATES_APART = 1.0
_INSIDE = 3.0


def places(network: Network, communities: Mapping[str, int], hints: Iterable[tuple[str, str]] = ()) -> Points:
    """Return x and y of each organisation, organisations x 2, in the same order for the same network.

    `hints` are suggested ties: they hold together what is drawn dashed, but more loosely. Parts with many
    organisations get more room; inside a part, springs between members of one community pull
    more. Up to 150 organisations of a part are placed by distances (Kamada and Kawai 1989), more by springs
    (Fruchterman and Reingold 1991).
    """
    graph = _pulled(network, communities)
    _add_hints(graph, network, hints)
    spots = np.zeros((len(network.organisations), 2))
    parts = sorted((sorted(part) for part in nx.connected_components(graph)), key=lambda part: (-len(part), part[0]))
    joined = [part for part in parts if len(part) > 1]
    width, bottom = _pack(spots, graph, joined)
    _line_up(spots, [part[0] for part in parts if len(part) == 1], width, bottom)
    return spots


def _pulled(network: Network, communities: Mapping[str, int]) -> nx.Graph[int]:
    """Return the network with stronger and shorter springs inside a community."""
    graph = network.structure.copy()
    names = network.organisations
    for first, second, tie in graph.edges(data=True):
        inside = communities[names[first]] == communities[names[second]]
        tie.update(pull=_INSIDE if inside else 1.0, length=1.0 if inside else _INSIDE / 2)
    return graph


def _add_hints(graph: nx.Graph[int], network: Network, hints: Iterable[tuple[str, str]]) -> None:
    for first, second in hints:
        pair = network.rows[first], network.rows[second]
        if not graph.has_edge(*pair):
            graph.add_edge(*pair, pull=1 / _INSIDE, length=_INSIDE / 2)


def _pack(spots: Points, graph: nx.Graph[int], parts: list[list[int]]) -> tuple[float, float]:
    """Place the parts in rows, the largest first, and return the width and the lowest y."""
    sizes = [np.sqrt(len(part)) * 2 for part in parts]
    width = max([*sizes, 2 * np.sqrt(sum(size**2 for size in sizes))], default=8.0)
    x = y = height = 0.0
    for part, size in zip(parts, sizes, strict=True):
        if x and x + size > width:
            x, y, height = 0.0, y - height - _GAP, 0.0
        centre = np.array([x + size / 2, y - size / 2])
        spots[part] = _placed(graph.subgraph(part)) * size / 2 + centre
        x, height = x + size + _GAP, max(height, size)
    return width, y - height


def _placed(part: nx.Graph[int]) -> Points:
    """Place one connected part within the square from -1 to 1."""
    rows = sorted(part)
    if len(rows) <= _EXACT_AT_MOST:
        found = nx.kamada_kawai_layout(part, weight="length", pos=nx.circular_layout(part))
    else:
        found = nx.spring_layout(part, seed=_SEED, iterations=200, weight="pull")
    points = np.array([found[row] for row in rows])
    points -= (points.max(axis=0) + points.min(axis=0)) / 2
    reach: float = np.abs(points).max()
    return points / reach if reach > 0 else points


def _line_up(spots: Points, alone: list[int], width: float, bottom: float) -> None:
    """Place the isolates in rows below the rest."""
    in_a_row = max(8, int(width / _ISOLATES_APART) + 1)
    starts = range(0, len(alone) + in_a_row, in_a_row)
    for line, (start, end) in enumerate(pairwise(starts)):
        members = alone[start:end]
        spots[members, 0] = np.linspace(0, width, in_a_row)[: len(members)]
        spots[members, 1] = bottom - _GAP - line * _ISOLATES_APART
