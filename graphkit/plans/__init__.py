"""What could be done about a gap: what a change would bring, which ties would help most, who could bid together."""

from __future__ import annotations

from graphkit.gaps.candidates import load_candidates
from graphkit.plans.best_ties import best_ties
from graphkit.plans.consortium import propose
from graphkit.plans.opportunity import need_of
from graphkit.plans.proposals import Need, Proposals, proposals_in_words
from graphkit.plans.whatif import WhatIf, what_if, what_if_in_words

__all__ = [
    "Need",
    "Proposals",
    "WhatIf",
    "best_ties",
    "load_candidates",
    "need_of",
    "proposals_in_words",
    "propose",
    "what_if",
    "what_if_in_words",
]
