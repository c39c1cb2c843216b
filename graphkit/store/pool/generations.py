"""Which process answers about which version: the newest from a copy in memory, others from their checkpoints."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

from graphkit.errors import StoreError
from graphkit.store.pool.processes import Died, Nursery, Reader

__all__ = ["Generations", "Kept"]

_T = TypeVar("_T")
MOST_OLDER: Final = 2
_FEWEST_BYTES_FOR_A_QUAD: Final = 300
_SMALL_QUADS: Final = 100_000
_WAIT_FOR_SMALL_SECONDS: Final = 1.0
_MOST_TRIES: Final = 3
_log = logging.getLogger(__name__)


class Kept(Protocol):
    """The store whose versions are asked."""

    def checkpoint(self, number: int | None = None) -> Path | None:
        """Return a folder from which another process can read a version."""

    def packed(self, number: int) -> Path:
        """Return a file with the packed quads of a version."""

    def empty_graphs(self, number: int) -> tuple[str, ...]:
        """Return the names of the graphs of a version that hold nothing."""


class _Generation:
    """The processes for one version."""

    def __init__(self, number: int, quads: int) -> None:
        self.number, self.quads = number, quads
        self.lock = threading.Lock()
        self.idle: list[Reader] = []
        self.copy: Nursery | None = None
        self.loading: Nursery | None = None
        self.tries = self.busy = 0
        self.old = False


class Generations:
    """Gives out readers of versions and takes them back.

    The newest version is loaded into memory where that takes at most `copy_bytes`. That it cannot fit is known
    beforehand where each quad took only 300 bytes (600 were seen on average data); else the loading process is
    measured while it loads, and gives up. Until the copy is there, and for older versions, readers work on the
    checkpoint on disk. A small version (100,000 quads: some tenths of a second) is waited for.

    Readers of the newest version and of two older ones are kept for the next question. A copy in memory that is no
    longer the newest ends with its last running query.
    """

    def __init__(self, store: Kept, memory_bytes: int, copy_bytes: int) -> None:
        self._store, self._memory_bytes, self._copy_bytes = store, memory_bytes, copy_bytes
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._root: Nursery | None = None
        self._kept: OrderedDict[int, _Generation] = OrderedDict()
        self._out: dict[Reader, _Generation] = {}
        self._leaving: list[Nursery] = []
        self._newest = -1
        self._too_many = 0
        self._closed = False

    def reader(self, number: int, quads: int, *, newest: bool) -> Reader:
        """Return a reader of version `number` (0: of nothing); raises `StoreError` where none can be had."""
        if self._closed:
            raise _closed()
        generation = self._generation(number, quads, newest=newest)
        reader = self._idle(generation) or self._forked(generation)
        with self._lock:
            if self._closed:
                reader.kill()
                reader.end()
                raise _closed()
            self._out[reader] = generation
            generation.busy += 1
        return reader

    def idle_reader(self, number: int) -> Reader | None:
        """Return a reader of the newest version that has nothing to do, or None; nothing is started or waited for."""
        with self._lock:
            generation = self._kept.get(number)
            fits = generation is not None and number == self._newest and generation.loading is None
            if self._closed or generation is None or not fits or not generation.idle:
                return None
            reader = generation.idle.pop()
            self._out[reader] = generation
            generation.busy += 1
        return reader

    def give_back(self, reader: Reader, *, usable: bool) -> None:
        """Take a reader back for the next question, or bury it."""
        with self._lock:
            generation = self._out.pop(reader, None)
            if generation is None:
                return
            generation.busy -= 1
            fits = reader.nursery is (generation.copy or self._root)
            if usable and fits and not self._closed and self._kept.get(generation.number) is generation:
                generation.idle.append(reader)
            else:
                reader.end()
            self._let_copy_go(generation)

    def prepare(self, number: int, quads: int) -> None:
        """Make sure that a reader of the newest version is there; raises `StoreError` where none can be had."""
        with self._lock:
            known = self._kept.get(number)
            if known is not None and (known.idle or known.busy):
                return
        self.give_back(self.reader(number, quads, newest=True), usable=True)

    def close(self) -> None:
        """End all processes and wait until they have ended."""
        with self._starting, self._lock:
            if self._closed:
                return
            self._closed = True
            for reader in self._out:
                reader.kill()
            idle = [reader for generation in self._kept.values() for reader in generation.idle]
            nurseries = [*self._leaving, *([self._root] if self._root else [])]
            for generation in self._kept.values():
                nurseries += [each for each in (generation.copy, generation.loading) if each is not None]
            self._kept.clear()
            self._root = None
        for reader in idle:
            reader.kill()
        for reader in idle:
            reader.end(wait=True)
        for nursery in nurseries:
            nursery.close()
        for nursery in nurseries:
            nursery.wait()

    # ---- Generations -----------------------------------------------------------------------------

    def _generation(self, number: int, quads: int, *, newest: bool) -> _Generation:
        with self._lock:
            found = self._kept.get(number)
            if found is None:
                found = self._kept[number] = _Generation(number, quads)
            self._kept.move_to_end(number)
            if newest and number > self._newest:
                self._newest = number
                for other in self._kept.values():
                    if other is not found:
                        self._retire(other)
            found.old = number != self._newest
            self._forget_oldest()
            return found

    def _retire(self, generation: _Generation) -> None:
        """Let the copy in memory of a version go that is no longer the newest."""
        generation.old = True
        if generation.loading is not None:
            self._let_go(generation.loading)
            generation.loading = None
        if generation.copy is not None:
            for reader in generation.idle:
                reader.end()
            generation.idle.clear()
        self._let_copy_go(generation)

    def _let_copy_go(self, generation: _Generation) -> None:
        if generation.old and generation.copy is not None and not generation.busy:
            self._let_go(generation.copy)
            generation.copy = None

    def _forget_oldest(self) -> None:
        older = [number for number in self._kept if number != self._newest]
        for number in older[:-MOST_OLDER]:
            gone = self._kept.pop(number)
            gone.old = True
            for reader in gone.idle:
                reader.end()
            gone.idle.clear()
            self._let_copy_go(gone)

    def _let_go(self, nursery: Nursery) -> None:
        """Have a nursery end; those that ended before are buried."""
        nursery.close()
        self._leaving = [each for each in self._leaving if not each.ended()]
        self._leaving.append(nursery)

    # ---- Readers ---------------------------------------------------------------------------------

    def _idle(self, generation: _Generation) -> Reader | None:
        """Return a reader that has nothing to do; one on disk is let go once the copy in memory is there."""
        if generation.loading is not None:
            self._look_after_copy(generation, 0.0)
        with self._lock:
            while generation.idle:
                reader = generation.idle.pop()
                if generation.copy is None or reader.nursery is generation.copy:
                    return reader
                reader.end()
        return None

    def _forked(self, generation: _Generation) -> Reader:
        if not generation.old:
            self._prepare_copy(generation)
        copy = generation.copy
        if copy is not None and not generation.old:
            try:
                return copy.reader(None, self._memory_bytes)
            except Died:
                with self._lock:
                    if generation.copy is copy:
                        _log.warning("the copy in memory of version %d has ended", generation.number)
                        self._let_go(copy)
                        generation.copy = None
        folder = self._store.checkpoint(generation.number) if generation.number else None
        return self._from_root(lambda root: root.reader(folder, self._memory_bytes))

    def _prepare_copy(self, generation: _Generation) -> None:
        """Begin to load the version into memory, unless that was begun, or is known to be in vain."""
        with generation.lock:
            if generation.copy is None and generation.loading is None and self._may_fit(generation):
                generation.tries += 1
                packed = self._store.packed(generation.number)
                empty = self._store.empty_graphs(generation.number)
                loading = self._from_root(lambda root: root.copy(packed, empty, self._copy_bytes))
                with self._lock:
                    if generation.old or self._closed:
                        self._let_go(loading)
                        return
                    generation.loading = loading
        self._look_after_copy(generation, _WAIT_FOR_SMALL_SECONDS if generation.quads <= _SMALL_QUADS else 0.0)

    def _may_fit(self, generation: _Generation) -> bool:
        estimate = generation.quads * _FEWEST_BYTES_FOR_A_QUAD
        known_too_many = 0 < self._too_many <= generation.quads
        return 0 < estimate <= self._copy_bytes and not known_too_many and generation.tries < _MOST_TRIES

    def _look_after_copy(self, generation: _Generation, seconds: float) -> None:
        """Take the copy into use where it is loaded by now, or within some seconds."""
        with generation.lock:
            loading = generation.loading
            if loading is None:
                return
            try:
                said = loading.loaded(seconds)
            except Died:
                said = None
                with self._lock:
                    self._settle(generation, loading, use=False)
                return
            if said is None:
                return
            if said.fits:
                _log.info("version %d lies in memory, %d bytes", generation.number, said.copy_bytes)
            else:
                _log.info("version %d does not fit into %d bytes", generation.number, self._copy_bytes)
                self._too_many = generation.quads
            with self._lock:
                self._settle(generation, loading, use=said.fits)

    def _settle(self, generation: _Generation, loading: Nursery, *, use: bool) -> None:
        if generation.loading is not loading:
            return
        generation.loading = None
        if use and not generation.old:
            generation.copy = loading
        else:
            self._let_go(loading)

    def _from_root(self, fork: Callable[[Nursery], _T]) -> _T:
        """Have the first nursery fork; one that has ended is replaced once."""
        for _ in range(2):
            root = self._started_root()
            try:
                return fork(root)
            except Died:
                self._drop_root(root)
        raise StoreError(
            "the process for queries cannot be started",
            hint="see the log of the server; the memory or the number of processes may be exhausted",
        )

    def _started_root(self) -> Nursery:
        with self._starting:
            if self._closed:
                raise _closed()
            if self._root is None:
                self._root = Nursery.start()
            return self._root

    def _drop_root(self, root: Nursery) -> None:
        with self._starting:
            if self._root is root:
                self._root = None
                root.close()
                root.wait()


def _closed() -> StoreError:
    return StoreError("the pool of readers is closed", hint="make a new one")
