"""The gaps on the pages: their table, a page for each, reviews, and the plan."""

from __future__ import annotations

from webui.gaps.rows import gap_rows

__all__ = ["gap_rows"]
