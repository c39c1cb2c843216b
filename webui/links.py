"""From IRIs to addresses of pages and back, and the names of things for display."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypedDict
from urllib.parse import quote, urlencode

from flask import url_for

from graphkit import queries
from graphkit.store.base import Readable
from graphkit.terms import QUERY, compact
from webui.i18n.choosing import gettext
from webui.linked.addresses import address_of

__all__ = ["Link", "href", "link", "names_of", "place_words", "query_href"]

_CODED: Final = re.compile(r"(.+) \(([A-Z]{2}[A-Z0-9]{0,3}|[EKNSW]\d{8})\)")
_PLACE: Final = "place/"
_MOST_CHARACTERS: Final = 100_000
_NUTS: Final = 2
_GSS: Final = 9


class Link(TypedDict):
    """A name and where it leads; an empty `href` is plain text."""

    label: str
    href: str


def href(iri: str) -> str:
    """Return the address of the page about `iri`: here for our own things, elsewhere for http(s), else empty.

    For our own things it is the address of the document, to which the thing's own address would only send on.
    """
    if own := address_of(iri):
        return own
    if iri.startswith(QUERY) and "#" not in iri:
        return query_href(iri.removeprefix(QUERY))
    return quote(iri, safe=":/?#[]@!$&'()*+,;=%-._~") if iri.startswith(("http://", "https://")) else ""


def link(iri: str, names: Mapping[str, str]) -> Link:
    """Return a link to `iri` under its name."""
    return {"label": names.get(iri, compact(iri)), "href": href(iri)}


def query_href(name: str, values: Mapping[str, str | Sequence[str]] | None = None) -> str:
    """Return the address of the page that runs a stored query with `values`."""
    address = url_for("catalogue.query", name=name)
    return f"{address}?{urlencode(values, doseq=True)}" if values else address


def names_of(store: Readable, iris: Iterable[str]) -> dict[str, str]:
    """Return the names of many things; what has none is left out. So many are asked for at once as a query can hold."""
    wanted = sorted({iri for iri in iris if iri.startswith(("http://", "https://"))})
    found: dict[str, str] = {}
    for some in _in_parts(wanted):
        frame = queries.run(store, "explore/labels", thing=some)
        found |= dict(frame.select("thing", "label").unique("thing", keep="first", maintain_order=True).rows())
    return found


def _in_parts(iris: Sequence[str]) -> Iterator[list[str]]:
    """Divide IRIs into parts of at most `_MOST_CHARACTERS` each."""
    part, length = list[str](), 0
    for iri in iris:
        if part and length + len(iri) > _MOST_CHARACTERS:
            yield part
            part, length = [], 0
        part.append(iri)
        length += len(iri) + 3
    if part:
        yield part


def place_words(label: str, address: str) -> str:
    """Return the name of a place of a code list with what it is instead of its code; any other name as it is.

    `address` is the IRI or the address of the thing that is called so.

    >>> place_words("Wiltshire (E06000054)", "/doc/place/gss-e06000054"), place_words("Dorset (UKK22)", "/doc/place/x")
    ('Wiltshire, local authority', 'Dorset, NUTS 3')
    """
    coded = _CODED.fullmatch(label) if _PLACE in address else None
    if coded is None:
        return label
    digits = len(coded[2])
    kind = (
        gettext("local authority")
        if digits == _GSS
        else gettext("country")
        if digits == _NUTS
        else gettext("NUTS %(level)s", level=digits - _NUTS)
    )
    return f"{coded[1]}, {kind}"
