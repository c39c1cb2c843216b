"""Which version of the graph a request is about, a way to read it, and what it knows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from flask import request

from graphkit import queries
from graphkit.errors import QueryError, UsageError
from graphkit.names import Hit
from graphkit.queries import Query
from graphkit.store import Version
from graphkit.store.base import Readable
from graphkit.terms import compact
from webui.protocol.fields import Fields
from webui.protocol.problems import Refusal
from webui.protocol.query import Pick, pick_version
from webui.state import names, pool, store

__all__ = ["Unknown", "gone_or_unknown", "is_known", "known_before", "pick", "reader", "version_numbered"]

_MOST_OLD_VERSIONS: Final = 3
_MOST_NEAR: Final = 4
_DIGITS: Final = 10
_KNOWN: Final = """#+ summary: Whether the graph says anything about a thing
#+ params:
#+   thing: {type: iri, label: Thing}
ASK { VALUES ?thing { UNDEF } { ?thing ?property ?value } UNION { ?subject ?property ?thing } }
"""
_log = logging.getLogger(__name__)


def pick() -> Pick:
    """Find the version that a request is about: by `?version=`, by the header Accept-Datetime, else the newest."""
    return pick_version(Fields({name: tuple(values) for name, values in request.args.lists()}))


def reader(number: int | None = None) -> Readable:
    """Return a way to ask a version (None: the newest) within the limits of the service."""
    return pool().view(version=number, client=request.remote_addr or "")


def version_numbered(number: int) -> Version:
    """Return a kept version; `Refusal` 404 with the last numbers where it is not kept."""
    kept = {version.number: version for version in store().versions()}
    if number not in kept:
        numbers = ", ".join(map(str, list(kept)[-_DIGITS:])) or "none"
        raise Refusal(404, f"version {number} is not kept", hint=f"the last that are kept: {numbers}; see /versions")
    return kept[number]


def is_known(iri: str, graph: Readable) -> bool:
    """Tell whether a version of the graph says anything about `iri`, as subject or as value."""
    try:
        text = queries.bind(_known(), {"thing": iri})
    except UsageError:
        return False
    return graph.ask(text)


def known_before(iri: str) -> Version | None:
    """Return the newest of the last few older versions that knew `iri`, None where none of them did.

    A version that cannot be asked within the limits of the service counts as one that did not know it.
    """
    for version in reversed(store().versions()[-1 - _MOST_OLD_VERSIONS : -1]):
        try:
            if is_known(iri, reader(version.number)):
                return version
        except QueryError as error:
            _log.info("version %d could not be asked for %s: %s", version.number, iri, error.what)
    return None


class Unknown(Refusal):
    """A thing that the newest version does not know: 404, or 410 where `before`, an older version, knew it.

    `near` are the things with the nearest names, `old` the address of the document of the older version.
    """

    def __init__(self, iri: str, near: Sequence[Hit], before: Version | None, old: str) -> None:
        self.iri, self.near, self.before, self.old = iri, tuple(near), before, old
        if before:
            hint = f"version {before.number} of {before.time:%Y-%m-%d} still has it: {old}"
            link = (("Link", f'<{old}>; rel="memento"'),)
            super().__init__(410, f"nothing is known about {iri} any more", hint=hint, headers=link)
            return
        names_near = "; ".join(f"{hit.label} ({compact(hit.iri)})" for hit in near)
        hint = f"near it are: {names_near}" if near else "search for a name: /search?q=…"
        super().__init__(404, f"nothing is known about {iri}", hint=hint)


def gone_or_unknown(iri: str, document: str) -> Unknown:
    """Build the answer for a thing that the newest version does not know; `document` is its document's address."""
    before = known_before(iri)
    words = iri.rpartition("/")[2].replace("-", " ")
    near = () if before else names().search(words)[:_MOST_NEAR]
    return Unknown(iri, near, before, f"{document}?version={before.number}" if before else "")


@lru_cache(maxsize=1)
def _known() -> Query:
    return queries.parse_query(_KNOWN, "known")
