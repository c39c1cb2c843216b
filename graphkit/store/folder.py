"""Versions in a folder: each a checkpoint of the engine beside its packed N-Quads, one of them the newest.

    CURRENT                  {"format": 1, "version": 7}; replaced in one step, which is the moment of commit
    LOCK                     held by the one writer, names its process
    versions/000007/         data/ (the engine's files), quads.nq.gz (canonical), version.json,
                             empty-graphs.json where there are any
    staging-…/               where a change is worked out; of no meaning to readers, swept by the next writer

A change works on a copy (hard links, made in milliseconds), so whatever interrupts it, even the death of the
process, leaves the newest version as it was.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import pyoxigraph as ox

from graphkit.errors import StoreError
from graphkit.files import write_whole
from graphkit.store.base import Version
from graphkit.store.lines import unpack, unpacked
from graphkit.store.versions import Stage, checked_keep, empty_graphs, version_from_json, version_to_json

__all__ = ["FolderArchive"]

KEPT_IN_FOLDER: Final = 100

_FORMAT: Final = 1
_DRAFT: Final = "staging-"
_log = logging.getLogger(__name__)


class FolderArchive:
    """The versions that one folder holds, open for one writer or for any number of readers."""

    def __init__(
        self, folder: Path, *, read_only: bool = False, keep: int = KEPT_IN_FOLDER, until: int | None = None
    ) -> None:
        self._folder, self._keep, self._until = folder, checked_keep(keep), until
        self._lock: IO[str] | None = None
        if not read_only:
            self._prepare()
        self._seen = self._stamp()
        self._newest = self._read_current() if until is None else until
        self._kept = {number: self._described(number) for number in self._numbers() if number <= self._newest}
        if not read_only:
            self._sweep()

    @property
    def location(self) -> str:
        """The folder."""
        return str(self._folder)

    def versions(self) -> list[Version]:
        """List the versions that are kept, oldest first."""
        return list(self._kept.values())

    def content(self, number: int) -> bytes:
        """Return the quads of a version that is kept; version 0 is empty."""
        return unpack(self._read(self._of(number) / "quads.nq.gz"), self.location) if number else b""

    def blocks(self, number: int) -> Iterator[bytes]:
        """Yield the quads of a version that is kept in blocks of whole lines."""
        if number:
            with self._read_along(self._of(number) / "quads.nq.gz") as file:
                yield from unpacked(file, self.location)

    def reader(self) -> ox.Store:
        """Open the newest version for reading."""
        return self._opened(self._newest)

    def _opened(self, number: int) -> ox.Store:
        if not number:
            return ox.Store()
        try:
            return ox.Store.read_only(str(self._of(number) / "data"))
        except OSError as error:
            raise StoreError(
                f"version {number} cannot be opened: {error}",
                where=self.location,
                hint="try again; if that does not help, load the newest versions/…/quads.nq.gz into a new store",
            ) from error

    @contextmanager
    def stage(self, number: int) -> Iterator[Stage]:
        """Give a copy of a version to work on."""
        with self._draft() as draft:
            with self._writing():
                if number:
                    self._opened(number).backup(str(draft / "data"))
                copy = ox.Store(str(draft / "data"))
            if number != self._newest:
                for name in self.empty_graphs(number):
                    copy.remove_graph(ox.NamedNode(name))
            yield Stage(copy, draft)

    def commit(self, version: Version, packed: IO[bytes], stage: Stage) -> ox.Store:
        """Write the version beside the others, make it the newest, and remove those too old to be kept."""
        with self._draft() as draft, self._writing():
            whole = draft / "version"
            whole.mkdir()
            stage.store.backup(str(whole / "data"))
            packed.flush()
            os.fsync(packed.fileno())
            if stage.packed is not None:
                stage.packed.rename(whole / "quads.nq.gz")
            write_whole(whole / "version.json", version_to_json(version))
            if empty := empty_graphs(stage.store):
                write_whole(whole / "empty-graphs.json", json.dumps(empty).encode())
            shutil.rmtree(self._of(version.number), ignore_errors=True)
            whole.rename(self._of(version.number))
            self._write_current(version.number)
        self._newest = version.number
        self._kept[version.number] = version
        for number in sorted(self._kept)[: -self._keep]:
            del self._kept[number]
            shutil.rmtree(self._of(number), ignore_errors=True)
        return self.reader()

    def checkpoint(self, number: int) -> Path:
        """Return the engine's files of a version."""
        return self._of(number) / "data"

    def packed(self, number: int) -> Path:
        """Return the packed quads of a version."""
        return self._of(number) / "quads.nq.gz"

    def empty_graphs(self, number: int) -> tuple[str, ...]:
        """Return the names of the graphs of a version that hold nothing; most versions have none, and no such file."""
        file = self._of(number) / "empty-graphs.json"
        return tuple(json.loads(self._read(file))) if file.exists() else ()

    def at(self, number: int) -> FolderArchive:
        """Return the versions up to `number`, which stay as they are whatever is written meanwhile."""
        return FolderArchive(self._folder, read_only=True, keep=self._keep, until=number)

    def refresh(self) -> ox.Store | None:
        """Read CURRENT again where it was replaced since, and open the version that another writer made newest."""
        if self._until is not None or self._lock is not None or (seen := self._stamp()) == self._seen:
            return None
        newest = self._read_current()
        kept = {number: self._kept.get(number) or self._described(number) for number in self._still_there(newest)}
        opened = self._opened(newest)
        self._newest, self._kept, self._seen = newest, kept, seen
        return opened

    def close(self) -> None:
        """Let another writer in."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _of(self, number: int) -> Path:
        return self._folder / "versions" / f"{number:06}"

    def _numbers(self) -> list[int]:
        return sorted(int(path.name) for path in (self._folder / "versions").glob("[0-9]*"))

    def _still_there(self, newest: int) -> list[int]:
        """List the versions that the writer has not removed, and which are all finished."""
        return [n for n in self._numbers() if n <= newest and (self._of(n) / "version.json").exists()]

    def _stamp(self) -> tuple[int, int] | None:
        """Return what differs as soon as CURRENT was replaced."""
        try:
            state = (self._folder / "CURRENT").stat()
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns

    def _described(self, number: int) -> Version:
        file = self._of(number) / "version.json"
        return version_from_json(self._read(file), str(file))

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise StoreError(f"a file of the store is missing: {error.strerror}", where=str(file)) from error

    def _read_along(self, file: Path) -> IO[bytes]:
        try:
            return file.open("rb")
        except OSError as error:
            raise StoreError(f"a file of the store is missing: {error.strerror}", where=str(file)) from error

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """Give a folder that is gone at the end of the block, whatever happens in it.

        A reader's lies beside the versions too, where files can be linked, unless it may not write there.
        """
        home = self._folder if self._lock is not None or os.access(self._folder, os.W_OK) else None
        with self._writing():
            draft = Path(tempfile.mkdtemp(prefix=f"{_DRAFT}{os.getpid()}-", dir=home))
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"the folder cannot be written: {error}", where=self.location) from error

    def _prepare(self) -> None:
        """Make a new folder ready and take its lock; a folder that holds something else is not touched."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if (self._folder / "CURRENT").exists():
                self._read_current()
            elif strangers := self._strangers():
                raise self._no_store(f"it holds '{strangers[0]}'")
            self._lock = self._locked()
            (self._folder / "versions").mkdir(exist_ok=True)
            if not (self._folder / "CURRENT").exists():
                self._write_current(0)
        except OSError as error:
            raise StoreError(f"the folder cannot be used: {error.strerror or error}", where=self.location) from error

    def _strangers(self) -> list[str]:
        names = sorted(path.name for path in self._folder.iterdir())
        return [name for name in names if name not in ("LOCK", "versions") and not name.startswith(".CURRENT.")]

    def _locked(self) -> IO[str]:
        """Take the lock that the operating system gives back even when this process is killed."""
        file = (self._folder / "LOCK").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StoreError(
                f"another writer has this store open: process {holder}",
                where=self.location,
                hint="close it there, or open the store with read_only=True",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file

    def _read_current(self) -> int:
        file = self._folder / "CURRENT"
        try:
            state = json.loads(file.read_bytes())
            known, version = state["format"] == _FORMAT, state["version"]
        except FileNotFoundError as error:
            raise self._no_store("it has no file CURRENT") from error
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise self._no_store("its file CURRENT is not ours") from error
        if not known or not isinstance(version, int):
            raise self._no_store("its format is not known to this release")
        return version

    def _write_current(self, number: int) -> None:
        state = {"format": _FORMAT, "version": number}
        write_whole(self._folder / "CURRENT", json.dumps(state).encode() + b"\n")

    def _no_store(self, reason: str) -> StoreError:
        self.close()
        return StoreError(
            f"this folder is no store of graphkit: {reason}",
            where=self.location,
            hint="give an empty or new folder, or one that graphkit made",
        )

    def _sweep(self) -> None:
        """Remove what a change left behind that never came to its end."""
        drafts = [path for path in self._folder.glob(f"{_DRAFT}*") if not _in_use(path)]
        left = [*drafts, *(self._of(n) for n in self._numbers() if n > self._newest)]
        for path in left:
            _log.info("removing %s, left by a change that was interrupted", path)
            shutil.rmtree(path, ignore_errors=True)


def _in_use(draft: Path) -> bool:
    """Tell whether a draft belongs to another process that lives; its name says to which."""
    number = draft.name.removeprefix(_DRAFT).partition("-")[0]
    if not number.isdigit() or int(number) == os.getpid():
        return False
    try:
        os.kill(int(number), 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True
