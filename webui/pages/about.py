"""The box "about these data": which version, how much is known, and the queries behind a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from graphkit import queries
from webui.catalogue.choices import short_iri
from webui.catalogue.tables import behind
from webui.i18n.choosing import gettext
from webui.links import query_href
from webui.pages.blueprint import here
from webui.pages.frames import Values, answer, shown

__all__ = ["Coverage", "about", "coverage"]

_COVERAGE = "explore/coverage"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of how many things something is known: `what`, `known` of `total`, and where those that lack it are listed."""

    what: str
    known: int
    total: int
    href: str = ""


def coverage(*about: str) -> list[Coverage]:
    """Return how much is known of what concerns a page: the lines of explore/coverage whose words hold one of `about`.

    Without words all lines come; a line about things of which there are none is left out.
    """
    rows = answer(_COVERAGE).filter(pl.col("total") > 0).rows(named=True)
    return [
        Coverage(gettext(row["what"]), row["known"], row["total"], query_href(row["query"]) if row["query"] else "")
        for row in rows
        if not about or any(word in row["what"] for word in about)
    ]


def about(
    asked: list[tuple[str, Values]], known: list[Coverage] | None = None, notes: list[str] | None = None
) -> dict[str, Any]:
    """Return what the box says: `asked` are the queries behind the page with their values, the main one first."""
    picked = shown()
    return {
        "version": picked.version,
        "pinned": picked.number is not None,
        "permalink": here(version=picked.version.number) if picked.version else "",
        "newest": here(version=None),
        "coverage": known or [],
        "notes": notes or [],
        "queries": [_query(name, values) for name, values in asked],
    }


def _query(name: str, values: Values) -> dict[str, Any]:
    """Return what is behind a page, with the values that it was asked with behind its name."""
    found = behind(queries.find(name), values)
    said = ", ".join(f"{key}: {_short(value)}" for key, value in values.items())
    return found | {"name": f"{name} ({said})" if said else name}


def _short(value: str | Sequence[str]) -> str:
    return short_iri(value) if isinstance(value, str) else " ".join(map(short_iri, value))
