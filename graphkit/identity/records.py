"""The records that are to be compared: what each source says of the name, numbers and place of an organisation."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from graphkit import queries
from graphkit.store.base import Readable
from graphkit.terms import GRAPH

__all__ = ["load_records", "numbers", "source_of"]

_OFFICIAL: Final = r"^([A-Z]{2,3}-[A-Z][A-Z0-9]*)-(\S.*)$"
"""A number of an official list as org-id writes it, such as GB-COH-05066892."""

_COMPANY_DIGITS: Final = 8
_LARGE: Final = r"/place/(country-|nuts-[a-z]{2}[0-9a-z]{0,2}$|united-kingdom$)"
"""Countries and regions, in which too many are for a common one to tell anything."""

_NUMBERED: Final = 0.95
_SHORT_COMPANY: Final = re.compile(rf"^GB-COH-\d{{1,{_COMPANY_DIGITS - 1}}}$")


def load_records(store: Readable) -> pl.DataFrame:
    """Return a row for each record with a name, in order of IRI.

    A record that its source only numbers ("Participant 998616262") has none; it stays where its number is official.
    The columns are record, graph (the one that names it), source (see `source_of`), label, names (also other names),
    ids (numbers of official lists, as org-id writes them), number (the first one that its own source gives it and
    that is none of these), postcode, place (a town), areas (places smaller than a region), kind, statements (how many
    the store has of it).
    """
    said = queries.run(store, "identity/records").with_columns(pl.col("value").str.strip_chars())
    said = said.filter(pl.col("value") != "")
    wide = said.group_by("record", maintain_order=True).agg(
        graph=pl.col("source").min(),
        label=_of("label").first(),
        names=pl.concat([_of("label"), _of("other name")]).unique(maintain_order=True),
        ids=_tidy_id(pl.concat([_of("identifier"), _of("number")])),
        number=_own(_of("number")).first(),
        postcode=_of("postcode").first(),
        place=_of("town").first(),
        areas=_of("place").filter(~_of("place").str.contains(_LARGE)),
        kind=_of("kind").first(),
    )
    official = pl.element().filter(pl.element().str.contains(_OFFICIAL)).unique().sort()
    counts = queries.run(store, "identity/statement-counts")
    return (
        wide.with_columns(ids=pl.col("ids").list.eval(official), source=source_of(pl.col("graph")))
        .filter(~_is_nameless())
        .join(counts, on="record", how="left")
        .with_columns(pl.col("statements").cast(pl.Int64).fill_null(0))
        .sort("record")
    )


def _is_nameless() -> pl.Expr:
    """Tell whether a record has no name but a label made of its number, and no official number either."""
    numbered = pl.col("label").str.ends_with(pl.format(" {}", "number")).fill_null(value=False)
    return numbered & (pl.col("names").list.len() == 1) & (pl.col("ids").list.len() == 0)


def _of(aspect: str) -> pl.Expr:
    return pl.col("value").filter(pl.col("aspect") == aspect)


def _own(value: pl.Expr) -> pl.Expr:
    return value.filter(~value.str.contains(_OFFICIAL))


def _tidy_id(value: pl.Expr) -> pl.Expr:
    """Write a company number with all its eight digits, as the register does."""
    tidy = value.str.strip_chars().str.to_uppercase()
    digits = tidy.str.extract(r"^GB-COH-(\d+)$").str.zfill(_COMPANY_DIGITS)
    return pl.when(tidy.str.contains(_SHORT_COMPANY.pattern)).then(pl.format("GB-COH-{}", digits)).otherwise(tidy)


def source_of(graph: pl.Expr) -> pl.Expr:
    """Take the name of a graph to that of its source without the snapshot, whose records can be compared over time.

    >>> pl.select(source_of(pl.lit("https://w3id.org/solidarity-graph/graph/coops-uk/2023-q2"))).item()
    'coops-uk'
    >>> pl.select(source_of(pl.lit("https://w3id.org/solidarity-graph/graph/esif/uk-2007-2013"))).item()
    'esif/uk'
    """
    name = graph.str.strip_prefix(GRAPH).str.split("/")
    layout = name.list.get(1, null_on_oob=True).str.replace(r"(^|-)\d.*$", "").replace("", None)
    layout = pl.when(layout != "history").then(layout)
    return pl.concat_str(name.list.first(), layout, separator="/", ignore_nulls=True)


def numbers(records: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each number of each record: record, list, id.

    The lists are the official ones ("GB-COH") and, for a source that numbers its records itself, the source. A source
    does so where nearly all its records have a number of their own, no two the same.
    """
    official = (
        records.select("record", id="ids")
        .explode("id")
        .drop_nulls("id")
        .with_columns(list=pl.col("id").str.extract(_OFFICIAL))
        .drop_nulls("list")
    )
    own = records.drop_nulls("number").select("record", id="number", list="source")
    sizes = records.group_by(list="source").agg(n=pl.len(), own=pl.col("number").drop_nulls().n_unique())
    numbering = sizes.filter(pl.col("own") >= _NUMBERED * pl.col("n"))["list"]
    return (
        pl.concat(
            [
                official.select("record", "list", "id"),
                own.filter(pl.col("list").is_in(numbering.implode())).select("record", "list", "id"),
            ]
        )
        .unique()
        .sort("record", "list", "id")
    )
