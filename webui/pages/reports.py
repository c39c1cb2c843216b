"""Reports of regions and alerts: the list of regions, a report as a page and in every format, and what has changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

import polars as pl
from flask import Response, current_app, render_template, request
from flask.blueprints import BlueprintSetupState
from markupsafe import Markup

from graphkit import report as reports
from graphkit.errors import MissingExtraError, UsageError
from graphkit.report import Alerts, Links, Report
from graphkit.terms import ID
from webui.catalogue.choices import short_iri
from webui.i18n.choosing import gettext
from webui.i18n.marking import N_
from webui.links import href, place_words
from webui.pages.about import about, coverage
from webui.pages.blueprint import blueprint
from webui.pages.frames import answer, patience, typed
from webui.pages.lists import Column, asked_number, listed
from webui.protocol.access import own_address
from webui.protocol.problems import Refusal
from webui.state import analysis, store
from webui.works import Work

__all__ = ["Shelf"]

_T = TypeVar("_T")

_LIST: Final = "region/list"
_PLACE: Final = f"{ID}place/"
_KEPT: Final = "graphkit-reports"
_MOST: Final = 64
_MOST_AGAINST: Final = 8
_MOST_NUMBER: Final = 99_999_999
_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "ttl": "text/turtle; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}


@dataclass(eq=False)
class Shelf:
    """The reports and alerts that were made last; one is made at a time, for each reads much."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    turn: threading.Semaphore = field(default_factory=threading.Semaphore)
    held: OrderedDict[tuple[str, ...], Work] = field(default_factory=OrderedDict)

    def get(self, key: tuple[str, ...], make: Callable[[], _T], says: str) -> _T:
        """Return what is kept, or make it in a thread of its own; raises `NotReady` where that takes long.

        What was not asked for longest is forgotten.
        """
        with self.lock:
            work = self.held.get(key)
            if work is None or work.failed:
                work = self.held[key] = Work(lambda _: make(), (says,), self.turn)
            self.held.move_to_end(key)
            while len(self.held) > _MOST:
                self.held.popitem(last=False)
        return cast("_T", work.within(patience()))


@blueprint.record
def _begin(setup: BlueprintSetupState) -> None:
    setup.app.extensions[_KEPT] = Shelf()


# ---- Reports ---------------------------------------------------------------------------------------------------


@blueprint.get("/reports", endpoint="reports")
def index() -> str:
    """List the regions of which there is a report, with how many organisations each has."""
    frame = typed(answer(_LIST), organisations=pl.Int64)
    columns = [
        Column("region", gettext("Region"), by="label"),
        Column("organisations", gettext("Organisations"), number=True),
    ]
    page = listed(frame, columns, order="-organisations", find=("label",))
    rows = [
        {
            "region": {"label": place_words(row["label"], row["region"]), "href": _report_href(row["region"])},
            "organisations": row["organisations"],
        }
        for row in page.frame.iter_rows(named=True)
    ]
    return render_template(
        "reports.html",
        page="reports",
        list=page,
        rows=rows,
        state={"find": request.args.get("find", "")},
        about=about([(_LIST, {})], coverage("organisations")),
    )


@blueprint.get("/reports/<path:region>")
def report(region: str) -> str | Response:
    """Show the report of a region; a suffix such as .pdf gives it in that format. `?against=` names others."""
    name, dot, suffix = region.rpartition(".")
    if dot and suffix in _TYPES:
        return _file(name, suffix)
    made = _report(region)
    links = Links(request.script_root, made.version.number if made.version else None)
    return render_template(
        "report.html",
        page="reports",
        report=made,
        # Every piece of text was escaped by graphkit.report.html.
        chapters=Markup(reports.chapters(made, links)),  # noqa: S704
        files=[{"label": _spoken(form), "href": _file_href(region, form)} for form in _TYPES],
        alerts_href=f"{request.script_root}/alerts?region={short_iri(made.region.iri)}",
    )


def _file(region: str, suffix: str) -> Response:
    made = _report(region)
    try:
        written = reports.report_as(made, suffix, base=own_address())
    except MissingExtraError as error:
        raise Refusal(501, error.what, hint=gettext("ask who runs the service, or take another format")) from error
    response = Response(written, content_type=_TYPES[suffix])
    name = f"{region.rpartition('/')[2]}-{made.version.number if made.version else 'now'}.{suffix}"
    response.headers["Content-Disposition"] = f'{"inline" if suffix == "pdf" else "attachment"}; filename="{name}"'
    response.add_etag()
    response.make_conditional(request)
    return response


def _report(name: str) -> Report:
    """Return the report of a region of the newest version; it is kept, because a version never changes."""
    against = tuple(request.args.getlist("against"))
    if len(against) > _MOST_AGAINST:
        raise Refusal(400, gettext("at most %(number)s regions can be compared with", number=_MOST_AGAINST))
    whole = store()
    region = reports.find_region(whole, name)
    found = analysis().dated_ready(within=patience())
    return _shelf().get(
        ("report", _mark(), region.iri, *against),
        lambda: reports.regional_report(whole, region.iri, against=against, found=found),
        N_("writing the report"),
    )


def _report_href(iri: str) -> str:
    return f"{request.script_root}/reports/{iri.removeprefix(_PLACE)}" if iri.startswith(_PLACE) else ""


def _file_href(region: str, form: str) -> str:
    asked = request.query_string.decode("ascii", "ignore")
    return f"{request.script_root}/reports/{region}.{form}{f'?{asked}' if asked else ''}"


def _spoken(form: str) -> str:
    names = {
        "html": gettext("One HTML file"),
        "md": "Markdown",
        "pdf": "PDF",
        "docx": "DOCX",
        "ttl": gettext("Turtle (RDF)"),
        "csv": gettext("Figures as CSV"),
    }
    return names[form]


# ---- Alerts -----------------------------------------------------------------------------------------------------


@blueprint.get("/alerts")
def alerts() -> str:
    """Show what changed since a version (`?since=`, default: the one before), for all or for a `?region=`."""
    kept = store().versions()
    found, problem = None, ""
    try:
        found = _alerts()
    except UsageError as error:
        if len(kept) > 1:
            raise
        problem = error.what
    groups = [_group(found, kind, title) for kind, title in reports.ALERT_KINDS.items()] if found else []
    return render_template(
        "alerts.html",
        page="reports",
        found=found,
        problem=problem,
        groups=[group for group in groups if group["rows"]],
        versions=[{"value": str(version.number), "label": _version_words(version)} for version in reversed(kept[:-1])],
        regions=[
            {"value": short_iri(row["region"]), "label": place_words(row["label"], row["region"])}
            for row in answer(_LIST).head(150).sort("label").iter_rows(named=True)
        ],
        state={"since": request.args.get("since", ""), "region": request.args.get("region", "")},
        asked=request.query_string.decode("ascii", "ignore"),
    )


@blueprint.get("/alerts.atom")
def alerts_feed() -> Response:
    """Give the alerts as an Atom feed."""
    asked = request.query_string.decode("ascii", "ignore")
    address = f"{own_address()}/alerts.atom{f'?{asked}' if asked else ''}"
    written = reports.alerts_to_atom(_alerts(), address=address, base=own_address())
    return Response(written, content_type="application/atom+xml; charset=utf-8")


@blueprint.get("/alerts.json")
def alerts_data() -> Response:
    """Give the alerts as JSON."""
    return Response(reports.alerts_to_json(_alerts()), mimetype="application/json")


def _alerts() -> Alerts:
    since = asked_number("since", 1, _MOST_NUMBER) if request.args.get("since") else None
    region = request.args.get("region", "").strip()
    whole = store()
    return _shelf().get(
        ("alerts", _mark(), str(since), region),
        lambda: reports.alerts_since(whole, since, region=region),
        N_("comparing the versions"),
    )


def _group(found: Alerts, kind: str, title: str) -> dict[str, Any]:
    shown = found.of_kind(kind)
    return {
        "kind": kind,
        "title": gettext(title),
        "count": found.counts[kind],
        "rows": [
            {"about": {"label": each.about.label, "href": href(each.about.iri)}, "what": each.what} for each in shown
        ],
        "left": found.counts[kind] - len(shown),
    }


def _version_words(version: Any) -> str:  # noqa: ANN401 - a Version
    return f"{version.number} · {version.time:%Y-%m-%d} · {version.why}"


def _mark() -> str:
    version = store().version
    return f"{version.number}-{version.hash}" if version else ""


def _shelf() -> Shelf:
    shelf: Shelf = current_app.extensions[_KEPT]
    return shelf
