"""Words that pages show and that no page writes: kinds of gaps and alerts, tiers, verdicts, relations."""

from __future__ import annotations

from graphkit.gaps import KINDS, TIERS, VERDICTS
from graphkit.report import ALERT_KINDS
from webui.words import relation_texts

__all__ = ["spoken"]


def spoken() -> list[str]:
    """Return these words once each, as the pages hand them to `gettext`."""
    found = [*(text for kind in KINDS.values() for text in (kind.name, kind.question))]
    found += [tier.replace("-", " ") for tier in TIERS]
    found += [*VERDICTS, *ALERT_KINDS.values(), *relation_texts()]
    return list(dict.fromkeys(text for text in found if text))
