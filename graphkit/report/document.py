"""What a report is made of, before it is written in any format: sections of sentences, figures, tables and plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from graphkit.store import Version

__all__ = [
    "Action",
    "Asked",
    "Block",
    "Cell",
    "Dots",
    "Figure",
    "Figures",
    "Line",
    "Named",
    "NotKnown",
    "Report",
    "Section",
    "Table",
    "plain",
    "said",
]


@dataclass(frozen=True, slots=True)
class Asked:
    """A stored query and the values of its parameters, by which anybody can work a figure out again."""

    query: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A thing of the graph under its name."""

    label: str
    iri: str


Cell: TypeAlias = "str | int | Decimal | date | Named | None"
"""What stands in a table or between words; None is "not known"."""

Line: TypeAlias = "tuple[Cell, ...]"
"""A sentence, in pieces of words and named things."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, never without coverage, method and the query behind it; a value of None is not known."""

    key: str
    label: str
    value: int | Decimal | None
    unit: str
    coverage: str
    method: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures that stand together."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class NotKnown:
    """What the graph does not say, and what to import or do so that it can."""

    what: str
    next: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under heads, with coverage, method and query; `left_out` rows are only in the query's answer."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[Line, ...]
    coverage: str
    method: str
    asked: Asked
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Dots:
    """A map: points (degrees east, degrees north, how many organisations) and what is said below it."""

    points: tuple[tuple[float, float, int], ...]
    summary: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class Action:
    """Something that could be done: by whom, with whom, why, what it would serve, and what would show success.

    `gap` is the IRI of the gap that it answers, or "" where it answers none. `goals` are Sustainable Development Goals.
    """

    key: str
    what: str
    who: tuple[Named, ...]
    partners: tuple[Named, ...]
    why: str
    evidence: tuple[Named, ...]
    commitments: tuple[Named, ...]
    goals: tuple[Named, ...]
    serves: str
    success: str
    strength: str
    asked: Asked
    gap: str = ""


Block: TypeAlias = "tuple[Cell, ...] | Figures | NotKnown | Table | Dots | Action"
"""A part of a section; a bare tuple is a sentence."""


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter of a report; its key names it in addresses."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a region from one version of a graph; `as_of` is the day from which it speaks."""

    region: Named
    version: Version | None
    as_of: date
    lead: tuple[Line, ...]
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """The title of the report."""
        return f"{self.region.label}: the solidarity economy, its gaps and an action plan"

    @property
    def stamp(self) -> str:
        """Which version the report was made from, in words."""
        if self.version is None:
            return f"This store keeps no versions; read on {self.as_of}."
        short = self.version.hash[:12]
        made = f"Version {self.version.number} of {self.version.time:%Y-%m-%d}, content {short}"
        return f"{made}; speaks of the time up to {self.as_of}."

    def figures(self) -> Iterator[tuple[Section, Figure]]:
        """Yield every figure with its section."""
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Figures):
                    yield from ((section, figure) for figure in block.figures)

    def actions(self) -> tuple[Action, ...]:
        """Return the actions of the plan, in order."""
        return tuple(block for section in self.sections for block in section.blocks if isinstance(block, Action))


def plain(cell: Cell) -> str:
    """Write a cell as text.

    >>> plain(12345), plain(None), plain(Named("Mill", "urn:mill")), plain(Decimal("0.50"))
    ('12,345', 'not known', 'Mill', '0.50')
    """
    if cell is None:
        return "not known"
    if isinstance(cell, Named):
        return cell.label
    return f"{cell:,}" if isinstance(cell, int | Decimal) else str(cell)


def said(line: Line) -> str:
    """Write a sentence as text."""
    return "".join(plain(cell) for cell in line)
