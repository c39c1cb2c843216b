"""What went wrong with a query, told from what its process said, or from how it died."""

from __future__ import annotations

import logging
from typing import Final

from graphkit.errors import GraphkitError, LimitError, QueryError, StoreError
from graphkit.store.pool.processes import Reply, refusal
from graphkit.store.pool.questions import Limits
from graphkit.store.pool.wire import Kind

__all__ = ["death_of", "fault_of", "nobody_waits", "too_long", "too_slow"]

_ASK_FOR_LESS: Final = "ask for less: narrow the pattern, or add a LIMIT to each part"
_OUT_OF_MEMORY: Final = ("memory allocation", "MemoryError", "bad_alloc", "temporarily unavailable")
_NO_ORDER: Final = "does not correctly implement a total order"
_log = logging.getLogger(__name__)


def fault_of(reply: Reply, limits: Limits, location: str) -> GraphkitError | None:
    """Return what a reply tells of a fault, or None where it is an answer."""
    kind = reply.head.kind
    if kind == Kind.REFUSED:
        return refusal(reply)
    if kind == Kind.TOO_LONG:
        return too_long(limits.max_bytes)
    if kind == Kind.MEMORY:
        return _too_large(limits)
    if kind == Kind.LOST:
        return StoreError(
            f"the version cannot be opened for reading: {reply.body.decode(errors='replace')}",
            where=location,
            hint="try again; the version may just have been removed",
        )
    return None


def death_of(words: str, limits: Limits) -> QueryError:
    """Tell from its last words what was wrong with the query that ended a reader."""
    if any(sign in words for sign in _OUT_OF_MEMORY):
        return _too_large(limits)
    if _NO_ORDER in words:
        return QueryError(
            "the engine cannot put values of such different kinds in order", hint="sort by STR(?x), not ?x"
        )
    _log.warning("a reader has died: %s", words.strip() or "without a word")
    return QueryError(
        "the query broke the process that answered it", hint="write it with less nesting and shorter paths"
    )


def _too_large(limits: Limits) -> LimitError:
    most = limits.memory_bytes // 1024**2
    what = f"the query needed more than {most:,} MiB of memory and was stopped"
    return LimitError(what, limit="memory", hint=_ASK_FOR_LESS)


def nobody_waits() -> LimitError:
    """Build the error for a query whose client has gone."""
    return LimitError("nobody waits for the answer any more", limit="stopped")


def too_slow(seconds: float) -> LimitError:
    """Build the error for a query beyond its time."""
    return LimitError(
        f"the query took longer than {seconds:g} seconds and was stopped", limit="time", hint=_ASK_FOR_LESS
    )


def too_long(most: int) -> LimitError:
    """Build the error for an answer of more than `most` bytes."""
    return LimitError(
        f"the answer is longer than {most:,} bytes",
        limit="length",
        hint="ask for less, with LIMIT or a narrower pattern",
    )
