"""Crosswalks: tables in SSSOM that say which of our concepts a code or word of a source means."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from graphkit.errors import DataError
from graphkit.sources.cells import ROW
from graphkit.sources.essglobal import one_namespace
from graphkit.terms import PREFIXES

__all__ = ["Crosswalk", "read_crosswalk"]

_NEEDED: Final = ("subject_id", "subject_label", "predicate_id", "object_id", "mapping_justification")
_USED: Final = ("skos:exactMatch", "skos:closeMatch", "skos:broadMatch")
_NONE: Final = "sssom:NoTermFound"


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """What the values of one column mean: `pairs` has `value` and `object`, an address; `known` all values judged.

    A value that was judged and has no counterpart (`sssom:NoTermFound`) is known and has no pair.
    """

    name: str
    column: str
    pairs: pl.DataFrame
    known: frozenset[str]

    def apply(self, cells: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Take ROW and `value`; return ROW with `object` for each meaning, and the values without one, counted."""
        cells = cells.select(ROW, one_namespace(pl.col("value")))
        meant = cells.join(self.pairs, on="value", how="inner").select(ROW, "object").unique(maintain_order=True)
        unmapped = cells.join(self.pairs, on="value", how="anti").group_by("value").len("rows")
        judged = pl.col("value").is_in(list(self.known)).alias("judged")
        rows = pl.col("rows").cast(pl.Int64)
        return meant, unmapped.select(pl.lit(self.column).alias("column"), "value", rows, judged)


def read_crosswalk(path: Path, name: str, column: str) -> Crosswalk:
    """Read a `*.sssom.tsv` file for the values of `column`.

    Its subjects are codes of the source (`subject_id`, shortened by the `curie_map`) or, where that is empty, words
    (`subject_label`). Exact, close and broad matches are applied; others only document. Raises `DataError` with the
    line where the file is not as it should be.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("the crosswalk cannot be read", where=str(path), hint=str(error)) from error
    head = [line[1:] for line in lines if line.startswith("#")]
    prefixes = PREFIXES | _curies("\n".join(head), path)
    rows = list(csv.DictReader(lines[len(head) :], delimiter="\t"))
    missing = [each for each in _NEEDED if rows and each not in rows[0]]
    if missing:
        raise DataError(f"the crosswalk has no column '{missing[0]}'", where=str(path))
    pairs, known = [], set[str]()
    for number, row in enumerate(rows, len(head) + 2):
        where = f"{path}, line {number}"
        value = _whole(row["subject_id"], prefixes, where) if row["subject_id"] else row["subject_label"]
        known.add(value)
        if row["predicate_id"] in _USED and row["object_id"] != _NONE:
            pairs.append((value, _whole(row["object_id"], prefixes, where)))
    frame = pl.DataFrame(pairs, schema={"value": pl.String(), "object": pl.String()}, orient="row")
    return Crosswalk(name, column, frame.with_columns(one_namespace(pl.col("value"))).unique(), frozenset(known))


def _curies(head: str, path: Path) -> dict[str, str]:
    try:
        words: Any = yaml.safe_load(head) or {}
    except yaml.YAMLError as error:
        raise DataError("the head of the crosswalk is no YAML", where=str(path), hint=str(error)) from error
    return dict(words.get("curie_map", {}))


def _whole(curie: str, prefixes: dict[str, str], where: str) -> str:
    prefix, colon, local = curie.partition(":")
    if not colon or local.startswith("//"):
        return curie
    if prefix not in prefixes:
        raise DataError(f"the prefix '{prefix}' is not in the curie_map", where=where)
    return prefixes[prefix] + local
