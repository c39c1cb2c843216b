"""A SQLite file in which the pages keep what visitors make: beside the graph, never in it."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from graphkit.errors import StoreError

__all__ = ["KeptFile", "place_beside"]

_BUSY_SECONDS: Final = 5.0


class KeptFile:
    """One table in a file, or in memory where there is no place for a file; safe to use from several threads."""

    def __init__(self, file: Path | None, schema: str, *, what: str, setting: str) -> None:
        """Open the file, which is made if it is not there, with the table of `schema`.

        `what` it keeps and the `setting` that names it are told in errors. Raises `StoreError` where that cannot be.
        """
        self.location, self._what, self._setting, self._lock = str(file or "memory"), what, setting, Lock()
        with self._translated():
            self._base = sqlite3.connect(file or ":memory:", timeout=_BUSY_SECONDS, check_same_thread=False)
        weakref.finalize(self, self._base.close)
        with self.using() as base:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute(schema)

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """Let one thread at a time work on the file; what it does is kept together or not at all."""
        with self._translated(), self._lock, self._base as base:
            yield base

    def close(self) -> None:
        """Close the file; what is closed keeps nothing."""
        with self._lock:
            self._base.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            room = "look at the file, its folder and the room on the disk"
            hint = f"{room}, or name another in the setting '{self._setting}'"
            raise StoreError(f"{self._what} cannot be kept: {error}", where=self.location, hint=hint) from error


def place_beside(location: str, name: str) -> Path | None:
    """Return the file `name` beside a store that lies in a folder, or None where the store lies elsewhere."""
    folder = Path(location)
    return folder / name if folder.is_dir() and (folder / "CURRENT").exists() else None
