"""The page about one thing: its facts, who points to it, and from where each statement is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import polars as pl

from graphkit import ontology, queries
from graphkit.store.base import Readable
from graphkit.terms import ID, compact, expand
from webui.analysis import Analysis
from webui.catalogue.tables import behind, iris_of
from webui.frames import patience
from webui.gaps import gap_rows
from webui.gaps.banner import spoken_banner
from webui.i18n.choosing import gettext
from webui.linked.addresses import address_of, values_address
from webui.linked.schema_org import described
from webui.links import Link, link, names_of
from webui.words import HIDDEN, relation_order, relation_words
from webui.works import NotReady

__all__ = ["GROUP", "licence_link", "partners", "thing_page", "values_page"]

GROUP: Final = 25
"""How many values of a relation a page shows where the thing has very many."""

_PER_PAGE: Final = 200
_WHOLE: Final = 500
_MOST_PARTNERS: Final = 100
_QUERY: Final = "explore/thing"
_ORGANISATION: Final = f"{ID}organisation/"
_SOURCE: Final = f"{ID}source/"
_TOGETHER: Final = "networks/collaboration"
_LABEL: Final = expand("rdfs:label")
_TYPE: Final = expand("rdf:type")
_DERIVED: Final = expand("prov:wasDerivedFrom")
_LICENCE: Final = expand("dcterms:license")
_SAID_ELSEWHERE: Final = frozenset({("in", expand("owl:annotatedSource"))})
_OPEN_DATA_COMMONS: Final = re.compile(r"https?://(?:www\.)?opendatacommons\.org/licenses/(by|odbl|pddl)/([\d-]+)/?")
_ODC_NAMES: Final = {"by": "ODC-By", "odbl": "ODbL", "pddl": "PDDL"}
_RIGHTS: Final = "http://rightsstatements.org/vocab/CNE/"
_CREATIVE_COMMONS: Final = re.compile(r"https?://creativecommons\.org/licenses/([a-z-]+)/([\d.]+)/?")


def thing_page(reader: Readable, iri: str) -> dict[str, Any]:
    """Return what the template of a thing shows: facts in both directions, provenance, the query behind it.

    Relations with more than `GROUP` values are shortened on the page of a thing with more than 500, and lead to pages
    of their own. All names are asked for at once.
    """
    facts, totals = _facts(reader, iri)
    sources = queries.run(reader, "explore/statements-with-passages", subject=iri).head(_WHOLE)
    licences = _licences(reader, sources["source"].drop_nulls().unique().to_list())
    said = [iri, *iris_of(facts), *iris_of(sources)]
    names = names_of(reader, [*said, *(each.partition("#")[0] for each in said if _is_passage(each))])
    names = {**{each: _passage_words(each, names) for each in said if _is_passage(each)}, **names}
    label = names.get(iri, iri.removeprefix(ID))
    return {
        "iri": iri,
        "label": label,
        "kinds": _kinds(facts, names),
        "groups": _fact_groups(iri, facts, totals, names),
        "sources": _provenance(sources, names, licences),
        "rows": _rows_read(facts, names),
        "licences": sorted(set(licences.values())),
        "mappings": _mappings(iri),
        "behind": behind(queries.find(_QUERY), {"thing": iri}),
        "schema_org": described(iri, label, facts, names),
    }


def values_page(reader: Readable, iri: str, relation: str, direction: str, page: int) -> dict[str, Any] | None:
    """Return one page of the values of one relation of a thing, None where there is no such page."""
    group = next((each for each in _groups(reader, iri) if each[:2] == (direction, relation)), None)
    if group is None or _PER_PAGE * (page - 1) >= group[2]:
        return None
    frame = _some(reader, iri, group, _PER_PAGE * (page - 1), _PER_PAGE)
    names = names_of(reader, [iri, relation, *iris_of(frame)])
    return {
        "iri": iri,
        "label": names.get(iri, iri),
        "relation": relation_words(relation, direction, names),
        "values": [_fact(row, names) for row in frame.iter_rows(named=True)],
        "first": _PER_PAGE * (page - 1) + 1,
        "total": group[2],
        "back": address_of(iri),
        "earlier": values_address(iri, relation, direction, page - 1) if page > 1 else "",
        "later": values_address(iri, relation, direction, page + 1) if page * _PER_PAGE < group[2] else "",
    }


def partners(known: Analysis, iri: str) -> dict[str, Any]:
    """Return who works with an organisation, through what, how often, and the gaps that concern it.

    `reading` is true while the network is being read for the first time, `searching` while the gaps are being searched
    for; what is not there then is left out.
    """
    try:
        (found, total), reading = _partners(known, iri), False
    except NotReady:
        found, total, reading = [], 0, True
    report = known.report_within(0.0 if reading else patience() / 2)
    gaps = [gap for gap in report.gaps if iri in gap.members] if report else []
    organisation = iri.startswith(_ORGANISATION)
    return {
        "partners": found,
        "all_partners": total,
        "gaps": gap_rows(gaps),
        "reading": reading and organisation,
        "searching": report is None and organisation,
        "banner": spoken_banner(report.banner) if report and gaps else None,
    }


# ---- Facts ---------------------------------------------------------------------------------------------


def _facts(reader: Readable, iri: str) -> tuple[pl.DataFrame, dict[tuple[str, str], int]]:
    """Return all facts, or the first of each relation where there are very many, with the true number of those cut."""
    groups = _groups(reader, iri)
    if sum(number for _, _, number, _ in groups) <= _WHOLE:
        return queries.run(reader, _QUERY, thing=iri), {}
    large = [group for group in groups if group[2] > GROUP]
    small = sorted({relation for _, relation, _, _ in groups} - {relation for _, relation, _, _ in large})
    frames = [_some(reader, iri, group, 0, GROUP) for group in groups if group[1] not in small]
    if small:
        frames.append(queries.run(reader, _QUERY, thing=iri, relation=small))
    return pl.concat(frames, how="vertical_relaxed"), {(way, relation): n for way, relation, n, _ in large}


def _groups(reader: Readable, iri: str) -> list[tuple[str, str, int, int]]:
    """List the relations of a thing: direction, relation, number of values, and how many come before in its rows."""
    rows = queries.run(reader, "explore/relations", thing=iri).rows()
    outward = {relation: number for way, relation, number in rows if way == "out"}
    return [(way, relation, number, outward.get(relation, 0) if way == "in" else 0) for way, relation, number in rows]


def _some(reader: Readable, iri: str, group: tuple[str, str, int, int], start: int, most: int) -> pl.DataFrame:
    """Return some of the values of one relation; the rows have those of the thing before those that point to it."""
    _, relation, number, before = group
    text = queries.bind(queries.find(_QUERY), {"thing": iri, "relation": relation})
    return reader.select(f"{text}\nLIMIT {min(most, number - start)} OFFSET {before + start}")


def _kinds(facts: pl.DataFrame, names: Mapping[str, str]) -> list[str]:
    """Return what the thing is, in the words of the ontology."""
    types = facts.filter((pl.col("direction") == "out") & (pl.col("relation") == _TYPE))["value"].to_list()
    return sorted({names[iri] for iri in types if iri in names})


def _fact_groups(
    iri: str, facts: pl.DataFrame, totals: Mapping[tuple[str, str], int], names: Mapping[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """Group facts by direction ("out", "in") and relation, each with its values as links, in a reader's order."""
    found: dict[str, list[dict[str, Any]]] = {"out": [], "in": []}
    groups = [(str(way), str(relation), rows) for (way, relation), rows in facts.group_by("direction", "relation")]
    for way, relation, rows in sorted(groups, key=lambda group: relation_order(group[1])):
        if relation not in HIDDEN and (way, relation) not in _SAID_ELSEWHERE:
            values = sorted((_fact(row, names) for row in rows.iter_rows(named=True)), key=_by_label)
            more = totals.get((way, relation), 0) - len(values)
            found[way].append(
                {
                    "name": relation_words(relation, way, names),
                    "links": values,
                    "more": more if more > 0 else 0,
                    "more_href": values_address(iri, relation, way) if more > 0 else "",
                }
            )
    return found


def _by_label(value: Link) -> str:
    return value["label"]


def _fact(row: Mapping[str, Any], names: Mapping[str, str]) -> Link:
    value = str(row["value"])
    return link(value, names) if row["is_link"] else {"label": value, "href": ""}


# ---- Provenance ----------------------------------------------------------------------------------------


def _provenance(sources: pl.DataFrame, names: Mapping[str, str], licences: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return each statement once, with the lines and passages of each source that says it."""
    rows = sources.filter(~pl.col("property").is_in(sorted(HIDDEN - {_LABEL})))
    keys = ("property", "value", "value_label", "source", "source_label")
    groups = rows.group_by(keys, maintain_order=True).agg(pl.col("line").drop_nulls().sort(), "passage")
    found = [_traced(row, names, licences) for row in groups.iter_rows(named=True)]
    return sorted(found, key=lambda row: (row["order"], row["value"]))


def _traced(row: Mapping[str, Any], names: Mapping[str, str], licences: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": gettext("Name") if row["property"] == _LABEL else relation_words(row["property"], "out", names),
        "order": relation_order(row["property"]),
        "value": row["value_label"] or row["value"],
        "source": link(row["source"], names)
        if row["source"]
        else {"label": gettext("a source that is not named"), "href": ""},
        "lines": row["line"],
        "licence": licence_link(licences[row["source"]], names) if row["source"] in licences else None,
        "passages": [link(passage, names) for passage in row["passage"]] if not row["line"] else [],
    }


def _licences(reader: Readable, sources: list[str]) -> dict[str, str]:
    """Return the licence of each source that states one."""
    if not sources:
        return {}
    rows = queries.run(reader, "explore/statements", thing=sources)
    found = rows.filter(pl.col("property") == _LICENCE).select("subject", "value")
    return dict(found.unique("subject", keep="first", maintain_order=True).rows())


def licence_link(iri: str, names: Mapping[str, str]) -> Link:
    """Return a licence under its name; those of Creative Commons and Open Data Commons have theirs in the address."""
    common, open_data = _CREATIVE_COMMONS.fullmatch(iri), _OPEN_DATA_COMMONS.fullmatch(iri)
    if common:
        return link(iri, {iri: f"CC {common[1].upper()} {common[2]}"})
    if open_data:
        return link(iri, {iri: f"{_ODC_NAMES[open_data[1]]} {open_data[2].replace('-', '.')}"})
    if iri.startswith(_RIGHTS):
        return link(iri, {iri: gettext("copyright not evaluated")} | dict(names))
    return link(iri, names)


def _mappings(iri: str) -> list[dict[str, Any]]:
    """Return what other vocabularies call a term or a concept."""
    rows = _all_mappings().filter(pl.col("subject_id") == iri)
    return [
        {
            "relation": compact(row["predicate_id"]).partition(":")[2],
            "object": link(row["object_id"], {row["object_id"]: row["object_label"]}),
            "confidence": row["confidence"],
            "comment": row["comment"] or "",
        }
        for row in rows.iter_rows(named=True)
    ]


@lru_cache(maxsize=1)
def _all_mappings() -> pl.DataFrame:
    return ontology.mappings()


def _rows_read(facts: pl.DataFrame, names: Mapping[str, str]) -> list[Link]:
    """Return the rows of registers that a record was read from."""
    read = facts.filter((pl.col("direction") == "out") & (pl.col("relation") == _DERIVED))["value"].unique().sort()
    return [link(each, names) for each in read]


def _is_passage(iri: str) -> bool:
    """Tell whether an IRI is a place in a source: a row of a table, a member of a list."""
    return iri.startswith(_SOURCE) and "#" in iri


def _passage_words(iri: str, names: Mapping[str, str]) -> str:
    """Call a place in a source by its row (RFC 7111) or its path (RFC 6901), and by the name of the source."""
    source, _, place = iri.partition("#")
    way, _, row = place.partition("=")
    where = gettext("row %(number)s", number=row) if way == "row" and row else place
    return f"{names.get(source, compact(source))}, {where}"


# ---- Partners ------------------------------------------------------------------------------------------


def _partners(known: Analysis, iri: str) -> tuple[list[dict[str, Any]], int]:
    """List who works with an organisation most often, through what, and tell how many there are in all."""
    ties = known.network(_TOGETHER, patience()).ties
    both = ties.filter((pl.col("source") == iri) | (pl.col("target") == iri))
    if both.is_empty():
        return [], 0
    other = pl.when(pl.col("source") == iri).then("target").otherwise("source")
    every = both.with_columns(other=other).group_by("other").agg(pl.col("activity").drop_nulls(), pl.col("date").max())
    rows = every.sort(pl.col("activity").list.len(), "other", descending=[True, False]).head(_MOST_PARTNERS)
    names = names_of(known.store, [*rows["other"], *rows["activity"].explode().drop_nulls()])
    found = [
        {
            "partner": link(row["other"], names),
            "activities": [link(activity, names) for activity in sorted(row["activity"])],
            "date": row["date"],
        }
        for row in rows.iter_rows(named=True)
    ]
    return sorted(found, key=lambda row: (-len(row["activities"]), row["partner"]["label"])), every.height
