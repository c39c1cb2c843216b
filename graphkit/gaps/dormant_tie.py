"""P2: two organisations that have worked together, but not for a long time."""

from __future__ import annotations

import math
from datetime import date

import polars as pl

from graphkit.gaps.base import Gap
from graphkit.gaps.ground import Ground, listed

__all__ = ["TAU", "find"]

TAU = 2.0
"""Years after which a tie counts as 1/e of a fresh one."""

_YEAR = 365.25
_TIERS = ("weak", "some", "strong")
_LIVING = (
    "https://w3id.org/solidarity-graph/vocabulary/status/ongoing",
    "https://w3id.org/solidarity-graph/vocabulary/status/active",
)


def find(ground: Ground) -> list[Gap]:
    """Find the pairs whose last dated joint activity lies two years or more before the end of the sources.

    Score: pct(W) (1 - exp(-age / tau)) with tau = 2 years, where pct(W) is the share of pairs with a weaker or
    equal tie; tier by the number of joint activities. A pair with a joint activity that is under way, or whose
    date is not known, is left out: it may be alive. Claimed only where one completeness scope covers both.

    Source: the tie weights of Newman 2001; dormant ties as in Levin, Walter and Murnighan 2011.
    """
    ties = ground.network.ties
    if ties.is_empty():
        return []
    living = set(ground.takes_part.filter(pl.col("status").is_in(_LIVING))["activity"])
    pairs = (
        ties.with_columns(alive=pl.col("activity").is_in(sorted(living)) | pl.col("date").is_null())
        .group_by("source", "target")
        .agg(pl.col("weight").sum(), pl.col("date").max(), pl.col("alive").any())
        .with_columns(strength=pl.col("weight").rank("max") / pl.len())
        .filter(~pl.col("alive"))
        .sort("source", "target")
    )
    named = pairs.filter(pl.all_horizontal(pl.col("source", "target").is_in(sorted(ground.nameable))))
    found = (
        _gap(ground, row["source"], row["target"], row["strength"], row["date"])
        for row in named.rows(named=True)
        if ground.scope_of(row["source"], row["target"])
    )
    return [gap for gap in found if gap]


def _gap(ground: Ground, first: str, second: str, strength: float, last: date) -> Gap | None:
    years = (ground.as_of - last).days / _YEAR
    if years < TAU:
        return None
    names = ground.name(first), ground.name(second)
    joint = ground.evidence(ground.joint(first, second), "joint activity")
    return Gap(
        kind="P2",
        members=(first, second),
        labels=names,
        score=round(strength * (1 - math.exp(-years / TAU)), 6),
        tier=_TIERS[min(len(joint), len(_TIERS)) - 1],
        explanation=(
            f"{names[0]} and {names[1]} last worked together on {listed([joint[0].label])} ({last}),"
            f" {years:.1f} years before {ground.as_of}; nothing later is known."
        ),
        evidence=joint,
        action=f"Ask both whether to take up again what they began in {listed([e.label for e in joint], most=2)}.",
    )
