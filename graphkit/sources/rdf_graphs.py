"""Reads RDF files: graph by graph through a mapping, or statement by statement without one."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from graphkit import places
from graphkit.errors import DataError
from graphkit.queries import parse_query
from graphkit.sources.cells import REFUSED
from graphkit.sources.folder import Layout
from graphkit.sources.mapping import NOTHING_UNMAPPED, Mapped
from graphkit.sources.opening import Pieces, bare_suffix
from graphkit.sources.statements import DERIVED, TYPE, as_frame
from graphkit.store import convert
from graphkit.store.naming import name_blanks
from graphkit.store.rows import construct_from
from graphkit.terms import ID, PREFIXES

__all__ = ["map_rdf"]

_QUAD: Final = r'^(\S+) (\S+) (.+?)(?: (<[^<>"\s]*>))? \.$'
_BLANK: Final = re.compile(rb"(?<!\S)_:(c14n\d+)")
_AT_LOCATION: Final = f"<{PREFIXES['prov']}atLocation>"
_CODED: Final = rf"^<{re.escape(ID)}place/(nuts|gss|country)-([^>]+)>$"


def map_rdf(layout: Layout, pieces: Pieces, source: str) -> tuple[int, Mapped]:
    """Map a whole RDF file, and return how many rows it held and what became of them.

    A row is a named graph of the file, or in a file of triples a thing that it describes. With a mapping, a CONSTRUCT
    query that sees the graphs by name and their union, a row is kept where something is derived from its graph. Without
    one all statements are kept as they are; blank nodes get addresses under `source`, and each described thing leads to
    the graph, or the source, that it is from. Raises `DataError` with line and column where the file is malformed.
    """
    quads = _named(_as_quads(pieces), source)
    frame = _as_frame(quads)
    graphs = frame["g"].drop_nulls().unique()
    if layout.mapping:
        _expect_construct(layout)
        rows, made = graphs, as_frame(construct_from(quads, layout.mapping, quads=True))
    else:
        rows = graphs if graphs.len() else frame["s"].unique()
        made = _with_origin(frame, source)
    statements, unmapped = _settled_places(made)
    return rows.len(), Mapped(statements, _lost(graphs, statements), unmapped)


def _as_quads(pieces: Pieces) -> bytes:
    data, suffix = b"".join(pieces), bare_suffix(pieces.path)
    try:
        return convert(data, suffix, "nq")
    except DataError as error:
        raise DataError(error.what, where=f"{pieces.path}: {error.where}", hint=error.hint) from error


def _named(quads: bytes, source: str) -> bytes:
    """Give blank nodes addresses that are the same in every run."""
    lines = quads.split(b"\n")
    blank = [line for line in lines if b"_:" in line]
    if not blank:
        return quads
    named = _BLANK.sub(rf"<{source}#\1>".encode(), name_blanks(b"\n".join(blank)))
    return b"\n".join([*(line for line in lines if b"_:" not in line), named])


def _as_frame(quads: bytes) -> pl.DataFrame:
    """Read N-Quads as the columns s, p, o and g, each as it is written; g is null in the default graph."""
    lines = pl.DataFrame({"line": quads.decode().split("\n")}).filter(pl.col("line") != "").unique()
    parts = lines["line"].str.extract_groups(_QUAD)
    return parts.struct.rename_fields(["s", "p", "o", "g"]).struct.unnest()


def _expect_construct(layout: Layout) -> None:
    form = parse_query(layout.mapping, str(layout.mapping_path)).form
    if form != "CONSTRUCT":
        raise DataError(f"the mapping is a {form} query and not CONSTRUCT", where=str(layout.mapping_path))


def _with_origin(frame: pl.DataFrame, source: str) -> pl.DataFrame:
    """Add to each thing with a class where it is from: the first of its graphs by name, or the source."""
    typed = frame.filter(pl.col("p") == TYPE).group_by("s").agg(pl.col("g").min())
    known = frame.filter(pl.col("p") == DERIVED).select("s")
    origin = typed.join(known, on="s", how="anti").select(
        "s", pl.lit(DERIVED).alias("p"), pl.col("g").fill_null(f"<{source}>").alias("o")
    )
    return pl.concat([frame.select("s", "p", "o"), origin]).unique()


def _settled_places(statements: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn places by codes that the lists do not have into those around them, and tell which have none."""
    coded = statements.filter((pl.col("p") == _AT_LOCATION) & pl.col("o").str.contains(_CODED))
    if coded.is_empty():
        return statements, NOTHING_UNMAPPED
    named = coded.select("o").unique().with_columns(pl.col("o").str.extract_groups(_CODED).alias("parts"))
    kind, code = named["parts"].struct[0], named["parts"].struct[1]
    country = places.lookup(code, "country")
    found = named.select(
        "o",
        place=pl.when(kind == "country").then(country).otherwise(places.lookup(code.str.to_uppercase(), "code")),
    )
    moved = coded.join(found, on="o")
    kept = moved.drop_nulls("place").select("s", "p", pl.format("<{}>", "place").alias("o"))
    without = moved.filter(pl.col("place").is_null()).group_by("o").len("rows")
    unmapped = without.select(
        pl.lit("place").alias("column"),
        pl.col("o").str.extract(_CODED, 2).alias("value"),
        pl.col("rows").cast(pl.Int64),
        pl.lit(value=False).alias("judged"),
    )
    others = statements.join(coded, on=["s", "p", "o"], how="anti")
    return pl.concat([others, kept]).unique(), unmapped.select(NOTHING_UNMAPPED.columns)


def _lost(graphs: pl.Series, statements: pl.DataFrame) -> pl.DataFrame:
    """Find the graphs of which the mapping made nothing."""
    derived = statements.filter(pl.col("p") == DERIVED)["o"]
    numbered = pl.DataFrame({"graph": graphs.sort()}).with_row_index("row", offset=1)
    lost = numbered.filter(~pl.col("graph").is_in(derived.implode()))
    return lost.select(
        pl.col("row").cast(pl.Int64),
        pl.lit("").alias("column"),
        pl.col("graph").str.strip_chars("<>").alias("value"),
        pl.lit("the mapping makes no record of it").alias("reason"),
        pl.lit("row").alias("refused"),
    ).cast(pl.Schema(REFUSED))
