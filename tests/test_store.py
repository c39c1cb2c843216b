"""What every store does alike, wherever its quads lie."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from graphkit.errors import DataError, GraphkitError, QueryError, StoreError, UsageError
from graphkit.store import Store, open_store

TWO_GRAPHS = b"""
<urn:ann> <urn:knows> <urn:bea> <urn:g1> .
<urn:bea> <urn:knows> <urn:cem> <urn:g2> .
<urn:ann> <urn:name> "Ann"@en .
"""
WHO = "SELECT ?who ?whom { ?who <urn:knows> ?whom } ORDER BY ?who"


@pytest.fixture
def filled(store: Store) -> Store:
    """Give a store with two named graphs and one triple in the default graph."""
    with store.change("two graphs") as change:
        change.load(TWO_GRAPHS, media_type="nq")
    return store


def test_an_empty_store_answers_with_nothing(store: Store) -> None:
    """A new store has no rows, no graphs, an empty dump, and typed columns none the less."""
    assert store.select("SELECT ?s { ?s ?p ?o }").schema == {"s": pl.String}
    assert store.graphs().schema == {"graph": pl.String, "quads": pl.Int64}
    assert store.dump() == b""
    assert not store.ask("ASK { ?s ?p ?o }")


def test_queries_see_the_union_of_all_graphs(filled: Store) -> None:
    """A pattern without GRAPH matches named graphs and the default graph alike."""
    assert filled.select(WHO).rows() == [("urn:ann", "urn:bea"), ("urn:bea", "urn:cem")]
    assert filled.ask('ASK { <urn:ann> <urn:name> "Ann"@en ; <urn:knows>/<urn:knows> <urn:cem> }')


@pytest.mark.parametrize("store", ["memory", "folder", "plain_endpoint"], indirect=True)
def test_from_narrows_a_query_to_the_graphs_it_names(filled: Store) -> None:
    """FROM chooses the graphs instead of the union (a server set to make the union itself does not heed it)."""
    assert filled.select(WHO.replace("{", "FROM <urn:g2> {", 1))["who"].to_list() == ["urn:bea"]


def test_from_named_narrows_what_graph_sees(filled: Store) -> None:
    """FROM NAMED chooses the graphs that GRAPH can match."""
    named = filled.select("SELECT ?g FROM NAMED <urn:g1> { GRAPH ?g { ?s ?p ?o } }")
    assert named["g"].to_list() == ["urn:g1"]


def test_graphs_are_listed_with_their_numbers(filled: Store) -> None:
    """The default graph is no named graph, and the names come in order."""
    assert filled.graphs().rows() == [("urn:g1", 1), ("urn:g2", 1)]


def test_columns_get_the_types_of_their_values(store: Store) -> None:
    """Each kind of literal becomes the column type that the contract promises."""
    with store.change("values") as change:
        change.load(
            b"""@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
            <urn:a> <urn:v> [ <urn:int> 7 ; <urn:dec> 1.25 ; <urn:dbl> 2.5e0 ; <urn:yes> true ;
              <urn:day> "2015-12-07"^^xsd:date ; <urn:at> "2015-12-07T10:30:00Z"^^xsd:dateTime ;
              <urn:say> "caf\xc3\xa9\\n\\t\\"\\\\n"@fr ; <urn:iri> <https://example.org/x> ] .""",
            media_type="ttl",
        )
    names = ["int", "dec", "dbl", "yes", "day", "at", "say", "iri"]
    frame = store.select(
        f"SELECT {' '.join('?' + n for n in names)} ?none {{ ?b "
        + " ; ".join(f"<urn:{n}> ?{n}" for n in names)
        + " OPTIONAL { ?b <urn:none> ?none } }"
    )
    expected = pl.DataFrame(
        {
            "int": [7],
            "dec": pl.Series([Decimal("1.25")], dtype=pl.Decimal(38, 2)),
            "dbl": [2.5],
            "yes": [True],
            "day": [date(2015, 12, 7)],
            "at": pl.Series([datetime(2015, 12, 7, 10, 30, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC")),
            "say": ['café\n\t"\\n'],
            "iri": ["https://example.org/x"],
            "none": pl.Series([None], dtype=pl.String),
        }
    )
    assert_frame_equal(frame, expected)


def test_loading_tells_how_many_quads_the_source_held(store: Store, tmp_path: Path) -> None:
    """A file and bytes are counted alike, also where the store holds the quads already."""
    path = tmp_path / "two.ttl"
    path.write_text("<urn:a> <urn:p> 1, 2 .")
    with store.change("twice the same") as change:
        assert change.load(path, graph="urn:g") == 2
        assert change.load(path.read_bytes(), media_type="text/turtle; charset=utf-8", graph="urn:g") == 2
    assert store.graphs().rows() == [("urn:g", 2)]


def test_blank_nodes_of_two_sources_stay_apart(store: Store) -> None:
    """The same label in two sources means two things."""
    with store.change("two sources") as change:
        change.load(b"_:x <urn:p> 1 .", media_type="ttl")
        change.load(b"_:x <urn:p> 2 .", media_type="ttl")
    assert store.select("SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s <urn:p> ?o }").item() == 2


def test_updates_and_clears_are_part_of_a_change(filled: Store) -> None:
    """A change runs updates in their order and removes whole graphs, known or not."""
    with filled.change("tidy") as change:
        change.clear("urn:g1")
        change.clear("urn:unknown")
        change.update("PREFIX : <urn:> INSERT DATA { GRAPH :g3 { :cem :knows :dov } } ; # done\n")
        change.update("DELETE WHERE { GRAPH <urn:g2> { ?s ?p ?o } } ;")
        change.load(b"<urn:dov> <urn:knows> <urn:ann> .", media_type="ttl", graph="urn:g3")
    assert filled.graphs().rows() == [("urn:g3", 2)]
    assert filled.select(WHO)["who"].to_list() == ["urn:cem", "urn:dov"]


def test_an_error_in_the_block_leaves_all_as_it_was(filled: Store) -> None:
    """What was done before the error is undone, and the store goes on working."""
    before = filled.dump()

    def work() -> None:
        with filled.change("breaks") as change:
            change.load(b"<urn:x> <urn:p> 1 .", media_type="ttl")
            change.update("CLEAR ALL")
            raise KeyError("by the caller")

    with pytest.raises(KeyError):
        work()
    assert filled.dump() == before
    with filled.change("works again") as change:
        change.load(b"<urn:x> <urn:p> 1 .", media_type="ttl")
    assert len(filled.dump().splitlines()) == 4


def test_malformed_data_is_reported_with_line_and_column_and_changes_nothing(filled: Store, tmp_path: Path) -> None:
    """The good part of a bad file does not come in, nor what was loaded before it in the same change."""
    before, path = filled.dump(), tmp_path / "bad.ttl"
    path.write_text("<urn:a> <urn:b> <urn:c> .\n<urn:a> nope:x 1 .\n")

    def work() -> None:
        with filled.change("bad") as change:
            change.load(b"<urn:x> <urn:p> 1 .", media_type="ttl")
            change.load(path)

    with pytest.raises(DataError, match="prefix") as caught:
        work()
    assert caught.value.where == f"{path}, line 2, column 9"
    assert filled.dump() == before


def test_a_malformed_update_is_an_error_and_changes_nothing(filled: Store) -> None:
    """A syntax error is found where the update is given, with its place."""
    before = filled.dump()

    def work() -> None:
        with filled.change("bad") as change:
            change.update("CLEAR ALL")
            change.update("INSERT DATA {\n <urn:a> <urn:b> }")

    with pytest.raises(QueryError, match="update cannot be read") as caught:
        work()
    assert caught.value.where.startswith("line 2, column")
    assert filled.dump() == before


@pytest.mark.parametrize(
    "update", ["LOAD <http://127.0.0.1:1/x>", "INSERT { ?s ?p ?o } WHERE { SERVICE <urn:x> { ?s ?p ?o } }"]
)
def test_updates_that_fetch_are_refused(store: Store, update: str) -> None:
    """LOAD and SERVICE would make the store contact other servers."""
    with pytest.raises(QueryError, match="is not allowed"), store.change("fetch") as change:
        change.update(update)


def test_service_is_refused_in_queries(store: Store) -> None:
    """No query makes the store contact another server."""
    with pytest.raises(QueryError, match="SERVICE is not allowed"):
        store.select("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }")


def test_a_change_inside_a_change_is_refused(store: Store) -> None:
    """The second would wait for the first for ever."""
    with pytest.raises(StoreError, match="already open"), store.change("outer"), store.change("inner"):
        pass
    with store.change("after") as change:
        change.load(b"<urn:a> <urn:p> 1 .", media_type="ttl")
    assert store.ask("ASK { <urn:a> ?p ?o }")


def test_a_change_that_has_ended_refuses_work(store: Store) -> None:
    """Nothing can slip into a version that is committed."""
    with store.change("short") as change:
        pass
    for work in (
        lambda: change.update("CLEAR ALL"),
        lambda: change.clear("urn:g"),
        lambda: change.load(b"", media_type="ttl"),
    ):
        with pytest.raises(StoreError, match="has ended"):
            work()


def test_queries_inside_a_change_see_the_state_before_it(filled: Store) -> None:
    """What a change does is seen when it is committed, not before."""
    with filled.change("more") as change:
        change.update("CLEAR ALL")
        assert len(filled.select(WHO)) == 2
    assert len(filled.select(WHO)) == 0


def test_construct_gives_n_triples(filled: Store) -> None:
    """CONSTRUCT and DESCRIBE come as lines that any tool reads."""
    found = filled.construct("CONSTRUCT { ?b <urn:knownBy> ?a } { ?a <urn:knows> ?b }")
    assert sorted(found.splitlines()) == [
        b"<urn:bea> <urn:knownBy> <urn:ann> .",
        b"<urn:cem> <urn:knownBy> <urn:bea> .",
    ]
    assert b'"Ann"@en' in filled.construct("DESCRIBE <urn:ann>")


@pytest.mark.parametrize(
    ("query", "media_type", "start"),
    [
        ("ASK { <urn:ann> ?p ?o }", "json", b"{"),
        ("ASK { <urn:ann> ?p ?o }", "csv", b"true"),
        (WHO, "application/sparql-results+json", b"{"),
        (WHO, "xml", b"<?xml"),
        (WHO, "text/csv", b"who,whom\r\nurn:ann,urn:bea\r\n"),
        (WHO, "tsv", b"?who\t?whom\n<urn:ann>\t<urn:bea>\n"),
        ("CONSTRUCT WHERE { <urn:ann> <urn:knows> ?o }", "ttl", b""),
        ("CONSTRUCT WHERE { <urn:ann> <urn:knows> ?o }", "nq", b"<urn:ann> <urn:knows> <urn:bea> ."),
        ("CONSTRUCT WHERE { <urn:ann> <urn:knows> ?o }", "jsonld", b"["),
        ("DESCRIBE <urn:ann>", "application/trig", b""),
    ],
)
def test_any_answer_comes_in_the_format_that_was_asked_for(
    filled: Store, query: str, media_type: str, start: bytes
) -> None:
    """Suffixes and media types both name a format."""
    answer = filled.answer(query, media_type)
    assert answer.startswith(start)
    assert b"ann" in answer or b"true" in answer


def test_json_answers_hold_terms_with_their_kinds(filled: Store) -> None:
    """The JSON of an answer is the standard one."""
    found = json.loads(filled.answer("SELECT ?n { ?s <urn:name> ?n }", "json"))
    assert found["results"]["bindings"] == [{"n": {"type": "literal", "value": "Ann", "xml:lang": "en"}}]


@pytest.mark.parametrize(
    ("query", "media_type"),
    [("CONSTRUCT WHERE { ?s ?p ?o }", "csv"), (WHO, "ttl"), ("ASK {}", "nt"), (WHO, "docx")],
)
def test_a_format_that_does_not_fit_the_query_is_an_error(filled: Store, query: str, media_type: str) -> None:
    """A table cannot be Turtle, nor a graph CSV."""
    with pytest.raises(QueryError, match="cannot be answered as"):
        filled.answer(query, media_type)


def test_each_method_wants_its_own_form_of_query(store: Store) -> None:
    """select, ask and construct say so when they get another form."""
    with pytest.raises(QueryError, match="SELECT is needed here, and this is ASK"):
        store.select("ASK { ?s ?p ?o }")
    with pytest.raises(QueryError, match="this is SELECT"):
        store.ask(WHO)
    with pytest.raises(QueryError, match="CONSTRUCT or DESCRIBE"):
        store.construct(WHO)


@pytest.mark.parametrize(
    "query", ["SELECT ?x { ?x ?y", "", "nonsense", "SELECT (foo(1) AS ?x) {}", "SELECT ?x { ?x nope:p 1 }"]
)
def test_a_query_that_cannot_be_read_is_a_query_error(store: Store, query: str) -> None:
    """No error of the engine or of HTTP leaks out."""
    with pytest.raises(QueryError):
        store.select(query)


def test_dumps_come_sorted_whole_or_by_graph(filled: Store) -> None:
    """All goes as nq, one graph; formats without graph names refuse the whole."""
    assert filled.dump("nq").splitlines() == sorted(TWO_GRAPHS.strip().splitlines())
    assert filled.dump("nt", "urn:g1") == b"<urn:ann> <urn:knows> <urn:bea> .\n"
    assert b"urn:bea" in filled.dump("ttl", "urn:g2")
    assert filled.dump("nt", "urn:unknown") == b""
    assert b"urn:g1" in filled.dump("trig")
    with pytest.raises(UsageError, match="no place"):
        filled.dump("ttl")


def test_a_dump_brings_back_the_same_graph(filled: Store) -> None:
    """What was dumped and loaded again is equal, blank nodes and nasty text included."""
    with filled.change("nasty") as change:
        change.load(
            '_:x <urn:p> _:y, "tab\\t line\\n quote\\" slash\\\\ \\\\u0041 \U0001d11e" .'.encode(), media_type="ttl"
        )
    before = filled.dump()
    with filled.change("away") as change:
        change.update("CLEAR ALL")
    assert filled.dump() == b""
    with filled.change("back") as change:
        change.load(before, media_type="nq")
    assert filled.dump() == before


def test_a_closed_store_answers_nothing(store: Store) -> None:
    """Each use of a closed store says that it is closed."""
    store.close()
    for use in (lambda: store.select(WHO), store.dump, store.graphs, lambda: store.change("x").__enter__()):
        with pytest.raises(StoreError, match="closed"):
            use()


@pytest.mark.parametrize("graph", ["not an iri", "", "urn:a> { } . <urn:b"])
def test_a_graph_name_that_is_no_iri_is_refused(store: Store, graph: str) -> None:
    """A name goes into updates only as a checked term."""
    with pytest.raises(UsageError, match="cannot name a graph"), store.change("name") as change:
        change.clear(graph)
    with pytest.raises(GraphkitError):
        store.dump("nt", graph)


# ---- Changes for the protocols -----------------------------------------------------------------


def test_the_default_graph_is_cleared_and_written_by_itself(store: Store) -> None:
    """What lies in named graphs stays, and what looks like a name of a graph in a literal or object stays out."""
    with store.change("fill") as change:
        change.load(b'<urn:a> <urn:p> <urn:g>, "x <urn:g> .", "y\\""@en-GB, 1, _:b .', media_type="ttl")
        change.load(b'<urn:a> <urn:p> "named", <urn:h> .', media_type="ttl", graph="urn:g")
    assert store.has_graph(None)
    assert len(store.default_graph("nt").splitlines()) == 5
    with store.change("clear") as change:
        change.clear(None)
    assert not store.has_graph(None)
    assert store.default_graph("nt") == b""
    assert store.dump("nq") == b'<urn:a> <urn:p> "named" <urn:g> .\n<urn:a> <urn:p> <urn:h> <urn:g> .\n'


def test_a_base_completes_relative_addresses(store: Store) -> None:
    """Both a document and an update may speak relatively, if they are told to what."""
    with store.change("relative") as change:
        change.load(b"<a> <#p> <> .", media_type="ttl", graph="urn:g", base="http://example.org/x/y")
        change.update("INSERT DATA { GRAPH <urn:g> { <b> <#p> <> } }", base="http://example.org/x/y")
    assert set(store.select("SELECT ?s ?o { GRAPH <urn:g> { ?s <http://example.org/x/y#p> ?o } }").iter_rows()) == {
        ("http://example.org/x/a", "http://example.org/x/y"),
        ("http://example.org/x/b", "http://example.org/x/y"),
    }


@pytest.mark.parametrize("store", ["memory", "folder", "plain_endpoint"], indirect=True)
def test_an_update_may_be_given_its_dataset(store: Store) -> None:
    """The graphs take the place of the dataset of every pattern; Oxigraph's server that makes the union refuses it."""
    with store.change("fill") as change:
        change.load(b"<urn:a> <urn:p> 1 .", media_type="ttl", graph="urn:g")
        change.load(b"<urn:b> <urn:p> 1 .", media_type="ttl", graph="urn:h")
    with store.change("copy") as change:
        change.update(
            """INSERT { GRAPH <urn:new> { ?s <urn:as> "default" } } WHERE { ?s <urn:p> 1 } ;
            INSERT { GRAPH <urn:new> { ?s <urn:as> "named" } } WHERE { GRAPH ?any { ?s <urn:p> 1 } }""",
            using=["urn:g"],
            using_named=["urn:h"],
        )
    found = store.select("SELECT ?s ?as { GRAPH <urn:new> { ?s <urn:as> ?as } }")
    assert set(found.iter_rows()) == {("urn:a", "default"), ("urn:b", "named")}


def test_an_empty_graph_stays_until_it_is_cleared(tmp_path: Path) -> None:
    """A graph that was made is there after other changes and after opening the folder again; each makes a version."""
    for location in ("memory", tmp_path / "graph"):
        store = open_store(location)
        with store.change("make") as change:
            change.create("urn:empty")
        with store.change("fill") as change:
            change.update("INSERT DATA { GRAPH <urn:g> { <urn:a> <urn:p> 1 } } ; CLEAR GRAPH <urn:g>")
            change.load(b"<urn:a> <urn:p> 1 .", media_type="ttl")
        assert (store.has_graph("urn:empty"), store.has_graph("urn:g")) == (True, False)
        if location != "memory":
            store.close()
            store = open_store(location)
        assert store.has_graph("urn:empty")
        with store.change("remove") as change:
            change.clear("urn:empty")
        assert not store.has_graph("urn:empty")
        assert [version.graphs for version in store.versions()] == [1, 1, 0]
        store.close()


def test_blank_nodes_that_are_loaded_are_new(store: Store) -> None:
    """The same label in two documents is two things, in one change and in two."""
    with store.change("twice") as change:
        for _ in range(2):
            change.load(b"_:a <urn:p> 1 .", media_type="ttl", graph="urn:g")
    with store.change("once more") as change:
        change.load(b"_:a <urn:p> 1 .", media_type="ttl", graph="urn:g")
    assert store.select("SELECT (COUNT(DISTINCT ?s) AS ?n) { GRAPH <urn:g> { ?s <urn:p> 1 } }").item() == 3


def test_a_store_tells_whether_it_may_be_written(tmp_path: Path) -> None:
    """Who serves a store knows beforehand that no change can be made."""
    open_store(tmp_path / "graph").close()
    with open_store(tmp_path / "graph", read_only=True) as reader, open_store() as writer:
        assert (reader.read_only, writer.read_only) == (True, False)
