"""The pool of readers answers queries of strangers within limits, fairly, on any version, and leaves nothing behind."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from graphkit import queries
from graphkit.errors import LimitError, QueryError, StoreError, UnknownNameError, UsageError
from graphkit.store import Limits, Question, ReaderPool, Store, open_store
from graphkit.store.pool.faults import death_of
from graphkit.store.pool.turns import Ticket, Turns

ALL = "SELECT ?o { ?s ?p ?o } ORDER BY ?o"
RUNAWAY = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?s{i} ?p{i} ?o{i} ." for i in range(9)) + " }"
PAIRS = "SELECT * { ?a ?p ?b . ?c ?q ?d }"
BOMB = (
    "SELECT (STRLEN(?z) AS ?n) { VALUES ?a { '" + "x" * 1000 + "' } "
    + " ".join(f"BIND(CONCAT(?{a}, ?{a}, ?{a}, ?{a}) AS ?{b})" for a, b in pairwise("abcdefghijklm"))
    + " BIND(?m AS ?z) }"
)  # fmt: skip
SMALL = Limits(seconds=5.0, readers=3)


def add(store: Store, text: str, graph: str | None = None) -> None:
    """Commit some Turtle."""
    with store.change("more") as change:
        change.load(text.encode(), media_type="ttl", graph=graph)


@pytest.fixture(params=["memory, copied", "folder, on disk"])
def kind(request: pytest.FixtureRequest) -> str:
    """Name where the store keeps its quads, and from where the readers read."""
    return str(request.param)


in_every_way = pytest.mark.parametrize(
    "kind", ["memory, copied", "memory, on disk", "folder, copied", "folder, on disk"]
)


@pytest.fixture
def embedded(kind: str, tmp_path: Path) -> Iterator[Store]:
    """Give a store of this process with fifty quads."""
    with open_store(tmp_path / "g" if kind.startswith("folder") else None) as store:
        add(store, " ".join(f"<urn:s{i}> <urn:p> {i} ." for i in range(50)), "urn:g")
        yield store


@pytest.fixture
def pool(kind: str, embedded: Store) -> Iterator[ReaderPool]:
    """Give a pool whose readers share a copy in memory, or read the checkpoint."""
    with pool_of(embedded, Limits(seconds=5.0, readers=3, copy_bytes=2**30 if "copied" in kind else 0)) as pool:
        yield pool


@contextmanager
def pool_of(store: Store, limits: Limits = SMALL) -> Iterator[ReaderPool]:
    """Give a pool that is closed at the end."""
    pool = ReaderPool(store, limits)
    try:
        yield pool
    finally:
        pool.close()


_SESSIONS: set[int] = set()


def children() -> set[int]:
    """Return the processes of all pools of this process: nurseries are its children, and begin sessions of their own.

    A session is remembered, so that processes are found that outlived their nursery, and zombies; only those that
    the system's first process is about to bury do not count.
    """
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, _, session = (path / "stat").read_text().rpartition(")")[2].split()[:4]
            if state != "Z" or int(parent) != 1:
                found[int(path.name)] = int(session)
            if int(parent) == os.getpid() and b"graphkit.store.pool.nursery" in (path / "cmdline").read_bytes():
                _SESSIONS.add(int(session))
    return {number for number, session in found.items() if session in _SESSIONS}


def open_files() -> int:
    """Return how many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def readers_of(pool: ReaderPool) -> list[int]:
    """Return the numbers of the idle processes."""
    assert pool._generations is not None
    return [reader.pid for each in pool._generations._kept.values() for reader in each.idle]


# ---- Answers -----------------------------------------------------------------------------------


def test_a_pool_answers_as_the_store_does(store: Store) -> None:
    """Every kind of store and every form of query gives the same bytes through the limits."""
    add(store, "<urn:a> <urn:p> 1 .", "urn:g")
    with pool_of(store) as pool:
        for query, media_type in (
            (ALL, "csv"),
            (ALL, "application/sparql-results+json"),
            (ALL, "xml"),
            (ALL, "tsv"),
            ("ASK { ?s ?p 1 }", "xml"),
            ("CONSTRUCT WHERE { ?s ?p ?o }", "nt"),
            ("DESCRIBE <urn:a>", "ttl"),
        ):
            answer = pool.ask(Question(query, media_type))
            assert answer.data == store.answer(query, media_type)
            assert b"".join(answer.chunks()) == answer.data
            assert answer.size == len(answer.data)
            assert answer.version == store.version


def test_an_empty_store_answers_too(tmp_path: Path) -> None:
    """Nothing was committed, so there is no version, and the answer is empty."""
    with open_store(tmp_path / "g") as store, pool_of(store) as pool:
        answer = pool.ask(Question(ALL, "csv"))
        assert (answer.data, answer.version) == (b"o\r\n", None)


@in_every_way
def test_empty_graphs_are_there(pool: ReaderPool, embedded: Store) -> None:
    """A graph without a statement is seen by GRAPH, in a copy in memory and on disk."""
    with embedded.change("an empty graph") as change:
        change.create("urn:empty")
    found = pool.ask(Question("SELECT ?g { GRAPH ?g {} } ORDER BY ?g", "csv")).data
    assert found == b"g\r\nurn:empty\r\nurn:g\r\n"


def test_a_long_answer_is_whole_and_its_file_is_closed(pool: ReaderPool) -> None:
    """It comes in a file, which is read in pieces and closed at the end, and at the latest when nobody holds it."""
    before = open_files()
    pool.ask(Question(ALL, "csv"))
    held = open_files()
    answer = pool.ask(Question(PAIRS, "json"))
    assert answer.size > 500_000
    chunks = list(answer.chunks())
    assert len(chunks) > 1
    assert len(json.loads(b"".join(chunks))["results"]["bindings"]) == 2500
    with pytest.raises(UsageError, match="given back"):
        _ = answer.data
    dropped = pool.ask(Question(PAIRS, "json"))
    assert dropped.data == dropped.data
    del dropped
    assert open_files() <= held
    pool.close()
    assert open_files() <= before


@in_every_way
def test_the_dataset_of_the_protocol(pool: ReaderPool, embedded: Store) -> None:
    """Without a dataset the union is asked; given graphs take the place of FROM; named ones alone leave it empty."""
    with embedded.change("other graphs") as change:
        change.clear("urn:g")
        change.load(b"<urn:s> <urn:p> 1 .", media_type="ttl", graph="urn:a")
        change.load(b"<urn:s> <urn:p> 2 .", media_type="ttl", graph="urn:b")
        change.load(b"<urn:s> <urn:p> 3 .", media_type="ttl")
    named = "SELECT ?o { GRAPH ?g { ?s ?p ?o } } ORDER BY ?o"

    def asked(query: str, default: tuple[str, ...] = (), others: tuple[str, ...] = ()) -> list[str]:
        question = Question(query, "csv", default_graphs=default, named_graphs=others)
        return pool.ask(question).data.decode().split()[1:]

    assert asked(ALL) == ["1", "2", "3"]
    assert asked(named) == ["1", "2"]
    assert asked(ALL, ("urn:a",)) == ["1"]
    assert asked(named, ("urn:a",)) == []
    assert asked(ALL, ("urn:a", "urn:b")) == ["1", "2"]
    assert asked(ALL, (), ("urn:a",)) == []
    assert asked(named, (), ("urn:a",)) == ["1"]
    assert asked("SELECT ?o FROM <urn:b> { ?s ?p ?o }") == ["2"]
    assert asked("SELECT ?o FROM <urn:b> { ?s ?p ?o }", ("urn:a",)) == ["1"]
    with pytest.raises(QueryError, match="fails"):
        asked(ALL, ("no address",))


def test_stored_queries_run_within_the_limits(village: Store) -> None:
    """A view of the pool stands where a store stands, and asks through the pool."""
    with pool_of(village) as pool:
        view = pool.view("somebody")
        found = queries.run(view, "explore/organisations")
        assert found.equals(queries.run(village, "explore/organisations"))
        assert view.ask("ASK { ?s ?p ?o }")
        kinds = "CONSTRUCT WHERE { ?s a ?c }"
        assert sorted(view.construct(kinds).splitlines()) == sorted(village.construct(kinds).splitlines())
        assert pool.view(max_rows=2).select("SELECT ?s { ?s ?p ?o }").height == 2


def test_a_query_can_be_rewritten_as_long_as_it_runs(embedded: Store) -> None:
    """The other text is what runs, and what it needs is there until the answer is."""
    seen = []

    @contextmanager
    def rewrite(text: str) -> Iterator[str]:
        seen.append("in")
        yield text.replace("PLACE", "7")
        seen.append("out")

    pool = ReaderPool(embedded, SMALL, rewrite)
    assert pool.ask(Question("ASK { ?s ?p PLACE }", "csv")).data == b"true"
    assert seen == ["in", "out"]
    pool.close()


def test_a_rewritten_query_may_call_what_was_put_into_it(embedded: Store, union_endpoint: str) -> None:
    """Who rewrites has judged each SERVICE; without that it is refused, and the shape is looked at all the same."""

    @contextmanager
    def rewrite(text: str) -> Iterator[str]:
        yield text.replace("PLACE", f"<{union_endpoint}>").replace("DEEP", "{" * 200 + "}" * 200)

    call = "SELECT ?x { SERVICE PLACE { VALUES ?x { 42 } } }"
    pool = ReaderPool(embedded, SMALL, rewrite)
    assert pool.ask(Question(call, "csv")).data == b"x\r\n42\r\n"
    with pytest.raises(QueryError, match="nests"):
        pool.ask(Question("ASK { DEEP }", "csv"))
    with pytest.raises(QueryError, match="SERVICE is not allowed"):
        pool.ask(Question(f"ASK {{ SERVICE <{union_endpoint}> {{}} }}", "csv"))
    pool.close()


# ---- Limits ------------------------------------------------------------------------------------


def test_a_runaway_query_is_stopped_in_time_and_others_do_not_wait(pool: ReaderPool) -> None:
    """It ends within its limit and a tenth, while the query of another client is answered in under a second."""
    pool.ask(Question(ALL, "csv"))
    with ThreadPoolExecutor() as threads:
        started = time.monotonic()
        slow = [threads.submit(pool.ask, Question(RUNAWAY, "csv", seconds=2, client="greedy")) for _ in range(2)]
        time.sleep(0.2)
        asked = time.monotonic()
        assert pool.ask(Question("ASK { ?s ?p 7 }", "csv", client="modest")).data == b"true"
        assert time.monotonic() - asked < 1
        for each in slow:
            with pytest.raises(LimitError, match="longer than 2 seconds") as caught:
                each.result()
            assert caught.value.limit == "time"
            assert "LIMIT" in caught.value.hint
        assert 2 <= time.monotonic() - started < 2.2


def test_a_question_can_only_lower_the_limits(embedded: Store) -> None:
    """More seconds and more rows than the pool allows are not given."""
    with pool_of(embedded, Limits(seconds=0.5, max_rows=2)) as pool:
        with pytest.raises(LimitError, match=r"longer than 0\.5 seconds"):
            pool.ask(Question(RUNAWAY, "csv", seconds=60))
        assert pool.ask(Question(ALL, "csv", max_rows=10)).data == b"o\r\n0\r\n1\r\n"
        for wrong in (Question(ALL, "csv", seconds=0), Question(ALL, "csv", max_rows=-1)):
            with pytest.raises(UsageError):
                pool.ask(wrong)


def test_a_query_that_takes_all_memory_is_stopped(embedded: Store) -> None:
    """Doubling a text again and again ends at the limit on memory, and the next question is answered."""
    with pool_of(embedded, Limits(seconds=30, memory_bytes=512 * 1024**2)) as pool:
        with pytest.raises(LimitError, match="more than 512 MiB of memory") as caught:
            pool.ask(Question(BOMB, "csv"))
        assert caught.value.limit == "memory"
        assert pool.ask(Question("ASK { ?s ?p 7 }", "csv")).data == b"true"


def test_a_reader_that_grew_is_replaced(embedded: Store) -> None:
    """A query that leaves much memory behind costs the reader its place, and nobody an answer."""
    with pool_of(embedded) as pool:
        pool.ask(Question(ALL, "csv"))
        before = readers_of(pool)
        sorted_pairs = "SELECT * { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f FILTER(?f < 60) } ORDER BY STR(?b) STR(?d) STR(?f)"
        assert pool.ask(Question(sorted_pairs, "csv", seconds=30, max_rows=1)).cut
        assert pool.ask(Question(ALL, "csv")).data
        assert before != readers_of(pool)


def test_an_answer_that_is_too_long_is_refused(embedded: Store) -> None:
    """Never cut, so that nobody takes a part for the whole."""
    with pool_of(embedded, Limits(max_bytes=100)) as pool:
        for query, media_type in ((ALL, "csv"), ("CONSTRUCT WHERE { ?s ?p ?o }", "ttl"), (PAIRS, "json")):
            with pytest.raises(LimitError, match="longer than 100 bytes") as caught:
                pool.ask(Question(query, media_type))
            assert caught.value.limit == "length"
            assert "LIMIT" in caught.value.hint


@pytest.mark.parametrize("media_type", ["json", "xml", "csv", "tsv"])
def test_rows_that_are_cut_are_told_and_whole(pool: ReaderPool, media_type: str) -> None:
    """The first rows come in the format that was asked for, well formed, and the answer says that there were more."""
    tricky = 'SELECT ?a ?b { VALUES (?a ?b) { ("x\\n\\ty" UNDEF) (UNDEF UNDEF) ("é"@fr 1.5) (<urn:x> true) } }'
    whole, cut = (pool.ask(Question(tricky, media_type, max_rows=rows)) for rows in (4, 3))
    assert (whole.cut, cut.cut) == (False, True)
    assert whole.data == pool.ask(Question(tricky, media_type)).data
    assert pool.ask(Question(tricky + " LIMIT 3", media_type)).data == cut.data
    assert rows_in(cut.data, media_type) == 3
    nothing = pool.ask(Question(tricky, media_type, max_rows=0))
    assert nothing.cut
    assert rows_in(nothing.data, media_type) == 0


def rows_in(data: bytes, media_type: str) -> int:
    """Count the rows with another parser."""
    match media_type:
        case "json":
            return len(json.loads(data)["results"]["bindings"])
        case "xml":
            root = ET.fromstring(data)  # noqa: S314 - our own answer
            return len(root.findall(".//{http://www.w3.org/2005/sparql-results#}result"))
        case "csv":
            return len(list(csv.reader(io.StringIO(data.decode(), newline="")))) - 1
        case _:
            return data.count(b"\n") - 1


def test_rows_are_not_cut_where_there_are_none(pool: ReaderPool) -> None:
    """ASK and CONSTRUCT have no rows, and a limit on them changes nothing."""
    assert pool.ask(Question("ASK {}", "csv", max_rows=1)).data == b"true"
    assert pool.ask(Question("CONSTRUCT WHERE { ?s ?p ?o }", "nt", max_rows=1)).data.count(b"\n") == 50


@pytest.mark.parametrize(
    ("query", "media_type", "what"),
    [
        ("SELECT ?x { ?x", "csv", "cannot be read"),
        ("SELECT (<urn:f>(1) AS ?x) {}", "csv", "fails"),
        (ALL, "ttl", "cannot be answered as"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "csv", "cannot be answered as"),
        ("SELECT * { SERVICE <http://127.0.0.1:9/> {} }", "csv", "SERVICE is not allowed"),
        ("ASK " + "{" * 5000 + "}" * 5000, "csv", "nests"),
        ("ASK { ?s " + "/".join(["<urn:p>"] * 300) + " ?o }", "csv", "path of more than"),
    ],
)  # fmt: skip
def test_faults_of_the_query_come_back(pool: ReaderPool, query: str, media_type: str, what: str) -> None:
    """The three parts of an error cross the border between processes, whose reader goes on."""
    with pytest.raises(QueryError, match=what) as caught:
        pool.ask(Question(query, media_type))
    assert not isinstance(caught.value, LimitError)
    assert pool.ask(Question("ASK { ?s ?p 7 }", "csv")).data == b"true"


def test_a_query_that_breaks_its_process_costs_only_itself(embedded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the guard to miss a shape, the death of the reader would be told, and the pool goes on."""
    monkeypatch.setattr("graphkit.store.guard.MOST_NESTING", 10**6)
    monkeypatch.setattr("graphkit.store.guard.MOST_PIECES", 10**6)
    with pool_of(embedded, Limits(seconds=20)) as pool:
        with pytest.raises(QueryError, match="broke the process") as caught:
            pool.ask(Question("ASK " + "{" * 20_000 + "}" * 20_000, "csv"))
        assert "nesting" in caught.value.hint
        assert pool.ask(Question("ASK { ?s ?p 7 }", "csv")).data == b"true"


# ---- Turns -------------------------------------------------------------------------------------


def test_a_query_ends_when_nobody_waits_for_it(pool: ReaderPool) -> None:
    """The going away of the client is noticed, and its reader killed, long before the time limit of 5 seconds."""
    gone = threading.Event()
    threading.Timer(0.3, gone.set).start()
    started = time.monotonic()
    with pytest.raises(LimitError, match="nobody waits") as caught:
        pool.ask(Question(RUNAWAY, "csv"), gone=gone)
    assert caught.value.limit == "stopped"
    assert time.monotonic() - started < 2
    assert pool.running() == []


def test_a_query_can_be_stopped(pool: ReaderPool) -> None:
    """What runs and what waits is listed, and each can be ended by its id."""
    with ThreadPoolExecutor() as threads:
        asked = [
            threads.submit(pool.ask, Question(RUNAWAY, "csv", client="one", id=f"q{number}")) for number in range(3)
        ]
        until(lambda: len(pool.running()) == 3)
        until(lambda: sum(each.waits for each in pool.running()) == 1)
        assert {each.client for each in pool.running()} == {"one"}
        assert all(each.sparql == RUNAWAY for each in pool.running())
        waiting = next(each.id for each in pool.running() if each.waits)
        for name in (waiting, *sorted({"q0", "q1", "q2"} - {waiting})):
            started = time.monotonic()
            assert pool.stop(name)
            with pytest.raises(LimitError, match="stopped") as caught:
                asked[int(name[1])].result()
            assert caught.value.limit == "stopped"
            assert time.monotonic() - started < 1
    assert not pool.stop("q0")
    assert pool.ask(Question("ASK { ?s ?p 7 }", "csv")).data == b"true"


def test_nobody_has_all_readers_and_turns_go_round(embedded: Store) -> None:
    """A client with many questions takes all readers but one; of those that wait, the clients come in rotation."""
    order: list[str] = []
    with pool_of(embedded, Limits(seconds=20, readers=2)) as pool, ThreadPoolExecutor(16) as threads:
        blockers = [threads.submit(stopped, pool, client) for client in ("one", "two")]
        until(lambda: sum(not each.waits for each in pool.running()) == 2)

        def ask(client: str, number: int) -> None:
            pool.ask(Question("ASK { ?s ?p 7 }", "csv", client=client))
            order.append(client)

        later = []
        for number in range(4):
            later.append(threads.submit(ask, "many", number))
            until(lambda wanted=number: len(pool.running()) == 3 + wanted)
        later.append(threads.submit(ask, "few", 0))
        until(lambda: len(pool.running()) == 7)
        assert pool.stop("one")
        for each in later:
            each.result()
        assert order.index("few") <= 1
        pool.stop("two")
        for blocker in blockers:
            blocker.result()


def test_who_need_not_wait_passes_nobody_by() -> None:
    """While one client has as many turns as one may have and waits for more, another one is given the last at once."""
    turns = Turns(3)
    many = [Ticket(str(number), "many", "ASK {}", 0.0) for number in range(3)]
    few = Ticket("few", "few", "ASK {}", 0.0)
    assert [turns.take(each) for each in many] == [True, True, False]
    with ThreadPoolExecutor(1) as threads:

        def wait() -> None:
            with turns.turn(many[2], 20, None):
                assert many[2].has_turn

        waiting = threads.submit(wait)
        until(lambda: many[2].called is not None)
        assert turns.is_full("many")
        assert not turns.is_full("few")
        assert turns.take(few)
        assert turns.is_full("anybody")
        assert not many[2].has_turn
        turns.leave(many[0])
        waiting.result()


def stopped(pool: ReaderPool, client: str) -> None:
    """Ask a question without end, until it is stopped."""
    with pytest.raises(LimitError, match="stopped"):
        pool.ask(Question(RUNAWAY, "csv", client=client, id=client))


def test_the_queue_is_bounded(embedded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes when too many wait is sent away at once, and who waits too long as well."""
    monkeypatch.setattr("graphkit.store.pool.turns.MOST_WAITING_OF_ONE", 1)
    with pool_of(embedded, Limits(seconds=20, readers=1)) as pool, ThreadPoolExecutor() as threads:
        blocker = threads.submit(stopped, pool, "one")
        until(lambda: len(pool.running()) == 1)
        waiting = threads.submit(pool.ask, Question(ALL, "csv", seconds=0.5))
        until(lambda: len(pool.running()) == 2)
        with pytest.raises(LimitError, match="too many") as caught:
            pool.ask(Question(ALL, "csv"))
        assert caught.value.limit == "turn"
        with pytest.raises(LimitError, match="did not come in time") as late:
            waiting.result()
        assert late.value.limit == "turn"
        gone = threading.Event()
        gone.set()
        with pytest.raises(LimitError, match="nobody waits"):
            pool.ask(Question(ALL, "csv", client="two"), gone=gone)
        pool.stop("one")
        blocker.result()


# ---- Versions ----------------------------------------------------------------------------------


@in_every_way
def test_an_older_version_is_asked_by_its_number(pool: ReaderPool, embedded: Store) -> None:
    """Each version that is kept can be asked; one that is not is an unknown name, with those that are."""
    for number in (100, 101):
        add(embedded, f"<urn:s> <urn:p> {number} .")
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    for version, quads in ((1, 50), (2, 51), (3, 52), (2, 51), (None, 52)):
        answer = pool.ask(Question(count, "csv", version=version))
        assert answer.data == f"n\r\n{quads}\r\n".encode()
        assert answer.version is not None
        assert answer.version.number == (version or 3)
    with pytest.raises(UnknownNameError, match="no version 9") as caught:
        pool.ask(Question(ALL, "csv", version=9))
    assert "1, 2, 3" in caught.value.hint
    assert pool.view(version=1).select(count).item() == 50


@in_every_way
def test_who_writes_reads_it_at_once(pool: ReaderPool, embedded: Store) -> None:
    """A commit is seen by the next query, however many there are, and few processes are kept for those before."""
    before = len(children())
    for number in range(100, 106):
        add(embedded, f"<urn:s> <urn:p> {number} .")
        answer = pool.ask(Question("SELECT (MAX(?o) AS ?m) { ?s ?p ?o }", "tsv"))
        assert answer.data == f"?m\n{number}\n".encode()
    until(lambda: len(children()) <= before + 6)


@in_every_way
def test_new_versions_come_in_without_a_failed_request(pool: ReaderPool, embedded: Store) -> None:
    """While one writes, those who ask get whole answers, each of the version that it names, and never an older one."""
    done, seen = threading.Event(), set()

    def ask(client: str) -> None:
        last = 0
        while not done.is_set():
            answer = pool.ask(Question("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "csv", client=client))
            assert answer.version is not None
            assert answer.data == f"n\r\n{49 + answer.version.number}\r\n".encode()
            assert answer.version.number >= last
            last = answer.version.number
            seen.add(last)

    with ThreadPoolExecutor() as threads:
        asking = [threads.submit(ask, client) for client in "abc"]
        try:
            for number in range(12):
                add(embedded, f"<urn:t> <urn:p> {1000 + number} .")
                if number % 4 == 3:
                    until(lambda: embedded.version.number in seen or any(each.done() for each in asking))
        finally:
            done.set()
        for each in asking:
            each.result()


def test_a_reader_notices_what_another_writer_commits(tmp_path: Path) -> None:
    """A folder opened for reading is looked at anew by `refresh`, which the pool calls once a second."""
    with open_store(tmp_path / "g") as writer, open_store(tmp_path / "g", read_only=True) as store:
        assert store.version is None
        assert not store.refresh()
        with pool_of(store) as pool:
            assert pool.ask(Question(ALL, "csv")).data == b"o\r\n"
            add(writer, "<urn:a> <urn:p> 1 .")
            until(lambda: pool.ask(Question(ALL, "csv")).data == b"o\r\n1\r\n")
            assert store.version == writer.version
            add(writer, "<urn:a> <urn:p> 2 .")
            assert store.refresh()
            assert not store.refresh()
            assert store.select(ALL)["o"].to_list() == [1, 2]
            assert [version.number for version in store.versions()] == [1, 2]
            assert not writer.refresh()


def test_a_version_too_large_for_memory_is_asked_on_disk(embedded: Store) -> None:
    """Where the budget is small the copy is given up while it loads, and the checkpoint answers."""
    with pool_of(embedded, Limits(copy_bytes=50 * 300)) as pool:
        assert pool.ask(Question("ASK { ?s ?p 7 }", "csv")).data == b"true"
        assert pool._generations is not None
        assert all(each.copy is None for each in pool._generations._kept.values())


# ---- Processes ---------------------------------------------------------------------------------


def test_readers_are_used_again(pool: ReaderPool) -> None:
    """One question after the other is answered by the same process."""
    for _ in range(20):
        pool.ask(Question(ALL, "csv"))
    first = readers_of(pool)
    assert len(first) == 1
    pool.ask(Question(ALL, "csv"))
    assert readers_of(pool) == first


@pytest.mark.parametrize("whom", ["readers", "nurseries", "all"])
def test_what_is_killed_is_replaced(pool: ReaderPool, whom: str) -> None:
    """The next question is answered although a reader, the processes that fork them, or all were killed."""
    before = children()
    pool.ask(Question(ALL, "csv"))
    readers = set(readers_of(pool))
    chosen = {"readers": readers, "nurseries": children() - before - readers, "all": children() - before}[whom]
    assert chosen
    for number in chosen:
        os.kill(number, signal.SIGKILL)
    for _ in range(3):
        assert pool.ask(Question("ASK { ?s ?p 7 }", "csv")).data == b"true"
    assert pool.ready


def test_nothing_runs_before_the_first_question(embedded: Store) -> None:
    """A pool costs nothing until it is used; `ready` starts what is needed, and the first answer comes soon."""
    before = children()
    with pool_of(embedded) as pool:
        assert children() == before
        started = time.monotonic()
        assert pool.ask(Question(ALL, "csv")).size
        assert time.monotonic() - started < 2
    with pool_of(embedded) as pool:
        assert pool.ready
        assert children() != before
        assert len(readers_of(pool)) == 1
        assert pool.ready
        assert len(readers_of(pool)) == 1


def test_nothing_is_left_when_it_is_closed(embedded: Store) -> None:
    """All processes end, those that run a query too, and who waits for that is told."""
    before, files = children(), open_files()
    pool = ReaderPool(embedded, SMALL)
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(pool.ask, Question(RUNAWAY, "csv"))
        pool.ask(Question(ALL, "csv", client="other"))
        until(lambda: len(pool.running()) == 1)
        time.sleep(0.1)
        pool.close()
        with pytest.raises(LimitError, match="stopped"):
            slow.result()
    pool.close()
    assert children() == before
    assert open_files() == files
    with pytest.raises(StoreError, match="closed"):
        pool.ask(Question(ALL, "csv"))
    assert not pool.ready


def test_a_pool_that_is_forgotten_ends_too(embedded: Store) -> None:
    """Nobody need close it."""
    before = children()
    pool = ReaderPool(embedded, SMALL)
    pool.ask(Question(ALL, "csv"))
    assert children() != before
    del pool
    assert children() == before


def test_nothing_is_left_behind_by_a_store_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its temporary folder holds few versions, and goes with it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_store(keep=8) as store:
        for number in range(8):
            add(store, f"<urn:a> <urn:p> {number} .")
        with pool_of(store, Limits(copy_bytes=0)) as pool:
            for number in range(1, 9):
                assert pool.ask(Question(ALL, "csv", version=number)).data.count(b"\n") == number + 1
        (spool,) = tmp_path.iterdir()
        assert len(list(spool.iterdir())) <= 3
    assert list(tmp_path.iterdir()) == []


# ---- Endpoints ---------------------------------------------------------------------------------


def test_an_endpoint_is_asked_with_the_limits_that_can_be_had(union_endpoint: str, plain_endpoint: str) -> None:
    """Rows, length and dataset hold there too; versions do not exist."""
    with open_store(plain_endpoint) as store, pool_of(store, Limits(max_bytes=500)) as pool:
        with store.change("begin with nothing") as change:
            change.update("CLEAR ALL")
            for graph in "ab":
                change.load(f"<urn:s> <urn:p> '{graph}' .".encode(), media_type="ttl", graph=f"urn:{graph}")
        assert pool.ready
        assert pool.ask(Question(ALL, "csv")).data == b"o\r\na\r\nb\r\n"
        assert pool.ask(Question(ALL, "csv", default_graphs=("urn:b",))).data == b"o\r\nb\r\n"
        cut = pool.ask(Question(ALL, "csv", max_rows=1))
        assert (cut.data, cut.cut, cut.version) == (b"o\r\na\r\n", True, None)
        assert not pool.ask(Question(ALL, "json", max_rows=2)).cut
        with pytest.raises(LimitError, match="longer than 500 bytes") as caught:
            pool.ask(Question("SELECT * { ?s ?p ?o . ?a ?b ?c . ?d ?e ?f }", "json"))
        assert caught.value.limit == "length"
        with pytest.raises(UsageError, match="no versions"):
            pool.ask(Question(ALL, "csv", version=1))
        assert not store.refresh()


@pytest.mark.parametrize(
    ("query", "form"),
    [('SELECT ("a\\u0001b" AS ?x) {}', "xml"), ('CONSTRUCT { <urn:a> <urn:b> "a\\u000Bb" } WHERE {}', "rdf")],
)
def test_what_xml_cannot_hold_is_refused_in_xml_only(query: str, form: str) -> None:
    """A control character would make XML that no parser reads; JSON and Turtle hold it."""
    with open_store() as store:
        with store.change("one") as change:
            change.load(b"<urn:a> <urn:b> 1 .", media_type="ttl")
        pool = ReaderPool(store)
        with pytest.raises(QueryError, match="control character"):
            pool.ask(Question(query, form))
        assert pool.ask(Question(query, "json" if form == "xml" else "ttl")).size
        pool.close()


def test_the_last_words_of_a_process_say_what_to_do_next() -> None:
    """Memory, a sort that the engine gives up, and anything else are told apart."""
    limits = Limits(memory_bytes=5 * 1024**2)
    unsorted = "user-provided comparison function does not correctly implement a total order"
    assert "5 MiB" in death_of("memory allocation of 9 bytes failed", limits).what
    assert "STR(?x)" in death_of(unsorted, limits).hint
    assert "nesting" in death_of("", limits).hint
