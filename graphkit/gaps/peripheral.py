"""R2: an organisation at the edge of the network, or without any tie."""

from __future__ import annotations

import polars as pl

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.measures import position

__all__ = ["find"]

_NEAREST = 3


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
    )
    return [_gap(ground, row["organisation"], row["score"]) for row in frame.sort("organisation").rows(named=True)]


def _gap(ground: Ground, organisation: str, score: float) -> Gap:
    name = ground.name(organisation)
    row = ground.network.adjacency[[ground.network.rows[organisation]], :].tocoo()
    partners = [ground.network.organisations[column] for column in row.col]
    near = _near(ground, organisation, partners)
    scope = ground.scope_of(organisation)
    reach = f" ({ground.scope_words(scope)})" if scope else ""
    return Gap(
        kind="R2",
        members=(organisation,),
        labels=(name,),
        score=round(score, 6),
        tier="exact",
        explanation=f"{name} {_standing(ground, organisation, partners)}{reach}.",
        evidence=(*_ties(ground, organisation, partners), *near, *_basis(ground, scope)),
        action=_action(name, [evidence.label for evidence in near]),
    )


def _standing(ground: Ground, organisation: str, partners: list[str]) -> str:
    if not partners:
        named = ground.takes_part.filter(pl.col("organisation") == organisation)["label"].unique().sort()
        return "has no known joint activity" + (f"; it is named in {listed(named)}" if named.len() else "")
    joint = listed([ground.name(activity) for activity in ground.joint(organisation, partners[0])])
    through = f", through {joint}" if joint else ""
    return f"has a single known partner, {ground.name(partners[0])}{through}"


def _ties(ground: Ground, organisation: str, partners: list[str]) -> tuple[Evidence, ...]:
    joint = [activity for partner in partners for activity in ground.joint(organisation, partner)]
    rows = ground.takes_part.filter(pl.col("organisation") == organisation, ~pl.col("activity").is_in(joint))
    named = rows["activity"].unique().sort()
    return (*ground.evidence(joint, "the only tie"), *ground.evidence(named, "is named in it, without a tie"))


def _basis(ground: Ground, scope: str | None) -> tuple[Evidence, ...]:
    return (ground.scope_evidence(scope),) if scope else ()


def _near(ground: Ground, organisation: str, partners: list[str]) -> tuple[Evidence, ...]:
    """Name the connected organisations that share most telling themes and places with this one."""
    shared = pl.concat(
        [
            _sharing(ground.telling_themes, organisation, "theme"),
            _sharing(ground.places, organisation, "place"),
        ]
    )
    joined = {other for other in ground.activities_of if other in ground.nameable}
    others = shared.filter(pl.col("organisation").is_in(sorted(joined - {organisation, *partners})))
    counts = others.group_by("organisation").len("shared")
    nearest = counts.sort("shared", "organisation", descending=[True, False]).head(_NEAREST)["organisation"]
    return tuple(Evidence(other, ground.name(other), "near by theme or place") for other in nearest)


def _sharing(frame: pl.DataFrame, organisation: str, column: str) -> pl.DataFrame:
    """List who else has a value of `column` that `organisation` has, once for each value."""
    pairs = frame.select("organisation", pl.col(column).alias("value")).drop_nulls().unique()
    own = pairs.filter(pl.col("organisation") == organisation).select("value")
    return pairs.join(own, on="value", how="semi")


def _action(name: str, near: list[str]) -> str:
    if near:
        return f"Bring {name} in: {listed(near)} work on the same themes or in the same place."
    return f"Ask {name} what it does and with whom, and invite it to the next joint activity."
