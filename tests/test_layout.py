"""Where organisations are drawn: apart, in order, the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from graphkit.network import Network
from webui.layout import places


def drawn(network: Network, hints: list[tuple[str, str]] | None = None) -> np.ndarray:
    return places(network, dict.fromkeys(network.organisations, 0), hints or [])


@pytest.mark.parametrize("size", [3, 40, 200])
def test_no_two_organisations_lie_on_one_spot(size: int) -> None:
    """Neither in a ring with spokes nor among isolates."""
    ring = [(f"o{i}", f"o{(i + 1) % size}") for i in range(size)] + [("hub", f"o{i}") for i in range(0, size, 2)]
    spots = drawn(Network.from_pairs(ring, organisations=["alone 1", "alone 2"]))
    distances = np.linalg.norm(spots[:, None] - spots[None, :], axis=2) + np.eye(len(spots))
    assert np.isfinite(spots).all()
    assert distances.min() > 0.01


def test_parts_do_not_overlap() -> None:
    """Two separate groups have boxes that are apart."""
    network = Network.from_pairs([("a1", "a2"), ("a2", "a3"), ("a1", "a3"), ("b1", "b2"), ("b2", "b3"), ("b1", "b3")])
    spots = drawn(network)
    first, second = spots[:3], spots[3:]
    apart = (first.max(axis=0) < second.min(axis=0)) | (second.max(axis=0) < first.min(axis=0))
    assert apart.any()


def test_a_suggested_tie_brings_an_isolate_to_its_partner() -> None:
    """What is dashed is drawn near."""
    network = Network.from_pairs([("a", "b"), ("b", "c")], organisations=["guest", "other"])
    rows = network.rows
    spots = drawn(network, [("a", "guest")])
    to_partner = np.linalg.norm(spots[rows["guest"]] - spots[rows["a"]])
    assert to_partner < np.linalg.norm(spots[rows["other"]] - spots[rows["a"]])


def test_the_same_network_looks_the_same() -> None:
    """A reader finds everybody where they were."""
    network = Network.from_pairs([("a", "b"), ("b", "c"), ("d", "e")])
    assert np.array_equal(drawn(network), drawn(network))


def test_an_empty_network_has_no_places() -> None:
    """No organisation, no failure."""
    assert drawn(Network.from_pairs([])).shape == (0, 2)
