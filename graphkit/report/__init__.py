"""What a person reads: the summary of a graph, its lists, gaps and exports, reports of regions, and alerts."""

from __future__ import annotations

from graphkit.report.alert_formats import alerts_to_atom, alerts_to_json, alerts_to_words
from graphkit.report.alerts import KINDS as ALERT_KINDS
from graphkit.report.alerts import Alert, Alerts, alerts_since
from graphkit.report.document import Action, Asked, Figure, Named, Report, Section
from graphkit.report.facts import find_region, report_day
from graphkit.report.formats import REPORT_FORMATS, report_as
from graphkit.report.html import chapters
from graphkit.report.links import Links
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
    "ALERT_KINDS",
    "LISTS",
    "REPORT_FORMATS",
    "Action",
    "Alert",
    "Alerts",
    "Asked",
    "Figure",
    "Links",
    "Named",
    "Report",
    "Section",
    "alerts_since",
    "alerts_to_atom",
    "alerts_to_json",
    "alerts_to_words",
    "backtest_as",
    "chapters",
    "exported",
    "find_region",
    "findings_in_words",
    "gaps_as",
    "labels",
    "regional_report",
    "report_as",
    "report_day",
    "standings_as",
    "summary",
    "versions_frame",
    "with_labels",
]
