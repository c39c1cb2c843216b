"""The access log: a line of JSON for each request, written by a thread of its own so that nobody waits for a disk."""

from __future__ import annotations

import json
import queue
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, Self

from graphkit.errors import UsageError
from webui.serving.front import Served

__all__ = ["AccessLog"]

_MOST_WAITING: Final = 100_000
_LONGEST: Final = 500


class AccessLog:
    """Writes who asked for what, the status, the bytes, the time taken, and the id of the query.

    The text of a query is not in the log, since people write names into queries; the id joins the two where the
    application logs a query (DEBUG). Lines beyond 100,000 that wait for a slow disk are dropped, and counted.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file, self._lost = file, 0
        self._lines: queue.SimpleQueue[tuple[datetime, Served] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="access-log", daemon=True)
        self._writer.start()

    @classmethod
    def open(cls, place: str) -> Self:
        """Open a log: "-" is the standard error, anything else a file that lines are added to."""
        if place == "-":
            return cls(sys.stderr)
        try:
            return cls(Path(place).open("a", encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"the access log cannot be written: {error.strerror}", where=place) from error

    def tell(self, served: Served) -> None:
        """Note a request that was answered."""
        if self._lines.qsize() < _MOST_WAITING:
            self._lines.put((datetime.now(UTC), served))
        else:
            self._lost += 1

    def close(self) -> None:
        """Write what waits and close the file."""
        self._lines.put(None)
        self._writer.join()
        if self._file is not sys.stderr:
            self._file.close()

    def _write(self) -> None:
        while entry := self._lines.get():
            self._file.write(self._line(*entry))
            if self._lines.empty():
                self._file.flush()
        self._file.flush()

    def _line(self, when: datetime, served: Served) -> str:
        fields = {
            "time": when.isoformat(timespec="milliseconds"),
            "client": served.client,
            "method": served.method,
            "path": served.path[:_LONGEST],
            "status": served.status,
            "bytes": served.bytes,
            "seconds": round(served.seconds, 6),
            "query": served.query_id,
            "cached": served.cached,
            "agent": served.user_agent[:_LONGEST],
        }
        if self._lost:
            fields["lost"], self._lost = self._lost, 0
        return json.dumps(fields, ensure_ascii=False) + "\n"
