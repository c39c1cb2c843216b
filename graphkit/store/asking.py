"""The three kinds of question that every store answers, each from the bytes of one answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import polars as pl

from graphkit.store import engine
from graphkit.store.frames import frame_from_tsv
from graphkit.store.guard import query_form

__all__ = ["Answering", "Asking"]


class Answering(ABC):
    """Gives `select`, `ask` and `construct` to what has `answer`."""

    @property
    def whole(self) -> bool:
        """Whether every answer comes whole, and none is cut after so many rows."""
        return True

    @abstractmethod
    def answer(self, sparql: str, media_type: str) -> bytes:
        """Answer any query form as the bytes of `media_type`."""

    def select(self, sparql: str) -> pl.DataFrame:
        """Answer a SELECT query as a frame with a column for each variable."""
        engine.expect_form(query_form(sparql), "SELECT")
        return frame_from_tsv(self.answer(sparql, "tsv"))

    def ask(self, sparql: str) -> bool:
        """Answer an ASK query."""
        engine.expect_form(query_form(sparql), "ASK")
        return self.answer(sparql, "csv") == b"true"

    def construct(self, sparql: str) -> bytes:
        """Answer a CONSTRUCT or DESCRIBE query as N-Triples."""
        engine.expect_form(query_form(sparql), "CONSTRUCT", "DESCRIBE")
        return self.answer(sparql, "nt")


class Asking(Answering):
    """Gives also the `with` block to a store that has `answer` and `close`."""

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Give back files and locks."""
