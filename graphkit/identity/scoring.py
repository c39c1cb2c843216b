"""How likely two records name one organisation, learnt from the records alone: Fellegi and Sunter by Splink."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

import polars as pl

from graphkit.identity import linkage
from graphkit.identity.keys import KEYS
from graphkit.identity.linkage import Comparison, Level

__all__ = ["Model", "score_pairs"]

RARE_BITS, UNIQUE_BITS = 22, 36
"""From so many bits on a name is rare, or all but unique (`graphkit.identity.keys.spellings`)."""

_NEAR: Final = 0.95
_LEAST_U: Final = 1e-8
_FEW_KNOWN: Final = 5_000_000
_ROUNDS: Final = 100
_MOST_BITS: Final = 60.0
_log = logging.getLogger(__name__)

_SAME = '"sorted_l" = "sorted_r" AND "marks_l" = "marks_r"'
_LEAST = 'least("rarity_l", "rarity_r")'
_WITHIN = '(list_has_all("words_l", "words_r") OR list_has_all("words_r", "words_l"))'
_NEARLY = f'"marks_l" = "marks_r" AND jaro_winkler_similarity("core_l", "core_r") >= {_NEAR}'
_NOWHERE = (
    '("district_l" IS NULL OR "district_r" IS NULL) AND ("place_l" IS NULL OR "place_r" IS NULL)'
    ' AND (len("areas_l") = 0 OR len("areas_r") = 0)'
)
_NEIGHBOURS = '"district_l" = "district_r" OR "place_l" = "place_r" OR list_has_any("areas_l", "areas_r")'
_SAME_POSTCODE = '"postcode_l" = "postcode_r" AND "postcode_l" <> "district_l"'

_UNIQUE, _RARE, _COMMON = "same words, all but unique", "same words, rare", "same words, common"
_NAME: Final = Comparison(
    "name",
    (
        Level(_UNIQUE, f"{_SAME} AND {_LEAST} >= {UNIQUE_BITS}", 0.20, 1e-8),
        Level(_RARE, f"{_SAME} AND {_LEAST} >= {RARE_BITS}", 0.40, 1e-7),
        Level(_COMMON, _SAME, 0.19, 2e-7),
        Level("nearly the same", f"{_NEARLY} AND {_LEAST} >= {RARE_BITS}", 0.10, 1e-7),
        Level("one within the other", f'"marks_l" = "marks_r" AND {_LEAST} >= {RARE_BITS} AND {_WITHIN}', 0.10, 3e-7),
        Level("different", "", 0.01, 0.99),
    ),
)
_WHERE: Final = Comparison(
    "where",
    (
        Level("not known", _NOWHERE, unknown=True),
        Level("same postcode", _SAME_POSTCODE, 0.63, 1e-4),
        Level("same district or town", _NEIGHBOURS, 0.29, 0.016),
        Level("same postcode area", '"area_l" = "area_r"', 0.04, 0.025, fixed=True),
        Level("elsewhere", "", 0.03, 0.96, fixed=True),
    ),
)
_FORM: Final = Comparison(
    "form",
    (
        Level("not known", '"form_l" IS NULL OR "form_r" IS NULL', unknown=True),
        Level("same legal form", '"form_l" = "form_r"', 0.97, 0.9),
        Level("other legal form", "", 0.03, 0.1, fixed=True),
    ),
)


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt from the records, so that a person can look at it.

    `levels` has a row for each level of agreement of each comparison: m, the share among pairs of one organisation,
    and u, the share among pairs of different ones. `priors` has a row for each two sources: pairs (of their records)
    and prior, the share of these that are one organisation. `different` is the number of pairs known to be different
    from which u of the names was counted; with 0 it is that of the shipped figures.
    """

    levels: pl.DataFrame
    priors: pl.DataFrame
    different: int


def score_pairs(found: pl.DataFrame, ids: pl.DataFrame) -> tuple[pl.DataFrame, Model]:
    """Score the candidate pairs among the spellings of `graphkit.identity.keys`; return the best of each two records.

    `ids` has the columns record, list, id: two records with other numbers of one list count as different, and from
    these it is learnt how often different organisations have like names. The columns are left, right (records, the
    smaller IRI first), score (0 to 1), name and where (how far they agree, in words), left_name, right_name. Two
    records without any equal key are no pair. Raises `MissingExtraError` where Splink is not installed.

    m is learnt by expectation maximisation, of names within equal postcodes and of places within equal names; where
    there are too few such pairs, it is that which was learnt from British registers in 2026. That an organisation is
    found in another town than before is put at 7 of 100 and under another legal form at 3: equal names cannot teach
    it. The share of pairs that are one organisation is learnt for each two sources by itself: a list of societies and
    their register share nearly all, other sources little.

    Source: Fellegi and Sunter (1969), Journal of the American Statistical Association 64:1183; Linacre et al. (2022),
    International Journal of Population Data Science 7:1794.
    """
    blocks = [(key, key) for key in KEYS]
    pairs, _ = linkage.compare(found, (_NAME, _WHERE, _FORM), blocks, train=False)
    name, different = _learnt_chance(pairs, found, ids)
    rules = ('l."postcode" = r."postcode" AND l."postcode" <> l."district"', 'l."sorted" = r."sorted"')
    pairs, levels = linkage.compare(found, (name, _WHERE, _FORM), blocks, train=rules)
    scored, priors = _with_priors(pairs, found)
    _log.info("%d candidate pairs, %d pairs known to be different", pairs.height, different)
    return _best(scored), Model(levels, priors, different)


def _learnt_chance(pairs: pl.DataFrame, found: pl.DataFrame, ids: pl.DataFrame) -> tuple[Comparison, int]:
    """Count how often different organisations of one list agree in name, level by level.

    In every list a few organisations stand twice under the same name because they registered anew, which is no
    agreement by chance. Their share is that of the names which are all but unique, and is taken off the others. Lists
    differ (local units of a charity register anew more often than societies do): the median over the lists with at
    least five million pairs is taken.
    """
    sizes = ids.group_by("list").agg(n=pl.col("record").n_unique())
    sizes = sizes.select("list", possible=pl.col("n") * (pl.col("n") - 1) // 2).filter(pl.col("possible") >= _FEW_KNOWN)
    if sizes.is_empty():
        return _with_chance({}), 0
    labels = pl.DataFrame({"name": [level.label for level in _NAME.levels[:-1]]})
    seen = _known_different(pairs, ids).group_by("list", "name").len("seen")
    names = (
        found.join(ids.select("record", "list").unique(), on="record").group_by("list", name=_stratum()).len("names")
    )
    counted = (
        sizes.join(labels, how="cross")
        .join(seen, on=["list", "name"], how="left")
        .join(names, on=["list", "name"], how="left")
        .with_columns(pl.col("seen", "names").fill_null(0))
        .with_columns(anew=(pl.col("seen") / pl.col("names")).filter(pl.col("name") == _UNIQUE).first().over("list"))
        .with_columns(chance=pl.col("seen") - pl.col("anew").fill_nan(0.0) * pl.col("names"))
        .group_by("name")
        .agg((pl.col("chance") / pl.col("possible")).median().clip(_LEAST_U))
    )
    shares = {str(name): float(share) for name, share in counted.iter_rows()}
    return _with_chance(shares), int(sizes["possible"].sum())


def _with_chance(shares: dict[str, float]) -> Comparison:
    """Hold u of the names at these shares, or at the shipped ones: random pairs would count true pairs among them."""
    levels = [level.with_u(shares.get(level.label, level.u)) for level in _NAME.levels[:-1]]
    return Comparison("name", (*levels, _NAME.levels[-1]))


def _stratum() -> pl.Expr:
    """Name the level at which a spelling agrees with its equal."""
    named = pl.when(pl.col("rarity") >= RARE_BITS).then(pl.lit(_RARE)).otherwise(pl.lit(_COMMON))
    return pl.when(pl.col("rarity") >= UNIQUE_BITS).then(pl.lit(_UNIQUE)).otherwise(named)


def _known_different(pairs: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs whose records have numbers of one list and none in common, a row for each such list."""
    numbers = ids.group_by("record", "list").agg(pl.col("id"))
    return (
        pairs.select("left", "right", "name")
        .join(numbers, left_on="left", right_on="record")
        .join(numbers, left_on=["right", "list"], right_on=["record", "list"], suffix="_right")
        .filter(pl.col("id").list.set_intersection("id_right").list.len() == 0)
    )


def _with_priors(pairs: pl.DataFrame, found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn the evidence of each pair into a probability, with the prior of its two sources.

    Each prior is the fixed point of expectation maximisation with the evidence held: the sum of the probabilities over
    the number of pairs, and no less than half a pair.
    """
    known = found.group_by("source").agg(n=pl.col("record").n_unique())
    sizes = {str(source): int(n) for source, n in known.iter_rows()}
    odds = pairs.with_columns(
        one=pl.min_horizontal("left_source", "right_source"),
        other=pl.max_horizontal("left_source", "right_source"),
        odds=pl.lit(2.0).pow(pl.col("bits").clip(-_MOST_BITS, _MOST_BITS)),
    )
    parts, rows = [], []
    for (one, other), part in odds.sort("one", "other").group_by("one", "other", maintain_order=True):
        a, b = sizes[str(one)], sizes[str(other)]
        possible = a * (a - 1) // 2 if one == other else a * b
        prior = _fixed_point(part["odds"], possible)
        rows.append((one, other, possible, prior))
        parts.append(part.with_columns(score=_probability(pl.col("odds"), prior)))
    schema = {"one": pl.String, "other": pl.String, "pairs": pl.Int64, "prior": pl.Float64}
    scored = pl.concat(parts) if parts else odds.with_columns(score=pl.lit(0.0))
    return scored, pl.DataFrame(rows, schema=schema, orient="row")


def _probability(odds: pl.Expr, prior: float) -> pl.Expr:
    return odds * prior / (1 - prior + odds * prior)


def _fixed_point(odds: pl.Series, possible: int) -> float:
    prior = min(0.5, 10 / possible)
    values = odds.to_numpy()
    for _ in range(_ROUNDS):
        expected = float((values * prior / (1 - prior + values * prior)).sum())
        prior = min(max(expected, 0.5) / possible, 0.5)
    return prior


def _best(scored: pl.DataFrame) -> pl.DataFrame:
    """Keep the best pair of spellings of each two records, the smaller IRI first."""
    turned = pl.col("left") > pl.col("right")
    columns = ("left", "right", "left_name", "right_name")
    other = dict(zip(columns, ("right", "left", "right_name", "left_name"), strict=True))
    return (
        scored.with_columns(
            pl.when(turned).then(pl.col(other[name])).otherwise(pl.col(name)).alias(name) for name in columns
        )
        .sort("left", "right", -pl.col("score"), "left_name", "right_name")
        .unique(["left", "right"], keep="first", maintain_order=True)
        .select("left", "right", "score", "name", "where", "left_name", "right_name")
    )
