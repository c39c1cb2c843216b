"""How commitments stand, as plain data and as words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import polars as pl

from graphkit import queries
from graphkit.monitor import Standing

__all__ = ["standing_in_words", "standings_as_frame", "standings_to_json"]

_UNIT = "pieces of evidence"
_COLUMNS = ("commitment", "identifier", "label", "indicator", "status", "value", "unit", "coverage", "query", "as_of")


def standings_to_json(standings: Iterable[Standing]) -> str:
    """Write standings as a JSON list, each with its evidence, method, coverage and the day it speaks of."""
    rows = [{**_row(standing), "method": _method(standing), "evidence": _evidence(standing)} for standing in standings]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def standings_as_frame(standings: Iterable[Standing]) -> pl.DataFrame:
    """Return standings as a frame with a row each; the evidence is left to JSON."""
    rows = [_row(standing) for standing in standings]
    return pl.DataFrame([tuple(row.values()) for row in rows], schema=list(_COLUMNS), orient="row")


def standing_in_words(standing: Standing) -> str:
    """Say in two lines how a commitment stands, on how much evidence, by which query and up to when."""
    newest = f", newest {standing.newest}" if standing.newest else ""
    count = f"{len(standing.findings)} {_UNIT}{newest}" if standing.findings else "nothing found"
    title = f"  {standing.identifier:<4} {standing.status.replace('-', ' '):<15} {standing.label}"
    return f"{title}\n       {count}; by {standing.query}, up to {standing.as_of}"


def _row(standing: Standing) -> dict[str, Any]:
    values = (
        standing.commitment,
        standing.identifier,
        standing.label,
        queries.find(standing.query).summary,
        standing.status,
        len(standing.findings),
        _UNIT,
        standing.scope_label or "not covered by any completeness scope",
        standing.query,
        standing.as_of.isoformat(),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _method(standing: Standing) -> str:
    found = sorted({finding.method for finding in standing.findings})
    return "; ".join(found) or queries.find(standing.query).description.strip()


def _evidence(standing: Standing) -> list[dict[str, Any]]:
    return [
        {
            "iri": finding.iri,
            "label": finding.label,
            "date": finding.date.isoformat() if finding.date else None,
            "kind": finding.kind,
            "method": finding.method,
        }
        for finding in standing.findings
    ]
