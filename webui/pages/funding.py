"""The money: from whom to whom, in which years, to which kinds of organisation and regions; funders and recipients."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
from flask import render_template, request

from graphkit.errors import LimitError
from graphkit.terms import ID, compact
from webui.catalogue.choices import short_iri
from webui.i18n.choosing import gettext, ngettext
from webui.linked.reading import reader
from webui.links import href, names_of, place_words, query_href
from webui.pages.about import about, coverage
from webui.pages.blueprint import blueprint, money
from webui.pages.choosing import asked, form, kinds, regions
from webui.pages.flows import currencies, flows, flows_of, picture, sums
from webui.pages.frames import Values, shown, typed
from webui.pages.lists import Column, asked_date, listed
from webui.protocol.problems import Refusal
from webui.works import NotReady

__all__ = ["agent_href"]

_FLOWS: Final = "funding/pairs"
_BY_YEAR: Final = "funding/by-year"
_BY_KIND: Final = "funding/by-kind"
_BY_REGION: Final = "funding/by-region"
_SIDES: Final = {"funders": "funder", "recipients": "recipient"}
_MOST_SHARES: Final = 15


@blueprint.get("/funding")
def funding() -> str:
    """Show the largest flows as a picture and as a table, and the sums by year, kind and region."""
    values = _values()
    found = flows(values)
    held = currencies(found, sums(_BY_YEAR, values))
    currency = _currency(held)
    seen = picture(found, currency)
    return render_template(
        "funding.html",
        page="funding",
        seen=seen,
        currency=currency,
        sums=held.rows(named=True),
        years=_years(values, currency),
        by_kind=_shares(sums(_BY_KIND, _without(values, "kind")), currency, "kind", "kind_label"),
        by_region=[] if values else _by_region(currency),
        state=form("region", "kind", "since", "until"),
        kinds=kinds(),
        regions=regions(),
        filtered=bool(values),
        twins={name: _twin(name, values) for name in (_FLOWS, _BY_YEAR)},
        about=about(
            [(_FLOWS, values), (_BY_YEAR, values), (_BY_KIND, _without(values, "kind"))],
            coverage("grants"),
            _notes(found),
        ),
    )


@blueprint.get("/funding/<any(funders,recipients):side>")
def funding_side(side: str) -> str:
    """List the funders or the recipients with their grants and sums in one currency."""
    values = _values()
    found = flows(values)
    held = currencies(found)
    currency = _currency(held)
    key = _SIDES[side]
    rows = _sums(found, currency, key)
    columns = [
        Column("who", gettext("Funder") if key == "funder" else gettext("Recipient"), by="label"),
        Column("grants", gettext("Grants"), number=True),
        Column("partners", gettext("Recipients") if key == "funder" else gettext("Funders"), number=True),
        Column("amount", gettext("Sum in %(currency)s", currency=currency or "?"), number=True),
        Column("latest", gettext("Newest")),
    ]
    page = listed(rows, columns, order="-amount", find=("label",))
    return render_template(
        "funding_side.html",
        page="funding",
        side=side,
        list=page,
        rows=[_side_row(row, currency) for row in page.frame.iter_rows(named=True)],
        sums=held.rows(named=True),
        currency=currency,
        state=form("find", "region", "kind", "since", "until"),
        kinds=kinds(),
        regions=regions(),
        about=about([(_FLOWS, values)], coverage("grants"), _notes(found)),
    )


@blueprint.get("/funding/of/<path:slug>")
def funding_of(slug: str) -> str:
    """Show the money of one organisation: what it gave and to whom, what it received and from whom."""
    iri = ID + slug
    given, received = flows_of(iri, "funder"), flows_of(iri, "recipient")
    label = names_of(reader(shown().number), [iri]).get(iri)
    if label is None:
        raise Refusal(
            404, gettext("nothing is known about %(name)s", name=slug), hint=gettext("search for its name above")
        )
    return render_template(
        "funding_of.html",
        page="funding",
        label=label,
        home=href(iri),
        out=_partners(given, "recipient", "out", iri),
        into=_partners(received, "funder", "in", iri),
        about=about(
            [("funding/flows", {"funder": iri}), ("funding/flows", {"recipient": iri})],
            coverage("grants"),
            _notes(pl.concat([given, received])),
        ),
    )


def agent_href(iri: str) -> str:
    """Return the address of the page of the money of an organisation; empty for one that is not ours."""
    return f"{request.script_root}/funding/of/{iri.removeprefix(ID)}" if iri.startswith(ID) else ""


# ---- What is asked -------------------------------------------------------------------------------------


def _values() -> dict[str, str]:
    values = asked("region", "kind", "scheme")
    for name, day in (("since", "-01-01"), ("until", "-12-31")):
        if text := asked_date(name, day):
            values[name] = text
    return values


def _by_region(currency: str) -> list[dict[str, Any]]:
    """Return the largest sums by region; nothing where they take longer than a page waits: a link leads there."""
    try:
        return _shares(sums(_BY_REGION, {}), currency, "region", "label")
    except (LimitError, NotReady):
        return []


def _without(values: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if key != name}


def _currency(held: pl.DataFrame) -> str:
    """Return the currency that is asked, else that of most grants; raises `Refusal` 400 for one that there is not."""
    known = [name for name in held["currency"].to_list() if name]
    wanted = request.args.get("currency", "")
    if wanted and known and wanted not in known:
        hint = gettext("there are: %(names)s", names=", ".join(known))
        raise Refusal(400, gettext("no grant of this selection is in %(currency)s", currency=wanted[:10]), hint=hint)
    return wanted or (known[0] if known else "")


# ---- Rows ----------------------------------------------------------------------------------------------


def _years(values: Values, currency: str) -> list[dict[str, Any]]:
    """Return the years from the first to the last that has a grant, also those in between without any."""
    rows = typed(sums(_BY_YEAR, values), year=pl.Int64).filter(
        (pl.col("currency") == currency) & pl.col("year").is_not_null()
    )
    known = {int(row["year"]): row for row in rows.iter_rows(named=True)}
    if not known:
        return []
    return [_year(year, known.get(year), currency) for year in range(min(known), max(known) + 1)]


def _year(year: int, row: dict[str, Any] | None, currency: str) -> dict[str, Any]:
    amount = row["amount"] if row else 0
    return {
        "label": str(year),
        "value": float(amount),
        "said": money(amount, currency),
        "grants": row["grants"] if row else 0,
        "amount": amount,
    }


def _shares(frame: pl.DataFrame, currency: str, thing: str, label: str) -> list[dict[str, Any]]:
    """Return the largest sums by kind or region, as bars."""
    rows = frame.filter((pl.col("currency") == currency) & (pl.col("amount") > 0))
    most = float(rows["amount"].max() or 1)  # type: ignore[arg-type]  # a sum of money
    ordered = rows.sort("amount", descending=True).head(_MOST_SHARES)
    return [
        {
            "label": place_words(row[label], row[thing] or "")
            if row[label]
            else (compact(row[thing]) if row[thing] else gettext("not known")),
            "href": href(row[thing]) if row[thing] else "",
            "value": short_iri(row[thing]) if row[thing] else "",
            "grants": row["grants"],
            "amount": row["amount"],
            "share": float(row["amount"]) / most,
        }
        for row in ordered.iter_rows(named=True)
    ]


def _sums(found: pl.DataFrame, currency: str, key: str) -> pl.DataFrame:
    other = "recipient" if key == "funder" else "funder"
    some = found.filter(pl.col("currency") == currency)
    return (
        some.group_by(key)
        .agg(
            pl.col(f"{key}_label").first().alias("label"),
            pl.col("grants").sum(),
            pl.col(other).n_unique().alias("partners"),
            pl.col("amount").sum(),
            pl.col("latest").max(),
        )
        .rename({key: "iri"})
    )


def _side_row(row: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "who": {"label": row["label"], "href": agent_href(row["iri"])},
        "grants": row["grants"],
        "partners": row["partners"],
        "amount": money(row["amount"], currency),
        "latest": row["latest"],
    }


def _partners(found: pl.DataFrame, key: str, way: str, iri: str) -> dict[str, Any]:
    """Return the sums of one side of an organisation, and a page of those at the other end."""
    held = currencies(found)
    rows = found.rename({key: "iri", f"{key}_label": "label"})
    columns = [
        Column("who", gettext("Recipient") if key == "recipient" else gettext("Funder"), by="label"),
        Column("grants", gettext("Grants"), number=True),
        Column("amount", gettext("Sum"), number=True),
        Column("latest", gettext("Newest")),
    ]
    kept = rows.select("iri", "label", "grants", "amount", "currency", "latest")
    page = listed(kept, columns, order="-amount", prefix=f"{way}-")
    return {
        "sums": held.rows(named=True),
        "list": page,
        "way": way,
        "csv": query_href("funding/flows.csv", {"funder" if way == "out" else "recipient": iri}),
        "grants": query_href("funding/grants", {"funder" if way == "out" else "recipient": short_iri(iri)}),
        "rows": [
            {
                "who": {"label": row["label"], "href": agent_href(row["iri"])},
                "grants": row["grants"],
                "amount": money(row["amount"], row["currency"]),
                "latest": row["latest"],
            }
            for row in page.frame.iter_rows(named=True)
        ],
    }


def _notes(found: pl.DataFrame) -> list[str]:
    notes = [
        gettext(
            "Amounts are as the sources give them, in their own currency and money of their day; nothing is converted."
        )
    ]
    if found["shared"].sum():
        shared = found.filter(pl.col("shared") > 0).height
        notes.append(
            ngettext(
                "%(num)s row holds a grant that several organisations gave or got: it is divided equally among them.",
                "%(num)s rows hold grants that several organisations gave or got: each is divided equally among them.",
                shared,
            )
        )
    return notes


def _twin(name: str, values: Values) -> list[dict[str, str]]:
    return [
        {"label": label, "href": query_href(f"{name}.{form}", values)}
        for label, form in (("CSV", "csv"), (gettext("CSV for spreadsheets"), "spreadsheet"), ("JSON", "json"))
    ]
