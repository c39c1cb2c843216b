"""How the store carries millions of quads: build, change, compare, open and check, with times and the most memory.

Run `python benchmarks/scale.py [--quads 4000000] [--keep FOLDER] [--queries]`. A seeded generator (`drawn_graph.py`)
draws registers in the shapes of imports. Each step runs in a process of its own, so that the memory is its own.
"cpu" is the time of all threads of the step; where other work runs on the machine the wall clock shows that, and cpu
does not. With `--queries` each stored query without a required parameter is asked, and those above a second are listed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

from drawn_graph import draw
from rich.console import Console
from rich.table import Table

from graphkit import assembly, check, queries
from graphkit.errors import GraphkitError
from graphkit.store import open_store
from graphkit.terms import ID, PREFIXES, SOL, graph_iri

SMALL = 10_000
PATIENCE_SECONDS = 180


def build(folder: Path, quads: int) -> str:
    graphs = draw(folder / "drawn", quads)
    with open_store(folder / "store") as store:
        assembly.transfer(assembly.assemble_shipped(), store, "the shipped graph")
    return f"{sum(file.stat().st_size for files in graphs.values() for file in files) / 1e6:,.0f} MB of N-Triples drawn"


def load(folder: Path, _: int) -> str:
    graphs = {
        f"https://w3id.org/solidarity-graph/graph/drawn-{file.stem}/2024": [file]
        for file in (folder / "drawn").glob("*.nt")
    }
    with open_store(folder / "store") as store:
        version = assembly.commit_graphs(store, graphs, "all registers")
        return f"{version.quads if version else 0:,} quads, a quarter of them derived"


def _records(first: int) -> str:
    """Draw participations in a new activity, five statements each."""
    lines = []
    for number in range(first, first + SMALL // 5):
        one = f"<{ID}participation/late.{number}>"
        lines.append(f"{one} <{PREFIXES['rdf']}type> <{SOL}Participation> .")
        lines.append(f"{one} <{SOL}participant> <{ID}organisation/drawn.{number * 31 % 1000}> .")
        lines.append(f"{one} <{SOL}participatesIn> <{ID}activity/drawn.{number * 7 % 1000}> .")
        lines.append(f"{one} <{PREFIXES['m8g']}role> <https://w3id.org/solidarity-graph/vocabulary/role/partner> .")
        lines.append(f"{one} <{PREFIXES['prov']}wasDerivedFrom> <{ID}source/late#row={number + 1}> .")
    return "\n".join(lines) + "\n"


def add(folder: Path, _: int) -> str:
    file = folder / "late.nt"
    file.write_text(_records(0))
    with open_store(folder / "store") as store:
        assembly.commit_graphs(store, {graph_iri("late/1"): [file]}, "a little more")
        return f"{SMALL:,} quads and what follows from them"


def insert(folder: Path, _: int) -> str:
    with open_store(folder / "store") as store, store.change("an update") as change:
        change.update(f"INSERT DATA {{ GRAPH <urn:late> {{ {_records(SMALL)} }} }}")
    return f"INSERT DATA of {SMALL:,} quads"


def rewrite(folder: Path, _: int) -> str:
    with open_store(folder / "store") as store, store.change("another update") as change:
        change.update(
            f"DELETE {{ GRAPH ?g {{ ?p <{PREFIXES['m8g']}role> ?r }} }} INSERT {{ GRAPH ?g {{ ?p <urn:role> ?r }} }}"
            f" WHERE {{ GRAPH ?g {{ ?p <{SOL}participatesIn> ?a ; <{PREFIXES['m8g']}role> ?r }}"
            f" FILTER(STRSTARTS(STR(?p), '{ID}participation/late.')) }}"
        )
    return "DELETE/INSERT WHERE that changes some thousands"


def compare(folder: Path, _: int) -> str:
    with open_store(folder / "store", read_only=True) as store:
        found = store.diff(2, store.versions()[-1].number)
        came, went = len(found.added.splitlines()), len(found.removed.splitlines())
        return f"{came:,} came, {went:,} went"


def opened(folder: Path, _: int) -> str:
    with open_store(folder / "store", read_only=True) as store:
        return f"{store.version.quads if store.version else 0:,} quads"


def restore(folder: Path, _: int) -> str:
    with open_store(folder / "store") as store:
        return f"version {store.restore(2).number}"


def judge(folder: Path, _: int) -> str:
    with open_store(folder / "store", read_only=True) as store:
        found = check.check(store)
        return f"{found.height:,} findings: " + ", ".join(
            f"{name} {number:,}" for name, number in found.group_by("check").len().sort("check").iter_rows()
        )


def ask(folder: Path, _: int) -> str:
    slow, spawn = [], multiprocessing.get_context("spawn")
    for name, query in queries.catalogue().items():
        if query.form != "SELECT":
            continue
        answers = spawn.Queue()
        process = spawn.Process(target=_ask_one, args=(folder, name, answers))
        process.start()
        try:
            wall, cpu, rows = answers.get(timeout=PATIENCE_SECONDS)
        except Empty:
            process.kill()
            wall, cpu, rows = PATIENCE_SECONDS, PATIENCE_SECONDS, "given up"
        process.join()
        print(f"   {name}: {wall:.1f} s, cpu {cpu:.1f} s, {rows}", flush=True)
        if cpu > 1:
            slow.append(f"{name} {cpu:.0f}")
    return "; ".join(slow)


def _ask_one(folder: Path, name: str, answers: Any) -> None:
    with open_store(folder / "store", read_only=True) as store:
        start, used = time.perf_counter(), time.process_time()
        try:
            rows = f"{queries.run(store, name).height:,} rows"
        except GraphkitError as error:
            rows = str(error)
        answers.put((time.perf_counter() - start, time.process_time() - used, rows))


def _timed(step: Callable[[Path, int], str], folder: Path, quads: int, answers: Any) -> None:
    start = time.perf_counter()
    said = step(folder, quads)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    answers.put((time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6, said))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quads", type=int, default=4_000_000)
    parser.add_argument("--keep", type=Path, help="the folder to work in, which stays")
    parser.add_argument("--queries", action="store_true", help="also ask all stored queries")
    parser.add_argument("--only", default="", help="names of steps, separated by commas")
    chosen = parser.parse_args()
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="scale-"))
    steps = [build, load, opened, add, insert, rewrite, compare, restore, judge] + [ask] * chosen.queries
    table = Table("step", "wall s", "cpu s", "most GB", "what", title=f"{chosen.quads:,} quads")
    for step in steps:
        if chosen.only and step.__name__ not in chosen.only.split(","):
            continue
        answers = multiprocessing.get_context("spawn").Queue()
        process = multiprocessing.get_context("spawn").Process(
            target=_timed, args=(step, folder, chosen.quads, answers)
        )
        process.start()
        wall, cpu, most, said = answers.get()
        process.join()
        table.add_row(step.__name__, f"{wall:.1f}", f"{cpu:.1f}", f"{most:.2f}", said)
        print(f"{step.__name__}: {wall:.1f} s, cpu {cpu:.1f} s, {most:.2f} GB, {said}", flush=True)
    Console().print(table)
    if not chosen.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
