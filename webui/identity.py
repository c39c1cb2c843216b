"""Which records are one organisation: the links that wait for a person, and what is decided about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import polars as pl
from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from graphkit import identity, queries
from graphkit.identity import LEVELS, Decision
from graphkit.terms import GRAPH, ID
from webui.catalogue.tables import download
from webui.frames import frames_of, patience
from webui.i18n.choosing import gettext
from webui.links import href
from webui.protocol.access import is_token, require_own_site
from webui.protocol.problems import Refusal
from webui.protocol.writes import turn
from webui.state import settings, store

__all__ = ["blueprint"]

blueprint = Blueprint("identity", __name__)

_ROWS: Final = 25
_LONGEST_NUMBER: Final = 6
_CONTESTED: Final = "contested"
_RECORD: Final = "record"
_STATE: Final = ("level", "source", _RECORD, _CONTESTED, "page")


@blueprint.get("/identity")
def page() -> str:
    """Show the links that are for review, a page at a time, with a form where the deployment lets people decide."""
    waiting, joined = _known()
    state = {name: request.args.get(name, "") for name in _STATE}
    rows = _filtered(waiting, state)
    number = min(max(_number(state["page"]), 1), max(-(-rows.height // _ROWS), 1))
    shown = rows.slice((number - 1) * _ROWS, _ROWS)
    return render_template(
        "identity.html",
        page="identity",
        rows=[_row(row) for row in shown.iter_rows(named=True)],
        total=rows.height,
        waiting=waiting.height,
        joined=joined,
        state=state,
        levels=[{"value": name, "label": _level_name(name)} for name in LEVELS],
        sources=_sources(waiting),
        number=number,
        last=max(-(-rows.height // _ROWS), 1),
        address_of_page=lambda other: _address({**state, "page": str(other)}),
        writable=bool(settings().token) and not store().read_only,
        decided=_number(request.args.get("decided", "")) if "decided" in request.args else None,
    )


@blueprint.get("/identity.<any(json,csv,spreadsheet):form>")
def data(form: str) -> Response:
    """Give the links that are for review as data, with the columns of a review file."""
    rows = _filtered(_known()[0], {name: request.args.get(name, "") for name in _STATE})
    rows = rows.with_columns(pl.lit("").alias(name) for name in ("verdict", "who", "note"))
    if form == "json":
        return jsonify(rows.with_columns(pl.col("confidence").cast(pl.Float64)).to_dicts())
    return download(rows, form, "identity-review")


@blueprint.post("/identity")
def decide() -> BaseResponse:
    """Keep the verdicts of a filled-in form; only who knows the token may, and from no other site."""
    require_own_site()
    if not settings().token:
        raise Refusal(403, gettext("this service is read only"))
    if not is_token(request.form.get("token", "")):
        hint = gettext("go back, and write the token of this service into its field; nothing was kept")
        raise Refusal(401, gettext("the token is not the right one"), hint=hint)
    who = request.form.get("who", "")
    decisions = list(_decisions(who))
    with turn():
        new = identity.decide(store(), decisions, who=who or "http")
    state = {name: request.form.get(name, "") for name in _STATE}
    return redirect(_address({**state, "decided": str(new)}), 303)


def _known() -> tuple[pl.DataFrame, int]:
    """Return what waits and how many records are joined, read once for each version of the graph.

    Raises `NotReady` where that takes longer than a few seconds.
    """
    whole = store()
    version = whole.version
    mark = f"{version.number}-{version.hash}" if version else ""

    def read() -> tuple[pl.DataFrame, int]:
        return identity.load_review(whole), queries.run(whole, "identity/preferred").height

    if not mark:
        return read()
    found: tuple[pl.DataFrame, int] = frames_of(current_app).other("identity", mark, read, patience())
    return found


def _decisions(who: str) -> Iterator[Decision]:
    """Read the rows of the form in which a verdict was chosen."""
    for name, verdict in request.form.items():
        if name.startswith("verdict-") and verdict:
            place = name.removeprefix("verdict-")
            left, _, right = request.form.get(f"pair-{place}", "").partition(" ")
            yield Decision(left, right, verdict, who, request.form.get(f"note-{place}", ""))


def _filtered(waiting: pl.DataFrame, state: dict[str, str]) -> pl.DataFrame:
    """Keep the rows of the chosen level, source and record; what contradicts something only where it is asked for."""
    found = waiting
    if state["level"]:
        found = found.filter(pl.col("level") == state["level"])
    if state["source"]:
        found = found.filter(pl.any_horizontal(pl.col("left_source", "right_source") == state["source"]))
    if state[_RECORD]:
        record = state[_RECORD] if "://" in state[_RECORD] else ID + state[_RECORD]
        found = found.filter(pl.any_horizontal(pl.col("left", "right") == record))
    return found if state[_CONTESTED] else found.filter(pl.col("conflict").is_null())


def _sources(waiting: pl.DataFrame) -> list[dict[str, str]]:
    graphs = pl.concat([waiting["left_source"], waiting["right_source"].alias("left_source")]).drop_nulls().unique()
    return [{"value": graph, "label": graph.removeprefix(GRAPH)} for graph in graphs.sort()]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    sides = [
        {
            "label": row[f"{side}_label"] or row[side],
            "href": href(row[side]),
            "source": (row[f"{side}_source"] or "").removeprefix(GRAPH),
        }
        for side in ("left", "right")
    ]
    return {
        "pair": f"{row['left']} {row['right']}",
        "sides": sides,
        "confidence": float(row["confidence"]),
        "level": _level_name(row["level"]),
        "reason": row["reason"],
        "conflict": row["conflict"],
    }


def _level_name(name: str | None) -> str:
    names = {"strict": gettext("strict"), "likely": gettext("likely"), "possible": gettext("possible")}
    return names.get(name or "", "")


def _address(state: dict[str, str]) -> str:
    """Return the address of the page in a state; what is not chosen is left out."""
    chosen = {name: value for name, value in state.items() if value}
    return f"{url_for('identity.page')}?{urlencode(chosen)}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else 0
