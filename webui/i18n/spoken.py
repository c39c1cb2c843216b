"""Words that pages show and that no page writes: names: kinds of gaps, alerts, tiers, verdicts, relations, networks."""

from __future__ import annotations

from graphkit import queries
from graphkit.gaps import KINDS, TIERS, VERDICTS
from graphkit.report import ALERT_KINDS
from webui.words import relation_texts

__all__ = ["spoken"]


def spoken() -> list[str]:
    """Return these words once each, as the pages hand them to `gettext`."""
    found = [*(text for kind in KINDS.values() for text in (kind.name, kind.question))]
    found += [tier.replace("-", " ") for tier in TIERS]
    found += [*VERDICTS, *ALERT_KINDS.values(), *relation_texts()]
    found += [name.rpartition("/")[2].replace("-", " ") for name in queries.catalogue() if name.startswith("networks/")]
    return list(dict.fromkeys(text for text in found if text))
