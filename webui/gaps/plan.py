"""The plan: the gaps that people have taken up, those of everybody and those of this browser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

import polars as pl
from flask import request
from werkzeug.wrappers import Response

from graphkit.gaps import Gap, GapReport
from webui.gaps.rows import gap_row

__all__ = ["chosen", "in_plan", "kept", "plan_frame", "plan_rows"]

R = TypeVar("R", bound=Response)

_COOKIE: Final = "graphkit-plan"
_MOST: Final = 100
_A_YEAR: Final = 365 * 86_400
_COLUMNS: Final[Mapping[str, type[pl.DataType]]] = MappingProxyType(
    {
        "gap": pl.String,
        "kind": pl.String,
        "who": pl.String,
        "why": pl.String,
        "action": pl.String,
        "tier": pl.String,
        "score": pl.Float64,
        "regions": pl.String,
        "verdict": pl.String,
        "reviewer": pl.String,
        "reviewed": pl.Date,
        "reason": pl.String,
    }
)
_KEY: Final = re.compile(r"[A-Z][0-9]?-[0-9a-f]{12}")


def chosen() -> list[str]:
    """Return the keys of the gaps that this browser has on its list."""
    return [key for key in request.cookies.get(_COOKIE, "").split("_") if _KEY.fullmatch(key)][:_MOST]


def in_plan(key: str) -> bool:
    """Tell whether this browser has a gap on its list."""
    return key in chosen()


def kept(response: R, keys: Iterable[str]) -> R:
    """Let the browser keep a list."""
    value = "_".join(key for key in dict.fromkeys(keys) if _KEY.fullmatch(key))
    response.set_cookie(_COOKIE, value, max_age=_A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def plan_rows(report: GapReport, named: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the gaps of the plan in the order of the report: accepted, said to be done, chosen here, or `named`.

    With `named`, the list of an address, only those are given. A key that is not among the gaps of this version has a
    row of its own that says so.
    """
    by_key = {gap.key: gap for gap in report.every}
    wanted = list(dict.fromkeys(named[:_MOST])) if named else _everybody(report) + chosen()
    keys = [key for key in by_key if key in set(wanted)]
    gone = [key for key in dict.fromkeys(wanted) if key not in by_key and _KEY.fullmatch(key)]
    return [_row(by_key[key], report) for key in keys] + [_gone(key) for key in gone]


def _everybody(report: GapReport) -> list[str]:
    return [gap.key for gap in report.every if gap.review and gap.review.verdict in {"accepted", "done"}]


def _row(gap: Gap, report: GapReport) -> dict[str, Any]:
    verdict = gap.review.verdict if gap.review else ""
    return {
        **gap_row(gap),
        "who": " · ".join(gap.labels),
        "verdict": verdict,
        "reviewer": gap.review.who if gap.review else "",
        "reviewed": gap.review.created if gap.review else None,
        "reason": gap.review.reason if gap.review else "",
        "regions": report.places.regions_of(gap)[:3],
        "here": gap.key in chosen(),
        "gone": False,
    }


def _gone(key: str) -> dict[str, Any]:
    return {"key": key, "gone": True, "here": key in chosen(), "kind": key.partition("-")[0], "who": "", "verdict": ""}


def plan_frame(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Return the plan as a frame with the columns of `_COLUMNS`; regions are joined by a comma."""
    values = [
        {
            **{name: row.get(name) for name in _COLUMNS},
            "gap": row["key"],
            "why": row.get("explanation", ""),
            "regions": ", ".join(row.get("regions", ())),
        }
        for row in rows
    ]
    return pl.DataFrame(values, schema=dict(_COLUMNS))
