"""The update operation of the SPARQL 1.1 Protocol at /sparql/update.

The patterns of an update see the default graph by itself and each named graph by its name, as the standard has it;
the union that queries see as their default graph is not offered here, for one would delete from it and find the
statements still there. `using-graph-uri` and `using-named-graph-uri` choose other graphs for all patterns of the
update. Relative addresses are completed by the address of this service. LOAD and SERVICE are refused.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from graphkit.store import Change
from webui.protocol.access import may_write, own_address, reason
from webui.protocol.bodies import MOST_BYTES
from webui.protocol.fields import read_fields
from webui.protocol.problems import Refusal
from webui.protocol.writes import Rejected, commit, rejection, turn, written

__all__ = ["MEDIA_TYPE", "blueprint", "operation"]

blueprint = Blueprint("update", __name__)
blueprint.register_error_handler(Rejected, rejection)

MEDIA_TYPE: Final = "application/sparql-update"


@blueprint.post("/sparql/update")
@may_write
def operation() -> Response:
    """Run an update: 204 and the version that holds it.

    400 for a text that is missing, repeated, malformed or refused, 413 for one of more than `MOST_BYTES`, 415 for
    another kind of body, 422 with the report where the result would break the shapes.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        headers = (("Accept-Encoding", "identity"),)
        raise Refusal(415, "a packed update is not read", hint="send it without packing", headers=headers)
    fields = read_fields("update", MEDIA_TYPE, most_bytes=MOST_BYTES)
    text = fields.one("update")
    if "query" in fields.values:
        raise Refusal(400, "this is the address for updates, and a query was sent", hint="send queries to /sparql")
    if text is None or not text.strip():
        raise Refusal(400, "the update is missing", hint=f"send it as the parameter 'update', or as {MEDIA_TYPE}")
    using, using_named = fields.graphs("using-graph-uri"), fields.graphs("using-named-graph-uri")
    base = f"{own_address()}/sparql/update"

    def act(change: Change) -> None:
        change.update(text, using=using, using_named=using_named, base=base)

    with turn():
        commit(reason("SPARQL update"), act)
        return written(204)
