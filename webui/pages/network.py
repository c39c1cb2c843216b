"""The pages of the network and of the gaps, and the same as data."""

from __future__ import annotations

from flask import Response, jsonify, render_template, request

from graphkit.export.gaps import gap_to_dict
from graphkit.gaps import KINDS, TIERS, as_frame
from webui.catalogue.tables import download
from webui.gaps import gap_rows
from webui.network import network_data, network_page
from webui.pages.blueprint import blueprint
from webui.state import analysis

__all__: list[str] = []


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
