"""What must stand beside gaps, in the language of the reader: the sentences of a report, known by their pattern."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from webui.i18n.choosing import gettext, number
from webui.i18n.marking import N_

__all__ = ["spoken_banner"]

_SENTENCES: Final = (
    N_("A small graph."),
    N_("Of %(size)s organisations and groups, %(joined)s have a known joint activity."),
    N_("The sources speak up to %(day)s."),
    N_("No source declares how far it is complete, so no missing partnership is claimed."),
    N_(
        "Read partnerships as introductions to consider, not as forecasts: with so few organisations no probability can"
        " be given, and a missing link in the graph is not a missing collaboration in the world."
    ),
    N_("A missing link in the graph is not a missing collaboration in the world."),
    N_("Left out, so that no organisation fills a list and no list gets too long: %(numbers)s."),
    N_("Left out after review: %(numbers)s."),
    N_("Holes between communities (G3) are searched for up to %(number)s organisations only."),
)
_SLOT: Final = re.compile(r"%\\\((\w+)\\\)s")
_END: Final = re.compile(r"(?<=\.) (?=[A-Z])")


def spoken_banner(text: str) -> str:
    """Return the banner of a report in the language of the request; a sentence that is not known stays English."""
    return " ".join(_spoken(sentence) for sentence in _END.split(text))


def _spoken(sentence: str) -> str:
    for pattern, message in _patterns():
        found = pattern.fullmatch(sentence)
        if found:
            values = {
                name: number(int(value)) if value.isdigit() else value for name, value in found.groupdict().items()
            }
            return gettext(message, **values)
    return sentence


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return each known sentence as a pattern with a group for each of its values."""
    return tuple((re.compile(_SLOT.sub(r"(?P<\1>.+?)", re.escape(each))), each) for each in _SENTENCES)
