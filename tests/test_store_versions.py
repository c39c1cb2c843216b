"""Versions are counted, hashed, compared and restored, in memory as in a folder."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyoxigraph
import pytest

from graphkit.errors import DataError, StoreError
from graphkit.store import Diff, Store, canonical_hash, open_store
from graphkit.store.deltas import deltas_of
from graphkit.store.lines import Edit
from graphkit.store.versions import canonical


@pytest.fixture(params=["memory", "folder"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Give a store that keeps versions."""
    store = open_store(tmp_path / "g" if request.param == "folder" else None)
    yield store
    store.close()


def _load(store: Store, data: bytes, why: str = "test", graph: str | None = None) -> None:
    with store.change(why) as change:
        change.load(data, media_type="ttl", graph=graph)


def test_a_commit_describes_itself(kept: Store) -> None:
    """Number, time, author, reason, counts and hash are those of what was committed."""
    assert kept.version is None
    with kept.change("the reason", who="ann") as change:
        change.load(b"<urn:a> <urn:p> 1, 2 .", media_type="ttl", graph="urn:g")
        change.load(b"<urn:a> <urn:p> 1 .", media_type="ttl")
    version = kept.version
    assert version is not None
    assert (version.number, version.who, version.why, version.quads, version.graphs) == (1, "ann", "the reason", 3, 1)
    assert abs(datetime.now(UTC) - version.time) < timedelta(minutes=1)
    assert version.hash == hashlib.sha256(kept.dump("nq")).hexdigest() == canonical_hash(kept.dump("nq"))


def test_a_graph_that_an_update_emptied_is_not_counted(kept: Store) -> None:
    """A graph without a statement is no graph."""
    _load(kept, b"<urn:a> <urn:p> 1 .", graph="urn:g")
    with kept.change("empties") as change:
        change.update("DELETE WHERE { GRAPH <urn:g> { ?s ?p ?o } }; INSERT DATA { <urn:b> <urn:p> 1 }")
    assert kept.version is not None
    assert (kept.version.quads, kept.version.graphs) == (1, 0)


def test_an_author_is_always_named(kept: Store) -> None:
    """Without an author the user of the machine is taken."""
    _load(kept, b"<urn:a> <urn:p> 1 .")
    assert kept.versions()[0].who


def test_a_change_that_changes_nothing_is_no_version(kept: Store) -> None:
    """Neither an empty block nor loading the same again, blank nodes included, commits."""
    data = b"<urn:a> <urn:p> [ <urn:q> 1 ] ."
    with kept.change("nothing at all"):
        pass
    assert kept.versions() == []
    with kept.change("first") as change:
        change.load(data, media_type="ttl", graph="urn:g")
    with kept.change("renewed") as change:
        change.clear("urn:g")
        change.load(data, media_type="ttl", graph="urn:g")
    with kept.change("made and dropped") as change:
        change.update("INSERT DATA { <urn:x> <urn:p> 1 }; DELETE DATA { <urn:x> <urn:p> 1 }; CREATE GRAPH <urn:empty>")
    assert [version.why for version in kept.versions()] == ["first"]


def test_an_older_version_is_opened_where_it_lies(kept: Store) -> None:
    """It answers as it did then, knows no later version, may not be changed, and stays when more is written."""
    _load(kept, b"<urn:a> <urn:p> 1 .")
    first = kept.dump("nq")
    _load(kept, b"<urn:b> <urn:p> 2 .")
    with kept.at(1) as past:
        _load(kept, b"<urn:c> <urn:p> 3 .")
        assert not past.refresh()
        assert (past.dump("nq"), past.version, past.read_only) == (first, kept.versions()[0], True)
        assert past.select("SELECT ?s { ?s ?p ?o }")["s"].to_list() == ["urn:a"]
        with pytest.raises(StoreError, match="reading only"), past.change("late") as change:
            change.load(b"<urn:d> <urn:p> 4 .", media_type="ttl")
    with kept.at(3) as newest:
        assert newest.dump("nq") == kept.dump("nq")
    with pytest.raises(StoreError, match="there is no version 4"):
        kept.at(4)


def test_versions_differ_by_what_came_and_went(kept: Store) -> None:
    """A difference names the quads on both sides, and turns round with its arguments."""
    _load(kept, b"<urn:a> <urn:p> 1, 2 .")
    with kept.change("second") as change:
        change.update("DELETE DATA { <urn:a> <urn:p> 1 }; INSERT DATA { GRAPH <urn:g> { <urn:a> <urn:p> 3 } }")
    number = b'"%d"^^<http://www.w3.org/2001/XMLSchema#integer>'
    removed, added = b"<urn:a> <urn:p> " + number % 1 + b" .\n", b"<urn:a> <urn:p> " + number % 3 + b" <urn:g> .\n"
    assert kept.diff(1, 2) == Diff(added=added, removed=removed)
    assert kept.diff(2, 1) == Diff(added=removed, removed=added)
    assert kept.diff(2, 2) == Diff(added=b"", removed=b"")


def test_a_restored_version_is_a_new_one_with_the_old_content(kept: Store) -> None:
    """History goes on forwards, and what was restored can be queried."""
    _load(kept, b"<urn:a> <urn:p> [ <urn:q> 1 ] .", graph="urn:g")
    _load(kept, b"<urn:b> <urn:p> 2 .")
    restored = kept.restore(1)
    assert restored.number == 3
    assert restored.hash == kept.versions()[0].hash
    assert "1" in restored.why
    assert kept.diff(1, 3) == Diff(added=b"", removed=b"")
    assert kept.ask("ASK { <urn:a> <urn:p>/<urn:q> 1 }")
    assert not kept.ask("ASK { <urn:b> ?p ?o }")
    assert kept.restore(3) == restored


def test_a_version_that_is_not_kept_is_an_error(kept: Store) -> None:
    """The error lists those that are."""
    _load(kept, b"<urn:a> <urn:p> 1 .")
    for use in (lambda: kept.restore(7), lambda: kept.diff(0, 1), lambda: kept.diff(1, -1)):
        with pytest.raises(StoreError, match="no version") as caught:
            use()
        assert caught.value.hint == "kept are: 1"


def test_memory_keeps_the_last_three_versions() -> None:
    """Older ones go, the numbers go on."""
    store = open_store()
    for number in range(5):
        _load(store, f"<urn:a> <urn:p> {number} .".encode())
    assert [version.number for version in store.versions()] == [3, 4, 5]
    assert store.diff(3, 5).added.count(b"\n") == 2


def test_equal_graphs_have_equal_hashes() -> None:
    """Order, repetition and the labels of blank nodes do not count; everything else does."""
    one = b'_:a <urn:p> _:b .\n_:b <urn:p> "x" <urn:g> .\n<urn:s> <urn:p> "_:a" .\n'
    two = b'<urn:s> <urn:p> "_:a" .\n_:z <urn:p> "x" <urn:g> .\n_:y <urn:p> _:z .\n_:y <urn:p> _:z .\n'
    assert canonical_hash(one) == canonical_hash(two)
    assert canonical_hash(one) != canonical_hash(one.replace(b'"x"', b'"y"'))
    assert canonical_hash(one) != canonical_hash(one.replace(b'"_:a"', b'"_:b"'))
    with pytest.raises(DataError):
        canonical_hash(b"_:a nonsense")


def test_a_graph_is_taken_out_of_the_lines_and_nothing_else() -> None:
    """A triple of the default graph whose object is the graph's name stays."""
    lines = canonical(
        b'<urn:s> <urn:p> <urn:g> .\n_:b <urn:p> <urn:g> .\n<urn:s> <urn:p> "x" <urn:g> .\n'
        b'<urn:s> <urn:p> <urn:g> <urn:g> .\n<urn:s> <urn:p> _:b <urn:g> .\n<urn:s> <urn:p> " <urn:g> ." .\n'
    )
    edit = Edit()
    edit.clear("urn:g")
    left = b"".join(edit.applied(lambda: [lines]))
    assert left.count(b"\n") == 3
    assert b'" <urn:g> ."' in left


@pytest.mark.parametrize("seed", range(8))
def test_what_a_change_says_of_its_content_is_what_the_engine_holds(tmp_path: Path, seed: int) -> None:
    """The content worked out from loads and clears equals what the engine gives back, whatever was done."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    store = open_store(tmp_path / "g")
    for _ in range(4):
        with store.change("random") as change:
            for _ in range(dice.randrange(1, 4)):
                graph = dice.choice([None, "urn:g", "urn:h"])
                if graph and dice.random() < 0.4:
                    change.clear(graph)
                elif dice.random() < 0.2:
                    change.update("DELETE WHERE { ?s <urn:n> 1.0 }")
                else:
                    number = dice.choice(["1", "01", "1.00", "1.0e0", "true", "<urn:g>", '"x"@EN', "[ <urn:q> 2 ]"])
                    change.load(f"<urn:s> <urn:n> {number} .".encode(), media_type="ttl", graph=graph)
        said, held = store.dump(), store.dump("trig")
        scratch = open_store()
        with scratch.change("compare") as change:
            change.load(held, media_type="trig")
        assert scratch.dump() == said
    store.close()


def test_blank_nodes_that_cannot_be_told_apart_in_time_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight that all point at each other take seconds, eleven hours; those that differ are named at once."""
    clique = b"\n".join(b"_:b%d <urn:p> _:b%d ." % (i, j) for i in range(11) for j in range(11) if i != j)
    monkeypatch.setattr("graphkit.store.naming._WITHIN_SECONDS", 0.5)
    with pytest.raises(DataError, match="so alike"):
        canonical_hash(clique)
    names = b"\n".join(b'_:b%d <urn:name> "%d" .' % (i, i) for i in range(11))
    assert canonical_hash(clique + b"\n" + names)


def test_many_that_are_alike_have_the_same_names_in_a_process_of_their_own() -> None:
    """A chain of twenty is named elsewhere, and however its nodes were called, its hash is the same."""
    one = b"\n".join(b"_:a%d <urn:p> _:a%d ." % (i, i + 1) for i in range(20))
    other = b"\n".join(b"_:z%d <urn:p> _:z%d ." % (90 - i, 89 - i) for i in range(20))
    assert canonical_hash(one) == canonical_hash(other)


_UPDATES = [
    "INSERT DATA { <urn:s> <urn:n> 7 . GRAPH <urn:g> { <urn:s> <urn:n> 01, 'x'@EN } }",
    "DELETE DATA { <urn:s> <urn:n> 7 . GRAPH <urn:g> { <urn:s> <urn:n> 1.00 } }",
    "PREFIX : <urn:> INSERT DATA { :s :n [] } ; INSERT DATA { :s :n 1 } ; DELETE DATA { :s :n 1 } ;",
    "DELETE WHERE { ?s <urn:n> 1.0 }",
    "DELETE WHERE { GRAPH ?g { ?s <urn:n> ?o } }",
    "PREFIX d: <urn:> WITH d:g DELETE { ?s d:n ?o } INSERT { ?s d:n 5 . GRAPH d:h { ?s d:m ?o } } WHERE { ?s d:n ?o }",
    "DELETE { GRAPH ?g { ?s ?p ?o } } INSERT { GRAPH <urn:all> { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }",
    "INSERT { ?s <urn:k> [ <urn:v> ?o ] } USING <urn:g> WHERE { ?s <urn:n> ?o FILTER(isNumeric(?o)) }",
    "INSERT { <urn:a> <urn:b> 'WHERE { DELETE' } WHERE { }",
    "INSERT { ?o <urn:b> ?z } WHERE { ?s ?p ?o OPTIONAL { ?s <urn:m> ?z } }",
    "DELETE { ?s <urn:n> ?o } INSERT { ?s <urn:n> 1 } USING NAMED <urn:g> WHERE { GRAPH ?g { ?s <urn:n> ?o } }",
    "CLEAR SILENT GRAPH <urn:h> ; INSERT DATA { <urn:c> <urn:d> 1 }",
    "COPY SILENT <urn:g> TO <urn:i>",
    "INSERT DATA { <urn:q> <urn:d> 1 } ; DELETE WHERE { ?s <urn:d> 1 }",
]


@pytest.mark.parametrize("seed", range(20))
def test_what_an_update_does_is_told_as_the_engine_does_it(tmp_path: Path, seed: int) -> None:
    """After updates of every form, mixed with loads and clears, the content is what the engine gives back."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    store = open_store(tmp_path / "g")
    for _ in range(4):
        with store.change("random") as change:
            number = dice.choice(["1", "2.50", '"x"@en', "<urn:g>"])
            change.load(f"<urn:s> <urn:n> {number}, 1 .".encode(), media_type="ttl", graph=dice.choice([None, "urn:g"]))
            for sparql in dice.sample(_UPDATES, dice.randrange(1, 5)):
                change.update(sparql)
            if dice.random() < 0.2:
                change.clear("urn:g")
        assert store.dump() == canonical(store._open().dump(format=pyoxigraph.RdfFormat.N_QUADS) or b"")
    store.close()


def test_plain_updates_are_told_without_reading_the_whole_back() -> None:
    """Data, and patterns with templates, are told in advance; what has several steps is not."""
    store = open_store()
    _load(store, b"<urn:s> <urn:n> 1, 2 .", graph="urn:g")
    told = [deltas_of(store._open(), sparql) is not None for sparql in _UPDATES]
    assert told == [True] * 11 + [False] * 3
    with store.change("an update") as change:
        change.update("INSERT DATA { <urn:s> <urn:n> 3 }")
        assert not change._updated


def test_an_update_that_is_refused_is_not_asked_as_a_query() -> None:
    """SERVICE is refused before any pattern is asked."""
    assert (
        deltas_of(pyoxigraph.Store(), "INSERT { ?s ?p ?o } WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }")
        is None
    )
