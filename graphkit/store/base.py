"""What every store offers, wherever its quads lie: in memory, in a folder, behind an endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import polars as pl

__all__ = ["Change", "Diff", "Readable", "Store", "Version"]


@dataclass(frozen=True, slots=True)
class Version:
    """A committed state of a store: citable, comparable, restorable.

    `hash` is the SHA-256 of the sorted canonical N-Quads (RDFC-1.0), so equal content has equal hash. `rules` names the
    rules by which its conclusions were derived last, and is empty where something was changed since.
    """

    number: int
    time: datetime
    who: str
    why: str
    quads: int
    graphs: int
    hash: str
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Diff:
    """What one version has and another has not, each side as sorted N-Quads."""

    added: bytes
    removed: bytes


class Readable(Protocol):
    """What answers queries: a store, or a view of one through a pool of readers, within limits."""

    @property
    def whole(self) -> bool:
        """Whether every answer comes whole, and none is cut after so many rows."""

    def select(self, sparql: str) -> pl.DataFrame:
        """Answer a SELECT query as a frame with a column for each variable, in the query's order.

        IRIs and strings are text (a language tag is dropped), integers Int64, decimals Decimal, doubles and
        floats Float64, booleans Boolean, dates Date, date-times Datetime. A column that mixes kinds is text;
        an unbound cell is null; a column without a value is text.
        """

    def ask(self, sparql: str) -> bool:
        """Answer an ASK query."""

    def construct(self, sparql: str) -> bytes:
        """Answer a CONSTRUCT or DESCRIBE query as N-Triples."""

    def answer(self, sparql: str, media_type: str) -> bytes:
        """Answer any query form as the bytes of `media_type` (or a suffix such as "csv", "json", "ttl")."""


class Change(Readable, Protocol):
    """The open end of a store: all that is done to it is committed together or not at all.

    Queries see what the change has done up to now; a change of an endpoint, which is sent when it ends, refuses them.
    """

    rules: str
    """The name of the rules by which conclusions were derived before; who derives in this change sets it at the end."""

    def load(
        self,
        source: Path | bytes,
        *,
        media_type: str | None = None,
        graph: str | None = None,
        base: str | None = None,
    ) -> int:
        """Add the quads of `source` and return how many it held.

        A path's format follows from its suffix (.ttl .nt .nq .trig .rdf .jsonld); bytes need `media_type`
        (a media type such as "text/turtle" or a suffix such as "ttl"). Triples go into `graph`, or into the
        default graph; a file of quads keeps its own graphs and refuses a `graph`. Relative addresses in it are
        completed by `base`, and refused without one. Its blank nodes are new ones, whatever their labels.
        Raises `DataError` with file, line and column where the source is malformed.
        """

    def update(
        self, sparql: str, *, using: Sequence[str] = (), using_named: Sequence[str] = (), base: str | None = None
    ) -> None:
        """Run a SPARQL 1.1 update. LOAD and SERVICE are refused: data comes in through `load`.

        Its patterns see the default graph of the store and the named graphs, each by its name: the default graph
        is not the union that queries see. With `using` or `using_named` every pattern sees these graphs instead,
        as with USING and USING NAMED in each operation. `base` completes relative addresses. An update cannot be
        cut short while it runs.
        """

    def clear(self, graph: str | None) -> None:
        """Remove a named graph with all it holds, or all of the default graph (None).

        A graph that is not there is no error.
        """

    def create(self, graph: str) -> None:
        """Make a named graph, which stays although it is empty until it is cleared; one that is there stays as it is.

        Neither diffs nor `restore` know of an empty graph, because N-Quads cannot name it.
        """


class Store(Readable, Protocol):
    """A set of RDF graphs. Queries see the union of the named graphs and the default graph as default graph."""

    @property
    def location(self) -> str:
        """Where the quads lie: "memory", a folder or an endpoint's address."""

    @property
    def version(self) -> Version | None:
        """The newest version, or None where no version is kept (an endpoint) or nothing was committed yet."""

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading only."""

    def has_graph(self, graph: str | None) -> bool:
        """Tell whether there is a named graph, or with None whether the default graph holds anything.

        An endpoint need not know of a named graph that is empty.
        """

    def default_graph(self, suffix: str = "nt") -> bytes:
        """Write the triples that lie in no named graph, in the format of `suffix`."""

    def graphs(self) -> pl.DataFrame:
        """List the named graphs as `graph` and `quads` (their number of statements), ordered by name."""

    def dump(self, suffix: str = "nq", graph: str | None = None) -> bytes:
        """Write all quads, or the triples of one `graph`, in the format of `suffix`; nq and nt come sorted."""

    def change(self, why: str, *, who: str = "") -> AbstractContextManager[Change]:
        """Open the store for a change; leaving the block commits a version, an error leaves all as it was."""

    def trial(self) -> AbstractContextManager[Change]:
        """Open a change that is thrown away at the end of the block, to see what would follow from it.

        It works on a copy of the newest version: made in milliseconds for a folder, in memory otherwise. A store that
        was opened for reading only has trials too, and a change may be open beside them.
        """

    def versions(self) -> list[Version]:
        """List the versions that are kept, oldest first."""

    def at(self, number: int) -> Store:
        """Open the content of a version that is kept, for reading only; the caller closes it.

        Its newest version is that one. A folder opens it where it lies, in milliseconds, whatever its size; memory
        puts it together anew, unless it is the newest. Raises `StoreError` where it is not kept.
        """

    def diff(self, old: int, new: int) -> Diff:
        """Tell what version `new` has that `old` has not, and the other way round."""

    def restore(self, number: int) -> Version:
        """Commit the content of version `number` as a new version and return that."""

    def refresh(self) -> bool:
        """Take over the versions that another process committed since; tell whether there were any.

        It matters for a folder that was opened with `read_only`; elsewhere nothing can have happened unseen.
        """

    def __enter__(self) -> Self:
        """Return the store itself, so that a `with` block closes it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close the store."""

    def close(self) -> None:
        """Give back files and locks; a closed store answers nothing."""
