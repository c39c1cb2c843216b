"""Answers of stored queries for the pages: asked of the version that a request names, within limits, and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

import polars as pl
from flask import current_app

from graphkit import queries
from graphkit.errors import DataError
from graphkit.queries import Query
from graphkit.store import Version
from webui.frames import MOST_BYTES, Frames, frames_of, patience
from webui.linked.reading import pick, reader
from webui.protocol.query import Pick
from webui.state import store

__all__ = ["MOST_BYTES", "Frames", "Values", "answer", "once", "patience", "shown", "typed"]

Values = Mapping[str, str | Sequence[str]]
"""What is asked of a query's parameters."""

_T = TypeVar("_T")


def shown() -> Pick:
    """Return the version that the present page shows: that of `?version=` or Accept-Datetime, else the newest."""
    return pick()


def answer(name: str | Query, values: Values | None = None) -> pl.DataFrame:
    """Answer a stored query on the version that the present page shows.

    The answer of a version is kept, for a version never changes. What nobody chose values for is asked of the newest
    version without a limit of time, each question once: the first page that needs it waits for a few seconds and then
    raises `NotReady`, while the work goes on. All else runs within the limits of the service and raises `LimitError`
    beyond them.
    """
    query = queries.find(name) if isinstance(name, str) else name
    asked, picked = dict(values or {}), shown()
    key = (_mark(picked.version), queries.bind(query, asked))
    frames = frames_of(current_app)
    if not key[0]:
        return queries.run(reader(picked.number), query, **asked)
    if not asked and picked.number is None:
        whole = store()
        return frames.made(key, lambda: queries.run(whole, query), patience())
    kept = frames.get(key)
    if kept is None:
        kept = queries.run(reader(picked.number), query, **asked)
        frames.put(key, kept)
    return kept


def once(name: str, make: Callable[[], _T]) -> _T:
    """Return what `make` gives for the newest version of the store, made once for each version; one is kept by name.

    For what is worked out of several answers together and takes its time. `make` runs in a thread of its own, without
    the request. Raises `NotReady` where it is not there within a few seconds.
    """
    mark = _mark(store().version)
    if not mark:
        return make()
    return cast("_T", frames_of(current_app).other(name, mark, make, patience()))


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
