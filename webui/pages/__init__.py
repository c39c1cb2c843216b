"""The pages: each is a query or a measure, a template, and the same rows as CSV and JSON."""

from webui.pages import (
    barriers,
    commitments,
    data,
    funding,
    home,
    map,  # noqa: A004 - a map is what it is
    opportunities,
    organisation,
    organisations,
    records,
    reports,
    scorecard,
    stories,
    timeline,
)
from webui.pages.blueprint import blueprint

__all__ = [
    "barriers",
    "blueprint",
    "commitments",
    "data",
    "funding",
    "home",
    "map",
    "opportunities",
    "organisation",
    "organisations",
    "records",
    "reports",
    "scorecard",
    "stories",
    "timeline",
]
