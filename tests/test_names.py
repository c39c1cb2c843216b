"""Things are found by their names, other names and identifiers, also where the words are not spelled right."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from graphkit import queries
from graphkit._name_index import distance, fold, words_of
from graphkit.cli import cli
from graphkit.errors import UnknownNameError
from graphkit.names import MOST_HITS, Hit, NameIndex, Names
from graphkit.ontology import load_ontology
from graphkit.store import Store, open_store
from graphkit.terms import ID, graph_iri
from tests.village_fixture import VILLAGE

MORE = """
@prefix adms: <http://www.w3.org/ns/adms#> .
@prefix id: <https://w3id.org/solidarity-graph/id/> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <https://schema.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<https://w3id.org/solidarity-graph/id/organisation/transport> rdfs:label "Community Transport"@en ;
    skos:altLabel "U.K. Rides"@en ; org:identifier "GB-CHC-1002345" ;
    adms:identifier [ a adms:Identifier ; skos:notation "CT 77" ] .
<https://w3id.org/solidarity-graph/id/organisation/coop> rdfs:label "Łódź Café Co-operative"@en ,
    "Spółdzielnia"@pl ; schema:identifier [ schema:value "PL-99" ] .
<https://w3id.org/solidarity-graph/id/activity/transport> rdfs:label "Community transport"@en .
<https://w3id.org/solidarity-graph/id/passage/transport> rdfs:label "Community Transport, line 3"@en .
"""


def _store() -> Store:
    store = open_store()
    with store.change("the village and a few more names") as change:
        load_ontology(change)
        change.load(VILLAGE, graph=graph_iri("village"))
        change.load(MORE.encode(), media_type="ttl", graph=graph_iri("more"))
    return store


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    """Give the names of the village and a few more."""
    with _store() as store:
        yield Names(store)


def _found(names: Names, words: str, kind: str = "") -> list[str]:
    return [hit.iri.removeprefix(ID) for hit in names.search(words, kind=kind)]


@pytest.mark.parametrize(
    ("words", "first", "how"),
    [
        ("Credit Union", "organisation/credit-union", "exact"),
        ("cred un", "organisation/credit-union", "words"),
        ("union credit", "organisation/credit-union", "words"),
        ("comunity transprt", "organisation/transport", "similar"),
        ("transprot comunit", "organisation/transport", "similar"),
        ("community transport", "organisation/transport", "exact"),
        ("upton bakers", "organisation/bakery", "exact"),
        ("bakrey", "organisation/bakery", "similar"),
        ("libary", "organisation/library", "similar"),
        ("uk rides", "organisation/transport", "words"),
        ("gb-chc-1002345", "organisation/transport", "exact"),
        ("GBCHC1002345", "organisation/transport", "words"),
        ("1002345", "organisation/transport", "words"),
        ("CT 77", "organisation/transport", "exact"),
        ("PL-99", "organisation/coop", "exact"),
        ("lodz cafe cooperative", "organisation/coop", "words"),
        ("ŁÓDŹ CAFÉ", "organisation/coop", "beginning"),
        ("spoldzielnia", "organisation/coop", "exact"),
        ("the Community Transport of nowhere", "organisation/transport", "part"),
    ],
)
def test_what_is_meant_comes_first(names: Names, words: str, first: str, how: str) -> None:
    """Slips of the pen, beginnings, order, diacritics, hyphens, other names and numbers all lead to the thing."""
    hit = names.search(words)[0]
    assert (hit.iri.removeprefix(ID), hit.how) == (first, how)


def test_the_hit_says_by_which_of_its_names_it_was_found(names: Names) -> None:
    """The label stays the English name."""
    (hit,) = names.search("spoldzielnia")
    assert hit == Hit(ID + "organisation/coop", "Łódź Café Co-operative", "organisation", "Spółdzielnia", 0.99, "exact")


def test_exact_comes_before_beginning_before_words_before_similar() -> None:
    """The four ranks, each in one name; an organisation first where the rank is equal."""
    texts = ["Mill", "Mill Lane", "The Mill", "Mull"]
    rows = [(f"{ID}place/{i}", "name", text) for i, text in enumerate(texts)]
    rows += [(f"{ID}organisation/{i}", "name", text) for i, text in enumerate(texts)]
    hits = NameIndex(rows).search("mill")
    assert [(hit.kind, hit.matched) for hit in hits] == [
        (kind, text) for text in texts[:3] for kind in ("organisation", "place")
    ]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    few = NameIndex([rows[0], rows[3]]).search("mill")
    assert [(hit.matched, hit.how) for hit in few] == [("Mill", "exact"), ("Mull", "similar")]


def test_the_order_is_the_same_every_time(names: Names) -> None:
    """The order of the rows and of earlier searches makes no difference."""
    rows = [(f"{ID}place/{i}", "name", f"Street {i % 7} of {i}") for i in range(200)]
    shuffled = random.Random(1).sample(rows, len(rows))  # noqa: S311
    for words in ("street", "stret 5", "of"):
        assert NameIndex(rows).search(words, limit=50) == NameIndex(shuffled).search(words, limit=50)


def test_bookkeeping_is_not_found(names: Names) -> None:
    """A passage of a source has a label, and nobody searches for it."""
    assert _found(names, "community transport") == ["organisation/transport", "activity/transport"]


def test_one_kind_can_be_asked_for(names: Names) -> None:
    """An unknown kind is an error that names the near ones."""
    assert _found(names, "comunity transport", kind="activity") == ["activity/transport"]
    with pytest.raises(UnknownNameError, match="organisation"):
        names.search("credit", kind="organization")


@pytest.mark.parametrize(
    "words",
    ["", "   ", '"', "' OR 1=1 --", "NEAR(a b)", "* : ^ ( ) { } -", 'credit" NOT "union', "\0", "é" * 5000,
     "a b " * 900, "\ud800", "%_", "label:mill"],
)  # fmt: skip
def test_no_sign_has_a_special_meaning(names: Names, words: str) -> None:
    """Hostile and endless texts are words like others."""
    assert isinstance(names.search(words), list)


def test_what_is_empty_finds_nothing_and_what_is_long_is_cut(names: Names) -> None:
    """After 200 characters nothing is read."""
    assert names.search("") == names.search(" - ") == []
    assert names.search("mill" + " " * 200 + "unheard") == names.search("mill")


def test_the_number_of_hits_is_bounded() -> None:
    """Nobody gets more than a hundred, or more than asked for."""
    index = NameIndex((f"{ID}place/{i}", "name", f"Street {i}") for i in range(300))
    assert len(index.search("street", limit=1000)) == MOST_HITS
    assert len(index.search("street", limit=3)) == 3
    assert index.search("street", limit=0) == index.search("street", limit=-1) == []


def test_an_empty_graph_has_no_names() -> None:
    """Nothing is found, and nothing fails."""
    assert Names(open_store()).search("mill") == []


@pytest.mark.parametrize(
    ("typed", "word", "slips"),
    [("mill", "mill", 0), ("mil", "mill", 1), ("mlil", "mill", 1), ("mull", "mill", 1), ("milll", "mill", 1),
     ("", "mill", 4), ("mill", "", 4), ("abcd", "badc", 2)],
)  # fmt: skip
def test_slips_are_counted(typed: str, word: str, slips: int) -> None:
    """Adding, dropping, changing and swapping cost one each, in both directions."""
    assert distance(typed, word) == distance(word, typed) == slips


def test_folding_leaves_other_scripts_readable() -> None:
    """Greek and Cyrillic words stay words."""
    assert words_of(fold("Κοινωνία & Общество №5")) == ["κοινωνια", "and", "общество", "no5"]


def _wait_for(names: Names, words: str) -> list[Hit]:
    for _ in range(200):
        if hits := names.search(words):
            return hits
        time.sleep(0.02)
    return []


def test_a_new_version_is_searched_soon_and_the_old_one_answers_until_then() -> None:
    """After a change no search fails, and the new name is found after a moment."""
    with _store() as store:
        names = Names(store)
        assert names.search("zanzibar") == []
        with store.change("a new name") as change:
            change.update(f'INSERT DATA {{ <{ID}place/z> <http://www.w3.org/2000/01/rdf-schema#label> "Zanzibar" }}')
        assert names.search("mill")
        assert [hit.iri for hit in _wait_for(names, "zanzibar")] == [ID + "place/z"]


def test_many_may_search_at_once(names: Names) -> None:
    """Threads that search a new index together get the same answer, and it is built once."""
    with _store() as store:
        fresh, found = Names(store), list[list[Hit]]()
        threads = [threading.Thread(target=lambda: found.append(fresh.search("cred un"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [names.search("cred un")] * 8


def test_a_hundred_thousand_names_are_read_in_seconds_and_searched_in_milliseconds() -> None:
    """The bounds are loose, for slow machines: 20 s to build, 100 ms for a search with slips in every word."""
    chance = random.Random(7)  # noqa: S311
    parts = ["com", "mu", "ni", "ty", "trans", "port", "cred", "wes", "sex", "farm", "hou", "sing", "li", "bra", "ry"]
    words = ["".join(chance.choices(parts, k=chance.randint(2, 4))) for _ in range(40_000)]
    rows = [(f"{ID}place/{i}", "name", " ".join(chance.choices(words, k=3))) for i in range(100_000)]
    started = time.perf_counter()
    index = NameIndex([*rows, (ID + "organisation/t", "name", "Wessex Community Transport")])
    built = time.perf_counter() - started
    started = time.perf_counter()
    hits = index.search("wesex comunity transprt")
    searched = time.perf_counter() - started
    print(f"100,001 names built in {built:.2f} s, searched in {searched * 1000:.1f} ms")  # noqa: T201
    assert hits[0].iri == ID + "organisation/t"
    assert built < 20
    assert searched < 0.1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store on disk with the village."""
    place = tmp_path_factory.mktemp("names") / "store"
    with open_store(place) as store, store.change("the village") as change:
        change.load(VILLAGE, graph=graph_iri("village"))
    return place


def test_the_command_prints_hits(folder: Path) -> None:
    """`graphkit search` takes words without quotes and prints a table, CSV or JSON."""
    done = CliRunner().invoke(cli, ["search", "credt", "unoin", "--store", str(folder), "-f", "json"])
    assert done.exit_code == 0, done.output
    hits = json.loads(done.stdout)
    assert hits[0]["iri"] == ID + "organisation/credit-union"
    assert hits[0].keys() == {"iri", "label", "kind", "matched", "score"}
    nothing = CliRunner().invoke(cli, ["search", "zzzz", "--store", str(folder), "-f", "csv"])
    assert (nothing.exit_code, nothing.stdout) == (0, "iri,label,kind,matched,score\n")


def test_the_stored_query_reads_what_it_promises(names: Names) -> None:
    """Each text once for each thing and use, without the blank nodes in between."""
    with _store() as store:
        frame = queries.run(store, "explore/names")
    mine = frame.filter(frame["thing"] == ID + "organisation/coop")
    assert mine.select("use", "text").rows() == [
        ("identifier", "PL-99"),
        ("name", "Łódź Café Co-operative"),
        ("other name", "Spółdzielnia"),
    ]
