"""How far each commitment is kept: run the stored query that monitors it and weigh what it finds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from graphkit import queries
from graphkit.dates import spoken
from graphkit.errors import DataError
from graphkit.store import Store
from graphkit.terms import QUERY

__all__ = ["Finding", "Standing", "monitor"]

_MONTHS_OF_A_YEAR = 12
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence for a commitment: what it is, when it was, and why it counts."""

    iri: str
    label: str
    date: date | None
    kind: str
    method: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a commitment stands on the day `as_of`.

    `status` is a concept of the vocabulary `commitment-status`: `not-measurable` where no completeness scope
    covers the commitment and nothing was found, else `no-evidence`, `stale`, `on-track` (a target is declared
    and met within the review period) or `some-evidence`. `age_months` counts from the newest dated evidence,
    or from the start of the commitment, to `as_of`; None where neither has a date. `since` is the start of the
    commitment as exactly as it is known, or empty.
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

    @property
    def newest(self) -> date | None:
        """The day of the newest dated evidence."""
        return max((finding.date for finding in self.findings if finding.date), default=None)


def monitor(store: Store, today: date) -> list[Standing]:
    """Run the query behind each commitment of `store` and tell how it stands, in order of policy and number.

    `today` bounds what can be said; where the sources reach less far (the end of the completeness scope), their
    last day does. Raises `DataError` where a commitment names no query, `UnknownNameError` where the query is
    not in the catalogue.
    """
    rows = queries.run(store, "monitor/commitments").unique("commitment", keep="first", maintain_order=True)
    standings = [_standing(store, row, today) for row in rows.rows(named=True)]
    _log.info("%d commitments monitored", len(standings))
    return standings


def _standing(store: Store, row: dict[str, Any], today: date) -> Standing:
    query = _query_name(row)
    as_of = min(today, row["scope_end"] or today)
    findings = _findings(queries.run(store, query, commitment=row["commitment"]), as_of)
    newest = max((finding.date for finding in findings if finding.date), default=row["since"])
    age = _months(newest, as_of) if newest else None
    return Standing(
        commitment=row["commitment"],
        identifier=row["identifier"] or "",
        label=row["label"],
        policy=row["policy"],
        policy_label=row["policy_label"],
        since=spoken(row["since"], row["since_precision"] or "") if row["since"] else "",
        query=query,
        status=_status(row, findings, age, as_of),
        findings=findings,
        as_of=as_of,
        review_months=row["review_months"],
        age_months=age,
        target=row["target"],
        scope=row["scope"],
        scope_label=row["scope_label"],
    )


def _query_name(row: dict[str, Any]) -> str:
    iri: str = row["query"] or ""
    if not iri.startswith(QUERY):
        raise DataError(
            f"the commitment '{row['label']}' names no stored query that monitors it",
            where=row["commitment"],
            hint=f"give it sol:monitoredBy <{QUERY}monitor/...>",
        )
    return iri.removeprefix(QUERY)


def _findings(frame: pl.DataFrame, as_of: date) -> tuple[Finding, ...]:
    """Take each piece of evidence once, newest first, and none from after `as_of`."""
    rows = (
        frame.with_columns(pl.col("date").cast(pl.Date))
        .filter(pl.col("date").is_null() | (pl.col("date") <= as_of))
        .unique("evidence", keep="first", maintain_order=True)
        .sort(pl.col("date").is_null(), pl.col("date"), "evidence", descending=[False, True, False])
    )
    return tuple(Finding(*row) for row in rows.select("evidence", "label", "date", "kind", "method").rows())


def _months(start: date, end: date) -> int:
    """Count the whole months from `start` to `end`."""
    return (end.year - start.year) * _MONTHS_OF_A_YEAR + end.month - start.month - (end.day < start.day)


def _status(row: dict[str, Any], findings: tuple[Finding, ...], age: int | None, as_of: date) -> str:
    if not findings:
        return "no-evidence" if row["scope"] else "not-measurable"
    review = row["review_months"]
    if review is not None and age is not None and age > review:
        return "stale"
    if row["target"] is None or review is None:
        return "some-evidence"
    recent = [f for f in findings if f.date and _months(f.date, as_of) <= review]
    return "on-track" if len(recent) >= row["target"] else "some-evidence"
