"""Versions of a graph: their canonical content and hash, what differs between two, and where they are kept."""

from __future__ import annotations

import getpass
import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Final, Protocol

import pyoxigraph as ox

from graphkit.errors import DataError, StoreError, UsageError
from graphkit.store.base import Version
from graphkit.store.lines import Edit, Packer, frame_of, unpack, unpacked

__all__ = [
    "Archive",
    "MemoryArchive",
    "Stage",
    "canonical",
    "canonical_hash",
    "checked_keep",
    "empty_graphs",
    "new_version",
    "version_from_json",
    "version_to_json",
]

KEPT_IN_MEMORY: Final = 3
FEWEST_KEPT: Final = 2
MOST_SPOOLED: Final = 3

_NQ: Final = ox.RdfFormat.N_QUADS


@dataclass(frozen=True, slots=True)
class Stage:
    """A copy of a version to work on, and the folder for what belongs to it (None where all is in memory)."""

    store: ox.Store
    folder: Path | None = None

    @property
    def packed(self) -> Path | None:
        """The file for the packed content."""
        return self.folder / "quads.nq.gz" if self.folder else None


class Archive(Protocol):
    """Where an embedded store keeps its versions; `content` is always canonical N-Quads."""

    @property
    def location(self) -> str:
        """Where the versions lie, as a person would say it."""

    def versions(self) -> list[Version]:
        """List the versions that are kept, oldest first."""

    def content(self, number: int) -> bytes:
        """Return the quads of a version that is kept; version 0 is empty."""

    def blocks(self, number: int) -> Iterator[bytes]:
        """Yield the quads of a version that is kept in blocks of whole lines; version 0 has none."""

    def reader(self) -> ox.Store:
        """Open the newest version for reading."""

    def stage(self, number: int) -> AbstractContextManager[Stage]:
        """Give a copy of a version to work on, which is thrown away at the end of the block.

        Graphs that hold nothing come with the newest version only.
        """

    def commit(self, version: Version, packed: IO[bytes], stage: Stage) -> ox.Store:
        """Keep what was worked out on `stage` as `version`, whose content was `packed`, and open it for reading."""

    def checkpoint(self, number: int) -> Path:
        """Return a folder of the engine from which another process can read a version that is kept."""

    def packed(self, number: int) -> Path:
        """Return a file with what `pack` made of a version that is kept."""

    def empty_graphs(self, number: int) -> tuple[str, ...]:
        """Return the names of the graphs of a version that hold nothing, which N-Quads cannot name."""

    def at(self, number: int) -> Archive:
        """Return the versions up to one that is kept, which is the newest there, for reading only."""

    def refresh(self) -> ox.Store | None:
        """Open the newest version for reading where another process committed it since; else return None."""

    def close(self) -> None:
        """Give back files and locks."""


def canonical(nquads: bytes) -> bytes:
    """Return N-Quads as sorted distinct lines, with blank nodes named by RDFC-1.0.

    Only quads with blank nodes decide how these are named, so the many without any are merely sorted. Naming takes
    very long where many blank nodes are alike, such as a list of hundreds that repeats one value or ten that all
    point at each other; `DataError` is raised where it takes longer than 10 seconds.
    """
    edit = Edit()
    edit.add(frame_of(line for line in nquads.split(b"\n") if line))
    return b"".join(edit.applied(lambda: ()))


def canonical_hash(nquads: bytes) -> str:
    r"""Return the SHA-256 of the canonical form of N-Quads, so that equal graphs have equal hashes.

    >>> canonical_hash(b"_:a <urn:p> _:b .\n") == canonical_hash(b"_:x <urn:p> _:y .\n")
    True
    """
    try:
        return hashlib.sha256(canonical(nquads)).hexdigest()
    except SyntaxError as error:
        raise DataError(f"the N-Quads cannot be read: {error.msg}", where="the given bytes") from error


def empty_graphs(store: ox.Store) -> tuple[str, ...]:
    """Return the names of the graphs without a statement."""
    names = [graph for graph in store.named_graphs() if isinstance(graph, ox.NamedNode)]
    return tuple(
        name.value for name in names if next(iter(store.quads_for_pattern(None, None, None, name)), None) is None
    )


def new_version(number: int, packer: Packer, graphs: int, *, who: str, why: str, rules: str = "") -> Version:
    """Describe what was packed as version `number`, made now."""
    return Version(
        number=number,
        time=datetime.now(UTC).replace(microsecond=0),
        who=who or _user(),
        why=why,
        quads=packer.quads,
        graphs=graphs,
        hash=packer.hash,
        rules=rules,
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


def checked_keep(keep: int) -> int:
    """Refuse to keep so few versions that a reader could lose the one it reads."""
    if keep < FEWEST_KEPT:
        raise UsageError(f"a store keeps at least {FEWEST_KEPT} versions, not {keep}")
    return keep


class MemoryArchive:
    """Versions in memory: the newest as a live store, the last few as packed N-Quads."""

    location = "memory"

    def __init__(
        self,
        keep: int = KEPT_IN_MEMORY,
        *,
        kept: Mapping[int, tuple[Version, bytes]] | None = None,
        empty: Mapping[int, tuple[str, ...]] | None = None,
        live: ox.Store | None = None,
    ) -> None:
        self._keep = checked_keep(keep)
        self._kept: dict[int, tuple[Version, bytes]] = dict(kept or {})
        self._live = ox.Store() if live is None else live
        self._spool: Path | None = None
        self._recent: list[Path] = []
        self._empty: dict[int, tuple[str, ...]] = dict(empty or {})

    def versions(self) -> list[Version]:
        """List the versions that are kept, oldest first."""
        return [version for version, _ in list(self._kept.values())]

    def content(self, number: int) -> bytes:
        """Return the quads of a version that is kept; version 0 is empty."""
        return unpack(self._packed(number), self.location) if number else b""

    def blocks(self, number: int) -> Iterator[bytes]:
        """Yield the quads of a version that is kept in blocks of whole lines."""
        if number:
            yield from unpacked(BytesIO(self._packed(number)), self.location)

    def reader(self) -> ox.Store:
        """Return the newest version."""
        return self._live

    @contextmanager
    def stage(self, number: int) -> Iterator[Stage]:
        """Give a copy of a version to work on."""
        copy = ox.Store()
        copy.bulk_load(self.content(number), format=_NQ)
        if number == max(self._kept, default=0):
            for graph in self._live.named_graphs():
                copy.add_graph(graph)
        yield Stage(copy)

    def commit(self, version: Version, packed: IO[bytes], stage: Stage) -> ox.Store:
        """Make `stage` the newest version and forget the oldest ones."""
        packed.seek(0)
        self._empty[version.number] = empty_graphs(stage.store)
        self._kept[version.number] = (version, packed.read())
        for number in sorted(self._kept)[: -self._keep]:
            del self._kept[number], self._empty[number]
        self._live = stage.store
        return stage.store

    def checkpoint(self, number: int) -> Path:
        """Write a version to a temporary folder, where the few that were last asked for lie."""
        folder = self._spooled(number) / "data"
        if not folder.is_dir():
            draft = folder.with_suffix(".draft")
            written = ox.Store(str(draft))
            written.bulk_load(self.content(number), format=_NQ)
            for name in self.empty_graphs(number):
                written.add_graph(ox.NamedNode(name))
            written.backup(str(folder))
            del written
            shutil.rmtree(draft, ignore_errors=True)
        return folder

    def packed(self, number: int) -> Path:
        """Write the packed quads of a version beside its checkpoint."""
        file = self._spooled(number) / "quads.nq.gz"
        if not file.exists():
            file.write_bytes(self._packed(number))
        return file

    def empty_graphs(self, number: int) -> tuple[str, ...]:
        """Return the names of the graphs of a version that hold nothing."""
        return self._empty.get(number, ())

    def at(self, number: int) -> MemoryArchive:
        """Return the versions up to `number`; its content is put together anew unless it is the newest."""
        live = self._live
        if number != max(self._kept, default=0):
            live = ox.Store()
            live.bulk_load(self.content(number), format=_NQ)
            for name in self.empty_graphs(number):
                live.add_graph(ox.NamedNode(name))
        kept = {each: version for each, version in self._kept.items() if each <= number}
        empty = {each: names for each, names in self._empty.items() if each <= number}
        return MemoryArchive(self._keep, kept=kept, empty=empty, live=live)

    def refresh(self) -> None:
        """Do nothing: nobody else can commit to the memory of this process."""

    def _packed(self, number: int) -> bytes:
        if number not in self._kept:
            raise StoreError(f"version {number} is no longer kept", where=self.location)
        return self._kept[number][1]

    def _spooled(self, number: int) -> Path:
        """Return the temporary folder of a version, and remove those that were not asked for of late."""
        if self._spool is None:
            self._spool = Path(tempfile.mkdtemp(prefix="graphkit-"))
            weakref.finalize(self, shutil.rmtree, self._spool, ignore_errors=True)
        folder = self._spool / f"{number:06}"
        folder.mkdir(parents=True, exist_ok=True)
        if folder not in self._recent:
            for old in self._recent[: -MOST_SPOOLED + 1]:
                shutil.rmtree(old, ignore_errors=True)
        self._recent = [*(path for path in self._recent if path != folder), folder][-MOST_SPOOLED:]
        return folder

    def close(self) -> None:
        """Remove the temporary folder."""
        if self._spool is not None:
            shutil.rmtree(self._spool, ignore_errors=True)
