"""The data themselves: sources with licence and coverage, versions to take away, and what the checks find."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from flask import render_template

from graphkit import queries
from graphkit.errors import LimitError
from webui.i18n.choosing import gettext
from webui.linked.page import licence_link
from webui.linked.reading import reader
from webui.links import href, names_of, query_href
from webui.pages.about import about, coverage
from webui.pages.blueprint import blueprint
from webui.pages.frames import answer, shown
from webui.state import store

__all__ = ["Check"]

_SOURCES: Final = "explore/sources"
_SCOPES: Final = "explore/scopes"
_CHECKS: Final = "checks/"
_VERSIONS: Final = 5
_FIRST: Final = 5
_SECONDS: Final = 20.0
"""So long all checks together may take on a page."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a stored check found: how many rows, the first of them in words, and why it could not be answered."""

    name: str
    summary: str
    href: str
    found: int | None
    first: tuple[str, ...] = ()
    failure: str = ""


@blueprint.get("/sources")
def data() -> str:
    """Show where the data are from, under which licence, how complete, and how to take them away."""
    picked = shown()
    sources, scopes = answer(_SOURCES), answer(_SCOPES)
    licences = names_of(reader(picked.number), sources["license"].drop_nulls().to_list())
    return render_template(
        "data.html",
        page="data",
        sources=[_source(row, licences) for row in sources.unique("source", maintain_order=True).iter_rows(named=True)],
        scopes=[_scope(row) for row in scopes.unique("scope", maintain_order=True).iter_rows(named=True)],
        versions=[*reversed(store().versions()[-_VERSIONS:])],
        newest=store().version,
        about=about([(_SOURCES, {}), (_SCOPES, {}), ("explore/coverage", {})], coverage()),
    )


@blueprint.get("/quality")
def quality() -> str:
    """Run the stored checks and show what they find; each must find nothing."""
    names = [name for name in queries.catalogue() if name.startswith(_CHECKS)]
    until = time.monotonic() + _SECONDS
    found = [_check(name, until) for name in names]
    ordered = sorted(
        found, key=lambda check: (check.found == 0, check.found is not None, -(check.found or 0), check.name)
    )
    return render_template(
        "quality.html",
        page="data",
        checks=ordered,
        faults=sum(check.found or 0 for check in found),
        failed=sum(check.found is None for check in found),
        about=about([(names[0], {})] if names else [], coverage()),
    )


def _check(name: str, until: float) -> Check:
    """Answer one check; one that takes too long for a page says so, and the others go on until their time is over."""
    query = queries.find(name)
    if time.monotonic() > until:
        return Check(
            name, query.summary, query_href(name), None, (), gettext("there was no time left: open it by itself")
        )
    try:
        frame = answer(query)
    except LimitError as error:
        return Check(name, query.summary, query_href(name), None, (), error.what)
    texts = tuple(str(text) for text in frame["problem"].head(_FIRST)) if "problem" in frame.columns else ()
    return Check(name, query.summary, query_href(name), frame.height, texts)


def _source(row: dict[str, Any], licences: dict[str, str]) -> dict[str, Any]:
    return {
        "label": row["label"],
        "href": href(row["source"]),
        "licence": licence_link(row["license"], licences) if row["license"] else None,
        "issued": row["issued"],
        "graph": href(row["graph"]) if row["graph"] else "",
        "statements": row["statements"],
    }


def _scope(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": row["label"],
        "href": href(row["scope"]),
        "source": {"label": row["source_label"], "href": href(row["source"])} if row["source"] else None,
        "about": row["subject_label"] or row["region_label"],
        "start": row["start"],
        "end": row["end"],
    }
