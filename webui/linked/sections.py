"""Sections that other parts of the service add to the page about one thing, by the kind of thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from flask import Flask, current_app
from markupsafe import Markup

from graphkit.terms import ID

__all__ = ["Section", "offer", "sections"]

Section: TypeAlias = Callable[[str, str], str]
"""Writes HTML about a thing, given its IRI and its name; an empty text where there is nothing to say."""

_KEPT: Final = "graphkit-sections"


def offer(app: Flask, kind: str, section: Section) -> None:
    """Let the page of each thing of a kind (the word of its IRI, such as "organisation") have one more section."""
    app.extensions.setdefault(_KEPT, {}).setdefault(kind, []).append(section)


def sections(iri: str, label: str) -> list[Markup]:
    """Return the sections of a thing, in the order in which they were offered."""
    kind = iri.removeprefix(ID).partition("/")[0] if iri.startswith(ID) else ""
    offered: list[Section] = current_app.extensions.get(_KEPT, {}).get(kind, [])
    return [Markup(html) for section in offered if (html := section(iri, label))]  # noqa: S704 - written by templates
