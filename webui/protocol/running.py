"""The queries that run: a list for who has the token, and an end for who knows a query's id."""

from __future__ import annotations

import time

from flask import Blueprint, Response, jsonify, request

from graphkit.store.pool.reader_pool import Running
from webui.protocol.access import open_to_all, preflight, require_token
from webui.protocol.problems import Refusal
from webui.protocol.remembering import results
from webui.state import pool

__all__ = ["blueprint"]

blueprint = Blueprint("running", __name__)

_OF_ONE = ("DELETE", "OPTIONS")


@blueprint.get("/sparql/queries")
def running() -> Response:
    """List what runs or waits, the longest first; it needs the token, for it shows who asks what."""
    require_token()
    now = time.monotonic()
    found = sorted(pool().running(), key=lambda each: each.started)
    response = jsonify({"queries": [_told(each, now) for each in found]})
    response.headers["Cache-Control"] = "no-store"
    return response


def _told(query: Running, now: float) -> dict[str, object]:
    return {
        "id": query.id,
        "client": query.client,
        "seconds": round(now - query.started, 3),
        "waits": query.waits,
        "query": query.sparql,
    }


@blueprint.route("/sparql/queries/<id>", methods=_OF_ONE, provide_automatic_options=False)
def one(id: str) -> Response:  # noqa: A002 - the protocol's word
    """End a query (204), or tell that none runs under this id (404).

    No token is needed: the id is a random number of 64 bits or more, which only who asked the query and the
    service's own log know. Who has it may end what it names, and learns nothing.
    """
    if request.method == "OPTIONS":
        return open_to_all(preflight(_OF_ONE))
    if not results().stop(id.lower()):
        raise Refusal(404, "no query runs under this id", hint="it has ended, or the id is not right")
    return open_to_all(Response(status=204))
