"""The pages: each is a query or a measure, a template, and the same rows as CSV and JSON."""

from webui.pages import commitments, data, funding, home, map, organisation, organisations, stories, timeline  # noqa: A004
from webui.pages.blueprint import blueprint

__all__ = [
    "blueprint",
    "commitments",
    "data",
    "funding",
    "home",
    "map",
    "organisation",
    "organisations",
    "stories",
    "timeline",
]
