"""What happened when: activities, events, policies, commitments and grants by year, page by page."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
from flask import render_template, request

from graphkit.dates import spoken
from webui.i18n.choosing import gettext, ngettext
from webui.links import href
from webui.pages.about import about, coverage
from webui.pages.blueprint import blueprint, here
from webui.pages.choosing import asked, form
from webui.pages.frames import answer, typed
from webui.pages.lists import Column, asked_date, listed

__all__: list[str] = []

_QUERY: Final = "explore/timeline"
_YEARS: Final = "explore/timeline-years"
_MOST_LISTED: Final = 20_000
"""A period with more entries is cut to its newest years: no page reads them all."""


@blueprint.get("/timeline")
def timeline() -> str:
    """Show how much happened in each year, and what."""
    themed, what = asked("theme"), request.args.get("what", "")
    counts = _counts(themed, what)
    first, last = _period(counts)
    values = themed | {"since": f"{first}-01-01", "until": f"{last}-12-31"}
    frame = typed(answer(_QUERY, values), date=pl.Date).with_columns(order=pl.int_range(pl.len()))
    columns = [
        Column("date", gettext("When"), by="order"),
        Column("what", gettext("What")),
        Column("thing", gettext("Name"), by="label"),
    ]
    page = listed(frame.filter(pl.col("what") == what) if what else frame, columns, order="-order", find=("label",))
    return render_template(
        "timeline.html",
        page="timeline",
        years=_years(counts),
        period=(first, last),
        list=page,
        rows=[_row(row) for row in page.frame.iter_rows(named=True)],
        sorts=[{"value": each, "label": gettext(each)} for each in sorted(answer(_YEARS, themed)["what"].unique())],
        state=form("find", "what", "since", "until"),
        about=about([(_QUERY, values), (_YEARS, themed)], coverage("start is known", "date is known")),
    )


def _counts(themed: dict[str, str], what: str) -> dict[int, int]:
    """Count the entries of each year within the period that is asked, of one sort or of all."""
    since, until = asked_date("since", "-01-01")[:4], asked_date("until", "-12-31")[:4]
    rows = typed(answer(_YEARS, themed), year=pl.Int64, entries=pl.Int64).filter(pl.col("year").is_not_null())
    if what:
        rows = rows.filter(pl.col("what") == what)
    found = dict(rows.group_by("year").agg(pl.col("entries").sum()).sort("year").rows())
    kept = range(int(since or 0), int(until or 9999) + 1)
    return {year: number for year, number in found.items() if year in kept}


def _period(counts: dict[int, int]) -> tuple[str, str]:
    """Return the first and the last year of the list: the newest years that together are not too many for one."""
    if not counts:
        return asked_date("since", "-01-01")[:4] or "0001", asked_date("until", "-12-31")[:4] or "9999"
    years, total, first = sorted(counts, reverse=True), 0, max(counts)
    for year in years:
        total += counts[year]
        if total > _MOST_LISTED:
            break
        first = year
    return f"{first:04}", f"{years[0]:04}"


def _years(counts: dict[int, int]) -> list[dict[str, Any]]:
    """Return the columns of the picture, from the first year to the last."""
    if not counts:
        return []
    return [
        {
            "label": str(year),
            "value": counts.get(year, 0),
            "said": ngettext("%(num)s entry", "%(num)s entries", counts.get(year, 0)),
            "href": here(since=year, until=year),
        }
        for year in range(min(counts), max(counts) + 1)
    ]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    precision = (row["precision_label"] or "").lower()
    return {
        "date": spoken(row["date"], precision),
        "what": gettext(row["what"]),
        "thing": {"label": row["label"], "href": href(row["thing"])},
    }
