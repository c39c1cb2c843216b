"""The gaps of a search as JSON and as text that a person reads."""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import Any

from graphkit.gaps import KINDS, Gap, GapReport, listed

__all__ = ["gap_to_dict", "gaps_to_json", "gaps_to_words"]

_EASY = 110


def gap_to_dict(gap: Gap) -> dict[str, Any]:
    """Return a gap as plain data.

    The keys are gap (its own key, the same in every run), kind, name, members, labels, score, tier, explanation,
    evidence, action, and review: null, or the verdict, reason, who and created of the newest one, and says: all that in
    words.
    """
    return {
        "gap": gap.key,
        "kind": gap.kind,
        "name": KINDS[gap.kind].name,
        "members": list(gap.members),
        "labels": list(gap.labels),
        "score": gap.score,
        "tier": gap.tier,
        "explanation": gap.explanation,
        "evidence": [
            {"iri": e.iri, "label": e.label, "note": e.note, "date": e.date.isoformat() if e.date else None}
            for e in gap.evidence
        ],
        "action": gap.action,
        "review": _review_to_dict(gap),
    }


def _review_to_dict(gap: Gap) -> dict[str, Any] | None:
    if gap.review is None:
        return None
    said = {name: getattr(gap.review, name) for name in ("verdict", "reason", "who")}
    return {**said, "created": gap.review.created.isoformat(), "says": gap.review_words}


def gaps_to_json(report: GapReport) -> str:
    """Write the gaps as a JSON list, in the order of the report."""
    return json.dumps([gap_to_dict(gap) for gap in report.gaps], ensure_ascii=False, indent=2) + "\n"


def gaps_to_words(report: GapReport, *, top: int | None = None) -> str:
    """Write the gaps in paragraphs, grouped by kind, at most `top` of each kind, the banner first."""
    blocks = [_wrapped(report.banner)]
    for code, kind in KINDS.items():
        gaps = report.of_kind(code)
        if gaps:
            blocks.append(f"{code}  {kind.name}: {kind.question} ({len(gaps)})")
            blocks += [_paragraph(gap) for gap in gaps[:top]]
            blocks += [f"   ... and {len(gaps) - top} more"] if top and len(gaps) > top else []
    return "\n\n".join(blocks) + "\n"


def _paragraph(gap: Gap) -> str:
    title = f"   {gap.score:.2f} {gap.tier:<9} {listed(gap.labels, most=3)}"
    words = [gap.explanation, f"> {gap.action}", f"{gap.short_key} {gap.review_words}".rstrip()]
    return "\n".join([title, *(_wrapped(each, " " * 8) for each in words)])


def _wrapped(words: str, indent: str = "") -> str:
    """Break words into lines as wide as the terminal, and no wider than is easy to read."""
    width = min(shutil.get_terminal_size((_EASY, 0)).columns, _EASY)
    return textwrap.fill(words, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
