"""The pages: each is a query or a measure, a template, and the same rows as JSON and CSV."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from graphkit import queries
from graphkit.export import standings_to_json
from graphkit.export.gaps import gap_to_dict
from graphkit.gaps import KINDS, TIERS, as_frame
from webui.catalogue.tables import behind, download
from webui.gaps import gap_rows
from webui.links import href, query_href
from webui.network import network_data, network_page
from webui.state import analysis

__all__ = ["blueprint"]

blueprint = Blueprint("pages", __name__)

_COUNTS = "explore/counts"


# ---- home ------------------------------------------------------------------------------------------


@blueprint.get("/")
def home() -> str:
    """Show a search, what the graph holds, how commitments stand, and the first gaps of each kind."""
    known = analysis()
    counts = queries.run(known.store, _COUNTS)
    report = known.report
    first = [gap for code in KINDS for gap in report.of_kind(code)[:1]]
    return render_template(
        "home.html",
        page="home",
        counts=[_count(row) for row in counts.rows(named=True)],
        standings=report.standings,
        gaps=gap_rows(first),
        total=len(report.gaps),
        banner=report.banner,
        version=known.store.version,
        behind=behind(queries.find(_COUNTS), {}),
    )


def _count(row: dict[str, Any]) -> dict[str, Any]:
    return {"number": row["count"], "label": row["what"], "href": query_href(row["query"]) if row.get("query") else ""}


# ---- network, gaps, commitments ----------------------------------------------------------------------


@blueprint.get("/network")
def network() -> str:
    """Show who works with whom, with suggested ties dashed."""
    return render_template("network.html", page="network", **network_page(analysis(), request.args))


@blueprint.get("/network.json")
def network_json() -> Response:
    """Give the network page as data."""
    return jsonify(network_data(analysis(), request.args))


@blueprint.get("/gaps")
def gaps() -> str:
    """Show every gap with its reason, evidence and action."""
    report = analysis().report
    found = {gap.tier for gap in report.gaps}
    state = {name: request.args.get(name, "") for name in ("kind", "tier", "find")}
    return render_template(
        "gaps.html",
        page="gaps",
        gaps=gap_rows(report.gaps, state),
        kinds=[{"value": code, "label": f"{code} {KINDS[code].name}"} for code, n in report.counts().items() if n],
        tiers=[{"value": tier, "label": tier.replace("-", " ")} for tier in TIERS if tier in found],
        all_kinds=KINDS,
        counts=report.counts(),
        state=state,
        banner=report.banner,
        as_of=report.as_of,
    )


@blueprint.get("/gaps.<any(json,csv,spreadsheet):form>")
def gaps_data(form: str) -> Response:
    """Give the gaps as data."""
    report = analysis().report
    if form == "json":
        return jsonify([gap_to_dict(gap) for gap in report.gaps])
    return download(as_frame(report), form, "gaps")


@blueprint.get("/commitments")
def commitments() -> str:
    """Show how each commitment stands, by which query, and on what evidence."""
    report = analysis().report
    rows = [
        {
            "standing": standing,
            "href": href(standing.commitment),
            "policy": {"label": standing.policy_label, "href": href(standing.policy)},
            "query_href": query_href(standing.query, {"commitment": standing.commitment}),
            "findings": [(href(finding.iri), finding) for finding in standing.findings],
        }
        for standing in report.standings
    ]
    return render_template("commitments.html", page="commitments", rows=rows, as_of=report.as_of)


@blueprint.get("/commitments.json")
def commitments_data() -> Response:
    """Give the commitments with their evidence as data."""
    return Response(standings_to_json(analysis().report.standings), mimetype="application/json")
