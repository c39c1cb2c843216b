"""The chapter on open calls and tenders: what a region could bid for, whom it fits there, and until when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from graphkit import opportunities as offers
from graphkit import queries
from graphkit.gaps import listed
from graphkit.report.document import Action, Asked, Block, Cell, Named, NotKnown, Section, Table
from graphkit.report.facts import Facts

__all__ = ["Call", "bids", "calls_section", "open_calls"]

_NEEDS: Final = "funding/opportunity-needs"
_MOST: Final = 12
_FITTING: Final = 5
_BIDS: Final = 3
_AT_ONCE: Final = 2000
_YEAR: Final = "without a deadline a call is taken for open for a year from its publication"


@dataclass(frozen=True, slots=True)
class Call:
    """A call or tender that may be open, and who of the region fits it best, by what they are known to have."""

    thing: Named
    offered_by: str | None
    deadline: date | None
    note: str
    fits: tuple[Named, ...]
    meets: str


def open_calls(facts: Facts) -> list[Call]:
    """Find the calls that may be open and are located in the region or fit somebody there, soonest deadline first.

    Of a call without deadline and day of publication nobody knows whether it is open: it is left out. Whoever works
    elsewhere than a call asks for does not fit it. Where nothing is open, no organisation is looked at.
    """
    needs = offers.still_open(_dated(queries.run(facts.store, _NEEDS)), facts.day)
    if needs.is_empty():
        return []
    fitting = offers.matches(offers.load_opportunities(facts.store), needs, top=_AT_ONCE)
    there = pl.col("in_region").cast(pl.Boolean).fill_null(value=True)
    fits = fitting.filter(pl.col("organisation").is_in(list(facts.inside)) & there)
    here = set(needs.filter(pl.col("value").is_in(list(facts.belonging)))["opportunity"])
    found = []
    for row in needs.unique("opportunity", keep="first", maintain_order=True).rows(named=True):
        best = fits.filter(pl.col("opportunity") == row["opportunity"]).head(_FITTING).rows(named=True)
        if best or row["opportunity"] in here or row["opportunity"] in facts.belonging:
            found.append(_call(row, best))
    return found


def _dated(needs: pl.DataFrame) -> pl.DataFrame:
    return needs.filter(pl.col("deadline").is_not_null() | pl.col("issued").is_not_null())


def _call(row: dict[str, Any], best: list[dict[str, Any]]) -> Call:
    reserved = (row["reservation"] or "").rpartition("/")[2]
    said = {"": "whether it is reserved is not said", "none": "not reserved"}.get(reserved, "reserved")
    return Call(
        thing=Named(row["label"], row["opportunity"]),
        offered_by=row["offered_by_label"],
        deadline=row["deadline"],
        note=best[0]["note"] if best else said,
        fits=tuple(Named(each["organisation_label"], each["organisation"]) for each in best),
        meets=best[0]["meets"] if best else "",
    )


def calls_section(facts: Facts, calls: Sequence[Call]) -> Section:
    """List the calls that may be open on the day of the report, for the region or for somebody of it."""
    every = queries.run(facts.store, _NEEDS).unique("opportunity")
    blocks: list[Block] = [_table(facts, calls, every.height) if calls else _none(facts, every)]
    undated = every.height - _dated(every).height
    if undated:
        blocks.append((f"Of {undated:,} calls neither a deadline nor a day of publication is known: are they open?",))
    return Section("calls", "Open calls and tenders", tuple(blocks))


def _table(facts: Facts, calls: Sequence[Call], total: int) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            call.thing,
            call.offered_by,
            call.deadline,
            call.note,
            listed([each.label for each in call.fits]) or "nobody known",
        )
        for call in calls[:_MOST]
    ]
    return Table(
        "Calls and tenders that may be open",
        ("Call", "Who asks", "Deadline", "Reserved", "Whom it fits in the region"),
        tuple(rows),
        f"{len(calls)} of {total:,} calls and tenders in the graph may be open on {facts.day}, and are located in the"
        " region or fit somebody there",
        f"{offers.METHOD}; {_YEAR}",
        Asked(_NEEDS),
        max(len(calls) - _MOST, 0),
    )


def _none(facts: Facts, every: pl.DataFrame) -> NotKnown:
    last = every.select(pl.col("deadline").cast(pl.Date).max()).item()
    newest = f"; the latest known deadline is {last}" if last else ""
    here = f"that is open on {facts.day} and for {facts.region.label} or somebody there{newest}"
    return NotKnown(
        f"Of the {every.height:,} calls and tenders in the graph there is none {here}."
        if every.height
        else "No call or tender is in the graph.",
        "Import current ones: graphkit import epo FILE, or a table with deadline, place and what is asked for.",
    )


def bids(facts: Facts, calls: Sequence[Call]) -> Iterator[Action]:
    """Propose to bid for open calls that fit somebody of the region, soonest deadline first."""
    for call in [each for each in calls if each.fits][:_BIDS]:
        until = f"until {call.deadline}" if call.deadline else "soon, as its deadline is not known,"
        yield Action(
            key=f"bid-{call.thing.iri.rpartition('/')[2]}",
            what=f"Look at “{call.thing.label}” and decide {until} whether to bid, alone or together.",
            who=call.fits[:1],
            partners=call.fits[1:],
            why=f"It may be open on {facts.day} and asks for what they are known to have: {call.meets};"
            f" {call.note.partition(':')[0]}.",
            evidence=(call.thing,),
            commitments=(),
            goals=(),
            serves="",
            success="A source tells of a bid for it and how it ended; funding/bid-history then has it.",
            strength="evidence: a known call and known capabilities; nobody was asked whether they want it",
            asked=Asked(_NEEDS, (("opportunity", call.thing.iri),)),
        )
