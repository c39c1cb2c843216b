"""The mapping: a SPARQL CONSTRUCT query on rows seen as RDF, run on one batch after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from graphkit import places
from graphkit.errors import DataError, QueryError
from graphkit.queries import parse_query
from graphkit.sources.batches import Batch
from graphkit.sources.cells import AT, ROW, Judged, judge, refusals
from graphkit.sources.csvw import Table
from graphkit.sources.facade import XYZ, Piece, triples
from graphkit.sources.folder import Cleaning, Layout
from graphkit.sources.keys import slugs
from graphkit.sources.statements import DERIVED, as_frame
from graphkit.store.rows import construct_from

__all__ = ["NOTHING_UNMAPPED", "Mapped", "Mapper"]

_USED: Final = re.compile(r"(?<![\w-])xyz:([A-Za-z_][A-Za-z0-9_]*)")
_FULL: Final = re.compile(re.escape(f"<{XYZ}") + r"([A-Za-z_][A-Za-z0-9_]*)>")


_QUOTED: Final = re.compile(r"[\"']([a-z][a-z0-9_]*)[\"']")


@dataclass(frozen=True, slots=True)
class Mapped:
    """What became of one batch: its statements, what was refused, and the values without a counterpart."""

    statements: pl.DataFrame
    refused: pl.DataFrame
    unmapped: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Mapper:
    """Maps batches of one layout. `source` is the address of the source in this snapshot."""

    layout: Layout
    table: Table
    source: str
    clean: Cleaning | None
    used: frozenset[str]

    @classmethod
    def of(cls, layout: Layout, table: Table, source: str) -> Mapper:
        """Make the mapper of a layout; raises `DataError` where its mapping is no CONSTRUCT query."""
        where = str(layout.mapping_path or layout.name)
        try:
            query = parse_query(layout.mapping, where)
        except QueryError as error:
            raise DataError(f"the mapping cannot be read: {error.what}", where=where, hint=error.hint) from error
        if query.form != "CONSTRUCT":
            raise DataError(f"the mapping is a {query.form} query and not CONSTRUCT", where=where)
        used = frozenset(_USED.findall(layout.mapping)) | frozenset(_FULL.findall(layout.mapping))
        mapper = cls(layout, table, source, layout.cleaner(), used)
        mapper._refuse_unknown(where)
        return mapper

    def _refuse_unknown(self, where: str) -> None:
        """Refuse a mapping that asks for a column that there cannot be: it would only answer nothing."""
        if self.table.open:
            return
        names = {part for column in self.table.columns for part in (column.name, *column.name.split("."))}
        dates = {f"{part}_precision" for column in self.table.columns for part in column.name.split(".")[-1:]}
        made = {*self.layout.keys, *self.layout.places, *(each.name for each in self.layout.crosswalks)}
        unknown = sorted(self.used - names - dates - made)
        if unknown:
            known = ", ".join(sorted(names | made))
            raise DataError(
                f"the mapping asks for xyz:{unknown[0]}, and no column has that name", where=where, hint=known
            )

    @property
    def unused(self) -> list[str]:
        """The titles of described columns that the mapping does not speak of and that are not left out on purpose."""
        made = {*self.layout.keys.values(), *(column for _, column in self.layout.places.values())}
        used = self.used | made | {each.column for each in self.layout.crosswalks} | self._cleaned()
        return [
            c.title
            for c in self.table.columns
            if not (c.left_out or c.virtual or {c.name, c.name.split(".")[-1]} & used)
        ]

    def _cleaned(self) -> set[str]:
        """Return the names that the cleaning speaks of."""
        return set(_QUOTED.findall(self.layout.cleaning.read_text("utf-8"))) if self.layout.cleaning else set()

    def map(self, batch: Batch) -> Mapped:
        """Clean, judge and map one batch."""
        frame = self.clean(batch.frame) if self.clean else batch.frame
        judged = judge(frame, self.table)
        groups = {name: _group(rows, name, self.table) for name, rows in batch.groups.items()}
        refused = [batch.refused, judged.refused, *(group.refused for group in groups.values())]
        kept = judged.frame.select(ROW)
        inner = {name: group.frame.join(kept, on=ROW, how="semi") for name, group in groups.items()}
        piece, unmapped = self._meanings(judged.frame, inner)
        made = construct_from(triples(piece, self.table.columns, self.source, self.used), self.layout.mapping)
        statements = as_frame(made)
        self._refuse_blank(statements)
        refused.append(self._lost(judged.frame, statements))
        return Mapped(statements, pl.concat(refused), pl.concat(unmapped) if unmapped else NOTHING_UNMAPPED)

    def _meanings(self, frame: pl.DataFrame, groups: Mapping[str, pl.DataFrame]) -> tuple[Piece, list[pl.DataFrame]]:
        """Add slugs, and the meanings of cells by crosswalks and lists of places."""
        meanings, unmapped = dict[str, pl.DataFrame](), list[pl.DataFrame]()
        for crosswalk in self.layout.crosswalks:
            if (cells := _cells(frame, groups, crosswalk.column)) is not None:
                meanings[crosswalk.name], without = crosswalk.apply(cells)
                unmapped.append(without)
        for name, (where, column) in self.layout.places.items():
            if (cells := _cells(frame, groups, column)) is not None:
                found = cells.with_columns(object=places.lookup(cells["value"], where))
                meanings[name] = found.drop_nulls("object").select(ROW, "object").unique(maintain_order=True)
                without = found.filter(pl.col("object").is_null()).group_by("value").len("rows")
                unmapped.append(
                    without.select(pl.lit(column).alias("column"), "value", pl.col("rows").cast(pl.Int64), _NO)
                )
        keyed = [slugs(frame[column]).alias(key) for key, column in self.layout.keys.items() if column in frame.columns]
        return Piece(frame.with_columns(keyed), groups, meanings), unmapped

    def _refuse_blank(self, statements: pl.DataFrame) -> None:
        blank = statements.filter(pl.col("s").str.starts_with("_:") | pl.col("o").str.starts_with("_:"))
        if blank.height:
            raise DataError(
                "the mapping makes things without an address",
                where=f"{self.layout.mapping_path}, property {blank['p'][0]}",
                hint="name each thing by BIND(IRI(CONCAT(…)) AS ?thing) instead of [ … ] or _:thing",
            )

    def _lost(self, rows: pl.DataFrame, statements: pl.DataFrame) -> pl.DataFrame:
        """Find the rows of which the mapping made nothing."""
        derived = statements.filter(pl.col("p") == DERIVED).select(at="o").unique()
        named = rows.with_columns(at=pl.format(f"<{self.source}#{{}}>", pl.col(AT)))
        return refusals(named.join(derived, on="at", how="anti"), "", None, "the mapping makes no record of it", "row")


_NO: Final = pl.lit(value=False).alias("judged")
NOTHING_UNMAPPED: Final = pl.DataFrame(
    schema={"column": pl.String(), "value": pl.String(), "rows": pl.Int64(), "judged": pl.Boolean()}
)


def _cells(frame: pl.DataFrame, groups: Mapping[str, pl.DataFrame], column: str) -> pl.DataFrame | None:
    """Return ROW and `value` for the cells of a column, which may be one of a group; None where the file has none."""
    group, _, part = column.rpartition(".")
    home = groups.get(group) if group else frame
    if home is None or part not in home.columns:
        return None
    return home.select(ROW, pl.col(part).alias("value")).drop_nulls()


def _group(rows: pl.DataFrame, name: str, table: Table) -> Judged:
    """Judge the cells of a group by its columns, under the names that these have within the group."""
    renamed = {part: f"{name}.{part}" for part in rows.columns if f"{name}.{part}" in {c.name for c in table.columns}}
    judged = judge(rows.rename(renamed), table)
    back = {whole: whole.partition(".")[2] for whole in judged.frame.columns if whole.startswith(f"{name}.")}
    return Judged(judged.frame.rename(back), judged.refused)
