"""Personalised PageRank on Spark: many walkers at once, each starting again at its own organisation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from graphkit.errors import UsageError, unknown_name
from graphkit.gaps.distributed.door import Frame, collected, expression, handed_over, kept
from graphkit.gaps.distributed.joins import cut_into_parts, exact_sum, joined_through
from graphkit.gaps.distributed.spread import Spread, named

__all__ = ["both_ways", "personalised_pagerank", "shared_walks"]

_ALPHA = 0.85
_STEPS = 12
_START = -1
_BACK = -2


def personalised_pagerank(
    network: Spread,
    seeds: Sequence[str],
    *,
    today: date | None = None,
    alpha: float = _ALPHA,
    steps: int = _STEPS,
) -> pl.DataFrame:
    """Give the share of time that a walker who always starts again at its seed spends with each organisation.

    As `graphkit.measures.position.personalised_pagerank` on bare ties or, with `today`, on the weights of
    `recency_weights`. Organisations that a walker does not reach are left out.

    Returns
    -------
    seed, organisation, share; by seed, the largest share first

    Raises `UnknownNameError` for a seed that the network has not, `UsageError` where a number is out of range.
    """
    if not 0 <= alpha < 1 or steps < 0:
        raise UsageError(
            f"alpha is {alpha}, steps are {steps}", hint="alpha is at least 0 and below 1, steps at least 0"
        )
    wanted = pl.DataFrame({"organisation": sorted(set(seeds))}, schema={"organisation": pl.String})
    chosen = network.organisations.join(handed_over(network.spark, wanted), "organisation").select("id", "organisation")
    known = collected(chosen)
    strangers = sorted(set(seeds) - set(known["organisation"]))
    if strangers:
        raise unknown_name("organisation", strangers[0], (), where="the network")
    starts = handed_over(network.spark, known.select(pl.col("id").cast(pl.Int32).alias("i")))
    weights = both_ways(network.recency(today)) if today else network.ties.selectExpr("u", "v", "1D AS weight")
    alone = starts.selectExpr("i AS u").join(weights.select("u").distinct(), "u", "left_anti")
    at_home = alone.selectExpr("u", "u AS v", "1D AS weight")
    shares = collected(_walked(network, weights.unionAll(at_home), starts, known.height, alpha, steps).where("x > 0"))
    table = named(network, shares, "i", "u").rename({"i": "seed", "u": "organisation", "x": "share"})
    return table.sort("seed", "share", "organisation", descending=[False, True, False])


def shared_walks(network: Spread, weights: Frame) -> Frame:
    """Return s_i PPR_ij with s_i the sum of the weights of i, for all walkers: i, j, score."""
    strength = weights.groupBy("u").agg(expression(exact_sum("weight", "strength"))).selectExpr("u AS i", "strength")
    walkers = weights.selectExpr("u AS i").distinct()
    shares = _walked(network, weights, walkers, network.size, _ALPHA, _STEPS).where("i < u")
    return shares.join(strength, "i").selectExpr("i", "u AS j", "strength * x AS score")


def both_ways(half: Frame) -> Frame:
    """Return weights of pairs i, j, weight as u, v, weight in both directions."""
    return half.selectExpr("i AS u", "j AS v", "weight").unionAll(half.selectExpr("j AS u", "i AS v", "weight"))


def _walked(network: Spread, weights: Frame, starts: Frame, walkers: int, alpha: float, steps: int) -> Frame:
    """Walk from the organisations of `starts` (a column i) and return where each walker is: i, u, x.

    Every walker has one more place, where a 1 stands at all times: from there it is set back to its start with
    probability 1 - alpha at each step. So a step is one join and one sum, and needs no union with the starts. Where
    the ties are copied, walkers never leave the task that they are in: a task is a block of walkers.
    """
    out = weights.groupBy("u").agg(expression(exact_sum("weight", "total")))
    onward = weights.join(out, "u").selectExpr("u", "v", f"{alpha!r}D * weight / total AS p")
    again = [(_START, _START, 1.0), (_START, _BACK, 1 - alpha)]
    schema = {"u": pl.Int32, "v": pl.Int32, "p": pl.Float64}
    moves = kept(onward.unionAll(handed_over(network.spark, pl.DataFrame(again, schema=schema, orient="row"))))
    where = starts.selectExpr("i", f"explode(array(i, {_START})) AS u", "1D AS x")
    if network.copied:
        where = cut_into_parts(where, "i", network.parts(walkers * network.size))
    for _ in range(steps):
        moved = joined_through(where, moves, via="u", mine="i", copied=network.copied)
        there = moved.selectExpr("i", f"CASE WHEN v = {_BACK} THEN i ELSE v END AS u", "x * p AS x")
        where = there.groupBy("i", "u").agg(expression(exact_sum("x", "x")))
    return where.where("u >= 0")
