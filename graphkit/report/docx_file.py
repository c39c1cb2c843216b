"""A report as DOCX, which Word and LibreOffice open, with headings, tables and links."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

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
)  # fmt: skip
from graphkit.report.dots import picture
from graphkit.report.links import Links
from graphkit.report.printing import docx_library
from graphkit.report.wording import action_lines

__all__ = ["to_docx"]

_MAP_WIDTH: Final = 12.0
"""Centimetres."""
_LINK: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


def to_docx(report: Report, links: Links) -> bytes:
    """Write a report as DOCX; its dates are those of the version, so that the bytes stay the same.

    Raises `MissingExtraError` where python-docx is not installed.
    """
    moment = report.version.time if report.version else datetime.combine(report.as_of, datetime.min.time(), UTC)
    letter = _Letter(links)
    letter.properties(report.title, moment.replace(tzinfo=None))
    letter.document.add_heading(report.title, 0)
    letter.line((report.stamp,), "Subtitle")
    for line in report.lead:
        letter.line(line)
    for section in report.sections:
        letter.document.add_heading(section.title, 1)
        for block in section.blocks:
            letter.block(block)
    buffer = BytesIO()
    letter.document.save(buffer)
    return _settled(buffer.getvalue(), moment)


class _Letter:
    """A document that blocks are added to."""

    def __init__(self, links: Links) -> None:
        docx = docx_library()
        self.links = links
        self.document: Any = docx.Document()
        self._element, self._name, self._centimetres = docx.oxml.OxmlElement, docx.oxml.ns.qn, docx.shared.Cm

    def properties(self, title: str, moment: datetime) -> None:
        core = self.document.core_properties
        core.title, core.author, core.last_modified_by, core.comments = title, "graphkit", "graphkit", ""
        core.created = core.modified = moment
        core.revision, core.language = 1, "en-GB"

    def line(self, line: Line, style: str = "") -> Any:  # noqa: ANN401 - a paragraph
        paragraph = self.document.add_paragraph(style=style or None)
        for cell in line:
            self._put(paragraph, cell)
        return paragraph

    def block(self, block: Block) -> None:
        if isinstance(block, tuple):
            self.line(block)
        elif isinstance(block, Figures):
            self._figures(block)
        elif isinstance(block, NotKnown):
            self.line((f"Not known. {block.what} Next: {block.next}",), "Intense Quote")
        elif isinstance(block, Table):
            self._table(block)
        elif isinstance(block, Dots):
            self._dots(block)
        else:
            self._action(block)

    def _put(self, paragraph: Any, cell: Cell) -> None:  # noqa: ANN401
        address = self.links.thing(cell.iri) if isinstance(cell, Named) else ""
        if address:
            self._link(paragraph, plain(cell), address)
        else:
            paragraph.add_run(plain(cell))

    def _link(self, paragraph: Any, text: str, address: str) -> None:  # noqa: ANN401
        relation = paragraph.part.relate_to(address, _LINK, is_external=True)
        link = self._element("w:hyperlink")
        link.set(self._name("r:id"), relation)
        run = paragraph.add_run(text)
        run.font.underline = True
        link.append(run._r)  # noqa: SLF001 - python-docx has no public way to make a link
        paragraph._p.append(link)  # noqa: SLF001

    def _asked(self, paragraph: Any, asked: Asked) -> None:  # noqa: ANN401
        self._link(paragraph, asked.query, self.links.query(asked))

    def _figures(self, block: Figures) -> None:
        for figure in block.figures:
            paragraph = self.document.add_paragraph(style="List Bullet")
            unit = f" {figure.unit}" if figure.unit.isupper() else ""
            paragraph.add_run(f"{plain(figure.value)}{unit}").bold = True
            paragraph.add_run(f"  {figure.label}. Coverage: {figure.coverage}. Method: {figure.method}. Query: ")
            self._asked(paragraph, figure.asked)

    def _table(self, table: Table) -> None:
        self.document.add_paragraph().add_run(table.caption).bold = True
        if table.rows:
            drawn = self.document.add_table(rows=1, cols=len(table.heads), style="Light Grid Accent 1")
            for cell, head in zip(drawn.rows[0].cells, table.heads, strict=True):
                cell.paragraphs[0].add_run(head)
            for row in table.rows:
                for cell, value in zip(drawn.add_row().cells, row, strict=True):
                    self._put(cell.paragraphs[0], value)
        more = f" {table.left_out:,} more rows are in the answer of this query:" if table.left_out else ""
        note = self.line((f"Coverage: {table.coverage.rstrip('.')}. Method: {table.method}.{more} Query: ",))
        self._asked(note, table.asked)

    def _dots(self, dots: Dots) -> None:
        drawn = self.document.add_picture(BytesIO(picture(dots.points)), width=self._centimetres(_MAP_WIDTH))
        drawn._inline.docPr.set("descr", dots.summary)  # noqa: SLF001 - python-docx has no public way to say it
        self._asked(self.line((f"{dots.summary} Query: ",)), dots.asked)

    def _action(self, action: Action) -> None:
        self.document.add_heading(action.what, 2)
        for name, line in action_lines(action):
            paragraph = self.document.add_paragraph()
            paragraph.add_run(f"{name}: ").bold = True
            for cell in line:
                self._put(paragraph, cell)


def _settled(packed: bytes, moment: datetime) -> bytes:
    """Pack the parts again in their order, each with the time of the version in place of that of this minute."""
    buffer = BytesIO()
    time = (max(moment.year, 1980), moment.month, moment.day, moment.hour, moment.minute, moment.second // 2 * 2)
    with ZipFile(BytesIO(packed)) as parts, ZipFile(buffer, "w", ZIP_DEFLATED) as settled:
        for part in parts.infolist():
            info = ZipInfo(part.filename, time)
            info.compress_type, info.create_system = ZIP_DEFLATED, 3
            settled.writestr(info, parts.read(part))
    return buffer.getvalue()
