"""A report as HTML: the chapters for a page of the site, or a whole file with its own style for screen and paper."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from html import escape
from pathlib import Path

from graphkit.report.document import (
    Action,
    Asked,
    Block,
    Cell,
    Dots,
    Figure,
    Figures,
    Line,
    Named,
    NotKnown,
    Report,
    Section,
    Table,
    plain,
)  # fmt: skip
from graphkit.report.dots import placed
from graphkit.report.links import Links
from graphkit.report.wording import action_lines

__all__ = ["chapters", "to_html"]


def to_html(report: Report, links: Links) -> str:
    """Write a report as one file without scripts, which prints well."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{escape(report.title)}</title>\n'
        f"<style>{_style()}</style>\n</head>\n<body>\n<main>\n<h1>{escape(report.title)}</h1>\n"
        f'<p class="stamp">{escape(report.stamp)}</p>\n{chapters(report, links)}</main>\n</body>\n</html>\n'
    )


def chapters(report: Report, links: Links) -> str:
    """Write the lead, the contents and the chapters, without a title and without style."""
    lead = "".join(f"<p>{_line(line, links)}</p>" for line in report.lead)
    contents = "".join(f'<li><a href="#{each.key}">{escape(each.title)}</a></li>' for each in report.sections)
    return (
        f'<div class="lead">{lead}</div>\n<nav class="contents" aria-label="Contents"><ol>{contents}</ol></nav>\n'
        + "".join(_section(section, links) for section in report.sections)
    )


def _section(section: Section, links: Links) -> str:
    blocks = "\n".join(_block(block, links) for block in section.blocks)
    head = f'<h2 id="{section.key}-title">{escape(section.title)}</h2>'
    return (
        f'<section class="chapter" id="{section.key}" aria-labelledby="{section.key}-title">\n'
        f"{head}\n{blocks}\n</section>\n"
    )


def _block(block: Block, links: Links) -> str:
    if isinstance(block, tuple):
        return f"<p>{_line(block, links)}</p>"
    writers: dict[type, Callable[..., str]] = {
        Figures: _figures,
        NotKnown: _not_known,
        Table: _table,
        Dots: _dots,
        Action: _action,
    }
    return writers[type(block)](block, links)


def _line(line: Line, links: Links) -> str:
    return "".join(_cell(cell, links) for cell in line)


def _cell(cell: Cell, links: Links) -> str:
    if cell is None:
        return '<span class="soft">not known</span>'
    if isinstance(cell, Named):
        address = links.thing(cell.iri)
        return f'<a href="{escape(address)}">{escape(cell.label)}</a>' if address else escape(cell.label)
    return escape(plain(cell))


def _query(asked: Asked, links: Links) -> str:
    return f'<a class="query" href="{escape(links.query(asked))}">{escape(asked.query)}</a>'


def _figures(block: Figures, links: Links) -> str:
    return f'<ul class="figures">{"".join(_figure(figure, links) for figure in block.figures)}</ul>'


def _figure(figure: Figure, links: Links) -> str:
    unit = f" {figure.unit}" if figure.unit and figure.unit.isupper() else ""
    number = escape(plain(figure.value) + unit)
    return (
        f'<li id="{escape(figure.key)}"><a class="number" href="{escape(links.query(figure.asked))}">{number}</a>'
        f'<span class="what">{escape(figure.label)}</span>'
        f'<span class="small"><b>Coverage:</b> {escape(figure.coverage)}.'
        f" <b>Method:</b> {escape(figure.method)}. <b>Query:</b> {_query(figure.asked, links)}</span></li>"
    )


def _not_known(block: NotKnown, links: Links) -> str:  # noqa: ARG001 - one shape for all writers
    return (
        f'<p class="not-known"><strong>Not known.</strong> {escape(block.what)} <em>Next: {escape(block.next)}</em></p>'
    )


def _table(table: Table, links: Links) -> str:
    columns = [[row[place] for row in table.rows] for place in range(len(table.heads))]
    numeric = [all(isinstance(cell, int | Decimal) for cell in column) for column in columns]
    classes = [' class="n"' if number and table.rows else "" for number in numeric]
    heads = "".join(
        f'<th scope="col"{kind}>{escape(head)}</th>' for head, kind in zip(table.heads, classes, strict=True)
    )
    body = "".join(_row(row, table.heads, classes, links) for row in table.rows)
    more = f" {table.left_out:,} more rows are in the query's answer." if table.left_out else ""
    return (
        f'<div class="table-wrap cards" tabindex="0" role="region" aria-label="{escape(table.caption)}">'
        f'<table class="data"><caption>{escape(table.caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<p class="small basis"><b>Coverage:</b> {escape(table.coverage.rstrip("."))}.'
        f" <b>Method:</b> {escape(table.method)}."
        f" <b>Query:</b> {_query(table.asked, links)}{escape(more)}</p>"
    )


def _row(row: Line, heads: tuple[str, ...], classes: list[str], links: Links) -> str:
    cells = []
    for place, (cell, head, kind) in enumerate(zip(row, heads, classes, strict=True)):
        inside = _cell(cell, links)
        # A first cell is blank where it would say the same again: then it heads no row.
        names_row = not place and inside
        cells.append(
            f'<th scope="row"{kind}>{inside}</th>'
            if names_row
            else f'<td data-name="{escape(head)}"{kind}>{inside}</td>'
        )
    return f"<tr>{''.join(cells)}</tr>"


def _dots(dots: Dots, links: Links) -> str:
    width, height, circles = placed(dots.points)
    drawn = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>' for x, y, r in circles)
    return (
        f'<figure class="dots"><svg viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
        f' aria-label="{escape(dots.summary)}">'
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="none" stroke="currentColor" stroke-opacity="0.2"/>'
        f'<g fill="#1f6f5c" fill-opacity="0.55" stroke="#1f6f5c">{drawn}</g></svg>'
        f'<figcaption class="small">{escape(dots.summary)} Query: {_query(dots.asked, links)}</figcaption></figure>'
    )


def _action(action: Action, links: Links) -> str:
    lines = [(name, _line(line, links)) for name, line in action_lines(action)]
    name, sure = lines.pop()
    lines.append((name, f"{sure} · {_query(action.asked, links)}"))
    pairs = "".join(f"<div><dt>{name}</dt><dd>{said}</dd></div>" for name, said in lines)
    return f'<article class="act" id="{escape(action.key)}"><h3>{escape(action.what)}</h3><dl>{pairs}</dl></article>'


def _style() -> str:
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8").strip()
