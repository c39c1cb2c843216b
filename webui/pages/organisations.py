"""The list of organisations: found by name, kind, region and status, page by page."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
from flask import render_template

from webui.i18n.choosing import gettext
from webui.links import href
from webui.pages.about import about, coverage
from webui.pages.blueprint import blueprint
from webui.pages.choosing import asked, form, kinds, regions
from webui.pages.frames import answer
from webui.pages.lists import Column, listed

__all__: list[str] = []

_NAMES: Final = "explore/organisation-names"
_QUERY: Final = "explore/organisations"
_LAST: Final = "\U0010ffff"


@blueprint.get("/organisations")
def organisations() -> str:
    """List organisations with their kind, status, place and number of activities."""
    values = asked("kind", "region", "status")
    columns = [
        Column("organisation", gettext("Organisation"), by="name"),
        Column("kind", gettext("Kind"), fixed=True),
        Column("region", gettext("Place"), fixed=True),
        Column("status", gettext("Status"), fixed=True, tight=True),
        Column("activities", gettext("Activities"), number=True, fixed=True),
    ]
    page = listed(_ordered(answer(_NAMES, values)), columns, order="name", find=("label",))
    return render_template(
        "organisations.html",
        page="organisations",
        list=page,
        rows=_rows(page.frame["organisation"].to_list()),
        state=form("find", "kind", "region", "status"),
        kinds=kinds(),
        regions=regions(),
        filters=values,
        about=about([(_QUERY, values)], coverage("organisations")),
    )


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what the list is ordered by: names without capitals and leading signs, those with a number in front last."""
    bare = pl.col("label").str.to_lowercase().str.replace(r"^[^\p{L}\p{N}]+", "")
    late = pl.when(bare.str.contains(r"^\p{L}")).then(pl.lit("")).otherwise(pl.lit(_LAST))
    return frame.with_columns(name=late + bare)


def _rows(shown: list[str]) -> list[dict[str, Any]]:
    """Return all columns of the organisations on the page: only theirs are asked for, for there may be very many."""
    if not shown:
        return []
    told = {row["organisation"]: row for row in answer(_QUERY, {"organisation": shown}).iter_rows(named=True)}
    return [_row(told[iri]) for iri in shown if iri in told]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "organisation": {"label": row["label"], "href": href(row["organisation"])},
        "kind": _named(row, "kind"),
        "region": _named(row, "region"),
        "status": row["status_label"],
        "activities": row["activities"],
    }


def _named(row: dict[str, Any], name: str) -> dict[str, str] | None:
    return {"label": row[f"{name}_label"] or row[name], "href": href(row[name])} if row[name] else None
