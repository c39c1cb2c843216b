"""Pack answers for clients that can unpack them: text gets a quarter of its length."""

from __future__ import annotations

import zlib
from typing import Final

__all__ = ["LEAST", "may_shrink", "packed", "takes_gzip"]

Headers = list[tuple[str, str]]

LEAST: Final = 1_000
"""Shorter answers are not packed."""

_MOST: Final = 20_000_000
_LEVEL: Final = 5
_GZIP: Final = 31
_TEXTS: Final = ("text/", "application/json", "application/javascript", "image/svg+xml")
_PLUS: Final = ("+json", "+xml")
_RDF: Final = ("application/n-triples", "application/n-quads", "application/trig")


def packed(headers: Headers, body: bytes, accepted: str) -> tuple[Headers, bytes]:
    """Return headers and body with the body in gzip, where that is accepted and worth it; else both as they are.

    A strong entity tag becomes a weak one, since the bytes differ from those that it named (RFC 9110, 8.8.1); Vary
    tells caches that the answer depends on Accept-Encoding.
    """
    known = dict(headers)
    if not may_shrink(known.get("content-type", "")):
        return headers, body
    varied = [*(each for each in headers if each[0] != "vary"), ("vary", _with(known.get("vary", "")))]
    if "content-encoding" in known or not LEAST <= len(body) <= _MOST or not takes_gzip(accepted):
        return varied, body
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    short = packer.compress(body) + packer.flush()
    kept = [(name, value) for name, value in varied if name not in {"content-length", "etag"}]
    tag = known.get("etag", "")
    weak = [("etag", tag if tag.startswith("W/") else f"W/{tag}")] if tag else []
    return [*kept, *weak, ("content-encoding", "gzip"), ("content-length", str(len(short)))], short


def may_shrink(content_type: str) -> bool:
    """Tell whether a media type is that of a text.

    >>> may_shrink("text/csv; header=present"), may_shrink("image/png")
    (True, False)
    """
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith((*_TEXTS, *_RDF)) or kind.endswith(_PLUS)


def _with(vary: str) -> str:
    return (
        vary if "accept-encoding" in vary.lower() or vary == "*" else ", ".join(filter(None, [vary, "Accept-Encoding"]))
    )


def takes_gzip(accepted: str) -> bool:
    """Tell whether Accept-Encoding names gzip, or anything, with a weight above 0."""
    weights: dict[str, float] = {}
    for each in accepted.lower().split(","):
        name, _, rest = each.strip().partition(";")
        try:
            weights[name.strip()] = float(rest.replace(" ", "").removeprefix("q=") or 1)
        except ValueError:
            weights[name.strip()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0
