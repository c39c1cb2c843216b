"""The shortest paths between two organisations: found, drawn, said as a sentence, and given as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, Final
from urllib.parse import urlencode

import networkx as nx
import polars as pl
from flask import Flask, Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from graphkit import queries
from webui.analysis import Picture, network_names
from webui.catalogue.tables import download
from webui.i18n.choosing import gettext, ngettext
from webui.linked.reading import version_numbered
from webui.links import href, link, names_of
from webui.network.asked import DEFAULT, Asked, full, short
from webui.network.drawing import Step, chain
from webui.network.pages import waiting
from webui.protocol.access import own_address
from webui.state import analysis, names
from webui.works import NotReady

__all__ = ["Hop", "register", "resolve"]

_WITHIN: Final = 20.0
_MOST_PATHS: Final = 5
_MOST_NEAR: Final = 6
_NAMED: Final = 2


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a path: from one organisation to the next, the newest activity that joins them, and how many do."""

    source: str
    target: str
    activity: str
    date: str
    number: int


def register(app: Flask) -> None:
    """Add the addresses of paths to the pages of an application."""
    app.add_url_rule("/path", "pages.path", _page)
    app.add_url_rule("/path.<any(json,csv,svg):form>", "pages.path_data", _data)
    app.add_url_rule("/api/organisations", "pages.organisations_near", _suggest)


# ---- What is asked -----------------------------------------------------------------------------------------


def resolve(picture: Picture, text: str) -> tuple[str, list[dict[str, str]]]:
    """Find the organisation of a network that `text` names: an IRI, kind/slug, or a name.

    Returns its IRI and nothing, or "" and the near ones (id, label) where the name is not certain. A name that fits
    exactly one is taken.
    """
    text = text.strip()
    if full(text) in picture.network.rows:
        return full(text), []
    same = [iri for iri, label in picture.labels.items() if label.casefold() == text.casefold()]
    if len(same) == 1:
        return same[0], []
    near = same or [hit.iri for hit in names().search(text, kind="") if hit.iri in picture.network.rows] if text else []
    hits = list(dict.fromkeys(near))
    if len(hits) == 1:
        return hits[0], []
    return "", [{"id": short(iri), "label": picture.labels[iri]} for iri in hits[:_MOST_NEAR]]


def _suggest() -> Response:
    """Give the organisations of a network whose name begins like `?q=`, for a field: id and label."""
    text = request.args.get("q", "")[:200].strip()
    try:
        picture = analysis().picture(Asked.of(request.args).network, within=1.0)
    except NotReady:
        return jsonify([])
    hits = [hit for hit in names().search(text) if hit.iri in picture.network.rows] if text else []
    return jsonify(
        [
            {
                "id": short(hit.iri),
                "label": hit.label,
                "kind": picture.organisations["kind"][picture.network.rows[hit.iri]],
            }
            for hit in hits[:10]
        ]
    )


@dataclass(frozen=True, eq=False)
class _Found:
    picture: Picture
    asked: Asked
    ends: tuple[str, str]
    texts: tuple[str, str]
    near: tuple[list[dict[str, str]], list[dict[str, str]]]
    paths: list[list[Hop]]
    cut: bool


def _found(args: Mapping[str, str]) -> _Found:
    asked = Asked.of(args)
    if asked.version:
        version_numbered(asked.version)
    picture = analysis().picture(asked.network, asked.number, within=_WITHIN)
    texts = (args.get("from", "")[:200], args.get("to", "")[:200])
    one, other = resolve(picture, texts[0]), resolve(picture, texts[1])
    paths: list[list[Hop]] = []
    cut = False
    if one[0] and other[0] and one[0] != other[0]:
        rows, cut = _shortest(picture, one[0], other[0])
        paths = [[_hop(picture, a, b) for a, b in pairwise(path)] for path in rows]
    return _Found(picture, asked, (one[0], other[0]), texts, (one[1], other[1]), paths, cut)


def _shortest(picture: Picture, one: str, other: str) -> tuple[list[list[int]], bool]:
    """Return the shortest paths as rows, the first few by name, and whether there are more."""
    rows, graph = picture.network.rows, picture.network.structure
    try:
        found = list(islice(nx.all_shortest_paths(graph, rows[one], rows[other]), 200))
    except nx.NetworkXNoPath:
        return [], False
    strength = {path_at: min(_strength(picture, a, b) for a, b in pairwise(path)) for path_at, path in enumerate(found)}
    order = sorted(range(len(found)), key=lambda at: (-strength[at], found[at]))
    return [found[at] for at in order[:_MOST_PATHS]], len(found) > _MOST_PATHS


def _strength(picture: Picture, a: int, b: int) -> float:
    return float(picture.network.weights[a, b] + (picture.network.weights[b, a] if picture.network.directed else 0.0))


def _hop(picture: Picture, a: int, b: int) -> Hop:
    iris = picture.network.organisations
    pair = [iris[a], iris[b]]
    ties = picture.network.ties.filter(pl.col("source").is_in(pair) & pl.col("target").is_in(pair))
    row = ties.sort("date", "activity", descending=[True, False], nulls_last=True).row(0, named=True)
    return Hop(
        iris[a],
        iris[b],
        row["activity"] or "",
        row["date"].isoformat() if row["date"] else "",
        ties["activity"].n_unique(),
    )


# ---- The page ----------------------------------------------------------------------------------------------


def _page() -> ResponseReturnValue:
    """Show two fields and, once both are known, the shortest paths and nothing else."""
    try:
        found = _found(request.args)
    except NotReady as error:
        return waiting(error)
    query, newest = queries.find(found.asked.network), analysis().store.version
    labels = found.picture.labels
    known = names_of(
        analysis().reader(found.asked.number), [hop.activity for path in found.paths for hop in path if hop.activity]
    )
    return render_template(
        "path.html",
        page="path",
        asked=found.asked,
        networks=[
            {"value": each, "label": gettext(each.rpartition("/")[2].replace("-", " "))} for each in network_names()
        ],
        ends=[_end(found, at) for at in range(_NAMED)],
        swapped=_search(found, swap=True),
        same=found.ends[0] != "" and found.ends[0] == found.ends[1],
        complete=all(found.ends),
        paths=[_shown(found, path, known) for path in found.paths],
        cut=found.cut,
        twins=[
            {"label": form.upper(), "href": url_for("pages.path_data", form=form) + _search(found)}
            for form in ("svg", "csv", "json")
        ],
        permalink=f"{own_address()}/path{_search(found, version=newest.number if newest else 0)}",
        network_search=Asked(
            network=found.asked.network, organisation=short(found.ends[0]), depth=min(3, max(1, len(found.paths[0])))
        ).search()
        if found.paths
        else "",
        what_if=urlencode({"tie": f"{short(found.ends[0])} {short(found.ends[1])}"})
        if all(found.ends) and found.asked.network == DEFAULT
        else "",
        query={"name": query.name, "text": query.text},
        labels=labels,
    )


def _end(found: _Found, at: int) -> dict[str, Any]:
    iri = found.ends[at]
    return {
        "name": ("from", "to")[at],
        "label": (gettext("From organisation"), gettext("To organisation"))[at],
        "value": found.picture.labels[iri] if iri else found.texts[at],
        "id": short(iri),
        "near": [
            {**each, "search": _search(found, changes={("from", "to")[at]: each["id"]})} for each in found.near[at]
        ],
        "unknown": bool(found.texts[at]) and not iri and not found.near[at],
    }


def _search(found: _Found, *, swap: bool = False, version: int = 0, changes: Mapping[str, str] | None = None) -> str:
    ends = [short(iri) or text for iri, text in zip(found.ends, found.texts, strict=True)]
    first, second = reversed(ends) if swap else ends
    values = {
        "network": "" if found.asked.network == DEFAULT else found.asked.network,
        "from": first,
        "to": second,
        **(changes or {}),
    }
    values["version"] = str(version or found.asked.version or "")
    return f"?{urlencode({name: value for name, value in values.items() if value}, safe='/')}"


def _shown(found: _Found, path: list[Hop], known: Mapping[str, str]) -> dict[str, Any]:
    labels = found.picture.labels
    return {
        "length": len(path),
        "sentence": _sentence(path, labels, known),
        "picture": Markup(chain(_steps(path, labels, known), _sentence(path, labels, known))),  # noqa: S704 - our own SVG, escaped
        "hops": [
            {
                "source": {"label": labels[hop.source], "href": href(hop.source)},
                "target": {"label": labels[hop.target], "href": href(hop.target)},
                "activity": link(hop.activity, known) if hop.activity else None,
                "date": hop.date,
                "number": hop.number,
                "tie": url_for("pages.tie")
                + Asked(
                    network=found.asked.network,
                    version=found.asked.version,
                    tie=f"{short(hop.source)} {short(hop.target)}",
                ).search(),
            }
            for hop in path
        ],
    }


def _sentence(path: list[Hop], labels: Mapping[str, str], known: Mapping[str, str]) -> str:
    """Say a path as a sentence: who is joined to whom through what, one after the other."""
    said = []
    for place, hop in enumerate(path):
        values = {
            "one": labels[hop.source],
            "other": labels[hop.target],
            "activity": known.get(hop.activity, hop.activity),
            "year": hop.date[:4],
        }
        if not hop.activity:
            text = (
                gettext("%(one)s is tied to %(other)s", **values)
                if place == 0
                else gettext("who is tied to %(other)s", **values)
            )
        elif hop.date:
            text = (
                gettext("%(one)s is joined to %(other)s by “%(activity)s” (%(year)s)", **values)
                if place == 0
                else gettext("which is joined to %(other)s by “%(activity)s” (%(year)s)", **values)
            )
        else:
            text = (
                gettext("%(one)s is joined to %(other)s by “%(activity)s”", **values)
                if place == 0
                else gettext("which is joined to %(other)s by “%(activity)s”", **values)
            )
        said.append(text)
    return ", ".join(said) + "."


def _steps(path: list[Hop], labels: Mapping[str, str], known: Mapping[str, str]) -> list[Step]:
    steps = []
    for hop in path:
        what = known.get(hop.activity, hop.activity) or gettext("a tie without an activity")
        more = ngettext(", and %(num)s more", ", and %(num)s more", hop.number - 1) if hop.number > 1 else ""
        steps.append(Step(labels[hop.source], f"{what}{f' ({hop.date[:4]})' if hop.date else ''}{more}"))
    return [*steps, Step(labels[path[-1].target])]


def _data(form: str) -> ResponseReturnValue:
    """Give the paths as data, or the first as a picture."""
    try:
        found = _found(request.args)
    except NotReady as error:
        return waiting(error, as_json=True)
    labels = found.picture.labels
    known = names_of(
        analysis().reader(found.asked.number), [hop.activity for path in found.paths for hop in path if hop.activity]
    )
    if form == "svg":
        body = (
            chain(_steps(found.paths[0], labels, known), _sentence(found.paths[0], labels, known))
            if found.paths
            else chain([Step(gettext("No path is known."))], gettext("No path is known."))
        )
        response = Response(body, content_type="image/svg+xml; charset=utf-8")
        response.headers["Content-Disposition"] = 'inline; filename="path.svg"'
        return response
    rows = [
        (
            number,
            step,
            hop.source,
            labels[hop.source],
            hop.target,
            labels[hop.target],
            hop.activity,
            known.get(hop.activity, ""),
            hop.date,
            hop.number,
        )
        for number, path in enumerate(found.paths, 1)
        for step, hop in enumerate(path, 1)
    ]
    columns = (
        "path",
        "step",
        "source",
        "source_label",
        "target",
        "target_label",
        "activity",
        "activity_label",
        "date",
        "activities",
    )
    if form == "csv":
        numbers = {"path", "step", "activities"}
        schema = {name: pl.Int64 if name in numbers else pl.String for name in columns}
        return download(pl.DataFrame(rows, schema=schema, orient="row"), "csv", "path")
    sentences = [_sentence(path, labels, known) for path in found.paths]
    return jsonify(
        {
            "network": found.asked.network,
            "from": found.ends[0],
            "to": found.ends[1],
            "sentences": sentences,
            "steps": [dict(zip(columns, row, strict=True)) for row in rows],
        }
    )
