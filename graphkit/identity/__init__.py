"""Which records of different sources are one organisation: found, weighed, joined, reviewed, and undone."""

from __future__ import annotations

from graphkit.identity.decisions import VERDICTS, Decision, decide, export_review, import_review, load_decisions
from graphkit.identity.evaluation import CAVEATS, evaluate, judged_by_labels, load_labels
from graphkit.identity.links import LEVELS
from graphkit.identity.resolution import Resolution, in_words, load_review, resolve, save
from graphkit.identity.runs import IDENTITY_GRAPH, undo_run

__all__ = [
    "CAVEATS",
    "IDENTITY_GRAPH",
    "LEVELS",
    "VERDICTS",
    "Decision",
    "Resolution",
    "decide",
    "evaluate",
    "export_review",
    "import_review",
    "in_words",
    "judged_by_labels",
    "load_decisions",
    "load_labels",
    "load_review",
    "resolve",
    "save",
    "undo_run",
]
