"""D: what the sources do not say; not known, and never to be taken as absent."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from graphkit import queries
from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import listed
from graphkit.queries import Query
from graphkit.store import Store

__all__ = ["find"]

_TAG = "data-gap"
_NAMED = 200


def find(store: Store, within: frozenset[str] | None = None) -> list[Gap]:
    """Ask every stored query with the tag `data-gap` and find those with something that is not known.

    Such a query answers `thing, label, known`; the score is the share that is not known. Its summary becomes
    the explanation and the last sentence of its description the action: a data gap is added by adding a file. With
    `within` only these things are asked about. The evidence names the first 200 of which it is not known.
    """
    asked: Sequence[Query] = [query for query in queries.catalogue().values() if _TAG in query.tags]
    frames = ((query, queries.run(store, query)) for query in asked)
    if within is not None:
        frames = ((query, frame.filter(pl.col("thing").is_in(within))) for query, frame in frames)
    return [gap for query, frame in frames if (gap := _gap(query, frame))]


def _gap(query: Query, frame: pl.DataFrame) -> Gap | None:
    unknown = frame.filter(~pl.col("known")) if frame.height else frame
    if unknown.is_empty():
        return None
    things, labels = tuple(unknown["thing"]), tuple(unknown["label"])
    return Gap(
        kind="D",
        members=things,
        labels=labels,
        score=round(unknown.height / frame.height, 6),
        tier="not-known",
        explanation=(
            f"{query.summary}: {unknown.height:,} of {frame.height:,} ({listed(labels)}). Not known, and not to be"
            " taken as absent."
        ),
        evidence=tuple(
            Evidence(thing, label, query.name) for thing, label in zip(things[:_NAMED], labels[:_NAMED], strict=True)
        ),
        action=_last_sentence(query.description),
        topic=query.name,
    )


def _last_sentence(description: str) -> str:
    sentences = " ".join(description.split()).rstrip(".").split(". ")
    return f"{sentences[-1]}."
