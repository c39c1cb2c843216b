"""How far names and places alone can be trusted: judged by official numbers that they do not see, and by labels."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import polars as pl

from graphkit import queries
from graphkit.errors import DataError
from graphkit.gaps.judged import wilson_interval
from graphkit.identity.links import LEVELS, number_links
from graphkit.identity.records import load_records, numbers
from graphkit.identity.resolution import candidates
from graphkit.store.base import Readable

__all__ = ["CAVEATS", "evaluate", "judged_by_labels", "load_labels"]

CAVEATS: Final = """\
Judged are names and places alone: official numbers are hidden from the scores and used as the truth.
How often different organisations have like names is learnt from thirds of the records; each pair is judged by what a
third without either of its records taught. What agreement tells (m) is learnt from all records, without any truth.
Right: the two records share an official number. Wrong: they have other numbers of one list.
Pairs without a common list are not judged by numbers; --labels judges them by what a person said.
Circular: a table of official numbers has its names from the register; a source that copied them agrees by origin.
Too strict: an organisation that registered anew, or whose number a source got wrong, counts as wrong here. Its link
would not join, because of the conflict; so this precision is a lower bound for the links that join.
"""
"""What the figures mean and where they mislead; printed with them."""

_THIRDS = 3
_SCHEMA: Final = {
    "sources": pl.String, "level": pl.String, "gold": pl.Int64, "right": pl.Int64, "wrong": pl.Int64,
    "not_judged": pl.Int64, "precision": pl.Float64, "precision_low": pl.Float64, "precision_high": pl.Float64,
    "recall": pl.Float64, "recall_low": pl.Float64, "recall_high": pl.Float64,
}  # fmt: skip


def evaluate(store: Readable) -> pl.DataFrame:
    """Judge the links that names and places alone would give, at each level, for all sources and each two of them.

    The columns are sources, level (links at least that sure), gold (pairs that share a number), right, wrong and
    not_judged (of the links), precision and recall with the ends of their 95% intervals. `CAVEATS` tells what that
    means. Nothing is written.
    """
    records = load_records(store)
    ids = numbers(records)
    official = ids.filter(pl.col("list").str.contains("^[A-Z]"))
    wholes = queries.run(store, "identity/wholes")
    thirds = _thirds(records)
    gold = _between(number_links(official).filter(pl.col("confidence") == 1.0), thirds)
    parts = []
    for third in range(_THIRDS):
        taught = official.join(thirds.filter(pl.col("third") == third), on="record", how="semi")
        found, _, _ = candidates(records, official.clear(), wholes, learnt_from=taught)
        parts.append(_between(found, thirds).filter(pl.col("teacher") == third))
    links = pl.concat(parts).join(gold.select("left", "right", gold=True), on=["left", "right"], how="left")
    links = links.join(_told_apart(links, official), on=["left", "right"], how="left")
    rows = [_row("all", links, gold, name, least) for name, least in LEVELS.items()]
    for (sources,), part in links.sort("sources").group_by("sources", maintain_order=True):
        own = gold.filter(pl.col("sources") == sources)
        rows += [_row(str(sources), part, own, name, least) for name, least in LEVELS.items()]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _thirds(records: pl.DataFrame) -> pl.DataFrame:
    """Deal the records into three parts by the hash of their IRIs: record, source, third."""
    dealt = [hashlib.sha256(iri.encode()).digest()[0] % _THIRDS for iri in records["record"]]
    return records.select("record", "source", third=pl.Series(dealt, dtype=pl.Int64))


def _between(pairs: pl.DataFrame, thirds: pl.DataFrame) -> pl.DataFrame:
    """Keep the pairs of two sources, name the sources, and choose the first third in which neither record is."""
    known = pairs.join(thirds, left_on="left", right_on="record").join(thirds, left_on="right", right_on="record")
    one, other = pl.min_horizontal("source", "source_right"), pl.max_horizontal("source", "source_right")
    free = pl.lit(None, dtype=pl.Int64)
    for third in reversed(range(_THIRDS)):
        taken = (pl.col("third") == third) | (pl.col("third_right") == third)
        free = pl.when(~taken).then(third).otherwise(free)
    return known.filter(pl.col("source") != pl.col("source_right")).with_columns(
        sources=pl.format("{} and {}", one, other), teacher=free
    )


def _told_apart(links: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    held = ids.group_by("record", "list").agg(pl.col("id"))
    return (
        links.select("left", "right")
        .join(held, left_on="left", right_on="record")
        .join(held, left_on=["right", "list"], right_on=["record", "list"], suffix="_right")
        .filter(pl.col("id").list.set_intersection("id_right").list.len() == 0)
        .select("left", "right", apart=True)
        .unique()
    )


def _row(sources: str, links: pl.DataFrame, gold: pl.DataFrame, name: str, least: float) -> tuple[object, ...]:
    sure = links.filter(pl.col("confidence") >= least)
    right = int(sure["gold"].fill_null(value=False).sum())
    wrong = sure.filter(pl.col("gold").is_null() & pl.col("apart").is_not_null()).height
    shares = (*_share(right, right + wrong), *_share(right, gold.height))
    return (sources, name, gold.height, right, wrong, sure.height - right - wrong, *shares)


def _share(hits: int, trials: int) -> tuple[float | None, float | None, float | None]:
    """Return a share with its 95% interval (Wilson), or nothing where nothing was tried."""
    return (hits / trials, *wilson_interval(hits, trials)) if trials else (None, None, None)


# ---- Labels --------------------------------------------------------------------------------------------


def load_labels(path: Path) -> pl.DataFrame:
    """Read a CSV file of pairs that a person judged: left, right, same (true or false).

    Raises `DataError` that names the file, and the row where `same` is neither.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError("the labels cannot be read", where=str(path), hint="a CSV file in UTF-8 is needed") from error
    missing = [name for name in ("left", "right", "same") if name not in frame.columns]
    if missing:
        hint = "its columns are left, right, same"
        raise DataError(f"the labels lack the column {', '.join(missing)}", where=str(path), hint=hint)
    said = pl.col("same").str.strip_chars().str.to_lowercase()
    wrong = frame.with_row_index("row", offset=2).filter(~said.is_in(["true", "false"]).fill_null(value=False))
    if wrong.height:
        row, value = wrong.select("row", "same").row(0)
        raise DataError(f"'{value}' is no label", where=f"{path}, row {row}", hint="write true or false")
    return frame.select(
        left=pl.min_horizontal("left", "right"), right=pl.max_horizontal("left", "right"), same=said == "true"
    )


def judged_by_labels(links: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Compare links (left, right, confidence, joins) with labels, level by level, and those that join.

    The columns are level (a range of confidence: strict is strict alone, likely what is likely and not strict; joined
    are the links that join), links (how many there are), labelled, right, precision, low and high (the 95% interval).
    The precision of a level holds for all its links only as far as the labelled ones were drawn at random from it.
    """
    known = links.join(labels, on=["left", "right"], how="left")
    rows = [_labelled("joined", known.filter("joins"))]
    most = 1.01
    for name, least in LEVELS.items():
        rows.append(_labelled(name, known.filter(pl.col("confidence").is_between(least, most, closed="left"))))
        most = least
    schema = {"level": pl.String, "links": pl.Int64, "labelled": pl.Int64, "right": pl.Int64, "precision": pl.Float64,
              "low": pl.Float64, "high": pl.Float64}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _labelled(name: str, links: pl.DataFrame) -> tuple[object, ...]:
    judged = links["same"].drop_nulls()
    right = int(judged.sum())
    return (name, links.height, len(judged), right, *_share(right, len(judged)))
