"""R2: an organisation at the edge of the network, or without any tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.measures import position
from graphkit.network import Matrix

__all__ = ["find"]

_NEAREST = 3
_AT_ONCE = 500


def find(ground: Ground) -> list[Gap]:
    """Find the organisations without a partner, or with a single one, inside a completeness scope.

    Score: 1 - pct(coreness), where pct is the share of organisations in scope with a smaller coreness, so that
    an isolate has 1; exact. Outside every scope an organisation looks isolated because no source tells what it
    does: that is the gap D. A collaboration with members is no isolate.

    Source: Seidman 1983 for the coreness; Provan and Milward 2001 for the edge of a network.
    """
    collaborations = set(ground.takes_part["activity"])
    asked = ground.in_scope & ground.nameable - collaborations
    frame = (
        position.coreness(ground.network)
        .join(position.degree(ground.network).select("organisation", "degree"), on="organisation")
        .filter(pl.col("organisation").is_in(sorted(asked)))
        .with_columns(score=1 - (pl.col("coreness").rank("min") - 1) / pl.len())
        .filter(pl.col("degree") <= 1)
        .sort("organisation")
    )
    near, named = _nearest(ground, frame["organisation"].to_list()), _named_in(ground)
    return [
        _gap(ground, organisation, score, near[organisation], named.get(organisation, ()))
        for organisation, score in frame.select("organisation", "score").iter_rows()
    ]


def _named_in(ground: Ground) -> Mapping[str, tuple[str, ...]]:
    """Return for each organisation the activities that name it, in whatever role, in order."""
    rows = ground.takes_part.select("organisation", "activity").unique().sort("activity")
    groups = rows.group_by("organisation", maintain_order=True).agg("activity")
    return {organisation: tuple(activities) for organisation, activities in groups.iter_rows()}


def _gap(ground: Ground, organisation: str, score: float, nearest: Sequence[str], named: Sequence[str]) -> Gap:
    name = ground.name(organisation)
    row = ground.network.adjacency[[ground.network.rows[organisation]], :].tocoo()
    partners = [ground.network.organisations[column] for column in row.col]
    near = tuple(
        Evidence(other, ground.name(other), "near by theme or place")
        for other in [each for each in nearest if each not in partners][:_NEAREST]
    )
    scope = ground.scope_of(organisation)
    reach = f" ({ground.scope_words(scope)})" if scope else ""
    return Gap(
        kind="R2",
        members=(organisation,),
        labels=(name,),
        score=round(score, 6),
        tier="exact",
        explanation=f"{name} {_standing(ground, organisation, partners, named)}{reach}.",
        evidence=(*_ties(ground, organisation, partners, named), *near, *_basis(ground, scope)),
        action=_action(name, [evidence.label for evidence in near]),
    )


def _standing(ground: Ground, organisation: str, partners: list[str], named: Sequence[str]) -> str:
    if not partners:
        known = listed(sorted({ground.name(activity) for activity in named}))
        return "has no known joint activity" + (f"; it is named in {known}" if named else "")
    joint = listed([ground.name(activity) for activity in ground.joint(organisation, partners[0])])
    through = f", through {joint}" if joint else ""
    return f"has a single known partner, {ground.name(partners[0])}{through}"


def _ties(ground: Ground, organisation: str, partners: list[str], named: Sequence[str]) -> tuple[Evidence, ...]:
    joint = [activity for partner in partners for activity in ground.joint(organisation, partner)]
    others = [activity for activity in named if activity not in joint]
    return (*ground.evidence(joint, "the only tie"), *ground.evidence(others, "is named in it, without a tie"))


def _basis(ground: Ground, scope: str | None) -> tuple[Evidence, ...]:
    return (ground.scope_evidence(scope),) if scope else ()


def _nearest(ground: Ground, asked: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Name for each the connected organisations that share most telling themes and places with it, nearest first.

    One more than are told, since one of them may be its partner.
    """
    joined = sorted(ground.nameable & ground.activities_of.keys())
    shared = pl.concat(
        frame.select("organisation", pl.format("{} {}", pl.lit(column), column).alias("value")).drop_nulls().unique()
        for frame, column in ((ground.telling_themes, "theme"), (ground.places, "place"))
    )
    values = pl.Enum(shared["value"].unique().sort())
    have, theirs = (_having(shared, each, values) for each in (asked, joined))
    place = {organisation: column for column, organisation in enumerate(joined)}
    found: dict[str, Sequence[str]] = {}
    for start in range(0, len(asked), _AT_ONCE):
        common = sparse.csr_array(have[start : start + _AT_ONCE] @ theirs.T)
        for row, organisation in enumerate(asked[start : start + _AT_ONCE]):
            inside = slice(common.indptr[row], common.indptr[row + 1])
            columns, counts = common.indices[inside], common.data[inside]
            others = columns != place.get(organisation, -1)
            found[organisation] = [joined[column] for column in _highest(columns[others], counts[others])]
    return found


def _highest(columns: NDArray[np.int64], counts: NDArray[np.float64]) -> list[int]:
    """Return the columns with the highest counts, equal ones in order, one more than are told."""
    if columns.size > _NEAREST + 1:
        least = np.partition(counts, -_NEAREST - 1)[-_NEAREST - 1]
        columns, counts = columns[counts >= least], counts[counts >= least]
    return [int(column) for column in columns[np.lexsort((columns, -counts))][: _NEAREST + 1]]


def _having(frame: pl.DataFrame, organisations: Sequence[str], values: pl.Enum) -> Matrix:
    """Return 1 where an organisation (row, in the given order) has a value (column)."""
    order = pl.DataFrame({"organisation": organisations}, schema={"organisation": pl.String}).with_row_index("row")
    cells = frame.join(order, on="organisation").select("row", pl.col("value").cast(values).to_physical()).sort("row")
    place = (cells["row"].to_numpy().astype(np.int64), cells["value"].to_numpy().astype(np.int64))
    shape = (len(organisations), len(values.categories))
    matrix: Matrix = sparse.coo_array((np.ones(cells.height), place), shape=shape).tocsr()
    return matrix


def _action(name: str, near: list[str]) -> str:
    if near:
        return f"Bring {name} in: {listed(near)} work on the same themes or in the same place."
    return f"Ask {name} what it does and with whom, and invite it to the next joint activity."
