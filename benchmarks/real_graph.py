"""Build the standing graph of real registers: import them all into one store, find the same organisations, check.

    python benchmarks/real_graph.py --store real-store

Reads the folder in GRAPHKIT_REAL_DATA (default `../shared/data` beside the repository). Each step runs in a process of
its own, so that its peak memory can be told. Prints for each source rows in, kept and refused, statements, seconds and
memory, and at the end the whole: quads, seconds, statements per second. Exits 1 where a source does not have as many
rows as its file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from graphkit.assembly import assemble_shipped, transfer
from graphkit.check import check
from graphkit.identity import in_words, resolve, save
from graphkit.sources import import_files
from graphkit.store import open_store

REAL = Path(os.environ.get("GRAPHKIT_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
FILES = [
    ("coops-uk", "orgs/coops_uk_2022Q2.csv", 7272),
    ("coops-uk", "orgs/coops_uk_2023Q2.csv", 7387),
    ("threesixtygiving", "funding/360g_power_to_change_870.json", 870),
    ("esif", "funding/esif_uk_2007_2013.csv", 15983),
    ("esif", "funding/esif_england_2014_2020.csv", 394),
    ("esif", "funding/esf_poland_2014_2020.csv", 2437),
    ("org-id", "ids/sameas_mutual_company.csv", 12252),
    ("org-id", "ids/sameas_organisation_company.csv", 2286),
    ("org-id", "ids/parent_federations.csv", 28361),
    ("cordis", "networks/cordis_h2020_programme_parts.csv.gz", 37441),
    ("cordis", "networks/cordis_h2020_participations.csv.gz", 144726),
    ("epo", "procurement/ted_notices_epo.nq.gz", 786),
]


def seed(store: Path) -> str:
    with open_store(store) as opened:
        transfer(assemble_shipped(), opened, "the shipped graph")
        return f"{opened.version.quads:,} quads"


def bring(store: Path, source: str, file: str) -> tuple[int, int, int, int]:
    with open_store(store) as opened:
        report = import_files(opened, source, [REAL / file])
    return report.rows_read, report.rows_kept, report.rows_refused, report.statements


def join(store: Path) -> str:
    with open_store(store) as opened:
        found = resolve(opened)
        save(opened, found)
        return in_words(found)


def judge(store: Path) -> str:
    with open_store(store, read_only=True) as opened:
        found = check(opened)
        counts = found.group_by("check").len().sort("len", descending=True).rows()
        return ", ".join(f"{name} {number:,}" for name, number in counts) or "no finding"


def _timed(step: Callable[..., Any], args: tuple[Any, ...], answers: Any) -> None:
    start = time.perf_counter()
    said = step(*args)
    answers.put((time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, said))


def alone(step: Callable[..., Any], *args: Any) -> tuple[float, float, Any]:
    """Run a step in a process of its own; return seconds, gigabytes at most, and what it said."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_timed, args=(step, args, answers))
    process.start()
    while process.is_alive() and answers.empty():
        time.sleep(0.1)
    if answers.empty():
        sys.exit(f"{step.__name__} {args[1:]} ended with {process.exitcode}")
    found = answers.get()
    process.join()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("real-store"))
    parser.add_argument("--no-resolve", action="store_true")
    parser.add_argument("--no-check", action="store_true")
    chosen = parser.parse_args()
    if not REAL.is_dir():
        sys.exit(f"the real registers are not in {REAL}: set GRAPHKIT_REAL_DATA")
    if chosen.store.exists():
        sys.exit(f"{chosen.store} is there already: remove it, or name another with --store")
    table = Table("source", "file", "rows", "kept", "refused", "statements", "s", "GB")
    seconds, _, said = alone(seed, chosen.store)
    print(f"shipped graph: {said}, {seconds:.1f} s", flush=True)
    whole, statements, wrong = 0.0, 0, []
    for source, file, rows in FILES:
        seconds, most, (read, kept, refused, made) = alone(bring, chosen.store, source, file)
        whole, statements = whole + seconds, statements + made
        cells = (f"{read:,}", f"{kept:,}", f"{refused:,}", f"{made:,}", f"{seconds:.1f}", f"{most:.2f}")
        table.add_row(source, file, *cells)
        print(source, file, *cells, flush=True)
        if read != rows:
            wrong.append(f"{file} has {rows} rows, and {read} were read")
    Console(width=120).print(table)
    print(f"{statements:,} statements in {whole:.0f} s: {statements / whole:,.0f} per second", flush=True)
    for step, skip in ((join, chosen.no_resolve), (judge, chosen.no_check)):
        if not skip:
            seconds, most, said = alone(step, chosen.store)
            print(f"{step.__name__}: {said}; {seconds:.0f} s, {most:.2f} GB", flush=True)
    with open_store(chosen.store, read_only=True) as store:
        print(f"version {store.version.number}: {store.version.quads:,} quads in {store.version.graphs} graphs")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
