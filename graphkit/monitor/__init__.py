"""How far each commitment is kept: evidence, figures of its indicators, and how both changed over versions."""

from __future__ import annotations

from graphkit.monitor.base import Figure, Finding, Standing
from graphkit.monitor.figures import COLUMNS, figures_of
from graphkit.monitor.history import Moment, Shift, history, past, shifts
from graphkit.monitor.standings import monitor

__all__ = [
    "COLUMNS",
    "Figure",
    "Finding",
    "Moment",
    "Shift",
    "Standing",
    "figures_of",
    "history",
    "monitor",
    "past",
    "shifts",
]
