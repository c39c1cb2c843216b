"""What a deployment can choose: limits, and how the pages name themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of a deployment; the defaults fit one person on one machine.

    `today` bounds what the pages say (None: the present day). A query from outside ends after `query_seconds`
    and with an answer of more than `query_bytes`; `rows_shown` rows of it are shown, all can be downloaded.
    """

    site_name: str = "Solidarity graph"
    today: date | None = None
    query_seconds: float = 10.0
    query_bytes: int = 50_000_000
    rows_shown: int = 500
