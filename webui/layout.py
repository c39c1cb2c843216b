"""Where organisations are drawn: small networks by distances, large ones as communities with their members inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from graphkit.network import Network

__all__ = ["Layout", "around", "lay_out", "places"]

Points = NDArray[np.float64]
Ints = NDArray[np.int64]

_SEED: Final = 7
_EXACT_AT_MOST: Final = 150
_SMALL: Final = 300
"""Up to so many organisations with a tie each connected part is placed as a whole."""
_ROOM: Final = 0.62
"""The radius of the disc of a community is this times the root of its members."""
_APART: Final = 1.12
_FORCED: Final = 400
"""Members of a larger community are placed on a spiral; springs would take too long and show nothing."""
_ROUNDS: Final = 50
_VERY_LARGE: Final = 20_000
"""Members are placed with half the rounds in a network of so many organisations, which takes long enough."""
_GAP: Final = 1.0
_ISOLATES_APART: Final = 1.0
_INSIDE: Final = 3.0
_PAIR: Final = 2
_TOUCHING: Final = 1e-3
_NEAREST: Final = 1e-8
_GOLDEN: Final = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True, eq=False)
class Layout:
    """The community (0 = largest) and the place of each organisation, in the order of the network.

    `centres` are the middle and the radius of each community, communities x 3.
    """

    groups: Ints
    spots: Points
    centres: Points


def lay_out(network: Network, groups: Ints, hints: Iterable[tuple[str, str]] = ()) -> Layout:
    """Place the organisations of a network that is divided into `groups`; the same network gives the same places.

    A small network is placed by `places`. In a large one each community is a disc: the discs repel each other and are
    drawn together by the ties between them (Fruchterman and Reingold 1991), and members are placed inside their disc by
    the ties among them. Communities without a tie to others stand below.
    """
    joined = int((np.diff(network.adjacency.indptr) > 0).sum())
    if joined <= _SMALL:
        names = network.organisations
        spots = places(network, dict(zip(names, groups.tolist(), strict=True)), hints)
        return Layout(groups, spots, _middles(spots, groups))
    return _in_discs(network, groups)


def places(network: Network, communities: Mapping[str, int], hints: Iterable[tuple[str, str]] = ()) -> Points:
    """Return x and y of each organisation, organisations x 2: each connected part by itself, the parts side by side.

    `hints` are suggested ties: they hold together what is drawn dashed, but more loosely. Parts with many
    organisations get more room; inside a part, springs between members of one community pull more. Up to 150
    organisations of a part are placed by distances (Kamada and Kawai 1989), more by springs (Fruchterman and Reingold
    1991). Isolates stand in rows below.
    """
    graph = _pulled(network, communities)
    _add_hints(graph, network, hints)
    spots = np.zeros((len(network.organisations), 2))
    parts = sorted((sorted(part) for part in nx.connected_components(graph)), key=lambda part: (-len(part), part[0]))
    joined = [part for part in parts if len(part) > 1]
    width, bottom = _pack(spots, graph, joined)
    _line_up(spots, [part[0] for part in parts if len(part) == 1], width, bottom)
    return spots


def around(network: Network, middle: int, rings: list[list[int]], groups: Ints) -> Points:
    """Place one organisation in the middle and the others on rings around it, those of a community side by side.

    `rings` are the row numbers at distance 1, 2 and so on. An organisation of an outer ring stands near the partner
    through which it is reached. Returns organisations x 2.
    """
    spots, angles = np.zeros((len(network.organisations), 2)), np.zeros(len(network.organisations))
    radius = 0.0
    for ring in rings:
        radius = max(radius + 1.0, len(ring) * 0.22)
        inner = np.fromiter((_pull_of(network, row, angles, ring) for row in ring), np.float64, len(ring))
        order = np.lexsort((np.array(ring), inner, groups[ring] if radius == max(1.0, len(ring) * 0.22) else inner))
        steps = 2 * np.pi * np.arange(len(ring)) / max(1, len(ring))
        for place, step in zip(order, steps, strict=True):
            angles[ring[place]] = step
            spots[ring[place]] = radius * np.cos(step - np.pi / 2), radius * np.sin(step - np.pi / 2)
    spots[middle] = 0.0
    return spots


def _pull_of(network: Network, row: int, angles: Points, ring: list[int]) -> float:
    """Return the mean angle of the partners that are placed already; without any, the first."""
    matrix = network.adjacency
    partners = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
    placed = angles[partners[~np.isin(partners, ring)]]
    return float(np.angle(np.exp(1j * placed).sum()) % (2 * np.pi)) if placed.size else 0.0


# ---- Small networks ----------------------------------------------------------------------------------------


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
    if len(rows) == _PAIR:
        return np.array([[0.0, 0.5], [0.0, -0.5]])  # One above the other, so that names beside them have room.
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


# ---- Large networks ----------------------------------------------------------------------------------------


def _in_discs(network: Network, groups: Ints) -> Layout:
    """Place communities as discs and members inside them; who has no tie stands in rows below."""
    degrees = np.diff(network.adjacency.indptr)
    sizes = np.bincount(groups)
    tied = np.bincount(groups, weights=(degrees > 0).astype(np.float64), minlength=len(sizes)) > 0
    shown = np.flatnonzero(tied)
    radii = np.zeros(len(sizes))
    radii[shown] = _ROOM * np.sqrt(sizes[shown]) + 0.4
    centres = np.zeros((len(sizes), 2))
    centres[shown] = _islands(_between(network, groups, shown), radii[shown])
    spots = np.zeros((len(groups), 2))
    order = np.argsort(groups, kind="stable")
    for group, members in enumerate(np.split(order, np.cumsum(sizes)[:-1])):
        if tied[group]:
            inner = _within(network, members, degrees[members])
            spots[members] = centres[group] + inner * (radii[group] - 0.3)
    low = float((centres[shown, 1] - radii[shown]).min(initial=0.0))
    left = float((centres[shown, 0] - radii[shown]).min(initial=0.0))
    right = float((centres[shown, 0] + radii[shown]).max(initial=8.0))
    alone = [int(row) for row in np.flatnonzero(~tied[groups])]
    _line_up(spots, alone, right - left, low)
    spots[alone, 0] += left
    return Layout(groups, spots, np.column_stack([centres, radii]))


def _between(network: Network, groups: Ints, shown: Ints) -> Points:
    """Count the ties between the communities `shown`, each with each, the diagonal empty.

    Only they are made dense: in a large network tens of thousands of organisations without a tie are communities too.
    """
    rows = np.flatnonzero(np.isin(groups, shown))
    columns = np.searchsorted(shown, groups[rows])
    where = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(groups), len(shown)))
    counts = (where.T @ network.adjacency @ where).toarray()
    np.fill_diagonal(counts, 0)
    return np.asarray(counts, dtype=np.float64)


def _islands(ties: Points, radii: Points) -> Points:
    """Place discs: those that hang together through ties in one field, the other fields in rows below the largest."""
    number, island = csgraph.connected_components(sparse.csr_array(ties), directed=False)
    fields = sorted(
        (np.flatnonzero(island == each) for each in range(number)), key=lambda each: -float((radii[each] ** 2).sum())
    )
    spots = np.zeros((len(radii), 2))
    x = y = low = right = 0.0
    for place, field in enumerate(fields):
        own = _discs(ties[field][:, field], radii[field]) if len(field) > 1 else np.zeros((1, 2))
        reach = radii[field][:, None]
        first, last = (own - reach).min(axis=0), (own + reach).max(axis=0)
        wide, high = last - first
        if place == 0:
            right, low = wide, 0.0
        if place == 1 or x + wide > right:
            x, y = 0.0, low - _GAP
        spots[field] = own - [first[0] - x, last[1] - y]
        x, low = x + wide + _GAP, min(low, y - high)
    return spots


def _discs(ties: Points, radii: Points) -> Points:
    """Place discs: those that are tied near each other, none over another."""
    number = len(radii)
    reach = float(np.sqrt((radii**2).sum()) * 1.4)
    spots = _spiral(number) * reach
    pull = np.log1p(ties) / max(1.0, float(np.log1p(ties).max(initial=1.0)))
    length = radii[:, None] + radii[None, :]
    for step in range(160):
        apart = spots[:, None] - spots[None, :]
        far = np.sqrt((apart**2).sum(axis=2)) + np.eye(number)
        force = length**2 / far - pull * far * 1.2
        np.fill_diagonal(force, 0.0)
        move = (apart / far[..., None] * force[..., None]).sum(axis=1) - spots * 0.12 * radii[:, None]
        size = np.sqrt((move**2).sum(axis=1, keepdims=True)) + 1e-9
        spots += move / size * np.minimum(size, reach * 0.08 * (1 - step / 160))
    return _spread(spots, radii)


def _spread(spots: Points, radii: Points) -> Points:
    """Push discs apart until none lies over another."""
    wanted = (radii[:, None] + radii[None, :]) * _APART
    for _ in range(300):
        apart = spots[:, None] - spots[None, :]
        far = np.sqrt((apart**2).sum(axis=2)) + np.eye(len(radii)) * 1e9 + 1e-9
        over = np.maximum(0.0, wanted - far)
        if not (over > _TOUCHING).any():
            break
        spots = spots + (apart / far[..., None] * over[..., None] * 0.5).sum(axis=1)
    return spots


def _within(network: Network, members: Ints, degrees: Ints) -> Points:
    """Place the members of one community within the unit disc: the best joined in the middle, then by springs."""
    number = len(members)
    spots = np.empty((number, 2))
    spots[np.lexsort((members, -degrees))] = _spiral(number)
    if number > _FORCED or number < _EXACT_AT_MOST // 50:
        return spots
    ties = network.adjacency[members][:, members].toarray()
    best, rounds = 1 / np.sqrt(number), _ROUNDS if len(network.organisations) < _VERY_LARGE else _ROUNDS // 2
    for step in range(rounds):
        far = np.sqrt(_squares(spots))
        np.fill_diagonal(far, 1.0)
        pull = best**2 / far**2 - ties * (far / best)
        np.fill_diagonal(pull, 0.0)
        move = spots * pull.sum(axis=1, keepdims=True) - pull @ spots
        size = np.sqrt((move**2).sum(axis=1, keepdims=True)) + 1e-9
        spots = spots + move / size * np.minimum(size, 0.12 * (1 - step / rounds))
        out = np.sqrt((spots**2).sum(axis=1, keepdims=True))
        spots = spots / np.maximum(1.0, out)
    return _unstacked(spots, best * 0.55)


def _squares(spots: Points) -> Points:
    """Return the square of the distance of each two points, never quite 0: by one product of matrices."""
    lengths = (spots**2).sum(axis=1)
    return np.asarray(np.maximum(lengths[:, None] + lengths[None, :] - 2 * (spots @ spots.T), _NEAREST))


def _unstacked(spots: Points, least: float) -> Points:
    """Move points apart that lie nearer than `least`, inside the unit disc."""
    for _ in range(12):
        pairs = cKDTree(spots).query_pairs(least, output_type="ndarray")
        if not pairs.size:
            break
        one, other = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].T
        apart = spots[one] - spots[other]
        far = np.sqrt((apart**2).sum(axis=1)) + 1e-9
        push = apart / far[:, None] * ((least - far) * 0.5)[:, None]
        spots = spots.copy()
        np.add.at(spots, one, push)
        np.subtract.at(spots, other, push)
    out = np.sqrt((spots**2).sum(axis=1, keepdims=True))
    return np.asarray(spots / np.maximum(1.0, out))


def _spiral(number: int) -> Points:
    """Place points evenly in the unit disc, the first in the middle (Vogel 1979)."""
    steps = np.arange(number)
    radius = np.sqrt(steps / max(1, number))
    return np.column_stack([radius * np.cos(steps * _GOLDEN), radius * np.sin(steps * _GOLDEN)])


def _middles(spots: Points, groups: Ints) -> Points:
    """Return the mean place and the reach of each community."""
    sizes = np.maximum(1, np.bincount(groups))
    middle = np.column_stack([np.bincount(groups, weights=spots[:, axis]) / sizes for axis in (0, 1)])
    far = np.sqrt(((spots - middle[groups]) ** 2).sum(axis=1))
    reach = np.zeros(len(sizes))
    np.maximum.at(reach, groups, far)
    return np.column_stack([middle, reach])
