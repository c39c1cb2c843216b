"""A store in a folder: one writer, all or nothing even through a kill, versions that are kept and pruned."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from graphkit.errors import StoreError, UsageError
from graphkit.store import Store, open_store

ONE = b"<urn:a> <urn:p> 1 ."
TWO = b"<urn:a> <urn:p> 2 ."
LATE_KILL = """
    change.load(b'<urn:x> <urn:p> 1 .', media_type='ttl')
    store._archive._write_current = lambda number: os.kill(os.getpid(), signal.SIGKILL)
    store._commit(change, change._stage, 'late', '')
"""
ROOT = str(Path(__file__).parent.parent)


def _commit(store: Store, data: bytes, why: str = "test") -> None:
    with store.change(why) as change:
        change.load(data, media_type="ttl")


def _interrupted(folder: Path, steps: str) -> None:
    """Run a change in a process that kills itself after `steps`, as a power cut would."""
    code = (
        "import os, signal\nfrom graphkit.store import open_store\n"
        f"store = open_store({str(folder)!r})\n"
        f"with store.change('killed') as change:\n    {steps}\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_what_was_committed_is_there_when_the_folder_is_opened_again(tmp_path: Path) -> None:
    """Quads, versions and their descriptions outlive the process."""
    store = open_store(tmp_path / "g")
    with store.change("first", who="ann") as change:
        change.load(ONE, media_type="ttl", graph="urn:g")
    version, dump = store.version, store.dump()
    store.close()
    again = open_store(str(tmp_path / "g"))
    assert again.dump() == dump
    assert again.version == version
    assert version is not None
    assert (version.number, version.who, version.why, version.quads, version.graphs) == (1, "ann", "first", 1, 1)
    again.close()


@pytest.mark.parametrize(
    "steps",
    [
        "change.load(b'<urn:x> <urn:p> 1 .', media_type='ttl')",
        "change.update('CLEAR ALL; INSERT DATA { <urn:x> <urn:p> 1 }')",
        LATE_KILL,
    ],
    ids=["after a load", "after an update", "just before the commit"],
)
def test_a_killed_change_leaves_the_newest_version(tmp_path: Path, steps: str) -> None:
    """Nothing of a change is seen whose process was killed, and the next change works."""
    folder = tmp_path / "g"
    store = open_store(folder)
    _commit(store, ONE)
    before = store.dump()
    store.close()
    _interrupted(folder, steps)
    again = open_store(folder)
    assert again.dump() == before
    assert [version.number for version in again.versions()] == [1]
    assert sorted(path.name for path in folder.iterdir()) == ["CURRENT", "LOCK", "versions"]
    assert [path.name for path in (folder / "versions").iterdir()] == ["000001"]
    _commit(again, TWO)
    assert again.version is not None
    assert (again.version.number, again.version.quads) == (2, 2)
    again.close()


def test_a_second_writer_is_told_who_holds_the_store(tmp_path: Path) -> None:
    """One writer at a time; the error names its process; after it closes, the next may write."""
    first = open_store(tmp_path / "g")
    with pytest.raises(StoreError, match=f"process {os.getpid()}"):
        open_store(tmp_path / "g")
    first.close()
    open_store(tmp_path / "g").close()


def test_readers_read_beside_the_writer(tmp_path: Path) -> None:
    """A reader sees the version that was newest when it opened the folder, and cannot write."""
    writer = open_store(tmp_path / "g")
    _commit(writer, ONE)
    reader = open_store(tmp_path / "g", read_only=True)
    _commit(writer, TWO)
    assert reader.select("SELECT ?o { ?s ?p ?o }")["o"].to_list() == [1]
    assert [version.number for version in reader.versions()] == [1]
    with pytest.raises(StoreError, match="reading only"):
        _commit(reader, TWO)
    later = open_store(tmp_path / "g", read_only=True)
    assert later.select("SELECT ?o { ?s ?p ?o } ORDER BY ?o")["o"].to_list() == [1, 2]
    for store in (writer, reader, later):
        store.close()


def test_an_empty_folder_can_be_read(tmp_path: Path) -> None:
    """A store to which nothing was committed answers readers too."""
    open_store(tmp_path / "g").close()
    reader = open_store(tmp_path / "g", read_only=True)
    assert reader.version is None
    assert reader.graphs().is_empty()


def test_queries_go_on_in_other_threads_while_a_change_is_open(tmp_path: Path) -> None:
    """A reader in another thread waits for nothing and sees the old state; a second change waits its turn."""
    store = open_store(tmp_path / "g")
    _commit(store, ONE)
    seen: list[int] = []
    second = threading.Thread(target=_commit, args=(store, b"<urn:b> <urn:p> 3 ."))
    with store.change("long") as change:
        change.load(TWO, media_type="ttl")
        other = threading.Thread(target=lambda: seen.append(len(store.select("SELECT ?o { ?s ?p ?o }"))))
        other.start()
        other.join(10)
        second.start()
    second.join(10)
    assert seen == [1]
    assert len(store.select("SELECT ?o { ?s ?p ?o }")) == 3
    assert [version.number for version in store.versions()] == [1, 2, 3]
    store.close()


def test_old_versions_are_pruned(tmp_path: Path) -> None:
    """Only as many versions stay as were asked for, on disk too, and pruned ones are named as missing."""
    store = open_store(tmp_path / "g", keep=2)
    for number in range(1, 5):
        _commit(store, f"<urn:a> <urn:p> {number} .".encode())
    assert [version.number for version in store.versions()] == [3, 4]
    assert sorted(path.name for path in (tmp_path / "g" / "versions").iterdir()) == ["000003", "000004"]
    assert len(store.select("SELECT * { ?s ?p ?o }")) == 4
    with pytest.raises(StoreError, match="no version 1") as caught:
        store.diff(1, 4)
    assert "3, 4" in caught.value.hint
    store.close()
    with pytest.raises(UsageError, match="at least 2"):
        open_store(tmp_path / "g", keep=1)


@pytest.mark.parametrize("content", ["MANIFEST-000005\n", "{}", '{"format": 99, "version": 1}', "[1]"])
def test_a_folder_that_is_something_else_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    """Neither strange files nor a strange CURRENT are touched."""
    (tmp_path / "CURRENT").write_text(content)
    with pytest.raises(StoreError, match="no store of graphkit"):
        open_store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["CURRENT"]


def test_a_folder_with_other_files_or_none_is_refused(tmp_path: Path) -> None:
    """A photograph album does not become a store, a file is no folder, and a reader makes no folder."""
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(StoreError, match=r"photo\.jpg"):
        open_store(tmp_path)
    with pytest.raises(StoreError, match="cannot be used"):
        open_store(tmp_path / "photo.jpg")
    with pytest.raises(StoreError, match="no file CURRENT"):
        open_store(tmp_path / "nowhere", read_only=True)
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_store_says_what_is_missing(tmp_path: Path) -> None:
    """Lost files are an error with a place, not a crash."""
    store = open_store(tmp_path / "g")
    _commit(store, ONE)
    store.close()
    (tmp_path / "g" / "versions" / "000001" / "version.json").write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        open_store(tmp_path / "g", read_only=True)
    (tmp_path / "g" / "versions" / "000001" / "version.json").unlink()
    with pytest.raises(StoreError, match="missing"):
        open_store(tmp_path / "g", read_only=True)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_trial_leaves_no_trace(tmp_path: Path, read_only: bool) -> None:
    """Who tries sees what would be; the store, its folder and its versions stay, and a change may be open meanwhile."""
    store = open_store(tmp_path / "g")
    _commit(store, ONE)
    before = store.dump()
    trying = open_store(tmp_path / "g", read_only=True) if read_only else store
    with trying.trial() as trial, store.change("beside it") as change:
        change.load(b"<urn:c> <urn:p> 3 .", media_type="ttl")
        trial.update("INSERT DATA { <urn:b> <urn:p> 2 } ; DELETE DATA { <urn:a> <urn:p> 1 }")
        assert trial.select("SELECT ?s { ?s ?p ?o }")["s"].to_list() == ["urn:b"]
        open_store(tmp_path / "g", read_only=True).close()
    assert len(store.versions()) == 2
    assert store.diff(1, 2).removed == b""
    store.restore(1)
    assert store.dump() == before
    assert sorted(path.name for path in (tmp_path / "g").iterdir()) == ["CURRENT", "LOCK", "versions"]
    trying.close()
    store.close()


def test_a_writer_sweeps_what_a_dead_process_left_and_not_what_a_living_one_uses(tmp_path: Path) -> None:
    """The name of a draft tells whose it is."""
    open_store(tmp_path / "g").close()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f"staging-{dead.pid}-x", f"staging-{os.getppid()}-x", "staging-old"):
        (tmp_path / "g" / name).mkdir()
    open_store(tmp_path / "g").close()
    assert [path.name for path in (tmp_path / "g").glob("staging-*")] == [f"staging-{os.getppid()}-x"]
