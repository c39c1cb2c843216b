"""Scores of pairs without a tie by the partners that they share, on Spark: as the local scorers of the same names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, TypeAlias

from graphkit.errors import unknown_name
from graphkit.gaps.distributed.door import Frame, expression, smallest
from graphkit.gaps.distributed.joins import cut_into_parts, exact_sum, joined_through, settled
from graphkit.gaps.distributed.spread import Spread
from graphkit.gaps.distributed.walks import both_ways, shared_walks

__all__ = ["SPARK_SCORERS", "check_scorer", "scored"]

_Score: TypeAlias = Callable[[Spread, date], Frame]


def check_scorer(name: str) -> None:
    """Raise `UnknownNameError`, which lists those that it has, for a scorer that the engine has not."""
    if name not in SPARK_SCORERS:
        raise unknown_name("scorer of the engine spark", name, SPARK_SCORERS)


def scored(network: Spread, scorer: str, today: date) -> Frame:
    """Return the pairs i < j without a tie that score above 0: i, j, score; rounded as the local scores are.

    Raises `UnknownNameError` for a scorer that the engine has not.
    """
    check_scorer(scorer)
    pairs = SPARK_SCORERS[scorer](network, today).where("i < j AND score > 0")
    tied = network.ties.where("u < v").selectExpr("u AS i", "v AS j")
    apart = pairs.join(smallest(tied) if network.copied else tied, ["i", "j"], "left_anti")
    return settled(apart)


def _common_neighbours(network: Spread, today: date) -> Frame:  # noqa: ARG001
    return _shared_partners(network, "1D")


def _adamic_adar(network: Spread, today: date) -> Frame:  # noqa: ARG001
    return _shared_partners(network, "(1D / ln(greatest(k_u, 2)))")


def _resource_allocation(network: Spread, today: date) -> Frame:  # noqa: ARG001
    return _shared_partners(network, "(1D / k_u)")


def _l3(network: Spread, today: date) -> Frame:  # noqa: ARG001
    """Go from i through u to v, add up, and go on to j: each way counts 1 / sqrt(k_u k_v)."""
    middle = network.ties.selectExpr("u", "v", "(1D / sqrt(k_u * k_v)) AS worth")
    ways = joined_through(_starts(network), middle, via="u", mine="i", copied=network.copied)
    second = ways.groupBy("i", "v").agg(expression(exact_sum("worth", "worth"))).selectExpr("i", "v AS u", "worth")
    ends = network.ties.selectExpr("u", "v AS j")
    whole = joined_through(second, ends, via="u", mine="i", copied=network.copied).where("i < j")
    return whole.groupBy("i", "j").agg(expression(exact_sum("worth", "score")))


def _shared_partners(network: Spread, worth: str) -> Frame:
    """Add up what the partners of both are worth."""
    ends = network.ties.selectExpr("u", "v AS j", f"{worth} AS worth")
    pairs = joined_through(_starts(network), ends, via="u", mine="i", copied=network.copied).where("i < j")
    return pairs.groupBy("i", "j").agg(expression(exact_sum("worth", "score")))


def _starts(network: Spread) -> Frame:
    """Return who is a partner u of i; where the ties are copied, all rows of one i are in one part."""
    starts = network.ties.selectExpr("u AS i", "v AS u")
    return cut_into_parts(starts, "i", network.parts(network.chains)) if network.copied else starts


def _ppr(network: Spread, today: date) -> Frame:  # noqa: ARG001
    return shared_walks(network, network.ties.selectExpr("u", "v", "1D AS weight"))


def _ppr_recency(network: Spread, today: date) -> Frame:
    return shared_walks(network, both_ways(network.recency(today)))


SPARK_SCORERS: Final[Mapping[str, _Score]] = MappingProxyType(
    {
        "common_neighbours": _common_neighbours,
        "adamic_adar": _adamic_adar,
        "resource_allocation": _resource_allocation,
        "l3": _l3,
        "ppr": _ppr,
        "ppr_recency": _ppr_recency,
    }
)
"""The scorers of this engine by name."""
