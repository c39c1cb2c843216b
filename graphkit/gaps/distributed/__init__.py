"""Networks beyond one machine: ties, scores, walks and meetings of groups on Spark, as the local engine has them."""

from __future__ import annotations

from graphkit.gaps.distributed.door import session
from graphkit.gaps.distributed.lists import best_partners, top_pairs
from graphkit.gaps.distributed.meetings import group_meetings
from graphkit.gaps.distributed.participations import network_of, read_participations
from graphkit.gaps.distributed.scores import SPARK_SCORERS, check_scorer
from graphkit.gaps.distributed.spread import Spread, from_network, from_participations
from graphkit.gaps.distributed.walks import personalised_pagerank

__all__ = [
    "SPARK_SCORERS",
    "Spread",
    "best_partners",
    "check_scorer",
    "from_network",
    "from_participations",
    "group_meetings",
    "network_of",
    "personalised_pagerank",
    "read_participations",
    "session",
    "top_pairs",
]
