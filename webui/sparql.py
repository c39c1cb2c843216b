"""The page of the SPARQL endpoint: a form without need of JavaScript, and the answer of a query as a table or text.

The protocol itself is `webui.protocol.query`, which calls these functions for who prefers HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from flask import Response, render_template, url_for

from graphkit import queries
from graphkit.errors import GraphkitError
from graphkit.queries import Query
from graphkit.store.guard import query_form
from webui.links import link, names_of
from webui.protocol.problems import Problem, problem_of
from webui.protocol.results import Given
from webui.state import settings, store

__all__ = ["Shown", "answer_page", "example_page", "form_page"]

_LINE: Final = re.compile(r"(?:line |query:)(\d+)")
_TABLES: Final = ("csv", "json", "tsv", "xml")
_VERDICTS: Final = ("json", "xml")
_GRAPHS: Final = ("ttl", "nt", "rdf", "jsonld", "trig")
_MOST_TEXT: Final = 300_000


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of an answer: a table, triples as Turtle, or a verdict, and where to download it.

    `cut` is True where there are more rows or text than the answer or the page holds; `seconds` is what it took.
    """

    downloads: Sequence[dict[str, str]]
    version: int | None
    seconds: float
    cut: bool = False
    columns: Sequence[dict[str, Any]] | None = None
    rows: Sequence[dict[str, Any]] | None = None
    total: int | None = None
    triples: str | None = None
    verdict: bool | None = None


def form_page() -> Response:
    """Show the form with a query to begin with."""
    return _page(queries.find("explore/organisations").text)


def example_page(name: str) -> Response:
    """Show the form with a stored query; raises `UnknownNameError` where none has this name."""
    return _page(queries.find(name).text, chosen=name)


def answer_page(text: str, run: Callable[[str], Given], address: str) -> Response:
    """Show the form with the query `text` and its answer, or with what is wrong and the status that belongs to it.

    `run` answers the query in the format of a suffix; `address` is that of the answer, to which a format is added
    for each download.
    """
    try:
        return _page(text, shown=_shown(query_form(text), run, address))
    except GraphkitError as error:
        return _page(text, problem=problem_of(error))


def _shown(form: str, run: Callable[[str], Given], address: str) -> Shown:
    if form in {"CONSTRUCT", "DESCRIBE"}:
        answer = run("ttl")
        text = answer.data[:_MOST_TEXT].decode(errors="ignore")
        return _with(answer, _downloads(address, _GRAPHS), triples=text, cut=answer.size > _MOST_TEXT)
    answer = run("json")
    found = json.loads(answer.data)
    if "boolean" in found:
        return _with(answer, _downloads(address, _VERDICTS), verdict=found["boolean"])
    return _with(answer, _downloads(address, _TABLES), **_table(found))


def _with(answer: Given, downloads: Sequence[dict[str, str]], *, cut: bool = False, **parts: Any) -> Shown:  # noqa: ANN401
    version = answer.version.number if answer.version else None
    return Shown(downloads, version, answer.seconds, answer.cut or cut, **parts)


def _table(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the columns and the first rows of an answer, IRIs as links under their names."""
    names: Sequence[str] = answer["head"]["vars"]
    bindings = answer["results"]["bindings"]
    shown = bindings[: settings().rows_shown]
    iris = [term["value"] for row in shown for term in row.values() if term["type"] == "uri"]
    labels = names_of(store(), iris)
    rows = [{name: _cell(row.get(name), labels) for name in names} for row in shown]
    columns = [{"key": name, "label": name, "number": _all_numbers(rows, name)} for name in names]
    return {"columns": columns, "rows": rows, "total": len(bindings)}


def _all_numbers(rows: list[dict[str, Any]], name: str) -> bool:
    values = [row[name] for row in rows if row[name] is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _cell(term: dict[str, Any] | None, labels: dict[str, str]) -> Any:  # noqa: ANN401 - text, number, link or none
    if term is None:
        return None
    if term["type"] == "uri":
        return link(term["value"], labels)
    if term.get("datatype", "").endswith(("#integer", "#decimal", "#double")):
        try:
            return int(term["value"]) if term["datatype"].endswith("#integer") else float(term["value"])
        except ValueError:
            return term["value"]
    return term["value"] if isinstance(term["value"], str) else json.dumps(term["value"], ensure_ascii=False)


def _downloads(address: str, suffixes: Sequence[str]) -> list[dict[str, str]]:
    return [{"label": suffix.upper(), "href": f"{address}&format={suffix}"} for suffix in suffixes]


def _page(text: str, *, chosen: str = "", problem: Problem | None = None, shown: Shown | None = None) -> Response:
    """Fill the template; its variables are text, chosen, groups, error, error_line, seconds, answer."""
    answer = (
        {each.name: value for each in fields(shown) if (value := getattr(shown, each.name)) is not None}
        if shown
        else {}
    )
    response = Response(
        render_template(
            "sparql.html",
            page="sparql",
            text=text,
            chosen=chosen,
            groups=_examples(),
            error=_error(problem) if problem else None,
            error_line=_line(problem) if problem else None,
            seconds=settings().query_seconds,
            answer=answer,
        ),
        problem.status if problem else 200,
        problem.headers if problem else (),
        mimetype="text/html",
    )
    response.headers["Cache-Control"] = "no-store" if problem else "no-cache"
    response.vary.add("Accept")
    return response


def _error(problem: Problem) -> dict[str, str]:
    return {"what": problem.what, "where": problem.where, "hint": problem.next}


def _line(problem: Problem) -> int | None:
    found = _LINE.search(f"{problem.what} {problem.where}")
    return int(found.group(1)) if found else None


def _examples() -> list[dict[str, Any]]:
    """Return the stored SELECT queries as examples, grouped by folder."""
    folders: dict[str, list[Query]] = {}
    for query in queries.catalogue().values():
        if query.form == "SELECT":
            folders.setdefault(query.name.split("/")[0], []).append(query)
    return [
        {"label": folder, "examples": [_example(q) for q in found]}
        for folder, found in folders.items()
        if folder not in {"gaps", "checks"}
    ]


def _example(query: Query) -> dict[str, str]:
    """Return what the form needs of a stored query; its text is fetched by who chooses it."""
    address = url_for("catalogue.query", name=f"{query.name}.rq")
    return {"name": query.name, "label": query.summary, "href": address}
