"""A report in the format that was asked for; the same version gives the same bytes in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from graphkit.errors import unknown_name
from graphkit.export import frame_to_text
from graphkit.report.document import Report
from graphkit.report.docx_file import to_docx
from graphkit.report.html import to_html
from graphkit.report.links import Links
from graphkit.report.markdown import to_markdown
from graphkit.report.pdf import to_pdf
from graphkit.report.rdf import to_turtle

__all__ = ["REPORT_FORMATS", "figures_frame", "report_as"]


def figures_frame(report: Report, links: Links) -> pl.DataFrame:
    """Return every figure of a report with coverage, method, query, parameters, version and address."""
    rows = [
        (
            section.key,
            figure.key,
            figure.label,
            None if figure.value is None else str(figure.value),
            figure.unit,
            figure.coverage,
            figure.method,
            figure.asked.query,
            " ".join(f"{name}={value}" for name, value in figure.asked.values),
            report.version.number if report.version else None,
            links.query(figure.asked),
        )
        for section, figure in report.figures()
    ]
    texts = ("chapter", "figure", "label", "value", "unit", "coverage", "method", "query", "parameters")
    schema = dict.fromkeys(texts, pl.String) | {"version": pl.Int64, "address": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _csv(report: Report, links: Links) -> bytes:
    return frame_to_text(figures_frame(report, links), "csv").encode()


_WRITERS: Final[Mapping[str, Callable[[Report, Links], bytes]]] = MappingProxyType(
    {
        "html": lambda report, links: to_html(report, links).encode(),
        "md": lambda report, links: to_markdown(report, links).encode(),
        "pdf": to_pdf,
        "docx": to_docx,
        "ttl": lambda report, _links: to_turtle(report),
        "csv": _csv,
    }
)
REPORT_FORMATS: Final = tuple(_WRITERS)
"""The formats of a report, by suffix."""


def report_as(report: Report, form: str, *, base: str = "") -> bytes:
    """Write a report as the bytes of `form`, one of `REPORT_FORMATS`.

    `base` is the address of a service that its links lead to; without it they are the lasting names of things and
    queries. Raises `UnknownNameError` for another format, `MissingExtraError` where pdf or docx lack their library.
    """
    if form not in _WRITERS:
        raise unknown_name("format of a report", form, _WRITERS)
    links = Links(base.rstrip("/") or None, report.version.number if report.version else None)
    return _WRITERS[form](report, links)
