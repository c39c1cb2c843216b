"""The engine spark beside the local one: the same pairs, in the same order, with the same scores."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graphkit.errors import DataError, MissingExtraError, UnknownNameError, UsageError
from graphkit.gaps import distributed, scorers
from graphkit.gaps import lists as local_lists
from graphkit.gaps.distributed import joins, lists
from graphkit.gaps.distributed.door import Session, collected, handed_over
from graphkit.measures import nulls, position
from graphkit.network import Network, recency_weights

DAY = date(2026, 1, 1)
HAS_SPARK = find_spec("pyspark") is not None and shutil.which("java") is not None
needs_spark = pytest.mark.skipif(not HAS_SPARK, reason="needs the extra 'spark' and Java")


def drawn(organisations: int, activities: int, seed: int) -> pl.DataFrame:
    """Draw participations: a few organisations in many activities, some undated, one organisation in none."""
    random = np.random.default_rng(seed)
    rows: list[tuple[str, str | None, date | None]] = [("https://example.org/alone", None, None)]
    for number in range(activities):
        day = date(int(random.integers(2010, 2027)), 1, 1) if number % 7 else None
        size = int(random.integers(1, 8))
        members = np.unique((organisations * random.power(0.6, size)).astype(int))
        rows += [(f"https://example.org/o{member}", f"https://example.org/a{number}", day) for member in members]
    schema = {"organisation": pl.String, "activity": pl.String, "date": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row").sample(fraction=1, shuffle=True, seed=seed)


def same(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """Compare two lists of pairs: ends and order exactly, scores to 1e-9."""
    assert found.select("source", "target").rows() == expected.select("source", "target").rows()
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-9, atol=0)


@pytest.fixture(scope="module")
def spark() -> Iterator[Session]:
    """Start one session for all tests."""
    if not HAS_SPARK:
        pytest.skip("needs the extra 'spark' and Java")
    with distributed.session("local[2]", settings={"spark.sql.shuffle.partitions": "3"}) as started:
        yield started


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Give the participations of 500 organisations."""
    return drawn(500, 220, 1)


@pytest.fixture(scope="module")
def local(rows: pl.DataFrame) -> Network:
    """Give their network as it is held here."""
    return distributed.network_of(rows)


@pytest.fixture(scope="module")
def spread(spark: Session, rows: pl.DataFrame) -> distributed.Spread:
    """Give their network on Spark."""
    return distributed.from_participations(spark, rows)


def test_the_local_network_of_participations_is_that_of_a_network_query() -> None:
    """Cliques weigh 1 / (size - 1), lone participants stay without a tie, large activities can be left out."""
    frame = pl.DataFrame(
        {
            "organisation": ["a", "b", "c", "a", "d", "b", "a"],
            "activity": ["fair", "fair", "fair", "shop", None, "shop", "shop"],
            "date": ["2015-01-01", None, "2016-01-01", None, None, None, None],
        }
    )
    network = distributed.network_of(frame)
    assert network.organisations == ("a", "b", "c", "d")
    assert network.ties.select("source", "target", "activity", "date", "weight").rows() == [
        ("a", "b", "fair", date(2016, 1, 1), 0.5),
        ("a", "b", "shop", None, 1.0),
        ("a", "c", "fair", date(2016, 1, 1), 0.5),
        ("b", "c", "fair", date(2016, 1, 1), 0.5),
    ]
    assert distributed.network_of(frame, largest=2).ties.height == 1


def test_a_table_that_is_none_of_participations_is_refused(tmp_path: Path) -> None:
    """The missing column, the odd date, the row without organisation and the absent file are named."""
    good = {"organisation": ["a"], "activity": ["x"]}
    for columns, words in (
        ({"activity": ["x"]}, "lack the column organisation"),
        ({**good, "date": ["soon"]}, "'soon'"),
        ({"organisation": [None], "activity": ["x"]}, "1 participations name no organisation"),
    ):
        with pytest.raises(DataError, match=words):
            distributed.network_of(pl.DataFrame(columns))
    with pytest.raises(DataError, match="cannot be read"):
        distributed.read_participations(tmp_path / "none.csv")


@pytest.mark.java
@needs_spark
@pytest.mark.parametrize("name", distributed.SPARK_SCORERS)
def test_the_best_pairs_are_those_of_the_local_engine(spread: distributed.Spread, local: Network, name: str) -> None:
    """The first 200, with ties among them, in the same order."""
    same(distributed.top_pairs(spread, name, 200, today=DAY), local_lists.top_pairs(local, name, 200, today=DAY))


@pytest.mark.java
@needs_spark
def test_ties_that_travel_and_hubs_in_pieces_give_the_same(spark: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no machine holds all ties, and everybody with more than 10 partners is cut into pieces."""
    monkeypatch.setattr(joins, "HUB", 10)
    rows = drawn(60, 60, 2)
    network = distributed.network_of(rows)
    spread = distributed.from_participations(spark, rows, copied_ties=0)
    assert not spread.copied
    for name in ("adamic_adar", "l3"):
        same(distributed.top_pairs(spread, name, 100, today=DAY), local_lists.top_pairs(network, name, 100, today=DAY))
    seeds = network.organisations[:30]
    found = distributed.personalised_pagerank(spread, seeds, steps=3)
    expected = position.personalised_pagerank(network, weights=network.adjacency, rows=range(30), steps=3)
    assert found.height == np.count_nonzero(expected)
    places = ([network.rows[name] for name in found[column]] for column in ("seed", "organisation"))
    np.testing.assert_allclose(found["share"], expected[tuple(places)], rtol=1e-9)


@pytest.mark.java
@needs_spark
def test_no_organisation_fills_a_capped_list(
    spread: distributed.Spread, local: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few pairs come here at a time, the list is the local one."""
    monkeypatch.setattr(lists, "_POOL", 60)
    expected = local_lists.top_pairs(local, "resource_allocation", 60, today=DAY, per_organisation=2)
    same(distributed.top_pairs(spread, "resource_allocation", 60, today=DAY, per_organisation=2), expected)


@pytest.mark.java
@needs_spark
def test_a_network_of_the_store_is_handed_over_and_its_list_runs_to_the_end(
    spark: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ties without activity count as activities of two; pairs that nothing joins come last, in order of IRI."""
    monkeypatch.setattr(lists, "_CELLS_AT_ONCE", 20)
    bare = Network.from_pairs([("b", "a"), ("b", "c"), ("d", "e"), ("e", "f")], organisations=["g"])
    spread = distributed.from_network(spark, bare)
    for name in ("common_neighbours", "ppr_recency"):
        expected = local_lists.top_pairs(bare, name, 100, today=DAY)
        assert expected["score"][-1] == 0
        same(distributed.top_pairs(spread, name, 100, today=DAY), expected)


@pytest.mark.java
@needs_spark
def test_each_organisation_has_its_best_partners(spread: distributed.Spread, local: Network) -> None:
    """Three for each, from the whole table of scores."""
    n = len(local.organisations)
    scores = scorers.SCORERS["adamic_adar"].rows(local, DAY)(np.arange(n))
    scores[local.adjacency.toarray() > 0] = 0
    np.fill_diagonal(scores, 0)
    expected = [
        (local.organisations[row], place + 1, local.organisations[column])
        for row in range(n)
        for place, column in enumerate(np.lexsort((np.arange(n), -scores[row]))[:3])
        if scores[row, column] > 0
    ]
    found = distributed.best_partners(spread, "adamic_adar", 3, today=DAY)
    assert found.select("organisation", "rank", "partner").rows() == expected


@pytest.mark.java
@needs_spark
def test_weights_are_those_of_the_local_network(spread: distributed.Spread, local: Network) -> None:
    """The sum of 1 / (size - 1) and the weights by recency."""
    for table, matrix in ((spread.weighted(), local.weights), (spread.recency(DAY), recency_weights(local, DAY))):
        found = collected(table.select("i", "j", "weight"))
        dense = matrix.toarray()
        assert found.height == np.count_nonzero(np.triu(dense))
        np.testing.assert_allclose(found["weight"], dense[found["i"], found["j"]], rtol=1e-9)


@pytest.mark.java
@needs_spark
def test_walks_from_named_seeds(spread: distributed.Spread, local: Network) -> None:
    """On the weights by recency, and at home where an organisation has no tie."""
    seeds = ["https://example.org/alone", *local.organisations[5:8]]
    places = [local.rows[seed] for seed in seeds]
    expected = position.personalised_pagerank(local, weights=recency_weights(local, DAY), rows=places)
    found = distributed.personalised_pagerank(spread, seeds, today=DAY)
    assert found.height == np.count_nonzero(expected)
    for seed, row in zip(seeds, expected, strict=True):
        mine = found.filter(pl.col("seed") == seed)
        columns = [local.rows[organisation] for organisation in mine["organisation"]]
        np.testing.assert_allclose(mine["share"], row[columns], rtol=1e-9)


@pytest.mark.java
@needs_spark
def test_groups_meet_as_often_as_the_local_model_says(spread: distributed.Spread, local: Network) -> None:
    """Observed, expected, variance, z and p; members of both are left out, a group inside another is passed over."""
    numbers = pl.int_range(pl.len())
    whole = local.table().with_columns(group=pl.format("g{}", numbers % 4))
    more = whole.filter(numbers % 5 == 0).with_columns(group=pl.lit("g1"))
    inside = whole.filter(numbers % 8 == 0).with_columns(group=pl.lit("part of g0"))
    groups = pl.concat([whole, more, inside])
    model = nulls.bicm(local.incidence)
    found = distributed.group_meetings(spread, groups)
    assert ("g0", "part of g0") not in found.select("group", "other").rows()
    assert found.height == 9
    for group, other, *figures in found.rows():
        first, second = (
            {local.rows[member] for member in groups.filter(pl.col("group") == name)["organisation"]}
            for name in (group, other)
        )
        joint = nulls.joint_activities(model, local.incidence, sorted(first - second), sorted(second - first))
        expected = [joint.observed, joint.expected, joint.variance, joint.z, joint.p]
        np.testing.assert_allclose(figures, expected, rtol=1e-9)


@pytest.mark.java
@needs_spark
def test_spark_reads_tables_itself(spark: Session, tmp_path: Path) -> None:
    """Parquet and CSV give the list of the frame; an absent table and an odd date are told."""
    rows = drawn(60, 60, 3)
    rows.write_parquet(tmp_path / "rows.parquet")
    rows.write_csv(tmp_path / "rows.csv")
    expected = local_lists.top_pairs(distributed.network_of(rows, largest=5), "common_neighbours", 20, today=DAY)
    for name in ("rows.parquet", "rows.csv"):
        spread = distributed.from_participations(spark, tmp_path / name, largest=5)
        same(distributed.top_pairs(spread, "common_neighbours", 20, today=DAY), expected)
    with pytest.raises(DataError, match="cannot read the table"):
        distributed.from_participations(spark, tmp_path / "none.parquet")
    (tmp_path / "odd.csv").write_text("organisation,activity,date\na,x,soon\n")
    with pytest.raises(DataError, match="'soon'"):
        distributed.from_participations(spark, tmp_path / "odd.csv")


@pytest.mark.java
@needs_spark
def test_sums_do_not_depend_on_order(spark: Session) -> None:
    """A thousand numbers of all sizes have one sum, to the last bit, however they are dealt out."""
    random = np.random.default_rng(4)
    values = random.random(1000) * 10.0 ** -random.integers(0, 12, 1000)
    frame = handed_over(spark, pl.DataFrame({"x": values}))
    sums = {
        frame.repartition(parts, "x").groupBy().agg(joins.expression(joins.exact_sum("x", "s"))).first()[0]
        for parts in (1, 2, 7)
    }
    assert len(sums) == 1
    assert sums.pop() == pytest.approx(values.sum(), rel=1e-14)


@pytest.mark.java
@needs_spark
def test_wrong_use_is_refused(spread: distributed.Spread) -> None:
    """Names that are not known, lists of nothing, numbers out of range."""
    with pytest.raises(UnknownNameError, match="adamic_adar"):
        distributed.top_pairs(spread, "adamic_ader", 5, today=DAY)
    with pytest.raises(UsageError, match="no pairs"):
        distributed.top_pairs(spread, "l3", 0, today=DAY)
    with pytest.raises(UsageError, match="nobody"):
        distributed.best_partners(spread, "l3", 0, today=DAY)
    with pytest.raises(UnknownNameError, match="nobody"):
        distributed.personalised_pagerank(spread, ["nobody"])
    with pytest.raises(UsageError, match="alpha"):
        distributed.personalised_pagerank(spread, [], alpha=1)
    with pytest.raises(UsageError, match="tau"):
        spread.recency(DAY, tau=0)
    with pytest.raises(DataError, match="group"):
        distributed.group_meetings(spread, pl.DataFrame({"organisation": []}))


def ties(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `graphkit ties` in a process of its own, where there is no store."""
    return subprocess.run(
        [sys.executable, "-m", "graphkit", "ties", "--store", "/nowhere", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error", **environment},
    )


def test_the_verb_lists_pairs_of_a_table(tmp_path: Path) -> None:
    """With scores, as CSV or JSON; wrong use exits 2."""
    drawn(60, 60, 5).write_parquet(tmp_path / "rows.parquet")
    table = str(tmp_path / "rows.parquet")
    done = ties("--input", table, "-k", "3", "--per-organisation", "1", "-f", "json")
    assert done.returncode == 0, done.stderr
    assert [sorted(row) for row in json.loads(done.stdout)] == [["score", "source", "target"]] * 3
    for words in (["--master", "local"], ["--largest", "3"], ["--scorer", "none", "--input", table], []):
        assert ties(*words).returncode == 2


def a_home_for_spark(folder: Path) -> Path:
    """Give the programs of pyspark in a folder of our own, for a cluster on one machine writes where they are."""
    (origin,) = find_spec("pyspark").submodule_search_locations or ()
    for part in ("bin", "jars"):
        (folder / part).symlink_to(Path(origin, part))
    return folder


@pytest.mark.java
@needs_spark
def test_the_verb_says_the_same_on_a_cluster_and_tells_where_java_is_missing(tmp_path: Path) -> None:
    """Two workers in processes of their own on this machine; data alone goes to stdout."""
    drawn(60, 60, 5).write_parquet(tmp_path / "rows.parquet")
    words = ["--input", str(tmp_path / "rows.parquet"), "-k", "5", "--as-of", "2026-01-01", "-f", "csv"]
    (home := tmp_path / "home").mkdir()
    cluster = ["--engine", "spark", "--master", "local-cluster[2,1,1024]"]
    here, there = ties(*words), ties(*words, *cluster, SPARK_HOME=str(a_home_for_spark(home)))
    assert there.returncode == 0, there.stderr
    assert there.stdout == here.stdout
    assert len(list((home / "work").glob("app-*/*"))) == 2
    bare = ties(*words, "--engine", "spark", JAVA_HOME=str(tmp_path))
    assert bare.returncode == 1
    assert "needs Java" in bare.stderr
    assert "JAVA_HOME" in bare.stderr


def test_without_pyspark_the_install_line_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is an extra."""
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingExtraError, match=r"solidarity-graphkit\[spark\]"), distributed.session():
        pass
