"""Stories: views of the graph with words, in the order in which they are told; kept beside the graph, never in it."""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from graphkit.errors import StoreError, UsageError
from webui.kept_file import KeptFile

__all__ = ["MOST_STEPS", "Step", "Stories", "Story"]

MOST_STEPS: Final = 40
"""So many views one story can have."""

_MOST: Final = 10_000
_LONGEST_LINE: Final = 200
_LONGEST_TEXT: Final = 4_000
_LONGEST_VIEW: Final = 4_000
_ID_LENGTH: Final = 8
_LETTERS: Final = "23456789abcdefghijkmnpqrstuvwxyz"
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS stories (id TEXT PRIMARY KEY, title TEXT NOT NULL, intro TEXT NOT NULL, "
    "author TEXT NOT NULL, steps TEXT NOT NULL, created TEXT NOT NULL, changed TEXT NOT NULL) WITHOUT ROWID"
)
_FIELDS: Final = "id, title, intro, author, steps, created, changed"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One view of a story: its address on this service, what stands above it, and what is to be seen in it."""

    view: str
    caption: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """A story: its short name, title, introduction, author, views, and the days of its making and last change (UTC)."""

    id: str
    title: str
    intro: str
    author: str
    steps: tuple[Step, ...]
    created: str
    changed: str


class Stories:
    """The stories of one deployment, in a SQLite file, or in memory where there is no place for a file."""

    def __init__(self, file: Path | None = None) -> None:
        """Open the file, which is made if it is not there; raises `StoreError` where that cannot be."""
        self._file = KeptFile(file, _SCHEMA, what="stories", setting="stories")

    def every(self) -> list[Story]:
        """Return all stories, the one changed last first."""
        with self._file.using() as base:
            rows = base.execute(f"SELECT {_FIELDS} FROM stories ORDER BY changed DESC, title, id").fetchall()  # noqa: S608
        return [_story(row) for row in rows]

    def get(self, short: str) -> Story | None:
        """Return the story with this id, or None."""
        with self._file.using() as base:
            row = base.execute(f"SELECT {_FIELDS} FROM stories WHERE id = ?", (short,)).fetchone()  # noqa: S608
        return _story(row) if row else None

    def put(self, title: str, intro: str, author: str, steps: list[Step], short: str = "") -> Story:
        """Keep a new story, or in the place of the one with the id `short`, and return it.

        Raises `UsageError` that says what is missing or too long, `StoreError` where there is no room.
        """
        before = self.get(short) if short else None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        fresh = Story(
            before.id if before else "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH)),
            _line(title, "title"),
            _text(intro, "introduction"),
            _line(author, "author", needed=False),
            _checked(steps),
            before.created if before else now,
            now,
        )
        with self._file.using() as base:
            (number,) = base.execute("SELECT COUNT(*) FROM stories").fetchone()
            if not before and number >= _MOST:
                raise StoreError(
                    f"no more than {_MOST:,} stories are kept", where=self._file.location, hint="delete old ones"
                )
            said = json.dumps([asdict(step) for step in fresh.steps], ensure_ascii=False)
            row = (fresh.id, fresh.title, fresh.intro, fresh.author, said, fresh.created, fresh.changed)
            base.execute("INSERT OR REPLACE INTO stories VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        _log.info("kept the story %s of %d views", fresh.id, len(fresh.steps))
        return fresh

    def delete(self, short: str) -> bool:
        """Forget a story; tell whether there was one."""
        with self._file.using() as base:
            gone = base.execute("DELETE FROM stories WHERE id = ?", (short,)).rowcount
        return gone > 0


def _story(row: tuple[str, ...]) -> Story:
    short, title, intro, author, steps, created, changed = row
    return Story(short, title, intro, author, tuple(Step(**step) for step in json.loads(steps)), created, changed)


def _checked(steps: list[Step]) -> tuple[Step, ...]:
    """Tidy the views, and leave out those of which every field is blank."""
    told = [step for step in steps if step.view.strip() or step.caption.strip() or step.text.strip()]
    if not told:
        raise UsageError("a story needs a view", where="view", hint="paste the address of a page, such as /network")
    if len(told) > MOST_STEPS:
        raise UsageError(f"a story has no more than {MOST_STEPS} views", hint="tell it in two stories")
    return tuple(
        Step(_view(step.view, place), _line(step.caption, f"caption {place}"), _text(step.text, f"text {place}"))
        for place, step in enumerate(told, 1)
    )


def _view(address: str, place: int) -> str:
    """Accept an address on this service only: a path, with what stands after it."""
    view = address.strip()
    plain = view.isprintable() and "\\" not in view and " " not in view
    if not view.startswith("/") or view.startswith("//") or not plain or len(view) > _LONGEST_VIEW:
        hint = "paste the address of a page of this service, such as /network?selected=…"
        raise UsageError(f"view {place} is no address of this service", where=view[:80], hint=hint)
    return view


def _line(text: str, name: str, *, needed: bool = True) -> str:
    line = " ".join(text.split())
    if needed and not line:
        raise UsageError(f"the {name} is missing", where=name, hint="write a few words")
    return _short(line, name, _LONGEST_LINE)


def _text(text: str, name: str) -> str:
    return _short(text.replace("\r\n", "\n").strip(), name, _LONGEST_TEXT)


def _short(text: str, name: str, most: int) -> str:
    if len(text) > most:
        raise UsageError(f"the {name} is longer than {most} characters", where=name, hint="shorten it")
    return text
