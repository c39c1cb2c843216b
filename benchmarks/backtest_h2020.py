"""Backtest of the link scorers on European research consortia (CORDIS, Horizon 2020).

Run `python benchmarks/backtest_h2020.py [--b]`. Projects that started up to 2017 are known, those of 2018 to 2022 are
to be foretold; A is the programme parts SC6 and SWAFS, B is SC1 to SC7 and SWAFS. The folder with
`networks/cordis_h2020_participations.csv.gz` and `networks/cordis_h2020_programme_parts.csv.gz` is named by
GRAPHKIT_REAL_DATA, else it is `../shared/data` beside the repository. The last line gives the figures of the default
scorer on A, the line before it those of B where it was asked for; exit 1 where either falls under what is stated
below, 2 where the folder is absent.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
from datetime import date
from pathlib import Path
from time import perf_counter

import polars as pl

from graphkit.gaps.backtest import BacktestReport, backtest
from graphkit.network import COLUMNS, Network

CUT, END = date(2017, 12, 31), date(2022, 12, 31)
A = ("SC6", "SWAFS")
B = ("SC1", "SC2", "SC3", "SC4", "SC5", "SC6", "SC7", "SWAFS")
LARGEST = 50
STATED_WALK, STATED_AP, STATED_HITS = 0.697, 0.40, 0.50
STATED_WALK_ON_B = 0.92


def folder() -> Path:
    """Name the folder of the real data."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    return Path(os.environ.get("GRAPHKIT_REAL_DATA") or beside)


def consortia(data: Path, parts: tuple[str, ...]) -> Network:
    """Join the organisations that take part in one project of these programme parts, dated by its start."""
    networks = data / "networks"
    text = {"rcn": pl.String, "pic": pl.String, "start_date": pl.String}
    rows = pl.read_csv(
        networks / "cordis_h2020_participations.csv.gz", columns=list(text), schema_overrides=text, null_values="NA"
    )
    chosen = pl.read_csv(networks / "cordis_h2020_programme_parts.csv.gz", schema_overrides={"rcn": pl.String})
    chosen = chosen.filter(pl.col("programme_part").is_in(parts)).select("rcn").unique()
    rows = rows.join(chosen, on="rcn").with_columns(pl.col("start_date").str.to_date()).unique()
    rows = rows.drop_nulls("start_date").filter(pl.col("start_date") <= END)
    both = rows.join(rows.select("rcn", "pic"), on="rcn", suffix="_other").filter(pl.col("pic") < pl.col("pic_other"))
    ties = both.select(
        pl.col("pic").alias("source"),
        pl.col("pic_other").alias("target"),
        pl.col("rcn").alias("activity"),
        pl.col("start_date").alias("date"),
        pl.lit(None, dtype=pl.Float64).alias("weight"),
        pl.lit("participation").alias("kind"),
    )
    return Network.from_ties(ties.select(COLUMNS), name="h2020")


def shown(name: str, network: Network) -> BacktestReport:
    """Run a backtest, with and without very large consortia, and print its report, minutes and peak memory."""
    start = perf_counter()
    report = backtest(network, [CUT], until=END, largest=LARGEST)
    print(f"== {name}: {network}\n{report.to_text()}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{(perf_counter() - start) / 60:.2f} minutes, {peak:.2f} GiB at most\n", flush=True)
    return report


def verdict(report: BacktestReport) -> tuple[str, bool]:
    """Put the figures of the default scorer into a line, and tell whether the stated ones are reached."""
    walk, _, high = report.figure("ppr_recency", "auc_act")
    ap, hits = (report.figure(report.default, name)[0] for name in ("ap_1_in_12", "hits_at_10"))
    good = high >= STATED_WALK and round(ap, 2) >= STATED_AP and round(hits, 2) >= STATED_HITS
    true_ap = report.figure(report.default, "ap")[0]
    line = (
        f"{report.default} on A: AP {ap:.3f} at one in twelve (stated {STATED_AP:.2f}),"
        f" {true_ap:.3f} at true prevalence; hits@10 {hits:.3f} (stated {STATED_HITS:.2f});"
        f" ppr_recency AUC act {walk:.3f} (stated {STATED_WALK})"
    )
    return f"{line}: {'reached' if good else 'NOT reached'}", good


def verdict_on_b(report: BacktestReport) -> tuple[str, bool]:
    """Put the figure stated for B, where the walk is the default, into a line, and tell whether it is reached."""
    walk, low, high = report.figure("ppr_recency", "auc_random")
    good = report.default == "ppr_recency" and high >= STATED_WALK_ON_B
    line = f"{report.default} on B: AUC random {walk:.3f}, {low:.3f} to {high:.3f} (stated {STATED_WALK_ON_B:.2f})"
    return f"{line}: {'reached' if good else 'NOT reached'}", good


def main() -> int:
    """Print the reports and the verdict."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--b", action="store_true", help="also the eight programme parts of B (about an hour)")
    wishes = parser.parse_args()
    if not (folder() / "networks").is_dir():
        print(f"there is no folder {folder() / 'networks'}: set GRAPHKIT_REAL_DATA", file=sys.stderr)
        return 2
    verdicts = [verdict(shown("A", consortia(folder(), A)))]
    if wishes.b:
        verdicts.insert(0, verdict_on_b(shown("B", consortia(folder(), B))))
    for line, _ in verdicts:
        print(line)
    return 0 if all(good for _, good in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
