"""Rows seen as RDF, in the manner of Facade-X: a row is a thing, a column a property, a cell a literal.

    <…/id/source/coops-uk.2023-q2#row=17>  xyz:identifier "R000001" ; xyz:kind <…/vocabulary/kind/cooperative> .

A group of cells that may repeat is a thing of its own: `?row xyz:location ?place . ?place xyz:code ?code`. Facade-X
puts rows into a root by `rdf:_1` and so on; here only the source is marked as `fx:root`, for the sake of speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from graphkit.sources.cells import AT, PRECISION, ROW, SLOT
from graphkit.sources.csvw import Column
from graphkit.terms import PREFIXES

__all__ = ["FX", "XYZ", "Piece", "escaped", "triples"]

XYZ: Final = "http://sparql.xyz/facade-x/data/"
FX: Final = "http://sparql.xyz/facade-x/ns/"

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows to be written: judged cells, their groups, and for each crosswalk ROW with `object`."""

    frame: pl.DataFrame
    groups: Mapping[str, pl.DataFrame]
    meanings: Mapping[str, pl.DataFrame]


def triples(piece: Piece, columns: Iterable[Column], source: str, wanted: frozenset[str]) -> bytes:
    """Write rows as N-Triples: only those properties that are `wanted`, by name, because the mapping speaks of them."""
    described = {column.name: column for column in columns}
    at = piece.frame.select(ROW, pl.format(f"<{source}#{{}}>", pl.col(AT)).alias("subject"))
    lines = [f"<{source}> <{PREFIXES['rdf']}type> <{FX}root> .\n".encode()]
    subject = at["subject"]
    plain = (name for name in piece.frame.columns if name in wanted)
    lines.extend(_column(subject, piece.frame[name], name, described) for name in plain)
    for name, meaning in piece.meanings.items():
        if name in wanted:
            joined = meaning.join(at, on=ROW)
            lines.append(_joined(pl.format(f"{{}} <{XYZ}{name}> <{{}}> .\n", "subject", "object"), joined))
    for name, group in piece.groups.items():
        if name in wanted:
            lines.extend(_group(group.join(at, on=ROW), name, described, wanted))
    return b"".join(lines)


def _group(group: pl.DataFrame, name: str, described: Mapping[str, Column], wanted: frozenset[str]) -> list[bytes]:
    inner = group.with_columns(
        pl.format("{}/" + name + "/{}>", pl.col("subject").str.strip_suffix(">"), pl.col(SLOT)).alias("inner")
    )
    lines = [_joined(pl.format(f"{{}} <{XYZ}{name}> {{}} .\n", "subject", "inner"), inner)]
    for part in group.columns:
        if part in wanted:
            column = described.get(f"{name}.{part}")
            lines.append(_column(inner["inner"], inner[part], part, {part: column} if column else {}))
    return lines


def _column(subject: pl.Series, cells: pl.Series, name: str, described: Mapping[str, Column]) -> bytes:
    """Write the cells of one column that are not empty."""
    column = described.get(name)
    frame = pl.DataFrame({"subject": subject, "cell": cells}).drop_nulls()
    if column is not None and column.separator is not None:
        frame = frame.with_columns(pl.col("cell").str.split(column.separator)).explode("cell")
        frame = frame.with_columns(pl.col("cell").str.strip_chars()).filter(pl.col("cell") != "")
    if name.endswith(PRECISION) and name.removesuffix(PRECISION) in described:
        return _joined(pl.format(f"{{}} <{XYZ}{name}> <{{}}> .\n", "subject", "cell"), frame)
    base = column.base if column is not None else "string"
    datatype = "" if base == "string" else f"^^<{PREFIXES['xsd']}{base}>"
    literal = pl.format(f'{{}} <{XYZ}{name}> "{{}}"{datatype} .\n', "subject", escaped(pl.col("cell")))
    return _joined(literal, frame)


def escaped(text: pl.Expr) -> pl.Expr:
    """Escape what a literal in N-Triples must not hold as it is."""
    return text.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))


def _joined(lines: pl.Expr, frame: pl.DataFrame) -> bytes:
    if frame.is_empty():
        return b""
    return str(frame.select(lines.alias("line"))["line"].str.join("").item()).encode()
