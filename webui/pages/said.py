"""Words that come out of stored queries and that pages show: they are translated like those of the templates."""

from __future__ import annotations

from typing import Final

__all__ = ["N_", "ONE", "SAID"]


def N_(text: str) -> str:  # noqa: N802 - the name that gettext has for it
    """Mark a text for translation, and return it as it is."""
    return text


ONE: Final = {
    N_("organisations and bodies"): N_("organisation or body"),
    N_("networks and bodies in the making"): N_("network or body in the making"),
    N_("groups of unnamed organisations"): N_("group of unnamed organisations"),
    N_("people in a public role"): N_("person in a public role"),
    N_("activities"): N_("activity"),
    N_("events"): N_("event"),
    N_("bids"): N_("bid"),
    N_("grants"): N_("grant"),
    N_("funding schemes"): N_("funding scheme"),
    N_("opportunities"): N_("opportunity"),
    N_("policies"): N_("policy"),
    N_("commitments"): N_("commitment"),
    N_("claims"): N_("claim"),
    N_("objectives"): N_("objective"),
    N_("places"): N_("place"),
    N_("sources"): N_("source"),
    N_("statements"): N_("statement"),
}
"""What the first page counts, and what it says where there is one of it."""

SAID: Final = (
    N_("organisations whose place is known"),
    N_("organisations whose kind is known"),
    N_("organisations with a known activity"),
    N_("organisations with a point on the map"),
    N_("activities whose start is known"),
    N_("activities with a named participant"),
    N_("grants whose amount is known"),
    N_("grants whose date is known"),
    N_("grants whose recipient has a known place"),
    N_("activity starts"),
    N_("activity ends"),
    N_("grant"),
    N_("policy"),
    N_("commitment"),
    N_("takes part with"),
    N_("is a member of"),
    N_("has the member"),
    N_("is part of"),
    N_("has the part"),
    N_("gives money to"),
    N_("gets money from"),
    N_("capability"),
    N_("kind"),
    N_("region"),
    N_("asked for"),
    N_("its theme"),
    N_("its CPV division"),
    N_("its place"),
    N_("barrier"),
    N_("building block"),
)
"""What explore/counts, explore/coverage, explore/timeline and explore/neighbours say."""
