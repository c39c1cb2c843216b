"""P2: two organisations that have worked together, but not for a long time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from graphkit.gaps.base import Gap
from graphkit.gaps.ground import Ground, listed

__all__ = ["TAU", "find"]

TAU = 2.0
"""Years after which a tie counts as 1/e of a fresh one."""

_YEAR = 365.25
_LOOKED_AT = 5_000
_TIERS = ("weak", "some", "strong")
_LIVING = (
    "https://w3id.org/solidarity-graph/vocabulary/status/ongoing",
    "https://w3id.org/solidarity-graph/vocabulary/status/active",
)


def find(ground: Ground, say: Callable[[str], object] = lambda _: None) -> list[Gap]:
    """Find the pairs whose last dated joint activity lies two years or more before the end of the sources.

    Score: pct(W) (1 - exp(-age / tau)) with tau = 2 years, where pct(W) is the share of pairs with a weaker or
    equal tie; tier by the number of joint activities. A pair with a joint activity that is under way, or whose
    date is not known, is left out: it may be alive. Claimed only where one completeness scope covers both. The 5,000
    first in rank are given, and `say` is told where there are more.

    Source: the tie weights of Newman 2001; dormant ties as in Levin, Walter and Murnighan 2011.
    """
    ties = ground.network.ties
    if ties.is_empty():
        return []
    asleep = _asleep(ground, ties)
    if asleep.height > _LOOKED_AT:
        say(f"Of {asleep.height:,} ties that sleep (P2) the first {_LOOKED_AT:,} in rank are explained.")
    rows = asleep.head(_LOOKED_AT).select("source", "target", "score", "date", "years").sort("source", "target")
    return [_gap(ground, *row) for row in rows.iter_rows()]


def _asleep(ground: Ground, ties: pl.DataFrame) -> pl.DataFrame:
    """List the pairs of nameable organisations of one scope whose tie sleeps, in order of rank."""
    living = set(ground.takes_part.filter(pl.col("status").is_in(_LIVING))["activity"])
    age = (pl.lit(ground.as_of) - pl.col("date")).dt.total_days() / _YEAR
    pairs = (
        ties.with_columns(alive=pl.col("activity").is_in(sorted(living)) | pl.col("date").is_null())
        .group_by("source", "target")
        .agg(pl.col("weight").sum(), pl.col("date").max(), pl.col("alive").any(), pl.col("activity").n_unique())
        .with_columns(strength=pl.col("weight").rank("max") / pl.len(), years=age)
        .filter(~pl.col("alive"), pl.col("years") >= TAU)
        .filter(pl.all_horizontal(pl.col("source", "target").is_in(sorted(ground.nameable))))
        .with_columns(score=(pl.col("strength") * (1 - (-pl.col("years") / TAU).exp())).round(6))
    )
    kind = pl.Enum(ground.network.organisations)
    left, right = (pairs[end].cast(kind).to_physical().cast(pl.Int64).to_numpy() for end in ("source", "target"))
    kept = ground.share_scope((left, right)) & ground.asked_for((left, right))
    tier = pl.col("activity").clip(1, len(_TIERS))
    ranked = pairs.filter(pl.Series(kept, dtype=pl.Boolean))
    return ranked.sort(tier, "score", "source", "target", descending=[True, True, False, False])


def _gap(ground: Ground, first: str, second: str, score: float, last: date, years: float) -> Gap:
    names = ground.name(first), ground.name(second)
    joint = ground.evidence(ground.joint(first, second), "joint activity")
    return Gap(
        kind="P2",
        members=(first, second),
        labels=names,
        score=score,
        tier=_TIERS[min(len(joint), len(_TIERS)) - 1],
        explanation=(
            f"{names[0]} and {names[1]} last worked together on {listed([joint[0].label])} ({last}),"
            f" {years:.1f} years before {ground.as_of}; nothing later is known."
        ),
        evidence=joint,
        action=f"Ask both whether to take up again what they began in {listed([e.label for e in joint], most=2)}.",
    )
