"""Gaps as the tables of the pages show them, and which of them pass the filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from flask import request

from graphkit.gaps import KINDS, Gap, GapReport
from webui.i18n.choosing import gettext
from webui.i18n.marking import N_
from webui.links import href, link

__all__ = ["FILTERS", "NETWORKS", "choices", "gap_href", "gap_row", "gap_rows", "missing_evidence", "passing"]

FILTERS: Final = ("kind", "tier", "region", "theme", "network", "find")
"""The filters of the table of gaps, as they stand in the address."""

NETWORKS: Final[Mapping[str, tuple[str, frozenset[str]]]] = MappingProxyType(
    {
        "collaboration": (
            N_("working together"),
            frozenset({"R1", "P1", "P2", "S1", "G1", "G2", "G3", "B1", "B2", "R2"}),
        ),
        "funding": (N_("money and calls"), frozenset({"C4", "C5"})),
        "policy": (N_("commitments and roles"), frozenset({"C1", "C2", "C3"})),
        "sources": (N_("what the sources lack"), frozenset({"D"})),
    }
)
"""On which relation each kind of gap is found: a name, and the kinds."""

_MOST_MISSING: Final = 4


def gap_rows(gaps: Iterable[Gap], state: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Return gaps as the tables show them; `shown` is false for one that the filters kind, tier and find leave out."""
    return [gap_row(gap, state) for gap in gaps]


def gap_row(gap: Gap, state: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a gap as the tables show it, with its members as links and its own address."""
    names = dict(zip(gap.members, gap.labels, strict=True))
    state = state or {}
    return {
        "kind": gap.kind,
        "title": gettext(KINDS[gap.kind].name),
        "members": [link(member, names) for member in gap.members],
        "score": gap.score,
        "tier": gap.tier,
        "explanation": gap.explanation,
        "action": gap.action,
        "evidence": [{"label": e.label, "href": href(e.iri), "note": e.note, "date": e.date} for e in gap.evidence],
        "key": gap.key,
        "href": gap_href(gap.key),
        "review": gap.review_words,
        "shown": state.get("kind", "") in {"", gap.kind}
        and state.get("tier", "") in {"", gap.tier}
        and _has(gap, state.get("find", "")),
    }


def gap_href(key: str) -> str:
    """Return the address of the page of a gap."""
    return f"{request.script_root}/gaps/{key}"


def passing(report: GapReport, state: Mapping[str, str], gaps: Iterable[Gap] | None = None) -> list[Gap]:
    """Return the gaps of a report (or `gaps`) that pass the filters of `state`, in their order."""
    network = NETWORKS.get(state.get("network", ""), ("", frozenset(KINDS)))[1]
    return [
        gap
        for gap in (report.gaps if gaps is None else gaps)
        if state.get("kind", "") in {"", gap.kind}
        and state.get("tier", "") in {"", gap.tier}
        and gap.kind in network
        and (not state.get("region") or state["region"] in report.places.regions_of(gap))
        and (not state.get("theme") or state["theme"] in report.places.themes_of(gap))
        and _has(gap, state.get("find", ""))
    ]


def _has(gap: Gap, text: str) -> bool:
    said = f"{' '.join(gap.labels)} {gap.explanation} {gap.action}".casefold()
    return all(word in said for word in text.casefold().split())


def choices(report: GapReport) -> dict[str, list[dict[str, str]]]:
    """Return the choices of each filter that this report has gaps for."""
    regions = sorted({name for gap in report.gaps for name in report.places.regions_of(gap)})
    themes = sorted({name for gap in report.gaps for name in report.places.themes_of(gap)})
    kinds, tiers = {gap.kind for gap in report.gaps}, dict.fromkeys(gap.tier for gap in report.gaps)
    return {
        "kinds": [
            {"value": code, "label": f"{code} {gettext(kind.name)}"} for code, kind in KINDS.items() if code in kinds
        ],
        "tiers": [{"value": tier, "label": gettext(tier.replace("-", " "))} for tier in tiers],
        "regions": [{"value": name, "label": name} for name in regions],
        "themes": [{"value": name, "label": name} for name in themes],
        "networks": [
            {"value": name, "label": gettext(label)} for name, (label, held) in NETWORKS.items() if held & kinds
        ],
    }


def missing_evidence(report: GapReport, gap: Gap) -> list[dict[str, str]]:
    """Tell what the sources do not say about whom and what a gap rests on: the data gaps that name the same things.

    Each has label (whose), says (what is not known) and href (the page of that data gap).
    """
    if gap.kind == "D":
        return []
    things = {*gap.members, *(each.iri for each in gap.evidence)}
    found = []
    for lack in report.every:
        if lack.kind == "D":
            whose = [label for member, label in zip(lack.members, lack.labels, strict=True) if member in things]
            if whose:
                says = lack.explanation.partition(":")[0]
                found.append({"label": ", ".join(whose[:3]), "says": says, "href": gap_href(lack.key)})
    return found[:_MOST_MISSING]
