"""Imports the files of a source into a store: read, clean, judge, map, compare with before, commit."""

from __future__ import annotations

import logging
import re
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

import polars as pl

from graphkit import places
from graphkit.assembly import commit_graphs
from graphkit.errors import DataError, UsageError
from graphkit.sources.batches import Batch
from graphkit.sources.cells import AT, REFUSED
from graphkit.sources.custom import custom_source
from graphkit.sources.folder import Layout, Source, find
from graphkit.sources.history import compare, earlier, events
from graphkit.sources.mapping import NOTHING_UNMAPPED, Mapped, Mapper
from graphkit.sources.opening import file_hash, opened
from graphkit.sources.progress import Progress, Tell
from graphkit.sources.provenance import FileFacts, Naming, describe
from graphkit.sources.rdf_graphs import map_rdf
from graphkit.sources.reading import Reading, choose_layout, table_of
from graphkit.sources.report import Changes, ImportReport
from graphkit.sources.statements import Settler, as_lines
from graphkit.store import Store, convert
from graphkit.terms import ID, PREFIXES

__all__ = ["DEFAULT_BUDGET", "Wishes", "import_files"]

DEFAULT_BUDGET: Final = 1024
"""How many megabytes an import may take for its rows, where nobody says."""

_PARTS_OF_BUDGET: Final = 1024
_AT_ONCE: Final = 2
_LEAST_BATCH: Final = 65_536
_FIRST: Final = 40
_SNAPSHOT: Final = re.compile(r"[a-z0-9][a-z0-9.-]*")
_AT_LOCATION: Final = f"<{PREFIXES['prov']}atLocation>"
_PLACE: Final = f"<{ID}place/"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person may want otherwise than the source says.

    `mapping` is a folder or a mapping file of one's own, for the source `table`; `budget` the megabytes of memory for
    rows; `retrieved` the day on which the files came from their publisher (default: the day of the file).
    """

    snapshot: str | None = None
    series: str | None = None
    layout: str | None = None
    mapping: Path | None = None
    encoding: str | None = None
    delimiter: str | None = None
    budget: int = DEFAULT_BUDGET
    retrieved: date | None = None
    address: str = ""
    who: str = ""


@dataclass(slots=True)
class _Tally:
    """What an import gathers while it reads."""

    folder: Path
    settler: Settler = field(default_factory=Settler)
    files: list[Path] = field(default_factory=list)
    read: int = 0
    statements: int = 0
    mapping_seconds: float = 0.0
    first: bytes = b""
    records: Counter[str] = field(default_factory=Counter)
    refused: list[pl.DataFrame] = field(default_factory=list)
    unmapped: list[pl.DataFrame] = field(default_factory=list)
    places: set[str] = field(default_factory=set)

    def written(self, name: str, triples: bytes) -> Path:
        """Write N-Triples to a file that lasts as long as the import."""
        path = self.folder / f"{name}.nt"
        path.write_bytes(triples)
        return path

    def keep(self, statements: pl.DataFrame) -> None:
        """Write the statements of one batch to a file."""
        lines = as_lines(statements)
        self.files.append(self.written(f"{len(self.files):06}", lines))
        self.statements += statements.height
        if not self.first:
            self.first = as_lines(statements.sort("s", "p", "o").head(_FIRST))
        located = statements.filter((pl.col("p") == _AT_LOCATION) & pl.col("o").str.starts_with(_PLACE))["o"].unique()
        self.places.update(each.strip("<>") for each in located)


def import_files(
    store: Store,
    adapter: str,
    files: Sequence[Path],
    *,
    snapshot: str | None = None,
    dry_run: bool = False,
    progress: Tell | None = None,
    wishes: Wishes | None = None,
) -> ImportReport:
    """Import files of the source `adapter` as one snapshot, and report what was done.

    All of it comes in as one version of the store, or nothing does. With `dry_run` nothing is stored. `progress` is
    told after each batch. Raises `DataError` for files that are not as described, `UnknownNameError` for an unknown
    source or layout, `UsageError` for a snapshot older than the one in the store.
    """
    if not files:
        raise UsageError("no file is given to import")
    wished = wishes or Wishes()
    if snapshot is not None:
        wished = replace(wished, snapshot=snapshot)
    source = _source(adapter, wished)
    layout = _layout(source, files[0], wished)
    naming = _naming(source, layout, files[0], wished)
    with tempfile.TemporaryDirectory(prefix="graphkit-import-") as folder:
        job = _Job(store, source, layout, naming, tuple(files), wished, _Tally(Path(folder)))
        return job.run(progress, dry_run=dry_run)


def _source(adapter: str, wishes: Wishes) -> Source:
    if wishes.mapping is not None:
        return custom_source(adapter, wishes.mapping)
    found = find(adapter)
    if adapter == "table":
        hint = "give a mapping file or a folder with --mapping; see graphkit/sources/adapters/table/README.md"
        raise UsageError("the source 'table' needs a mapping", hint=hint)
    return found


def _layout(source: Source, path: Path, wishes: Wishes) -> Layout:
    if wishes.layout is not None:
        return source.layout(wishes.layout)
    return choose_layout(source, path, encoding=wishes.encoding, delimiter=wishes.delimiter)


def _naming(source: Source, layout: Layout, path: Path, wishes: Wishes) -> Naming:
    """Name the snapshot: series (layout, or what the file's name tells) and date."""
    series = wishes.series
    if series is None:
        series = source.series.read(path.name) if source.series else layout.name
    series = series or ""
    told = wishes.snapshot if wishes.snapshot is not None else layout.snapshot.read(path.name)
    if told is None:
        told = _retrieved(path, wishes).isoformat()
    told = told.removeprefix(series).strip("-")
    snapshot = "-".join(part for part in (series, told) if part)
    if not _SNAPSHOT.fullmatch(snapshot):
        raise UsageError(f"'{snapshot}' cannot name a snapshot", hint="small letters, digits, hyphens: 2023-q2")
    return Naming(source.name, series, snapshot)


def _retrieved(path: Path, wishes: Wishes) -> date:
    """Return the day on which the file came from its publisher, as far as that is known."""
    if wishes.retrieved is not None:
        return wishes.retrieved
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
    except OSError:
        return datetime.now(UTC).date()


@dataclass(slots=True)
class _Job:
    """One import, step by step."""

    store: Store
    source: Source
    layout: Layout
    naming: Naming
    files: tuple[Path, ...]
    wishes: Wishes
    tally: _Tally

    def run(self, tell: Tell | None, *, dry_run: bool) -> ImportReport:
        started = perf_counter()
        before = self._before()
        mapper, reading = self._read_all(tell)
        description = describe(self.source, self.naming, self._facts(), self._revised(before), self.layout.name)
        around = places.describe(sorted(self.tally.places)) + self._context()
        changes = history = None
        if before not in (None, self.naming.snapshot):
            changes, history = self._compare(str(before))
        version = None
        if not dry_run:
            if tell:
                tell(Progress("storing", 1, 1, self.tally.read, perf_counter() - started))
            version = self._commit(before, description + around, history)
        report = self._report(mapper, reading, changes, started, dry_run=dry_run)
        return replace(report, version=version)

    def _before(self) -> str | None:
        """Return the snapshot of the series that the store holds, if there is one."""
        held = earlier(self.store, self.naming)
        newer = [each for each in held if each > self.naming.snapshot]
        if newer:
            raise UsageError(
                f"the store holds the newer snapshot {newer[-1]}, and {self.naming.snapshot} would come after it",
                where=self.naming.graph,
                hint="import older snapshots first; `graphkit versions` lists the states that the store had",
            )
        return held[-1] if held else None

    def _read_all(self, tell: Tell | None) -> tuple[Mapper | None, Reading]:
        table = table_of(self.layout, encoding=self.wishes.encoding, delimiter=self.wishes.delimiter)
        if self.layout.format == "rdf":
            self._read_rdf(tell)
            return None, Reading(self.layout, table, _LEAST_BATCH)
        mapper = Mapper.of(self.layout, table, self.naming.source)
        reading = Reading(self.layout, table, max(self.wishes.budget * 1024**2 // _PARTS_OF_BUDGET, _LEAST_BATCH))
        sizes = [path.stat().st_size if path.is_file() else 0 for path in self.files]
        started = perf_counter()
        for number, path in enumerate(self.files, 1):
            with opened(path) as pieces:
                numbered = (_numbered(batch, number) for batch in reading.batches(pieces))
                for rows, mapped in _mapped(mapper, numbered):
                    self._take(rows, mapped, path.name)
                    if tell:
                        done, seconds = sum(sizes[: number - 1]) + pieces.done, perf_counter() - started
                        tell(Progress(f"reading {path.name}", done, sum(sizes), self.tally.read, seconds))
        self.tally.mapping_seconds = perf_counter() - started
        return mapper, reading

    def _read_rdf(self, tell: Tell | None) -> None:
        """Read RDF files, each whole."""
        started = perf_counter()
        for number, path in enumerate(self.files, 1):
            with opened(path, most=self.wishes.budget * 1024**2) as pieces:
                rows, mapped = map_rdf(self.layout, pieces, self.naming.source)
            self._take(rows, mapped, path.name)
            if tell:
                seconds = perf_counter() - started
                tell(Progress(f"reading {path.name}", number, len(self.files), self.tally.read, seconds))
        self.tally.mapping_seconds = perf_counter() - started

    def _take(self, rows: int, mapped: Mapped, name: str) -> None:
        """Keep what became of one batch."""
        tally = self.tally
        settled = tally.settler.settle(mapped.statements)
        tally.keep(settled.statements)
        tally.read += rows
        tally.records.update(kind.strip("<>") for kind in settled.records["o"])
        refused = pl.concat([mapped.refused, settled.conflicts])
        if refused.height:
            tally.refused.append(refused.with_columns(file=pl.lit(name)))
        tally.unmapped.append(mapped.unmapped)

    def _facts(self) -> FileFacts:
        refused = self._refused()
        return FileFacts(
            tuple(path.name for path in self.files),
            tuple(file_hash(path) for path in self.files),
            _retrieved(self.files[0], self.wishes),
            self.wishes.address,
            self.tally.read,
            self.tally.read - _rows(refused),
            _rows(refused),
        )

    def _context(self) -> bytes:
        """Return what all rows speak of and none describes, as N-Triples."""
        path = self.layout.context
        if path is None:
            return b""
        try:
            return convert(path.read_bytes(), "ttl", "nt")
        except (OSError, DataError) as error:
            raise DataError("the context of the source cannot be read", where=str(path), hint=str(error)) from error

    def _refused(self) -> pl.DataFrame:
        empty = pl.DataFrame(schema={**REFUSED, "file": pl.String()})
        return pl.concat([empty, *self.tally.refused])

    def _revised(self, before: str | None) -> str | None:
        """Return the address of the source that this one is a revision of."""
        if before is not None and before != self.naming.snapshot:
            return replace(self.naming, snapshot=before).source
        told = self.store.select(
            f"SELECT ?old WHERE {{ <{self.naming.source}> <{PREFIXES['prov']}wasRevisionOf> ?old }} ORDER BY ?old"
        )
        return str(told["old"][0]) if told.height else None

    def _compare(self, before: str) -> tuple[Changes, bytes]:
        """Compare with the snapshot before, and write the history anew."""
        old = self.store.dump("nt", replace(self.naming, snapshot=before).graph)
        new = b"".join(path.read_bytes() for path in self.tally.files)
        changes = compare(old, new, before)
        kept = self.store.dump("nt", self.naming.history) if self.store.has_graph(self.naming.history) else b""
        return changes, events(self.naming, changes, old, new, kept)

    def _commit(self, before: str | None, description: bytes, history: bytes | None) -> int | None:
        """Store the snapshot in the place of the one before."""
        graph = self.naming.graph
        graphs = {graph: [*self.tally.files, self.tally.written("description", description)]}
        if before is not None and before != self.naming.snapshot:
            graphs[replace(self.naming, snapshot=before).graph] = []
        if history is not None:
            graphs[self.naming.history] = [self.tally.written("history", history)]
        why = f"imported {self.naming.adapter} {self.naming.snapshot}"
        version = commit_graphs(self.store, graphs, why, who=self.wishes.who)
        return version.number if version else None

    def _report(
        self, mapper: Mapper | None, reading: Reading, changes: Changes | None, started: float, *, dry_run: bool
    ) -> ImportReport:
        tally, refused = self.tally, self._refused()
        records = pl.DataFrame(
            sorted(tally.records.items()), schema={"class": pl.String(), "records": pl.Int64()}, orient="row"
        )
        unmapped = pl.concat(tally.unmapped) if tally.unmapped else NOTHING_UNMAPPED
        report = ImportReport(
            self.source.name,
            self.naming.snapshot,
            self.naming.graph,
            tally.read,
            tally.read - _rows(refused),
            _rows(refused),
            tally.statements,
            records,
            refused,
            unmapped.group_by("column", "value", "judged").agg(pl.col("rows").sum()).select(unmapped.columns),
            tuple(mapper.unused) if mapper else (),
            tuple(sorted(reading.notes.unknown)),
            perf_counter() - started,
            tally.mapping_seconds,
            dry_run,
            convert(tally.first, "nt", "ttl").decode() if tally.first else "",
            changes,
        )
        _log.info("%s %s: %d rows, %d statements", report.source, report.snapshot, report.rows_read, report.statements)
        return report


def _mapped(mapper: Mapper, batches: Iterator[Batch]) -> Iterator[tuple[int, Mapped]]:
    """Map batches, the next while the one before is kept; yield for each the number of its rows and what it became.

    The engine lets other threads run meanwhile, so that two processors are put to use.
    """
    with ThreadPoolExecutor(_AT_ONCE - 1, thread_name_prefix="graphkit-mapping") as pool:
        waiting = deque[tuple[int, Future[Mapped]]]()
        for batch in batches:
            waiting.append((batch.rows, pool.submit(mapper.map, batch)))
            if len(waiting) == _AT_ONCE:
                rows, first = waiting.popleft()
                yield rows, first.result()
        for rows, last in waiting:
            yield rows, last.result()


def _numbered(batch: Batch, number: int) -> Batch:
    """Tell the rows of a second file from those of the first."""
    if number == 1:
        return batch
    return replace(batch, frame=batch.frame.with_columns(pl.format(f"file={number};{{}}", AT).alias(AT)))


def _rows(refused: pl.DataFrame) -> int:
    """Count the rows that were refused, each once."""
    return refused.filter(pl.col("refused") == "row").select("file", "row").n_unique()
