"""Read what a SPARQL Protocol request says, strictly: wrong bytes are an error and never replaced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, unquote_to_bytes

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header

from graphkit.store.formats import graph_name
from webui.protocol.problems import Refusal

__all__ = ["FORM", "Fields", "address_of", "pairs_of", "read_fields"]

FORM: Final = "application/x-www-form-urlencoded"

_MOST_FIELDS: Final = 2_000
_BAD_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_UTF8: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})
_QUOTED: Final = {code: quote_plus(chr(code)) for code in range(128)}


@dataclass(frozen=True, slots=True)
class Fields:
    """The parameters of a request, each with its values in their order."""

    values: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str | None:
        """Return a parameter that stands at most once, or None where it is missing; a repeated one is 400."""
        found = self.values.get(name, ())
        if len(found) > 1:
            raise Refusal(400, f"the parameter '{name}' is given {len(found)} times", hint="give it once")
        return found[0] if found else None

    def last(self, name: str) -> str:
        """Return the last value of a parameter, as of those that some clients send twice in two spellings."""
        return self.values.get(name, ("",))[-1]

    def graphs(self, name: str) -> tuple[str, ...]:
        """Return the names of graphs in a parameter that may be repeated; what is no absolute IRI is 400."""
        found = self.values.get(name, ())
        for iri in found:
            graph_name(iri)
        return found


def read_fields(text_parameter: str, text_type: str, *, most_bytes: int) -> Fields:
    """Read the parameters of a SPARQL Protocol request (SPARQL 1.1 Protocol, 2.1 and 2.2).

    `text_parameter` is "query" or "update", `text_type` the media type of a body that is the text itself; such a
    body counts as one more value of the parameter, so that it clashes with one in the address. Raises `Refusal`:
    400 for what cannot be decoded as UTF-8, 413 for a body of more than `most_bytes`, 415 for another kind of body.
    """
    found = pairs_of(request.query_string, "the address")
    if request.method == "POST":
        kind, options = parse_options_header(request.headers.get("Content-Type", ""))
        _check_kind(kind.lower(), options.get("charset", ""), text_type)
        body = _body(most_bytes)
        if kind.lower() == FORM:
            found += pairs_of(body, "the body")
        else:
            found.append((text_parameter, _text(body, "the body")))
    values: dict[str, tuple[str, ...]] = {}
    for name, value in found:
        values[name] = (*values.get(name, ()), value)
    return Fields(values)


def _check_kind(kind: str, charset: str, text_type: str) -> None:
    accepted = (("Accept-Post", f"{text_type}, {FORM}"),)
    if kind not in {FORM, text_type}:
        said = f"not as {kind}" if kind else "and the request does not say what it is"
        hint = "set the header Content-Type"
        raise Refusal(415, f"the body is read as {FORM} or {text_type}, {said}", hint=hint, headers=accepted)
    if charset.lower() not in _UTF8:
        hint = "send it as UTF-8"
        raise Refusal(415, f"the character set '{charset}' is not read", hint=hint, headers=accepted)


def _body(most_bytes: int) -> bytes:
    request.max_content_length = most_bytes
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge as error:
        raise Refusal(413, f"the body is longer than {most_bytes:,} bytes") from error


def pairs_of(data: bytes, where: str) -> list[tuple[str, str]]:
    """Decode `a=1&b=2` as the HTML standard says, except that nothing wrong is let pass."""
    parts = [part for part in data.split(b"&") if part]
    if len(parts) > _MOST_FIELDS:
        raise Refusal(400, f"{where} has more than {_MOST_FIELDS:,} parameters")
    pairs = (part.partition(b"=") for part in parts)
    return [(_decoded(name, where), _decoded(value, where)) for name, _, value in pairs]


def _decoded(data: bytes, where: str) -> str:
    if found := _BAD_PERCENT.search(data):
        shown = data[found.start() : found.start() + 3].decode("ascii", errors="replace")
        raise Refusal(400, f"{where} has a percent sign without two hexadecimal digits: '{shown}'", hint="write %25")
    return _text(unquote_to_bytes(data.replace(b"+", b" ")), where)


def address_of(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Write an address with its parameters; what `urlencode` writes, but quickly, since each answer links to itself.

    >>> address_of("/sparql", [("query", "ASK { ?é a <urn:b> }")])
    '/sparql?query=ASK+%7B+%3F%C3%A9+a+%3Curn%3Ab%3E+%7D'
    """
    return f"{path}?" + "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs)


def _encoded(text: str) -> str:
    return text.translate(_QUOTED) if text.isascii() else quote_plus(text)


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"{where} is not UTF-8: byte {data[error.start]:#04x} at {error.start}"
        raise Refusal(400, what, hint="write every character as UTF-8, in an address percent-encoded") from error
