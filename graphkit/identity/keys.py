"""From records to comparable spellings, and the keys under which two spellings are looked at as a pair."""

from __future__ import annotations

from typing import Final

import polars as pl

from graphkit.identity import spelling

__all__ = ["KEYS", "MOST_IN_BLOCK", "crowded", "spellings"]

KEYS: Final = ("key_name", "key_words", "key_rare", "key_postcode", "key_near")
"""The blocking rules, a column each: two spellings are a candidate pair where one of these keys is equal.

The same core of a name; the same words in any order; the same two rarest words; the same full postcode; the same
postcode district or town and the same rarest word.
"""

MOST_IN_BLOCK: Final = 120
"""A key that more spellings than this share tells nothing and is not used; `crowded` counts them."""

_RAREST = 2


def spellings(records: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each record and each different `core` among its names.

    `records` has the columns of `graphkit.identity.records`. The columns are spelling (a number), record, source,
    core, words (the sorted words as a list), rarity (in bits: how much less than by chance a name has these words),
    marks, form, postcode, district, area, place, areas, and the `KEYS`. A key that is crowded, or of which a part is
    not known, is null.
    """
    rows = _split(records)
    counts = rows.select("record", pl.col("words").alias("word")).explode("word").unique()["word"].value_counts()
    total = max(rows["record"].n_unique(), 1)
    rarity = counts.select("word", bits=-(pl.col("count") / total).log(2))
    by_word = (
        rows.select("spelling", pl.col("words").alias("word"))
        .explode("word")
        .join(rarity, on="word")
        .sort("spelling", -pl.col("bits"), "word")
        .group_by("spelling", maintain_order=True)
        .agg(
            rarity=pl.col("bits").sum(),
            rarest=pl.col("word").first(),
            rare=pl.when(pl.len() >= _RAREST).then(pl.col("word").head(_RAREST).sort().str.join(" ")).first(),
        )
    )
    found = rows.join(by_word, on="spelling", how="left").sort("spelling")
    return found.with_columns(_keys()).with_columns(_uncrowded(key) for key in KEYS).drop("rarest", "rare")


def _split(records: pl.DataFrame) -> pl.DataFrame:
    names = (
        records.select("record", "source", "names", "postcode", "place", "areas")
        .explode("names")
        .drop_nulls("names")
        .with_columns(name=spelling.trading_names(spelling.without_number(pl.col("names"))))
        .explode("name")
        .with_columns(plain=spelling.plain(spelling.without_number(pl.col("name"))))
        .filter(pl.col("plain") != "")
    )
    return (
        names.with_columns(
            core=spelling.core(pl.col("plain")),
            form=spelling.legal_form(pl.col("plain")),
            postcode=spelling.postcode(pl.col("postcode")),
            place=spelling.place(pl.col("place")),
        )
        .sort("record", "core", "form", nulls_last=True)
        .unique(["record", "core"], keep="first", maintain_order=True)
        .with_columns(
            sorted=spelling.sorted_words(pl.col("core")),
            marks=spelling.marks(pl.col("core")),
            district=spelling.district(pl.col("postcode")),
        )
        .with_columns(words=pl.col("sorted").str.split(" "), area=pl.col("district").str.extract(r"^([A-Z]+)"))
        .with_row_index("spelling")
        .select(
            "spelling", "record", "source", "core", "sorted", "words", "marks", "form",
            "postcode", "district", "area", "place", "areas",
        )
    )  # fmt: skip


def _keys() -> list[pl.Expr]:
    whole = pl.when(pl.col("postcode") != pl.col("district")).then(pl.col("postcode"))
    where = pl.coalesce("district", "place")
    return [
        pl.col("core").alias("key_name"),
        pl.col("sorted").alias("key_words"),
        pl.col("rare").alias("key_rare"),
        whole.alias("key_postcode"),
        pl.concat_str(where, pl.col("rarest"), separator=" ").alias("key_near"),
    ]


def _uncrowded(key: str) -> pl.Expr:
    return pl.when(pl.col(key).is_not_null() & (pl.len().over(key) <= MOST_IN_BLOCK)).then(pl.col(key)).alias(key)


def crowded(records: pl.DataFrame, found: pl.DataFrame) -> int:
    """Count the records all of whose spellings have a name that too many share to be looked at by name."""
    named = found.filter(pl.col("key_name").is_not_null())["record"].n_unique()
    return records.filter(pl.col("names").list.len() > 0)["record"].n_unique() - named
