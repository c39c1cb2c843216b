"""A view of the network as data for the picture in the browser."""

from __future__ import annotations

from typing import Any

import polars as pl

from graphkit.gaps import Gap
from webui.i18n.choosing import gettext
from webui.network.asked import short
from webui.network.scene import Scene

__all__ = ["community_name", "kinds_of", "scene_data"]

_DIGITS = 3


def scene_data(scene: Scene, version: int | None) -> dict[str, Any]:
    """Return what is drawn, column by column, so that thousands of organisations stay small.

    `organisations` are lists of equal length; `kind` is a place in `kinds`. `bubbles` are the communities drawn as one.
    A line joins two marks: the place of an organisation, or -1 - the place of a bubble.
    """
    rows, bubbles, kinds = scene.drawn, scene.bubbles, kinds_of(scene.picture.organisations)
    place = {row: at for at, row in enumerate(rows["row"])}
    place |= {-1 - group: -1 - at for at, group in enumerate(bubbles["group"])}
    known = list(place)
    lines = scene.lines.filter(pl.col("a").is_in(known) & pl.col("b").is_in(known))
    return {
        "version": version,
        "query": scene.asked.network,
        "kinds": kinds,
        "organisations": {
            "id": [short(iri) for iri in rows["organisation"]],
            "label": rows["label"].to_list(),
            "kind": rows["kind"].replace_strict(kinds, range(len(kinds)), return_dtype=pl.Int64).to_list(),
            "community": rows["group"].to_list(),
            "degree": rows["degree"].to_list(),
            "size": _rounded(rows["size"]),
            "x": _rounded(rows["x"]),
            "y": _rounded(rows["y"]),
        },
        "bubbles": [
            {
                "id": row["group"],
                "label": community_name(row["label"]),
                "size": row["size"],
                "ties": row["ties"],
                "x": round(row["x"], _DIGITS),
                "y": round(row["y"], _DIGITS),
                "radius": round(row["radius"], _DIGITS),
            }
            for row in bubbles.iter_rows(named=True)
        ],
        "lines": {
            "a": [place[each] for each in lines["a"]],
            "b": [place[each] for each in lines["b"]],
            "ties": lines["pairs"].to_list(),
            "weight": _rounded(lines["weight"]),
        },
        "gaps": _gap_lines(scene, place),
    }


def community_name(label: str) -> str:
    """Return what a community is called, after its best joined member."""
    return gettext("around %(name)s", name=label)


def kinds_of(organisations: pl.DataFrame) -> list[str]:
    """Return the kinds of organisations, those of most first: the order of their colours."""
    return organisations.group_by("kind").len().sort(["len", "kind"], descending=[True, False])["kind"].to_list()


def _gap_lines(scene: Scene, place: dict[int, int]) -> list[dict[str, Any]]:
    """Return the gaps between two marks, each pair of marks once with the gap of the highest score and their number.

    A gap about two that have a tie (a weak point) is not drawn: a dash means that there is none.
    """
    tied = set(zip(scene.lines["a"].to_list(), scene.lines["b"].to_list(), strict=True))
    found: dict[tuple[int, int], list[Gap]] = {}
    for gap in scene.suggested:
        a, b = sorted(scene.mark(member) for member in gap.members)
        if a != b and a in place and b in place and ((a, b) not in tied or a < 0):
            found.setdefault((a, b), []).append(gap)
    return [
        {"a": place[a], "b": place[b], "gap": best.key, "kind": best.kind, "score": best.score, "number": len(gaps)}
        for (a, b), gaps in found.items()
        for best in [max(gaps, key=lambda each: each.score)]
    ]


def _rounded(column: pl.Series) -> list[float]:
    return column.cast(pl.Float64).round(_DIGITS).to_list()
