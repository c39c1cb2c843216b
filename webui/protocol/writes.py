"""What every write over HTTP has in common: its turn, the check against the shapes, and what the answer tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

import polars as pl
from flask import Response, current_app, request
from werkzeug.exceptions import NotAcceptable

from graphkit.check import check_change, report
from graphkit.errors import LimitError
from graphkit.store import Change, Version
from webui.protocol.access import writer
from webui.protocol.formats import GRAPHS, Format, negotiate
from webui.protocol.problems import Refusal
from webui.state import settings, store

__all__ = ["Rejected", "commit", "rejection", "state_tag", "turn", "written"]

_TURN: Final = "graphkit.turn"
_PATIENCE_SECONDS: Final = 30.0
_HASH_SIGNS: Final = 16
_PROBLEM: Final = Format("json", "application/problem+json", ("application/json",))


class Rejected(Exception):  # noqa: N818 - it is an answer, not a fault
    """A write that would break the shapes; `findings` are the rows of `graphkit.check` that it would add."""

    def __init__(self, findings: pl.DataFrame) -> None:
        super().__init__("the write would break the shapes")
        self.findings = findings


@contextmanager
def turn() -> Iterator[None]:
    """Let one write after the other in, from its preconditions to its version.

    Raises `LimitError` (503 with Retry-After) for who has waited half a minute, and `Refusal` (403) where the store
    was opened for reading only.
    """
    if store().read_only:
        hint = "who runs the service opened its store for reading only"
        raise Refusal(403, "this graph cannot be changed here", hint=hint)
    lock: Lock = current_app.extensions.setdefault(_TURN, Lock())
    if not lock.acquire(timeout=_PATIENCE_SECONDS):
        raise LimitError("others are writing, and the turn of this write did not come", limit="turn", hint="try again")
    try:
        yield
    finally:
        lock.release()


def commit(why: str, act: Callable[[Change], object]) -> None:
    """Do `act` as one change and make a version; to be called inside `turn`.

    With `Settings.check_writes` it is first done on a copy, and `Rejected` is raised where that brings a finding
    which the graph has not yet and whose severity is "violation". What was wrong before does not hinder a write.
    An error leaves all as it was. Blank nodes so alike that naming them takes more than 10 seconds are refused. The
    engine cannot be stopped in the middle of an update: one that runs away holds up other writes until the service
    is started again, while queries go on. Only holders of the token can do that.
    """
    if settings().check_writes:
        findings = check_change(store(), act)
        if "violation" in findings["severity"]:
            raise Rejected(findings)
    with store().change(why, who=writer()) as change:
        act(change)


def state_tag(version: Version) -> str:
    """Return the part of an entity tag that names a version: its number and the start of its hash."""
    return f"{version.number}-{version.hash[:_HASH_SIGNS]}"


def written(status: int) -> Response:
    """Answer a write that is done, with the version that holds it; an endpoint behind the service keeps none."""
    response = Response(status=status)
    del response.headers["Content-Type"]
    if version := store().version:
        response.headers["Graphkit-Version"] = str(version.number)
        response.set_etag(state_tag(version))
    response.headers["Cache-Control"] = "no-store"
    return response


def rejection(error: Rejected) -> Response:
    """Answer a rejected write with 422 and the report: a `sh:ValidationReport` in RDF, or a problem in JSON."""
    try:
        form = negotiate(request.headers.get("Accept", ""), (GRAPHS[0], _PROBLEM, *GRAPHS[1:]))
    except NotAcceptable:
        form = GRAPHS[0]
    is_problem = form.suffix == _PROBLEM.suffix
    body = _problem(error.findings) if is_problem else report(error.findings, form.suffix)
    response = Response(body, 422, content_type=form.content_type)
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def _problem(findings: pl.DataFrame) -> bytes:
    said = {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "what was sent does not keep to the shapes, and nothing is stored",
        "next": "mend what the findings say, and send it again",
        "findings": findings.to_dicts(),
    }
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"
