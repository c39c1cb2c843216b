"""The lines of an action, in the same words in every format."""

from __future__ import annotations

import re
from typing import Final

from graphkit.report.document import Action, Cell, Line

__all__ = ["action_lines", "first_sentence", "joined"]

_SHORT: Final = "".join(rf"(?<!\b[A-Z][a-z]{{{letters}}})" for letters in (1, 2, 3))
_END: Final = re.compile(rf"(?<=[a-z0-9)\]”]){_SHORT}\. (?=[A-Z])")


def joined(things: Line, otherwise: str) -> Line:
    """Put commas between things, or say `otherwise` where there is none.

    >>> joined(("a", "b"), "none"), joined((), "none")
    (('a', ', ', 'b'), ('none',))
    """
    cells: list[Cell] = []
    for thing in things:
        cells += [", ", thing] if cells else [thing]
    return tuple(cells) or (otherwise,)


def action_lines(action: Action) -> list[tuple[str, Line]]:
    """Return the lines of an action, each with its name; the last is how sure it is."""
    served: Line = ("none: it would count as evidence for no loaded commitment",)
    if action.commitments:
        served = (*joined(action.commitments, ""), f" ({action.serves})")
    return [
        ("Who", joined(action.who, "not named: whoever takes it up")),
        ("With whom", joined(action.partners, "not known")),
        ("Why", (action.why,)),
        ("Evidence", joined(action.evidence, "none named")),
        ("Commitment", served),
        ("Goal", joined(action.goals, "none that the shipped mappings give for it")),
        ("What would show success", (action.success,)),
        ("How sure", (action.strength,)),
    ]


def first_sentence(text: str) -> str:
    """Return the first sentence of a text; the dots of initials, of "S. A." and of "Co." end none.

    >>> first_sentence("Mill GmbH & Co. KG and the port meet. Found among 9 pairs.")
    'Mill GmbH & Co. KG and the port meet.'
    >>> first_sentence("Works, S. A. and the port meet. Found among 9 pairs.")
    'Works, S. A. and the port meet.'
    """
    return _END.split(text, maxsplit=1)[0].rstrip(".") + "."
