"""The map: organisations as points that the server puts together, counts by region, and the list of what is in view."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlencode

import polars as pl
from flask import Flask, Response, current_app, jsonify, render_template, request, url_for
from flask.blueprints import BlueprintSetupState

from graphkit.errors import DataError
from webui.catalogue.choices import short_iri
from webui.i18n.choosing import gettext
from webui.links import href, query_href
from webui.pages.about import about, coverage
from webui.pages.blueprint import blueprint, here
from webui.pages.choosing import asked, form, kinds, regions
from webui.pages.frames import answer, typed
from webui.pages.lists import Column, listed
from webui.protocol.problems import Refusal
from webui.state import state_of

__all__ = ["Boundaries", "clusters", "read_boundaries"]

_LOCATED: Final = "explore/located"
_REGIONS: Final = "explore/regions"
_ROWS: Final = 25
_MOST_CLUSTERS: Final = 600
_MOST_LISTED: Final = 60
_KEPT: Final = "graphkit-boundaries"
_WORLD: Final = (-180.0, -90.0, 180.0, 90.0)
_LEAST_CELL, _MOST_CELL = 0.0005, 60.0


# ---- Pages -----------------------------------------------------------------------------------------------


@blueprint.get("/map", endpoint="map")
def map_page() -> str:
    """Show where organisations are: as points on a map, and as counts by region."""
    values = asked("kind", "region")
    points = _points(values)
    columns = [
        Column("region", gettext("Region"), by="label"),
        Column("organisations", gettext("Organisations"), number=True),
        Column("code", gettext("Code")),
    ]
    chosen = {"kind": values["kind"]} if "kind" in values else {}
    counts = typed(answer(_REGIONS, chosen), organisations=pl.Int64)
    page = listed(counts, columns, order="-organisations", find=("label",), rows=_ROWS)
    return render_template(
        "map.html",
        page="map",
        points=points.height,
        extent=_extent(points),
        list=page,
        rows=[_region(row, values) for row in page.frame.iter_rows(named=True)],
        state=form("kind", "region", "find"),
        kinds=kinds(),
        regions=regions(),
        points_href=f"{url_for('pages.map_points')}?{urlencode(values)}",
        boundaries=url_for("pages.map_boundaries") if _boundaries() else "",
        counts_href=query_href(f"{_REGIONS}.json", chosen) if _boundaries() else "",
        about=about([(_LOCATED, values), (_REGIONS, chosen)], coverage("map", "place is known")),
    )


@blueprint.get("/map/points.json")
def map_points() -> Response:
    """Give the points in a box (`west`, `south`, `east`, `north`), put together in cells of `cell` degrees.

    A cell tells how many organisations it holds, where their middle is, and the box around them; `list` names the first
    of those in view. Raises `Refusal` 400 for what is no box.
    """
    west, south, east, north = (_degrees(name, default) for name, default in zip(_SIDES, _WORLD, strict=True))
    cell = min(max(_degrees("cell", 1.0), _LEAST_CELL), _MOST_CELL)
    points = _points(asked("kind", "region"))
    seen = points.filter(pl.col("latitude").is_between(south, north) & pl.col("longitude").is_between(west, east))
    found = clusters(seen, cell)
    return jsonify(
        {
            "total": points.height,
            "seen": seen.height,
            "cut": found.height > _MOST_CLUSTERS,
            "cells": [_cell(row) for row in found.head(_MOST_CLUSTERS).iter_rows(named=True)],
            "list": [_listed(row) for row in seen.head(_MOST_LISTED).iter_rows(named=True)],
        }
    )


_SIDES: Final = ("west", "south", "east", "north")


def clusters(points: pl.DataFrame, cell: float) -> pl.DataFrame:
    """Put points together that lie in one cell of a grid of `cell` degrees, the fullest cell first.

    `points` has organisation, label, latitude and longitude. A cell that is less than half as high as wide keeps its
    members together wherever they lie in it; its place is the middle of its members, so that it moves little as one
    zooms.
    """
    return (
        points.with_columns(row=(pl.col("latitude") / cell).floor(), column=(pl.col("longitude") / cell).floor())
        .group_by("row", "column")
        .agg(
            pl.len().alias("count"),
            pl.col("latitude").mean().alias("lat"),
            pl.col("longitude").mean().alias("lon"),
            pl.col("longitude").min().alias("west"),
            pl.col("latitude").min().alias("south"),
            pl.col("longitude").max().alias("east"),
            pl.col("latitude").max().alias("north"),
            pl.col("label").first(),
            pl.col("organisation").first(),
        )
        .sort("count", "row", "column", descending=[True, False, False])
    )


def _points(values: dict[str, str]) -> pl.DataFrame:
    """Return the located organisations; a point that lies nowhere on the globe is left out."""
    found = typed(answer(_LOCATED, values), latitude=pl.Float64, longitude=pl.Float64)
    on_earth = pl.col("latitude").is_between(-90, 90) & pl.col("longitude").is_between(-180, 180)
    return found.filter(on_earth)


def _extent(points: pl.DataFrame) -> str:
    """Return the box around nearly all points, as west,south,east,north: one stray point does not shrink the rest."""
    if points.is_empty():
        return ""
    sides = [
        points[name].quantile(share, "nearest")
        for name, share in (("longitude", 0.01), ("latitude", 0.01), ("longitude", 0.99), ("latitude", 0.99))
    ]
    return ",".join(f"{side:.4f}" for side in sides if side is not None)


def _cell(row: dict[str, Any]) -> dict[str, Any]:
    found = {
        "n": row["count"],
        "lat": round(row["lat"], 5),
        "lon": round(row["lon"], 5),
        "box": [round(row[side], 5) for side in _SIDES],
    }
    return found | (_listed(row) if row["count"] == 1 else {"label": row["label"]})


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": row["label"],
        "href": href(row["organisation"]),
        "network": url_for("pages.network", selected=row["organisation"]),
    }


def _region(row: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    short = short_iri(row["region"])
    return {
        "region": {"label": row["label"], "href": here(region=short)},
        "organisations": {
            "label": f"{row['organisations']:,}",
            "href": url_for("pages.organisations", region=short, kind=values.get("kind")),
        },
        "code": row["code"],
    }


def _degrees(name: str, default: float) -> float:
    text = request.args.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError as error:
        raise Refusal(400, f"'{text[:20]}' is no number of degrees", where=name, hint="write 50.72") from error
    if not -1000 < value < 1000:  # noqa: PLR2004 - also refuses what is no number at all
        raise Refusal(400, f"'{text[:20]}' is no number of degrees", where=name, hint="write 50.72")
    return value


# ---- Boundaries ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Boundaries:
    """A file of outlines of regions that a deployment gives: its content and its entity tag."""

    data: bytes
    tag: str


def read_boundaries(path: Path) -> Boundaries:
    """Read a TopoJSON file of regions; the property `code` (or NUTS_ID, or the id) of each is a code of a place.

    Raises `DataError` where the file cannot be read or is no topology.
    """
    hint = "give a TopoJSON file whose shapes have the codes of places as id or as the property 'code' or 'NUTS_ID'"
    try:
        data = path.read_bytes()
        content = json.loads(data)
    except (OSError, ValueError) as error:
        raise DataError("the boundaries cannot be read", where=str(path), hint=f"{hint} ({error})") from error
    if not isinstance(content, dict) or content.get("type") != "Topology" or not content.get("objects"):
        raise DataError("the file of boundaries is no TopoJSON topology", where=str(path), hint=hint)
    return Boundaries(data, sha256(data).hexdigest()[:32])


@blueprint.record
def _begin(setup: BlueprintSetupState) -> None:
    path = state_of(cast("Flask", setup.app)).settings.boundaries
    setup.app.extensions[_KEPT] = read_boundaries(path) if path else None


@blueprint.get("/map/boundaries.json")
def map_boundaries() -> Response:
    """Give the boundaries that the deployment has chosen; 404 where it has chosen none."""
    kept = _boundaries()
    if kept is None:
        raise Refusal(404, "this service has no boundaries", hint="start it with --boundaries FILE")
    response = Response(kept.data, mimetype="application/json")
    response.set_etag(kept.tag)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


def _boundaries() -> Boundaries | None:
    found: Boundaries | None = current_app.extensions.get(_KEPT)
    return found
