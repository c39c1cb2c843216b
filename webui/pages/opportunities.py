"""Calls and tenders: what they ask for, who fits them, which consortia could bid, and how earlier bids ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl
from flask import render_template, request, url_for

from graphkit import opportunities as matching
from graphkit.errors import UsageError
from graphkit.opportunities import Opportunities, load_opportunities
from graphkit.plans.proposals import Proposal
from graphkit.terms import ID, compact
from webui.i18n.choosing import gettext
from webui.linked.reading import reader
from webui.links import href, names_of
from webui.pages.about import about
from webui.pages.blueprint import blueprint
from webui.pages.frames import answer, once, shown, typed
from webui.pages.lists import Column, listed
from webui.protocol.problems import Refusal
from webui.state import settings, store

__all__: list[str] = []

_NEEDS: Final = "funding/opportunity-needs"
_BIDS: Final = "funding/bid-history"
_CLOSED: Final = ("completed", "ended")
_MATCHES: Final = 20


@blueprint.get("/opportunities")
def opportunities() -> str:
    """List what can be bid for, with what it asks for and until when; `?open=1` keeps what may still be open."""
    needs = _needs()
    rows = _one_row_each(needs)
    only_open = request.args.get("open", "") == "1"
    if only_open:
        rows = rows.filter(pl.col("open"))
    columns = [
        Column("who", gettext("Opportunity"), by="label"),
        Column("offered_by", gettext("Offered by"), by="offered_by_label"),
        Column("asks", gettext("Asks for"), prose=True, by="asked"),
        Column("reserved", gettext("Reserved"), fixed=True),
        Column("deadline", gettext("Until")),
    ]
    page = listed(rows, columns, order="deadline", find=("label", "asked"))
    names = _reservations(page.frame)
    return render_template(
        "opportunities.html",
        page="opportunities",
        list=page,
        rows=[_row(row, names) for row in page.frame.iter_rows(named=True)],
        find=request.args.get("find", ""),
        only_open=only_open,
        today=_today(),
        about=about([(_NEEDS, {}), (_BIDS, {})]),
    )


@blueprint.get("/opportunities/of/<path:slug>")
def opportunity(slug: str) -> str:
    """Show one opportunity: what it asks for, who fits, and which consortia could bid."""
    iri = ID + slug
    needs = _needs().filter(pl.col("opportunity") == iri)
    if needs.is_empty():
        raise Refusal(
            404, gettext("no opportunity is called %(name)s", name=slug), hint=gettext("see the list of opportunities")
        )
    whole = store()
    loaded = once("opportunities", lambda: load_opportunities(whole))
    found = matching.matches(loaded, loaded.needs.filter(pl.col("opportunity") == iri), top=_MATCHES)
    return render_template(
        "opportunity.html",
        page="opportunities",
        label=needs["label"][0],
        home=href(iri),
        facts=_row(_one_row_each(needs).row(0, named=True), _reservations(needs)),
        needs=[_need(row) for row in needs.drop_nulls("value").iter_rows(named=True)],
        matches=[_match(row) for row in found.iter_rows(named=True)],
        method=matching.METHOD,
        consortia=_consortia(loaded, iri),
        about=about([(_NEEDS, {"opportunity": iri})]),
    )


# ---- Rows ----------------------------------------------------------------------------------------------


def _needs() -> pl.DataFrame:
    texts = ("opportunity", "label", "offered_by", "offered_by_label", "status", "reservation", "aspect", "value")
    return typed(answer(_NEEDS), deadline=pl.Date, **dict.fromkeys((*texts, "value_label", "basis"), pl.String))


def _reservations(frame: pl.DataFrame) -> dict[str, str]:
    return names_of(reader(shown().number), frame["reservation"].drop_nulls().to_list())


def _one_row_each(needs: pl.DataFrame) -> pl.DataFrame:
    """Return each opportunity once, with all that it asks for in one text, and whether it may be open today."""
    shut = (pl.col("deadline") < _today()).fill_null(value=False) | pl.col("status").str.split("/").list.last().is_in(
        _CLOSED
    ).fill_null(value=False)
    return needs.group_by("opportunity", maintain_order=True).agg(
        pl.col("label", "offered_by", "offered_by_label", "deadline", "reservation").first(),
        pl.col("value_label").drop_nulls().unique(maintain_order=True).str.join("; ").alias("asked"),
        (~shut).first().alias("open"),
    )


def _row(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    slug = row["opportunity"].removeprefix(ID)
    return {
        "who": {"label": row["label"], "href": url_for("pages.opportunity", slug=slug)},
        "offered_by": _who(row["offered_by"], row["offered_by_label"]),
        "asks": row["asked"] or None,
        "reserved": names.get(row["reservation"], compact(row["reservation"])) if row["reservation"] else None,
        "deadline": row["deadline"],
        "open": row["open"],
    }


def _who(iri: str | None, label: str | None) -> dict[str, str] | None:
    return {"label": label or compact(iri), "href": href(iri)} if iri else None


def _need(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "aspect": gettext(row["aspect"]),
        "value": {"label": row["value_label"] or compact(row["value"]), "href": href(row["value"])},
        "basis": gettext(row["basis"]),
    }


def _match(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "organisation": {"label": row["organisation_label"], "href": href(row["organisation"])},
        "fit": row["fit"],
        "meets": row["meets"],
        "lacks": row["lacks"],
        "in_region": row["in_region"],
        "note": row["note"],
    }


# ---- Consortia -----------------------------------------------------------------------------------------


def _consortia(loaded: Opportunities, iri: str) -> dict[str, Any]:
    """Return proposals as the page shows them, or why there are none."""
    try:
        found = matching.consortia_for(loaded, iri)
    except UsageError as error:
        return {"why": error.what, "proposals": [], "action": error.hint, "nearest": None}
    return {
        "why": found.missing.explanation if found.missing else "",
        "action": found.missing.action if found.missing else "",
        "proposals": [_proposal(each, found.labels) for each in found.proposals],
        "nearest": _proposal(found.nearest, found.labels) if found.nearest else None,
        "notes": found.notes,
    }


def _proposal(proposal: Proposal, labels: Mapping[str, str]) -> dict[str, Any]:
    def link(iri: str) -> dict[str, str]:
        return {"label": labels.get(iri, compact(iri)), "href": href(iri)}

    return {
        "members": [link(iri) for iri in proposal.members],
        "newcomers": [link(iri) for iri in proposal.newcomers],
        "pairs": len(proposal.paths),
        "linked": proposal.linked,
        "trust": proposal.trust,
        "covers": [(cover.label, [link(iri) for iri in cover.members]) for cover in proposal.covers],
        "weak": proposal.weak,
    }


def _today() -> Any:  # noqa: ANN401 - a date, for polars
    return settings().today or datetime.now(UTC).date()
