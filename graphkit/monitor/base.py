"""What monitoring finds: pieces of evidence, figures with their coverage and method, and how a commitment stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

__all__ = ["Figure", "Finding", "Standing", "months_between"]

_MONTHS_OF_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence for a commitment: what it is, when it was, and why it counts."""

    iri: str
    label: str
    date: date | None
    kind: str
    method: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of an indicator, never without its coverage and its method.

    `name` tells the figures of one indicator apart, such as "strict" and "likely"; `value` is None where nothing
    could be measured; `covered` of `total` things could be looked at. `status` is a concept of the vocabulary
    `commitment-status`: `not-measurable` where no thing could be looked at, `no-evidence` where the value is 0,
    `stale` where the newest thing counted is older than the review period, `on-track` where a target is declared
    and met, else `some-evidence`. `query` is empty for an indicator that no stored query works out.
    """

    about: str
    indicator: str
    label: str
    name: str
    status: str
    value: Decimal | None
    unit: str
    covered: int
    total: int
    coverage: str
    method: str
    query: str
    newest: date | None
    target: Decimal | None
    as_of: date


@dataclass(frozen=True, slots=True)
class Standing:
    """How a commitment stands on the day `as_of`.

    `status` is a concept of the vocabulary `commitment-status`: `not-measurable` where no completeness scope
    covers the commitment and nothing was found, else `no-evidence`, `stale`, `on-track` (a target is declared
    and met within the review period) or `some-evidence`. `age_months` counts from the newest dated evidence, or
    without any evidence from the start of the commitment, to `as_of`; None where that has no date, so that evidence
    without a date is never called stale. `since` is the start of the
    commitment as exactly as it is known, or empty. `figures` are those of its indicators, if it has any; each has
    a status of its own.
    """

    commitment: str
    identifier: str
    label: str
    policy: str
    policy_label: str
    since: str
    query: str
    status: str
    findings: tuple[Finding, ...]
    as_of: date
    review_months: int | None
    age_months: int | None
    target: int | None
    scope: str | None
    scope_label: str | None
    figures: tuple[Figure, ...] = ()

    @property
    def newest(self) -> date | None:
        """The day of the newest dated evidence."""
        return max((finding.date for finding in self.findings if finding.date), default=None)


def months_between(start: date, end: date) -> int:
    """Count the whole months from `start` to `end`.

    >>> months_between(date(2023, 5, 1), date(2023, 12, 31)), months_between(date(2023, 5, 2), date(2023, 6, 1))
    (7, 0)
    """
    return (end.year - start.year) * _MONTHS_OF_A_YEAR + end.month - start.month - (end.day < start.day)
