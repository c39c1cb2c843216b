"""Versions of a graph: their canonical content and hash, what differs between two, and where they are kept."""

from __future__ import annotations

import getpass
import gzip
import hashlib
import json
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import pyoxigraph as ox

from graphkit.errors import DataError, StoreError, UsageError
from graphkit.store.base import Diff, Version
from graphkit.store.formats import read_source

__all__ = [
    "Archive",
    "MemoryArchive",
    "canonical",
    "canonical_hash",
    "checked_keep",
    "difference",
    "new_version",
    "pack",
    "unpack",
    "version_from_json",
    "version_to_json",
    "without_graph",
]

KEPT_IN_MEMORY: Final = 3
FEWEST_KEPT: Final = 2

_NQ: Final = ox.RdfFormat.N_QUADS
_SUBJECT_AND_PREDICATE: Final = re.compile(rb"(?:<[^>]*>|_:\S+) <[^>]*>")


class Archive(Protocol):
    """Where an embedded store keeps its versions; `content` is always canonical N-Quads."""

    @property
    def location(self) -> str:
        """Where the versions lie, as a person would say it."""

    def versions(self) -> list[Version]:
        """List the versions that are kept, oldest first."""

    def content(self, number: int) -> bytes:
        """Return the quads of a version that is kept; version 0 is empty."""

    def reader(self) -> ox.Store:
        """Open the newest version for reading."""

    def stage(self) -> AbstractContextManager[ox.Store]:
        """Give a copy of the newest version to work on, which is thrown away at the end of the block."""

    def commit(self, version: Version, content: bytes, stage: ox.Store) -> ox.Store:
        """Keep what was worked out on `stage` as `version`, and open it for reading."""

    def checkpoint(self) -> Path | None:
        """Return a folder from which another process can read the newest version, None where there is none."""

    def close(self) -> None:
        """Give back files and locks."""


def canonical(nquads: bytes) -> bytes:
    """Return N-Quads as sorted distinct lines, with blank nodes named by RDFC-1.0.

    Only quads with blank nodes decide how these are named, so the many without any are merely sorted. Naming takes
    very long for chains of hundreds of blank nodes that are all alike (400 of them: 15 seconds), such as a list
    that repeats one value; lists of different values and single blank nodes are quick.
    """
    lines = {line for line in nquads.split(b"\n") if line}
    blank = {line for line in lines if b"_:" in line}
    if blank:
        lines = (lines - blank) | set(_named_blanks(b"\n".join(blank)).split(b"\n"))
    return b"".join([line + b"\n" for line in sorted(lines) if line])


def canonical_hash(nquads: bytes) -> str:
    r"""Return the SHA-256 of the canonical form of N-Quads, so that equal graphs have equal hashes.

    >>> canonical_hash(b"_:a <urn:p> _:b .\n") == canonical_hash(b"_:x <urn:p> _:y .\n")
    True
    """
    try:
        return hashlib.sha256(canonical(nquads)).hexdigest()
    except SyntaxError as error:
        raise DataError(f"the N-Quads cannot be read: {error.msg}", where="the given bytes") from error


def _named_blanks(nquads: bytes) -> bytes:
    dataset = ox.Dataset(ox.parse(nquads, format=_NQ))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return ox.serialize(dataset, format=_NQ) or b""


def without_graph(content: bytes, graph: str) -> bytes:
    """Return canonical N-Quads without the quads of one named graph."""
    tail = b" <" + graph.encode() + b"> ."
    kept = [line for line in content.split(b"\n") if line and not _lies_in(line, tail)]
    return b"".join([line + b"\n" for line in kept])


def _lies_in(line: bytes, tail: bytes) -> bool:
    """Tell whether a quad ends with the name of the graph, and not with an object of the same name."""
    return line.endswith(tail) and not _SUBJECT_AND_PREDICATE.fullmatch(line[: -len(tail)])


def difference(old: bytes, new: bytes) -> Diff:
    """Compare two canonical contents line by line."""
    before, after = set(old.split(b"\n")), set(new.split(b"\n"))
    return Diff(added=_joined(after - before), removed=_joined(before - after))


def _joined(lines: set[bytes]) -> bytes:
    return b"".join([line + b"\n" for line in sorted(lines) if line])


def new_version(number: int, content: bytes, graphs: int, *, who: str, why: str) -> Version:
    """Describe canonical `content` as version `number`, made now."""
    return Version(
        number=number,
        time=datetime.now(UTC).replace(microsecond=0),
        who=who or _user(),
        why=why,
        quads=content.count(b"\n"),
        graphs=graphs,
        hash=hashlib.sha256(content).hexdigest(),
    )


def _user() -> str:
    """Return the name of the user of this machine, which a container need not have."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def version_to_json(version: Version) -> bytes:
    """Write a version as JSON."""
    fields = asdict(version) | {"time": version.time.isoformat()}
    return json.dumps(fields, ensure_ascii=False, indent=2).encode() + b"\n"


def version_from_json(text: bytes, where: str) -> Version:
    """Read what `version_to_json` wrote."""
    try:
        version = Version(**json.loads(text))
        return replace(version, time=datetime.fromisoformat(str(version.time)))
    except (ValueError, TypeError) as error:
        raise StoreError(f"the description of a version cannot be read: {error}", where=where) from error


def pack(content: bytes) -> bytes:
    """Compress content; equal content gives equal bytes."""
    return gzip.compress(content, compresslevel=1, mtime=0)


def unpack(packed: bytes, where: str) -> bytes:
    """Undo `pack`."""
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError) as error:
        raise StoreError(f"a version cannot be unpacked: {error}", where=where) from error


def checked_keep(keep: int) -> int:
    """Refuse to keep so few versions that a reader could lose the one it reads."""
    if keep < FEWEST_KEPT:
        raise UsageError(f"a store keeps at least {FEWEST_KEPT} versions, not {keep}")
    return keep


class MemoryArchive:
    """Versions in memory: the newest as a live store, the last few as packed N-Quads."""

    location = "memory"

    def __init__(self, keep: int = KEPT_IN_MEMORY) -> None:
        self._keep = checked_keep(keep)
        self._kept: dict[int, tuple[Version, bytes]] = {}
        self._live = ox.Store()
        self._spool: Path | None = None

    def versions(self) -> list[Version]:
        """List the versions that are kept, oldest first."""
        return [version for version, _ in self._kept.values()]

    def content(self, number: int) -> bytes:
        """Return the quads of a version that is kept; version 0 is empty."""
        return unpack(self._kept[number][1], self.location) if number else b""

    def reader(self) -> ox.Store:
        """Return the newest version."""
        return self._live

    @contextmanager
    def stage(self) -> Iterator[ox.Store]:
        """Give a copy of the newest version to work on."""
        newest = max(self._kept, default=0)
        yield read_source(self.content(newest), media_type="nq")

    def commit(self, version: Version, content: bytes, stage: ox.Store) -> ox.Store:
        """Make `stage` the newest version and forget the oldest ones."""
        self._kept[version.number] = (version, pack(content))
        for number in sorted(self._kept)[: -self._keep]:
            del self._kept[number]
        self._live = stage
        return stage

    def checkpoint(self) -> Path | None:
        """Write the newest version to a temporary folder, once for each version."""
        if not self._kept:
            return None
        if self._spool is None:
            self._spool = Path(tempfile.mkdtemp(prefix="graphkit-"))
            weakref.finalize(self, shutil.rmtree, self._spool, ignore_errors=True)
        number = max(self._kept)
        folder = self._spool / f"{number:06}"
        if not folder.is_dir():
            self._write_checkpoint(number, folder)
        return folder

    def _write_checkpoint(self, number: int, folder: Path) -> None:
        draft = folder.with_suffix(".draft")
        spooled = ox.Store(str(draft))
        spooled.bulk_load(self.content(number), format=_NQ)
        spooled.backup(str(folder))
        del spooled
        shutil.rmtree(draft, ignore_errors=True)
        for old in sorted(folder.parent.iterdir())[:-FEWEST_KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def close(self) -> None:
        """Remove the temporary folder."""
        if self._spool is not None:
            shutil.rmtree(self._spool, ignore_errors=True)
