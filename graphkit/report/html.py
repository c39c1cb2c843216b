"""A report as HTML: the chapters for a page of the site, or a whole file with its own style for screen and paper."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Final

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

__all__ = ["chapters", "to_html"]

_NUMBERS: Final = (int,)


def to_html(report: Report, links: Links) -> str:
    """Write a report as one file without scripts, which prints well."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{escape(report.title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{escape(report.title)}</h1>\n"
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
    return f'<section class="chapter" id="{section.key}" aria-labelledby="{section.key}-title">\n<h2 id="{section.key}-title">{escape(section.title)}</h2>\n{blocks}\n</section>\n'


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
        f'<span class="what">{escape(figure.label)}</span><span class="small"><b>Coverage:</b> {escape(figure.coverage)}.'
        f" <b>Method:</b> {escape(figure.method)}. <b>Query:</b> {_query(figure.asked, links)}</span></li>"
    )


def _not_known(block: NotKnown, links: Links) -> str:  # noqa: ARG001 - one shape for all writers
    return (
        f'<p class="not-known"><strong>Not known.</strong> {escape(block.what)} <em>Next: {escape(block.next)}</em></p>'
    )


def _table(table: Table, links: Links) -> str:
    numeric = [
        all(isinstance(row[place], _NUMBERS) or _is_amount(row[place]) for row in table.rows)
        for place in range(len(table.heads))
    ]
    classes = [' class="n"' if number and table.rows else "" for number in numeric]
    heads = "".join(
        f'<th scope="col"{kind}>{escape(head)}</th>' for head, kind in zip(table.heads, classes, strict=True)
    )
    body = "".join(_row(row, table.heads, classes, links) for row in table.rows)
    more = f" {table.left_out:,} more rows are in the query's answer." if table.left_out else ""
    return (
        f'<div class="table-wrap cards" tabindex="0" role="region" aria-label="{escape(table.caption)}"><table class="data"><caption>{escape(table.caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<p class="small note"><b>Coverage:</b> {escape(table.coverage.rstrip("."))}. <b>Method:</b> {escape(table.method)}.'
        f" <b>Query:</b> {_query(table.asked, links)}{escape(more)}</p>"
    )


def _row(row: Line, heads: tuple[str, ...], classes: list[str], links: Links) -> str:
    cells = []
    for place, (cell, head, kind) in enumerate(zip(row, heads, classes, strict=True)):
        inside = _cell(cell, links)
        cells.append(
            f'<td data-name="{escape(head)}"{kind}>{inside}</td>' if place else f'<th scope="row"{kind}>{inside}</th>'
        )
    return f"<tr>{''.join(cells)}</tr>"


def _is_amount(cell: Cell) -> bool:
    return not isinstance(cell, str | Named) and cell is not None and not hasattr(cell, "year")


def _dots(dots: Dots, links: Links) -> str:
    width, height, circles = placed(dots.points)
    drawn = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>' for x, y, r in circles)
    return (
        f'<figure class="dots"><svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(dots.summary)}">'
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="none" stroke="currentColor" stroke-opacity="0.2"/>'
        f'<g fill="#1f6f5c" fill-opacity="0.55" stroke="#1f6f5c">{drawn}</g></svg>'
        f'<figcaption class="small">{escape(dots.summary)} Query: {_query(dots.asked, links)}</figcaption></figure>'
    )


def _action(action: Action, links: Links) -> str:
    lines = [
        ("Who", _named(action.who, links, "not named: whoever takes it up")),
        ("With whom", _named(action.partners, links, "not known")),
        ("Why", escape(action.why)),
        ("Evidence", _named(action.evidence, links, "none named")),
        ("Commitment", _commitment(action, links)),
        ("Goal", _named(action.goals, links, "none that the shipped mappings give for it")),
        ("What would show success", escape(action.success)),
        ("How sure", f"{escape(action.strength)} · {_query(action.asked, links)}"),
    ]
    pairs = "".join(f"<div><dt>{name}</dt><dd>{said}</dd></div>" for name, said in lines)
    return f'<article class="act" id="{escape(action.key)}"><h3>{escape(action.what)}</h3><dl>{pairs}</dl></article>'


def _commitment(action: Action, links: Links) -> str:
    if not action.commitments:
        return "none: it would count as evidence for no loaded commitment"
    return f"{_named(action.commitments, links, '')} ({escape(action.serves)})"


def _named(things: tuple[Named, ...], links: Links, otherwise: str) -> str:
    return ", ".join(_cell(thing, links) for thing in things) or f'<span class="soft">{escape(otherwise)}</span>'


_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2421;--soft:#55625d;--line:#cfd8d4;--paper:#fff;--tint:#f1f6f4;--link:#0f5c4b;--warn:#fdf3dc}
@media (prefers-color-scheme:dark){:root{--ink:#e8eeeb;--soft:#a7b5af;--line:#3a4742;--paper:#141a18;--tint:#1d2623;--link:#7fd1bb;--warn:#33290f}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI","Helvetica Neue",Arial,sans-serif}
main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.4rem;margin:2.5rem 0 .75rem;border-bottom:2px solid var(--line);padding-bottom:.25rem}
h3{font-size:1.05rem;margin:0 0 .5rem}
a{color:var(--link)}
.soft,.stamp,.small{color:var(--soft)}.small{font-size:.86rem}
.lead{font-size:1.1rem;background:var(--tint);padding:.5rem 1rem;border-radius:.4rem}
.contents ol{columns:2;padding-left:1.4rem}
.figures{list-style:none;margin:1rem 0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.75rem}
.figures li{border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;display:flex;flex-direction:column;gap:.2rem}
.figures .number{font-size:1.6rem;font-weight:600;text-decoration:none;font-variant-numeric:tabular-nums}
.figures .what{font-weight:600}
.not-known{background:var(--warn);padding:.6rem .9rem;border-radius:.4rem}
.table-wrap{overflow-x:auto;margin-top:1.2rem}
table{border-collapse:collapse;width:100%;font-size:.93rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line)}
tbody th{font-weight:400}.n{text-align:right;font-variant-numeric:tabular-nums}
.note{margin-top:.3rem}
.act{border:1px solid var(--line);border-left:.35rem solid var(--link);border-radius:.4rem;padding:.8rem 1rem;margin:1rem 0}
.act dl{margin:0}.act dl div{display:grid;grid-template-columns:9rem 1fr;gap:.2rem .8rem;padding:.15rem 0}
.act dt{color:var(--soft)}.act dd{margin:0}
.dots svg{width:100%;max-height:30rem}.dots{margin:1rem 0}
@media (max-width:40rem){.contents ol{columns:1}.act dl div{grid-template-columns:1fr}
.cards thead{position:absolute;clip-path:inset(50%)}.cards tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}
.cards th,.cards td{display:block;border:0;padding:.1rem 0;text-align:left}.cards tbody th{font-weight:600}
.cards td::before{content:attr(data-name) ": ";color:var(--soft)}}
@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--tint:#f4f4f4;--link:#000;--warn:#f4f4f4}
body{font-size:10.5pt}main{max-width:none;padding:0}.contents{display:none}h2{break-after:avoid}.act,.figures li,tr{break-inside:avoid}
a{text-decoration:none}.query::after{content:""}@page{margin:18mm}}
""".strip()
