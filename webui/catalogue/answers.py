"""Answer a stored or saved query with the values of a request: as a page, as records, or in a standard format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import polars as pl
from flask import Response, current_app, render_template, request, url_for
from werkzeug.http import http_date

from graphkit import queries
from graphkit.errors import GraphkitError, QueryError, UsageError, unknown_name
from graphkit.export import frame_to_text
from graphkit.queries import Query
from graphkit.store.frames import frame_from_tsv
from graphkit.store.pool.reader_pool import Question
from webui.catalogue.choices import Values, faults, fields
from webui.catalogue.snippets import snippets
from webui.catalogue.tables import linked
from webui.frames import frames_of, patience
from webui.linked.reading import reader
from webui.protocol.access import open_to_all, own_address
from webui.protocol.fields import Fields
from webui.protocol.formats import GRAPHS, HTML, Format, negotiate
from webui.protocol.problems import Problem, Refusal, problem_of
from webui.protocol.query import Pick, pick_version, query_id
from webui.protocol.remembering import results
from webui.protocol.results import Given, etag_of, is_repeatable, key_of
from webui.state import settings, store

__all__ = ["Asked", "answered", "offered", "split_suffix", "tagged"]

_RECORDS: Final = Format("json", "application/json", ("text/json", "records"))
_RESULTS_JSON: Final = Format("srj", "application/sparql-results+json", ("sparql-json",))
_RESULTS_XML: Final = Format("xml", "application/sparql-results+xml", ("application/xml", "text/xml", "srx"))
_CSV: Final = Format("csv", "text/csv")
_TSV: Final = Format("tsv", "text/tab-separated-values")
_SPREADSHEET: Final = Format("spreadsheet", "text/csv")
_OFFERED: Final[Mapping[str, tuple[Format, ...]]] = {
    "SELECT": (HTML, _RECORDS, _CSV, _TSV, _RESULTS_JSON, _RESULTS_XML),
    "ASK": (HTML, _RECORDS, _RESULTS_JSON, _RESULTS_XML),
    "CONSTRUCT": (HTML, *GRAPHS),
    "DESCRIBE": (HTML, *GRAPHS),
}
_TITLES: Final = {
    "csv": "CSV", "json": "JSON", "tsv": "TSV", "xml": "SPARQL XML", "srj": "SPARQL JSON", "ttl": "Turtle",
    "spreadsheet": "CSV for spreadsheets", "nt": "N-Triples", "rdf": "RDF/XML", "jsonld": "JSON-LD",
}  # fmt: skip
_ENGINE: Final = {"srj": "json"}
_OF_ROWS: Final = ("SELECT", "ASK")
_OUR_WORDS: Final = ("embed", "format", "lang", "run", "version")
_LINES_SHOWN: Final = 200
_LONGEST_LINK: Final = 6_000
"""What is longer does not fit into an address that every server and browser takes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query with the values and the version that a request asks; `path` is that of its page, without a suffix.

    `title` and `created` stand on the page of a saved query.
    """

    query: Query
    path: str
    title: str = ""
    created: str = ""
    values: Values = field(default_factory=dict)
    pick: Pick = field(default_factory=lambda: Pick(None))


def split_suffix(name: str) -> tuple[str, str]:
    """Cut off a suffix that names a format of answers.

    >>> split_suffix("funding/by-region.csv"), split_suffix("funding/by-region")
    (('funding/by-region', 'csv'), ('funding/by-region', ''))
    """
    stem, dot, suffix = name.rpartition(".")
    known = {form.suffix for forms in _OFFERED.values() for form in forms} | {_SPREADSHEET.suffix, "rq"}
    return (stem, suffix) if dot and suffix in known else (name, "")


def offered(query: Query) -> tuple[Format, ...]:
    """Return the formats in which the answer of a query can be had, the page among them."""
    return _OFFERED[query.form]


def answered(query: Query, path: str, suffix: str = "", *, title: str = "", created: str = "") -> Response:
    """Answer the present request for `query`, whose page is at `path`.

    The format is that of `suffix`, of `?format=` or of the header Accept; `?version=` asks an older version.
    A wrong value is 400: on the page with the reason beside its field, else as an error. An unchanged answer is 304.
    """
    form = _format(query, suffix)
    asked = Asked(query, path, title, created, _values(query), _pick())
    wrong = faults(query, asked.values)
    if form.suffix == "html":
        return _page(asked, wrong)
    if form.suffix == "rq":
        return _text_of(asked, next(iter(wrong.values()), None))
    if wrong:
        raise next(iter(wrong.values()))
    return _data(asked, form)


def _pick() -> Pick:
    """Return the version that the request asks by `?version=` or Accept-Datetime; 404 for one that is not kept."""
    asked = request.args.get("version", "").strip()
    return pick_version(Fields({"version": (asked,)} if asked else {}))


def tagged(response: Response, tag: str) -> Response:
    """Let a response be read from any site and kept: its entity tag, and 304 where the client holds the same.

    (RFC 9110, sections 8.8.3 and 13.)
    """
    if tag:
        response.set_etag(tag)
    response.vary.add("Accept")
    response.headers.setdefault("Cache-Control", "no-cache")
    response.make_conditional(request)
    return open_to_all(response)


# ---- What is asked -----------------------------------------------------------------------------------


def _format(query: Query, suffix: str) -> Format:
    """Choose the format; the text of the query and the spreadsheet come only by name, never by Accept."""
    name = (suffix or request.args.get("format", "")).strip().lower()
    if name == "spreadsheet" and query.form == "SELECT":
        return _SPREADSHEET
    if name == "rq":
        return Format("rq", "application/sparql-query")
    if suffix and suffix not in {form.suffix for form in offered(query)}:
        has = ", ".join(form.suffix for form in offered(query))
        raise Refusal(
            404, f"the answer of a {query.form} query cannot be had as .{suffix}", hint=f"there are: {has}, rq"
        )
    return negotiate(request.headers.get("Accept", ""), offered(query), asked=name)


def _values(query: Query) -> dict[str, tuple[str, ...]]:
    """Return what the request says of each parameter, blanks left out; refuse what the query does not take."""
    known = [parameter.name for parameter in query.parameters]
    for name in request.args:
        if name not in known and name not in _OUR_WORDS:
            error = unknown_name("parameter", name, [*known, *_OUR_WORDS])
            raise UsageError(error.what, where=query.name, hint=error.hint)
    found = {name: tuple(text for each in request.args.getlist(name) if (text := each.strip())) for name in known}
    return {name: chosen for name, chosen in found.items() if chosen}


def _search(values: Values, **more: object) -> str:
    pairs = {name: list(chosen) for name, chosen in values.items()} | more
    return f"?{urlencode(pairs, doseq=True, safe='/:')}" if pairs else ""


# ---- Running -----------------------------------------------------------------------------------------


def _question(asked: Asked, suffix: str) -> Question:
    return Question(
        queries.bind(asked.query, asked.values),
        _ENGINE.get(suffix, suffix),
        version=asked.pick.number,
        max_rows=settings().query_rows if asked.query.form in _OF_ROWS else None,
        client=request.remote_addr or "",
        id=query_id(),
    )


def _ask(asked: Asked, suffix: str) -> Given:
    """Take the answer from those that are kept, or run the query in a process of the pool, within its limits."""
    return results().ask(_question(asked, suffix), asked.pick.version, gone=request.environ.get("graphkit.gone"))


def _tag(asked: Asked, form: Format) -> str:
    """Return the entity tag of an answer, or nothing where the same query may have another answer next time."""
    text = queries.bind(asked.query, asked.values)
    if asked.pick.version is None or not is_repeatable(text):
        return ""
    return etag_of(key_of(_question(asked, form.suffix), asked.pick.version), form.suffix)


def _data(asked: Asked, form: Format) -> Response:
    tag = _tag(asked, form)
    if tag and request.if_none_match.contains_weak(tag):
        return tagged(Response(content_type=form.content_type), tag)
    body, answer = _body(asked, form)
    response = Response(body, content_type=form.content_type)
    if answer.cut:
        response.headers["Graphkit-Cut"], response.headers["Cache-Control"] = (
            f"rows={settings().query_rows}",
            "no-store",
        )
    if answer.version is not None:
        response.headers["Graphkit-Version"] = str(answer.version.number)
    name = asked.path.strip("/").removeprefix("queries/").replace("/", "-")
    ending = {"spreadsheet": "csv"}.get(form.suffix, form.suffix)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    if asked.pick.number and asked.pick.version:
        response.headers["Memento-Datetime"] = http_date(asked.pick.version.time)
    return tagged(response, "" if answer.cut else tag)


def _body(asked: Asked, form: Format) -> tuple[bytes | str, Given]:
    """Return the answer in `form`: CSV and records from a frame with the columns' types, all else from the engine."""
    if asked.query.form == "SELECT" and form.suffix in {"json", "csv", "spreadsheet"}:
        frame, answer = _frame(asked)
        return frame_to_text(frame, form.suffix), answer
    if asked.query.form == "ASK" and form.suffix == "json":
        answer = _ask(asked, "json")
        return json.dumps(json.loads(_whole(answer))["boolean"]) + "\n", answer
    answer = _ask(asked, form.suffix)
    return _whole(answer), answer


def _frame(asked: Asked) -> tuple[pl.DataFrame, Given]:
    answer = _ask(asked, "tsv")
    return frame_from_tsv(_whole(answer)), answer


def _whole(answer: Given) -> bytes:
    return b"".join(answer.chunks())


# ---- The page ----------------------------------------------------------------------------------------


def _text_of(asked: Asked, wrong: GraphkitError | None) -> Response:
    """Give the text of the query with its values in it."""
    if wrong is not None:
        raise wrong
    text = queries.bind(asked.query, asked.values)
    return tagged(
        Response(text, content_type="application/sparql-query; charset=utf-8"),
        hashlib.sha256(text.encode()).hexdigest()[:32],
    )


def _page(asked: Asked, wrong: Mapping[str, UsageError]) -> Response:
    """Show the form, and below it the answer, unless a value is wrong or the query fails.

    A saved query runs only when it is told to (`?run=1`), so that who merely follows a link starts nothing.
    """
    waits = bool(asked.created) and "run" not in request.args
    answer, failed = ({}, None) if wrong or waits else _tried(asked)
    reasons = {name: _in_words(error) for name, error in wrong.items()}
    html = render_template(
        "query.html",
        page="queries",
        asked=asked,
        query=asked.query,
        path=request.script_root + asked.path,
        fields=fields(store(), asked.query, asked.values, reasons),
        version=store().version,
        answer=answer,
        failed=failed,
        waits=waits,
        **({} if wrong else _ways(asked)),
    )
    status = 400 if wrong else failed.status if failed else 200
    response = Response(html, status, headers=failed.headers if failed else None)
    response.vary.add("Accept")
    return response


def _in_words(error: UsageError) -> str:
    """Write an error as sentences."""
    return " ".join(f"{part[:1].upper()}{part[1:]}." for part in (error.what, error.hint) if part)


def _tried(asked: Asked) -> tuple[dict[str, Any], Problem | None]:
    """Return the answer, or why there is none: who reads that beside the form can ask for less."""
    try:
        return _shown(asked), None
    except QueryError as error:
        return {}, problem_of(error)


def _ways(asked: Asked) -> dict[str, Any]:
    """Return all that leads from the page to the same answer elsewhere: links, downloads, snippets, the text."""
    pinned, version = asked.pick.number, asked.pick.version
    search = _search(asked.values, **({"version": pinned} if pinned else {}))
    address, bound = own_address() + asked.path, queries.bind(asked.query, asked.values)
    return {
        "text": bound,
        "text_href": f"{request.script_root}{asked.path}.rq{search}",
        "share": address + search,
        "fixed": address + _search(asked.values, version=version.number) if version else "",
        "downloads": _downloads(asked, search),
        "snippets": snippets(asked.query, address, search, own_address() + "/sparql", asked.values),
        "run_href": url_for("sparql.page", query=bound, version=pinned) if len(bound) < _LONGEST_LINK else "",
    }


def _downloads(asked: Asked, search: str) -> list[dict[str, str]]:
    forms = [form.suffix for form in offered(asked.query) if form.suffix != "html"]
    if asked.query.form == "SELECT":
        forms.insert(2, "spreadsheet")
    return [{"label": _TITLES[form], "href": f"{request.script_root}{asked.path}.{form}{search}"} for form in forms]


def _rows(asked: Asked) -> tuple[pl.DataFrame, bool]:
    """Return the answer for the page, and whether it is cut.

    That of a stored query is kept as a frame. Without values on the newest version it is asked once, with no limit of
    time, in the background: raises `NotReady` where that takes longer than a few seconds.
    """
    version = asked.pick.version
    if asked.created or asked.query.path is None or version is None or settings().query_rows:
        frame, answer = _frame(asked)
        return frame, answer.cut
    kept, key = frames_of(current_app), (version.hash, queries.bind(asked.query, asked.values))
    found, whole = kept.get(key), store()
    if found is None and not asked.values and asked.pick.number is None:
        return kept.made(key, lambda: queries.run(whole, asked.query), patience(), slow=True), False
    if found is None:
        found = queries.run(reader(asked.pick.number), asked.query, **asked.values)
        kept.put(key, found)
    return found, False


def _shown(asked: Asked) -> dict[str, Any]:
    """Return what the page shows of the answer: rows, triples or a verdict."""
    if asked.query.form == "SELECT":
        frame, cut = _rows(asked)
        return {"total": frame.height, "cut": cut, **linked(store(), frame.head(settings().rows_shown))}
    if asked.query.form == "ASK":
        return {"verdict": json.loads(_whole(_ask(asked, "json")))["boolean"]}
    lines = _whole(_ask(asked, "ttl")).decode().splitlines()
    return {"triples": "\n".join(lines[:_LINES_SHOWN]), "lines": len(lines)}
