"""The chapter on barriers and building blocks: claims of documents, people who were asked, and answers elsewhere."""

from __future__ import annotations

from typing import Final

import polars as pl

from graphkit import barriers, queries
from graphkit.gaps import listed
from graphkit.report.document import Asked, Block, Cell, Named, NotKnown, Section, Table
from graphkit.report.facts import Facts

__all__ = ["barriers_section"]

_CLAIMS: Final = "region/claims"
_PARTS: Final = ("barrier", "building block")


def barriers_section(facts: Facts) -> Section:
    """List what documents claim, count what people said who were asked, and name what answers a barrier elsewhere.

    Nobody who was asked is named or listed: only counts of five and more are shown (`graphkit.barriers`).
    """
    claims = queries.run(facts.store, _CLAIMS, region=facts.region.iri)
    claims = claims.with_columns(pl.col("claimant", "claimant_label", "stance_label").cast(pl.String))
    blocks = [*(_claimed(facts, claims, part) for part in _PARTS), *_people(facts), *_answers(facts)]
    return Section("barriers", "Barriers and building blocks", tuple(blocks))


def _claimed(facts: Facts, claims: pl.DataFrame, part: str) -> Block:
    mine = claims.filter(pl.col("part") == part)
    if mine.is_empty():
        return NotKnown(
            f"No document or statistic in the graph makes a claim about a {part} in {facts.region.label}.",
            "Load such claims with source and place: graphkit barriers --import FILE.",
        )
    said = mine.group_by("about", "about_label", "claim", "label", "stance_label", maintain_order=True).agg(
        pl.col("claimant_label").drop_nulls().unique().sort()
    )
    first = said.with_columns(first=pl.col("about").is_first_distinct())
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            Named(row["about_label"], row["about"]) if row["first"] else "",
            Named(row["label"], row["claim"]),
            (row["stance_label"] or "not said").lower(),
            listed(row["claimant_label"]) or None,
        )
        for row in first.rows(named=True)
    )
    word = part.capitalize()
    return Table(
        f"{word}s, as the sources claim them",
        (word, "Claim", "For or against", "Who says so"),
        rows,
        f"claims: {mine['claim'].n_unique()}, claimants: {mine['claimant'].n_unique()};"
        " a claim is the word of who makes it, and no finding",
        "claims of documents and statistics that speak of the region or a part of it",
        facts.asked(_CLAIMS),
    )


def _people(facts: Facts) -> list[Block]:
    """Count what people said who were asked, small numbers left out."""
    cells = barriers.matrix(facts.store, facts.region.iri)
    asked = cells.filter((pl.col("people_for") + pl.col("people_against") > 0) | pl.col("suppressed"))
    if asked.is_empty():
        return []
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            Named(row["about_label"], row["about"]),
            row["region_label"],
            row["people_for"],
            row["people_against"],
            "fewer than five, left out" if row["suppressed"] else "all shown",
        )
        for row in asked.rows(named=True)
    )
    return [
        Table(
            "What people said who were asked",
            ("Barrier or building block", "Region", "People for", "People against", "Small numbers"),
            rows,
            f"answers of fewer than {barriers.SMALLEST_CELL} people are left out, so that nobody can be recognised",
            str(asked["method"][0]),
            Asked("policy/barriers", (("region_asked", facts.region.iri),)),
        )
    ]


def _answers(facts: Facts) -> list[Block]:
    """Name the building blocks that answer a barrier of the region, and where people speak for them."""
    frame = barriers.answers(facts.store, facts.region.iri)
    if frame.is_empty():
        return []
    texts = pl.col("elsewhere", "elsewhere_label").cast(pl.String)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            Named(row["barrier_label"], row["barrier"]),
            Named(row["building_block_label"], row["building_block"]),
            Named(row["elsewhere_label"], row["elsewhere"]) if row["elsewhere"] else None,
            int(row["claims_for"] or 0) if row["elsewhere"] else None,
            int(row["claims_against"] or 0) if row["elsewhere"] else None,
        )
        for row in frame.with_columns(texts).rows(named=True)
    )
    return [
        Table(
            "What answers a barrier, and where else people speak of it",
            ("Barrier here", "Building block", "Elsewhere", "Claims for it there", "Claims against"),
            rows,
            "which building block answers which barrier is a reading, and no finding",
            "sol:answers, with the claims of other regions about the building block",
            facts.asked("policy/answers"),
        )
    ]
