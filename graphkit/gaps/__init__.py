"""Who should be working together and is not, which promise has nothing behind it, and why we think so."""

from __future__ import annotations

from graphkit.gaps.base import KINDS, TIERS, Evidence, Gap, Kind
from graphkit.gaps.ground import listed
from graphkit.gaps.runs import GAPS_GRAPH, save_run, to_turtle
from graphkit.gaps.search import GapReport, as_frame, find_gaps

__all__ = [
    "GAPS_GRAPH",
    "KINDS",
    "TIERS",
    "Evidence",
    "Gap",
    "GapReport",
    "Kind",
    "as_frame",
    "find_gaps",
    "listed",
    "save_run",
    "to_turtle",
]
