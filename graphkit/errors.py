"""The one tree of errors: each says what went wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal

__all__ = [
    "DataError",
    "GraphkitError",
    "LimitError",
    "MissingExtraError",
    "QueryError",
    "StoreError",
    "UnknownNameError",
    "UsageError",
    "unknown_name",
]


class GraphkitError(Exception):
    """Every error that graphkit raises on purpose.

    `what` is the fault in one sentence, `where` the file, line, query or shape, `hint` what to do next.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where, hint)
        self.what, self.where, self.hint = what, where, hint

    def __str__(self) -> str:
        """Return the message as a person reads it, one line for each part that is known."""
        parts = [self.what]
        if self.where:
            parts.append(f"  where: {self.where}")
        if self.hint:
            parts.append(f"  next:  {self.hint}")
        return "\n".join(parts)


class DataError(GraphkitError):
    """A file or a graph does not hold what it should: bad syntax, a broken header, a missing column."""


class QueryError(GraphkitError):
    """A query cannot be read, bound or answered, or its answer breaks its contract."""


class LimitError(QueryError):
    """A query is in order, and its answer goes beyond what one query may take, or it was stopped.

    `limit` says beyond what: "time", "memory", "length" of the answer, "turn" (too many wait already, or its turn
    did not come in time) or "stopped" (by a person, or because nobody waits for the answer any more).
    """

    def __init__(
        self,
        what: str,
        *,
        limit: Literal["time", "memory", "length", "turn", "stopped"],
        where: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.limit = limit


class StoreError(GraphkitError):
    """The store cannot be opened, changed or reached, or does not offer what was asked of it."""


class MissingExtraError(GraphkitError):
    """An optional library or program is needed and absent; the hint holds the install line."""


class UsageError(GraphkitError):
    """The call itself is wrong: an argument is missing, of the wrong kind, or out of range."""


class UnknownNameError(UsageError):
    """A name is not known; the hint lists the nearest known ones."""


def unknown_name(kind: str, name: str, known: Iterable[str], *, where: str = "") -> UnknownNameError:
    """Build the error for a `name` that no `kind` of thing has, listing the nearest of the `known` names.

    >>> print(unknown_name("measure", "constrant", ["constraint", "degree"]))
    no measure is called 'constrant'
      next:  did you mean: constraint?
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=4, cutoff=0.5)
    hint = f"did you mean: {', '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
    return UnknownNameError(f"no {kind} is called '{name}'", where=where, hint=hint)
