"""The content security policy of the pages: no script, style or frame but our own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from graphkit.errors import UsageError

__all__ = ["policy"]


_SITE: Final = re.compile(r"'self'|'none'|\*|https?://[A-Za-z0-9.*-]+(:\d+)?")


def policy(*, frame_ancestors: Sequence[str] = ("'self'",)) -> str:
    """Return the policy of a page that only pages of `frame_ancestors` may frame; our own do, for stories.

    Raises `UsageError` for what names no site.
    """
    for site in frame_ancestors:
        if not _SITE.fullmatch(site):
            hint = "write https://news.example.org, or * for all sites"
            raise UsageError(f"'{site}' names no site that could show a view", where="--embed-in", hint=hint)
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {' '.join(frame_ancestors)}",
        ]
    )
