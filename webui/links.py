"""From IRIs to addresses of pages and back, and the names of things for display."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict
from urllib.parse import quote, urlencode

from flask import url_for

from graphkit import queries
from graphkit.store import Store
from graphkit.terms import ID, PREFIXES, compact

__all__ = ["Link", "href", "link", "names_of", "query_href"]

_VOCABULARY = PREFIXES["voc"]


class Link(TypedDict):
    """A name and where it leads; an empty `href` is plain text."""

    label: str
    href: str


def href(iri: str) -> str:
    """Return the address of the page about `iri`: here for our own things, elsewhere for http(s), else empty."""
    if iri.startswith(ID):
        return url_for("pages.thing", path=iri.removeprefix(ID))
    if iri.startswith((_VOCABULARY, PREFIXES["sol"])):
        return url_for("pages.concept", iri=iri)
    return quote(iri, safe=":/?#[]@!$&'()*+,;=%-._~") if iri.startswith(("http://", "https://")) else ""


def link(iri: str, names: Mapping[str, str]) -> Link:
    """Return a link to `iri` under its name."""
    return {"label": names.get(iri, compact(iri)), "href": href(iri)}


def query_href(name: str, values: Mapping[str, str] | None = None) -> str:
    """Return the address of the page that runs a stored query with `values`."""
    address = url_for("pages.stored_query", name=name)
    return f"{address}?{urlencode(values)}" if values else address


def names_of(store: Store, iris: Iterable[str]) -> dict[str, str]:
    """Return the names of many things in one query; what has none is left out."""
    wanted = sorted({iri for iri in iris if iri.startswith(("http://", "https://"))})
    if not wanted:
        return {}
    frame = queries.run(store, "explore/labels", thing=wanted)
    return dict(frame.select("thing", "label").unique("thing", keep="first", maintain_order=True).rows())
