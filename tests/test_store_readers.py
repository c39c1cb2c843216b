"""The processes behind a pool: they start lightly, end with their server, and never take it down with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphkit.errors import QueryError, StoreError
from graphkit.store import Question, ReaderPool, open_store
from graphkit.store.lines import pack
from graphkit.store.pool.processes import Died, Nursery, Reader, Reply, TooLate
from graphkit.store.pool.wire import Kind, Task
from graphkit.store.pool.worker import cut_rows

ALL = "SELECT ?o { ?s ?p ?o } ORDER BY ?o"
RUNAWAY = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?s{i} ?p{i} ?o{i} ." for i in range(9)) + " }"
QUADS = b"".join(b"<urn:s%d> <urn:p> <urn:o> <urn:g> .\n" % number for number in range(50))
GIB = 1024**3
SERVER = f"""
import sys, threading, time
from graphkit.store import Question, ReaderPool, open_store
store = open_store()
with store.change("one") as change:
    change.load({QUADS!r}, media_type="nq")
pool = ReaderPool(store)
pool.ask(Question("ASK {{}}", "csv"))
threading.Thread(target=pool.ask, args=[Question({RUNAWAY!r}, "csv", client="slow")], daemon=True).start()
time.sleep(0.5)
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """Give a process that forks readers."""
    started = Nursery.start()
    yield started
    started.close()
    started.wait()


def ask(reader: Reader, sparql: str, seconds: float = 10.0) -> Reply:
    """Ask one reader, as a pool does."""
    return reader.ask(Task(sparql, "csv", (), (), seconds, 10**6, None), None)


def session(number: int) -> set[int]:
    """Return the processes of a session that still run."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of = (path / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of) == number and state != "Z":
            found.add(int(path.name))
    return found


def test_a_copy_answers_from_memory(nursery: Nursery, tmp_path: Path) -> None:
    """The packed quads are all it needs: the file may be gone once it is loaded, and it tells how much it takes."""
    packed = tmp_path / "quads.nq.gz"
    packed.write_bytes(pack(QUADS))
    copy = nursery.copy(packed, ("urn:empty",), GIB)
    said = copy.loaded(10)
    assert said is not None
    assert said.fits
    packed.unlink()
    reader = copy.reader(None, GIB)
    assert ask(reader, "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }").body == b"n\r\n50\r\n"
    assert ask(reader, "ASK { GRAPH <urn:empty> {} }").body == b"true"
    reader.end()
    copy.close()
    copy.wait()


def test_a_copy_that_takes_too_much_is_given_up(nursery: Nursery, tmp_path: Path) -> None:
    """Its memory is measured while it loads, and afterwards it is gone."""
    packed = tmp_path / "quads.nq.gz"
    many = b"".join(b"<urn:s%d> <urn:p%d> <urn:o%d> <urn:g> .\n" % (n, n % 7, n) for n in range(100_000))
    packed.write_bytes(pack(many))
    copy = nursery.copy(packed, (), 10 * 1024**2)
    said = copy.loaded(20)
    assert said is not None
    assert not said.fits
    copy.close()
    copy.wait()


def test_a_folder_that_vanished_is_told(nursery: Nursery, tmp_path: Path) -> None:
    """The reader says so in place of an answer, and ends."""
    reader = nursery.reader(tmp_path / "gone", GIB)
    assert ask(reader, ALL).head.kind == Kind.LOST
    with pytest.raises(Died):
        ask(reader, ALL)
    reader.end()


def test_a_reader_is_killed_and_its_number_forgotten(nursery: Nursery) -> None:
    """Killing twice, or after it was let go, hits nobody else."""
    reader = nursery.reader(None, GIB)
    assert ask(reader, "ASK {}").body == b"true"
    os.kill(reader.pid, 0)
    reader.kill()
    with pytest.raises(Died):
        ask(reader, "ASK {}")
    reader.kill()
    reader.end()
    reader.kill()


def test_a_reader_can_be_killed_where_the_system_gives_no_handle(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There its parent is told, which alone knows whether the number is still that of its child."""
    reader = nursery.reader(None, GIB)
    reader._process.close()
    monkeypatch.setattr(reader._process, "_handle", None)
    reader.kill()
    with pytest.raises(Died):
        ask(reader, "ASK {}")
    reader.kill()
    reader.end()
    other = nursery.reader(None, GIB)
    assert ask(other, "ASK {}").body == b"true"
    other.end()


def test_a_reader_that_takes_too_long_is_told(nursery: Nursery) -> None:
    """The time is that of the clock on the wall."""
    reader = nursery.reader(None, GIB)
    bounded = " ".join(f"BIND({n} AS ?x{n})" for n in range(3))
    values = " ".join(f"VALUES ?v{n} {{ {' '.join(map(str, range(100)))} }}" for n in range(6))
    started = time.monotonic()
    with pytest.raises(TooLate):
        ask(reader, f"SELECT (COUNT(*) AS ?n) {{ {bounded} {values} }}", 0.5)
    assert 0.5 <= time.monotonic() - started < 0.55 + 0.2
    reader.kill()
    reader.end()


@pytest.mark.parametrize("ending", ["killed", "by itself"])
def test_all_processes_end_with_their_server(ending: str) -> None:
    """Also when the server is killed, and although one of them runs a query."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        nurseries = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        (number,) = map(int, nurseries)
        assert len(session(number)) == 3
        if ending == "killed":
            server.send_signal(signal.SIGKILL)
        else:
            server.stdin.write(b"\n")
            server.stdin.close()
        server.wait(20)
    deadline = time.monotonic() + 5
    while session(number):
        assert time.monotonic() < deadline, "processes are left"
        time.sleep(0.02)


def test_a_nursery_that_cannot_start_is_an_error_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried twice, and this process goes on."""
    (tmp_path / "sitecustomize.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    pool = ReaderPool(open_store())
    with pytest.raises(StoreError, match="cannot be started"):
        pool.ask(Question(ALL, "csv"))
    assert not pool.ready
    pool.close()


def test_a_nursery_starts_without_the_heavy_libraries() -> None:
    """Only the engine is imported, so that the first question waits little, and little memory is taken."""
    heavy = "{'polars', 'numpy', 'rdflib', 'flask', 'webui', 'SPARQLWrapper'}"
    code = f"import sys, graphkit.store.pool.nursery; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_rows_of_a_table_are_cut() -> None:
    """The first rows are kept, and whether there were more is told."""
    table = b'?a\t?b\n1\t"x\\ny"\n\t\n<urn:x>\t\n'
    assert cut_rows(table, "tsv", 3) == (table, False)
    assert cut_rows(table, "csv", 2) == (b'a,b\r\n1,"x\ny"\r\n,\r\n', True)
    assert cut_rows(table, "csv", 0) == (b"a,b\r\n", True)
    with pytest.raises(QueryError, match="cannot be answered as"):
        cut_rows(table, "ttl", 1)
