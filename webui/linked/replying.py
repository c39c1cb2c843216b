"""The headers of a document: its version and its cache, its other forms, what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib import metadata
from typing import Final
from urllib.parse import urlencode

from flask import Response, request
from werkzeug.http import http_date

from webui.i18n.choosing import language
from webui.linked.addresses import FORMS
from webui.protocol.access import open_to_all, own_address
from webui.protocol.formats import HTML, Format, negotiate
from webui.protocol.query import Pick

__all__ = ["choose", "is_held", "reply", "see_other", "tag_of"]

_FOR_EVER: Final = "public, max-age=31536000, immutable"


def choose(form: Format | None) -> Format:
    """Return the format of a document: that of its suffix, else that of `?format=` or of the header Accept.

    Raises `NotAcceptable` with the list of formats.
    """
    return form or negotiate(request.headers.get("Accept", ""), FORMS, asked=request.args.get("format", ""))


def tag_of(pick: Pick, form: Format, *parts: str) -> str:
    """Return the entity tag of a document about a version of the graph, empty where no versions are kept."""
    if pick.version is None:
        return ""
    state = (pick.version.hash, str(pick.version.number), str(pick.number), _software())
    spoken = language() if form.suffix == HTML.suffix else ""
    said = (*state, form.media_type, spoken, request.full_path, own_address(), *parts)
    return sha256("\0".join(said).encode("utf-8", "replace")).hexdigest()[:32]


def is_held(tag: str) -> bool:
    """Tell whether the client holds just this document, so that it need not be made again."""
    return bool(tag) and request.if_none_match.contains_weak(tag)


def see_other(address: str) -> Response:
    """Send a client on to the document about what it asked for (303, RFC 9110, 15.4.4)."""
    response = Response(f"See {address}\n", 303, content_type="text/plain; charset=utf-8")
    response.headers["Location"] = address
    response.headers["Cache-Control"] = "no-cache"
    response.vary.update(("Accept", "Accept-Datetime"))
    return open_to_all(response)


def reply(
    body: str | bytes,
    form: Format,
    pick: Pick,
    tag: str,
    *,
    stem: str,
    about: str,
    negotiated: bool,
    further: Sequence[str] = (),
) -> Response:
    """Give a document with all its headers, or 304 where the client holds it.

    `stem` is the document's address without a suffix, `about` the IRI of what it is about, `negotiated` whether
    the header Accept had a say, `further` more values of the header Link.
    """
    response = Response(body, content_type=form.content_type)
    if negotiated:
        response.vary.add("Accept")
        response.headers["Content-Location"] = _with_search(f"{stem}.{form.suffix}")
    response.vary.add("Accept-Datetime")
    _version_headers(response, pick, tag)
    response.headers["Cache-Control"] = _FOR_EVER if pick.by_number and form.suffix != HTML.suffix else "no-cache"
    for value in (*_links(stem, about, form), *further):
        response.headers.add("Link", value)
    response.make_conditional(request)
    return open_to_all(response)


def _links(stem: str, about: str, form: Format) -> list[str]:
    """Return the links to the other forms, to the thing and to the address without a suffix (RFC 8288)."""
    others = [each for each in FORMS if each.suffix != form.suffix]
    return [
        *(f'<{_with_search(f"{stem}.{each.suffix}")}>; rel="alternate"; type="{each.media_type}"' for each in others),
        f'<{about}>; rel="describes"',
        f'<{_with_search(stem)}>; rel="canonical"',
    ]


def _version_headers(response: Response, pick: Pick, tag: str) -> None:
    """Tell of the version: its number, when it was made, where it and the newest one are (RFC 7089)."""
    version = pick.version
    if tag:
        response.set_etag(tag)
    if version is None:
        return
    response.last_modified = version.time
    response.headers["Graphkit-Version"] = str(version.number)
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name != "version"]
    newest = request.script_root + request.path + (f"?{urlencode(pairs)}" if pairs else "")
    pinned = f"{request.script_root}{request.path}?{urlencode([*pairs, ('version', version.number)])}"
    response.headers.add("Link", f'<{newest}>; rel="original timegate latest-version"')
    response.headers.add("Link", f'<{pinned}>; rel="memento"; datetime="{http_date(version.time)}"')
    if pick.number is not None:
        response.headers["Memento-Datetime"] = http_date(version.time)


@lru_cache(maxsize=1)
def _software() -> str:
    """Return the release of the software, with which the form of the pages may change."""
    return metadata.version("solidarity-graphkit")


def _with_search(address: str) -> str:
    """Keep the version, the page and the wish for provenance in another address of the same document."""
    kept = {name: request.args[name] for name in ("version", "page", "provenance") if name in request.args}
    return f"{address}?{urlencode(kept)}" if kept else address
