"""The resolution: from the records of a store to links, clusters and a review list, which later runs obey."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from time import perf_counter
from typing import Final

import polars as pl

from graphkit import queries
from graphkit.errors import UsageError
from graphkit.identity import keys
from graphkit.identity.clusters import joined, preferred
from graphkit.identity.decisions import load_decisions
from graphkit.identity.links import LEVELS, POSSIBLE, STRICT, level, number_links, weighed
from graphkit.identity.records import load_records, numbers
from graphkit.identity.runs import run_statements, save_run
from graphkit.identity.scoring import Model, score_pairs
from graphkit.store.base import Readable, Store

__all__ = ["Resolution", "candidates", "in_words", "load_review", "resolve", "save"]

_FEWEST: Final = 2
_FOR_REVIEW: Final = "; for review: "
_BY_HAND: Final = "decided by a person"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a run found.

    `records` are those of `graphkit.identity.records`, `links` those of `graphkit.identity.clusters.joined` with
    method and reason, `clusters` and `preferred` what became of them. `crowded` records have only names that too many
    share to be compared by name; `nameless` organisations have no name and are not looked at.
    """

    records: pl.DataFrame
    links: pl.DataFrame
    clusters: pl.DataFrame
    preferred: pl.DataFrame
    model: Model
    threshold: float
    crowded: int
    day: date
    seconds: float

    @property
    def for_review(self) -> pl.DataFrame:
        """The links that do not join, the surest first, those without a conflict before the others."""
        waiting = self.links.filter(~pl.col("joins"))
        return waiting.sort(pl.col("conflict").is_not_null(), -pl.col("confidence"), "left", "right")


def resolve(
    store: Readable,
    *,
    threshold: float = STRICT,
    today: date | None = None,
    tell: Callable[[str], None] | None = None,
) -> Resolution:
    """Find out which records of `store` are one organisation; nothing is written (`save` does that).

    Links of a confidence of at least `threshold` join records unless something speaks against it; the others are for
    review. What people decided is obeyed. `tell` hears what is done. Raises `UsageError` for a threshold below that of
    possible links or above 1, `MissingExtraError` where Splink is not installed.
    """
    if not POSSIBLE <= threshold <= 1:
        raise UsageError(
            f"the threshold is {threshold}", hint=f"give one from {POSSIBLE} to 1; the default is {STRICT}"
        )
    start, say = perf_counter(), tell or (lambda _: None)
    records = load_records(store)
    say(f"{records.height} records of {records['source'].n_unique()} sources")
    ids = numbers(records)
    wholes = queries.run(store, "identity/wholes")
    found, model, crowded = candidates(records, ids, wholes)
    say(f"{found.height} links that are at least possible")
    links, clusters = joined(_obeying(found, load_decisions(store)), ids, threshold=threshold)
    links = links.filter(pl.col("verdict").is_null() | (pl.col("verdict") == "accepted"))
    chosen = preferred(clusters, records)
    seconds = perf_counter() - start
    day = today or datetime.now(UTC).date()
    _log.info("%d links, %d clusters in %.1f s", links.height, clusters["cluster"].n_unique(), seconds)
    return Resolution(records, links, clusters, chosen, model, threshold, crowded, day, seconds)


def candidates(
    records: pl.DataFrame, ids: pl.DataFrame, wholes: pl.DataFrame, learnt_from: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, Model, int]:
    """Score and weigh all candidate pairs; return them, the model, and how many records are crowded out by name.

    `learnt_from` are the numbers from which chance agreement of names is learnt, where these are not all.
    """
    spellings = keys.spellings(records)
    official = pl.col("list").str.contains("^[A-Z]")
    teaching = (ids if learnt_from is None else learnt_from).filter(official)
    if spellings["record"].n_unique() < _FEWEST:
        scores, model = _nothing()
    else:
        scores, model = score_pairs(spellings, teaching)
    shared = number_links(ids.filter(official))
    return weighed(_placed(scores, records), shared, ids, wholes), model, keys.crowded(records, spellings)


def _placed(scores: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Add to each pair where its two records are, in the words of their sources, for a person to judge."""
    words = pl.concat_str("postcode", "place", separator=" ", ignore_nulls=True).replace("", None)
    places = dict(records.select("record", words.alias("words")).drop_nulls("words").rows())
    return scores.with_columns(
        pl.col(side).replace_strict(places, default="?", return_dtype=pl.String).alias(f"{side}_place")
        for side in ("left", "right")
    )


def _nothing() -> tuple[pl.DataFrame, Model]:
    texts = dict.fromkeys(("left", "right", "name", "where", "left_name", "right_name"), pl.String)
    empty = pl.DataFrame(schema={**texts, "score": pl.Float64})
    return empty, Model(pl.DataFrame(), pl.DataFrame(), 0)


def _obeying(links: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Add to each link what a person decided about it, and the accepted pairs that no run would find."""
    known = decisions.select("left", "right", "verdict", "who", "note")
    merged = links.join(known, on=["left", "right"], how="full", coalesce=True)
    decided = pl.col("verdict") == "accepted"
    words = pl.concat_str(
        pl.lit("accepted"), pl.when(pl.col("who") != "").then(pl.format("by {}", "who")),
        pl.when(pl.col("note") != "").then(pl.format("({})", "note")), separator=" ", ignore_nulls=True,
    )  # fmt: skip
    return merged.select(
        "left",
        "right",
        confidence=pl.when(decided).then(1.0).otherwise(pl.col("confidence").fill_null(0.0)),
        method=pl.when(decided).then(pl.lit(_BY_HAND)).otherwise(pl.col("method")),
        reason=pl.when(decided)
        .then(pl.concat_str(words, "reason", separator="; ", ignore_nulls=True))
        .otherwise("reason"),
        conflict=pl.when(~decided.fill_null(value=False)).then(pl.col("conflict")),
        verdict=pl.col("verdict"),
    )


# ---- Writing and reading back --------------------------------------------------------------------------


def save(store: Store, found: Resolution, *, who: str = "") -> None:
    """Put the run into the store in the place of the one before, as one version."""
    graphs = found.records.select("record", "graph")
    links = found.links.join(graphs.rename({"record": "left", "graph": "left_graph"}), on="left", how="left")
    links = links.join(graphs.rename({"record": "right", "graph": "right_graph"}), on="right", how="left")
    tool = f"splink {version('splink')}" if found.model.levels.height else ""
    statements = run_statements(links.sort("left", "right"), found.preferred, found.day, in_words(found), tool)
    clusters = found.clusters["cluster"].n_unique()
    save_run(store, statements, f"{found.clusters.height} records joined to {clusters} organisations", who=who)


def load_review(store: Readable) -> pl.DataFrame:
    """Return the links of the newest run that wait for a person, with the columns of a review file but the last three.

    Those without a conflict come first, the surest at the top. A pair that was decided since the run is left out.
    """
    found = queries.run(store, "identity/links").filter(pl.col("relation") == "close")
    found = found.unique(["left", "right"], keep="first", maintain_order=True)
    decided = load_decisions(store).select("left", "right")
    parts = pl.col("reason").str.split(_FOR_REVIEW)
    return (
        found.join(decided, on=["left", "right"], how="anti")
        .with_columns(
            level=level(pl.col("confidence").cast(pl.Float64)),
            reason=parts.list.first(),
            conflict=parts.list.get(1, null_on_oob=True),
        )
        .sort(pl.col("conflict").is_not_null(), -pl.col("confidence").cast(pl.Float64), "left", "right")
        .select(
            "left", "left_label", "left_source", "right", "right_label", "right_source",
            "confidence", "level", "reason", "conflict",
        )
    )  # fmt: skip


def in_words(found: Resolution) -> str:
    """Tell in a few lines what a run found and how it decided."""
    links = found.links.with_columns(level=level(pl.col("confidence")))
    joins, waiting = links.filter("joins"), found.for_review
    sizes = found.clusters.group_by("cluster").len()["len"].to_list()
    by_level = ", ".join(f"{waiting.filter(level(pl.col('confidence')) == name).height} {name}" for name in LEVELS)
    contested = waiting["conflict"].is_not_null().sum()
    joined_to = (
        f"{found.clusters.height} records to {len(sizes)} organisations, of at most {max(sizes, default=0)} records"
    )
    lines = [
        f"{found.records.height} records of {found.records['source'].n_unique()} sources, {links.height} links.",
        f"{joins.height} links of at least {found.threshold:g} join {joined_to}.",
        f"{waiting.height} links are for review: {by_level}; {contested} contradict an official list or another link.",
    ]
    if found.crowded:
        lines.append(
            f"{found.crowded} records share their name with more than {keys.MOST_IN_BLOCK}: not compared by it."
        )
    if found.model.different:
        lines.append(
            f"Chance agreement of names: counted on {found.model.different} pairs that official lists tell apart."
        )
    else:
        lines.append("Chance agreement of names: shipped figures, for there are too few official numbers to count it.")
    return "\n".join(lines)
