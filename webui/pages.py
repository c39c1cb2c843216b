"""The pages: each is a query or a measure, a template, and the same rows as JSON and CSV."""

from __future__ import annotations

from typing import Any

import polars as pl
from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from graphkit import queries
from graphkit.export import frame_to_text, standings_to_json
from graphkit.export.gaps import gap_to_dict
from graphkit.gaps import KINDS, TIERS, as_frame
from graphkit.queries import Query
from graphkit.terms import ID, expand
from webui.analysis import Analysis
from webui.gaps import gap_rows
from webui.links import Link, href, link, names_of, query_href
from webui.network import network_data, network_page
from webui.state import analysis, settings
from webui.words import HIDDEN, relation_order, relation_words

__all__ = ["blueprint"]

blueprint = Blueprint("pages", __name__)

_TWINS = ("csv", "json", "spreadsheet")
_MIME = {"csv": "text/csv", "json": "application/json", "spreadsheet": "text/csv"}
_COUNTS = "explore/counts"
_LABEL = expand("rdfs:label")


# ---- home ------------------------------------------------------------------------------------------


@blueprint.get("/")
def home() -> str:
    """Show a search, what the graph holds, how commitments stand, and the first gaps of each kind."""
    known = analysis()
    counts = queries.run(known.store, _COUNTS)
    report = known.report
    first = [gap for code in KINDS for gap in report.of_kind(code)[:1]]
    return render_template(
        "home.html",
        page="home",
        counts=[_count(row) for row in counts.rows(named=True)],
        standings=report.standings,
        gaps=gap_rows(first),
        total=len(report.gaps),
        banner=report.banner,
        version=known.store.version,
        behind=_behind(queries.find(_COUNTS), {}),
    )


def _count(row: dict[str, Any]) -> dict[str, Any]:
    return {"number": row["count"], "label": row["what"], "href": query_href(row["query"]) if row.get("query") else ""}


# ---- things ----------------------------------------------------------------------------------------


@blueprint.get("/id/<path:path>")
def thing(path: str) -> str:
    """Show all that is known about one thing, from where it is known, and what points to it."""
    return _thing(ID + path)


@blueprint.get("/concept")
def concept() -> str:
    """Show a concept of a vocabulary or a term of the ontology."""
    return _thing(request.args.get("iri", ""))


def _thing(iri: str) -> str:
    known = analysis()
    facts = queries.run(known.store, "explore/thing", thing=iri)
    if facts.is_empty():
        abort(404, f"Nothing is known about {iri}. Search for its name, or open the list of organisations.")
    sources = queries.run(known.store, "explore/statements-with-passages", subject=iri)
    names = names_of(known.store, [*_iris(facts), *_iris(sources)])
    gaps = [gap for gap in known.report.gaps if iri in gap.members]
    return render_template(
        "thing.html",
        iri=iri,
        label=names.get(iri, iri),
        groups=_fact_groups(facts, names),
        neighbours=_neighbours(known, iri),
        sources=_provenance(sources, names),
        gaps=gap_rows(gaps),
        banner=known.report.banner if gaps else None,
        behind=_behind(queries.find("explore/thing"), {"thing": iri}),
    )


def _iris(frame: pl.DataFrame) -> list[str]:
    texts = [frame[column] for column in frame.columns if frame.schema[column] == pl.String]
    return pl.concat(texts).drop_nulls().unique().to_list() if texts else []


def _fact_groups(facts: pl.DataFrame, names: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Group facts by direction ("out", "in") and relation, each with its values as links, in a reader's order."""
    found: dict[str, list[dict[str, Any]]] = {"out": [], "in": []}
    groups = [(str(way), str(iri), rows) for (way, iri), rows in facts.group_by("direction", "relation")]
    for way, iri, rows in sorted(groups, key=lambda group: relation_order(group[1])):
        if iri not in HIDDEN:
            values = sorted(
                (_value(row, names) for row in rows.iter_rows(named=True)), key=lambda value: value["label"]
            )
            found[way].append({"name": relation_words(iri, way, names), "links": values})
    return found


def _provenance(sources: pl.DataFrame, names: dict[str, str]) -> list[dict[str, Any]]:
    """Return each statement once, with the lines and passages of each source that says it."""
    rows = sources.filter(~pl.col("property").is_in(sorted(HIDDEN - {_LABEL})))
    keys = ("property", "value", "value_label", "source", "source_label")
    groups = rows.group_by(keys, maintain_order=True).agg(pl.col("line").drop_nulls().sort(), "passage")
    found = [
        {
            "name": "Name" if row["property"] == _LABEL else relation_words(row["property"], "out", names),
            "order": relation_order(row["property"]),
            "value": row["value_label"] or row["value"],
            "source": row["source_label"] or row["source"],
            "lines": row["line"],
            "passages": [link(passage, names) for passage in row["passage"]] if not row["line"] else [],
        }
        for row in groups.iter_rows(named=True)
    ]
    return sorted(found, key=lambda row: (row["order"], row["value"]))


def _value(row: dict[str, Any], names: dict[str, str]) -> Link:
    value = str(row["value"])
    return link(value, names) if row["is_link"] else {"label": value, "href": ""}


def _neighbours(known: Analysis, iri: str) -> list[dict[str, Any]]:
    """List who works with an organisation, through what, and how often."""
    ties = known.report.network.ties
    both = ties.filter((pl.col("source") == iri) | (pl.col("target") == iri))
    if both.is_empty():
        return []
    other = pl.when(pl.col("source") == iri).then("target").otherwise("source")
    rows = both.with_columns(other=other).group_by("other").agg("activity", pl.col("date").max()).sort("other")
    names = names_of(known.store, [*rows["other"], *both["activity"].drop_nulls()])
    found = [
        {
            "partner": link(row["other"], names),
            "activities": [link(a, names) for a in sorted(filter(None, row["activity"]))],
            "date": row["date"],
        }
        for row in rows.iter_rows(named=True)
    ]
    return sorted(found, key=lambda row: (-len(row["activities"]), row["partner"]["label"]))


# ---- network, gaps, commitments ----------------------------------------------------------------------


@blueprint.get("/network")
def network() -> str:
    """Show who works with whom, with suggested ties dashed."""
    return render_template("network.html", page="network", **network_page(analysis(), request.args))


@blueprint.get("/network.json")
def network_json() -> Response:
    """Give the network page as data."""
    return jsonify(network_data(analysis(), request.args))


@blueprint.get("/gaps")
def gaps() -> str:
    """Show every gap with its reason, evidence and action."""
    report = analysis().report
    found = {gap.tier for gap in report.gaps}
    state = {name: request.args.get(name, "") for name in ("kind", "tier", "find")}
    return render_template(
        "gaps.html",
        page="gaps",
        gaps=gap_rows(report.gaps, state),
        kinds=[{"value": code, "label": f"{code} {KINDS[code].name}"} for code, n in report.counts().items() if n],
        tiers=[{"value": tier, "label": tier.replace("-", " ")} for tier in TIERS if tier in found],
        all_kinds=KINDS,
        counts=report.counts(),
        state=state,
        banner=report.banner,
        as_of=report.as_of,
    )


@blueprint.get("/gaps.<any(json,csv,spreadsheet):form>")
def gaps_data(form: str) -> Response:
    """Give the gaps as data."""
    report = analysis().report
    if form == "json":
        return jsonify([gap_to_dict(gap) for gap in report.gaps])
    return _download(as_frame(report), form, "gaps")


@blueprint.get("/commitments")
def commitments() -> str:
    """Show how each commitment stands, by which query, and on what evidence."""
    report = analysis().report
    rows = [
        {
            "standing": standing,
            "href": href(standing.commitment),
            "policy": {"label": standing.policy_label, "href": href(standing.policy)},
            "query_href": query_href(standing.query, {"commitment": standing.commitment}),
            "findings": [(href(finding.iri), finding) for finding in standing.findings],
        }
        for standing in report.standings
    ]
    return render_template("commitments.html", page="commitments", rows=rows, as_of=report.as_of)


@blueprint.get("/commitments.json")
def commitments_data() -> Response:
    """Give the commitments with their evidence as data."""
    return Response(standings_to_json(analysis().report.standings), mimetype="application/json")


# ---- stored queries, search --------------------------------------------------------------------------


@blueprint.get("/queries")
def catalogue() -> str:
    """List the stored queries by folder."""
    found: dict[str, list[Query]] = {}
    for query in queries.catalogue().values():
        found.setdefault(query.name.split("/")[0], []).append(query)
    return render_template("queries.html", page="queries", folders=found)


@blueprint.get("/queries/<path:name>")
def stored_query(name: str) -> str | Response:
    """Run a stored query with the values of its form and show or download its rows."""
    name, _, form = name.partition(".") if name.endswith(tuple(f".{twin}" for twin in _TWINS)) else (name, "", "")
    query = queries.find(name)
    values = {p.name: value for p in query.parameters if (value := request.args.get(p.name, "").strip())}
    if query.form != "SELECT":
        return render_template("query.html", query=query, values=values, columns=[], rows=[], total=0, behind=None)
    frame = queries.run(analysis().store, query, **values)
    if form:
        return _download(frame, form, name.replace("/", "-"))
    shown = frame.head(settings().rows_shown)
    return render_template(
        "query.html", query=query, values=values, total=frame.height, **_linked(shown), behind=_behind(query, values)
    )


def _linked(frame: pl.DataFrame) -> dict[str, Any]:
    """Return the columns and rows of a frame for a table, IRIs as links under their names.

    A column `x_label` (or `label`, for the first column) that only names column `x` is left out here: the link
    already shows it. The downloads keep it.
    """
    names = names_of(analysis().store, _iris(frame))
    spoken = {f"{column}_label" for column in frame.columns} | ({"label"} if _names_first(frame) else set())
    kept = [column for column in frame.columns if column not in spoken]
    numbers = {column for column in kept if frame.schema[column].is_numeric()}
    columns = [{"key": column, "label": column.replace("_", " "), "number": column in numbers} for column in kept]
    rows = [{column: _shown(value, names) for column, value in row.items()} for row in frame.iter_rows(named=True)]
    return {"columns": columns, "rows": rows}


def _names_first(frame: pl.DataFrame) -> bool:
    """Tell whether the column `label` names the things of the first column."""
    return frame.columns[1:2] == ["label"] and frame.schema[frame.columns[0]] == pl.String


def _shown(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401 - a cell can be anything
    if isinstance(value, str) and value.startswith(("http://", "https://")) and " " not in value:
        return link(value, names)
    return value


def _behind(query: Query, values: dict[str, str]) -> dict[str, Any]:
    """Return what the foot of a page says about the query behind it."""
    bound = queries.bind(query, values)
    twins = [
        {"label": label, "href": query_href(f"{query.name}.{form}", values)}
        for label, form in (("CSV", "csv"), ("JSON", "json"), ("CSV for spreadsheets", "spreadsheet"))
    ]
    return {"name": query.name, "text": bound, "run_href": url_for("sparql.page", query=bound), "twins": twins}


def _download(frame: pl.DataFrame, form: str, name: str) -> Response:
    suffix = "json" if form == "json" else "csv"
    response = Response(frame_to_text(frame, form), mimetype=_MIME[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return response


@blueprint.get("/search")
def search() -> str | BaseResponse:
    """Show what has the searched words in its name; a single hit is shown at once."""
    words = request.args.get("q", "").strip()
    hits = _hits(words)
    if len(hits) == 1 and hits[0]["href"]:
        return redirect(hits[0]["href"])
    return render_template("search.html", words=words, hits=hits)


@blueprint.get("/api/search")
def api_search() -> Response:
    """Give the first hits of a search as JSON: iri, label, kind, href."""
    return jsonify(_hits(request.args.get("q", "").strip())[:10])


def _hits(words: str) -> list[dict[str, str]]:
    if not words:
        return []
    frame = queries.run(analysis().store, "explore/search", text=words)
    rows = frame.unique("thing", keep="first", maintain_order=True).rows(named=True)
    hits = [{"iri": r["thing"], "label": r["label"], "kind": r["kind"] or "", "href": href(r["thing"])} for r in rows]
    lower = words.lower()
    return sorted(hits, key=lambda hit: (not hit["label"].lower().startswith(lower), hit["label"]))
