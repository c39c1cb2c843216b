"""What an import did: counts, what was refused and why, what had no counterpart, what came and went."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from graphkit.errors import DataError
from graphkit.files import write_whole
from graphkit.terms import compact

__all__ = ["Changes", "ImportReport", "in_words", "write_refused"]

_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Changes:
    """How a snapshot differs from the one before: the addresses of records that came, went and changed, by class."""

    before: str
    came: pl.DataFrame
    gone: pl.DataFrame
    changed: pl.DataFrame


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of an import.

    `rows_read` = `rows_kept` + `rows_refused`. `refused` has file, row, column, value, reason and refused (row, value
    or conflict); `unmapped` column, value, rows and judged (whether the crosswalk knows that there is no counterpart);
    `records` class and records. `unused` are columns that are described and not mapped, `unknown` titles that no
    column has. `first` are the first statements, as Turtle.
    """

    source: str
    snapshot: str
    graph: str
    rows_read: int
    rows_kept: int
    rows_refused: int
    statements: int
    records: pl.DataFrame
    refused: pl.DataFrame
    unmapped: pl.DataFrame
    unused: tuple[str, ...]
    unknown: tuple[str, ...]
    seconds: float
    mapping_seconds: float
    dry_run: bool
    first: str = ""
    changes: Changes | None = None
    version: int | None = None
    notes: tuple[str, ...] = field(default=())


def in_words(report: ImportReport) -> str:
    """Tell a report in lines for a person."""
    kept = f"{report.rows_read:,} rows read, {report.rows_kept:,} kept, {report.rows_refused:,} refused"
    took = f"{report.statements:,} statements in {report.seconds:.1f} s (mapping {report.mapping_seconds:.1f} s)"
    lines = [f"{report.source} {report.snapshot}: {kept}; {took}"]
    lines += [f"  {count:>9,}  {compact(kind)}" for kind, count in report.records.iter_rows()]
    lines += _refused_lines(report) + _unmapped_lines(report)
    if report.unused:
        lines.append(f"columns that the mapping does not use: {', '.join(report.unused)}")
    if report.unknown:
        lines.append(f"columns that the description does not know: {', '.join(report.unknown)}")
    lines += _change_lines(report) + list(report.notes)
    if report.dry_run:
        lines.append("nothing was stored (--dry-run)")
    elif report.version is not None:
        lines.append(f"stored as version {report.version}, graph {report.graph}")
    return "\n".join(lines)


def _refused_lines(report: ImportReport) -> list[str]:
    kinds = {"row": "rows refused", "value": "values left out (the row stands)", "conflict": "values left out"}
    grouped = (
        report.refused.group_by("refused", "column", "reason").len("count").sort("count", "column", descending=True)
    )
    rows = grouped.head(_SHOWN * 2).iter_rows()
    return [
        f"  {count:>9,}  {kinds[kind]}: {f'{column} ' if column else ''}{reason}"
        for kind, column, reason, count in rows
    ]


def _unmapped_lines(report: ImportReport) -> list[str]:
    open_ = report.unmapped.filter(~pl.col("judged")).sort("rows", "value", descending=[True, False])
    known = report.unmapped.filter(pl.col("judged"))["rows"].sum()
    lines = []
    for (column,), values in open_.group_by("column", maintain_order=True):
        shown = ", ".join(f"{value} ({rows:,})" for _, value, rows, _ in values.head(_SHOWN).iter_rows())
        more = f" and {values.height - _SHOWN} more" if values.height > _SHOWN else ""
        lines.append(f"{column}: {values.height} values have no counterpart: {shown}{more}")
    if known:
        lines.append(f"{known:,} cells hold values that are known to have no counterpart")
    return lines


def _change_lines(report: ImportReport) -> list[str]:
    if report.changes is None:
        return []
    parts = ((report.changes.came, "new"), (report.changes.gone, "gone"), (report.changes.changed, "changed"))
    lines = [f"against {report.changes.before}:"]
    for frame, word in parts:
        for kind, count in frame.group_by("class").len().sort("class").iter_rows():
            lines.append(f"  {count:>9,}  {compact(kind)} {word}")
    return lines if len(lines) > 1 else [f"against {report.changes.before}: no record came, went or changed"]


def write_refused(report: ImportReport, path: Path) -> None:
    """Write what was refused and what had no counterpart as CSV: refused, file, row, column, value, reason."""
    unmapped = report.unmapped.select(
        pl.lit("unmapped").alias("refused"),
        pl.lit("").alias("file"),
        pl.lit(None, pl.Int64).alias("row"),
        "column",
        "value",
        pl.format("{} rows hold it, and the crosswalk has no counterpart", "rows").alias("reason"),
    )
    whole = pl.concat([report.refused.select("refused", "file", "row", "column", "value", "reason"), unmapped])
    try:
        write_whole(path, whole.sort("refused", "file", "row", "column", "value", nulls_last=True).write_csv().encode())
    except OSError as error:
        raise DataError(f"the report cannot be written: {error.strerror}", where=str(path)) from error
