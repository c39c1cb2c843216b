"""Works on statements as frames: what a mapping made of rows, brought to one value where there can be only one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from graphkit.sources.cells import REFUSED
from graphkit.terms import PREFIXES, compact

__all__ = ["DERIVED", "LABEL", "TYPE", "Settled", "Settler", "as_frame", "as_lines"]

TYPE: Final = f"<{PREFIXES['rdf']}type>"
LABEL: Final = f"<{PREFIXES['rdfs']}label>"
DERIVED: Final = f"<{PREFIXES['prov']}wasDerivedFrom>"
_OTHER_NAME: Final = f"<{PREFIXES['skos']}altLabel>"
_SINGLE: Final = (
    LABEL,
    DERIVED,
    f"<{PREFIXES['adms']}status>",
    f"<{PREFIXES['schema']}startDate>",
    f"<{PREFIXES['schema']}endDate>",
    f"<{PREFIXES['sol']}datePrecision>",
    f"<{PREFIXES['schema']}amount>",
    f"<{PREFIXES['schema']}currency>",
    f"<{PREFIXES['schema']}latitude>",
    f"<{PREFIXES['schema']}longitude>",
    f"<{PREFIXES['schema']}postalCode>",
    f"<{PREFIXES['schema']}addressLocality>",
    f"<{PREFIXES['dcterms']}issued>",
    f"<{PREFIXES['sol']}deadline>",
    f"<{PREFIXES['sol']}participant>",
    f"<{PREFIXES['sol']}participatesIn>",
)
_RESOURCE: Final = f"<{PREFIXES['rdfs']}Resource>"
_ROW: Final = r"[=/](\d+)>$"


def as_frame(ntriples: bytes) -> pl.DataFrame:
    """Read N-Triples as the columns s, p and o, each as it is written; the same statement stands there once."""
    lines = pl.Series("line", ntriples.decode().split("\n"), pl.String())
    parts = pl.DataFrame(lines).filter(pl.col("line") != "").unique()["line"].str.strip_suffix(" .").str.splitn(" ", 3)
    return parts.struct.rename_fields(["s", "p", "o"]).struct.unnest()


def as_lines(statements: pl.DataFrame) -> bytes:
    """Write the columns s, p and o as N-Triples, in their order."""
    if statements.is_empty():
        return b""
    lines = statements.select(pl.concat_str("s", "p", "o", pl.lit(".\n"), separator=" ").alias("line"))["line"]
    return str(lines.str.join("").item()).encode()


@dataclass(frozen=True, slots=True)
class Settled:
    """What stands: `statements`, the `conflicts` that do not, and the records that are new here with their class."""

    statements: pl.DataFrame
    conflicts: pl.DataFrame
    records: pl.DataFrame


@dataclass(slots=True)
class Settler:
    """Keeps one value of a property that can have only one, although several rows tell of one record.

    The first row's value stands (within one batch: the smallest). Another name becomes an other name; any other value
    is told as a conflict. It remembers 16 bytes for each record and such property.
    """

    _seen: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"key": pl.UInt64(), "value": pl.UInt64()}))
    _known: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"s": pl.UInt64(), "o": pl.UInt64()}))

    def settle(self, statements: pl.DataFrame) -> Settled:
        """Settle the statements of one batch."""
        single = statements.filter(pl.col("p").is_in(_SINGLE)).with_columns(
            key=pl.concat_str("s", "p", separator=" ").hash(), value=pl.col("o").hash()
        )
        order = pl.when(pl.col("p") == DERIVED).then(pl.col("o").str.extract(_ROW).cast(pl.Int64, strict=False))
        single = single.with_columns(order=order).sort("key", "order", "o", nulls_last=True)
        firsts = single.join(self._seen.select("key"), on="key", how="anti").unique("key", keep="first")
        self._seen = pl.concat([self._seen, firsts.select("key", "value")])
        held = single.select("s", "p", "o", "key", "value").join(self._seen, on="key", suffix="_held")
        losers = held.filter(pl.col("value") != pl.col("value_held"))
        names = losers.filter(pl.col("p") == LABEL).select("s", pl.lit(_OTHER_NAME).alias("p"), "o")
        others = losers.filter(~pl.col("p").is_in([LABEL, DERIVED]))
        plain = statements.filter(~pl.col("p").is_in(_SINGLE))
        whole = pl.concat([plain, firsts.select("s", "p", "o"), names]).unique()
        return Settled(whole, _conflicts(others), self._new_records(statements))

    def _new_records(self, statements: pl.DataFrame) -> pl.DataFrame:
        """Find the records (what is derived from a row) that no batch before had, with their classes.

        What another graph types, and this one only tells something of, counts as a rdfs:Resource.
        """
        records = statements.filter(pl.col("p") == DERIVED).select("s").unique()
        types = statements.filter(pl.col("p") == TYPE).select("s", "o").unique()
        typed = records.join(types, on="s", how="left").with_columns(pl.col("o").fill_null(_RESOURCE))
        hashed = typed.with_columns(pl.col("s").hash().alias("hs"), pl.col("o").hash().alias("ho"))
        new = hashed.join(self._known, left_on=["hs", "ho"], right_on=["s", "o"], how="anti")
        self._known = pl.concat([self._known, new.select(s="hs", o="ho")])
        return new.select("s", "o")


def _conflicts(losers: pl.DataFrame) -> pl.DataFrame:
    paths = losers["p"].unique()
    names = [compact(path.strip("<>")) for path in paths]
    return losers.select(
        pl.lit(None, pl.Int64).alias("row"),
        pl.col("p")
        .replace_strict(paths, pl.Series(names, dtype=pl.String()), return_dtype=pl.String())
        .alias("column"),
        pl.format("{} {}", "s", "o").str.slice(0, 300).alias("value"),
        pl.lit("another row says another value, which stands").alias("reason"),
        pl.lit("conflict").alias("refused"),
    ).cast(pl.Schema(REFUSED))
