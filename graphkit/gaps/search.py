"""One search for gaps over a store: every kind, ranked, with the words that must stand beside the result."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from time import perf_counter

import polars as pl

from graphkit.errors import unknown_name
from graphkit.gaps import (
    broker,
    commitments,
    constrained,
    data_gap,
    dormant_tie,
    fragile_point,
    group_bridging,
    inward_group,
    missing_partnership,
    peripheral,
)
from graphkit.gaps.base import KINDS, TIERS, Gap
from graphkit.gaps.ground import Ground, load_ground
from graphkit.monitor import Standing, monitor
from graphkit.network import Network
from graphkit.store import Store, Version

__all__ = ["GapReport", "as_frame", "find_gaps"]

_SMALL_NETWORK = 300
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class GapReport:
    """The gaps of one search, ranked within each kind, and what they were found in.

    `banner` says what a reader must know before believing any of them; `as_of` is the last day that the
    sources speak of.
    """

    gaps: tuple[Gap, ...]
    standings: tuple[Standing, ...]
    network: Network
    as_of: date
    version: Version | None
    banner: str
    seconds: float

    def of_kind(self, code: str) -> tuple[Gap, ...]:
        """Return the gaps of one kind, highest score first."""
        return tuple(gap for gap in self.gaps if gap.kind == code)

    def counts(self) -> dict[str, int]:
        """Return how many gaps of each kind were found, in the order of `KINDS`, none left out."""
        return {code: len(self.of_kind(code)) for code in KINDS}


def find_gaps(store: Store, *, kinds: Collection[str] = (), today: date | None = None) -> GapReport:
    """Search `store` for gaps of the given kinds (codes of `KINDS`; all by default).

    `today` bounds what can be said (default: the present day). Gaps come in the order of `KINDS`, within a kind
    by tier, falling score, and then by IRI. Raises `UnknownNameError` for a kind that is not known.
    """
    for code in kinds:
        if code not in KINDS:
            raise unknown_name("kind of gap", code, KINDS)
    start, today = perf_counter(), today or datetime.now(UTC).date()
    ground, standings = load_ground(store, today), monitor(store, today)
    wanted = kinds or KINDS
    found = [gap for gap in _all(store, ground, standings) if gap.kind in wanted]
    order = list(KINDS)
    found.sort(key=lambda gap: (order.index(gap.kind), TIERS.index(gap.tier), -gap.score, gap.members))
    seconds = perf_counter() - start
    _log.info("%d gaps found in %.2f s", len(found), seconds)
    return GapReport(
        gaps=tuple(found),
        standings=tuple(standings),
        network=ground.network,
        as_of=ground.as_of,
        version=store.version,
        banner=_banner(ground),
        seconds=seconds,
    )


def _all(store: Store, ground: Ground, standings: list[Standing]) -> list[Gap]:
    groups = group_bridging.groups_of(ground)
    return [
        *commitments.find(standings),
        *fragile_point.find(ground),
        *missing_partnership.find(ground),
        *dormant_tie.find(ground),
        *group_bridging.find(ground, groups),
        *inward_group.find(ground, groups),
        *broker.find(ground, groups),
        *constrained.find(ground),
        *peripheral.find(ground),
        *data_gap.find(store),
    ]


def _banner(ground: Ground) -> str:
    """Say how small the graph is and how far it reaches, so that nobody takes a hint for a forecast."""
    joined = int((ground.network.adjacency.sum(axis=1) > 0).sum())
    size = ground.organisations.height
    reach = f"The sources speak up to {ground.as_of}."
    if ground.scopes.is_empty():
        reach = "No source declares how far it is complete, so no missing partnership is claimed."
    known = f"Of {size} organisations and groups, {joined} have a known joint activity."
    if size >= _SMALL_NETWORK:
        return f"{known} {reach} A missing link in the graph is not a missing collaboration in the world."
    return (
        f"A small graph. {known} {reach} Read partnerships as introductions to consider, not as forecasts: with so"
        " few organisations no probability can be given, and a missing link in the graph is not a missing"
        " collaboration in the world."
    )


def as_frame(report: GapReport) -> pl.DataFrame:
    """Return the gaps as a frame with a row each: rank, kind, members, score, tier, explanation, action."""
    rows = [
        (rank, gap.kind, " · ".join(gap.labels), gap.score, gap.tier, gap.explanation, gap.action)
        for rank, gap in enumerate(report.gaps, 1)
    ]
    columns = ["rank", "kind", "members", "score", "tier", "explanation", "action"]
    return pl.DataFrame(rows, schema=columns, orient="row")
