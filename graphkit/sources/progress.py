"""How far an import is: rows, rate, and the time that is left, told to whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Progress", "Tell", "in_words"]


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of an import: the file, bytes read of all, rows so far, seconds so far, and what is being done."""

    act: str
    done: int
    total: int
    rows: int
    seconds: float

    @property
    def share(self) -> float:
        """How much of the files was read, from 0 to 1."""
        return self.done / self.total if self.total else 1.0

    @property
    def left(self) -> float | None:
        """How many seconds the reading will still take at the rate so far, or None where that is not known yet."""
        return self.seconds * (1 - self.share) / self.share if self.share > 0 else None


Tell: TypeAlias = Callable[[Progress], None]


def in_words(progress: Progress) -> str:
    """Tell a moment in one line.

    >>> in_words(Progress("reading coops.csv", 50, 200, 1000, 2.0))
    'reading coops.csv: 25 %, 1,000 rows, 500 rows/s, 6 s left'
    """
    rate = f"{progress.rows / progress.seconds:,.0f} rows/s" if progress.seconds > 0 else ""
    left = "" if progress.left is None or progress.share >= 1 else f"{progress.left:,.0f} s left"
    parts = [f"{progress.share:.0%}".replace("%", " %"), f"{progress.rows:,} rows", rate, left]
    return f"{progress.act}: {', '.join(part for part in parts if part)}"
