"""The one door to Splink and DuckDB: compare candidate pairs level by level, and learn what each agreement tells."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType
from typing import Any, Final, Self

import polars as pl

from graphkit.errors import MissingExtraError

__all__ = ["MEMORY", "SEED", "Comparison", "Level", "compare"]

SEED: Final = 20_260_101
"""The seed of the random sample from which chance agreement is learnt, so that equal records give equal scores."""

MEMORY: Final = "2GB"
"""The most that DuckDB keeps in memory; beyond that it writes to a temporary folder."""

_INSTALL: Final = "pip install 'solidarity-graphkit[identity]'"
_SAMPLED_PAIRS: Final = 2_000_000
_FEWEST_TO_LEARN: Final = 200
_APART: Final = 'l."record" <> r."record"'
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Level:
    """One way in which two spellings agree: a condition in SQL on `…_l` and `…_r`, and how often it is met.

    `m` and `u` are the shares among pairs of one organisation and of different ones. `fixed` keeps them from being
    learnt (`u_fixed` only u). An `unknown` level says nothing either way. An empty condition is "anything else".
    """

    label: str
    condition: str
    m: float = 0.0
    u: float = 0.0
    unknown: bool = False
    fixed: bool = False
    u_fixed: bool = False

    def with_u(self, u: float) -> Self:
        """Return the level with another u, which stays."""
        return replace(self, u=u, u_fixed=True)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One respect in which two spellings are compared; the first level whose condition is met counts."""

    name: str
    levels: tuple[Level, ...]


def compare(
    found: pl.DataFrame,
    comparisons: Sequence[Comparison],
    blocks: Sequence[tuple[str, str]],
    *,
    train: Sequence[str] | bool,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Compare the pairs of spellings of different records that agree in one of the `blocks` (pairs of columns).

    `train` are the conditions within whose pairs m is learnt by expectation maximisation, each with at least 200
    pairs; with none of them the shares of the levels are taken as they are. Returns the pairs (left, right,
    left_source, right_source, left_name, right_name, bits: the evidence as a logarithm to base 2, and for each
    comparison the label of its level) and the shares (comparison, level, m, u). Raises `MissingExtraError`.
    """
    splink = _library("splink")
    rules = [f'l."{one}" = r."{other}" AND {_APART}' for one, other in blocks]
    with _database(found) as (api, connection):
        settings = splink.SettingsCreator(
            link_type="dedupe_only",
            unique_id_column_name="spelling",
            comparisons=[_as_splink(comparison, learnt=bool(train)) for comparison in comparisons],
            blocking_rules_to_generate_predictions=rules,
            retain_intermediate_calculation_columns=True,
            retain_matching_columns=True,
            additional_columns_to_retain=["record", "source", "core"],
        )
        linker = splink.Linker(api.register("spellings"), settings, log_level=logging.ERROR)
        if train is not False and train is not True:
            _learn(linker, connection, train)
        return _answer(linker, comparisons), _shares(linker, comparisons)


def _learn(linker: Any, connection: Any, conditions: Sequence[str]) -> None:  # noqa: ANN401 - types of an extra
    """Learn u from random pairs and m within each condition under which there are enough pairs."""
    enough = [condition for condition in conditions if _pairs(connection, condition) >= _FEWEST_TO_LEARN]
    if len(enough) < len(conditions):
        _log.info("too few pairs to learn from: the shares that were learnt from other registers are used")
        return
    linker.training.estimate_u_using_random_sampling(max_pairs=_SAMPLED_PAIRS, seed=SEED)
    for condition in enough:
        linker.training.estimate_parameters_using_expectation_maximisation(
            f"{condition} AND {_APART}", record_sample_proportion=1.0
        )


def _pairs(connection: Any, condition: str) -> int:  # noqa: ANN401
    sql = f'SELECT count(*) FROM spellings l JOIN spellings r ON {condition} WHERE l."record" < r."record"'  # noqa: S608
    return int(connection.execute(sql).fetchall()[0][0])


def _answer(linker: Any, comparisons: Sequence[Comparison]) -> pl.DataFrame:  # noqa: ANN401
    names = [comparison.name for comparison in comparisons]
    bits = pl.sum_horizontal(pl.col(f"mw_{name}") for name in names)
    frame = pl.DataFrame(pl.from_arrow(linker.inference.predict().as_pyarrow_table()))
    return frame.select(
        pl.col("record_l").alias("left"),
        pl.col("record_r").alias("right"),
        pl.col("source_l").alias("left_source"),
        pl.col("source_r").alias("right_source"),
        pl.col("core_l").alias("left_name"),
        pl.col("core_r").alias("right_name"),
        bits.cast(pl.Float64).alias("bits"),
        *(_labels(comparison) for comparison in comparisons),
    )


def _labels(comparison: Comparison) -> pl.Expr:
    """Name the level of each pair: Splink numbers them from 0 for the last one, and the unknown one -1."""
    known = [level.label for level in comparison.levels if not level.unknown]
    numbers = dict(enumerate(reversed(known)))
    numbers[-1] = next((level.label for level in comparison.levels if level.unknown), "")
    gamma = pl.col(f"gamma_{comparison.name}").cast(pl.Int64)
    return gamma.replace_strict(numbers, return_dtype=pl.String).alias(comparison.name)


def _shares(linker: Any, comparisons: Sequence[Comparison]) -> pl.DataFrame:  # noqa: ANN401
    described = linker.misc.save_model_to_json()["comparisons"]
    rows = [
        (comparison.name, level.label, learnt.get("m_probability"), learnt.get("u_probability"))
        for comparison, known in zip(comparisons, described, strict=True)
        for level, learnt in zip(comparison.levels, known["comparison_levels"], strict=True)
        if not level.unknown
    ]
    schema = {"comparison": pl.String, "level": pl.String, "m": pl.Float64, "u": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _as_splink(comparison: Comparison, *, learnt: bool) -> Any:  # noqa: ANN401
    levels, library = _library("splink.comparison_level_library"), _library("splink.comparison_library")
    made = [_level(levels, level, learnt=learnt) for level in comparison.levels]
    return library.CustomComparison(comparison_levels=made, output_column_name=comparison.name)


def _level(library: ModuleType, level: Level, *, learnt: bool) -> Any:  # noqa: ANN401
    if not level.condition:
        made = library.ElseLevel()
    else:
        made = library.CustomLevel(level.condition, label_for_charts=level.label)
    if level.unknown:
        return made.configure(is_null_level=True)
    return made.configure(
        m_probability=level.m,
        u_probability=level.u,
        fix_m_probability=level.fixed or not learnt,
        fix_u_probability=level.u_fixed or not learnt,
    )


@contextmanager
def _database(found: pl.DataFrame) -> Iterator[tuple[Any, Any]]:
    duckdb, splink = _library("duckdb"), _library("splink")
    with tempfile.TemporaryDirectory(prefix="graphkit-identity-") as folder:
        connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": folder})
        try:
            connection.register("spellings_frame", found.to_arrow())
            connection.execute("CREATE TABLE spellings AS SELECT * FROM spellings_frame")
            yield splink.DuckDBAPI(connection), connection
        finally:
            connection.close()


def _library(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError("to compare records needs the library splink", hint=_INSTALL) from error
