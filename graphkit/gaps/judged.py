"""Reviews as labels: how many of the introductions that people looked at they accepted, by the order of each scorer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graphkit.gaps.base import Review
from graphkit.gaps.ground import listed
from graphkit.gaps.reviews import load_reviews, newest_reviews
from graphkit.gaps.scorers import find_scorer, ready_scorers
from graphkit.network import Network
from graphkit.store import Store

__all__ = ["LEAST_JUDGED", "Judgement", "judged", "wilson_interval"]

LEAST_JUDGED: Final = 30
"""Below so many reviewed introductions only their number is told."""

_ALREADY = re.compile(r"\balready\s+work(s|ed|ing)?\s+together\b", re.IGNORECASE)
_Z = 1.959963984540054
_PARTS = 3
_PAIR = 2
_BANDS: Final = {
    "scorer": pl.String,
    "from_rank": pl.Int64,
    "pairs": pl.Int64,
    "accepted": pl.Int64,
    "share": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


@dataclass(frozen=True, eq=False)
class Judgement:
    """What reviews say of introductions (P1).

    `accepted` are the newest reviews that accepted one or said that it is done, `dismissed` those that dismissed one,
    `untold` those that did so because the two already work together, where the network lacks that tie still: the
    suggestion was neither right nor wrong. `bands` has for each scorer three rows: the reviewed pairs in its order,
    cut in three, with how many were accepted, the share, and the ends of its 95 % interval. It is empty below
    `LEAST_JUDGED` pairs.
    """

    accepted: tuple[Review, ...]
    dismissed: tuple[Review, ...]
    untold: tuple[Review, ...]
    bands: pl.DataFrame

    @property
    def reviewed(self) -> int:
        """How many introductions were accepted, done or dismissed, without those whose tie no source tells."""
        return len(self.accepted) + len(self.dismissed)

    def to_text(self) -> str:
        """Say what was found in words, or "" where no introduction was reviewed."""
        if not self.reviewed and not self.untold:
            return ""
        return "\n".join([self._count(), *self._table(), *self._advice()])

    def _count(self) -> str:
        if self.reviewed < LEAST_JUDGED:
            suggestions = "suggestion was" if self.reviewed == 1 else "suggestions were"
            return f"{self.reviewed} {suggestions} reviewed; below {LEAST_JUDGED} no share is given."
        low, high = wilson_interval(len(self.accepted), self.reviewed)
        return (
            f"Of {self.reviewed} reviewed suggestions {len(self.accepted)} were accepted"
            f" ({len(self.accepted) / self.reviewed:.0%}, interval {low:.0%} to {high:.0%}). They were chosen for"
            " review from the top of a list, so this says nothing of pairs that nobody looked at."
        )

    def _table(self) -> Iterator[str]:
        if self.bands.height:
            yield "\nAccepted of the reviewed pairs in the order of each scorer, first, middle and last third:"
        for (scorer,), rows in self.bands.group_by("scorer", maintain_order=True):
            cells = (
                f"{row['accepted']:>4} of {row['pairs']:<4} {row['share']:>4.0%} ({row['low']:.0%}-{row['high']:.0%})"
                for row in rows.rows(named=True)
            )
            yield f"{scorer!s:<24}" + "".join(f"{cell:<28}" for cell in cells).rstrip()

    def _advice(self) -> Iterator[str]:
        if self.untold:
            pairs = listed([" and ".join(review.labels) for review in self.untold])
            yield (
                f"\n{len(self.untold)} dismissed because they already work together: a gap in the data. Record what"
                f" they do together, with its source: {pairs}."
            )


def judged(store: Store, network: Network, scorers: Sequence[str] | None = None) -> Judgement:
    """Take the newest reviews of introductions as labels, and look which scorers put the accepted ones first.

    Pairs are scored on `network` without the ties that the reviewed pairs have by now, as of the latest review; other
    ties that came since stay. `scorers` are all that can run here unless given. Pairs are cut in three bands by their
    rank among the reviewed, ties in order of IRI. A reviewed pair that the network does not have is counted and has no
    band. Raises `UnknownNameError` for an unknown scorer.
    """
    found = [review for review in newest_reviews(load_reviews(store)).values() if review.kind == "P1"]
    accepted = tuple(each for each in found if each.verdict != "dismissed")
    refused = [each for each in found if each.verdict == "dismissed"]
    untold = tuple(each for each in refused if _ALREADY.search(each.reason) and not _is_tied(network, each.members))
    dismissed = tuple(each for each in refused if not _ALREADY.search(each.reason))
    labels = {each.members: True for each in accepted} | {each.members: False for each in dismissed}
    placed = {pair: labels[pair] for pair in sorted(labels) if len(pair) == _PAIR and set(pair) <= network.rows.keys()}
    rows: list[tuple[object, ...]] = []
    if len(placed) >= LEAST_JUDGED:
        day = max(each.created for each in found)
        for name, good in _in_order(network, placed, day, scorers if scorers is not None else ready_scorers()):
            rows += _band_rows(name, good)
    return Judgement(accepted, dismissed, untold, pl.DataFrame(rows, schema=_BANDS, orient="row"))


def _in_order(
    network: Network, placed: Mapping[tuple[str, ...], bool], day: date, scorers: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield for each scorer whether the pairs were accepted, those first that it puts first."""
    before = _without(network, list(placed))
    first, second = (np.array([network.rows[pair[end]] for pair in placed], dtype=np.int64) for end in (0, 1))
    good = np.array(list(placed.values()))
    for name in scorers:
        scores = find_scorer(name).score(before, (first, second), day)
        yield name, good[np.argsort(-scores, kind="stable")]


def _is_tied(network: Network, pair: tuple[str, ...]) -> bool:
    """Tell whether the network has the tie by now."""
    known = [network.rows[end] for end in pair if end in network.rows]
    return len(known) == _PAIR and bool(network.adjacency[known[0], known[1]])


def _without(network: Network, pairs: list[tuple[str, ...]]) -> Network:
    """Take the ties of these pairs out of a network, in either direction."""
    gone = pl.DataFrame(pairs, schema={"low": pl.String, "high": pl.String}, orient="row")
    ends = {"low": pl.min_horizontal("source", "target"), "high": pl.max_horizontal("source", "target")}
    kept = network.ties.with_columns(**ends).join(gone, on=["low", "high"], how="anti", maintain_order="left")
    return replace(network, ties=kept.drop("low", "high"))


def _band_rows(scorer: str, good: NDArray[np.bool_]) -> Iterator[tuple[object, ...]]:
    """Cut pairs in order of rank in three, and count those that were accepted."""
    start = 1
    for band in np.array_split(good, _PARTS):
        accepted = int(band.sum())
        yield (scorer, start, band.size, accepted, accepted / band.size, *wilson_interval(accepted, band.size))
        start += band.size


def wilson_interval(good: int, of: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share: `good` of `of`, which is 1 or more.

    It stays within 0 and 1 and holds for small numbers, where the normal interval fails.

    Source: E. B. Wilson, Journal of the American Statistical Association 22, 209 (1927).

    >>> [round(end, 3) for end in wilson_interval(27, 42)]
    [0.492, 0.77]
    """
    share, square = good / of, _Z * _Z
    centre = (share + square / (2 * of)) / (1 + square / of)
    reach = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, min(share, centre - reach)), min(1.0, max(share, centre + reach))
