"""The network page with its parts, its data and its downloads, and the same view to be put into other pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from flask import Flask, Response, jsonify, make_response, render_template, request, url_for

from graphkit import queries
from graphkit.export.networks import network_to_bytes
from graphkit.gaps import Gap
from graphkit.store.base import Readable
from webui.analysis import Analysis, Picture, network_names
from webui.catalogue.tables import download
from webui.gaps.banner import spoken_banner
from webui.gaps.rows import gap_rows
from webui.i18n.choosing import gettext, ngettext, number
from webui.linked.reading import version_numbered
from webui.links import href
from webui.network.asked import DEFAULT, Asked, full, short
from webui.network.data import community_name, kinds_of, scene_data
from webui.network.drawing import drawing
from webui.network.panel import panel
from webui.network.scene import Scene, scene
from webui.picture import size_labels
from webui.policy import policy
from webui.protocol.access import own_address
from webui.serving.packing import packed
from webui.state import analysis, settings
from webui.works import NotReady

__all__ = ["Shown", "register", "shown", "summary", "waiting"]

_PATIENCE: Final = 4.0
_DATA: Final = (
    "/part", ".json", ".csv", ".spreadsheet", ".atom", ".html", ".md", ".pdf", ".docx", ".ttl", ".svg", ".gexf",
    ".graphml", ".ties",
)  # fmt: skip
"""How long a page waits for a picture or for the gaps before it says that they are being made."""
_ROWS: Final = 50
_GAPS_SHOWN: Final = 50
_ORDERS: Final = {
    "label": "label",
    "degree": "degree",
    "size": "size",
    "kind": "kind",
    "region": "region",
    "community": "group",
}
_DRAWN: Final = ("P1", "P2", "R1", "B2", "R2", "S1", "B1", "G3")
_FILES: Final = {
    "csv": "text/csv", "spreadsheet": "text/csv", "svg": "image/svg+xml", "gexf": "application/gexf+xml",
    "graphml": "application/graphml+xml", "ties": "text/csv",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Shown:
    """A view with what it was made from: `late` says that the gaps are still searched for."""

    asked: Asked
    scene: Scene
    reader: Readable
    version: int | None
    late: bool


def register(app: Flask) -> None:
    """Add the addresses of the network to the pages of an application."""
    app.add_url_rule("/network", "pages.network", _page)
    app.add_url_rule("/network.json", "pages.network_json", _data)
    app.add_url_rule("/network/part", "pages.network_part", _part)
    app.add_url_rule("/network.<any(csv,spreadsheet,svg,gexf,graphml,ties):form>", "pages.network_file", _file)
    app.add_url_rule("/embed/network", "pages.network_embed", _embed)
    app.register_error_handler(NotReady, _not_ready)


def shown(asked: Asked, known: Analysis | None = None) -> Shown:
    """Return the view that is asked for; raises `NotReady` while its picture is being made.

    Raises `Refusal` 404 for a version that is not kept.
    """
    known = known or analysis()
    if asked.version:
        version_numbered(asked.version)
    picture = known.picture(asked.network, asked.number, within=_PATIENCE)
    gaps, late = _gaps(known, asked)
    found = known.store.version
    return Shown(
        asked,
        scene(picture, asked, gaps),
        known.reader(asked.number),
        asked.number or (found.number if found else None),
        late,
    )


def _gaps(known: Analysis, asked: Asked) -> tuple[list[Gap], bool]:
    """Return the gaps about this network, which are found on that of working together, and whether they are late."""
    newest = known.store.version
    if asked.network != DEFAULT or (asked.version and newest and asked.version != newest.number):
        return [], False
    report = known.report_within(_PATIENCE)
    return ([gap for gap in report.gaps if gap.kind in _DRAWN], False) if report else ([], True)


# ---- The page ----------------------------------------------------------------------------------------------


def _page() -> Response:
    asked = _wanted()
    try:
        view = shown(asked)
    except NotReady as error:
        return waiting(error)
    html = render_template("network.html", page="network", **_whole(view))
    return make_response(html)


def _part() -> Response:
    """Give what changes on the page when the view changes: summary, panel, table, downloads."""
    try:
        view = shown(_wanted())
    except NotReady as error:
        return waiting(error, as_json=True)
    return make_response(render_template("_network_part.html", **_changing(view)))


def _wanted() -> Asked:
    """Read the view; `?organisation=` may be a full IRI, and `?selected=` too, as other pages link here."""
    return Asked.of(request.args)


def _whole(view: Shown) -> dict[str, Any]:
    asked, picture = view.asked, view.scene.picture
    query = queries.find(asked.network)
    known = analysis()
    report = None if view.late or asked.network != DEFAULT else known.report_within(0)
    return {
        **_changing(view),
        "title": query.summary,
        "query": {"name": query.name, "text": query.text, "run_href": url_for("sparql.page", query=query.text)},
        "networks": [
            {"value": each, "label": gettext(each.rpartition("/")[2].replace("-", " "))} for each in network_names()
        ],
        "kinds": kinds_of(picture.organisations),
        "themes": picture.themes["theme"].unique().sort().to_list(),
        "regions": picture.places["region"].unique().sort().to_list(),
        "communities": _communities(picture),
        "sizes": size_labels(picture),
        "years": picture.years,
        "banner": spoken_banner(report.banner) if report else "",
        "may_embed": settings().embedding,
    }


def _communities(picture: Picture) -> list[dict[str, str]]:
    return [
        {"value": str(group), "label": community_name(label)}
        for group, label in picture.communities.select("group", "label").rows()
    ]


def _changing(view: Shown) -> dict[str, Any]:
    """Return what `_network_part.html` needs: all that depends on the filters and on what is selected."""
    asked, found = view.asked, view.scene
    table = _table(found)
    pinned = asked.search(version=view.version) if view.version else asked.search()
    return {
        "asked": asked,
        "search": asked.search(),
        "summary": summary(found),
        "late": view.late,
        "undated": found.undated,
        "panel": panel(found, view.reader),
        "table": table,
        "gaps": gap_rows(found.gaps[:_GAPS_SHOWN]),
        "all_gaps": len(found.gaps),
        "version": view.version,
        "permalink": f"{own_address()}/network{pinned}",
        "embed_address": f"{own_address()}/embed/network{pinned}",
        "downloads": _downloads(asked),
    }


def _downloads(asked: Asked) -> list[dict[str, str]]:
    return [
        {"label": label, "href": url_for("pages.network_file", form=form) + asked.search()}
        for label, form in (("SVG", "svg"), ("GEXF", "gexf"), ("GraphML", "graphml"))
    ] + [
        {"label": gettext("organisations as CSV"), "href": url_for("pages.network_file", form="csv") + asked.search()},
        {"label": gettext("ties as CSV"), "href": url_for("pages.network_file", form="ties") + asked.search()},
        {"label": "JSON", "href": url_for("pages.network_json") + asked.search()},
    ]


def _table(found: Scene) -> dict[str, Any]:
    """Return one page of the organisations in the order that is asked for."""
    asked = found.asked
    rows = _ordered(found)
    pages = max(1, -(-rows.height // _ROWS))
    page = min(asked.page, pages)
    names = dict(found.picture.communities.select("group", "label").rows())
    return {
        "rows": [_row(row, names) for row in rows.slice((page - 1) * _ROWS, _ROWS).iter_rows(named=True)],
        "total": rows.height,
        "all": found.picture.organisations.height,
        "first": (page - 1) * _ROWS + 1 if rows.height else 0,
        "last": min(page * _ROWS, rows.height),
        "heads": _heads(asked),
        "before": asked.search(page=page - 1) if page > 1 else "",
        "after": asked.search(page=page + 1) if page < pages else "",
    }


def _ordered(found: Scene) -> pl.DataFrame:
    name = found.asked.sort.removeprefix("-")
    by, down = (_ORDERS.get(name, "degree"), found.asked.sort.startswith("-") or name not in _ORDERS)
    key = pl.col(by).str.to_lowercase() if by in {"label", "kind", "region"} else pl.col(by)
    return found.rows.sort(key, "label", descending=[down, False], nulls_last=True, maintain_order=True)


def _heads(asked: Asked) -> list[dict[str, Any]]:
    heads = [
        ("label", gettext("Organisation"), False),
        ("degree", gettext("Works with"), True),
        ("size", gettext("Measure"), True),
        ("kind", gettext("Kind"), False),
        ("region", gettext("Region"), False),
        ("community", gettext("Community"), False),
    ]
    found = []
    for key, label, is_number in heads:
        if key == "size" and asked.size == "degree":
            continue
        current = asked.sort or "-degree"
        sorted_by = {key: "ascending", f"-{key}": "descending"}.get(current, "")
        first = f"-{key}" if is_number else key
        other = key if is_number else f"-{key}"
        found.append(
            {
                "key": key,
                "label": label,
                "number": is_number,
                "sorted": sorted_by,
                "search": asked.search(sort=other if current == first else first),
            }
        )
    return found


def _row(row: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    group = row["group"]
    return {
        "id": short(row["organisation"]),
        "label": row["label"],
        "href": href(row["organisation"]),
        "degree": row["degree"],
        "size": row["size"],
        "kind": row["kind"],
        "region": row["region"],
        "community": group if group in names else None,
        "community_label": community_name(names[group]) if group in names else gettext("on its own"),
    }


def summary(found: Scene) -> str:
    """Say in a few sentences what the picture shows."""
    rows, asked = found.rows, found.asked
    size = {
        "organisations": ngettext("%(num)s organisation", "%(num)s organisations", rows.height),
        "ties": ngettext("%(num)s tie", "%(num)s ties", found.pairs.height),
        "communities": ngettext("%(num)s community", "%(num)s communities", found.communities.height),
    }
    said = [gettext("%(organisations)s, %(ties)s, %(communities)s.", **size)]
    if asked.organisation:
        name = found.picture.labels.get(full(asked.organisation), asked.organisation)
        said.insert(0, gettext("Around %(name)s.", name=name))
    if rows.height and found.pairs.height:
        best = rows.sort("degree", "label", descending=[True, False]).row(0, named=True)
        said.append(
            gettext("%(name)s has most partners here: %(number)s.", name=best["label"], number=number(best["degree"]))
        )
    suggested = sum(gap.kind == "P1" for gap in found.suggested)
    if suggested:
        said.append(ngettext("%(num)s further tie is suggested.", "%(num)s further ties are suggested.", suggested))
    alone = int((rows["degree"] == 0).sum())
    if alone:
        said.append(
            ngettext(
                "Of %(num)s organisation no source names a tie.",
                "Of %(num)s organisations no source names a tie.",
                alone,
            )
        )
    return " ".join(said)


def _not_ready(error: NotReady) -> Response:
    """Say of any address that it waits for something: as data to who asks for data, or for a part of a page."""
    return waiting(error, as_json=request.path.endswith(_DATA))


def waiting(error: NotReady, *, as_json: bool = False) -> Response:
    """Say that a picture is being made and how far it is (202); a page asks again by itself after a few seconds."""
    said = {"step": error.step, "steps": error.steps, "says": gettext(error.says), "seconds": round(error.seconds)}
    response = jsonify(said) if as_json else make_response(render_template("waiting.html", **said))
    response.status_code = 202
    response.headers["Retry-After"] = "2"
    if not as_json:
        response.headers["Refresh"] = "3"
    response.headers["Cache-Control"] = "no-store"
    return response


# ---- Data and files ----------------------------------------------------------------------------------------


def _data() -> Response:
    """Give the view as data for the picture; 202 with the progress while it is being made."""
    try:
        view = shown(_wanted())
    except NotReady as error:
        return waiting(error, as_json=True)
    data = scene_data(view.scene, view.version)
    return _packed(jsonify({**data, "summary": summary(view.scene), "late": view.late}))


def _packed(response: Response) -> Response:
    """Pack a long answer here: the front packs only what comes in one piece."""
    headers = [(name.lower(), value) for name, value in response.headers.items()]
    headers, body = packed(headers, response.get_data(), request.headers.get("Accept-Encoding", ""))
    response.set_data(body)
    for name, value in headers:
        response.headers[name] = value
    return response


def _file(form: str) -> Response:
    """Give the view as a file: a picture, a graph for other programs, or its organisations or ties as a table."""
    try:
        view = shown(_wanted())
    except NotReady as error:
        return waiting(error, as_json=True)
    name = f"network-v{view.version}" if view.version else "network"
    if form in {"csv", "spreadsheet"}:
        return download(_organisations(view.scene), form, name)
    if form == "ties":
        return download(_ties(view.scene), "csv", f"{name}-ties")
    body: str | bytes = (
        drawing(view.scene, summary(view.scene), dashed=view.asked.gaps != "0")
        if form == "svg"
        else _graph(view.scene, form)
    )
    response = Response(body, content_type=f"{_FILES[form]}; charset=utf-8")
    where = "inline" if form == "svg" else "attachment"
    response.headers["Content-Disposition"] = f'{where}; filename="{name}.{form}"'
    return response


def _organisations(found: Scene) -> pl.DataFrame:
    names = dict(found.picture.communities.select("group", "label").rows())
    columns = ["organisation", "label", "degree", *(["size"] if found.asked.size != "degree" else []), "kind", "region"]
    community = pl.col("group").replace_strict(names, default=None, return_dtype=pl.String).alias("community_around")
    return _ordered(found).select(*columns, community).rename({"size": found.asked.size} if "size" in columns else {})


def _ties(found: Scene) -> pl.DataFrame:
    iris = list(found.picture.network.organisations)
    labels = found.picture.organisations["label"].to_list()
    a, b = found.pairs["a"].to_list(), found.pairs["b"].to_list()
    return found.pairs.select(
        pl.Series("source", [iris[row] for row in a], dtype=pl.String),
        pl.Series("source_label", [labels[row] for row in a], dtype=pl.String),
        pl.Series("target", [iris[row] for row in b], dtype=pl.String),
        pl.Series("target_label", [labels[row] for row in b], dtype=pl.String),
        "weight", "activities", "first", "last",
    )  # fmt: skip


def _graph(found: Scene, form: str) -> bytes:
    """Write the organisations and ties of a view, with kind, region, community and place, for other programs."""
    columns = found.rows.select("organisation", "kind", "region", pl.col("group").alias("community"), "x", "y")
    known = {
        row.pop("organisation"): {name: "" if value is None else value for name, value in row.items()}
        for row in columns.to_dicts()
    }
    return network_to_bytes(found.network, form, found.picture.labels, known)


# ---- In other pages ----------------------------------------------------------------------------------------


def _embed() -> Response:
    """Give the picture alone, for an iframe on the sites that the deployment allows."""
    try:
        view = shown(_wanted())
    except NotReady as error:
        return waiting(error)
    response = make_response(
        render_template("embed_network.html", **_changing(view), sizes=size_labels(view.scene.picture))
    )
    response.headers["Content-Security-Policy"] = policy(frame_ancestors=("'self'", *settings().embedding))
    return response
