"""What leaves the house: frames, networks, gaps, standings and backtests in the formats of others."""

from __future__ import annotations

from graphkit.export.backtests import backtest_to_html, backtest_to_turtle
from graphkit.export.frames import FRAME_FORMATS, frame_to_text, json_value
from graphkit.export.gaps import gap_to_dict, gaps_to_json, gaps_to_words
from graphkit.export.networks import NETWORK_FORMATS, network_to_bytes
from graphkit.export.standings import (
    history_as_frame,
    shifts_as,
    standing_in_words,
    standings_as_frame,
    standings_to_json,
)

__all__ = [
    "FRAME_FORMATS",
    "NETWORK_FORMATS",
    "backtest_to_html",
    "backtest_to_turtle",
    "frame_to_text",
    "gap_to_dict",
    "gaps_to_json",
    "gaps_to_words",
    "history_as_frame",
    "json_value",
    "network_to_bytes",
    "shifts_as",
    "standing_in_words",
    "standings_as_frame",
    "standings_to_json",
]
