"""The evidence of one tie: what joins two organisations, when, and from which sources that is known."""

from __future__ import annotations

from typing import Any

import polars as pl
from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from graphkit import queries
from graphkit.errors import UsageError, unknown_name
from webui.analysis import Picture
from webui.catalogue.tables import download
from webui.links import href
from webui.network.asked import Asked, short
from webui.network.pages import waiting
from webui.network.panel import evidence_of
from webui.state import analysis
from webui.works import NotReady

__all__ = ["register"]

_WITHIN = 20.0


def register(app: Flask) -> None:
    """Add the addresses of ties to the pages of an application."""
    app.add_url_rule("/tie", "pages.tie", _page)
    app.add_url_rule("/tie.<any(json,csv):form>", "pages.tie_data", _data)


def _page() -> ResponseReturnValue:
    """Show what joins two organisations: `?tie=organisation/a organisation/b` and the network."""
    asked = Asked.of(request.args)
    try:
        picture, ends = _found(asked)
    except NotReady as error:
        return waiting(error)
    query = queries.find(asked.network)
    return render_template(
        "tie.html",
        page="network",
        asked=asked,
        ends=[{"id": short(end), "label": picture.labels[end], "href": href(end)} for end in ends],
        evidence=evidence_of(picture, ends, analysis().reader(asked.number)),
        query={"name": query.name, "text": query.text},
        search=asked.search(),
    )


def _data(form: str) -> ResponseReturnValue:
    """Give the evidence of a tie as data."""
    asked = Asked.of(request.args)
    try:
        picture, ends = _found(asked)
    except NotReady as error:
        return waiting(error, as_json=True)
    rows = evidence_of(picture, ends, analysis().reader(asked.number))
    if form == "json":
        return jsonify({"network": asked.network, "ends": list(ends), "evidence": rows})
    return download(_frame(rows, ends), "csv", "tie")


def _frame(rows: list[dict[str, Any]], ends: tuple[str, str]) -> pl.DataFrame:
    columns = dict.fromkeys(("source", "target", "activity", "activity_label", "date", "kind", "sources"), pl.String)
    values = [
        (
            *ends,
            row["iri"],
            row["activity"]["label"] if row["activity"] else "",
            row["date"],
            row["kind"],
            "; ".join(source["label"] for source in row["sources"]),
        )
        for row in rows
    ]
    return pl.DataFrame(values, schema=columns, orient="row")


def _found(asked: Asked) -> tuple[Picture, tuple[str, str]]:
    if asked.ends is None:
        raise UsageError("no tie is named", where="tie", hint="write tie=organisation/a organisation/b")
    picture = analysis().picture(asked.network, asked.number, within=_WITHIN)
    for end in asked.ends:
        if end not in picture.network.rows:
            raise unknown_name("organisation of this network", short(end), map(short, picture.network.organisations))
    return picture, asked.ends
