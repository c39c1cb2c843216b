"""R1: an organisation or a tie without which a part of the network is cut off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.measures import brokers
from graphkit.network import Network

__all__ = ["find"]

_LEAST_SIDE = 2
_NAMED = 200


def find(ground: Ground) -> list[Gap]:
    """Find the organisations, and the ties, that alone hold parts of the network together.

    Score: the share of the pairs of organisations with a partner that lose every chain of ties, 2ab / (n (n - 1))
    summed over the parts a, b that fall asunder; exact. A tie counts where it joins two parts of two or more
    organisations each: the tie of an organisation with a single partner is the gap R2.

    Source: Hopcroft and Tarjan 1973 for the points; the share of pairs cut as in Provan and Milward 2001.
    """
    joined = _joined(ground.network)
    return [*_points(ground, joined), *_ties(ground, joined)]


def _joined(network: Network) -> Network:
    """Return the network without the organisations that have no tie, of which nothing can be cut off."""
    degrees: NDArray[np.float64] = np.asarray(network.adjacency.sum(axis=1))
    return network.subset(network.organisations[row] for row in np.flatnonzero(degrees))


def _points(ground: Ground, joined: Network) -> list[Gap]:
    lost = dict(brokers.cut_off_by(joined).rows())
    rows = brokers.articulation(joined).rows(named=True)
    return [_point(ground, row["organisation"], row["pairs_cut"], lost[row["organisation"]]) for row in rows]


def _point(ground: Ground, organisation: str, share: float, cut: list[str]) -> Gap:
    name = ground.name(organisation)
    spoken = listed([ground.name(other) for other in cut])
    alone = "would lose its" if len(cut) == 1 else "would lose their"
    return Gap(
        kind="R1",
        members=(organisation,),
        labels=(name,),
        score=round(share, 6),
        tier="exact",
        explanation=f"If {name} left, {spoken} {alone} only known connection to the rest of the network.",
        evidence=(
            *ground.evidence(_holding(ground, organisation, cut), f"{name} takes part"),
            *(Evidence(other, ground.name(other), "would be cut off") for other in cut[:_NAMED]),
        ),
        action=f"Build a second connection: a joint activity with {spoken} that does not depend on {name}.",
    )


def _holding(ground: Ground, organisation: str, cut: list[str]) -> list[str]:
    """List the activities by which an organisation holds those who would be cut off, in order."""
    theirs = {activity for other in cut for activity in ground.activities_of.get(other, ())}
    return [activity for activity in ground.activities_of.get(organisation, ()) if activity in theirs]


def _ties(ground: Ground, joined: Network) -> list[Gap]:
    rows = brokers.bridges(joined).rows(named=True)
    return [
        _tie(ground, row["source"], row["target"], row["pairs_cut"]) for row in rows if row["cut_off"] >= _LEAST_SIDE
    ]


def _tie(ground: Ground, first: str, second: str, share: float) -> Gap:
    names = ground.name(first), ground.name(second)
    joint = ground.evidence(ground.joint(first, second), "the only joint activities")
    return Gap(
        kind="R1",
        members=(first, second),
        labels=names,
        score=round(share, 6),
        tier="exact",
        explanation=(
            f"Only the tie between {names[0]} and {names[1]} joins two parts of the network"
            f" ({listed([e.label for e in joint]) or 'no activity named'})."
        ),
        evidence=joint,
        action=f"Involve more organisations of both sides in what {names[0]} and {names[1]} do together.",
    )
