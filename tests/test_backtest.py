"""Backtest: what it counts, with what it compares, how sure it is, and when it refuses."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graphkit.errors import DataError, UnknownNameError, UsageError
from graphkit.gaps import backtest as module
from graphkit.gaps.backtest import FIGURES, LEAST_POSITIVES, BacktestReport, backtest, rolling_cuts
from graphkit.gaps.lists import top_pairs
from graphkit.gaps.rankings import drawn
from graphkit.gaps.scorers import SCORERS
from graphkit.network import COLUMNS, Network

CUT = date(2017, 12, 31)
Rows = list[tuple[str, str | None, str | None, str | None]]


def network_of(rows: Rows) -> Network:
    frame = pl.DataFrame(rows, schema=list(COLUMNS[:4]), orient="row", infer_schema_length=None)
    return Network.from_ties(frame.with_columns(weight=None, kind=None))


def clique(members: list[str], activity: str, day: str) -> Rows:
    return [(a, b, activity, day) for a in members for b in members if a < b]


def world(*, seed: int = 5, organisations: int = 80, activities: int = 150) -> Rows:
    """Draw activities whose members live near each other on a ring: who shares a partner meets sooner."""
    random = np.random.default_rng(seed)
    rows: Rows = []
    for number in range(activities):
        middle = random.integers(organisations)
        members = {f"o{int(place) % organisations:03}" for place in random.normal(middle, 3, random.integers(2, 5))}
        year = 2012 + number * 10 // activities
        rows += clique(sorted(members), f"a{number:03}", f"{year}-06-01")
    return rows


@pytest.fixture(scope="module")
def network() -> Network:
    """Give one drawn world."""
    return network_of(world())


@pytest.fixture(scope="module")
def report(network: Network) -> BacktestReport:
    """Backtest all scorers on it, once."""
    return backtest(network, [CUT], k=20)


def truth(network: Network) -> tuple[Network, set[tuple[str, str]], set[str]]:
    """Give the training network, the new pairs, and who is active afterwards, with plain Python."""
    train = Network.from_ties(network.ties.filter(pl.col("date") <= CUT))
    before = set(train.ties.select("source", "target").rows())
    later = network.ties.filter(pl.col("date") > CUT).select("source", "target").rows()
    known = set(train.organisations)
    new = {pair for pair in later if set(pair) <= known} - before
    return train, new, {end for pair in later for end in pair} & known


def share_beaten(positives: list[float], negatives: list[float]) -> float:
    return float(np.mean([(p > n) + (p == n) / 2 for p in positives for n in negatives]))


@pytest.mark.parametrize("name", ["common_neighbours", "preferential_attachment", "fusion"])
def test_figures_equal_those_counted_by_hand(network: Network, report: BacktestReport, name: str) -> None:
    """AUC pair by pair for three kinds of negatives, precision of the list, hits of each organisation's ten."""
    train, new, active = truth(network)
    ranked = top_pairs(train, name, 100_000, today=CUT).rows()
    good = [score for a, b, score in ranked if (a, b) in new]
    assert len(good) == len(new)
    apart = [(a, b, score) for a, b, score in ranked if (a, b) not in new]
    near = {
        (a, b)
        for a, b, _ in ranked
        if (train.adjacency[[train.rows[a]]] @ train.adjacency[[train.rows[b]]].T).toarray().item() > 0
    }
    expected = {
        "auc_random": share_beaten(good, [score for _, _, score in apart]),
        "auc_act": share_beaten(good, [score for a, b, score in apart if {a, b} <= active]),
        "auc_distance_2": share_beaten(
            [score for a, b, score in ranked if (a, b) in new & near],
            [score for a, b, score in apart if (a, b) in near],
        ),
        "p_at_k": np.mean([(a, b) in new for a, b, _ in ranked[:20]]),
    }
    asking = sorted({end for pair in new for end in pair})
    hits = []
    for one in asking:
        own = sorted((-score, a if b == one else b, (a, b)) for a, b, score in ranked if one in (a, b))
        hits.append(any(pair in new for _, _, pair in own[:10]))
    expected["hits_at_10"] = np.mean(hits)
    for figure, value in expected.items():
        assert report.figure(name, figure)[0] == pytest.approx(value, abs=1e-9), figure
    assert report.cases["within_two_steps"][0] == pytest.approx(len(new & near) / len(new))
    assert report.cases["new_pairs"][0] == len(new)


def test_average_precision_is_that_of_shuffled_equals(network: Network, report: BacktestReport) -> None:
    """To first order, over many random orders of equal scores; at one in twelve the others are thinned out."""
    train, new, _ = truth(network)
    ranked = top_pairs(train, "common_neighbours", 100_000, today=CUT).rows()
    good = np.array([(a, b) in new for a, b, _ in ranked])
    scores = np.array([score for _, _, score in ranked])
    random = np.random.default_rng(0)
    for figure, scale in (("ap", 1.0), ("ap_1_in_12", 11 * good.sum() / (~good).sum())):
        found = []
        for _ in range(300):
            order = np.lexsort((random.random(good.size), -scores))
            hits, others = np.cumsum(good[order]), scale * np.cumsum(~good[order])
            found.append((hits / (hits + others))[good[order]].mean())
        assert report.figure("common_neighbours", figure)[0] == pytest.approx(np.mean(found), rel=0.06)


def test_chance_is_chance_and_neighbours_are_better(report: BacktestReport) -> None:
    """Random stays at one half whatever it is compared with; in a world of neighbours the walk finds them."""
    for figure in FIGURES[:4]:
        value, low, high = report.figure("random", figure)
        assert 0.4 < value < 0.6
        assert low <= value <= high
    assert report.figure("ppr", "auc_random")[1] > 0.6
    assert report.figure("preferential_attachment", "auc_degree")[0] == pytest.approx(0.5, abs=0.1)


def test_intervals_come_from_activities_and_not_from_pairs() -> None:
    """Pairs of one large activity stand or fall together, so it makes the interval wide."""
    random = np.random.default_rng(2)
    names = [f"o{i:03}" for i in range(60)]
    before = [row for i in range(60) for row in clique(sorted([names[i], names[(i + 1) % 60]]), f"r{i}", "2016-01-01")]
    pairs = [sorted(random.choice(names, 2, replace=False).tolist()) for _ in range(120)]
    apart = network_of(before + [(a, b, f"t{i}", "2019-01-01") for i, (a, b) in enumerate(pairs)])
    together = network_of(before + [(a, b, f"t{i // 12}", "2019-01-01") for i, (a, b) in enumerate(pairs)])
    widths = []
    for one in (apart, together):
        _, low, high = backtest(one, [CUT], scorers=["l3"], default="ppr").figure("l3", "auc_random")
        widths.append(high - low)
    assert widths[0] > 0
    weights = drawn(module._shares(*_events(together)), seed=0)
    assert weights.shape == (10, 1001)
    assert (weights[:, 0] == 1).all()
    assert (weights.sum(axis=0) == 10).all()


def _events(network: Network) -> tuple[pl.DataFrame, pl.DataFrame]:
    _, new, _ = truth(network)
    pairs = pl.DataFrame(sorted(new), schema=["source", "target"], orient="row")
    return network.ties.filter(pl.col("date") > CUT).join(pairs, on=["source", "target"]), pairs


def test_the_default_stays_unless_another_is_surely_better(network: Network) -> None:
    """Chance as default is beaten by all; the walk is not beaten by chance."""
    beaten = backtest(network, [CUT], scorers=["ppr", "l3"], default="random", decided_by="auc_random")
    assert beaten.chosen in {"ppr", "l3"}
    assert beaten.differences.filter("better").height == 2
    assert (beaten.differences.filter("better")["low"] > 0).all()
    assert f"Use {beaten.chosen} instead of random" in beaten.to_text()
    kept = backtest(network, [CUT], scorers=["random", "ppr"], default="ppr", decided_by="auc_random")
    assert kept.chosen == "ppr"
    assert kept.differences["high"][0] < 0
    assert "Use ppr, the default" in kept.to_text()


def test_many_tries_make_the_interval_wider(network: Network) -> None:
    """Who tries ten scorers finds one that looks better by luck, so each has to be better by more."""
    one, many = (
        backtest(network, [CUT], scorers=names, default="random").differences.filter(scorer="ppr")
        for names in (["ppr"], list(SCORERS))
    )
    assert many["low"][0] < one["low"][0] < one["difference"][0] < one["high"][0] < many["high"][0]
    assert one["difference"][0] == many["difference"][0]


def test_a_scorer_must_be_better_at_every_cut(network: Network) -> None:
    """Two cuts are two cases; better in one of them is not enough."""
    cuts = [date(2015, 12, 31), CUT]
    report = backtest(network, cuts, scorers=["ppr"], default="random", decided_by="auc_random")
    assert report.cases["cut"].to_list() == cuts
    assert report.chosen == "ppr"
    worse = report.differences.with_columns(better=pl.col("case") == 0)
    assert module._chosen(worse, "random", 2) == "random"


def test_very_large_consortia_are_left_out_in_a_case_of_their_own() -> None:
    """One activity of 12 makes 66 pairs; without it only the others count."""
    rows = world() + clique([f"o{i * 6:03}" for i in range(12)], "huge", "2019-05-01")
    report = backtest(network_of(rows), [CUT], scorers=["ppr"], largest=8)
    assert report.cases["consortia"].to_list() == ["all", "up to 8 organisations"]
    with_it, without = report.cases["new_pairs"].to_list()
    assert without == len(truth(network_of(world()))[1])
    assert 40 < with_it - without <= 66
    assert backtest(network_of(world()), [CUT], scorers=["ppr"], largest=8).cases.height == 1


def test_below_thirty_new_pairs_no_figure_is_given(network: Network) -> None:
    """The error says how few there are and what to do; so does one where nothing is dated."""
    with pytest.raises(DataError, match="new pairs formed") as refused:
        backtest(network, [date(2021, 5, 31)])
    assert "earlier cut" in refused.value.hint
    with pytest.raises(DataError, match="no tie of the network has a date"):
        backtest(Network.from_pairs([("a", "b")]), [CUT])


def test_newcomers_repeats_and_undated_ties_are_no_new_pairs(network: Network) -> None:
    """They are counted beside: nobody could have named a newcomer."""
    extra: Rows = [
        ("o000", "stranger", "late", "2019-01-01"),
        ("o001", "o040", "sometime", None),
        (*network.ties.filter(pl.col("date") <= CUT).select("source", "target").row(0), "again", "2019-01-01"),
    ]
    before, after = (backtest(n, [CUT], scorers=["ppr"]).cases for n in (network, network_of(world() + extra)))
    assert after["new_pairs"][0] == before["new_pairs"][0]
    assert after["with_a_newcomer"][0] == before["with_a_newcomer"][0] + 1
    assert (before["undated"][0], after["undated"][0]) == (0, 1)


def test_until_ends_the_test_window(network: Network) -> None:
    """What formed later is not counted."""
    early = backtest(network, [CUT], scorers=["ppr"], until=date(2020, 12, 31)).cases["new_pairs"][0]
    assert 30 <= early < backtest(network, [CUT], scorers=["ppr"]).cases["new_pairs"][0]


def test_the_same_backtest_gives_the_same_figures(network: Network) -> None:
    """Rows in another order, turned round or read as directed change nothing."""
    rows = [(b, a, *rest) for a, b, *rest in reversed(world())]
    frame = pl.DataFrame(rows, schema=list(COLUMNS[:4]), orient="row").with_columns(weight=None, kind=None)
    turned = Network.from_ties(frame, directed=True)
    first, second = (backtest(n, [CUT], scorers=["random", "fusion"]) for n in (network, turned))
    assert first.figures.equals(second.figures)
    assert first.differences.equals(second.differences)


def test_the_report_is_tidy_and_readable(report: BacktestReport) -> None:
    """A row for each scorer and figure; the text names every scorer and says what could be reached."""
    assert report.figures.height == len(SCORERS) * len(FIGURES)
    assert report.figures.filter(~pl.col("low").le(pl.col("value") + 1e-9)).is_empty()
    text = report.to_text()
    assert all(name in text for name in (*SCORERS, *FIGURES))
    assert "two steps apart" in text
    assert "newcomer" in text


def test_wrong_use_is_refused(network: Network, report: BacktestReport) -> None:
    """Unknown names, no cut, an empty list."""
    with pytest.raises(UnknownNameError, match="katzz"):
        backtest(network, [CUT], scorers=["katzz"])
    with pytest.raises(UnknownNameError, match="auc"):
        backtest(network, [CUT], decided_by="auc")
    with pytest.raises(UnknownNameError, match="figure"):
        report.figure("ppr", "recall")
    for wishes in ({"cuts": []}, {"cuts": [CUT], "k": 0}, {"cuts": [CUT], "largest": 1}):
        with pytest.raises(UsageError, match="one cut or more"):
            backtest(network, **wishes)


@pytest.mark.real
def test_the_benchmark_reaches_its_figures_on_research_consortia(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case A has the stated sizes, and the walk and the fusion reach what is promised."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    sys.modules.pop("backtest_h2020", None)
    import backtest_h2020 as benchmark  # noqa: PLC0415

    if not (benchmark.folder() / "networks").is_dir():
        pytest.skip("the real data are not here: set GRAPHKIT_REAL_DATA")
    network = benchmark.consortia(benchmark.folder(), benchmark.A)
    report = backtest(network, [benchmark.CUT], until=benchmark.END, scorers=["random", "ppr_recency"])
    sizes = report.cases.select("organisations", "activities", "tied_pairs", "new_pairs").row(0)
    assert sizes == (1469, 219, 14160, 4065)
    line, good = benchmark.verdict(report)
    assert good, line
    assert report.figure("ppr_recency", "auc_random")[0] == pytest.approx(0.82, abs=0.005)
    assert report.figure("random", "auc_act")[0] == pytest.approx(0.5, abs=0.02)


def test_shares_count_the_pairs_that_formed_in_each_band_of_ranks() -> None:
    """The first band is the list of the hundred best; together the bands hold every new pair, once."""
    large = network_of(world(organisations=200, activities=600))
    found = backtest(large, [CUT], scorers=["fusion"], k=100)
    train, new, _ = truth(large)
    assert len(new) >= module.LEAST_FOR_SHARES
    rows = found.shares
    assert (rows["formed"] * rows["pairs"]).sum() == pytest.approx(len(new))
    best = {(a, b) for a, b, _ in top_pairs(train, "fusion", 100, today=CUT).rows()}
    assert rows["formed"][0] * rows["pairs"][0] == pytest.approx(len(best & new), abs=1)
    assert (rows["low"] <= rows["formed"]).all()
    assert "from rank       1" in found.to_text()


def test_too_few_new_pairs_tell_no_shares() -> None:
    """Between 30 and 200 new pairs there are figures, and no probabilities."""
    small = backtest(network_of(world()), [CUT], scorers=["fusion"], k=10)
    assert LEAST_POSITIVES <= small.cases["new_pairs"][0] < module.LEAST_FOR_SHARES
    assert small.shares.is_empty()
    assert "is not told" in small.to_text()


def test_rolling_cuts_are_the_latest_that_can_be_judged(network: Network) -> None:
    """Each leaves thirty new pairs or more, the year after the last does not; a network without dates has none."""
    cuts = rolling_cuts(network, 2)
    assert len(cuts) == 2
    assert cuts == sorted(cuts)
    backtest(network, cuts, scorers=["random"], k=10)
    with pytest.raises(DataError):
        backtest(network, [date(cuts[-1].year + 1, 12, 31)], scorers=["random"], k=10)
    undated = network_of([("a", "b", "one", None), ("b", "c", "two", None)])
    with pytest.raises(DataError, match="no end of a year"):
        rolling_cuts(undated)
