"""The chapters of a regional report on policy: commitments, the scorecard, and other regions beside it."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from graphkit import queries, scorecard
from graphkit.gaps import listed
from graphkit.monitor import Standing
from graphkit.report.document import Asked, Block, Cell, Figure, Figures, Named, NotKnown, Section, Table
from graphkit.report.facts import Facts

__all__ = ["commitments_section", "comparison_section", "scorecard_section"]

_COUNTS: Final = "region/counts"
_COUNTED: Final = (
    "These are counts of what the loaded sources tell. A region that a register covers has more of everything than one"
    " that no register covers; so a difference is first of all one of knowledge."
)
_COLUMNS: Final = ("organisations", "core", "active", "activities", "grants")


# ---- Commitments ------------------------------------------------------------------------------------------------


def commitments_section(facts: Facts) -> Section:
    """Tell how each commitment stands as a whole, and what of its evidence has to do with the region."""
    standings = facts.found.standings
    title = "Commitments"
    if not standings:
        nothing = NotKnown(
            "No commitment is in the graph.", "Load a policy with its commitments: docs/monitor.md tells how."
        )
        return Section("commitments", title, (nothing,))
    rows = tuple(_standing_row(facts, standing) for standing in standings)
    told = sum(1 for standing in standings if _local(facts, standing))
    table = Table(
        "How the commitments stand, and what of it is in the region",
        ("Commitment", "Policy", "Status", "Evidence", "Of it here", "Newest here"),
        rows,
        "evidence that the loaded sources tell of; a status of the whole graph, up to the day that its sources reach",
        "evidence is of the region where it is located there, or where somebody of the region takes part or receives",
        Asked("monitor/commitments"),
    )
    figure = Figure(
        "commitments-here", "Commitments with evidence in the region", told, "commitments",
        f"{len(standings)} commitments in the graph", "as in the table below", Asked("monitor/commitments"),
    )  # fmt: skip
    return Section("commitments", title, (Figures((figure,)), table, *_evidence(facts)))


def _local(facts: Facts, standing: Standing) -> list[Any]:
    return [finding for finding in standing.findings if finding.iri in facts.belonging]


def _standing_row(facts: Facts, standing: Standing) -> tuple[Cell, ...]:
    here = _local(facts, standing)
    newest = max((finding.date for finding in here if finding.date), default=None)
    return (
        Named(f"{standing.identifier} {standing.label}".strip(), standing.commitment),
        standing.policy_label,
        standing.status.replace("-", " "),
        len(standing.findings),
        len(here),
        newest if here else "–",
    )


def _evidence(facts: Facts) -> list[Block]:
    rows: list[tuple[Cell, ...]] = [
        (standing.identifier, Named(finding.label, finding.iri), finding.date, finding.method)
        for standing in facts.found.standings
        for finding in _local(facts, standing)
    ]
    if not rows:
        return [
            NotKnown(
                f"Of no commitment is there evidence from {facts.region.label} in the graph.",
                "Import what public bodies of the region adopted, bought, funded or did together with the sector.",
            )
        ]
    return [
        Table(
            "Evidence from the region",
            ("Commitment", "What", "Date", "Why it counts"),
            tuple(rows[:25]),
            f"pieces of evidence from here: {len(rows)}",
            "the query that monitors the commitment",
            Asked("monitor/commitments"),
            max(len(rows) - 25, 0),
        )
    ]


# ---- Scorecard ------------------------------------------------------------------------------------------------------


def scorecard_section(facts: Facts) -> Section:
    """Show the judgements and figures of the evaluation measures; what nobody judged stays not known."""
    title = "Evaluation scorecard"
    cells = scorecard.scorecard(facts.store, [facts.region.iri])
    judged = cells.filter(pl.col("things") > 0)
    blocks: list[Block] = []
    if judged.is_empty():
        blocks.append(
            NotKnown(
                f"Nobody has judged anything in {facts.region.label} on any of the {cells.height} evaluation measures.",
                "Record assessments with assessor, scale, date and evidence; graphkit scorecard shows them.",
            )
        )
    else:
        rows = [
            (
                Named(row["measure_label"], row["measure"]),
                f"{row['score']:.2f}",
                row["things"],
                row["judgements"],
                row["newest"],
            )
            for row in judged.rows(named=True)
        ]
        blocks.append(
            Table(
                "Judgements on the evaluation measures, from 0 (worst) to 1 (best)",
                ("Measure", "Score", "Things judged", "Judgements", "Newest"),
                tuple(rows),
                f"{judged.height} of {cells.height} measures have a judgement; the others are not known, and not 0",
                scorecard.METHOD,
                Asked("policy/assessments"),
            )
        )
    return Section("scorecard", title, (*blocks, *_measured(facts)))


def _measured(facts: Facts) -> list[Block]:
    """Show the figures that can be worked out for a region."""
    frame = scorecard.figures_by_region(facts.store, [facts.region.iri]).drop_nulls("value")
    by_label = {
        row["label"]: str(row["query"] or "") for row in queries.run(facts.store, "monitor/indicators").rows(named=True)
    }
    figures = [
        Figure(
            f"measure-{number}", row["figure"][:1].upper() + row["figure"][1:], int(row["value"]), row["unit"],
            row["coverage"], row["method"], facts.asked(by_label[row["indicator"]].rpartition("/query/")[2]),
        )
        for number, row in enumerate(frame.rows(named=True), 1)
    ]  # fmt: skip
    return [Figures(tuple(figures))] if figures else []


# ---- Other regions -------------------------------------------------------------------------------------------


def _money(facts: Facts) -> dict[str, str]:
    """Say for each region what money reached it, by currency; a region without a known grant is left out."""
    sums: dict[str, list[str]] = {}
    frame = queries.run(facts.store, "region/money", region=list(facts.compared))
    for region, currency, amount in frame.select("region", "currency", "amount").iter_rows():
        sums.setdefault(region, []).append(f"{currency} {amount:,.0f}")
    return {region: "; ".join(parts) for region, parts in sums.items()}


def comparison_section(facts: Facts) -> Section:
    """Put the region beside others, with the warning that a region that is better known has more of everything."""
    frame = queries.run(facts.store, _COUNTS, region=list(facts.compared))
    money = _money(facts)
    order = {iri: place for place, iri in enumerate(facts.compared)}
    rows = sorted(frame.rows(named=True), key=lambda row: order[row["region"]])
    blocks: list[Block] = []
    if len(rows) > 1:
        blocks.append((_COUNTED,))
    else:
        blocks.append(
            NotKnown(
                "There is no other region to compare with in this graph.",
                "Name some with --against, or import registers of other regions.",
            )
        )
    blocks.append(
        Table(
            "Side by side",
            (
                "Region",
                "Organisations",
                "Core solidarity kind",
                "Take part in an activity",
                "Activities",
                "Grants",
                "Their sum",
            ),
            tuple(
                (
                    Named(row["label"], row["region"]),
                    *(int(row[name]) for name in _COLUMNS),
                    money.get(row["region"]),
                )
                for row in rows
            ),
            "what no source places is counted nowhere; organisations that are only intended are counted here too",
            "each region with the places within it or within what it is approximated by; sums of grants (region/money)"
            " by currency, each grant once and whole, as the lists show it",
            Asked(_COUNTS, tuple(("region", iri) for iri in facts.compared)),
        )
    )
    if facts.absent:
        names = listed([iri.rpartition("/")[2].replace("-", " ") for iri in facts.absent])
        blocks.append(NotKnown(f"Not in this graph: {names}.", "Import a register or places that name them."))
    return Section("comparison", "Beside other regions", tuple(blocks))
