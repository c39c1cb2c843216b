"""Which records of different sources are taken for one organisation, on its page: names, sources, how sure, and why."""

from __future__ import annotations

from typing import Any, Final, cast

import polars as pl
from flask import Flask, render_template, url_for
from flask.blueprints import BlueprintSetupState

from graphkit import queries
from graphkit.errors import LimitError
from graphkit.terms import GRAPH, compact
from webui.catalogue.choices import short_iri
from webui.catalogue.tables import behind
from webui.linked.sections import offer
from webui.links import href
from webui.pages.blueprint import blueprint
from webui.pages.frames import answer
from webui.works import NotReady

__all__ = ["records_of"]

_MEMBERS: Final = "identity/members"
_LINKS: Final = "identity/links"


@blueprint.record
def _begin(setup: BlueprintSetupState) -> None:
    offer(cast("Flask", setup.app), "organisation", _section)


def _section(iri: str, label: str) -> str:
    """Write the records of an organisation; nothing where it has one only and no link waits for a person."""
    try:
        rows, waiting = records_of(iri)
    except LimitError:  # The section about its neighbours says already that something takes too long.
        return ""
    except NotReady:
        return render_template("_records.html", reading=True, rows=[], waiting=0)
    if not rows and not waiting:
        return ""
    return render_template(
        "_records.html",
        label=label,
        rows=rows,
        waiting=waiting,
        review_href=url_for("identity.page", record=short_iri(iri), contested=1),
        behind=behind(queries.find(_MEMBERS), {"organisation": iri}),
    )


def records_of(iri: str) -> tuple[list[dict[str, Any]], int]:
    """Return the records that are taken for one organisation with `iri`, and how many links of it wait for a person.

    The record that stands for the others comes first. Each has its name, its source, the confidence and the reason of
    the surest link that joins it to another of them, and whether it is `iri` itself.
    """
    every = answer(_MEMBERS)
    mine = every.filter(pl.col("record") == iri)["preferred"].unique()
    members = every.filter(pl.col("preferred").is_in(mine.implode())).unique(
        "record", keep="first", maintain_order=True
    )
    links = answer(_LINKS)
    waiting = links.filter((pl.col("relation") == "close") & pl.any_horizontal(pl.col("left", "right") == iri))
    return _rows(members, links, iri), waiting.select("left", "right").unique().height


def _rows(members: pl.DataFrame, links: pl.DataFrame, iri: str) -> list[dict[str, Any]]:
    known = members["record"].implode()
    joined = links.filter(
        (pl.col("relation") == "exact") & pl.col("left").is_in(known) & pl.col("right").is_in(known)
    ).with_columns(pl.col("confidence").cast(pl.Float64))
    surest = {
        record: joined.filter(pl.any_horizontal(pl.col("left", "right") == record)).sort("confidence").tail(1)
        for record in members["record"]
    }
    ordered = members.sort(pl.col("record") != pl.col("preferred"), "source", "record_label", nulls_last=True)
    return [_row(row, surest[row["record"]], iri) for row in ordered.iter_rows(named=True)]


def _row(row: dict[str, Any], link: pl.DataFrame, iri: str) -> dict[str, Any]:
    found = link.row(0, named=True) if link.height else {}
    return {
        "label": row["record_label"] or compact(row["record"]),
        "href": href(row["record"]),
        "self": row["record"] == iri,
        "preferred": row["record"] == row["preferred"],
        "source": (row["source"] or "").removeprefix(GRAPH),
        "source_href": href(row["source"]) if row["source"] else "",
        "confidence": found.get("confidence"),
        "reason": found.get("reason") or "",
    }
