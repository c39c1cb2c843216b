"""How many gaps of a kind one organisation may stand in, and how many are left out for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from graphkit.errors import UsageError
from graphkit.gaps.base import KINDS, Gap

__all__ = ["AT_MOST", "capped"]

AT_MOST = 200
"""How many gaps of one kind are given at most."""


def capped(gaps: Iterable[Gap], per_organisation: int | None = None) -> tuple[list[Gap], Mapping[str, int]]:
    """Keep gaps, the best first, so that no organisation stands in too many, and count those left out by kind.

    `gaps` are in order of rank. Of a kind whose `cap` is None an organisation may stand in any number; of each kind at
    most 200 are kept, and every gap that has a review. `per_organisation` stands for the cap of the kinds that have
    one. Kinds of which nothing is left out have no count. Raises `UsageError` for a number below 1.

    >>> pairs = [("hub", "a"), ("hub", "b"), ("a", "b")]
    >>> gaps = [Gap("P1", pair, pair, 0.5, "weak", "Why.", (), "What.") for pair in pairs]
    >>> kept, left_out = capped(gaps, 1)
    >>> [gap.members for gap in kept], dict(left_out)
    ([('hub', 'a')], {'P1': 2})
    """
    if per_organisation is not None and per_organisation < 1:
        raise UsageError(f"an organisation cannot stand in {per_organisation} gaps", hint="give 1 or more")
    seen: Counter[tuple[str, str]] = Counter()
    number: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    kept = []
    for gap in gaps:
        cap = KINDS[gap.kind].cap
        most = None if cap is None else per_organisation or cap
        ends = [(gap.kind, member) for member in gap.members]
        room = number[gap.kind] < AT_MOST and (most is None or all(seen[end] < most for end in ends))
        if gap.review or room:
            seen.update(ends)
            number[gap.kind] += 1
            kept.append(gap)
        else:
            left_out[gap.kind] += 1
    return kept, dict(left_out)
