"""The learned scorer: a logistic regression on the other scorers, taught by what formed in the last two years."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graphkit.errors import MissingExtraError
from graphkit.gaps.scorers import find_scorer, open_pairs
from graphkit.measures import position
from graphkit.network import Network, recency_weights

__all__ = ["FEWEST_EXAMPLES", "prepare"]

FEWEST_EXAMPLES: Final = 100
"""With fewer new pairs to learn from, the learned scorer is the fusion."""

_SCORES: Final = ("ppr_recency", "ppr", "l3", "adamic_adar", "resource_allocation", "katz")
_YEARS: Final = (2, 1)
_APART_FOR_EACH = 30
_LEAST_LOG = -20.0
_LONG_AGO = 20.0
_STRICT = 0.01
_SEED = 1
_Floats: TypeAlias = "NDArray[np.float64]"
_Ints: TypeAlias = "NDArray[np.int64]"
_Features: TypeAlias = Callable[[_Ints], Iterator[_Floats]]
_log = logging.getLogger(__name__)


def prepare(network: Network, today: date) -> Callable[[_Ints], _Floats]:
    """Learn from what formed since two years ago and since one year ago, and return the score of rows of pairs.

    Features are the logarithms of six other scores, and for number of partners, number of activities and recent
    strength the sum and the difference of both ends, and how long ago both were last active. The regression is
    strict (C = 0.01), so that a few hundred examples do not mislead it; thirty pairs that stayed apart stand for
    each that formed. Raises `MissingExtraError` without scikit-learn.
    """
    model = _taught(network, today)
    if model is None:
        return find_scorer("fusion").function(network, today)
    slopes, features = model, _features(network, today)

    def rows(block: _Ints) -> _Floats:
        total = np.zeros((block.size, len(network.organisations)))
        for slope, feature in zip(slopes, features(block), strict=True):
            total += slope * feature
        return total

    return rows


def _taught(network: Network, today: date) -> _Floats | None:
    """Return the slope of each feature, or None where there is too little to learn from."""
    regression, scaler = _sklearn()
    cuts = [date(today.year - years, today.month, min(today.day, 28)) for years in _YEARS]
    examples = [_examples(network, cut, today) for cut in cuts]
    seen = np.concatenate([features for features, _ in examples])
    formed = np.concatenate([result for _, result in examples])
    if formed.sum() < FEWEST_EXAMPLES:
        _log.info("only %d new pairs to learn from: the learned scorer is the fusion", int(formed.sum()))
        return None
    scale = scaler().fit(seen)
    fitted = regression(C=_STRICT, max_iter=500).fit(scale.transform(seen), formed)
    return np.asarray(fitted.coef_[0] / scale.scale_, dtype=np.float64)


def _sklearn() -> tuple[Any, Any]:
    try:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - optional, and slow to import
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            "the learned scorer needs scikit-learn", hint="pip install 'solidarity-graphkit[learn]'"
        ) from error
    return LogisticRegression, StandardScaler


def _examples(network: Network, cut: date, today: date) -> tuple[_Floats, NDArray[np.bool_]]:
    """Return the features, at a cut, of the pairs that formed since and of some that stayed apart."""
    ties = network.ties.drop_nulls("date")
    known = Network.from_ties(ties.filter(pl.col("date") <= cut))
    count = len(known.organisations)
    new = _new(known, ties.filter(pl.col("date") > cut, pl.col("date") <= today))
    rate = min(1.0, _APART_FOR_EACH * new.size / max(count * (count - 1) // 2, 1))
    random, features = np.random.default_rng(_SEED), _features(known, cut)
    seen, formed = [np.zeros((0, _count()))], [np.zeros(0, dtype=bool)]
    for rows in position.row_blocks(count) if new.size else ():
        row, column = np.nonzero(open_pairs(known, rows))
        good = np.isin(rows[row] * count + column, new)
        kept = good | (random.random(row.size) < rate)
        seen.append(np.column_stack([feature[row[kept], column[kept]] for feature in features(rows)]))
        formed.append(good[kept])
    return np.concatenate(seen), np.concatenate(formed)


def _count() -> int:
    """Count the features."""
    return len(_SCORES) + 3 * 2 + 2


def _new(known: Network, later: pl.DataFrame) -> _Ints:
    """Return the pairs among known organisations that formed later, as numbers row * n + column, row < column."""
    place = {name: row for row, name in enumerate(known.organisations)}
    pairs = later.select("source", "target").unique().rows()
    both = [sorted((place[a], place[b])) for a, b in pairs if a in place and b in place]
    return np.array([a * len(place) + b for a, b in both if not known.adjacency[a, b]], dtype=np.int64)


def _features(network: Network, today: date) -> _Features:
    """Return a function that gives the features of a block of rows one after the other, each rows x organisations."""
    scores = [find_scorer(name).rows(network, today) for name in _SCORES]
    strength = np.asarray(recency_weights(network, today).sum(axis=1), dtype=np.float64)
    sizes = [
        np.log1p(np.asarray(network.adjacency.sum(axis=1), dtype=np.float64)),
        np.log1p(np.asarray(network.incidence.sum(axis=1), dtype=np.float64)),
        np.log(strength + 1e-3),
    ]
    idle = _years_idle(network, today)

    def features(rows: _Ints) -> Iterator[_Floats]:
        for score in scores:
            values = score(rows)
            yield np.maximum(np.log(values, where=values > 0, out=np.full_like(values, _LEAST_LOG)), _LEAST_LOG)
        for size in sizes:
            yield size[rows][:, None] + size
            yield np.abs(size[rows][:, None] - size)
        yield idle[rows][:, None] + idle
        yield np.maximum(idle[rows][:, None], idle)

    return features


def _years_idle(network: Network, today: date) -> _Floats:
    """Return the years since each organisation was last active; twenty where that is not known."""
    ties = network.ties.drop_nulls("date")
    ends = pl.concat([ties.select(pl.col(end).alias("organisation"), "date") for end in ("source", "target")])
    last = dict(ends.group_by("organisation").agg(pl.col("date").max()).rows())
    years = [(today - last[name]).days / 365.25 if name in last else _LONG_AGO for name in network.organisations]
    return np.clip(np.array(years, dtype=np.float64), 0.0, _LONG_AGO)
