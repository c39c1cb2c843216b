"""What an opportunity that the graph knows asks of a consortium."""

from __future__ import annotations

from dataclasses import replace

from graphkit.errors import UsageError
from graphkit.gaps.means import load_means
from graphkit.plans.proposals import Need
from graphkit.plans.words import resolve
from graphkit.store import Store

__all__ = ["need_of"]


def need_of(store: Store, opportunity: str, need: Need | None = None) -> Need:
    """Return the need of an opportunity, or `need` with that added.

    The themes of the opportunity are to be covered, members work in one of its regions where it names any, and who
    offers it takes no part. How many members, which lead, newcomers and costs are those of `need`. Raises
    `UnknownNameError` for an opportunity that is not known, `UsageError` for one that names no theme and so asks for
    nothing.
    """
    need = need or Need()
    known = {call.iri: call for call in load_means(store).offered if call.opportunity}
    call = known[resolve(opportunity, known, "opportunity", where="consortium")]
    themes = tuple(theme for theme, _ in call.themes)
    if not themes and not need.capabilities:
        raise UsageError(
            f"no source says what “{call.label}” is about, so it asks for nothing that could be covered",
            where="consortium",
            hint="name what must be covered yourself: --capability",
        )
    return replace(
        need,
        capabilities=(*need.capabilities, *themes),
        within=(*need.within, *(region for region, _ in call.regions)),
        excluded=(*need.excluded, *call.offered_by),
    )
