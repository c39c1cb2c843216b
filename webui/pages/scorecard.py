"""The evaluation scorecard: what was judged and measured, region beside region; what nobody has judged stays empty."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
from flask import Response, render_template, request

from graphkit import scorecard as cards
from graphkit.terms import ID
from webui.catalogue.choices import short_iri
from webui.catalogue.tables import download
from webui.i18n.choosing import gettext
from webui.linked.reading import reader
from webui.links import href, place_words
from webui.pages.about import Coverage, about
from webui.pages.blueprint import blueprint
from webui.pages.choosing import regions
from webui.pages.frames import shown
from webui.protocol.problems import Refusal

__all__: list[str] = []

_JUDGEMENTS: Final = "policy/assessments"
_MOST_REGIONS: Final = 6


@blueprint.get("/scorecard")
def scorecard() -> str:
    """Compare regions (`?region=`, up to six) on each evaluation measure, with coverage beside each figure."""
    asked, choices = _regions(), regions()
    graph = reader(shown().number)
    table = cards.scorecard(graph, asked) if asked else None
    figures = cards.figures_by_region(graph, asked) if asked else None
    return render_template(
        "scorecard.html",
        page="commitments",
        choices=choices,
        asked=[short_iri(region) for region in asked],
        most=_MOST_REGIONS,
        heads=_heads(table),
        rows=_rows(table, figures),
        goals=_goals(),
        method=cards.METHOD,
        csv=f"{request.script_root}/scorecard.csv?{request.query_string.decode('latin-1')}",
        about=about([(_JUDGEMENTS, {}), ("monitor/indicators", {})], _coverage(table)),
    )


@blueprint.get("/scorecard.<any(csv,json,spreadsheet):form>")
def scorecard_data(form: str) -> Response:
    """Give the comparison as data."""
    asked = _regions()
    if not asked:
        raise Refusal(400, gettext("no region is named"), where="region", hint="/scorecard.csv?region=place/wessex")
    return download(cards.scorecard(reader(shown().number), asked), form, "scorecard")


def _regions() -> list[str]:
    """Return the regions that are asked for, those known first come first; else those with most organisations."""
    asked = [text.strip() for text in request.args.getlist("region") if text.strip()]
    full = [text if "://" in text else ID + text for text in dict.fromkeys(asked)]
    if len(full) > _MOST_REGIONS:
        said = gettext("more than %(most)s regions cannot be compared at once", most=_MOST_REGIONS)
        raise Refusal(400, said, where="region", hint=gettext("choose fewer"))
    return full


def _heads(table: pl.DataFrame | None) -> list[dict[str, str]]:
    if table is None:
        return []
    places = table.select("region", "region_label").unique(maintain_order=True).rows()
    return [{"label": place_words(label, region), "href": href(region)} for region, label in places]


def _rows(table: pl.DataFrame | None, figures: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Return a row for each measure, with a cell for each region: score, coverage, and the figures of indicators."""
    if table is None or figures is None:
        return []
    rows = []
    for (measure, label), cells in table.group_by("measure", "measure_label", maintain_order=True):
        said = figures.filter(pl.col("measure") == measure)
        rows.append(
            {
                "measure": {"label": label, "href": href(str(measure))},
                "cells": [_cell(cell, said) for cell in cells.iter_rows(named=True)],
            }
        )
    return rows


def _cell(cell: dict[str, Any], figures: pl.DataFrame) -> dict[str, Any]:
    mine = figures.filter(pl.col("region") == cell["region"])
    return {
        "score": cell["score"],
        "coverage": cell["coverage"],
        "newest": cell["newest"],
        "figures": [
            {"label": row["figure"], "value": _plain(row["value"]), "unit": row["unit"], "coverage": row["coverage"]}
            for row in mine.iter_rows(named=True)
        ],
    }


def _plain(value: float | None) -> float | None:
    """Write a whole number without its point."""
    return int(value) if value is not None and value.is_integer() else value


def _goals() -> list[dict[str, Any]]:
    return [
        {
            "measure": {"label": row["measure_label"], "href": href(row["measure"])},
            "goal": {
                "label": f"{row['goal']} {row['goal_label']}",
                "href": f"http://metadata.un.org/sdg/{row['goal']}",
            },
            "confidence": row["confidence"],
            "comment": row["comment"],
        }
        for row in cards.goals().iter_rows(named=True)
    ]


def _coverage(table: pl.DataFrame | None) -> list[Coverage]:
    """Return how many cells of the comparison somebody has judged."""
    if table is None:
        return []
    what = gettext("cells of the comparison of which somebody judged something")
    return [Coverage(what, table["score"].count(), table.height)]
