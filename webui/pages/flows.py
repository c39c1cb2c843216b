"""Sums of money from funders to recipients, and what of them fits into a picture."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import polars as pl

from webui.i18n.choosing import gettext, ngettext
from webui.links import href
from webui.pages.blueprint import money, share
from webui.pages.frames import Values, answer, typed

__all__ = ["MONEY", "Picture", "currencies", "flows", "flows_of", "picture", "shaped", "sums"]

MONEY: Final = pl.Decimal(38, 2)
"""Amounts as they are added: exact, with cents."""

_FUNDERS: Final = 8
_RECIPIENTS: Final = 16
_OTHERS: Final = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """The largest flows of one currency: the rows of picture and table, their sum, and what they say in words."""

    rows: list[dict[str, Any]]
    total: Decimal
    summary: str


def sums(name: str, values: Values) -> pl.DataFrame:
    """Return an answer with grants and amounts by currency; a currency that is not stated is an empty text."""
    return shaped(answer(name, values))


def shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Give grants and amounts their types; a currency that is not stated is an empty text."""
    found = typed(frame, currency=pl.String, grants=pl.Int64, amount=MONEY)
    return found.with_columns(pl.col("currency").fill_null(""))


def flows(values: Values) -> pl.DataFrame:
    """Return the answer of funding/pairs to `values`; one with names in several languages stands in it once."""
    found = typed(sums("funding/pairs", values), shared=pl.Int64, first=pl.Date, latest=pl.Date)
    return found.unique(["funder", "recipient", "currency"], keep="first", maintain_order=True)


def flows_of(iri: str, side: str) -> pl.DataFrame:
    """Return the flows of which an organisation is the "funder" or the "recipient"."""
    return flows({}).filter(pl.col(side) == iri)


def currencies(frame: pl.DataFrame, whole: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the currencies with their grants, sums, funders and recipients, that with most grants first.

    A grant of several recipients stands in several rows, each with its part of the amount: the number of grants of a
    currency is right only where `whole` is given, an answer in which each grant counts once.
    """
    found = frame.group_by("currency").agg(
        pl.col("grants").sum(),
        pl.col("amount").sum(),
        pl.col("shared").sum(),
        funders=pl.col("funder").n_unique(),
        recipients=pl.col("recipient").n_unique(),
    )
    if whole is not None:
        once = whole.group_by("currency").agg(pl.col("grants").sum())
        found = found.drop("grants").join(once, on="currency", how="left").with_columns(pl.col("grants").fill_null(0))
    return found.sort(pl.col("currency") == "", pl.col("grants"), "currency", descending=[False, True, False])


def picture(frame: pl.DataFrame, currency: str) -> Picture:
    """Return the flows of one currency between the largest funders and recipients; the others are put together."""
    some = frame.filter((pl.col("currency") == currency) & (pl.col("amount") > 0))
    total = Decimal(str(some["amount"].sum() or 0))
    kept = some.with_columns(
        _largest(some, "funder", _FUNDERS).alias("from"), _largest(some, "recipient", _RECIPIENTS).alias("to")
    )
    found = kept.group_by("from", "to").agg(
        pl.col("grants").sum(),
        pl.col("amount").sum(),
        pl.col("funder_label").first(),
        pl.col("recipient_label").first(),
        funders=pl.col("funder").n_unique(),
        recipients=pl.col("recipient").n_unique(),
    )
    spare = {
        "from": kept.filter(pl.col("from") == _OTHERS)["funder"].n_unique(),
        "to": kept.filter(pl.col("to") == _OTHERS)["recipient"].n_unique(),
    }
    order = found.sort("amount", "from", "to", descending=[True, False, False])
    rows = [_flow(row, spare) for row in order.iter_rows(named=True)]
    return Picture(rows, total, _summary(rows, total, currency))


def _largest(frame: pl.DataFrame, column: str, most: int) -> pl.Expr:
    """Keep the largest things of a column, and write nothing for the others."""
    sums = frame.group_by(column).agg(pl.col("amount").sum()).sort("amount", column, descending=[True, False])
    kept = sums[column].head(most if sums.height > most + 1 else most + 1)
    return pl.when(pl.col(column).is_in(kept.implode())).then(pl.col(column)).otherwise(pl.lit(_OTHERS))


def _flow(row: dict[str, Any], spare: dict[str, int]) -> dict[str, Any]:
    funder = row["funder_label"] if row["from"] else _others_funders(spare["from"])
    recipient = row["recipient_label"] if row["to"] else _others_recipients(spare["to"])
    return {
        "from": row["from"],
        "to": row["to"],
        "funder": {"label": funder, "href": href(row["from"]) if row["from"] else ""},
        "recipient": {"label": recipient, "href": href(row["to"]) if row["to"] else ""},
        "grants": row["grants"],
        "amount": row["amount"],
    }


def _others_funders(number: int) -> str:
    return ngettext("%(num)s other funder", "%(num)s other funders", number)


def _others_recipients(number: int) -> str:
    return ngettext("%(num)s other recipient", "%(num)s other recipients", number)


def _summary(rows: list[dict[str, Any]], total: Decimal, currency: str) -> str:
    """Say in one or two sentences what the picture shows."""
    named = [row for row in rows if row["from"] and row["to"]]
    if not rows:
        return gettext("No amount is known in this selection.")
    said = gettext("%(total)s in all.", total=money(total, currency))
    if named:
        first = named[0]
        said += " " + gettext(
            "The largest flow is from %(funder)s to %(recipient)s: %(amount)s (%(share)s).",
            funder=first["funder"]["label"],
            recipient=first["recipient"]["label"],
            amount=money(first["amount"], currency),
            share=share(int(first["amount"]), int(total)),
        )
    return said
