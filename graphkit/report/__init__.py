"""What a person reads: the summary of a graph, its lists, gaps and exports, reports of regions, and alerts."""

from __future__ import annotations

from graphkit.report.document import Action, Asked, Figure, Named, Report, Section
from graphkit.report.formats import REPORT_FORMATS, report_as
from graphkit.report.regional import regional_report
from graphkit.report.words import (
    LISTS,
    backtest_as,
    exported,
    findings_in_words,
    gaps_as,
    labels,
    standings_as,
    summary,
    versions_frame,
    with_labels,
)

__all__ = [
    "LISTS",
    "REPORT_FORMATS",
    "Action",
    "Asked",
    "Figure",
    "Named",
    "Report",
    "Section",
    "backtest_as",
    "exported",
    "findings_in_words",
    "gaps_as",
    "labels",
    "regional_report",
    "report_as",
    "standings_as",
    "summary",
    "versions_frame",
    "with_labels",
]
