"""Queries that visitors save, each under a short link made from its text: kept beside the graph, never in it."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final

from flask import Blueprint, current_app, jsonify, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as BaseResponse

from graphkit import queries
from graphkit.errors import GraphkitError, StoreError, UsageError
from graphkit.queries import Query
from graphkit.store.guard import check_query
from webui.catalogue.answers import answered, split_suffix
from webui.kept_file import KeptFile, place_beside
from webui.protocol.access import own_address, require_own_site
from webui.protocol.problems import Refusal
from webui.state import settings, store

__all__ = ["Saved", "SavedQueries", "blueprint"]

blueprint = Blueprint("saved", __name__)

MOST_ENTRIES: Final = 100_000
"""So many queries are kept; then no more can be saved."""
LONGEST_TITLE: Final = 200
MOST_AN_HOUR: Final = 60
"""So many queries one client can save in an hour."""

_HOUR: Final = 3600.0
_MOST_CLIENTS: Final = 10_000
_ID_LENGTH: Final = 12
_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_KEPT: Final = "graphkit-saved"
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS saved (id TEXT PRIMARY KEY, text TEXT NOT NULL, title TEXT NOT NULL, "
    "created TEXT NOT NULL) WITHOUT ROWID"
)
_MOST_BYTES: Final = 1_000_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved query: its short name, its text, the title that the first who saved it gave, and the day (UTC)."""

    id: str
    text: str
    title: str
    created: str


class SavedQueries:
    """The saved queries of one deployment, in a SQLite file, or in memory where there is no place for a file.

    An entry never changes: its id is a part of the SHA-256 of its text, so whoever saves the same text gets the
    same link, and nobody can put another text under it.
    """

    def __init__(self, file: Path | None = None, *, most: int = MOST_ENTRIES) -> None:
        """Open the file, which is made if it is not there; raises `StoreError` where that cannot be."""
        self._most = most
        self._file = KeptFile(file, _SCHEMA, what="saved queries", setting="saved")

    def __len__(self) -> int:
        with self._file.using() as base:
            found: tuple[int] = base.execute("SELECT COUNT(*) FROM saved").fetchone()
        return found[0]

    def get(self, short: str) -> Saved | None:
        """Return the query with this id, or None."""
        with self._file.using() as base:
            row = base.execute("SELECT id, text, title, created FROM saved WHERE id = ?", (short,)).fetchone()
        return Saved(*row) if row else None

    def add(self, text: str, title: str = "") -> Saved:
        """Keep a query, and return what is kept under its id: for a text that is there already, the older entry.

        Line ends are made those of Unix, and blanks at the end go. Raises `UsageError` for a title that is too
        long, `DataError` for a text that is no query, `QueryError` for one that the guard refuses, and
        `StoreError` where there is no room. Whether it may call another service is judged when it runs.
        """
        text, title = _tidy(text), " ".join(title.split())
        if len(title) > LONGEST_TITLE:
            raise UsageError(f"the title is longer than {LONGEST_TITLE} characters", where="title", hint="shorten it")
        check_query(text, services=True)
        query = queries.parse_query(text, "query")
        fresh = Saved(_short(text), text, title or query.summary, datetime.now(UTC).date().isoformat())
        return self._put(fresh)

    def close(self) -> None:
        """Close the file; what is closed keeps nothing."""
        self._file.close()

    def _put(self, fresh: Saved) -> Saved:
        with self._file.using() as base:
            row = base.execute("SELECT id, text, title, created FROM saved WHERE id = ?", (fresh.id,)).fetchone()
            if row:
                return Saved(*row)
            (number,) = base.execute("SELECT COUNT(*) FROM saved").fetchone()
            if number >= self._most:
                hint = "share the address of the query's answer instead: it holds the text"
                raise StoreError(f"no more than {self._most:,} queries are kept", where=self._file.location, hint=hint)
            base.execute(
                "INSERT OR IGNORE INTO saved VALUES (?, ?, ?, ?)", (fresh.id, fresh.text, fresh.title, fresh.created)
            )
        _log.info("saved the query %s of %d characters", fresh.id, len(fresh.text))
        return fresh


class _Turns:
    """Counts what each client saved within the last hour; the clients that were quiet longest are forgotten."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Count one more for a client, and return 0; or how many seconds it has to wait."""
        now = time.monotonic()
        with self._lock:
            times = self._times.setdefault(client, deque())
            self._times.move_to_end(client)
            while times and now - times[0] > _HOUR:
                times.popleft()
            if len(times) >= MOST_AN_HOUR:
                return _HOUR - (now - times[0])
            times.append(now)
            while len(self._times) > _MOST_CLIENTS:
                self._times.popitem(last=False)
        return 0.0


class _Shelf:
    """What the pages of one application share: who saved how many, and the file, opened when it is first asked for."""

    def __init__(self) -> None:
        self.turns = _Turns()
        self._lock = Lock()
        self._saved: SavedQueries | None = None

    @property
    def saved(self) -> SavedQueries:
        """The saved queries."""
        with self._lock:
            if self._saved is None:
                self._saved = SavedQueries(_file())
            return self._saved


# ---- Pages -------------------------------------------------------------------------------------------


@blueprint.record
def _begin(setup: BlueprintSetupState) -> None:
    setup.app.extensions[_KEPT] = _Shelf()


@blueprint.post("/queries/saved")
def save() -> BaseResponse:
    """Save a query from a form (`query`, `title`) and go to its page (303), or from JSON and answer its link (201)."""
    require_own_site()
    request.max_content_length = request.max_form_memory_size = _MOST_BYTES
    as_json = request.is_json
    text, title = _json_body() if as_json else (request.form.get("query", ""), request.form.get("title", ""))
    if not text.strip():
        raise Refusal(400, "there is no query to save", where="query", hint="send its text as 'query'")
    if wait := _shelf().turns.take(request.remote_addr or ""):
        after = (("Retry-After", str(int(wait) + 1)),)
        raise Refusal(429, f"no more than {MOST_AN_HOUR} queries can be saved in an hour", headers=after)
    with _told():
        entry = _shelf().saved.add(text, title)
    path = url_for("saved.show", name=entry.id)
    if not as_json:
        return redirect(path, 303)
    address = own_address() + path.removeprefix(request.script_root)
    answer = jsonify({"id": entry.id, "href": address, "title": entry.title})
    answer.status_code, answer.headers["Location"] = 201, address
    return answer


@blueprint.get("/q/<name>")
def show(name: str) -> BaseResponse:
    """Show a saved query with its form and its answer, or give its text (.rq) or its answer as data."""
    short, suffix = split_suffix(name)
    with _told():
        entry = _shelf().saved.get(short)
    if entry is None:
        hint = "check the link: large and small letters differ; or write the query again in the editor"
        raise Refusal(404, f"no saved query is called '{short}'", hint=hint)
    return answered(
        _query(entry), f"/q/{entry.id}", suffix, title=entry.title or "A saved query", created=entry.created
    )


@contextmanager
def _told() -> Iterator[None]:
    """Say what is wrong with a text (400), or that there is no place for it (503) without naming our files."""
    try:
        yield
    except StoreError as error:
        _log.warning("%s", error)
        raise Refusal(503, error.what, hint="share the address of the answer instead: it holds the text") from error
    except GraphkitError as error:
        raise Refusal(400, error.what, where=error.where, hint=error.hint) from error


def _query(entry: Saved) -> Query:
    return queries.parse_query(entry.text, f"q/{entry.id}")


def _json_body() -> tuple[str, str]:
    body = request.get_json(silent=True)
    text, title = (body.get("query"), body.get("title", "")) if isinstance(body, dict) else (None, "")
    if not isinstance(text, str) or not isinstance(title, str):
        raise Refusal(400, "the body is not what is asked for", hint='send {"query": "SELECT …", "title": "…"}')
    return text, title


def _shelf() -> _Shelf:
    found: _Shelf = current_app.extensions[_KEPT]
    return found


def _file() -> Path | None:
    """Return where saved queries are kept: as the deployment says, else beside a store that lies in a folder."""
    chosen = settings().saved
    return chosen if chosen is not None else place_beside(store().location, "saved.sqlite")


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip() + "\n"


def _short(text: str) -> str:
    """Return the first 12 of the base-57 digits of the text's SHA-256: 70 bits, without letters that look alike."""
    number, digits = int.from_bytes(hashlib.sha256(text.encode()).digest()), []
    for _ in range(_ID_LENGTH):
        number, digit = divmod(number, len(_LETTERS))
        digits.append(_LETTERS[digit])
    return "".join(digits)
