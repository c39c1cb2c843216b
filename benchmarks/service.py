"""The SPARQL service beside Oxigraph's own server and rdflib-endpoint: requests a second, waiting time, memory.

Run `python benchmarks/service.py [--triples 1000000] [--seconds 5] [--clients 1,8,64] [--without rdflib]`.
A seeded generator draws organisations, activities, participations and grants. All servers hold the same triples, and
are asked the same questions by wrk (Debian: apt-get install wrk), which is written in C and takes little of the
processors that the servers need. Peers: `oxigraph serve-read-only` (Rust, on disk) and rdflib-endpoint (Python;
pip install rdflib-endpoint uvicorn). A peer that is not installed is left out.

For each question the servers take turns, for several rounds, while the others are halted; so what else the machine
does meanwhile hits them alike. Printed is the better round of each: requests a second, the waiting time of half and of
99 of 100 requests, and the processor time that one request took, which does not depend on what else ran.

"same" repeats one lookup, "varied" asks for another organisation each time, "10,000 rows" is one long answer, the heavy
queries are varied too (a comment with a running number makes each text new), so that no cache of ours answers for the
engine; "repeated" heavy queries may be answered from it, as they would be in use.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
from rich.console import Console
from rich.table import Table

from graphkit.store import open_store

ORG, SDO, RDFS = "http://www.w3.org/ns/org#", "https://schema.org/", "http://www.w3.org/2000/01/rdf-schema#"
XSD, DATA = "http://www.w3.org/2001/XMLSchema#", "https://example.org/"
TICKS = os.sysconf("SC_CLK_TCK")
PREFIXES = f"PREFIX org: <{ORG}> PREFIX schema: <{SDO}> PREFIX rdfs: <{RDFS}> PREFIX ex: <{DATA}>\n"
TITLE = "requests a second, p50/p99 of the waiting time, processor time of one request"
HEAVY = {
    "partners": """SELECT ?other (COUNT(DISTINCT ?activity) AS ?joint) WHERE {
        ?a ex:agent ex:organisation_1 ; ex:activity ?mid . ?b ex:activity ?mid ; ex:agent ?near .
        ?c ex:agent ?near ; ex:activity ?activity . ?d ex:activity ?activity ; ex:agent ?other }
        GROUP BY ?other ORDER BY DESC(?joint) ?other LIMIT 20""",
    "money by region": """SELECT ?region (SUM(?amount) AS ?total) (COUNT(DISTINCT ?organisation) AS ?who) WHERE {
        ?grant schema:amount ?amount ; ex:recipient ?organisation . ?organisation ex:region ?region }
        GROUP BY ?region ORDER BY DESC(?total)""",
    "active in two themes": """SELECT (COUNT(DISTINCT ?organisation) AS ?n) WHERE {
        ?p ex:agent ?organisation ; ex:activity ?a . ?a ex:theme ex:theme_1 .
        ?q ex:agent ?organisation ; ex:activity ?b . ?b ex:theme ex:theme_2 }""",
}


@dataclass(frozen=True)
class Server:
    """A running server: its name, the address for queries, its process."""

    name: str
    query: str
    pid: int


@dataclass(frozen=True)
class Figures:
    """What wrk saw: requests a second, waiting times in milliseconds, answers that were no 2xx.

    `cpu` is the processor time for one request in milliseconds, `others` the part of the machine that others took.
    """

    rate: float
    p50: float
    p99: float
    failed: int
    cpu: float
    others: float


def draw(triples: int, seed: int) -> Iterator[str]:
    """Draw about so many triples as lines of N-Triples; of ten triples four tell who takes part in what."""
    random = np.random.default_rng(seed)
    organisations, left = max(triples // 20, 10), triples
    for number in range(organisations):
        one = f"<{DATA}organisation_{number}>"
        yield f"{one} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{ORG}Organization> ."
        yield f'{one} <{RDFS}label> "Organisation {number} of {random.integers(1e9)}"@en .'
        yield f"{one} <{DATA}region> <{DATA}region_{random.integers(40)}> ."
        left -= 3
    activity = 0
    while left > 0:
        yield f"<{DATA}activity_{activity}> <{DATA}theme> <{DATA}theme_{random.integers(50)}> ."
        yield f'<{DATA}activity_{activity}> <{RDFS}label> "Activity {activity}" .'
        members = np.unique((organisations * random.power(0.6, int(random.integers(2, 9)))).astype(int))
        for number in members:
            part = f"<{DATA}part_{activity}_{number}>"
            yield f"{part} <{DATA}agent> <{DATA}organisation_{number}> ."
            yield f"{part} <{DATA}activity> <{DATA}activity_{activity}> ."
            grant = f"<{DATA}grant_{activity}_{number}>"
            yield f"{grant} <{DATA}recipient> <{DATA}organisation_{number}> ."
            yield f'{grant} <{SDO}amount> "{random.integers(1000, 500000)}"^^<{XSD}integer> .'
        activity += 1
        left -= 2 + 4 * len(members)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(name: str, words: list[str], path: str, **environment: str) -> Iterator[Server]:
    """Start a server, wait until it answers, and end it."""
    port = free_port()
    words = [word.replace("PORT", str(port)) for word in words]
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment}
    )
    try:
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"{name} has ended: {' '.join(words)}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Server(name, f"http://127.0.0.1:{port}{path}", process.pid)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def measure(server: Server, queries: list[str], clients: int, seconds: float) -> Figures:
    """Ask the queries in turn from so many clients; long waits count too (wrk's own histogram)."""
    paths = ",\n".join(f'"{server.query.split("/", 3)[3]}?query={quote(PREFIXES + query)}"' for query in queries)
    script = f"""
local paths = {{ {paths} }}
local n = {time.time_ns() // 1000 % 10**12}
request = function()
  n = n + 1
  local path = string.gsub(paths[n % #paths + 1], "NUMBER", string.format("%d", n))
  return wrk.format("GET", "/" .. path, {{ ["Accept"] = "application/sparql-results+json" }})
end
done = function(summary, latency, requests)
  io.write(string.format("P50 %f P99 %f BAD %d ALL %d\\n", latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.errors.status + summary.errors.timeout, summary.requests))
end
"""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        base = server.query.rsplit("/", 1)[0]
        words = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "60s", "-s", file.name, base]
        before, (busy, whole), mine = used(server.pid), machine(), os.times()
        out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        took, (busy_then, whole_then), asking = used(server.pid) - before, machine(), os.times()
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    rest = re.search(r"P50 ([\d.]+) P99 ([\d.]+) BAD (\d+) ALL (\d+)", out)
    assert rate, out
    assert rest, out
    ours = took + (asking.children_user + asking.children_system - mine.children_user - mine.children_system) * TICKS
    others = max(busy_then - busy - ours, 0) / max(whole_then - whole, 1)
    cpu = took / TICKS * 1000 / int(rest[4]) if int(rest[4]) else 0.0
    return Figures(float(rate[1]), float(rest[1]), float(rest[2]), int(rest[3]), cpu, others)


def machine() -> tuple[int, int]:
    """Return the ticks in which the processors of the machine were busy, and all there were."""
    numbers = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(numbers) - numbers[3] - numbers[4], sum(numbers)


def used(pid: int) -> int:
    """Return the time of the processors that a server has used, in ticks."""
    return sum(ticks(one) for one in family(pid))


@contextmanager
def alone(server: Server, all_there: list[Server]) -> Iterator[None]:
    """Halt the other servers for as long as the block lasts."""
    halted = [pid for each in all_there if each is not server for pid in family(each.pid)]
    tell(halted, signal.SIGSTOP)
    try:
        yield
    finally:
        tell(halted, signal.SIGCONT)


def tell(processes: list[int], what: signal.Signals) -> None:
    """Send a signal to processes of ours; one that has ended meanwhile needs none."""
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, what)


def settle(pid: int, most: float = 60) -> None:
    """Wait until a server rests: one that cannot end a query goes on with it after its client has gone."""
    deadline = time.monotonic() + most
    while time.monotonic() < deadline:
        before = used(pid)
        time.sleep(0.5)
        if used(pid) - before < TICKS // 20:
            return


def ticks(pid: int) -> int:
    """Return the time of the processor that a process and its ended children have used, in ticks."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15]))


def family(pid: int) -> list[int]:
    """List a process and all below it."""
    below: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            below.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        found.append(one := todo.pop())
        todo += below.get(one, [])
    return found


def memory(pid: int) -> float:
    """Sum the memory of a process and all below it in MiB, shared pages counted in parts (PSS)."""
    whole = 0
    for one in family(pid):
        try:
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{one}/smaps_rollup").read_text(), re.MULTILINE)
        except OSError:
            continue
        whole += int(found[1]) if found else 0
    return whole / 1024


def questions(organisations: int) -> dict[str, list[str]]:
    """Name the questions; each is a list of texts that are asked in turn."""
    lookup = "SELECT ?p ?o WHERE {{ ex:organisation_{} ?p ?o }}"
    random = np.random.default_rng(7)
    found = {
        "same lookup": [lookup.format(5)],
        "varied lookup": ["# NUMBER\n" + lookup.format(n) for n in random.integers(0, organisations, 5_000)],
        "10,000 rows": ["SELECT ?o ?label WHERE { ?o a org:Organization ; rdfs:label ?label } LIMIT 10000"],
    }
    for name, text in HEAVY.items():
        found[f"heavy: {name}"] = [f"# NUMBER\n{text}"]
        found[f"repeated: {name}"] = [text]
    return found


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    words = [sys.executable, "-m", "graphkit", "serve", "--store", str(folder), "--port", "PORT", "--timeout", "60"]
    with running("graphkit", words, "/sparql") as server:
        urlopen(server.query.replace("/sparql", "/ready")).close()  # starts what else the first query would start
        time.sleep(20)
        yield server


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--triples", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--heavy-seconds", type=float, default=15, help="for the heavy queries, one and eight clients")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clients", default="1,8,64")
    parser.add_argument("--only", default="", help="a part of the names of the questions to ask: varied, heavy, ...")
    parser.add_argument("--without", default="", help="peers to leave out: oxigraph, rdflib")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("this benchmark needs wrk: apt-get install wrk")
    counts = [int(count) for count in chosen.clients.split(",")]
    console = Console(width=190)
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        file = folder / "data.nt"
        with file.open("w") as out:
            out.writelines(line + "\n" for line in draw(chosen.triples, chosen.seed))
        started = time.perf_counter()
        with open_store(folder / "ours") as store, store.change("generated") as change:
            held = change.load(file, graph=f"{DATA}graph")
        console.print(f"{held:,} triples; loaded by graphkit in {time.perf_counter() - started:.0f} s")
        running_now = [stack.enter_context(each) for each in servers(folder, file, chosen.without)]
        console.print("serving: " + ", ".join(server.name for server in running_now))
        texts = questions(max(chosen.triples // 20, 10))
        asked = {name: each for name, each in texts.items() if chosen.only in name}
        found = take_turns(running_now, asked, counts, chosen)
        sizes = {server.name: memory(server.pid) for server in running_now}
    names = [server.name for server in running_now]
    print_table(console, found, names, list(asked), counts)
    console.print("memory (MiB): " + ", ".join(f"{name} {size:,.0f}" for name, size in sizes.items()))
    taken = [each.others for each in found.values()]
    console.print(f"others took {np.mean(taken):.0%} of the {os.cpu_count()} processors (at most {max(taken):.0%})")


def take_turns(
    all_there: list[Server], asked: dict[str, list[str]], counts: list[int], chosen: argparse.Namespace
) -> dict[tuple[str, str, int], Figures]:
    """Ask every question of every server, and keep the better round of each.

    A peer that gave no answer to a heavy query is not asked it again: it keeps none, and goes on with it for long.
    """
    found: dict[tuple[str, str, int], Figures] = {}
    given_up: set[tuple[str, str]] = set()
    for question, texts in asked.items():
        heavy = ":" in question
        seconds = chosen.heavy_seconds if heavy else chosen.seconds
        for clients in counts[: 2 if heavy else None]:
            for server in all_there * chosen.rounds:
                about, key = (server.name, question.rpartition(": ")[2]), (server.name, question, clients)
                if about in given_up:
                    continue
                with alone(server, all_there):
                    settle(server.pid)
                    figures = measure(server, texts, clients, seconds)
                found[key] = max(figures, found.get(key, figures), key=lambda each: each.rate)
                if heavy and not found[key].rate and server.name != "graphkit":
                    given_up.add(about)
            print(f"asked: {question}, {clients} clients", file=sys.stderr, flush=True)
    return found


def servers(folder: Path, file: Path, without: str) -> list[AbstractContextManager[Server]]:
    """List the servers that can be started here."""
    found: list[AbstractContextManager[Server]] = [ours(folder / "ours")]
    program = Path(sys.executable).with_name("oxigraph")
    if "oxigraph" not in without and program.exists():
        subprocess.run(
            [str(program), "load", "--location", str(folder / "native"), "--file", str(file)],
            check=True,
            capture_output=True,
        )
        words = [str(program), "serve-read-only", "--location", str(folder / "native"), "--bind", "127.0.0.1:PORT"]
        found.append(running("oxigraph", words, "/query"))
    endpoint = Path(sys.executable).with_name("rdflib-endpoint")
    if "rdflib" not in without and endpoint.exists():
        words = [str(endpoint), "serve", "--port", "PORT", "--host", "127.0.0.1", str(file)]
        found.append(running("rdflib-endpoint", words, "/"))
    return found


def print_table(
    console: Console,
    found: dict[tuple[str, str, int], Figures],
    names: list[str],
    asked: list[str],
    counts: list[int],
) -> None:
    """Print requests a second, waiting times and processor time, and how many times the peers' rate ours is."""
    table = Table("question", "clients", *names, *(f"ours / {name}" for name in names[1:]), title=TITLE)
    for question in asked:
        for clients in counts:
            mine = found.get(("graphkit", question, clients))
            if mine is None:
                continue
            peers = [found.get((name, question, clients)) for name in names[1:]]
            ratios = [f"{mine.rate / peer.rate:,.2f}" if peer and peer.rate else "-" for peer in peers]
            table.add_row(question, str(clients), *map(told, [mine, *peers]), *ratios)
    console.print(table)


def told(figures: Figures | None) -> str:
    """Put figures into one cell."""
    if figures is None or not figures.rate:
        return "no answer in time"
    bad = f" [{figures.failed} failed]" if figures.failed else ""
    return f"{figures.rate:,.1f}/s {figures.p50:,.1f}/{figures.p99:,.0f} ms, {figures.cpu:,.2f} ms cpu{bad}"


if __name__ == "__main__":
    main()
