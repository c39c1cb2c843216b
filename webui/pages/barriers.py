"""Barriers and building blocks: what speaks for and against each in each region, and what answers a barrier."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import polars as pl
from flask import Response, render_template, request, url_for

from graphkit import barriers as matrices
from webui.catalogue.tables import download
from webui.i18n.choosing import gettext
from webui.linked.reading import reader
from webui.links import href
from webui.pages.about import about
from webui.pages.blueprint import blueprint
from webui.pages.choosing import asked, form, regions
from webui.pages.frames import shown
from webui.pages.lists import Column, listed

__all__: list[str] = []

_ANSWERS: Final = "policy/answers"
_PARTS: Final = ("barrier", "building block")
_MOST: Final = 200


@blueprint.get("/barriers")
def barriers() -> str:
    """Show what is said of barriers and building blocks by region; answers of few people are left out."""
    values, part = asked("region"), request.args.get("part", "")
    graph = reader(shown().number)
    frame = matrices.matrix(graph, values.get("region", ""))
    columns = [
        Column("about", gettext("Barrier or building block"), by="about_label"),
        Column("part", gettext("What")),
        Column("region", gettext("Region"), by="region_label"),
        Column("for", gettext("Claims for"), number=True),
        Column("against", gettext("Claims against"), number=True),
        Column("people_for", gettext("People for"), number=True),
        Column("people_against", gettext("People against"), number=True),
        Column("coverage", gettext("Resting on"), prose=True, fixed=True),
    ]
    kept = frame.filter(pl.col("part") == part) if part else frame
    page = listed(kept, columns, order="about_label", find=("about_label",))
    return render_template(
        "barriers.html",
        page="commitments",
        list=page,
        rows=[_row(row) for row in page.frame.iter_rows(named=True)],
        answers=[_answer(row) for row in matrices.answers(graph, **values).head(_MOST).iter_rows(named=True)],
        method=frame["method"][0] if frame.height else "",
        regions=regions(),
        sorts=[{"value": each, "label": gettext(each)} for each in _PARTS],
        state=form("find", "region", "part"),
        twins=[
            {"label": label, "href": f"{url_for('pages.barriers_data', form=form)}?{urlencode(values)}"}
            for label, form in (("CSV", "csv"), (gettext("CSV for spreadsheets"), "spreadsheet"), ("JSON", "json"))
        ],
        about=about([(_ANSWERS, values)]),
    )


@blueprint.get("/barriers.<any(csv,json,spreadsheet):form>")
def barriers_data(form: str) -> Response:
    """Give the matrix as data."""
    return download(matrices.matrix(reader(shown().number), asked("region").get("region", "")), form, "barriers")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    place = {"label": row["region_label"], "href": href(row["region"])} if row["region"] else None
    return {
        "about": {"label": row["about_label"], "href": href(row["about"])},
        "part": gettext(row["part"]),
        "region": place,
        **{name: row[name] for name in ("for", "against", "people_for", "people_against", "coverage")},
    }


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    def link(name: str) -> dict[str, str] | None:
        return {"label": row[f"{name}_label"] or row[name], "href": href(row[name])} if row[name] else None

    return {name: link(name) for name in ("region", "barrier", "building_block", "elsewhere")}
