"""The last chapter of a regional report: how far it can be believed, what is missing, and where the facts come from."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from graphkit import queries
from graphkit.gaps import listed
from graphkit.report.document import Asked, Block, Cell, Named, NotKnown, Section, Table
from graphkit.report.facts import Facts

__all__ = ["doubts_section"]

_SILENCE: Final = (
    "What a source does not say is not known; it is not absent. Organisations whose place no source gives are in no"
    " region at all."
)
_MOST: Final = 12
_DATA: Final = "D"


def doubts_section(facts: Facts) -> Section:
    """Say how far the region and its figures can be believed, what is missing, and where the facts come from."""
    blocks: list[Block] = [(facts.found.banner,), (_SILENCE,)]
    blocks += [_outline(facts), _coverage(facts), _missing(facts), _scopes(facts), _sources(facts)]
    return Section("doubts", "Coverage and doubts", tuple(blocks))


def _outline(facts: Facts) -> Block:
    sure = facts.places.filter(pl.col("basis") == "approximation").unique("place", maintain_order=True)
    within = facts.places.filter(pl.col("basis") != "approximation")["place"].n_unique() - 1
    asked = facts.asked("region/places")
    if sure.is_empty():
        return (f"{facts.region.label} is taken with the {within} places that lie within it (region/places).",)
    rows = [
        (
            Named(row["place_label"], row["place"]),
            None if row["confidence"] is None else f"{row['confidence']:.1f}",
            row["comment"],
        )
        for row in sure.rows(named=True)
    ]
    return Table(
        f"{facts.region.label} has no official boundary: by which regions it is approximated, and how surely",
        ("Region", "Confidence", "Why"),
        tuple(rows),
        f"{within} further places lie within these or within {facts.region.label} itself",
        "an organisation counts fully in the region, however sure its part is",
        asked,
    )


def _coverage(facts: Facts) -> Table:
    everyone, grants = facts.organisations, facts.grants.unique("grant")
    active = set(facts.participants["organisation"])
    lines: list[tuple[str, int, int]] = [
        ("Organisations of the region whose kind is known", everyone.drop_nulls("kind").height, everyone.height),
        ("… with a point on the map", everyone.drop_nulls(["latitude", "longitude"]).height, everyone.height),
        ("… with a known activity", len(active & facts.inside), everyone.height),
        ("Activities whose date is known", facts.participations.drop_nulls("date")["activity"].n_unique(),
         facts.participations["activity"].n_unique()),
        ("Grants whose amount is known", grants.drop_nulls("amount").height, grants.height),
        ("Grants whose date is known", grants.drop_nulls("date").height, grants.height),
    ]  # fmt: skip
    return Table(
        "How much is known",
        ("Of what", "Known", "Of so many"),
        tuple((what, known, total) for what, known, total in lines if total),
        "the things that belong to the region",
        "counted from the answers of the queries of this report",
        facts.asked("region/organisations"),
    )


def _missing(facts: Facts) -> Block:
    lacking = [gap for gap in facts.gaps if gap.kind == _DATA]
    if not lacking:
        return (
            "No single missing fact about the region was found by name; explore/coverage has those of the whole graph.",
        )
    rows: list[tuple[Cell, ...]] = []
    for gap in lacking[:_MOST]:
        here = [label for iri, label in zip(gap.members, gap.labels, strict=True) if iri in facts.belonging]
        rows.append((gap.explanation.partition(":")[0].rstrip("."), len(here), listed(here), gap.action))
    return Table(
        "What the sources do not say, and how to find it out",
        ("What is missing", "Of how many here", "Of what", "What to do"),
        tuple(rows),
        "data gaps with a member in the region",
        "graphkit gaps, kind D",
        Asked("gaps/organisations"),
        max(len(lacking) - _MOST, 0),
    )


def _scopes(facts: Facts) -> Block:
    frame = queries.run(facts.store, "explore/scopes")
    here = set(facts.places["place"]) | {facts.region.iri}
    rows = [row for row in frame.rows(named=True) if row["region"] in here or row["subject"] in facts.belonging]
    if not rows:
        return NotKnown(
            f"No source declares that it tells everything about {facts.region.label} or an organisation there.",
            "Declare a completeness scope for a source that is complete; only inside one can an absence be claimed.",
        )
    seen = {row["scope"]: row for row in rows}
    cells: list[tuple[Cell, ...]] = [
        (Named(row["label"], row["scope"]), row["subject_label"] or row["region_label"], row["end"])
        for row in seen.values()
    ]
    return Table(
        "Within what a source says that it tells all",
        ("Scope", "About", "Up to"),
        tuple(cells),
        "declared by who loaded the source",
        "only inside a scope is an absence claimed",
        Asked("explore/scopes"),
    )


def _sources(facts: Facts) -> Table:
    frame = queries.run(facts.store, "explore/sources").unique("source", maintain_order=True).cast({pl.Null: pl.String})
    rows = [row for row in frame.rows(named=True) if row["statements"]]
    licences = _labels(facts, [row["license"] for row in rows if row["license"]])
    cells: list[tuple[Cell, ...]] = [
        (
            Named(row["label"], row["source"]),
            licences.get(row["license"], row["license"]),
            row["issued"],
            int(row["statements"]),
        )
        for row in rows
    ]
    return Table(
        "The sources of the whole graph",
        ("Source", "Licence", "Published", "Statements"),
        tuple(cells),
        "every loaded source with statements; not all of them speak of this region",
        "statements in the graph of the source",
        Asked("explore/sources"),
    )


def _labels(facts: Facts, iris: list[Any]) -> dict[str, str]:
    if not iris:
        return {}
    return dict(queries.run(facts.store, "explore/labels", thing=sorted(set(iris))).select("thing", "label").rows())
