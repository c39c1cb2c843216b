"""A report as PDF, set with fpdf2 in one font, with bookmarks, links and page numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

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
from graphkit.report.dots import placed
from graphkit.report.links import Links
from graphkit.report.printing import font_file, pdf_library
from graphkit.report.wording import action_lines

__all__ = ["to_pdf"]

_FONT: Final = "Source Sans"
_INK, _SOFT, _LINK, _TINT = (28, 36, 33), (85, 98, 93), (15, 92, 75), (241, 246, 244)
_BODY, _SMALL, _HEAD, _TITLE, _SUB = 10.0, 8.0, 15.0, 21.0, 11.0
_LEAD: Final = 1.35
_POINT: Final = 0.3528
"""Millimetres in a point."""
_ROOM: Final = 8
_MOST_WORD: Final = 24
_WORD: Final = re.compile(r"\S+\s*|\s+")
_MOST_WIDTH: Final = 75


def to_pdf(report: Report, links: Links) -> bytes:
    """Write a report as PDF; its dates are those of the version, so that the bytes stay the same.

    Raises `MissingExtraError` where fpdf2 or the font is not installed.
    """
    paper = _Paper(report, links)
    paper.title()
    for section in report.sections:
        paper.section(section.title)
        for block in section.blocks:
            paper.block(block)
    return paper.finished()


class _Paper:
    """Sheets of A4 that blocks are set on."""

    def __init__(self, report: Report, links: Links) -> None:
        fpdf = pdf_library()
        self.report, self.links = report, links
        self.fpdf = fpdf
        footer = report.stamp

        class Sheets(fpdf.FPDF):  # type: ignore[name-defined,misc]  # the class comes with the extra
            def footer(self) -> None:
                self.set_y(-12)
                self.set_font(_FONT, size=_SMALL)
                self.set_text_color(*_SOFT)
                self.cell(0, 4, f"{footer}  ·  {self.page_no()}", align="C")

        pdf: Any = Sheets(format="A4")
        for style, name in (("", "Regular"), ("B", "Bold"), ("I", "It")):
            pdf.add_font(_FONT, style, font_file(name))
        pdf.set_margins(18, 16, 18)
        pdf.set_auto_page_break(auto=True, margin=18)
        pdf.set_creation_date(_moment(report))
        pdf.set_title(report.title)
        pdf.set_author("graphkit")
        pdf.set_producer("graphkit with fpdf2")
        pdf.set_lang("en-GB")
        pdf.add_page()
        self.pdf = pdf

    def finished(self) -> bytes:
        return bytes(self.pdf.output())

    def title(self) -> None:
        self._text(self.report.title, _TITLE, "B")
        self._text(self.report.stamp, _SMALL, colour=_SOFT)
        self.pdf.ln(3)
        for line in self.report.lead:
            self._line(line, _SUB)

    def section(self, title: str) -> None:
        if self.pdf.will_page_break(35):
            self.pdf.add_page()
        self.pdf.ln(5)
        self.pdf.start_section(title)
        self._text(title, _HEAD, "B", colour=_LINK)
        self.pdf.ln(1)

    def block(self, block: Block) -> None:
        if isinstance(block, tuple):
            self._line(block, _BODY)
        elif isinstance(block, Figures):
            self._figures(block)
        elif isinstance(block, NotKnown):
            self._not_known(block)
        elif isinstance(block, Table):
            self._table(block)
        elif isinstance(block, Dots):
            self._dots(block)
        else:
            self._action(block)

    def _text(self, text: str, size: float, style: str = "", colour: tuple[int, int, int] = _INK) -> None:
        self.pdf.set_font(_FONT, style, size)
        self.pdf.set_text_color(*colour)
        self.pdf.multi_cell(0, size * _POINT * _LEAD, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _line(self, line: Line, size: float) -> None:
        for cell in line:
            self._write(cell, size)
        self.pdf.ln(size * _POINT * _LEAD + 1.2)

    def _write(self, cell: Cell, size: float, style: str = "", colour: tuple[int, int, int] = _INK) -> None:
        address = self.links.thing(cell.iri) if isinstance(cell, Named) else ""
        self.pdf.set_font(_FONT, style, size)
        self.pdf.set_text_color(*(_LINK if address else colour))
        self._words(plain(cell), size, address)

    def _words(self, text: str, size: float, address: str = "") -> None:
        """Set words one by one: fpdf2 itself cuts a word in two where another piece of text stands before it."""
        height, right = size * _POINT * _LEAD, self.pdf.w - self.pdf.r_margin - 2 * self.pdf.c_margin
        for word in _WORD.findall(text):
            if self.pdf.get_x() + self.pdf.get_string_width(word.rstrip()) > right:
                self.pdf.ln(height)
            self.pdf.write(height, word, address)

    def _asked(self, coverage: str, method: str, asked: Asked, more: str = "") -> None:
        self._write(f"Coverage: {coverage.rstrip('.')}. Method: {method}. Query: ", _SMALL, colour=_SOFT)
        self.pdf.set_text_color(*_LINK)
        self._words(asked.query, _SMALL, self.links.query(asked))
        self._write(more, _SMALL, colour=_SOFT)
        self.pdf.ln(_SMALL * _POINT * _LEAD + 2.5)

    def _figures(self, block: Figures) -> None:
        for figure in block.figures:
            if self.pdf.will_page_break(20):
                self.pdf.add_page()
            self.pdf.set_font(_FONT, "B", _HEAD)
            self.pdf.set_text_color(*_LINK)
            unit = f" {figure.unit}" if figure.unit.isupper() else ""
            self.pdf.write(_HEAD * _POINT * 1.1, plain(figure.value) + unit, self.links.query(figure.asked))
            self._write(f"  {figure.label}", _SUB, "B")
            self.pdf.ln(_HEAD * _POINT * 1.15)
            self._asked(figure.coverage, figure.method, figure.asked)

    def _not_known(self, block: NotKnown) -> None:
        self.pdf.set_fill_color(253, 243, 220)
        self.pdf.set_font(_FONT, "", _BODY)
        self.pdf.set_text_color(*_INK)
        height = _BODY * _POINT * _LEAD
        self.pdf.multi_cell(
            0, height, f"Not known. {block.what} Next: {block.next}", align="L", fill=True, padding=2,
            new_x="LMARGIN", new_y="NEXT",
        )  # fmt: skip
        self.pdf.ln(2)

    def _table(self, table: Table) -> None:
        if self.pdf.will_page_break(30):
            self.pdf.add_page()
        self._text(table.caption, _SUB, "B")
        self.pdf.set_font(_FONT, "", _SMALL + 0.5)
        self.pdf.set_text_color(*_INK)
        self.pdf.set_draw_color(207, 216, 212)
        self.pdf.set_fill_color(255, 255, 255)
        if table.rows:
            with self.pdf.table(
                col_widths=_widths(table), text_align=_sides(table), borders_layout="HORIZONTAL_LINES", padding=0.8,
                v_align="TOP", line_height=(_SMALL + 0.5) * _POINT * 1.25,
                headings_style=self.fpdf.FontFace(emphasis="BOLD", fill_color=_TINT),
            ) as drawn:  # fmt: skip
                drawn.row(table.heads)
                for cells in table.rows:
                    row = drawn.row()
                    for cell in cells:
                        address = self.links.thing(cell.iri) if isinstance(cell, Named) else ""
                        row.cell(plain(cell), link=address or None)
        self.pdf.ln(1)
        self._asked(table.coverage, table.method, table.asked, _more(table))

    def _dots(self, dots: Dots) -> None:
        width, height, circles = placed(dots.points)
        scale = min(self.pdf.epw / width, 130 / height)
        if self.pdf.will_page_break(height * scale + 15):
            self.pdf.add_page()
        left, top = self.pdf.l_margin, self.pdf.get_y()
        self.pdf.set_draw_color(207, 216, 212)
        self.pdf.rect(left, top, width * scale, height * scale)
        self.pdf.set_draw_color(*_LINK)
        self.pdf.set_fill_color(120, 180, 165)
        for x, y, radius in circles:
            self.pdf.circle(left + x * scale, top + y * scale, max(radius * scale, 0.4), style="DF")
        self.pdf.set_y(top + height * scale + 1)
        self._text(dots.summary, _SMALL, colour=_SOFT)
        self.pdf.ln(2)

    def _action(self, action: Action) -> None:
        if self.pdf.will_page_break(45):
            self.pdf.add_page()
        self.pdf.ln(1)
        self._text(action.what, _SUB, "B")
        for name, line in action_lines(action):
            self._write(f"{name}: ", _BODY - 0.5, colour=_SOFT)
            for cell in line:
                self._write(cell, _BODY - 0.5)
            self.pdf.ln((_BODY - 0.5) * _POINT * _LEAD + 0.6)
        self.pdf.ln(2)


def _moment(report: Report) -> datetime:
    if report.version:
        return report.version.time
    return datetime(report.as_of.year, report.as_of.month, report.as_of.day, tzinfo=UTC)


def _widths(table: Table) -> tuple[float, ...]:
    """Give each column room by its longest cells, within bounds, so that prose gets most."""
    widths = []
    for place, head in enumerate(table.heads):
        cells = [plain(row[place]) for row in table.rows]
        lengths = sorted(map(len, cells))
        typical = lengths[-1 - len(lengths) // 10] if lengths else 0
        longest = max((len(word) for cell in (head, *cells) for word in cell.split()), default=0)
        widths.append(float(min(max(typical, min(longest + _ROOM, _MOST_WORD)), _MOST_WIDTH)))
    return tuple(widths)


def _sides(table: Table) -> tuple[str, ...]:
    """Set columns of numbers to the right, so that they can be compared, and all others to the left."""
    columns = [[row[place] for row in table.rows] for place in range(len(table.heads))]
    numeric = [any(isinstance(cell, int | Decimal) for cell in column) for column in columns]
    return tuple("RIGHT" if number else "LEFT" for number in numeric)


def _more(table: Table) -> str:
    return f". {table.left_out:,} more rows are in the query's answer" if table.left_out else ""
