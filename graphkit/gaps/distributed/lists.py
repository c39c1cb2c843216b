"""The best pairs without a tie, on Spark: the same list, in the same order, as the local engine gives."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import date
from time import perf_counter
from typing import TypeAlias

import polars as pl

from graphkit.errors import UsageError
from graphkit.gaps.distributed.door import Frame, collected, expression, kept
from graphkit.gaps.distributed.scores import scored
from graphkit.gaps.distributed.spread import Spread, named

__all__ = ["best_partners", "top_pairs"]

_Pair: TypeAlias = tuple[int, int, float]

_POOL = 50_000
_CELLS_AT_ONCE = 4_000_000
_log = logging.getLogger(__name__)


def top_pairs(
    network: Spread, scorer: str, k: int, *, today: date, per_organisation: int | None = None
) -> pl.DataFrame:
    """List the `k` pairs without a tie that score highest, best first, ties in order of IRI.

    As `graphkit.gaps.scorers.top_pairs`, for the scorers of `SPARK_SCORERS`: the same pairs in the same order, with
    scores that agree in their first twelve digits. With `per_organisation` nobody is named more often. What comes to
    this machine are the best pairs, some 50,000 at a time.

    Returns
    -------
    source, target, score (its order alone has a meaning)

    Raises `UsageError` where `k` or `per_organisation` is below 1, `UnknownNameError` for the scorer.
    """
    if min(k, k if per_organisation is None else per_organisation) < 1:
        raise UsageError("a list of no pairs was asked for", hint="give 1 or more for k and per_organisation")
    start = perf_counter()
    candidates = scored(network, scorer, today)
    if per_organisation is None:
        chosen = _chosen(network, candidates, k, k)
    else:
        chosen = _chosen(network, kept(candidates), k, per_organisation)
    table = pl.DataFrame(chosen, schema={"source": pl.Int64, "target": pl.Int64, "score": pl.Float64}, orient="row")
    _log.info("%d pairs by %s in %.1f s", table.height, scorer, perf_counter() - start)
    return named(network, table, "source", "target")


def best_partners(network: Spread, scorer: str, number: int, *, today: date) -> pl.DataFrame:
    """List for each organisation the `number` others without a tie to it that score highest, above 0.

    Unlike a list with a cap this is one list for each organisation: a pair may stand in both.

    Returns
    -------
    organisation, rank (from 1), partner, score; partners of one score in order of IRI

    Raises `UsageError` where `number` is below 1, `UnknownNameError` for the scorer.
    """
    if number < 1:
        raise UsageError("lists of nobody were asked for", hint="give 1 or more")
    half = kept(scored(network, scorer, today))
    both = half.unionAll(half.selectExpr("j AS i", "i AS j", "score"))
    place = "row_number() OVER (PARTITION BY i ORDER BY score DESC, j) AS rank"
    ranked = collected(both.selectExpr("i", place, "j", "score").where(f"rank <= {number}").orderBy("i", "rank"))
    return named(network, ranked, "i", "j").rename({"i": "organisation", "j": "partner"})


def _chosen(network: Spread, candidates: Frame, k: int, limit: int) -> list[_Pair]:
    """Go down all pairs, those that nothing joins last, and leave out those of which one is full."""
    chosen: list[_Pair] = []
    count: Counter[int] = Counter()
    for frame in _in_turn(network, candidates):
        for pair in _going_down(frame, k if limit >= k else max(k, _POOL), count, limit):
            if max(count[pair[0]], count[pair[1]]) < limit:
                count.update(pair[:2])
                chosen.append(pair)
            if len(chosen) == k:
                return chosen
    return chosen


def _in_turn(network: Spread, candidates: Frame) -> Iterator[Frame]:
    """Yield the pairs that score, and then, in blocks of organisations, those that score 0."""
    yield candidates
    n = network.size
    block = max(_CELLS_AT_ONCE // max(n, 1), 1)
    known = kept(network.ties.selectExpr("u AS i", "v AS j").unionAll(candidates.select("i", "j")))
    for start in range(0, n, block):
        rows = network.spark.range(start, min(start + block, n)).selectExpr("CAST(id AS INT) AS i")
        columns = network.organisations.selectExpr("id AS j")
        pairs = rows.join(columns, expression("i < j"))
        yield pairs.join(known, ["i", "j"], "left_anti").selectExpr("i", "j", "0D AS score")


def _going_down(frame: Frame, size: int, count: Counter[int], limit: int) -> Iterator[_Pair]:
    """Yield the pairs of a table from the best on, so many at a time, without those of which one is full by then."""
    below = "true"
    while True:
        full = ", ".join(str(row) for row, times in sorted(count.items()) if times >= limit)
        open_ones = frame.where(below).where(f"NOT (i IN ({full}) OR j IN ({full}))" if full else "true")
        pool = collected(open_ones.orderBy(expression("-score"), "i", "j").limit(size)).rows()
        yield from pool
        if len(pool) < size:
            return
        i, j, score = pool[-1]
        below = f"score < {score!r}D OR (score = {score!r}D AND (i > {i} OR (i = {i} AND j > {j})))"
