"""The pages: each is a query or a measure, a template, and the same rows as CSV and JSON."""

from webui.pages import (
    commitments,
    data,
    funding,
    home,
    map,  # noqa: A004
    network,
    organisation,
    organisations,
    reports,
    stories,
    timeline,
)
from webui.pages.blueprint import blueprint

__all__ = [
    "blueprint",
    "commitments",
    "data",
    "funding",
    "home",
    "map",
    "network",
    "organisation",
    "organisations",
    "reports",
    "stories",
    "timeline",
]
