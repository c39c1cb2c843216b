"""B2: an organisation whose partners all know each other, so that it hears little that is new."""

from __future__ import annotations

import polars as pl

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.measures import holes, position

__all__ = ["find"]

_LEAST_PARTNERS = 2


def find(ground: Ground) -> list[Gap]:
    """Find the named organisations with two or more partners who have all worked with each other.

    Score: Burt's constraint, cut at 1 (a pair of partners who know each other gives 1.125). Effective size 1
    says that the partners form one closed circle; exact. An organisation with one partner is the gap R2.

    Source: Burt 1992, Structural Holes, ch. 2; effective size in the form of Borgatti 1997.
    """
    network = ground.network
    frame = (
        holes.constraint(network, weighted=False)
        .join(holes.effective_size(network, weighted=False), on="organisation")
        .join(position.degree(network).select("organisation", "degree"), on="organisation")
        .filter(pl.col("degree") >= _LEAST_PARTNERS, pl.col("effective_size") < 1 + 1e-9)
        .filter(pl.col("organisation").is_in(sorted(ground.nameable)))
        .sort("organisation")
    )
    return [_gap(ground, row["organisation"], row["constraint"]) for row in frame.rows(named=True)]


def _gap(ground: Ground, organisation: str, constraint: float) -> Gap:
    name = ground.name(organisation)
    joined, row = ground.network.adjacency, ground.network.rows[organisation]
    columns = joined.indices[joined.indptr[row] : joined.indptr[row + 1]].tolist()
    partners = [ground.network.organisations[column] for column in sorted(columns)]
    names = [ground.name(partner) for partner in partners]
    return Gap(
        kind="B2",
        members=(organisation,),
        labels=(name,),
        score=round(min(1.0, constraint), 6),
        tier="exact",
        explanation=(
            f"The {len(partners)} known partners of {name} ({listed(names)}) have all worked with each other, so"
            f" {name} hears little through one that it does not hear through another."
        ),
        evidence=(
            *(Evidence(partner, known, "partner") for partner, known in zip(partners, names, strict=True)),
            *ground.evidence(ground.activities_of.get(organisation, ()), "joint activity"),
        ),
        action=f"Look for a partner for {name} outside this circle.",
    )
