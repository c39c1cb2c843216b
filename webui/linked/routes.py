"""The addresses of linked data, and what their answers have in common: any site may read them."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from webui.linked import things, versions, vocabulary
from webui.linked.reading import Unknown
from webui.links import link
from webui.protocol.access import open_to_all, preflight
from webui.protocol.formats import HTML
from webui.protocol.problems import handle

__all__ = ["blueprint"]

_METHODS = ("GET", "HEAD", "OPTIONS")

blueprint = Blueprint("linked", __name__)
for part in (things, vocabulary, versions):
    part.register(blueprint)


@blueprint.before_request
def _options() -> Response | None:
    """Answer OPTIONS, also before a page of another site reads with headers of its own."""
    return preflight(_METHODS) if request.method == "OPTIONS" else None


@blueprint.errorhandler(Unknown)
def _unknown(error: Unknown) -> Response:
    """Show people the way on as links; programs get the problem as data."""
    response = handle(error)
    if response.mimetype == HTML.media_type:
        near = [link(hit.iri, {hit.iri: hit.label}) for hit in error.near]
        name = error.iri.rpartition("/")[2]
        page = render_template(
            "unknown.html", name=name, where=error.iri, near=near, before=error.before, old=error.old
        )
        response.set_data(page)
    return response


@blueprint.after_request
def _readable_everywhere(response: Response) -> Response:
    """Let pages of any site read every answer, errors too."""
    return open_to_all(response)
