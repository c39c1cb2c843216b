"""The first page: search, what the graph holds, how much of it is known, and the first gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, make_response, render_template, url_for

from graphkit.gaps import KINDS
from graphkit.monitor import Standing
from webui.gaps import gap_rows
from webui.gaps.banner import spoken_banner
from webui.i18n.choosing import gettext
from webui.links import query_href
from webui.pages.about import Coverage, about, coverage
from webui.pages.blueprint import blueprint
from webui.pages.frames import answer
from webui.pages.said import ONE
from webui.state import analysis
from webui.works import NotReady

__all__: list[str] = []

_COUNTS = "explore/counts"
_PATIENCE = 1.5
"""So many seconds the first page waits for each of its parts; then it comes without them, and says so."""
_GAPS = 6


@blueprint.get("/")
def home() -> Response:
    """Show a search, what the graph holds, how commitments stand, and the first gap of each kind.

    What is still being counted or searched for is left out; the page says so, and asks again by itself.
    """
    report = analysis().report_within(_PATIENCE)
    first = [gap for code in KINDS for gap in report.of_kind(code)[:1]] if report else []
    counts, known = _counted()
    standings = report.standings if report else _standings()
    response = make_response(
        render_template(
            "home.html",
            page="home",
            counts=counts,
            searching=report is None,
            standings=standings,
            gaps=gap_rows(first)[:_GAPS],
            total=len(report.gaps) if report else 0,
            banner=spoken_banner(report.banner) if report else "",
            about=about([(_COUNTS, {}), ("explore/coverage", {})], known),
        )
    )
    if counts is None or standings is None:
        response.headers["Refresh"] = "3"
        response.headers["Cache-Control"] = "no-store"
    return response


def _counted() -> tuple[list[dict[str, Any]] | None, list[Coverage]]:
    """Return the headline numbers and how much is known, or None while they are being counted."""
    try:
        return [_count(row) for row in answer(_COUNTS).rows(named=True) if row["count"]], coverage()
    except NotReady:
        return None, []


def _standings() -> Sequence[Standing] | None:
    try:
        return analysis().standings(within=_PATIENCE)
    except NotReady:
        return None


def _count(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": row["count"],
        "label": gettext(ONE.get(row["what"], row["what"]) if row["count"] == 1 else row["what"]),
        "href": _list_href(row["query"] or "", row["what"]),
    }


def _list_href(query: str, what: str) -> str:
    """Return where what is counted is listed: the page of that list where there is one, else that of the query."""
    pages = {"organisations and bodies": "pages.organisations", "opportunities": "pages.opportunities"}
    if what in pages:
        return url_for(pages[what])
    return query_href(query) if query else ""
