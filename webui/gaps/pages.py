"""The pages of gaps: the ranked table, a page for each with its evidence, what people make of it, and the plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import polars as pl
from flask import Flask, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from graphkit.errors import UnknownNameError, UsageError
from graphkit.export.gaps import gap_to_dict
from graphkit.gaps import KINDS, VERDICTS, Gap, GapReport, Review, as_frame, gap_called, load_reviews, review_gap
from webui import session
from webui.catalogue.tables import download
from webui.gaps.banner import spoken_banner
from webui.gaps.drawn import around_gap
from webui.gaps.plan import chosen, in_plan, kept, plan_frame, plan_rows
from webui.gaps.rows import FILTERS, choices, gap_href, gap_row, missing_evidence, passing
from webui.i18n.choosing import gettext
from webui.links import href
from webui.network.asked import short
from webui.network.drawing import drawing
from webui.network.panel import sources_of
from webui.pages.blueprint import here
from webui.pages.lists import asked_number
from webui.protocol.access import own_address, require_own_site
from webui.protocol.problems import Refusal
from webui.protocol.writes import turn
from webui.state import analysis, settings, store
from webui.works import NotReady

__all__ = ["register"]

_PATIENCE: Final = 4.0
_ROWS: Final = 50
_MOST_PAGES: Final = 1_000_000
_PAIR: Final = 2
_ON_THE_NETWORK: Final = frozenset({"P1", "P2", "R1", "R2", "B1", "B2", "S1", "G3"})


def register(app: Flask) -> None:
    """Add the addresses of gaps, of reviews and of the plan to the pages of an application."""
    session.register(app)
    app.add_url_rule("/gaps", "pages.gaps", _page)
    app.add_url_rule("/gaps.<any(json,csv,spreadsheet):form>", "pages.gaps_data", _data)
    app.add_url_rule("/gaps/<key>", "pages.gap", _one)
    app.add_url_rule("/gaps/<key>.json", "pages.gap_data", _one_as_data)
    app.add_url_rule("/gaps/<key>/review", "pages.gap_review", _review, methods=["POST"])
    app.add_url_rule("/plan", "pages.plan", _plan)
    app.add_url_rule("/plan.<any(json,csv,spreadsheet):form>", "pages.plan_data", _plan_data)
    app.add_url_rule("/plan", "pages.plan_change", _change_plan, methods=["POST"])
    app.jinja_env.globals.update(in_plan=in_plan)


def _report() -> GapReport:
    report = analysis().report_within(_PATIENCE)
    return analysis().report_ready(0.0) if report is None else report


# ---- The table ---------------------------------------------------------------------------------------------


def _state() -> dict[str, str]:
    return {name: request.args.get(name, "")[:200].strip() for name in (*FILTERS, "reviewed", "sort")}


def _page() -> ResponseReturnValue:
    """Show every gap that passes the filters: who, score, reason, missing evidence, what to do."""
    report = _report()
    state = _state()
    found = _filtered(report, state)
    pager = _pager(len(found))
    return render_template(
        "gaps.html",
        page="gaps",
        gaps=[
            {**gap_row(gap), "missing": missing_evidence(report, gap)}
            for gap in found[pager["first"] - 1 : pager["last"]]
        ],
        pager=pager,
        total=len(report.gaps),
        left_out={
            "dismissed": len(report.dismissed),
            "done": len(report.done),
            "capped": sum(report.left_out.values()),
        },
        **choices(report),
        all_kinds=KINDS,
        counts=report.counts(),
        state=state,
        banner=spoken_banner(report.banner),
        as_of=report.as_of,
        version=report.version,
        permalink=own_address() + request.full_path.rstrip("?"),
        downloads=[
            {"label": label, "href": url_for("pages.gaps_data", form=form, **_set(state))}
            for label, form in (("CSV", "csv"), (gettext("CSV for spreadsheets"), "spreadsheet"), ("JSON", "json"))
        ],
    )


def _pager(total: int) -> dict[str, Any]:
    """Tell which gaps stand on the page that is asked for, and the addresses of the pages before and after.

    Raises `Refusal` 404 for a page that there is not.
    """
    page = asked_number("page", 1, _MOST_PAGES)
    first = (page - 1) * _ROWS + 1
    if page > 1 and first > total:
        begin = url_for("pages.gaps")
        raise Refusal(404, gettext("the list has no such page"), hint=gettext("begin at %(address)s", address=begin))
    return {
        "total": total,
        "first": first,
        "last": min(total, first + _ROWS - 1),
        "earlier": here(page=page - 1 if page > 2 else None) if page > 1 else "",  # noqa: PLR2004 - the first has none
        "later": here(page=page + 1) if first + _ROWS <= total else "",
        "found": "",
    }


def _set(state: dict[str, str]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if value}


def _filtered(report: GapReport, state: dict[str, str]) -> list[Gap]:
    of = {
        "dismissed": report.dismissed,
        "done": report.done,
        "accepted": tuple(gap for gap in report.gaps if gap.review and gap.review.verdict == "accepted"),
    }
    found = passing(report, state, of.get(state["reviewed"]))
    if state["sort"] == "score":
        return sorted(found, key=lambda gap: -gap.score)
    return found


def _data(form: str) -> ResponseReturnValue:
    """Give the gaps that pass the filters as data, with the key of each."""
    report = _report()
    found = _filtered(report, _state())
    if form == "json":
        return jsonify(
            [
                {**gap_to_dict(gap), "href": own_address() + gap_href(gap.key).removeprefix(request.script_root)}
                for gap in found
            ]
        )
    keys = {gap.key for gap in found}
    frame = as_frame(report)
    every = [gap.key for gap in report.gaps]
    if set(every) >= keys and frame.height == len(every):
        return download(frame.filter(pl.Series([key in keys for key in every], dtype=pl.Boolean)), form, "gaps")
    return download(as_frame(report.left_out_after_review()), form, "gaps")


# ---- One gap -----------------------------------------------------------------------------------------------


def _named(report: GapReport, key: str) -> Gap | Review:
    return gap_called(key, [*report.every, *reversed(load_reviews(store()))])


def _one(key: str, fault: UsageError | None = None) -> ResponseReturnValue:
    """Show one gap: its reason, evidence and sources, its drawing, what to do, what would change, its reviews."""
    report = _report()
    gap = _named(report, key)
    if gap.key != key:
        return redirect(gap_href(gap.key), 301)
    history = [each for each in load_reviews(store()) if each.key == gap.key]
    found = isinstance(gap, Gap)
    html = render_template(
        "gap.html",
        page="gaps",
        key=gap.key,
        kind=KINDS[gap.kind],
        gap=gap_row(gap) if isinstance(gap, Gap) else None,
        members=[
            {"label": label, "href": href(member), "id": short(member)}
            for member, label in zip(gap.members, gap.labels, strict=True)
        ],
        found=found,
        rank=_rank(report, gap) if found else None,
        missing=missing_evidence(report, gap) if isinstance(gap, Gap) else [],
        evidence=_evidence(gap) if isinstance(gap, Gap) else [],
        picture=_picture(gap) if isinstance(gap, Gap) else None,
        pair=[short(member) for member in gap.members]
        if len(gap.members) == _PAIR and gap.kind in {"P1", "P2", "S1"}
        else [],
        history=list(reversed(history)),
        verdicts=VERDICTS,
        fault=fault,
        banner=spoken_banner(report.banner),
        as_of=report.as_of,
        version=report.version,
        on_network=gap.kind in _ON_THE_NETWORK,
    )
    return make_response(html, 400 if fault else 200)


def _rank(report: GapReport, gap: Gap | Review) -> tuple[int, int] | None:
    keys = [each.key for each in report.of_kind(gap.kind)]
    return (keys.index(gap.key) + 1, len(keys)) if gap.key in keys else None


def _evidence(gap: Gap) -> list[dict[str, Any]]:
    """Return what a gap rests on, each with the passages of the sources that tell of it."""
    iris = sorted({each.iri for each in gap.evidence if each.iri.startswith(("http://", "https://"))})
    sources = sources_of(analysis().reader(), iris, gap.members) if iris else {}
    return [
        {
            "label": each.label,
            "href": href(each.iri),
            "note": each.note,
            "date": each.date,
            "sources": sources.get(each.iri, []),
            "statements": url_for("catalogue.query", name="explore/statements-with-passages", subject=each.iri),
        }
        for each in gap.evidence
    ]


def _picture(gap: Gap) -> dict[str, Any] | None:
    """Draw the members of a gap with their partners; None for a gap that is not about organisations of the network."""
    if gap.kind not in _ON_THE_NETWORK:
        return None
    try:
        found = around_gap(analysis().picture("networks/collaboration", within=_PATIENCE), gap)
    except NotReady:
        return None
    if found is None:
        return None
    said = gettext(
        "%(who)s and those around them: %(number)s organisations.",
        who=" · ".join(gap.labels[:3]),
        number=found.rows.height,
    )
    rows = found.rows.sort("degree", "label", descending=[True, False])
    listed = [
        {
            "name": {"label": row["label"], "href": href(row["organisation"])},
            "degree": row["degree"],
            "member": gettext("yes") if row["organisation"] in gap.members else gettext("no"),
        }
        for row in rows.iter_rows(named=True)
    ]
    return {"svg": Markup(drawing(found, said, wide=760, tallest=460)), "said": said, "rows": listed}  # noqa: S704 - our own SVG, escaped


def _one_as_data(key: str) -> ResponseReturnValue:
    """Give one gap with its evidence, sources and reviews as data."""
    report = _report()
    gap = _named(report, key)
    reviews = [
        {
            "verdict": each.verdict,
            "reason": each.reason,
            "who": each.who,
            "created": each.created.isoformat(),
            "version": each.version,
        }
        for each in load_reviews(store())
        if each.key == gap.key
    ]
    if not isinstance(gap, Gap):
        return jsonify(
            {
                "gap": gap.key,
                "found": False,
                "members": list(gap.members),
                "labels": list(gap.labels),
                "reviews": reviews,
            }
        )
    return jsonify(
        {
            **gap_to_dict(gap),
            "found": True,
            "missing": missing_evidence(report, gap),
            "sources": _evidence(gap),
            "reviews": reviews,
        }
    )


# ---- Reviews -----------------------------------------------------------------------------------------------


def _review(key: str) -> ResponseReturnValue:
    """Keep what somebody made of a gap; the form of the page, or a program with the token."""
    session.require_writer()
    report = _report()
    gap = _named(report, key)
    verdict, reason, who = (request.form.get(name, "")[:5_000] for name in ("verdict", "reason", "who"))
    try:
        with turn():
            before = store().version
            review_gap(store(), gap, verdict, reason=reason, who=who[:100], today=settings().today)
            analysis().reviewed(before)
    except (UsageError, UnknownNameError) as error:
        return _one(gap.key, UsageError(error.what, hint=error.hint))
    back = session.way_back(request.form.get("next", "")) if request.form.get("next") else gap_href(gap.key)
    return redirect(back, 303)


# ---- The plan ----------------------------------------------------------------------------------------------


def _plan() -> ResponseReturnValue:
    """Show what was taken up: accepted gaps, and those that this browser or the address has chosen."""
    report = _report()
    named = request.args.getlist("gap")
    rows = plan_rows(report, named)
    shared = url_for("pages.plan") + "".join(
        f"{'?' if at == 0 else '&'}gap={row['key']}" for at, row in enumerate(rows)
    )
    return render_template(
        "plan.html",
        page="plan",
        rows=rows,
        named=named,
        as_of=report.as_of,
        version=report.version,
        permalink=own_address() + shared.removeprefix(request.script_root),
        downloads=_plan_downloads(rows),
        banner=spoken_banner(report.banner),
    )


def _plan_downloads(rows: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    keys = [row["key"] for row in rows]
    return [
        {"label": label, "href": url_for("pages.plan_data", form=form, gap=keys)}
        for label, form in (("CSV", "csv"), (gettext("CSV for spreadsheets"), "spreadsheet"), ("JSON", "json"))
    ]


def _plan_data(form: str) -> ResponseReturnValue:
    """Give the plan as data."""
    report = _report()
    return download(plan_frame(plan_rows(report, request.args.getlist("gap"))), form, "plan")


def _change_plan() -> BaseResponse:
    """Put a gap on the list of this browser, or take it off; nothing is written to the graph."""
    require_own_site()
    key, act = request.form.get("gap", "")[:40], request.form.get("act", "add")
    keys = [each for each in chosen() if each != key] + ([key] if act == "add" else [])
    return kept(redirect(session.way_back(request.form.get("next", "")), 303), keys)
