"""Answers of stored queries for the pages: asked of the version that a request names, within limits, and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar, cast

import polars as pl
from flask import current_app
from flask.blueprints import BlueprintSetupState

from graphkit import queries
from graphkit.errors import DataError
from graphkit.queries import Query
from graphkit.store import Version
from webui.linked.reading import pick, reader
from webui.pages.blueprint import blueprint
from webui.protocol.query import Pick
from webui.state import store

__all__ = ["MOST_BYTES", "Frames", "Values", "answer", "once", "shown", "typed"]

Values = Mapping[str, str | Sequence[str]]
"""What is asked of a query's parameters."""

MOST_BYTES: Final = 256_000_000
"""So many bytes of answers are kept; the one not used for longest goes first."""

_KEPT: Final = "graphkit-frames"
_ONCE: Final = "graphkit-once"
_T = TypeVar("_T")


class Frames:
    """Answers by version and text of the query, up to a number of bytes; safe for many threads."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most, self._held = most, 0
        self._lock = threading.Lock()
        self.patience = threading.Lock()
        self._frames: OrderedDict[tuple[str, str], pl.DataFrame] = OrderedDict()

    def get(self, key: tuple[str, str]) -> pl.DataFrame | None:
        """Return what is kept under a key."""
        with self._lock:
            if key in self._frames:
                self._frames.move_to_end(key)
            return self._frames.get(key)

    def put(self, key: tuple[str, str], frame: pl.DataFrame) -> None:
        """Keep a frame, and let go of the oldest where there are too many bytes."""
        with self._lock:
            if key not in self._frames:
                self._frames[key] = frame
                self._held += int(frame.estimated_size())
            while self._held > self._most and len(self._frames) > 1:
                _, old = self._frames.popitem(last=False)
                self._held -= int(old.estimated_size())


@blueprint.record
def _begin(setup: BlueprintSetupState) -> None:
    setup.app.extensions[_KEPT] = Frames()


def shown() -> Pick:
    """Return the version that the present page shows: that of `?version=` or Accept-Datetime, else the newest."""
    return pick()


def answer(name: str | Query, values: Values | None = None) -> pl.DataFrame:
    """Answer a stored query on the version that the present page shows.

    The answer of a version is kept, for a version never changes. What nobody chose values for is asked of the newest
    version without a limit of time, one after the other: these are few questions, and each is asked once. All else
    runs within the limits of the service and raises `LimitError` beyond them.
    """
    query = queries.find(name) if isinstance(name, str) else name
    asked, picked = dict(values or {}), shown()
    key = (_mark(picked.version), queries.bind(query, asked))
    frames: Frames = current_app.extensions[_KEPT]
    kept = frames.get(key) if key[0] else None
    if kept is not None:
        return kept
    if asked or picked.number is not None or not key[0]:
        kept = queries.run(reader(picked.number), query, **asked)
    else:
        with frames.patience:
            waited = frames.get(key)
            kept = queries.run(store(), query) if waited is None else waited
    if key[0]:
        frames.put(key, kept)
    return kept


def once(name: str, make: Callable[[], _T]) -> _T:
    """Return what `make` gives for the newest version of the store, made once for each version; one is kept by name.

    For what is worked out of several answers together and takes its time.
    """
    kept: dict[str, tuple[str, object]] = current_app.extensions.setdefault(_ONCE, {})
    mark = _mark(store().version)
    found = kept.get(name)
    if mark and found and found[0] == mark:
        return cast("_T", found[1])
    made = make()
    kept[name] = (mark, made)
    return made


def typed(frame: pl.DataFrame, **types: pl.DataType | type[pl.DataType]) -> pl.DataFrame:
    """Give columns the types that they have where there are values: a column without any comes as text.

    Raises `DataError` where a column holds something else.
    """
    try:
        return frame.with_columns(pl.col(name).cast(kind) for name, kind in types.items())
    except pl.exceptions.PolarsError as error:
        wanted = ", ".join(types)
        hint = "run graphkit check: it names the statement that has another type than it should"
        raise DataError(f"a column of an answer ({wanted}) holds something else than it should", hint=hint) from error


def _mark(version: Version | None) -> str:
    return version.hash if version else ""
