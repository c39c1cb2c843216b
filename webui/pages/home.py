"""The first page: search, what the graph holds, how much of it is known, and the first gaps."""

from __future__ import annotations

from typing import Any

from flask import render_template

from graphkit.gaps import KINDS
from webui.gaps import gap_rows
from webui.i18n.choosing import gettext
from webui.links import query_href
from webui.pages.about import about, coverage
from webui.pages.blueprint import blueprint
from webui.pages.frames import answer
from webui.state import analysis

__all__: list[str] = []

_COUNTS = "explore/counts"
_PATIENCE = 2.0
"""So many seconds the first page waits for the search for gaps; then it comes without them."""
_GAPS = 6


@blueprint.get("/")
def home() -> str:
    """Show a search, what the graph holds, how commitments stand, and the first gap of each kind."""
    report = analysis().report_within(_PATIENCE)
    first = [gap for code in KINDS for gap in report.of_kind(code)[:1]] if report else []
    return render_template(
        "home.html",
        page="home",
        counts=[_count(row) for row in answer(_COUNTS).rows(named=True) if row["count"]],
        searching=report is None,
        standings=report.standings if report else (),
        gaps=gap_rows(first)[:_GAPS],
        total=len(report.gaps) if report else 0,
        banner=report.banner if report else "",
        about=about([(_COUNTS, {}), ("explore/coverage", {})], coverage()),
    )


def _count(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": row["count"],
        "label": gettext(row["what"]),
        "href": query_href(row["query"]) if row.get("query") else "",
    }
