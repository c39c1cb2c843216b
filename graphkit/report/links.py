"""Where the things and queries of a report lead: to a service under its address, or to their lasting names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from graphkit.report.document import Asked
from graphkit.terms import ID, QUERY

__all__ = ["Links"]

_SAFE: Final = ":/?#[]@!$&'()*+,;=%-._~"


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses for a report.

    `base` is that of a service ("" for its pages among themselves), None for the lasting names; `version` is put on
    queries.
    """

    base: str | None = None
    version: int | None = None

    def thing(self, iri: str) -> str:
        """Return the address of a thing; empty for what has none."""
        if self.base is not None and iri.startswith(ID):
            return f"{self.base}/doc/{quote(iri.removeprefix(ID), safe=_SAFE)}"
        return quote(iri, safe=_SAFE) if iri.startswith(("http://", "https://")) else ""

    def query(self, asked: Asked) -> str:
        """Return the address of a stored query with the values of its parameters, and the version that was asked."""
        start = f"{self.base}/queries/{asked.query}" if self.base is not None else QUERY + asked.query
        pairs = [(name, value.removeprefix(ID)) for name, value in asked.values]
        pairs += [("version", str(self.version))] if self.version is not None else []
        return f"{start}?{urlencode(pairs, safe='/')}" if pairs else start
