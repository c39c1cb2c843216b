"""How commitments stand, as plain data and as words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import polars as pl

from graphkit import queries
from graphkit.export.frames import frame_to_text
from graphkit.monitor import Figure, Finding, Moment, Shift, Standing

__all__ = ["history_as_frame", "shifts_as", "standing_in_words", "standings_as_frame", "standings_to_json"]

_UNIT = "pieces of evidence"
_COLUMNS = (
    "commitment", "identifier", "label", "indicator", "figure", "status", "value", "unit", "target", "coverage",
    "method", "query", "newest", "as_of",
)  # fmt: skip
_SHIFT_COLUMNS = (
    "commitment", "identifier", "label", "indicator", "figure", "status_before", "status", "value_before", "value",
    "unit", "gained", "lost",
)  # fmt: skip
_MOST_EVIDENCE = 100


def standings_to_json(standings: Iterable[Standing]) -> str:
    """Write standings as a JSON list: the evidence for each commitment, then each figure of its indicators.

    Of more than 100 pieces of evidence the newest 100 are written, `evidence_total` says how many there are.
    """
    rows: list[dict[str, Any]] = []
    for standing in standings:
        shown = [_finding(finding) for finding in standing.findings[:_MOST_EVIDENCE]]
        rows.append({**_row(standing), "evidence": shown, "evidence_total": len(standing.findings)})
        rows += [_with_query(figure, _figure_row(standing, figure)) for figure in standing.figures]
    return json.dumps(rows, ensure_ascii=False, indent=2, default=_plain) + "\n"


def standings_as_frame(standings: Iterable[Standing]) -> pl.DataFrame:
    """Return standings and their figures as a frame with a row each; the evidence is left to JSON."""
    rows = [
        row
        for standing in standings
        for row in (_row(standing), *(_figure_row(standing, figure) for figure in standing.figures))
    ]
    cells = [tuple(_plain(value) for value in row.values()) for row in rows]
    return pl.DataFrame(cells, schema=_schema(_COLUMNS, "value", "target"), orient="row")


def standing_in_words(standing: Standing) -> str:
    """Say how a commitment stands, on how much evidence, by which query and up to when, and what its figures are."""
    newest = f", newest {standing.newest}" if standing.newest else ""
    number = len(standing.findings)
    count = f"{number} {_UNIT if number > 1 else 'piece of evidence'}{newest}" if number else "nothing found"
    title = f"  {standing.identifier:<4} {standing.status.replace('-', ' '):<15} {standing.label}"
    lines = [title, f"       {count}; by {standing.query}, up to {standing.as_of}"]
    return "\n".join([*lines, *_figures_in_words(standing.figures)])


def _figures_in_words(figures: Iterable[Figure]) -> list[str]:
    """Name each indicator once with its query, then its figures; what covers several stands below the last."""
    lines: list[str] = []
    for (label, query), group in groupby(figures, key=lambda figure: (figure.label, figure.query)):
        lines.append(f"       {label}{f' (by {query})' if query else ''}")
        for coverage, alike in groupby(group, key=lambda figure: figure.coverage):
            lines += [f"       - {_figure_in_words(figure)}" for figure in alike]
            lines.append(f"         {coverage}")
    return lines


def _figure_in_words(figure: Figure) -> str:
    unit = f" ({figure.unit})" if figure.unit.isupper() else ""
    value = f"not known{unit}" if figure.value is None else f"{figure.value:,f} {_counted(figure)}"
    target = f" (target {figure.target:,f})" if figure.target is not None else ""
    name = "" if figure.name == figure.label else f"{figure.name}: "
    newest = f" (newest {figure.newest})" if figure.status == "stale" else ""
    return f"{name}{value}{target}, {figure.status.replace('-', ' ')}{newest}"


def _counted(figure: Figure) -> str:
    """Return the unit, in the singular where one is counted."""
    if figure.value != 1 or not figure.unit.islower() or not figure.unit.endswith("s"):
        return figure.unit
    return figure.unit[:-3] + "y" if figure.unit.endswith("ies") else figure.unit[:-1]


def shifts_as(found: Iterable[Shift], form: str) -> str:
    """Write what changed between two versions as `words`, `json`, or in one of the formats of a frame."""
    shifts = list(found)
    if form == "words":
        return "\n".join(map(_shift_in_words, shifts)) + "\n" if shifts else "nothing changed\n"
    rows = [_shift_row(shift) for shift in shifts]
    if form == "json":
        return json.dumps(rows, ensure_ascii=False, indent=2, default=_plain) + "\n"
    counted = [{**row, "gained": len(row["gained"]), "lost": len(row["lost"])} for row in rows]
    cells = [tuple(_plain(value) for value in row.values()) for row in counted]
    frame = pl.DataFrame(cells, schema=_schema(_SHIFT_COLUMNS, "value_before", "value", "gained", "lost"), orient="row")
    return frame_to_text(frame, form)


def history_as_frame(moments: Iterable[Moment]) -> pl.DataFrame:
    """Return how each commitment stood in each version: a row for its evidence and for each figure."""
    parts = [
        standings_as_frame(moment.standings).select(
            pl.lit(moment.version.number).alias("version"),
            pl.lit(moment.version.time.isoformat(timespec="seconds")).alias("time"),
            "commitment",
            "identifier",
            "indicator",
            "figure",
            "status",
            "value",
            "unit",
            "coverage",
            "as_of",
        )
        for moment in moments
    ]
    return pl.concat(parts) if parts else pl.DataFrame()


def _shift_in_words(shift: Shift) -> str:
    before, after = (status.replace("-", " ") or "not there" for status in (shift.before, shift.after))
    status = after if before == after else f"{before} -> {after}"
    values = " -> ".join(
        "not known" if value is None else f"{value:,f}" for value in (shift.value_before, shift.value_after)
    )
    about = f" [{shift.figure}]" if shift.figure else ""
    lines = [f"  {shift.identifier:<4} {shift.label}{about}: {status}; {values} {shift.unit}"]
    for sign, findings in (("+", shift.gained), ("-", shift.lost)):
        lines += [
            f"       {sign} {finding.label} ({finding.date or 'no date'})" for finding in findings[:_MOST_EVIDENCE]
        ]
        left = len(findings) - _MOST_EVIDENCE
        lines += [f"       {sign} and {left} more"] if left > 0 else []
    return "\n".join(lines)


def _shift_row(shift: Shift) -> dict[str, Any]:
    values = (
        shift.commitment, shift.identifier, shift.label, shift.indicator, shift.figure, shift.before, shift.after,
        shift.value_before, shift.value_after, shift.unit,
        [_finding(finding) for finding in shift.gained],
        [_finding(finding) for finding in shift.lost],
    )  # fmt: skip
    return dict(zip(_SHIFT_COLUMNS, values, strict=True))


def _row(standing: Standing) -> dict[str, Any]:
    values = (
        standing.commitment, standing.identifier, standing.label,
        queries.find(standing.query).summary, "evidence",
        standing.status, len(standing.findings), _UNIT, standing.target,
        standing.scope_label or "not covered by any completeness scope",
        _method(standing), standing.query, standing.newest, standing.as_of,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _figure_row(standing: Standing, figure: Figure) -> dict[str, Any]:
    values = (
        standing.commitment, standing.identifier, standing.label,
        figure.label, figure.name, figure.status, figure.value, figure.unit, figure.target,
        figure.coverage, figure.method, figure.query, figure.newest, figure.as_of,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _with_query(figure: Figure, row: dict[str, Any]) -> dict[str, Any]:
    """Add the query as the evidence for a figure: its answer is what the figure stands on."""
    if not figure.query:
        return {**row, "evidence": [], "evidence_total": 0}
    query = queries.find(figure.query)
    link = {"iri": query.iri, "label": query.summary, "date": figure.newest, "kind": "query", "method": figure.method}
    return {**row, "evidence": [link], "evidence_total": 1}


def _method(standing: Standing) -> str:
    found = sorted({finding.method for finding in standing.findings})
    return "; ".join(found) or queries.find(standing.query).description.strip()


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "iri": finding.iri,
        "label": finding.label,
        "date": finding.date,
        "kind": finding.kind,
        "method": finding.method,
    }


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON and a cell can hold
    """Write dates as text, and decimals as the numbers that they are."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _schema(columns: tuple[str, ...], *numbers: str) -> dict[str, type[pl.DataType]]:
    return {name: pl.Float64 if name in numbers else pl.String for name in columns}
