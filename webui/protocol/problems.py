"""The one place where an error becomes an answer: a page for people, JSON for programs, or plain text."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from graphkit.errors import DataError, GraphkitError, LimitError, QueryError, UnknownNameError, UsageError
from webui.protocol.formats import HTML, Format, best_quality

__all__ = ["Problem", "Refusal", "handle", "problem_of", "register", "shown"]

_PROBLEM: Final = Format("json", "application/problem+json", ("application/json",))
_TEXT: Final = Format("txt", "text/plain")
_OF_LIMITS: Final[Mapping[str, int]] = {"time": 504, "memory": 503, "length": 413, "turn": 503, "stopped": 503}
_FOR_PROGRAMS: Final = ("/api/", "/sparql", "/store", "/.well-known/")
_DATA_SUFFIXES: Final = (".json", ".csv", ".ttl", ".nt", ".jsonld", ".rdf", ".trig", ".nq", ".tsv", ".xml", ".srj")
_BRINGS_DATA: Final = frozenset({"POST", "PUT", "PATCH"})
_AGAIN_SECONDS: Final = 2
_SERVER_FAULT: Final = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """What an answer says of an error: its status, what is wrong, where, what to do next, and further headers."""

    status: int
    what: str
    where: str = ""
    next: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Refusal(HTTPException):
    """A request that is not done, for a reason that its sender should read; raise it from any view.

    `status` is the HTTP status, `headers` go out with the answer (such as WWW-Authenticate or Allow).
    """

    def __init__(
        self, status: int, what: str, *, where: str = "", hint: str = "", headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(what)
        self.code = status
        self.problem = Problem(status, what, where, hint, headers)


def register(app: Flask) -> None:
    """Let every error of `app` be answered here."""
    app.register_error_handler(Exception, handle)


def handle(error: Exception) -> Response:
    """Answer an error in the form that suits the client; what is our own fault is logged and not told."""
    return shown(problem_of(error))


def problem_of(error: Exception) -> Problem:
    """Tell what the answer to an error says.

    Limits of queries: 504 for time, 503 for memory, 413 for length, 503 with Retry-After where the queue is full,
    503 for a query that was ended. Wrong queries and wrong use are 400, unknown names 404, data that a request
    brings and that cannot be read is 400. All else is 500 with a number for the log, and without a word of the
    error, which may name files or addresses.
    """
    if isinstance(error, Refusal):
        return error.problem
    if isinstance(error, HTTPException) and error.code != _SERVER_FAULT:
        return _of_http(error)
    status = _status(error)
    if status == _SERVER_FAULT or not isinstance(error, GraphkitError):
        return _fault(error)
    again = (("Retry-After", str(_AGAIN_SECONDS)),) if _may_wait(error) else ()
    return Problem(status, error.what, error.where, error.hint, again)


def shown(problem: Problem) -> Response:
    """Write a problem as a page, as `application/problem+json` (RFC 9457) or as text, by what the client accepts."""
    form = _form()
    if form is HTML:
        page = render_template(
            "error.html", code=problem.status, what=problem.what, where=problem.where, hint=problem.next
        )
        response = Response(page, problem.status, mimetype=HTML.media_type)
    elif form is _TEXT:
        response = Response(_text(problem), problem.status, mimetype=_TEXT.media_type)
    else:
        response = Response(_json(problem), problem.status, mimetype=_PROBLEM.media_type)
    for name, value in problem.headers:
        response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def _status(error: Exception) -> int:
    if isinstance(error, LimitError):
        return _OF_LIMITS[error.limit]
    if isinstance(error, UnknownNameError):
        return 404
    if isinstance(error, QueryError | UsageError):
        return 400
    if isinstance(error, DataError) and request.method in _BRINGS_DATA:
        return 400
    return _SERVER_FAULT


def _may_wait(error: GraphkitError) -> bool:
    return isinstance(error, LimitError) and error.limit == "turn"


def _of_http(error: HTTPException) -> Problem:
    """Keep the words and the headers (Allow, Retry-After) of an error that Flask or Werkzeug raised."""
    code = error.code or _SERVER_FAULT
    kept = tuple(pair for pair in error.get_headers(request.environ) if pair[0].lower() != "content-type")
    return Problem(code, error.description or error.name, headers=kept)


def _fault(error: Exception) -> Problem:
    number = str(request.environ.get("graphkit.query_id") or uuid4().hex)
    _log.error("fault %s at %s %s", number, request.method, request.path, exc_info=error)
    what = "the service could not answer, and the fault is on its side"
    return Problem(_SERVER_FAULT, what, next=f"try again later; who runs the service finds more in its log at {number}")


def _form() -> Format:
    """Choose the form of an error: a client that asks for RDF alone must still be able to read what was wrong."""
    header, path = request.headers.get("Accept", ""), request.path
    if path.startswith("/api/") or path.endswith(_DATA_SUFFIXES):
        return _PROBLEM
    wanted = {form: best_quality(header, form) for form in (HTML, _PROBLEM, _TEXT)}
    form, quality = max(wanted.items(), key=lambda each: each[1])
    if quality:
        return form
    for_people = not path.startswith(_FOR_PROGRAMS) and not header.partition(",")[0].strip(" */")
    return HTML if for_people else _PROBLEM


def _json(problem: Problem) -> str:
    said = {
        "type": "about:blank",
        "title": HTTP_STATUS_CODES.get(problem.status, "Error"),
        "status": problem.status,
        "detail": problem.what,
        "where": problem.where,
        "next": problem.next,
    }
    return json.dumps({name: value for name, value in said.items() if value}, ensure_ascii=False) + "\n"


def _text(problem: Problem) -> str:
    return "\n".join(part for part in (problem.what, problem.where, problem.next) if part) + "\n"
