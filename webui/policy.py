"""The content security policy of the pages: no script, style or frame but our own."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["policy"]


def policy(*, frame_ancestors: Sequence[str] = ("'self'",)) -> str:
    """Return the policy of a page that only pages of `frame_ancestors` may frame; our own do, for stories."""
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
