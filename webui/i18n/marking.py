"""A mark for a text that is translated later, where it is shown."""

from __future__ import annotations

__all__ = ["N_"]


def N_(text: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """Return `text` as it is; `python -m webui.i18n` finds it by this mark."""
    return text
