"""The SPARQL page: a form that runs a query read only, within limits, and shows or downloads its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from graphkit import queries
from graphkit.errors import GraphkitError
from graphkit.queries import Query
from graphkit.store import answer_within
from webui.links import link, names_of
from webui.state import analysis, settings

__all__ = ["blueprint"]

blueprint = Blueprint("sparql", __name__)

_DOWNLOADS = {
    "csv": ("text/csv", "csv"),
    "tsv": ("text/tab-separated-values", "tsv"),
    "json": ("application/sparql-results+json", "json"),
    "xml": ("application/sparql-results+xml", "xml"),
    "ttl": ("text/turtle", "ttl"),
    "nt": ("application/n-triples", "nt"),
}
_LINE = re.compile(r"(?:line |query:)(\d+)")


@blueprint.get("/sparql")
def page() -> str | Response | tuple[str, int]:
    """Show the form; with a query, its answer; with a format, the answer as a file."""
    text, example = request.args.get("query", ""), request.args.get("example", "")
    if request.args.get("load") and example:
        return _form(queries.find(example).text, chosen=example)
    if not text:
        return _form(_first_text())
    try:
        return _answer(text, request.args.get("format", ""))
    except GraphkitError as error:
        return _form(text, error=error), 400


def _answer(text: str, form: str) -> str | Response:
    """Run the query in a process of its own, and show its answer as a table or give it as a file."""
    query = queries.parse_query(text, "query")
    if form in _DOWNLOADS:
        media, suffix = _DOWNLOADS[form]
        response = Response(_run(text, suffix), mimetype=media)
        response.headers["Content-Disposition"] = f'attachment; filename="answer.{suffix}"'
        return response
    if query.form in {"CONSTRUCT", "DESCRIBE"}:
        return _form(text, triples=_run(text, "ttl").decode(), downloads=_downloads(text, ("ttl", "nt")))
    answer = json.loads(_run(text, "json"))
    if "boolean" in answer:
        return _form(text, verdict=answer["boolean"], downloads=_downloads(text, ("json", "xml")))
    return _form(text, **_table(answer), downloads=_downloads(text, ("csv", "json", "tsv", "xml")))


def _run(text: str, suffix: str) -> bytes:
    limits = settings()
    return answer_within(analysis().store, text, suffix, seconds=limits.query_seconds, max_bytes=limits.query_bytes)


def _table(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the columns and the first rows of an answer, IRIs as links under their names."""
    names: Sequence[str] = answer["head"]["vars"]
    bindings = answer["results"]["bindings"]
    shown = bindings[: settings().rows_shown]
    iris = [term["value"] for row in shown for term in row.values() if term["type"] == "uri"]
    labels = names_of(analysis().store, iris)
    rows = [{name: _cell(row.get(name), labels) for name in names} for row in shown]
    columns = [{"key": name, "label": name, "number": _all_numbers(rows, name)} for name in names]
    return {"columns": columns, "rows": rows, "total": len(bindings)}


def _all_numbers(rows: list[dict[str, Any]], name: str) -> bool:
    values = [row[name] for row in rows if row[name] is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _cell(term: dict[str, str] | None, labels: dict[str, str]) -> Any:  # noqa: ANN401 - text, number, link or none
    if term is None:
        return None
    if term["type"] == "uri":
        return link(term["value"], labels)
    if term.get("datatype", "").endswith(("#integer", "#decimal", "#double")):
        try:
            return int(term["value"]) if term["datatype"].endswith("#integer") else float(term["value"])
        except ValueError:
            return term["value"]
    return term["value"]


def _downloads(text: str, forms: Sequence[str]) -> list[dict[str, str]]:
    return [{"label": form.upper(), "href": url_for("sparql.page", query=text, format=form)} for form in forms]


def _form(text: str, *, chosen: str = "", error: GraphkitError | None = None, **answer: Any) -> str:  # noqa: ANN401
    line = _LINE.search(str(error)) if error else None
    return render_template(
        "sparql.html",
        page="sparql",
        text=text,
        chosen=chosen,
        groups=_examples(),
        error=error,
        error_line=int(line.group(1)) if line else None,
        seconds=settings().query_seconds,
        answer=answer,
    )


def _examples() -> list[dict[str, Any]]:
    """Return the stored SELECT queries as examples, grouped by folder."""
    folders: dict[str, list[Query]] = {}
    for query in queries.catalogue().values():
        if query.form == "SELECT":
            folders.setdefault(query.name.split("/")[0], []).append(query)
    return [
        {"label": folder, "examples": [{"name": q.name, "label": q.summary, "text": q.text} for q in found]}
        for folder, found in folders.items()
        if folder not in {"gaps", "checks"}
    ]


def _first_text() -> str:
    return queries.find("explore/organisations").text
