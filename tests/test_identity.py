"""Records of one organisation are found, joined or put up for review, and people's decisions are obeyed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from rdflib import Graph, URIRef

from graphkit import identity, queries
from graphkit.check import check
from graphkit.errors import DataError, GraphkitError, MissingExtraError, UnknownNameError, UsageError
from graphkit.identity import Decision, Resolution
from graphkit.identity.decisions import DECISIONS_GRAPH, REVIEW_COLUMNS
from graphkit.identity.records import load_records, numbers
from graphkit.network import load_network
from graphkit.store import Store, open_store
from graphkit.terms import PREFIXES, graph_iri
from tests.identity_fixture import FUNDS, GRANTS, ORGANISATION, REGISTER, county, iri

DAY = date(2024, 3, 1)
WEAVERS = (iri(REGISTER, "r1"), iri(GRANTS, "gb-coh-00000011"))
SHOP = (iri(REGISTER, "r2"), iri(GRANTS, "marlcombe"), iri(FUNDS, "marlcombe-community-shop-109876"))
QUILL = (iri(REGISTER, "r3"), iri(GRANTS, "quill"))
ORCHARDS = (iri(REGISTER, "r4"), iri(REGISTER, "r5"), iri(FUNDS, "hennock"))
PRINTERS = (iri(REGISTER, "r8"), iri(GRANTS, "wickham"))


@pytest.fixture
def store() -> Iterator[Store]:
    """Give a county of its own to a test that changes it."""
    opened = county()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def found() -> Resolution:
    """Share what a run finds in the county."""
    with county() as opened:
        return identity.resolve(opened, today=DAY)


def _clusters(found: Resolution) -> set[frozenset[str]]:
    parts = found.clusters.group_by("cluster").agg("record")["record"]
    return {frozenset(part) for part in parts}


def _link(found: Resolution, one: str, other: str) -> dict[str, object] | None:
    both = found.links.filter(pl.col("left") == min(one, other), pl.col("right") == max(one, other))
    return both.row(0, named=True) if both.height else None


# ---- Finding -------------------------------------------------------------------------------------------


def test_records_gather_what_a_source_says(store: Store) -> None:
    """A record has its names, its official numbers in full length, and its source without the snapshot."""
    records = {row["record"]: row for row in load_records(store).iter_rows(named=True)}
    weavers = records[WEAVERS[1]]
    assert (weavers["label"], weavers["ids"], weavers["source"]) == (
        "Otterford Weavers",
        ["GB-COH-00000011"],
        "grants-x",
    )
    assert records[SHOP[2]]["source"] == "funds-x/north"
    assert records[SHOP[0]]["number"] == "R2"


def test_a_record_that_is_only_numbered_has_no_name() -> None:
    """A label made of the number that the source gives is no name to compare, unless the number is official."""
    lines = "".join(
        f'o:{local} a org:Organization ; rdfs:label "Participant {number}" ; dcterms:identifier "{number}" .\n'
        for local, number in (("first", "998616262"), ("second", "998616263"), ("third", "GB-COH-00000012"))
    )
    prefixes = "".join(f"@prefix {name}: <{space}> .\n" for name, space in PREFIXES.items())
    with open_store() as opened:
        with opened.change("a list of numbers") as change:
            text = f"{prefixes}@prefix o: <{ORGANISATION}> .\n{lines}"
            change.load(text.encode(), media_type="ttl", graph=graph_iri("numbered/2020"))
        assert load_records(opened)["record"].to_list() == [f"{ORGANISATION}third"]


def test_a_source_that_numbers_its_records_is_a_list(store: Store) -> None:
    """Numbers of its own count for a source that gives one to each record, and for no other."""
    assert set(numbers(load_records(store))["list"]) == {"GB-COH", "coops-x"}


def test_equal_numbers_and_names_with_places_join(found: Resolution) -> None:
    """An equal official number joins; so do legal forms, numbers behind names and trading names at one postcode."""
    assert _clusters(found) == {frozenset(WEAVERS), frozenset(SHOP), frozenset(QUILL)}


def test_a_link_says_how_it_was_found(found: Resolution) -> None:
    """Each link has confidence, method and a reason in words."""
    weavers, shop = _link(found, *WEAVERS), _link(found, SHOP[0], SHOP[1])
    assert weavers is not None
    assert (weavers["confidence"], weavers["method"], weavers["reason"]) == (
        1.0, "equal identifier", "both have GB-COH-00000011",
    )  # fmt: skip
    assert shop is not None
    assert shop["method"] == "names and places"
    assert "marlcombe community shop" in str(shop["reason"])
    assert "same postcode" in str(shop["reason"])


def test_the_record_with_an_official_number_stands_for_the_others(found: Resolution) -> None:
    """Then the one about which most is said, then the first by name."""
    chosen = dict(found.preferred.rows())
    assert chosen == {WEAVERS[1]: WEAVERS[0], SHOP[1]: SHOP[0], SHOP[2]: SHOP[0], QUILL[1]: QUILL[0]}
    with county(more=f'<{SHOP[2]}> org:identifier "GB-COH-00000077" .') as changed:
        chosen = dict(identity.resolve(changed).preferred.rows())
    assert chosen[SHOP[0]] == SHOP[2]


def test_two_numbers_of_one_list_are_for_review(found: Resolution) -> None:
    """Equal names at one postcode do not join records with two company numbers; the reason names both."""
    link = _link(found, *PRINTERS)
    assert link is not None
    assert link["joins"] is False
    assert link["conflict"] == "other numbers of the list GB-COH: GB-COH-00000088 and GB-COH-00000099"


def test_where_two_fit_equally_well_neither_is_chosen(found: Resolution) -> None:
    """A record that could be either of two in a register is joined with none of them."""
    joins = [link["joins"] for other in ORCHARDS[:2] if (link := _link(found, other, ORCHARDS[2]))]
    assert joins == [False, False]


def test_branches_are_not_their_parent(found: Resolution) -> None:
    """Lodges with other numbers and the order that they belong to are not linked, although they share a house."""
    lodges = [iri(REGISTER, "r6"), iri(REGISTER, "r7"), iri(GRANTS, "lodge")]
    assert [_link(found, a, b) for a in lodges for b in lodges if a < b] == [None, None, None]


def test_part_and_whole_are_two() -> None:
    """What a source calls a part of another is not linked with it, whatever their names."""
    with county(more=f"<{QUILL[1]}> org:subOrganizationOf <{QUILL[0]}> .") as opened:
        assert _link(identity.resolve(opened), *QUILL) is None


def test_same_as_is_not_a_function() -> None:
    """A record with two numbers of one list is linked with a holder of one of them for review, and joins neither."""
    two = 'org:identifier "GB-COH-00000088" , "GB-COH-00000099" .'
    more = f'o:table-x.m1 a org:Organization ; rdfs:label "Nine Elders"@en ; {two}'
    with county(more=more) as opened:
        found = identity.resolve(opened)
    links = [_link(found, f"{ORGANISATION}table-x.m1", other) for other in PRINTERS]
    assert [(link["confidence"], link["joins"]) for link in links if link] == [(0.85, False)] * 2


def test_a_higher_threshold_joins_less(store: Store) -> None:
    """Only equal numbers reach certainty; a threshold that is no probability is refused."""
    assert _clusters(identity.resolve(store, threshold=1)) == {frozenset(WEAVERS)}
    with pytest.raises(UsageError, match=r"the threshold is 1\.5"):
        identity.resolve(store, threshold=1.5)


def test_an_empty_store_has_nothing_to_join() -> None:
    """Without records a run finds nothing and says so."""
    with open_store() as empty:
        assert identity.in_words(identity.resolve(empty)).startswith("0 records of 0 sources, 0 links.")


def test_without_the_library_the_error_tells_how_to_install(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Splink is an extra; where it is absent, the error holds the line that installs it."""
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'solidarity-graphkit\[identity\]'"):
        identity.resolve(store)


# ---- Keeping -------------------------------------------------------------------------------------------


def test_a_run_is_kept_as_statements_that_keep_to_the_shapes(store: Store, found: Resolution) -> None:
    """Links with confidence, method, date, tool and sources; one preferred record each; nothing is owl:sameAs."""
    identity.save(store, found)
    assert list(check(store).iter_rows(named=True)) == []
    graph = Graph().parse(data=store.dump("nt", identity.IDENTITY_GRAPH), format="nt")
    assert (None, URIRef(PREFIXES["owl"] + "sameAs"), None) not in graph
    links = queries.run(store, "identity/links", record=WEAVERS[1])
    assert links.select("relation", "method", "date").rows() == [("exact", "DatabaseCrossReferenceMatching", DAY)]
    sources = sorted(
        str(each) for each in graph.objects(URIRef(links["link"].item()), URIRef(PREFIXES["sssom"] + "mapping_source"))
    )
    assert [each.rpartition("graph/")[2] for each in sources] == [REGISTER, GRANTS]


def test_the_same_run_changes_nothing(store: Store) -> None:
    """A second run of the same day gives the same statements."""
    identity.save(store, identity.resolve(store, today=DAY))
    first = store.dump("nt", identity.IDENTITY_GRAPH)
    identity.save(store, identity.resolve(store, today=DAY))
    assert store.dump("nt", identity.IDENTITY_GRAPH) == first


def test_members_can_be_asked_by_any_record(store: Store, found: Resolution) -> None:
    """The page of an organisation gets all its records, whichever is given."""
    identity.save(store, found)
    asked = [queries.run(store, "identity/members", organisation=each)["record"].to_list() for each in SHOP]
    assert asked == [sorted(SHOP)] * 3
    assert queries.run(store, "identity/members", organisation=PRINTERS[0]).is_empty()


def test_networks_see_one_organisation(store: Store, found: Resolution) -> None:
    """The ties of all records are those of the record that stands for them."""
    tie = f"g:one a schema:MonetaryGrant ; schema:funder <{PRINTERS[0]}> ; sol:recipient <{SHOP[1]}> ."
    with county(more=tie) as opened:
        assert SHOP[1] in load_network(opened, "networks/funding").organisations
        identity.save(opened, found)
        network = load_network(opened, "networks/funding")
    assert SHOP[0] in network.organisations
    assert SHOP[1] not in network.organisations


def test_undo_parts_the_records_and_keeps_the_decisions(store: Store, found: Resolution) -> None:
    """After undo every record stands for itself, decisions stay, and the version before can be restored."""
    identity.decide(store, [Decision(*PRINTERS, "accepted")], today=DAY)
    identity.save(store, found)
    with_run = store.version
    assert identity.undo_run(store)
    assert queries.run(store, "identity/preferred").is_empty()
    assert identity.load_decisions(store).height == 1
    assert not identity.undo_run(store)
    assert with_run is not None
    store.restore(with_run.number)
    assert queries.run(store, "identity/preferred").height == 4


# ---- Deciding ------------------------------------------------------------------------------------------


def test_runs_obey_decisions(store: Store) -> None:
    """An accepted pair joins in spite of two numbers, a rejected one never does, not even by way of a third."""
    said = [Decision(*PRINTERS, "accepted", "The registrar", "moved to a new number"),
            Decision(SHOP[0], SHOP[1], "rejected", "The registrar")]  # fmt: skip
    assert identity.decide(store, said, today=DAY) == 2
    found = identity.resolve(store)
    clusters = _clusters(found)
    assert frozenset(PRINTERS) in clusters
    assert not any({SHOP[0], SHOP[1]} <= cluster for cluster in clusters)
    link = _link(found, *PRINTERS)
    assert link is not None
    assert link["method"] == "decided by a person"
    assert str(link["reason"]).startswith("accepted by The registrar (moved to a new number)")
    identity.save(store, found)
    assert check(store).is_empty()


def test_a_person_can_join_what_no_run_would_find(store: Store) -> None:
    """A decision about two records that have nothing in common is obeyed too."""
    pair = (iri(FUNDS, "nobody"), PRINTERS[0])
    identity.decide(store, [Decision(*pair, "accepted")])
    assert frozenset(pair) in _clusters(identity.resolve(store))


def test_the_newest_decision_counts_and_the_others_stay(store: Store) -> None:
    """A change of mind replaces the decision before; the same words again change nothing."""
    identity.decide(store, [Decision(*PRINTERS, "accepted")], today=DAY)
    identity.decide(store, [Decision(*PRINTERS, "rejected")], today=DAY)
    assert identity.decide(store, [Decision(PRINTERS[1], PRINTERS[0], "rejected")], today=date(2024, 4, 1)) == 0
    assert identity.load_decisions(store).select("verdict", "date").rows() == [("rejected", DAY)]
    assert queries.run(store, "identity/decisions").height == 2
    assert check(store).filter(pl.col("check") != "labels-shared").is_empty()


@pytest.mark.parametrize(
    ("decision", "error", "words"),
    [
        (Decision(*PRINTERS, "perhaps"), UnknownNameError, "no verdict is called 'perhaps'"),
        (Decision(PRINTERS[0], ORGANISATION + "gone", "accepted"), UnknownNameError, "no record is called .*gone'"),
        (Decision(PRINTERS[0], PRINTERS[0], "accepted"), UsageError, "about one record only"),
        (Decision(*PRINTERS, "accepted", "", "x" * 2001), UsageError, "the note has 2001 characters"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(
    store: Store, decision: Decision, error: type[GraphkitError], words: str
) -> None:
    """Nothing is kept of decisions of which one is wrong."""
    with pytest.raises(error, match=words):
        identity.decide(store, [Decision(*WEAVERS, "accepted"), decision])
    assert not store.has_graph(DECISIONS_GRAPH)


def test_the_review_goes_to_a_file_and_back(store: Store, found: Resolution, tmp_path: Path) -> None:
    """What is for review is written with all that one needs to judge; the verdicts filled in there are read."""
    identity.save(store, found)
    path = tmp_path / "review.csv"
    assert identity.export_review(identity.load_review(store), path) == found.for_review.height
    frame = pl.read_csv(path, infer_schema=False)
    assert tuple(frame.columns) == REVIEW_COLUMNS
    mine = (pl.col("left") == PRINTERS[0]) & (pl.col("right") == PRINTERS[1])
    row = frame.filter(mine).row(0, named=True)
    assert row["left_label"] == "Wickham Printers Limited"
    assert row["conflict"] == "other numbers of the list GB-COH: GB-COH-00000088 and GB-COH-00000099"
    frame.with_columns(verdict=pl.when(mine).then(pl.lit("Yes ")).otherwise("verdict")).write_csv(path)
    decisions = identity.import_review(path)
    assert decisions == [Decision(*PRINTERS, "accepted")]
    identity.decide(store, decisions)
    assert identity.load_review(store).filter(mine).is_empty()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("left,right,verdict\na,b,accepted\na,b,maybe\n", r"'maybe' is no verdict(.|\n)*review.csv, row 3"),
        ("left,verdict\na,accepted\n", "lacks the column right"),
        ("", "cannot be read"),
    ],
)
def test_a_broken_review_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """The error names the file, and the row of a verdict that is none."""
    path = tmp_path / "review.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        identity.import_review(path)


# ---- Judging -------------------------------------------------------------------------------------------


def test_names_are_judged_by_numbers_that_they_do_not_see(store: Store) -> None:
    """Four pairs share a number, one of them also a name; a pair of one name and other numbers counts as wrong."""
    weavers = 'rdfs:label "Otterford Weavers Limited"@en ; org:identifier "GB-COH-00000011" .'
    elders = 'rdfs:label "Nine Elders"@en ; org:identifier "GB-COH-00000088" .'
    more = f"o:table-x.m1 a org:Organization ; {weavers}\no:table-x.m2 a org:Organization ; {elders}"
    with county(more=more) as opened:
        frame = identity.evaluate(opened)
    everything = frame.filter(pl.col("sources") == "all", pl.col("level") == "possible").row(0, named=True)
    assert [everything[name] for name in ("gold", "right", "wrong", "precision", "recall")] == [4, 1, 1, 0.5, 0.25]
    assert everything["recall_low"] < everything["recall"] < everything["recall_high"]
    pairs = frame.filter(pl.col("level") == "strict")["sources"].to_list()
    assert pairs == ["all", "coops-x and funds-x/north", "coops-x and grants-x", "funds-x/north and grants-x",
                     "grants-x and more"]  # fmt: skip


def test_labels_judge_each_level(found: Resolution, tmp_path: Path) -> None:
    """Pairs that a person judged give the precision of what joins, with its interval."""
    path = tmp_path / "labels.csv"
    path.write_text(f"left,right,same\n{SHOP[1]},{SHOP[0]},true\n{QUILL[0]},{QUILL[1]},false\n")
    frame = identity.judged_by_labels(found.links, identity.load_labels(path))
    assert frame.select("level", "links", "labelled", "right", "precision").row(0) == ("joined", 5, 2, 1, 0.5)
    path.write_text("left,right,same\na,b,perhaps\n")
    with pytest.raises(DataError, match=r"'perhaps' is no label(.|\n)*row 2"):
        identity.load_labels(path)
