"""Chooses how a file is read: by its layout, with the dialect that a person named instead of the described one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from graphkit.errors import DataError, UsageError
from graphkit.sources.batches import Batch, Notes
from graphkit.sources.csv_rows import read_csv
from graphkit.sources.csvw import Table
from graphkit.sources.folder import Layout, Source
from graphkit.sources.json_rows import read_json
from graphkit.sources.opening import Pieces, bare_suffix, opened

__all__ = ["Reading", "choose_layout", "table_of"]

_SUFFIXES: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".geojson": "json",
    ".nq": "rdf",
    ".nt": "rdf",
    ".ttl": "rdf",
    ".trig": "rdf",
    ".rdf": "rdf",
    ".owl": "rdf",
    ".jsonld": "rdf",
}
_TRIAL: Final = 64 * 1024


@dataclass(slots=True)
class Reading:
    """Reads the rows of one file after the other."""

    layout: Layout
    table: Table
    batch_bytes: int
    notes: Notes = field(default_factory=Notes)

    def batches(self, pieces: Pieces) -> Iterator[Batch]:
        """Yield the rows of a file in batches."""
        if self.layout.format == "csv":
            return read_csv(pieces, self.table, self.batch_bytes, self.notes)
        return read_json(pieces, self.table, self.layout.records, self.batch_bytes, self.notes)


def table_of(layout: Layout, *, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """Return the table of a layout, read with another encoding or separator than described where one is given."""
    dialect = layout.table.dialect
    if encoding is not None:
        try:
            "".encode(encoding)
        except LookupError as error:
            raise UsageError(f"no encoding is called '{encoding}'", hint="such as utf-8, cp1252, cp1250") from error
        dialect = replace(dialect, encoding=encoding)
    if delimiter is not None:
        delimiter = delimiter.replace("\\t", "\t")
        if len(delimiter.encode()) != 1:
            raise UsageError(f"'{delimiter}' is not one ASCII character", hint="such as ';' or '\\t'")
        dialect = replace(dialect, delimiter=delimiter)
    return replace(layout.table, dialect=dialect)


def choose_layout(source: Source, path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Layout:
    """Find the one layout of a source that a file has, by ending and header: of several the one that knows most titles.

    Raises `DataError` that says why each layout does not fit, or which several do.
    """
    form = _SUFFIXES.get(bare_suffix(path))
    fitting = [layout for layout in source.layouts if form in (None, layout.format)]
    if not fitting:
        formats = ", ".join(sorted({layout.format for layout in source.layouts}))
        raise DataError(f"the source {source.name} reads {formats} and not {form}", where=str(path))
    if len(fitting) == 1:
        return fitting[0]
    reasons, strange = [], dict[str, int]()
    for layout in fitting:
        try:
            strange[layout.name] = _try(layout, path, table_of(layout, encoding=encoding, delimiter=delimiter))
        except DataError as error:
            reasons.append(f"{layout.name}: {error.what}")
    fewest = min(strange.values(), default=0)
    found = [layout for layout in fitting if strange.get(layout.name) == fewest]
    if len(found) == 1:
        return found[0]
    names = ", ".join(layout.name for layout in found)
    raise DataError(
        f"the layouts {names} fit" if found else "no layout of the source fits",
        where=str(path),
        hint="name one with --layout" + ("" if found else "; " + "; ".join(reasons)),
    )


def _try(layout: Layout, path: Path, table: Table) -> int:
    """Read the first rows and count the titles that the layout does not know.

    Raises `DataError` where the file is not of this layout.
    """
    reading = Reading(layout, table, _TRIAL)
    with opened(path) as pieces:
        batch = next(iter(reading.batches(pieces)), None)
    if batch is not None and layout.format == "json" and batch.frame.width <= len(("row", "at")) and not batch.groups:
        raise DataError("its records have none of the described values")
    return len(reading.notes.unknown)
