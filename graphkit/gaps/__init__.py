"""Who should be working together and is not, which promise has nothing behind it, and why we think so."""

from __future__ import annotations

from graphkit.gaps.base import KINDS, TIERS, VERDICTS, Evidence, Gap, Kind, Review
from graphkit.gaps.ground import listed
from graphkit.gaps.reviews import gap_called, load_reviews, review_gap, reviews_as_frame, reviews_to_turtle
from graphkit.gaps.runs import GAPS_GRAPH, save_run, to_turtle
from graphkit.gaps.search import GapReport, as_frame, find_gaps, parts_by

__all__ = [
    "GAPS_GRAPH",
    "KINDS",
    "TIERS",
    "VERDICTS",
    "Evidence",
    "Gap",
    "GapReport",
    "Kind",
    "Review",
    "as_frame",
    "find_gaps",
    "gap_called",
    "listed",
    "load_reviews",
    "parts_by",
    "review_gap",
    "reviews_as_frame",
    "reviews_to_turtle",
    "save_run",
    "to_turtle",
]
