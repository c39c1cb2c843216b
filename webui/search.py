"""The search: a page of hits, and the same hits as JSON for the search box and for scripts."""

from __future__ import annotations

from typing import Final, TypedDict

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from graphkit.errors import UsageError
from graphkit.names import MOST_CHARACTERS, MOST_HITS, Hit
from webui.links import href, query_href
from webui.state import names

__all__ = ["blueprint"]

blueprint = Blueprint("search", __name__)

_SUGGESTED: Final = 10


class _Row(TypedDict):
    """A hit as pages and scripts see it."""

    iri: str
    label: str
    kind: str
    href: str
    matched: str
    score: float
    how: str


@blueprint.get("/search")
def page() -> str | BaseResponse:
    """Show what is called like the words; a single hit that has them all is shown at once."""
    words, kind = _asked("q"), _asked("kind")
    hits = names().search(words, MOST_HITS, kind=kind)
    if len(hits) == 1 and hits[0].how not in {"similar", "part"} and (target := href(hits[0].iri)):
        return redirect(target)
    sure = [_row(hit) for hit in hits if hit.how not in {"similar", "part"}]
    unsure = [_row(hit) for hit in hits[len(sure) :]]
    everyone = query_href("explore/organisations")
    cut = len(hits) == MOST_HITS
    return render_template("search.html", words=words, hits=sure, similar=unsure, cut=cut, everyone=everyone)


@blueprint.get("/api/search")
def data() -> Response:
    """Give the hits as JSON, best first: iri, label, kind, href, matched, score, how; `limit` is 10 if none is given.

    Raises `UsageError` where `limit` is no number, and `UnknownNameError` for an unknown `kind`.
    """
    hits = names().search(_asked("q"), _limit(request.args.get("limit", "")), kind=_asked("kind"))
    return jsonify([_row(hit) for hit in hits])


def _asked(name: str) -> str:
    return request.args.get(name, "")[:MOST_CHARACTERS].strip()


def _limit(text: str) -> int:
    """Read how many hits are wanted, from 1 to the most that there are."""
    if not text:
        return _SUGGESTED
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST_HITS):
        raise UsageError(f"the limit is not a number from 1 to {MOST_HITS}", where="limit", hint="write limit=10")
    return int(text[:6])


def _row(hit: Hit) -> _Row:
    return {
        "iri": hit.iri,
        "label": hit.label,
        "kind": hit.kind,
        "href": href(hit.iri),
        "matched": hit.matched,
        "score": hit.score,
        "how": hit.how,
    }
