"""The first chapters of a regional report: who is there, how they are joined, and what money reaches them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Final

import polars as pl

from graphkit.gaps import KINDS, listed
from graphkit.report.document import Asked, Block, Cell, Dots, Figure, Figures, Named, NotKnown, Section, Table
from graphkit.report.facts import Facts
from graphkit.report.wording import first_sentence

__all__ = ["money_section", "networks_section", "people_section"]

_MOST: Final = 12
_NAMES: Final = 25
_HOLES: Final = ("R1", "B1", "B2", "G1", "G2", "G3")
_NO_KIND: Final = "kind not known"


# ---- Who is there ----------------------------------------------------------------------------------------------


def people_section(facts: Facts) -> Section:
    """Tell which organisations there are, of which kinds, where, and on the map."""
    everyone, asked = facts.organisations, facts.asked("region/organisations")
    if everyone.is_empty():
        nothing = NotKnown(
            f"No source places an organisation in {facts.region.label}, or in a place within it.",
            "Import a register that covers the region; graphkit sources lists those that can be read.",
        )
        return Section("organisations", "Who is there", (nothing,))
    kinded = everyone.filter(pl.col("kind").is_not_null()).height
    total, intended = everyone.height, everyone.height - facts.existing.height
    placed = f"organisations whose place a source gives; {kinded} of {total} have a known kind"
    method = "records that are taken for one organisation count once; the region with all places that belong to it"
    figures = (
        Figure("organisations", "Organisations", facts.existing.height, "organisations", placed,
               f"{method}; those that are only intended or have ended are left out", asked),
        Figure("intended", "Planned, proposed or ended", intended, "organisations", placed, method, asked),
        Figure("core", "Of a core solidarity kind", facts.existing.filter(pl.col("core") == 1).height,
               "organisations", placed, f"{method}; co-operatives, mutuals, social and community enterprises"
               " and the other kinds under core solidarity organisation", asked),
    )  # fmt: skip
    return Section(
        "organisations", "Who is there", (Figures(figures), _kinds(facts), _where(facts), _map(facts), _names(facts))
    )


def _kinds(facts: Facts) -> Table:
    counted = facts.existing.group_by(pl.col("kind_label").fill_null(_NO_KIND)).agg(pl.col("kind").min(), pl.len())
    rows = counted.sort("len", "kind_label", descending=[True, False])
    return _cut(
        facts,
        "Organisations by kind",
        ("Kind", "Organisations"),
        [(_named(label, kind), number) for label, kind, number in rows.iter_rows()],
        "where an organisation has several kinds, the first by its name",
    )


def _where(facts: Facts) -> Table:
    counted = facts.existing.group_by("place", "place_label").agg(pl.len(), core=pl.col("core").sum())
    rows = counted.sort("len", "place_label", descending=[True, False]).select("place_label", "place", "len", "core")
    return _cut(
        facts,
        "Organisations by place",
        ("Place", "Organisations", "Of a core solidarity kind"),
        [(Named(label, place), number, core) for label, place, number, core in rows.iter_rows()],
        "the place that a source names, once for each organisation; a town is not added to its county",
    )


def _names(facts: Facts) -> Table:
    """Name the organisations that take part in most, core solidarity ones first among equals."""
    busy = Counter(facts.participants.select("activity", "organisation").unique()["organisation"].to_list())
    rows = sorted(
        facts.organisations.rows(named=True),
        key=lambda row: (-busy[row["organisation"]], -row["core"], row["label"], row["organisation"]),
    )
    cells: list[tuple[Cell, ...]] = [
        (
            Named(row["label"], row["organisation"]),
            row["kind_label"],
            row["place_label"],
            (row["status"] or "").rpartition("/")[2].replace("-", " ") or None,
            busy[row["organisation"]],
        )
        for row in rows
    ]
    heads = ("Organisation", "Kind", "Place", "Status", "Activities")
    most, caption, method = _NAMES, "Organisations, those with most known activities first", "all statuses"
    if len(rows) > _NAMES and busy.keys() & facts.inside:
        most = min(len(busy.keys() & facts.inside), _NAMES)
        caption, method = (
            "Organisations with most known activities",
            "all statuses; those without a known activity left out",
        )
    return _cut(facts, caption, heads, cells, method, most=most)


def _map(facts: Facts) -> Dots | NotKnown:
    located = facts.existing.drop_nulls(["latitude", "longitude"])
    if located.is_empty():
        return NotKnown(
            "No map can be drawn: no source gives a point for an organisation or a place of the region.",
            "Import a register with postcodes or coordinates.",
        )
    points = located.group_by(pl.col("longitude").round(3), pl.col("latitude").round(3)).agg(pl.len()).sort(
        "longitude", "latitude"
    )  # fmt: skip
    summary = (
        f"{located.height:,} of {facts.existing.height:,} organisations at {points.height:,} points; a larger circle is"
        " more organisations at one point. North is up. The point of a place stands for all of it."
    )
    return Dots(tuple(points.rows()), summary, facts.asked("region/organisations"))


def _cut(
    facts: Facts, caption: str, heads: tuple[str, ...], rows: list[tuple[Cell, ...]], method: str, *, most: int = _MOST
) -> Table:
    total = facts.organisations.height
    coverage = f"{total:,} organisations with a known place in the region; those without one are in no region"
    asked = facts.asked("region/organisations")
    return Table(caption, heads, tuple(rows[:most]), coverage, method, asked, max(len(rows) - most, 0))


def _named(label: str, iri: str | None) -> Cell:
    return Named(label, iri) if iri else label


# ---- How they are joined ----------------------------------------------------------------------------------------


def networks_section(facts: Facts) -> Section:
    """Tell who works with whom, inside the region and across its border, and where the holes are."""
    ties = _ties(facts)
    asked = facts.asked("region/participations")
    if facts.participants.is_empty():
        nothing = NotKnown(
            f"No source tells of an activity in {facts.region.label} and who takes part in it.",
            "Import activities with their participants: grants with partners, projects, awards of contracts, minutes.",
        )
        return Section("networks", "Networks and their holes", (nothing,))
    figures = Figures(_tie_figures(facts, ties, asked))
    return Section("networks", "Networks and their holes", (figures, _connected(facts, ties), *_holes(facts)))


def _ties(facts: Facts) -> pl.DataFrame:
    """Return the ties of the network of working together with an end in the region, and whether both are."""
    inside = list(facts.inside)
    source, target = pl.col("source").is_in(inside), pl.col("target").is_in(inside)
    return facts.found.network.ties.filter(source | target).with_columns(both=source & target)


def _tie_figures(facts: Facts, ties: pl.DataFrame, asked: Asked) -> tuple[Figure, ...]:
    pairs = ties.select("source", "target", "both").unique()
    tied = (set(ties["source"]) | set(ties["target"])) & facts.inside
    here = set(facts.existing["organisation"])
    undated = ties.filter(pl.col("date").is_null()).height
    activities = facts.participations["activity"].n_unique()
    dated = facts.participations.drop_nulls("date")["activity"].n_unique()
    coverage = f"{activities} activities that the sources tell of; a tie that no source tells of is not known"
    method = "two organisations are tied where both took part in one activity that happened or goes on"
    within, across = pairs.filter(pl.col("both")).height, pairs.filter(~pl.col("both")).height
    ends = f"{len(here):,} organisations that are not only intended; {undated} of {ties.height} ties have no date"
    return (
        Figure("activities", "Activities that the region has to do with", activities, "activities",
               f"{dated} of them have a date", "located in the region, or somebody of the region takes part", asked),
        Figure("ties-inside", "Pairs that work together inside the region", within, "pairs", coverage, method, asked),
        Figure("ties-across", "Pairs across the border of the region", across, "pairs", coverage, method, asked),
        Figure("alone", "Organisations without a known tie", len(here - tied), "organisations", ends, method, asked),
    )  # fmt: skip


def _connected(facts: Facts, ties: pl.DataFrame) -> Block:
    pairs = {(row[0], row[1]) for row in ties.select("source", "target").iter_rows()}
    partners: dict[str, set[str]] = {}
    for source, target in pairs:
        for one, other in ((source, target), (target, source)):
            if one in facts.inside:
                partners.setdefault(one, set()).add(other)
    if not partners:
        return NotKnown(
            "Nobody of the region is known to have done anything together with anybody.",
            "Import activities that name more than one participant.",
        )
    labels = facts.names
    ranked = sorted(partners.items(), key=lambda item: (-len(item[1]), labels.get(item[0], item[0])))
    rows: list[tuple[Cell, ...]] = []
    for one, others in ranked[:_MOST]:
        outside = len(others - facts.inside)
        named = sorted(labels.get(other, other) for other in others)
        rows.append((Named(labels.get(one, one), one), len(others), outside, listed(named)))
    return Table(
        "Who is known to work with most others",
        ("Organisation", "Partners", "Of these from elsewhere", "With whom"),
        tuple(rows),
        f"organisations of the region with a known tie: {len(partners):,}",
        "partners in an activity, each once",
        facts.asked("region/participations"),
        max(len(ranked) - _MOST, 0),
    )


def _holes(facts: Facts) -> list[Block]:
    found = [gap for gap in facts.gaps if gap.kind in _HOLES]
    if not found:
        return [
            NotKnown(
                "No hole in the network of the region is known: as far as the sources tell, nobody alone joins others.",
                "That is no proof of a dense network. Import more activities and search again.",
            )
        ]
    rows = [
        (KINDS[gap.kind].name, listed(gap.labels), first_sentence(gap.explanation), gap.tier) for gap in found[:_MOST]
    ]
    return [
        Table(
            "Holes and weak points",
            ("What", "Who", "Why", "Evidence"),
            tuple(rows),
            facts.found.banner,
            "the search for gaps, kinds " + ", ".join(_HOLES),
            facts.asked("region/participations"),
            max(len(found) - _MOST, 0),
        )
    ]


# ---- Money ------------------------------------------------------------------------------------------------------


def money_section(facts: Facts) -> Section:
    """Tell which grants reached the region, from whom, to whom and when; each currency by itself."""
    grants = facts.grants.unique("grant", maintain_order=True)
    if grants.is_empty():
        nothing = NotKnown(
            f"No grant to a recipient in {facts.region.label} is in the graph. That is not to say that there was none.",
            "Import lists of grants: graphkit import threesixtygiving FILE, or graphkit import esif FILE for"
            " the Structural Funds.",
        )
        return Section("money", "Money", (nothing,))
    asked = facts.asked("region/grants")
    priced = grants.drop_nulls(["amount", "currency"])
    several = facts.grants.select("grant", "recipient").unique().group_by("grant").len().filter(pl.col("len") > 1)
    empty = priced.filter(pl.col("amount") == 0).height
    coverage = f"{priced.height:,} of {grants.height:,} grants have an amount and a currency" + (
        f"; {empty:,} of these amounts are 0, as the list shows them, which need not be what was paid" if empty else ""
    )
    method = (
        "the whole amount of each grant for the region, or to a recipient there and for no place elsewhere, once, as"
        " the source gives it; nothing is converted"
        f"{f'; {several.height} of them have several recipients' if several.height else ''}"
    )
    dated = f"{grants.drop_nulls('date').height:,} of {grants.height:,} have a date"
    first = Figure("grants", "Grants", grants.height, "grants", dated, "each grant once", asked)
    sums = [
        Figure(f"sum-{currency}", f"Sum of the grants in {currency}", amount, currency, coverage, method, asked)
        for currency, amount in priced.group_by("currency").agg(pl.col("amount").sum()).sort("currency").iter_rows()
    ]
    structural = priced.filter(pl.col("structural") == 1)
    funds = [
        Figure(f"structural-{currency}", f"Of that from the Structural Funds ({currency})", amount, currency,
               coverage, f"{method}; grants about the Structural Funds", asked)
        for currency, amount in structural.group_by("currency").agg(pl.col("amount").sum()).sort("currency").iter_rows()
    ]  # fmt: skip
    figures = Figures((first, *sums, *funds))
    sides = [_side(facts, priced, side, asked, coverage, method) for side in ("funder", "recipient")]
    return Section("money", "Money", (figures, _core_money(facts, priced), *sides, _years(facts, priced)))


def _core_money(facts: Facts, priced: pl.DataFrame) -> Figures:
    """Sum what went to recipients that are themselves of a core solidarity kind: the strict identification."""
    whose = facts.grants.select("grant", "recipient").drop_nulls().unique()
    solid = set(whose.filter(pl.col("recipient").is_in(list(facts.core)))["grant"])
    kept = priced.filter(pl.col("grant").is_in(list(solid)))
    sums: dict[str, Decimal] = dict(kept.group_by("currency").agg(pl.col("amount").sum()).iter_rows())
    figures = [
        Figure(f"core-{currency}", f"To recipients of a core solidarity kind ({currency})",
               sums.get(currency, Decimal(0)), currency,
               f"{kept.height:,} of {priced.height:,} grants with an amount; whom no register lists is not counted",
               "strict: the recipient's own record, or the record that it is taken for, is of a core solidarity kind;"
               " funding/structural-funds has the likely and the possible level by coded region",
               facts.asked("region/grants"))
        for currency in sorted(set(priced["currency"]))
    ]  # fmt: skip
    return Figures(tuple(figures))


def _side(facts: Facts, priced: pl.DataFrame, side: str, asked: Asked, coverage: str, method: str) -> Table:
    """List the largest funders or recipients by currency."""
    ways = facts.grants.select("grant", side, f"{side}_label").unique().drop_nulls(side)
    shares = ways.with_columns(pl.len().over("grant").alias("ways"))
    sums = (
        priced.select("grant", "amount", "currency")
        .join(shares, on="grant")
        .with_columns(part=pl.col("amount").cast(pl.Float64) / pl.col("ways"))
        .group_by(side, f"{side}_label", "currency")
        .agg(pl.len(), pl.col("part").sum())
        .sort("part", f"{side}_label", side, descending=[True, False, False])
    )
    rows: list[tuple[Cell, ...]] = [
        (
            Named(row[f"{side}_label"], row[side]),
            "here" if row[side] in facts.inside else "elsewhere, or not known",
            row["len"],
            Decimal(f"{row['part']:.2f}"),
            row["currency"],
        )
        for row in sums.head(_MOST).rows(named=True)
    ]
    return Table(
        f"The largest {side}s",
        (side.capitalize(), "Where", "Grants", "Sum", "Currency"),
        tuple(rows),
        coverage,
        f"{method}; a grant with several {side}s is divided equally among them",
        asked,
        max(sums.height - _MOST, 0),
    )


def _years(facts: Facts, priced: pl.DataFrame) -> Table:
    sums = (
        priced.with_columns(year=pl.col("date").dt.year())
        .group_by("year", "currency")
        .agg(pl.len(), pl.col("amount").sum())
    )
    rows = sums.sort("year", "currency", nulls_last=True).select("year", "currency", "len", "amount").rows()
    return Table(
        "Grants by year",
        ("Year", "Currency", "Grants", "Sum"),
        tuple((str(year) if year else None, currency, number, amount) for year, currency, number, amount in rows),
        f"{priced.drop_nulls('date').height:,} of {priced.height:,} grants with an amount have a date",
        "the year in which a grant begins",
        facts.asked("region/grants"),
    )
