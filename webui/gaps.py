"""Gaps as the tables of the pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphkit.gaps import KINDS, Gap
from webui.links import href, link

__all__ = ["gap_rows"]


def gap_rows(gaps: Iterable[Gap], state: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Return gaps as the tables show them, each with its members as links and whether the filters leave it in."""
    return [_gap_row(gap, state or {}) for gap in gaps]


def _gap_row(gap: Gap, state: dict[str, str]) -> dict[str, Any]:
    names = dict(zip(gap.members, gap.labels, strict=True))
    text = f"{' '.join(gap.labels)} {gap.explanation} {gap.action}".lower()
    shown = (
        state.get("kind", "") in {"", gap.kind}
        and state.get("tier", "") in {"", gap.tier}
        and state.get("find", "").lower() in text
    )
    return {
        "kind": gap.kind,
        "title": KINDS[gap.kind].name,
        "members": [link(member, names) for member in gap.members],
        "score": gap.score,
        "tier": gap.tier,
        "explanation": gap.explanation,
        "action": gap.action,
        "evidence": [{"label": e.label, "href": href(e.iri), "note": e.note, "date": e.date} for e in gap.evidence],
        "key": gap.key,
        "review": gap.review_words,
        "shown": shown,
    }
