"""How far each commitment is kept: run the stored query that monitors it and weigh what it finds."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

import polars as pl

from graphkit import queries
from graphkit.dates import spoken
from graphkit.errors import DataError
from graphkit.monitor.base import Figure, Finding, Standing, months_between
from graphkit.monitor.figures import figures_of
from graphkit.store import Store
from graphkit.terms import QUERY

__all__ = ["monitor"]

_log = logging.getLogger(__name__)


def monitor(store: Store, today: date) -> list[Standing]:
    """Run the query behind each commitment of `store` and tell how it stands, in order of policy and number.

    `today` bounds what can be said; where the sources reach less far (the end of the completeness scope, or the newest
    evidence after it), their last day does. Raises `DataError` where a commitment names no query,
    `UnknownNameError` where the query is not in the catalogue.
    """
    rows = queries.run(store, "monitor/commitments").unique("commitment", keep="first", maintain_order=True)
    reviews = dict(rows.select("commitment", "review_months").rows())
    figures: dict[str, list[Figure]] = {}
    for figure in figures_of(store, today, reviews):
        figures.setdefault(figure.about, []).append(figure)
    standings = [
        _standing(store, row, today, tuple(figures.get(row["commitment"], ()))) for row in rows.rows(named=True)
    ]
    _log.info("%d commitments monitored", len(standings))
    return standings


def _standing(store: Store, row: dict[str, Any], today: date, figures: tuple[Figure, ...]) -> Standing:
    query = _query_name(row)
    findings = _findings(queries.run(store, query, commitment=row["commitment"]), today)
    as_of = min(today, max([row["scope_end"] or today, *(finding.date for finding in findings if finding.date)]))
    newest = max((finding.date for finding in findings if finding.date), default=None if findings else row["since"])
    age = months_between(newest, as_of) if newest else None
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
        figures=figures,
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


def _findings(frame: pl.DataFrame, today: date) -> tuple[Finding, ...]:
    """Take each piece of evidence once, newest first, and none from after `today`."""
    rows = (
        frame.with_columns(pl.col("date").cast(pl.Date))
        .filter(pl.col("date").is_null() | (pl.col("date") <= today))
        .unique("evidence", keep="first", maintain_order=True)
        .sort(pl.col("date").is_null(), pl.col("date"), "evidence", descending=[False, True, False])
    )
    return tuple(Finding(*row) for row in rows.select("evidence", "label", "date", "kind", "method").rows())


def _status(row: dict[str, Any], findings: tuple[Finding, ...], age: int | None, as_of: date) -> str:
    if not findings:
        return "no-evidence" if row["scope"] else "not-measurable"
    review = row["review_months"]
    if review is not None and age is not None and age > review:
        return "stale"
    if row["target"] is None or review is None:
        return "some-evidence"
    recent = [f for f in findings if f.date and months_between(f.date, as_of) <= review]
    return "on-track" if len(recent) >= row["target"] else "some-evidence"
