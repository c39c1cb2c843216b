"""The commitments: how each stands, by which query, on what evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from flask import Response, render_template, request

from graphkit.export import standings_as_frame, standings_to_json
from graphkit.monitor import Standing
from webui.catalogue.tables import download
from webui.links import href, query_href
from webui.pages.about import about
from webui.pages.blueprint import blueprint
from webui.pages.frames import answer, patience, typed
from webui.state import analysis, settings

__all__: list[str] = []

_MOST_EVIDENCE = 30
"""So many pieces of evidence of one commitment stand on the page; its query and the JSON have more."""


@blueprint.get("/commitments")
def commitments() -> str:
    """Show how each commitment stands, by which query, and on what evidence; `?status=` keeps those that stand so."""
    standings = analysis().standings(within=patience())
    wanted = request.args.get("status", "")
    rows = [_row(standing) for standing in standings if not wanted or standing.status == wanted]
    return render_template(
        "commitments.html",
        page="commitments",
        rows=rows,
        counts=_counts(standings),
        status=wanted,
        as_of=_reach(),
        about=about([("monitor/commitments", {}), ("monitor/coverage", {})]),
    )


@blueprint.get("/commitments.<any(json,csv,spreadsheet):form>")
def commitments_data(form: str) -> Response:
    """Give the commitments as data; JSON has the evidence too."""
    standings = analysis().standings(within=patience())
    if form == "json":
        return Response(standings_to_json(standings), mimetype="application/json")
    return download(standings_as_frame(standings), form, "commitments")


def _reach() -> date:
    """Return the last day that the sources speak of: the end of the completeness scopes, where it is not to come."""
    today = settings().today or datetime.now(UTC).date()
    end = typed(answer("gaps/scopes"), end=pl.Date)["end"].max()
    return min(today, end) if isinstance(end, date) else today


def _counts(standings: Sequence[Standing]) -> list[tuple[str, int]]:
    """Count the commitments by how they stand, in a reader's order."""
    order = ("on-track", "some-evidence", "stale", "no-evidence", "not-measurable")
    found = [(status, sum(standing.status == status for standing in standings)) for status in order]
    return [(status, number) for status, number in found if number]


def _row(standing: Standing) -> dict[str, Any]:
    return {
        "standing": standing,
        "href": href(standing.commitment),
        "policy": {"label": standing.policy_label, "href": href(standing.policy)},
        "query_href": query_href(standing.query, {"commitment": standing.commitment}),
        "findings": [(href(finding.iri), finding) for finding in standing.findings[:_MOST_EVIDENCE]],
        "more": max(0, len(standing.findings) - _MOST_EVIDENCE),
        "figures": [(figure, query_href(figure.query) if figure.query else "") for figure in standing.figures],
    }
