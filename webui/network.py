"""The network page: what is drawn, what the table beside it says, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from flask import url_for

from graphkit import queries
from graphkit.gaps import Gap
from webui.analysis import Analysis, Picture, network_names
from webui.gaps import gap_rows
from webui.links import href, link, names_of

__all__ = ["network_data", "network_page"]

_DEFAULT = "networks/collaboration"
_PAIR = 2
_INTRODUCTION = "P1"
_SHOWN = (_INTRODUCTION, "P2", "R1", "B2", "R2")


def network_page(analysis: Analysis, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return what the template needs; `asked` is the query string: network, kind, community, find, selected."""
    name = asked.get("network") or _DEFAULT
    picture = analysis.picture(name)
    state = {key: asked.get(key, "") for key in ("kind", "community", "find", "selected")}
    ordered = picture.organisations.sort("degree", "label", descending=[True, False])
    rows = [_row(row, picture, state) for row in ordered.iter_rows(named=True)]
    gaps = _suggested(analysis, name)
    query = queries.find(name)
    return {
        "title": query.summary,
        "rows": rows,
        "gaps": gap_rows(gaps),
        "state": {**state, "network": name},
        "networks": [{"value": each, "label": _short(each)} for each in network_names()],
        "communities": _communities(picture),
        "counts": {
            "organisations": picture.organisations.height,
            "ties": picture.network.adjacency.nnz // 2,
            "communities": picture.communities.height,
            "gaps": len([gap for gap in gaps if gap.kind == _INTRODUCTION]),
        },
        "banner": analysis.report.banner,
        "query": {
            "name": name,
            "text": query.text,
            "run_href": url_for("sparql.page", query=query.text),
            "twins": [
                {"label": "CSV", "href": url_for("catalogue.query", name=f"{name}.csv")},
                {"label": "JSON", "href": url_for("pages.network_json", network=name)},
            ],
        },
    }


def network_data(analysis: Analysis, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the picture as data: organisations with places, ties with activities, suggested ties, communities."""
    name = asked.get("network") or _DEFAULT
    picture = analysis.picture(name)
    return {
        "version": analysis.store.version.number if analysis.store.version else None,
        "query": name,
        "organisations": [_drawn(row) for row in picture.organisations.iter_rows(named=True)],
        "ties": _ties(analysis, picture),
        "gaps": [_gap_tie(gap) for gap in _suggested(analysis, name) if len(gap.members) == _PAIR],
        "communities": _communities(picture),
    }


def _short(name: str) -> str:
    """Return the last part of the name of a query as words."""
    return name.rpartition("/")[2].replace("-", " ")


def _row(row: dict[str, Any], picture: Picture, state: Mapping[str, str]) -> dict[str, Any]:
    text = f"{row['label']} {row['region'] or ''}".lower()
    shown = (
        state["kind"] in {"", row["kind"]}
        and state["community"] in {"", str(row["group"])}
        and state["find"].lower() in text
    )
    names = dict(picture.communities.select("group", "label").rows())
    return {
        "id": row["organisation"],
        "label": row["label"],
        "href": href(row["organisation"]),
        "kind": row["kind"],
        "region": row["region"],
        "community": row["group"],
        "community_label": names.get(row["group"], "on its own"),
        "degree": row["degree"],
        "shown": shown,
    }


def _drawn(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["organisation"],
        "label": row["label"],
        "kind": row["kind"],
        "region": row["region"],
        "community": row["group"],
        "degree": row["degree"],
        "drawn": row["drawn"],
        "x": round(row["x"], 4),
        "y": round(row["y"], 4),
        "href": href(row["organisation"]),
    }


def _ties(analysis: Analysis, picture: Picture) -> list[dict[str, Any]]:
    ties = picture.network.ties
    names = names_of(analysis.store, ties["activity"].drop_nulls().unique())
    pairs = ties.group_by("source", "target", maintain_order=True).agg(
        pl.col("weight").sum(),
        pl.struct("activity", "date").alias("through"),
        pl.col("kind").drop_nulls().unique().sort(),
    )
    return [
        {
            "source": row["source"],
            "target": row["target"],
            "weight": round(row["weight"], 4),
            "activities": [
                {**link(each["activity"], names), "date": each["date"].isoformat() if each["date"] else None}
                for each in row["through"]
                if each["activity"]
            ],
            "kinds": row["kind"],
        }
        for row in pairs.iter_rows(named=True)
    ]


def _communities(picture: Picture) -> list[dict[str, Any]]:
    rows = picture.communities.rows(named=True)
    return [{"id": row["group"], "label": row["label"], "size": row["size"]} for row in rows]


def _suggested(analysis: Analysis, name: str) -> list[Gap]:
    """Return the gaps about this network; they are found on the network of working together only."""
    if name != _DEFAULT:
        return []
    return [gap for gap in analysis.report.gaps if gap.kind in _SHOWN]


def _gap_tie(gap: Gap) -> dict[str, Any]:
    return {
        "source": gap.members[0],
        "target": gap.members[1],
        "kind": gap.kind,
        "score": gap.score,
        "explanation": gap.explanation,
        "action": gap.action,
        "tier": gap.tier,
    }
