"""Alerts as words, as JSON, and as an Atom feed (RFC 4287)."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape, quoteattr

from graphkit.report.alerts import KINDS, Alerts
from graphkit.report.links import Links

__all__ = ["alerts_to_atom", "alerts_to_json", "alerts_to_words"]


def alerts_to_words(found: Alerts) -> str:
    """Write alerts for a person, with how many of each kind there are."""
    lines = [_title(found)]
    for kind, title in KINDS.items():
        shown = found.of_kind(kind)
        if shown:
            lines += [f"\n{title} ({found.counts[kind]})", *(f"  {alert.about.label}: {alert.what}" for alert in shown)]
            left = found.counts[kind] - len(shown)
            lines += [f"  … and {left:,} more"] if left else []
    if not found.alerts:
        lines.append("\nNothing that a policy analyst would have to know has changed.")
    return "\n".join(lines) + "\n"


def alerts_to_json(found: Alerts) -> str:
    """Write alerts as one JSON object."""
    said = {
        "since": found.since.number,
        "until": found.until.number,
        "region": found.region.iri if found.region else None,
        "counts": dict(found.counts),
        "alerts": [
            {"key": each.key, "kind": each.kind, "about": each.about.iri, "label": each.about.label, "what": each.what}
            for each in found.alerts
        ],
    }  # fmt: skip
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


def alerts_to_atom(found: Alerts, *, address: str, base: str = "") -> str:
    """Write alerts as an Atom feed at `address`; each entry is dated by the version that brought it."""
    links, time = Links(base or None), found.until.time.isoformat()
    entries = "".join(
        f"<entry><id>urn:sha256:{found.until.hash}:{alert.key}</id><title>{escape(alert.about.label)}</title>"
        f"<updated>{time}</updated><category term={quoteattr(alert.kind)} label={quoteattr(KINDS[alert.kind])}/>"
        f"<link href={quoteattr(links.thing(alert.about.iri))}/><summary>{escape(alert.what)}</summary></entry>\n"
        for alert in found.alerts
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">\n'
        f"<id>{escape(address)}</id><title>{escape(_title(found))}</title><updated>{time}</updated>\n"
        f'<author><name>graphkit</name></author><link rel="self" href={quoteattr(address)}/>\n{entries}</feed>\n'
    )


def _title(found: Alerts) -> str:
    where = f" in {found.region.label}" if found.region else ""
    since, until = found.since, found.until
    return (
        f"What changed{where} from version {since.number} ({since.time:%Y-%m-%d})"
        f" to version {until.number} ({until.time:%Y-%m-%d})"
    )
