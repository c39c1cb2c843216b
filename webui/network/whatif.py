"""What if these organisations worked together: which gaps would close and open, and which figures would change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from graphkit.errors import UsageError
from graphkit.export.gaps import gap_to_dict
from graphkit.plans import WhatIf, what_if
from webui.analysis import Picture
from webui.gaps.rows import gap_rows
from webui.i18n.choosing import gettext, number
from webui.links import href
from webui.network.asked import DEFAULT, full, short
from webui.network.pages import waiting
from webui.network.path import resolve
from webui.state import analysis
from webui.works import NotReady

__all__ = ["register", "tried"]

_WITHIN: Final = 20.0
_MOST: Final = 20
_MOST_ORGANISATIONS: Final = 6_000


def register(app: Flask) -> None:
    """Add the addresses of what-if to the pages of an application."""
    app.add_url_rule("/what-if", "pages.what_if", _page)
    app.add_url_rule("/what-if.json", "pages.what_if_data", _data)


def tried(ties: list[tuple[str, str]]) -> WhatIf:
    """Try ties on a copy of the network of working together; nothing is stored.

    Raises `UsageError` where the network is so large that its figures take minutes.
    """
    number = len(analysis().network(DEFAULT, _WITHIN).organisations)
    if number > _MOST_ORGANISATIONS:
        raise UsageError(
            f"what-if compares whole networks, and this one has {number:,} organisations",
            hint=f"up to {_MOST_ORGANISATIONS:,} are tried on a page; use 'graphkit what-if' on the command line",
        )
    return what_if(analysis().ground(_WITHIN), add_ties=ties)


def _asked(args: MultiDict[str, str], picture: Picture) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Return the ties that are asked for, and what the form shows where a name is not certain.

    `tie=organisation/a organisation/b`, any number of times, and one more by the fields from and to.
    """
    ties = [
        (full(one), full(other))
        for each in args.getlist("tie")[:_MOST]
        for one, _, other in [each.strip().partition(" ")]
        if other
    ]
    texts = args.get("from", "")[:200], args.get("to", "")[:200]
    ends, fields = [], []
    for name, text, label in zip(
        ("from", "to"), texts, (gettext("First organisation"), gettext("Second organisation")), strict=True
    ):
        iri, near = resolve(picture, text)
        ends.append(iri)
        chosen = [
            {**each, "search": "?" + _query(ties, {"from": texts[0], "to": texts[1], name: each["id"]})}
            for each in near
        ]
        fields.append(
            {
                "name": name,
                "label": label,
                "value": picture.labels[iri] if iri else text,
                "near": chosen,
                "unknown": bool(text) and not iri and not near,
            }
        )
    if all(ends):
        ties.append((ends[0], ends[1]))
    ties = list(dict.fromkeys((min(pair), max(pair)) for pair in ties))
    return ties, {"fields": fields, "complete": all(ends)}


def _query(ties: list[tuple[str, str]], more: Mapping[str, str] | None = None) -> str:
    pairs = [("tie", f"{short(one)} {short(other)}") for one, other in ties]
    return urlencode([*pairs, *(more or {}).items()], safe="/")


def _page() -> ResponseReturnValue:
    """Show the form, and what the ties would change."""
    try:
        picture = analysis().picture(DEFAULT, within=_WITHIN)
    except NotReady as error:
        return waiting(error)
    ties, form = _asked(request.args, picture)
    found, fault = None, None
    if ties:
        try:
            found = tried(ties)
        except UsageError as error:
            fault = error
        if found is not None and form["complete"]:
            for field in form["fields"]:
                field["value"] = ""
    parts = {
        "ties": _listed(ties, picture),
        "found": _shown(found) if found else None,
        "fault": fault,
        "query": _query(ties),
    }
    if request.args.get("part"):
        return render_template("_what_if_part.html", **parts)
    return render_template("what_if.html", page="what-if", **form, **parts, choices=picture.labels)


def _listed(ties: list[tuple[str, str]], picture: Picture) -> list[dict[str, Any]]:
    found = []
    for pair in ties:
        rest = [each for each in ties if each != pair]
        found.append(
            {
                "ends": [{"label": picture.labels.get(iri, short(iri)), "href": href(iri)} for iri in pair],
                "without": url_for("pages.what_if") + (f"?{_query(rest)}" if rest else ""),
                "value": f"{short(pair[0])} {short(pair[1])}",
            }
        )
    return found


def _data() -> Response | ResponseReturnValue:
    """Give what the ties would change as data."""
    try:
        picture = analysis().picture(DEFAULT, within=_WITHIN)
    except NotReady as error:
        return waiting(error, as_json=True)
    ties, _ = _asked(request.args, picture)
    if not ties:
        raise UsageError("no tie is named", where="tie", hint="write tie=organisation/a organisation/b")
    found = tried(ties)
    return jsonify(
        {
            "changes": list(found.changes),
            "figures": [{key: row[key] for key in ("name", "before", "after")} for row in _figures(found)],
            "closed": [gap_to_dict(gap) for gap in found.closed],
            "opened": [gap_to_dict(gap) for gap in found.opened],
            "changed": [
                {"before": gap_to_dict(each.before), "after": gap_to_dict(each.after)} for each in found.changed
            ],
            "notes": list(found.notes),
        }
    )


def _shown(found: WhatIf) -> dict[str, Any]:
    return {
        "figures": _figures(found),
        "changed_figures": sum(row["differs"] for row in _figures(found)),
        "concerned": [
            {
                "label": each.label,
                "href": href(each.organisation),
                "values": [_pair(each.partners, 0), _pair(each.constraint, 2), _pair(each.coreness, 0)],
            }
            for each in found.concerned[:_MOST]
        ],
        "closed": gap_rows(found.closed),
        "opened": gap_rows(found.opened),
        "changed": [
            {"gap": gap_rows([each.before])[0], "before": each.before.score, "after": each.after.score}
            for each in found.changed
        ],
        "notes": found.notes,
    }


def _figures(found: WhatIf) -> list[dict[str, Any]]:
    """Return the figures of the whole network before and after, with whether they differ."""
    rows: list[tuple[str, float | None, float | None, int]] = [
        (gettext("Organisations"), found.before.organisations, found.after.organisations, 0),
        (gettext("Pairs of partners"), found.before.pairs, found.after.pairs, 0),
        (gettext("Efficiency (mean of 1/distance)"), found.before.efficiency, found.after.efficiency, 4),
        (gettext("Connected parts, isolates among them"), found.before.parts, found.after.parts, 0),
        (gettext("Isolates"), found.before.isolates, found.after.isolates, 0),
        (gettext("Organisations of the largest part"), found.before.largest, found.after.largest, 0),
        (gettext("Share of pairs that a chain of ties joins"), found.before.connected, found.after.connected, 4),
    ]
    return [
        {
            "name": name,
            "before": before,
            "after": after,
            "said": [_said(before, digits), _said(after, digits)],
            "differs": before != after,
        }
        for name, before, after, digits in rows
    ]


def _pair(values: tuple[float | None, float | None], digits: int) -> dict[str, Any]:
    return {"said": [_said(value, digits) for value in values], "differs": values[0] != values[1]}


def _said(value: float | None, digits: int) -> str:
    if value is None:
        return "–"
    return number(value, digits) if digits else number(int(value))
