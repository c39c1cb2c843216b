"""Tables of money: who funds whom, how many funders a recipient has, who passes money on, how concentrated it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import polars as pl

from graphkit import queries
from graphkit.errors import unknown_name
from graphkit.funding.currency import Conversion
from graphkit.store.base import Readable

__all__ = ["ACCOUNTS", "Account", "account", "load_flows"]

_DIVIDED: Final = "a grant of several funders or to several recipients is divided equally among them"
_MOST: Final = 10
_UNKNOWN: Final = "not known"


@dataclass(frozen=True, eq=False)
class Account:
    """A table of money with how it was worked out and how much of the money it covers; never without both."""

    name: str
    frame: pl.DataFrame
    method: str
    coverage: str

    def rows_with_words(self) -> pl.DataFrame:
        """Return the table with coverage and method beside each row, for formats that carry rows only."""
        return self.frame.with_columns(coverage=pl.lit(self.coverage), method=pl.lit(self.method))


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of account: what it answers, how, and the function that works it out."""

    question: str
    method: str
    make: Callable[[pl.DataFrame], pl.DataFrame]


def load_flows(store: Readable, *, digits: int = 3) -> pl.DataFrame:
    """Return who funds whom by currency and year, with region (of NUTS codes of `digits` characters) and kind.

    Columns: those of `funding/flows`, then region, region_label and kind_label of the recipient.
    """
    flows = queries.run(store, "funding/flows").with_columns(
        pl.col("amount").cast(pl.Float64), pl.col("year").cast(pl.Int64), pl.col("grants", "unpriced").cast(pl.Int64)
    )
    placed = queries.run(store, "funding/recipients-placed", digits=str(digits))
    texts = ["funder", "funder_label", "recipient", "recipient_label", "currency"]
    flows = flows.with_columns(pl.col(texts).cast(pl.String))
    return flows.join(placed, on="recipient", how="left", maintain_order="left")


def account(name: str, flows: pl.DataFrame, conversion: Conversion | None = None) -> Account:
    """Work out one of `ACCOUNTS` from the frame of `load_flows`, which `in_one_currency` may have converted.

    Without a conversion each currency is kept apart. Raises `UnknownNameError` for another name.
    """
    if name not in ACCOUNTS:
        raise unknown_name("account of money", name, ACCOUNTS)
    kind = ACCOUNTS[name]
    method = f"{kind.method}; {_DIVIDED}; " + (conversion.words if conversion else "currencies kept apart")
    return Account(name, kind.make(flows), method, _coverage(flows, conversion))


def _coverage(flows: pl.DataFrame, conversion: Conversion | None) -> str:
    grants, unpriced = int(flows["grants"].sum()), int(flows["unpriced"].sum())
    undated = int(flows.filter(pl.col("year").is_null())["grants"].sum())
    placeless = int(flows.filter(pl.col("region").is_null())["grants"].sum())
    words = (
        f"{grants} ties of a grant from a funder to a recipient; {unpriced} without an amount, {undated} without a"
        f" year, {placeless} to recipients without a known region"
    )
    return f"{words}; {conversion.lost} could not be converted" if conversion else words


# ---- The accounts --------------------------------------------------------------------------------


def _sums() -> list[pl.Expr]:
    return [pl.col("grants").sum(), pl.col("unpriced").sum(), pl.col("amount").sum().round(2)]


def _whom(flows: pl.DataFrame) -> pl.DataFrame:
    by = ["funder", "funder_label", "recipient", "recipient_label", "currency"]
    frame = flows.group_by(by).agg(*_sums(), first=pl.col("year").min(), last=pl.col("year").max())
    return frame.sort("amount", "funder", "recipient", "currency", descending=[True, False, False, False])


def _agents(side: str, other: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def make(flows: pl.DataFrame) -> pl.DataFrame:
        partners = flows.group_by(side).agg(pl.col(other).n_unique().alias(f"{other}s"))
        frame = flows.group_by(side, f"{side}_label", "currency").agg(*_sums())
        frame = frame.join(partners, on=side).select(
            side, f"{side}_label", f"{other}s", "currency", "grants", "unpriced", "amount"
        )
        return frame.sort(f"{other}s", "amount", side, "currency", descending=[True, True, False, False])

    return make


def _regranting(flows: pl.DataFrame) -> pl.DataFrame:
    """List who receives and gives, by currency, with what passes in and out."""
    taken = flows.group_by(
        pl.col("recipient").alias("agent"), pl.col("recipient_label").alias("label"), "currency"
    ).agg(received=pl.col("amount").sum().round(2), grants_received=pl.col("grants").sum())
    given = flows.group_by(pl.col("funder").alias("agent"), "currency").agg(
        given=pl.col("amount").sum().round(2), grants_given=pl.col("grants").sum()
    )
    both = taken.join(given, on=["agent", "currency"], how="full", coalesce=True, nulls_equal=True)
    agents = set(flows["recipient"]) & set(flows["funder"])
    names = dict(flows.select("recipient", "recipient_label").unique().rows())
    zero = pl.col("received", "given", "grants_received", "grants_given").fill_null(0)
    frame = both.filter(pl.col("agent").is_in(agents)).with_columns(
        zero, label=pl.col("agent").replace_strict(names, default=None)
    )
    columns = ["agent", "label", "currency", "grants_received", "received", "grants_given", "given"]
    return frame.select(columns).sort("given", "agent", "currency", descending=[True, False, False], nulls_last=True)


def _concentration(flows: pl.DataFrame) -> pl.DataFrame:
    """Measure how far the money of each currency lies with few: Herfindahl and Hirschman's index, and top shares."""
    parts = [_concentrated(flows, side) for side in ("funder", "recipient")]
    return pl.concat(parts).sort("currency", "side")


def _concentrated(flows: pl.DataFrame, side: str) -> pl.DataFrame:
    priced = flows.filter(pl.col("amount") > 0)
    sums = priced.group_by("currency", pl.col(side).alias("agent"), pl.col(f"{side}_label").alias("label")).agg(
        pl.col("amount").sum()
    )
    share = pl.col("amount") / pl.col("amount").sum().over("currency")
    ranked = sums.with_columns(share=share).sort("currency", "share", "agent", descending=[False, True, False])
    return ranked.group_by("currency", maintain_order=True).agg(
        side=pl.lit(f"{side}s"),
        agents=pl.len(),
        amount=pl.col("amount").sum().round(2),
        hhi=(pl.col("share") ** 2).sum().round(6),
        top=pl.col("agent").first(),
        top_label=pl.col("label").first(),
        top_share=pl.col("share").first().round(6),
        top_10_share=pl.col("share").head(_MOST).sum().round(6),
    )


def _divided(column: str, label: str | None) -> Callable[[pl.DataFrame], pl.DataFrame]:
    by = [column, label] if label else [column]

    def make(flows: pl.DataFrame) -> pl.DataFrame:
        frame = flows.group_by(*by, "currency").agg(*_sums())
        whole = pl.col("amount").sum().over("currency")
        shared = pl.when(whole > 0).then((pl.col("amount") / whole).round(6))
        frame = frame.with_columns(share=shared).sort(
            "currency", "amount", *by, descending=[False, True, *[False] * len(by)]
        )
        texts = [name for name in by if frame.schema[name] == pl.String and name.endswith("_label")]
        return frame.with_columns(pl.col(texts).fill_null(_UNKNOWN))

    return make


ACCOUNTS: Final[Mapping[str, _Kind]] = MappingProxyType(
    {
        "flows": _Kind("who funds whom", "sums of the grants of each pair", _whom),
        "funders": _Kind("how much each funder gives, to how many", "sums by funder", _agents("funder", "recipient")),
        "recipients": _Kind(
            "how much each recipient gets, from how many funders", "sums by recipient", _agents("recipient", "funder")
        ),
        "regranting": _Kind(
            "which recipients also fund", "agents that received a grant and gave one, with both sums", _regranting
        ),
        "concentration": _Kind(
            "how far the money lies with few",
            "Herfindahl-Hirschman index, the sum of squared shares: 1 where one has all, 1/n where n have the same",
            _concentration,
        ),
        "regions": _Kind(
            "which share goes to which region",
            "each recipient in one region, that of its place, else of its grants",
            _divided("region", "region_label"),
        ),
        "kinds": _Kind("which share goes to which kind", "each recipient is of one kind", _divided("kind_label", None)),
        "years": _Kind("how much in which year", "by the year in which a grant starts", _divided("year", None)),
    }
)
"""The accounts by name, each with the question that it answers."""
