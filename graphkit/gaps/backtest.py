"""Backtest: which scorer would have named, from what was known up to a day, the partnerships that came after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit.errors import DataError, UsageError, unknown_name
from graphkit.gaps.rankings import BANDS, FIGURES, Case, Seen, drawn, figures, formed, places, surveyed, untied
from graphkit.gaps.scorers import Pairs, default_scorer, find_scorer, open_pairs, ready_scorers
from graphkit.measures import position
from graphkit.network import Matrix, Network

__all__ = ["FIGURES", "LEAST_FOR_SHARES", "LEAST_POSITIVES", "BacktestReport", "backtest", "rolling_cuts"]

LEAST_POSITIVES: Final = 30
"""Below so many new pairs no figure is given."""

LEAST_FOR_SHARES: Final = 200
"""Below so many new pairs it is not told how many of the best pairs formed: a probability would be a guess."""

_LEVEL = 0.05
_MATCHES = 10
_DIFFERENCE: Final = {
    "case": pl.Int64,
    "scorer": pl.String,
    "default": pl.String,
    "figure": pl.String,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "better": pl.Boolean,
}
_SHARE: Final = {
    "case": pl.Int64,
    "scorer": pl.String,
    "from_rank": pl.Int64,
    "pairs": pl.Int64,
    "formed": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
_Floats: TypeAlias = "NDArray[np.float64]"
_Ints: TypeAlias = "NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class BacktestReport:
    """What a backtest found.

    `figures` has a row for each cut, choice of consortia, scorer and figure with `value` and the ends `low` and
    `high` of its 95 % interval; `differences` has `scorer` minus `default` on the figure that decides, with an
    interval widened for the number of scorers tried, and `better` where all of it lies above 0; `cases` has the
    sizes of each case and how many new pairs any scorer could have reached. `shares` tells how many of the pairs
    of a band of ranks formed, beginning at `from_rank`; it is empty for cases of fewer than 200 new pairs.
    `chosen` is the default unless another is better in every case.
    """

    figures: pl.DataFrame
    differences: pl.DataFrame
    shares: pl.DataFrame
    cases: pl.DataFrame
    default: str
    chosen: str
    decided_by: str

    def figure(self, scorer: str, name: str, case: int = 0) -> tuple[float, float, float]:
        """Return value, low and high of one figure of one scorer, of the first case unless said otherwise.

        Raises `UnknownNameError` for a scorer or figure that was not measured.
        """
        for kind, wanted, column in (("scorer", scorer, "scorer"), ("figure", name, "figure")):
            if wanted not in self.figures[column]:
                raise unknown_name(kind, wanted, self.figures[column].unique())
        rows = self.figures.filter(case=case, scorer=scorer, figure=name)
        value, low, high = rows.select("value", "low", "high").row(0)
        return value, low, high

    def to_text(self) -> str:
        """Lay out the report as plain text: for each case its sizes and a table, then the choice and why."""
        return "\n\n".join([*(_case_text(self, case) for case in self.cases.rows(named=True)), _choice_text(self)])


def backtest(
    network: Network,
    cuts: Sequence[date],
    *,
    scorers: Sequence[str] | None = None,
    default: str | None = None,
    until: date | None = None,
    largest: int | None = None,
    k: int = 100,
    decided_by: str = "ap",
    seed: int = 0,
) -> BacktestReport:
    """Score at each cut what was known by then, and look which pairs formed afterwards.

    A case is a cut, and with `largest` the cut once more without activities of more organisations than that.
    Training: ties dated up to the cut. New pairs: first tied after the cut (and up to `until`), among the
    organisations that had a tie before. Each scorer of `scorers` ranks all pairs without a tie in training.
    Direction is not read.

    Parameters
    ----------
    scorers : sequence of str
        All that can run here unless given; random and preferential attachment belong beside any other.
    default : str
        The scorer that others have to beat; `default_scorer` of the network unless given.
    until : date
        The end of the test window; the latest date of a tie unless given.
    largest : int
        The size above which an activity counts as a very large consortium.
    k : int
        The length of the list of which the precision is taken.
    decided_by : str
        The figure, one of `FIGURES`, on which another scorer must be better to be chosen.

    Raises `DataError` below 30 new pairs or where nothing is dated, `UsageError` for a cut, name or number that
    makes no sense.

    Notes
    -----
    Intervals come from 1,000 draws of the test window's activities with replacement, since the pairs of one
    activity stand or fall together; a pair of several activities counts in parts. Training and negatives stay as
    they are. A tie without activity is drawn by itself; one without date is left out and counted.

    References
    ----------
    R. Aiyappa and others, Implicit degree bias in the link prediction task, ICML 2025, for matched degrees;
    A. C. Cameron and others, Review of Economics and Statistics 90, 414 (2008), for draws of clusters.
    """
    default = default or default_scorer(network)
    names = list(dict.fromkeys([*(scorers or ready_scorers()), default]))
    _check_wishes(names, cuts, k, decided_by, largest)
    found, differences, shares, cases = [], [], [], []
    for number, case in enumerate(_cases(network, cuts, until, largest, seed)):
        draws = drawn(case.shares, seed)
        seen = {name: surveyed(case, name, k) for name in names}
        values = {name: figures(case, seen[name], draws, k) for name in names}
        found += [_figure_rows(number, name, values[name]) for name in names]
        shares += [row for name in names for row in _share_rows(number, name, case, seen[name], draws)]
        differences += _differences(number, values, default, decided_by)
        cases.append({"case": number, **case.row})
    table = pl.DataFrame(differences, schema=_DIFFERENCE, orient="row")
    return BacktestReport(
        pl.concat(found),
        table,
        pl.DataFrame(shares, schema=_SHARE, orient="row"),
        pl.DataFrame(cases),
        default,
        _chosen(table, default, len(cases)),
        decided_by,
    )


def rolling_cuts(network: Network, most: int = 3) -> list[date]:
    """Return the latest ends of years, oldest first, after which at least 30 new pairs formed.

    Raises `DataError` where there is no such year: the network is too small or too young for a backtest.
    """
    first = (
        Network.from_ties(network.ties).ties.drop_nulls("date").group_by("source", "target").agg(pl.col("date").min())
    )
    years = first.select(pl.col("date").dt.year())["date"].unique().sort(descending=True).to_list()
    found: list[date] = []
    for year in years:
        cut = date(year, 12, 31)
        before = first.filter(pl.col("date") <= cut)
        known = pl.concat([before["source"], before["target"]]).unique().implode()
        new = first.filter(pl.col("date") > cut, pl.all_horizontal(pl.col("source", "target").is_in(known)))
        if new.height >= LEAST_POSITIVES:
            found.append(cut)
        if len(found) == most:
            break
    if not found:
        raise DataError(
            f"after no end of a year {LEAST_POSITIVES} new pairs formed among organisations known by then",
            where=repr(network),
            hint="too few dated activities for a backtest: use the default scorer and print no figure",
        )
    return found[::-1]


def _check_wishes(names: list[str], cuts: Sequence[date], k: int, decided_by: str, largest: int | None) -> None:
    for name in names:
        find_scorer(name)
    if decided_by not in FIGURES:
        raise unknown_name("figure", decided_by, FIGURES)
    if not cuts or k < 1 or (largest is not None and largest < 2):  # noqa: PLR2004
        raise UsageError(
            "a backtest needs one cut or more, a list of one pair or more, and consortia of two or more",
            hint="give for example cuts=[date(2017, 12, 31)], k=100, largest=50",
        )


def _cases(
    network: Network, cuts: Sequence[date], until: date | None, largest: int | None, seed: int
) -> Iterator[Case]:
    ties = Network.from_ties(network.ties).ties
    dated = ties.drop_nulls("date")
    if not dated.height:
        raise DataError("no tie of the network has a date, so there is no before and after", where=repr(network))
    sizes = pl.Series("activity", network.activities, dtype=pl.String).to_frame()
    sizes = sizes.with_columns(size=pl.Series(np.asarray(network.incidence.sum(axis=0)), dtype=pl.Float64))
    too_large = sizes.filter(pl.col("size") > largest)["activity"] if largest is not None else sizes["activity"].clear()
    undated = ties.height - dated.height
    for cut in sorted(set(cuts)):
        for left_out in [too_large.clear(), too_large] if too_large.len() else [too_large]:
            kept = dated.filter(~pl.col("activity").fill_null("").is_in(left_out.implode()))
            words = f"up to {largest} organisations" if left_out.len() else "all"
            yield _case(kept, cut, until, {"cut": cut, "consortia": words, "undated": undated}, seed)


def _case(ties: pl.DataFrame, cut: date, until: date | None, row: dict[str, object], seed: int) -> Case:
    """Split the ties at a cut, find the new pairs, and draw up what they are compared with."""
    train = Network.from_ties(ties.filter(pl.col("date") <= cut))
    test = ties.filter(pl.col("date") > cut, pl.col("date") <= (until or pl.col("date").max()))
    named = pl.col("activity").fill_null(pl.format("tie {}", pl.int_range(pl.len())))
    known = list(train.organisations)
    inner = pl.all_horizontal(pl.col("source", "target").is_in(known))
    events = test.with_columns(activity=named).select("source", "target", "activity").unique()
    fresh = events.filter(inner).join(train.ties, on=["source", "target"], how="anti")
    pairs = fresh.select("source", "target").unique().sort("source", "target")
    if pairs.height < LEAST_POSITIVES:
        raise DataError(
            f"after {cut} only {pairs.height} new pairs formed among the {len(known)} organisations known by then;"
            f" below {LEAST_POSITIVES} a backtest would tell chance from skill no better than a coin",
            hint="give an earlier cut, or use the default scorer and print no figure",
        )
    ends = _row_numbers(train, pairs)
    new = places(train, *ends)
    active = np.isin(known, pl.concat([test["source"], test["target"]]).unique().to_numpy())
    near, negatives = _negatives(train, new, ends, np.flatnonzero(active), seed)
    row |= {
        "organisations": len(known),
        "activities": len(train.activities),
        "tied_pairs": int(train.adjacency.nnz // 2),
        "new_pairs": pairs.height,
        "test_activities": fresh["activity"].n_unique(),
        "within_two_steps": float(near.mean()),
        "connected": _connected(train, ends),
        "with_a_newcomer": events.filter(~inner).select("source", "target").n_unique(),
    }
    return Case(train, cut, new, ends, _shares(fresh, pairs), negatives, near, row)


def _row_numbers(network: Network, pairs: pl.DataFrame) -> Pairs:
    kind = pl.Enum(network.organisations)
    codes = [pairs[end].cast(kind).to_physical().cast(pl.Int64).to_numpy() for end in ("source", "target")]
    return codes[0], codes[1]


def _negatives(
    network: Network, new: _Ints, ends: Pairs, active: _Ints, seed: int
) -> tuple[NDArray[np.bool_], dict[str, _Ints]]:
    """Tell which new pairs are two steps apart, and give for each kind the places of the pairs that stayed apart."""
    near = np.concatenate([places(network, *pair) for pair in _two_steps(network)] or [np.zeros(0, dtype=np.int64)])
    first, second = np.triu_indices(active.size, 1)
    acting = places(network, *untied(network, active[first], active[second]))
    matched = places(network, *untied(network, *_matched(network, ends, seed)))
    kinds = {"auc_distance_2": near, "auc_act": acting, "auc_degree": matched}
    return np.isin(new, near), {name: places[~np.isin(places, new)] for name, places in kinds.items()}


def _two_steps(network: Network) -> Iterator[Pairs]:
    """Go through the pairs without a tie that share a partner, block by block."""
    for rows in position.row_blocks(len(network.organisations)):
        shared = (network.adjacency[rows] @ network.adjacency).toarray() > 0
        row, column = np.nonzero(shared & open_pairs(network, rows))
        yield rows[row], column.astype(np.int64)


def _matched(network: Network, ends: Pairs, seed: int) -> Pairs:
    """Replace both ends of each new pair, ten times, by organisations of like degree (within 1 % of the ranks)."""
    random = np.random.default_rng(seed)
    order = np.argsort(np.asarray(network.adjacency.sum(axis=1)), kind="stable")
    rank = np.argsort(order)
    reach = max(order.size // 100, 2)
    shift = random.integers(-reach, reach + 1, (2, _MATCHES, ends[0].size))
    like = [
        order[np.clip(rank[end] + moved, 0, order.size - 1)].ravel() for end, moved in zip(ends, shift, strict=True)
    ]
    return like[0], like[1]


def _shares(events: pl.DataFrame, pairs: pl.DataFrame) -> Matrix:
    """Spread each new pair evenly over the activities that made it: pairs x activities, rows sum to 1."""
    placed = events.join(pairs.with_row_index("pair"), on=["source", "target"]).with_columns(
        code=pl.col("activity").rank("dense") - 1, share=1 / pl.len().over("pair")
    )
    place = (placed["pair"].to_numpy(), placed["code"].to_numpy())
    matrix: Matrix = sparse.coo_array(
        (placed["share"].to_numpy(), place), shape=(pairs.height, placed["code"].n_unique())
    ).tocsr()
    return matrix


def _connected(network: Network, ends: Pairs) -> float:
    parts = position.components(network)["component"].to_numpy()
    return float((parts[ends[0]] == parts[ends[1]]).mean())


def _figure_rows(case: int, scorer: str, values: Mapping[str, _Floats]) -> pl.DataFrame:
    rows = [(case, scorer, name, values[name][0], *_interval(values[name][1:], _LEVEL)) for name in FIGURES]
    return pl.DataFrame(rows, schema=["case", "scorer", "figure", "value", "low", "high"], orient="row")


def _share_rows(case: int, scorer: str, of: Case, seen: Seen, draws: _Floats) -> list[tuple[object, ...]]:
    """Tell for each band of ranks how many of its pairs formed, where there are enough new pairs to tell."""
    if of.new.size < LEAST_FOR_SHARES:
        return []
    sizes, shares = formed(of, seen, draws)
    return [
        (case, scorer, start + 1, int(size), float(share[0]), *_interval(share[1:], _LEVEL))
        for start, size, share in zip(BANDS, sizes, shares, strict=False)
    ]


def _interval(draws: _Floats, level: float) -> tuple[float, float]:
    known = draws[~np.isnan(draws)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [level / 2, 1 - level / 2])
    return float(low), float(high)


def _differences(
    case: int, values: Mapping[str, Mapping[str, _Floats]], default: str, figure: str
) -> list[tuple[object, ...]]:
    """Compare each scorer with the default draw by draw, at a level divided by the number of comparisons."""
    others = [name for name in values if name != default]
    rows: list[tuple[object, ...]] = []
    for name in others:
        difference = values[name][figure] - values[default][figure]
        low, high = _interval(difference[1:], _LEVEL / len(others))
        rows.append((case, name, default, figure, float(difference[0]), low, high, low > 0))
    return rows


def _chosen(differences: pl.DataFrame, default: str, cases: int) -> str:
    """Name the scorer that is better than the default in every case, by most, else the default."""
    better = differences.filter("better").group_by("scorer").agg(pl.len(), pl.col("difference").mean())
    ranked = better.filter(pl.col("len") == cases).sort("difference", "scorer", descending=[True, False])
    return str(ranked["scorer"][0]) if ranked.height else default


def _case_text(report: BacktestReport, case: Mapping[str, Any]) -> str:
    head = (
        "{cut}, consortia: {consortia}. Known by then: {organisations} organisations, {activities} activities,"
        " {tied_pairs} pairs with a tie.\nAfterwards {new_pairs} new pairs among them, in {test_activities} activities;"
        " {within_two_steps:.0%} of them two steps apart, {connected:.0%} connected before.\n"
        "Another {with_a_newcomer} pairs had a newcomer, whom no scorer can name; {undated} ties without date left out."
    ).format(**case)
    lines = [head, "", f"{'scorer':<24}" + "".join(f"{name:>15}" for name in FIGURES)]
    rows = report.figures.filter(case=case["case"])
    for (scorer,), own in rows.group_by("scorer", maintain_order=True):
        values, lows, highs = (own[column].to_list() for column in ("value", "low", "high"))
        lines.append(f"{scorer!s:<24}" + "".join(f"{value:>15.3f}" for value in values))
        spans = (f"{low:.3f}-{high:.3f}" for low, high in zip(lows, highs, strict=True))
        lines.append(" " * 24 + "".join(f"{span:>15}" for span in spans))
    return "\n".join([*lines, *_share_lines(report, case["case"])])


def _share_lines(report: BacktestReport, case: int) -> list[str]:
    """Say how many of the best pairs of the chosen scorer formed, where that can be told."""
    rows = report.shares.filter(case=case, scorer=report.chosen)
    if not rows.height:
        return ["", f"Fewer than {LEAST_FOR_SHARES} new pairs: how likely a pair of some rank is to form is not told."]
    line = "  from rank {from_rank:>7,}  {formed:8.2%}  ({low:.2%} to {high:.2%} of {pairs:,})"
    return [
        "",
        f"Of the pairs in the order of {report.chosen} formed:",
        *(line.format(**row) for row in rows.rows(named=True)),
    ]


def _choice_text(report: BacktestReport) -> str:
    """Say which scorer to use and on what ground."""
    tried = report.differences["scorer"].n_unique()
    if report.chosen == report.default:
        return (
            f"Use {report.default}, the default: none of the {tried} others is better in {report.decided_by} in every"
            " case beyond the interval of the difference."
        )
    return (
        f"Use {report.chosen} instead of {report.default}: its {report.decided_by} is higher in every case, and the"
        f" interval of the difference, widened for {tried} comparisons, leaves out 0."
    )
