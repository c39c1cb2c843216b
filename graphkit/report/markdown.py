"""A report as Markdown, as CommonMark with tables reads it."""

from __future__ import annotations

import re
from typing import Final

from graphkit.report.document import (
    Action,
    Asked,
    Block,
    Cell,
    Dots,
    Figures,
    Line,
    Named,
    NotKnown,
    Report,
    Table,
    plain,
)
from graphkit.report.links import Links
from graphkit.report.wording import action_lines

__all__ = ["to_markdown"]

_SPACE: Final = re.compile(r"\s+")
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>|#])")


def to_markdown(report: Report, links: Links) -> str:
    """Write a report as Markdown; every figure and table links to its query."""
    lines = [f"# {_text(report.title)}", _text(report.stamp), *(_line(line, links) for line in report.lead)]
    for section in report.sections:
        lines += [f"## {_text(section.title)}", *(_block(block, links) for block in section.blocks)]
    return "\n\n".join(lines) + "\n"


def _block(block: Block, links: Links) -> str:
    match block:
        case Figures():
            return _figures(block, links)
        case NotKnown():
            return f"> **Not known.** {_text(block.what)} *Next: {_text(block.next)}*"
        case Table():
            return _table(block, links)
        case Dots():
            return f"*Map:* {_text(block.summary)} Query: {_query(block.asked, links)}"
        case Action():
            return _action(block, links)
        case _:
            return _line(block, links)


def _figures(block: Figures, links: Links) -> str:
    return "\n".join(
        f"* **{_text(plain(figure.value))}** {_text(figure.unit)}: {_text(figure.label)}."
        f" Coverage: {_text(figure.coverage)}."
        f" Method: {_text(figure.method)}. Query: {_query(figure.asked, links)}"
        for figure in block.figures
    )


def _table(table: Table, links: Links) -> str:
    rows = [f"| {' | '.join(_cell(cell, links) for cell in row)} |" for row in table.rows]
    head = f"| {' | '.join(map(_text, table.heads))} |\n|{' --- |' * len(table.heads)}"
    more = f" {table.left_out:,} more rows are in the query's answer." if table.left_out else ""
    told = f"Coverage: {_text(table.coverage.rstrip('.'))}. Method: {_text(table.method)}."
    note = f"{told} Query: {_query(table.asked, links)}.{more}"
    return "\n".join([f"**{_text(table.caption)}**", "", head, *rows, "", note])


def _action(action: Action, links: Links) -> str:
    lines = [(name, _line(line, links)) for name, line in action_lines(action)]
    name, sure = lines.pop()
    lines.append((name, f"{sure}; {_query(action.asked, links)}"))
    return "\n".join([f"### {_text(action.what)}", "", *(f"* **{name}:** {said}" for name, said in lines)])


def _line(line: Line, links: Links) -> str:
    return "".join(_cell(cell, links) for cell in line)


def _cell(cell: Cell, links: Links) -> str:
    if isinstance(cell, Named) and (address := links.thing(cell.iri)):
        return f"[{_text(cell.label)}](<{address}>)"
    return _text(plain(cell))


def _query(asked: Asked, links: Links) -> str:
    return f"[{asked.query}](<{links.query(asked)}>)"


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _SPACE.sub(" ", text))
