"""What stands beside the picture: the whole, a community, an organisation, the evidence of a tie, or a gap."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import polars as pl

from graphkit import queries
from graphkit.gaps import KINDS, Gap
from graphkit.store.base import Readable
from webui.gaps.rows import gap_row
from webui.i18n.choosing import gettext
from webui.links import href, link, names_of
from webui.network.asked import Asked, full, short
from webui.network.data import community_name, kinds_of
from webui.network.scene import Scene
from webui.picture import Picture

__all__ = ["evidence_of", "panel", "sources_of"]

_MOST: Final = 40
_MOST_LEGEND: Final = 24
_MOST_MEMBERS: Final = 12
_MOST_ACTIVITIES: Final = 60


def panel(scene: Scene, reader: Readable) -> dict[str, Any]:
    """Return what the panel shows of a view: a dict whose `what` is overview, community, organisation, tie or gap."""
    asked, picture = scene.asked, scene.picture
    if asked.ends and all(end in picture.network.rows for end in asked.ends):
        return _tie(picture, asked.ends, reader)
    if asked.gap and (gap := next((gap for gap in scene.gaps if gap.key == asked.gap), None)):
        return _gap(scene, gap)
    if asked.bubble.isdigit() and (found := _community(scene, int(asked.bubble))):
        return found
    if asked.selected and full(asked.selected) in picture.network.rows:
        return _organisation(scene, full(asked.selected))
    return _overview(scene)


# ---- The whole ---------------------------------------------------------------------------------------------


def _overview(scene: Scene) -> dict[str, Any]:
    by_kind = scene.asked.colour == "kind"
    legend = _kind_legend(scene) if by_kind else _community_legend(scene)
    return {
        "what": "overview",
        "organisations": scene.rows.height,
        "pairs": scene.pairs.height,
        "suggested": len([gap for gap in scene.suggested if gap.kind == "P1"]),
        "alone": int((scene.rows["degree"] == 0).sum()),
        "by_kind": by_kind,
        "legend": legend[:_MOST_LEGEND],
        "more": max(0, len(legend) - _MOST_LEGEND),
    }


def _kind_legend(scene: Scene) -> list[dict[str, Any]]:
    counts = dict(scene.rows.group_by("kind").len().rows())
    asked = scene.asked
    return [
        {
            "place": place,
            "label": kind,
            "number": counts[kind],
            "pressed": asked.kind == kind,
            "search": asked.search(kind="" if asked.kind == kind else kind),
        }
        for place, kind in enumerate(kinds_of(scene.picture.organisations))
        if kind in counts
    ]


def _community_legend(scene: Scene) -> list[dict[str, Any]]:
    return [
        {
            "place": row["group"],
            "label": community_name(row["label"]),
            "number": row["size"],
            "pressed": False,
            "search": scene.asked.search(bubble=str(row["group"]), selected="", tie="", gap=""),
        }
        for row in scene.communities.iter_rows(named=True)
    ]


def _community(scene: Scene, group: int) -> dict[str, Any] | None:
    """Show a community: its best joined members, its kinds, and the way to open or to close it."""
    members = scene.rows.filter(pl.col("group") == group).sort("degree", "label", descending=[True, False])
    named = scene.communities.filter(pl.col("group") == group)
    if named.is_empty():
        return None
    row = named.row(0, named=True)
    asked = scene.asked
    bare = not asked.organisation
    others = scene.open - {group}
    shown = {each for each in scene.communities["group"] if each in others}
    return {
        "what": "community",
        "place": group,
        "label": community_name(row["label"]),
        "size": row["size"],
        "whole": row["whole"],
        "kinds": [{"label": kind, "number": number} for kind, number in _counted(members["kind"])],
        "members": [
            {"label": each["label"], "number": each["degree"], "search": _select(asked, each["organisation"])}
            for each in members.head(_MOST_MEMBERS).iter_rows(named=True)
        ],
        "more": max(0, members.height - _MOST_MEMBERS),
        "more_search": asked.search(community=str(group), bubble=""),
        "open": group in scene.open,
        "open_search": asked.search(open=_numbers({*shown, group}), bubble=str(group)) if bare else "",
        "close_search": asked.search(open=_numbers(shown), bubble=str(group)) if bare else "",
    }


def _numbers(groups: Iterable[int]) -> str:
    return ",".join(map(str, sorted(groups))) or "none"


def _counted(column: pl.Series) -> list[tuple[str, int]]:
    found = column.value_counts(sort=True)
    return [(row[0], row[1]) for row in found.head(6).rows()]


# ---- An organisation ---------------------------------------------------------------------------------------


def _organisation(scene: Scene, iri: str) -> dict[str, Any]:
    picture, asked = scene.picture, scene.asked
    row = picture.organisations.row(picture.network.rows[iri], named=True)
    partners = _partners(scene, row["row"])
    names = dict(picture.communities.select("group", "label").rows())
    gaps = [gap for gap in scene.gaps if iri in gap.members]
    return {
        "what": "organisation",
        "id": short(iri),
        "label": row["label"],
        "href": href(iri),
        "kind": row["kind"],
        "regions": picture.places.filter(pl.col("organisation") == iri)["region"].to_list(),
        "themes": picture.themes.filter(pl.col("organisation") == iri)["theme"].to_list(),
        "group": row["group"],
        "community": community_name(names[row["group"]]) if row["group"] in names else "",
        "community_search": asked.search(bubble=str(row["group"]), selected="") if row["group"] in names else "",
        "number": len(partners),
        "partners": [
            {**each, "search": asked.search(tie=f"{short(iri)} {short(each['id'])}", selected="", bubble="", gap="")}
            for each in partners[:_MOST]
        ],
        "more": max(0, len(partners) - _MOST),
        "gaps": [
            {
                "label": _others(gap, iri),
                "kind": gap.kind,
                "title": gettext(KINDS[gap.kind].name),
                "score": gap.score,
                "search": asked.search(gap=gap.key, selected="", tie="", bubble=""),
            }
            for gap in gaps[:_MOST]
        ],
        "ego_search": asked.search(organisation=short(iri), open="", selected=short(iri), tie="", gap="", bubble=""),
        "in_ego": asked.organisation == short(iri),
    }


def _others(gap: Gap, iri: str) -> str:
    others = [label for member, label in zip(gap.members, gap.labels, strict=True) if member != iri]
    return ", ".join(others[:3]) or gap.labels[0]


def _partners(scene: Scene, row: int) -> list[dict[str, Any]]:
    """List the partners of an organisation, those with most joint activities first."""
    pairs = scene.pairs.filter((pl.col("a") == row) | (pl.col("b") == row))
    other = pairs.select(row=pl.when(pl.col("a") == row).then("b").otherwise("a"), n="activities", last="last")
    labels = scene.picture.organisations.select("row", "label", "organisation")
    found = other.join(labels, on="row", how="left").sort("n", "label", descending=[True, False])
    return [
        {
            "id": each["organisation"],
            "label": each["label"],
            "number": each["n"],
            "year": each["last"].year if each["last"] else None,
        }
        for each in found.iter_rows(named=True)
    ]


def _select(asked: Asked, iri: str) -> str:
    return asked.search(selected=short(iri), bubble="", tie="", gap="")


# ---- A tie and a gap ---------------------------------------------------------------------------------------


def _tie(picture: Picture, ends: tuple[str, str], reader: Readable) -> dict[str, Any]:
    evidence = evidence_of(picture, ends, reader)
    return {
        "what": "tie",
        "ends": [{"id": short(end), "label": picture.labels[end], "href": href(end)} for end in ends],
        "kinds": sorted({each["kind"] for each in evidence if each["kind"]}),
        "evidence": evidence[:_MOST_ACTIVITIES],
        "more": max(0, len(evidence) - _MOST_ACTIVITIES),
        "joined": bool(evidence),
    }


def evidence_of(picture: Picture, ends: tuple[str, str], reader: Readable) -> list[dict[str, Any]]:
    """List what joins two organisations, newest first: the activity as a link, date, kind, weight, and its sources."""
    ties = picture.network.ties
    both = (pl.col("source").is_in(ends)) & (pl.col("target").is_in(ends))
    rows = ties.filter(both).sort("date", "activity", descending=[True, False], nulls_last=True)
    activities = rows["activity"].drop_nulls().unique().sort().to_list()
    names = names_of(reader, activities)
    sources = sources_of(reader, activities, ends)
    return [
        {
            "activity": link(row["activity"], names) if row["activity"] else None,
            "iri": row["activity"] or "",
            "date": row["date"].isoformat() if isinstance(row["date"], date) else "",
            "kind": row["kind"] or "",
            "weight": row["weight"],
            "sources": sources.get(row["activity"] or "", []),
        }
        for row in rows.iter_rows(named=True)
    ]


def sources_of(
    reader: Readable, activities: list[str], organisations: Iterable[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return for each activity the sources that tell of it and of the part of these organisations, with their lines."""
    if not activities:
        return {}
    rows = queries.run(reader, "explore/tie-sources", activity=activities, organisation=sorted(organisations))
    found: dict[str, list[dict[str, Any]]] = {}
    groups = rows.group_by("activity", "source", "source_label", maintain_order=True)
    for row in groups.agg(pl.col("line").drop_nulls().unique().sort(), passage=pl.col("passage").first()).iter_rows(
        named=True
    ):
        named = {row["source"]: row["source_label"]} if row["source_label"] else {}
        found.setdefault(row["activity"], []).append(
            {**link(row["source"], named), "lines": row["line"][:8], "passage": _fragment(row["passage"])}
        )
    return found


def _fragment(passage: str) -> str:
    """Return where in a file a record stands, such as "row=17", for a source that was imported as a table."""
    fragment = passage.partition("#")[2]
    return fragment if fragment.startswith(("row=", "/")) else ""


def _gap(scene: Scene, gap: Gap) -> dict[str, Any]:
    tied = set(zip(scene.pairs["a"].to_list(), scene.pairs["b"].to_list(), strict=True))
    rows = sorted(scene.picture.network.rows[each] for each in gap.members if each in scene.picture.network.rows)
    return {
        "what": "gap",
        "gap": gap_row(gap),
        "tied": len(rows) == 2 and (rows[0], rows[1]) in tied,  # noqa: PLR2004 - a pair
        "members": [
            {"id": short(member), "label": label, "search": _select(scene.asked, member)}
            for member, label in zip(gap.members, gap.labels, strict=True)
        ],
        "pair": [short(member) for member in gap.members] if len(gap.members) == 2 else [],  # noqa: PLR2004 - a pair
    }
