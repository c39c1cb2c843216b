"""The query operation of the SPARQL 1.1 Protocol at /sparql, with caching, versions and Memento.

Beside the parameters of the standard (`query`, `default-graph-uri`, `named-graph-uri`) there are: `format` (a suffix
or media type, which wins over the header Accept), `timeout` (seconds) and `rows`, which can only lower the limits of
the service, and `version` (the number of the version to ask). The header Accept-Datetime asks the version that was
the newest at that time (Memento, RFC 7089).

Headers of an answer: `Graphkit-Version` is the number of the version that was asked. `Query-Id` names the query, so
that DELETE /sparql/queries/<id> can end it; a client that wants to do so before the answer comes sends its own
(a UUID, or 16 to 64 hexadecimal digits). `Graphkit-Cut: rows=N` says that only the first N rows are here; such an
answer has no entity tag and is not cached. `Memento-Datetime` stands on an answer about a version that was asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import NotAcceptable
from werkzeug.http import http_date, parse_date

from graphkit import queries
from graphkit.errors import DataError, LimitError, QueryError
from graphkit.store import Version
from graphkit.store.guard import query_form
from graphkit.store.pool.reader_pool import Question
from webui import sparql
from webui.protocol import description, update
from webui.protocol.access import open_to_all, preflight
from webui.protocol.fields import Fields, address_of, read_fields
from webui.protocol.formats import GRAPHS, HTML, QUADS, RESULTS, Format, negotiate
from webui.protocol.problems import Refusal
from webui.protocol.remembering import keep_response, results
from webui.protocol.results import Given, etag_of, is_repeatable, key_of
from webui.state import pool, settings, store

__all__ = ["Pick", "blueprint", "pick_version", "query_id"]

blueprint = Blueprint("sparql", __name__)

_METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS")
_MOST_BYTES: Final = 3_000_000
_LONGEST_EXPLAINED: Final = 5_000
_FIRST_ERROR: Final = 400
_OF_GRAPHS: Final = frozenset({"CONSTRUCT", "DESCRIBE"})
_OF_A_QUERY: Final = ("default-graph-uri", "named-graph-uri", "version", "rows", "timeout", "update")
_ID: Final = re.compile(r"[0-9a-f]{16,64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_SECONDS: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_LONGEST_LINK: Final = 1_500
_VARY: Final = ("Accept", "Accept-Datetime", "Accept-Encoding")


@dataclass(frozen=True, slots=True)
class Pick:
    """The version that a request asks: by its number, by a time, or simply the newest; None where none is kept."""

    version: Version | None
    by_number: bool = False
    by_time: bool = False

    @property
    def number(self) -> int | None:
        """The number to ask the pool for, None for the newest."""
        return self.version.number if self.version and (self.by_number or self.by_time) else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query as it was asked, with the form of its answer."""

    fields: Fields
    question: Question
    form: Format
    pick: Pick


@blueprint.after_request
def _readable_everywhere(response: Response) -> Response:
    """Let pages of any site read every answer, errors too, and let an error name the query that it is about."""
    id = request.environ.get("graphkit.query_id")  # noqa: A001 - the protocol's word
    if id and response.status_code >= _FIRST_ERROR:
        response.headers["Query-Id"] = str(id)
    return open_to_all(response)


@blueprint.route("/sparql", methods=_METHODS, endpoint="page", provide_automatic_options=False)
def operation() -> Response:
    """Answer a query, as data or as a page; without one show the form to people and the description to programs."""
    if request.method == "OPTIONS":
        return preflight(_METHODS)
    if request.mimetype == update.MEDIA_TYPE:
        return update.operation()
    fields = read_fields("query", "application/sparql-query", most_bytes=_MOST_BYTES)
    if fault := request.environ.get("graphkit.fault"):
        raise _explained(fault, fields.last("query")) if isinstance(fault, QueryError) else fault
    if request.method == "POST" and "update" in fields.values and "query" not in fields.values:
        return update.operation()
    text = fields.one("query")
    if fields.one("load") and (example := fields.one("example")):
        return sparql.example_page(example)
    if not text:
        return _without_query(fields)
    asked = _read(fields, text)
    return _page(asked) if asked.form.suffix == HTML.suffix else _data(asked)


def pick_version(fields: Fields) -> Pick:
    """Find the version that `?version=` or the header Accept-Datetime asks for; 404 where it is not kept.

    A time before the first version gives the first, as RFC 7089 has it (4.5.3); a time that cannot be read is 400.
    """
    number, when, newest = fields.one("version"), request.headers.get("Accept-Datetime"), store().version
    if number is not None:
        return Pick(_numbered(number, newest), by_number=True)
    if when is None or newest is None:
        return Pick(newest)
    moment = _moment(when)
    if moment is None:
        hint = f"write it like this: {http_date(newest.time)}"
        raise Refusal(400, "the header Accept-Datetime holds no date", where=when, hint=hint)
    kept = store().versions()
    return Pick(
        max((each for each in kept if each.time <= moment), key=_age, default=min(kept, key=_age)), by_time=True
    )


def _moment(when: str) -> datetime | None:
    """Read a date of HTTP; a year of many digits is none."""
    try:
        return parse_date(when)
    except OverflowError:
        return None


def query_id() -> str:
    """Return the id of the present query: that of the client's header Query-Id, the server's, or a new one.

    An id under which another query runs is refused (409): two could not be told apart.
    """
    own = request.headers.get("Query-Id", "")
    if own and not _ID.fullmatch(own):
        raise Refusal(400, "the header Query-Id takes a UUID, or 16 to 64 hexadecimal digits", where=own[:80])
    if own and any(each.id == own.lower() for each in pool().running()):
        raise Refusal(409, "another query runs under this Query-Id", where=own, hint="choose a new one at random")
    found = own.lower() or str(request.environ.get("graphkit.query_id") or uuid4().hex)
    request.environ["graphkit.query_id"] = found
    return found


# ---- Reading ---------------------------------------------------------------------------------


def _without_query(fields: Fields) -> Response:
    """Answer a request without a query; one that says how to answer a query has forgotten it."""
    asked, empty = fields.last("format"), "query" in fields.values
    forgotten = request.method == "POST" or any(name in fields.values for name in _OF_A_QUERY)
    try:
        form = negotiate(request.headers.get("Accept", ""), (*GRAPHS, *QUADS, HTML), asked=asked)
    except NotAcceptable:
        if not asked:
            raise _no_query(fields) from None
        raise
    if form.suffix == HTML.suffix:
        return sparql.form_page()
    if forgotten or empty:
        raise _no_query(fields)
    return description.response(form)


def _no_query(fields: Fields) -> Refusal:
    if "update" in fields.values:
        return Refusal(400, "an update is not done here", hint="send it to /sparql/update with POST and the token")
    return Refusal(400, "the parameter 'query' is missing", hint="give the text of a SPARQL query")


def _read(fields: Fields, text: str) -> _Asked:
    kind = query_form(text)
    offered = (*GRAPHS, *QUADS, HTML) if kind in _OF_GRAPHS else (*RESULTS, HTML)
    form = negotiate(request.headers.get("Accept", ""), offered, asked=fields.last("format"))
    pick = pick_version(fields)
    question = Question(
        sparql=text,
        media_type=form.suffix,
        version=pick.number,
        default_graphs=fields.graphs("default-graph-uri"),
        named_graphs=fields.graphs("named-graph-uri"),
        seconds=_seconds(fields),
        max_rows=_rows(fields) if kind not in _OF_GRAPHS else None,
        client=request.remote_addr or "",
        id=query_id(),
    )
    return _Asked(fields, question, form, pick)


def _numbered(text: str, newest: Version | None) -> Version:
    if not _COUNT.fullmatch(text):
        raise Refusal(400, f"'{text[:40]}' is no number of a version", where="version")
    if newest is None:
        raise Refusal(404, "this service keeps no versions", hint="ask without 'version'")
    kept = {each.number: each for each in store().versions()}
    if int(text) not in kept:
        hint = f"kept are {min(kept)} to {max(kept)}" if kept else "none is kept"
        raise Refusal(404, f"version {text} is not kept", where="version", hint=hint)
    return kept[int(text)]


def _age(version: Version) -> tuple[datetime, int]:
    return version.time, version.number


def _seconds(fields: Fields) -> float:
    """Return the time that the query may take: `?timeout=`, if that is less than the limit."""
    text, most = fields.one("timeout"), settings().query_seconds
    if text is None:
        return most
    if not _SECONDS.fullmatch(text) or not float(text):
        raise Refusal(400, f"'{text[:40]}' is no time in seconds", where="timeout", hint=f"give up to {most:g}")
    return min(float(text), most)


def _rows(fields: Fields) -> int | None:
    """Return how many rows the answer may have: the lower one of `?rows=` and the limit."""
    text, most = fields.one("rows"), settings().query_rows
    if text is None:
        return most
    if not _COUNT.fullmatch(text) or not int(text):
        raise Refusal(400, f"'{text[:40]}' is no number of rows", where="rows", hint="give 1 or more")
    return int(text) if most is None else min(int(text), most)


# ---- Answering -------------------------------------------------------------------------------


def _page(asked: _Asked) -> Response:
    """Show the answer, or what is wrong with the query, under the form."""

    def run(suffix: str) -> Given:
        return _run(asked, suffix)

    kept = [(name, value) for name, values in asked.fields.values.items() for value in values]
    shared = urlencode([pair for pair in kept if pair[0] not in {"format", "load", "example"}])
    response = sparql.answer_page(asked.question.sparql, run, f"{request.script_root}{request.path}?{shared}")
    response.vary.update(_VARY)
    response.headers["Query-Id"] = asked.question.id
    return response


def _run(asked: _Asked, suffix: str) -> Given:
    question = replace(asked.question, media_type=suffix)
    try:
        return results().ask(question, asked.pick.version, gone=request.environ.get("graphkit.gone"))
    except QueryError as error:
        raise _explained(error, question.sparql) from error


def _explained(error: QueryError, text: str) -> QueryError:
    """Say in the words of our own reader why a query cannot be read: it knows an open bracket from a wrong one."""
    is_syntax = error.where.startswith("line ") and not isinstance(error, LimitError)
    if not is_syntax or len(text) > _LONGEST_EXPLAINED or "#+" in text:
        return error
    try:
        queries.parse_query(text, "query")
    except DataError as fault:
        where = f"line {fault.where.rpartition(':')[2]}"
        return QueryError(f"the query cannot be read: {fault.what}", where=where, hint=fault.hint)
    return error


def _data(asked: _Asked) -> Response:
    """Answer with data, or with 304 where the client holds the present answer."""
    lasting = is_repeatable(asked.question.sparql)
    content_type = _content_type(asked)
    if lasting and asked.pick.version and _holds(etag_of(key_of(asked.question, asked.pick.version), content_type)):
        etag = etag_of(key_of(asked.question, asked.pick.version), content_type)
        return _described(Response(status=304), asked, asked.pick.version, etag)
    answer = _run(asked, asked.form.suffix)
    response = Response(answer.chunks(), content_type=content_type)
    response.content_length = answer.size
    response.headers["Query-Id"] = asked.question.id
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if asked.fields.last("format"):
        response.headers["Content-Disposition"] = f'attachment; filename="answer.{asked.form.suffix}"'
    if answer.cut or not lasting or answer.version is None:
        return _fleeting(response, asked, answer)
    key = key_of(asked.question, answer.version)
    etag = etag_of(key, content_type)
    _described(response, asked, answer.version, etag)
    keep_response(key, answer, etag, pinned=asked.pick.by_number)
    return _unless_unchanged(response, answer.version)


def _content_type(asked: _Asked) -> str:
    """Return the Content-Type; that of CSV says whether a line of names comes first (RFC 4180).

    The standard gives CSV and TSV to SELECT only. The answer to ASK in them is the bare word true or false.
    """
    if asked.form.suffix != "csv":
        return asked.form.content_type
    header = "absent" if query_form(asked.question.sparql) == "ASK" else "present"
    return f"{asked.form.content_type}; header={header}"


def _holds(etag: str) -> bool:
    """Tell whether a GET or HEAD request says that the client holds the answer with this tag."""
    return request.method in {"GET", "HEAD"} and etag in request.if_none_match.as_set(include_weak=True)


def _fleeting(response: Response, asked: _Asked, answer: Given) -> Response:
    """Mark an answer that must not be kept: it is cut, or would differ the next time, or has no version."""
    response.headers["Cache-Control"] = "no-store"
    response.vary.update(_VARY)
    if answer.cut:
        rows = asked.question.max_rows
        response.headers["Graphkit-Cut"] = "rows" if rows is None else f"rows={rows}"
    if answer.version:
        response.headers["Graphkit-Version"] = str(answer.version.number)
    return response


def _described(response: Response, asked: _Asked, version: Version, etag: str) -> Response:
    """Set the headers that tell of the version and of how long the answer holds."""
    pick = asked.pick
    response.headers["Graphkit-Version"] = str(version.number)
    response.headers["Cache-Control"] = _FOR_EVER if pick.by_number else "no-cache"
    response.vary.update(_VARY)
    if request.method == "POST":
        return response
    response.set_etag(etag)
    response.last_modified = version.time
    if pick.by_number or pick.by_time:
        response.headers["Memento-Datetime"] = http_date(version.time)
    _link(response, asked, version)
    return response


def _link(response: Response, asked: _Asked, version: Version) -> None:
    """Link the page of the version, and the same question to this and to the newest one (RFC 7089, RFC 5829).

    The latter two are left out where their addresses are long.
    """
    response.headers.add("Link", f'<{url_for("linked.version", number=version.number)}>; rel="describedby"')
    pairs = [(n, value) for n, values in asked.fields.values.items() if n != "version" for value in values]
    newest = address_of(f"{request.script_root}{request.path}", pairs)
    pinned = f"{newest}&version={version.number}"
    if len(pinned) > _LONGEST_LINK:
        return
    response.headers.add("Link", f'<{newest}>; rel="original timegate latest-version"')
    response.headers.add("Link", f'<{pinned}>; rel="memento"; datetime="{http_date(version.time)}"')
    if asked.pick.by_time:
        response.headers["Content-Location"] = pinned


def _unless_unchanged(response: Response, version: Version) -> Response:
    """Make it 304 where the client says so by a time or by `*`; the tag was looked at before the query ran."""
    if request.method not in {"GET", "HEAD"}:
        return response
    since, tags = request.if_modified_since, request.if_none_match
    if tags.star_tag or (since and not tags and version.time.astimezone(UTC) <= since):
        response.status_code = 304
        response.response = []
        for name in ("Content-Length", "Content-Type", "Content-Disposition"):
            response.headers.pop(name, None)
    return response
