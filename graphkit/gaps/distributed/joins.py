"""What the distributed engine computes with: exact sums in any order, rounding, and joins that no hub slows down."""

from __future__ import annotations

from typing import Final

from graphkit.gaps.distributed.door import Frame, expression, smallest

__all__ = ["HUB", "cut_into_parts", "exact_sum", "joined_through", "settled"]

HUB: Final = 1_000
"""A key with more rows than this is spread over several tasks."""

_HIGH: Final = 2.0**40
_LOW: Final = 2.0**40
_BITS: Final = 40


def exact_sum(term: str, name: str) -> str:
    """Return the SQL of a sum of numbers that does not depend on the order in which they are added.

    Each number is cut at 2^-80 and split into two integers, whose sums are exact: Spark adds in the order in which
    the machines answer, and a sum of doubles would be another one each time. Holds for numbers that are not below 0,
    for sums below 2^23 and up to 2^23 numbers; beyond that Spark raises an overflow.
    """
    high = f"floor({term} * {_HIGH!r}D)"
    low = f"floor(({term} * {_HIGH!r}D - {high}) * {_LOW!r}D)"
    return f"(sum({high}) + sum({low}) / {_LOW!r}D) / {_HIGH!r}D AS {name}"


def settled(frame: Frame, score: str = "score") -> Frame:
    """Round a column of numbers above 0 to forty binary digits, as the local scorers do."""
    others = [column for column in frame.columns if column != score]
    guess = f"floor(log2({score})) + 1"
    exponent = f"CASE WHEN {score} >= pow(2D, e) THEN e + 1 WHEN {score} < pow(2D, e - 1) THEN e - 1 ELSE e END"
    return (
        frame.selectExpr(*others, score, f"{guess} AS e")
        .selectExpr(*others, score, f"{exponent} AS e")
        .selectExpr(*others, f"rint({score} * pow(2D, {_BITS} - e)) * pow(2D, e - {_BITS}) AS {score}")
    )


def cut_into_parts(frame: Frame, key: str, parts: int) -> Frame:
    """Put the rows of one value of `key` on one machine, in so many parts."""
    return frame.repartition(parts, key)


def joined_through(left: Frame, right: Frame, *, via: str, mine: str, copied: bool) -> Frame:
    """Join two tables by the column `via`.

    With `copied` every machine holds all of `right`, and the rows of `left` stay where they are. Else both travel, and
    a value of `via` with more than `HUB` rows in `right` is cut into as many pieces: each row of `left` goes to
    one of them, chosen by `mine`, so that no task has all the work of an organisation that everybody works with.
    """
    if copied:
        return left.join(smallest(right), via)
    pieces = right.groupBy(via).agg(expression("count(*) AS n")).where(f"n > {HUB}")
    hubs = smallest(pieces.selectExpr(via, f"CAST(ceil(n / {HUB}) AS INT) AS pieces"))
    split_left = left.join(hubs, via, "left").selectExpr(
        *left.columns, f"CAST(pmod(hash({mine}), coalesce(pieces, 1)) AS INT) AS piece"
    )
    split_right = right.join(hubs, via, "left").selectExpr(
        *right.columns, "explode(sequence(0, coalesce(pieces, 1) - 1)) AS piece"
    )
    return split_left.join(split_right, [via, "piece"]).drop("piece")
