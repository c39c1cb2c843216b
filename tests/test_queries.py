"""Reading, binding and running stored queries, and the rules that derive what follows."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import rdflib
from rdflib.namespace import RDF, SH

from graphkit import queries
from graphkit.errors import DataError, QueryError, UnknownNameError, UsageError
from graphkit.store import Limits, ReaderPool, Store, open_store
from graphkit.terms import GRAPH, ID, PREFIXES, QUERY, SOL
from tests.village_fixture import village_store

_GOOD = """#+ summary: Places
#+ description: |
#+   For looking around.
#+ tags: [explore, place]
#+ params:
#+   region: {type: iri, class: sol:Region, label: Region, about: A place}
#+ columns:
#+   place: a place
#+   name: its name
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX geo: <http://www.opengis.net/ont/geosparql#>

SELECT ?place (STR(?label) AS ?name)
WHERE {
  VALUES ?region { UNDEF }
  ?place geo:sfWithin ?region ; rdfs:label ?label .
}
ORDER BY ?place
"""
_ECHO = """#+ summary: The value itself
#+ params:
#+   value: {{type: {type}, label: Value}}
#+ columns:
#+   value: the value
SELECT ?value WHERE {{ VALUES ?value {{ UNDEF }} }} ORDER BY ?value
"""


def _file(folder: Path, text: str, name: str = "mine.rq") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# ---- Reading ---------------------------------------------------------------------------------


def test_a_header_tells_all_about_a_query(tmp_path: Path) -> None:
    """Summary, description, tags, parameters with defaults, columns and form come from the file."""
    query = queries.load_query(_file(tmp_path, _GOOD), "explore/mine")
    assert (query.name, query.form, query.summary) == ("explore/mine", "SELECT", "Places")
    assert (query.description, query.tags) == ("For looking around.", ("explore", "place"))
    assert query.columns == {"place": "a place", "name": "its name"}
    assert query.parameters == (queries.Parameter("region", "iri", "Region", "A place", "sol:Region", None),)
    assert query.iri == QUERY + "explore/mine"


def test_what_stands_in_the_block_is_the_default(tmp_path: Path) -> None:
    """A VALUES block with terms gives the parameter's default as they stand there."""
    query = queries.load_query(_file(tmp_path, _GOOD.replace("{ UNDEF }", "{ <urn:a>\n <urn:b> }")))
    assert query.parameters[0].default == "<urn:a> <urn:b>"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("#+ summary: Places\n", "", 1, "does not say 'summary'"),
        ("#+ tags: [explore, place]", "#+ tags: [explore", 5, "not good YAML"),
        ("#+ tags: [explore, place]", "#+ tags: explore", 4, "'tags' in the header is not a list"),
        ("#+ tags:", "#+ tag:", 4, "no word of a query's header is called 'tag'"),
        ("about: A place", "abut: A place", 6, "is called 'abut'"),
        ("label: Region", "label: yes", 6, "is True and not a text"),
        (", label: Region", "", 6, "does not say 'params.region.label'"),
        ("type: iri", "type: irri", 6, "no type of parameter is called 'irri'"),
        ("#+   region: {", "#+   regions: {", 6, "'regions' has no VALUES block"),
        ("#+ params:\n#+   region: {type: iri, class: sol:Region, label: Region, about: A place}\n", "", 13, "?region"),
        ("#+   name: its name", "#+   names: its name", 7, "(place, names) are not those of the query (place, name)"),
        ("#+   name: its name", "#+   place: again", 9, "says 'columns.place' twice"),
        ("#+ columns:\n#+   place: a place\n#+   name: its name\n", "", 1, "columns of the header (none)"),
        ("#+   name: its name", "#+   name:", 9, "does not say 'columns.name'"),
        ("SELECT ?place (STR(?label) AS ?name)", "SELECT *", 13, "answers '*'"),
        ("ORDER BY ?place", "", 17, "no ORDER BY"),
        ("ORDER BY ?place", "ORDER BY ?place LIMIT 5", 18, "no LIMIT"),
        ("ORDER BY ?place", "ORDER BY ?place\noffset 5", 19, "no LIMIT and no OFFSET"),
        ("{ UNDEF }", "{ }", 15, "is empty"),
        ("?label .\n}", "?label .\n", 14, "'{' is not closed"),
        ("?label .\n}", "?label .\n})", 17, "')' closes nothing"),
        ("rdfs:label ?label", 'rdfs:label "?label', 16, "a string is not closed"),
    ],
)
def test_a_fault_of_a_file_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    """Each way to spoil a stored query is a DataError that names the file, the line and the fault."""
    assert old in _GOOD
    path = _file(tmp_path, _GOOD.replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        queries.load_query(path)
    assert words in caught.value.what
    assert caught.value.where == f"{path}:{line}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT ?a WHERE { ?a ?b ?c } ORDER BY ?a", "has no header"),
        ("#+ just words\nSELECT ?a WHERE { ?a ?b ?c } ORDER BY ?a", "not a list of words"),
        ("#+ summary: An update\nCLEAR ALL", "has none of SELECT"),
        ("#+ summary: x\n#+ columns: {a: b}\nASK { ?a ?b ?c }", "ASK query has no columns"),
        (_GOOD.replace("?place geo", "VALUES ?region { <urn:a> } ?place geo"), "hold different terms"),
    ],
)
def test_what_is_no_stored_query_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """A file without a header, an update, or one with contradicting defaults is a DataError."""
    with pytest.raises(DataError, match=r"where: .*mine\.rq:") as caught:
        queries.load_query(_file(tmp_path, text))
    assert words in caught.value.what


def test_comments_strings_and_addresses_hide_nothing_and_pretend_nothing(tmp_path: Path) -> None:
    """VALUES blocks, braces, LIMIT and ORDER BY inside comments, strings and IRIs are no syntax."""
    tricky = _GOOD.replace(
        "  ?place geo",
        "  # VALUES ?ghost { UNDEF } {{{ \" ' LIMIT 5\n"
        '  BIND(\'VALUES ?ghost { UNDEF } \\\' }\' AS ?x1) BIND("""" } LIMIT 5 """ AS ?x2)\n'
        "  BIND(<http://example.org/values?ghost=LIMIT#frag> AS ?x3) FILTER(1 < 2 && 3 > 2)\n"
        "  { SELECT ?place WHERE { VALUES (?free ?form) { (1 2) } ?place ?p ?o } LIMIT 5 }\n"
        "  ?place geo",
    )
    query = queries.load_query(_file(tmp_path, tricky))
    assert [slot.name for slot in query.slots] == ["region"]
    bound = queries.bind(query, {"region": "place/valley"})
    assert bound == tricky.replace("VALUES ?region { UNDEF }", f"VALUES ?region {{ <{ID}place/valley> }}")


def test_a_text_of_ones_own_needs_no_header() -> None:
    """Without a path a query may answer *, have LIMIT and VALUES, and say nothing about itself."""
    query = queries.parse_query("SELECT * WHERE { VALUES ?a { 1 2 } } LIMIT 1", "-e")
    assert (query.form, query.parameters, dict(query.columns)) == ("SELECT", (), {})


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    """A file that is missing, or is no UTF-8, is a DataError that names it."""
    (tmp_path / "latin.rq").write_bytes(b"#+ summary: caf\xe9\n")
    for name in ("missing.rq", "latin.rq"):
        with pytest.raises(DataError, match=name):
            queries.load_query(tmp_path / name)


def test_the_path_is_the_name_and_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """A folder's catalogue has its files by path; find follows an edit of the file."""
    path = _file(tmp_path, _GOOD, "funding/mine.rq")
    assert list(queries.catalogue(tmp_path)) == ["funding/mine"]
    path.write_text(_GOOD.replace("summary: Places", "summary: Other places"))
    assert queries.find("funding/mine", tmp_path).summary == "Other places"


def test_an_unknown_name_lists_the_near_ones() -> None:
    """A misspelt query is an UnknownNameError with suggestions; a path outside the folder is just unknown."""
    with pytest.raises(UnknownNameError, match="networks/collaboration"):
        queries.find("networks/colaboration")
    with pytest.raises(UnknownNameError):
        queries.find("../queries/explore/counts")


def test_a_query_is_found_by_its_iri() -> None:
    """What sol:monitoredBy points to finds the query."""
    assert queries.find(QUERY + "monitor/recognition").name == "monitor/recognition"


# ---- Binding ---------------------------------------------------------------------------------


def _echo(kind: str) -> queries.Query:
    return queries.parse_query(_ECHO.format(type=kind), "echo")


@pytest.mark.parametrize(
    ("value", "iri"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("urn:isbn:0451450523", "urn:isbn:0451450523"),
        ("sol:Region", SOL + "Region"),
        ("voc:kind/cooperative", PREFIXES["voc"] + "kind/cooperative"),
        ("place/valley", ID + "place/valley"),
    ],
)
def test_an_iri_may_be_written_short(value: str, iri: str) -> None:
    """A full IRI, a known prefix and kind/slug all become the full IRI."""
    assert f"{{ <{iri}> }}" in queries.bind(_echo("iri"), {"value": value})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[("iri", f"https://example.org/{bad}x") for bad in '<>"{}|^`\\ \n\t\x00\x7f'],
        *[("iri", bad) for bad in ("", "valley", "place/", "nope:Region", "place/a/b", "place/a b", "a}", "sol:a> }")],
        *[("date", bad) for bad in ("", "2024", "2024-13-01", "2024-02-30", "20240201", "2024-W01-1", "2024-01-01Z")],
        *[("integer", bad) for bad in ("", "1.0", "one", "1 2", "٣", "1}")],
        *[("decimal", bad) for bad in ("", ".", "1e3", "NaN", "1,5", "1}", "INF")],
        *[("boolean", bad) for bad in ("", "yes", "True", "1", "true}")],
        ("text", "\ud800"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(kind: str, value: str) -> None:
    """A value that its type does not allow is a UsageError that names the parameter and the query."""
    with pytest.raises(UsageError, match=r"'value' takes an? ") as caught:
        queries.bind(_echo(kind), {"value": value})
    assert caught.value.where == "echo"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "plain",
        "quote \" and ' and \"\"\" and '''",
        '"',
        '""',
        'ends with "',
        "\\",
        '\\"',
        "ends with \\",
        "line\nbreak\r\nand\ttab",
        '"""\n"',
        '" } ?s ?p ?o . # ',
        "UNDEF } } ; DROP ALL #",
        '"@en } UNION { ?s ?p ?o',
        '"^^<urn:x> } #',
        "\\u0022 } #",
        "\\u005C\\u0022 } #",
        "é 漢 😀 \u202e",
    ],
)
def test_no_text_breaks_out_of_its_block(village: Store, value: str) -> None:
    """Any text comes back as itself, so it was bound as one string and nothing else."""
    frame = queries.run(village, _echo("text"), value=value)
    assert frame["value"].to_list() == [value]


@pytest.mark.parametrize(
    ("kind", "value", "term"),
    [
        ("date", "2024-02-29", '"2024-02-29"^^<http://www.w3.org/2001/XMLSchema#date>'),
        ("integer", "-007", '"-007"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ("decimal", "+.50", '"+.50"^^<http://www.w3.org/2001/XMLSchema#decimal>'),
        ("boolean", "true", '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'),
    ],
)
def test_a_typed_value_keeps_its_type(village: Store, kind: str, value: str, term: str) -> None:
    """Dates, numbers and truth values are bound as literals of their datatype, and the engine reads them."""
    assert f"{{ {term} }}" in queries.bind(_echo(kind), {"value": value})
    assert queries.run(village, _echo(kind), value=value).height == 1


def test_several_values_are_alternatives(village: Store) -> None:
    """A sequence of values stands in the block side by side; an empty one is refused."""
    frame = queries.run(village, _echo("integer"), value=["1", "2"])
    assert frame["value"].to_list() == [1, 2]
    with pytest.raises(UsageError, match="no value"):
        queries.bind(_echo("integer"), {"value": []})


def test_all_blocks_of_a_parameter_are_bound() -> None:
    """A parameter that stands in several blocks gets its value in each."""
    bound = queries.bind(queries.find("networks/collaboration"), {"ignored_role": "voc:role/subject"})
    assert bound.count(f"VALUES ?ignored_role {{ <{PREFIXES['voc']}role/subject> }}") == 3


def test_an_unknown_parameter_lists_the_near_ones() -> None:
    """A misspelt parameter is an UnknownNameError that names the query and the near parameters."""
    with pytest.raises(UnknownNameError, match="region") as caught:
        queries.bind(queries.find("explore/organisations"), {"regoin": "place/valley"})
    assert caught.value.where == "explore/organisations"


# ---- Running ---------------------------------------------------------------------------------


def test_run_answers_the_columns_of_the_header(village: Store) -> None:
    """A stored query is answered as a frame whose columns are those of its header."""
    frame = queries.run(village, "explore/organisations", kind="voc:kind/mutual")
    assert frame.columns == list(queries.find("explore/organisations").columns)
    assert frame["label"].to_list() == ["Credit Union"]


def test_an_answer_without_its_columns_is_an_error(village: Store) -> None:
    """An answer that breaks the column contract is a QueryError that names the query."""
    query = replace(queries.find("explore/labels"), columns={"thing": "a thing", "name": "its name"})
    with pytest.raises(QueryError, match="columns thing, label and not thing, name") as caught:
        queries.run(village, query, thing="place/upton")
    assert caught.value.where == "explore/labels"


def test_each_form_has_its_own_way_to_run(village: Store) -> None:
    """Run refuses a rule, construct refuses a table."""
    with pytest.raises(UsageError, match="CONSTRUCT and not a SELECT"):
        queries.run(village, "build/types")
    with pytest.raises(UsageError, match="SELECT and not a CONSTRUCT"):
        queries.construct(village, "explore/counts")


_MIXED = """SELECT DISTINCT ?thing ?value WHERE {
  VALUES (?thing ?value) {
    (<urn:b> "Mill") (<urn:b> <https://example.org/a>) (<urn:b> UNDEF) (<urn:a> "Élan") (<urn:a> "mill")
    (<urn:a> "Mill") (<urn:a> <urn:z>) (UNDEF "2") (UNDEF "10")
  }
}
"""


@pytest.mark.parametrize("keys", ["?thing ?value", "?value ?thing", "DESC(?value) ?thing", "ASC(?thing) DESC(?value)"])
def test_the_order_is_that_of_the_engine_though_it_is_made_in_the_frame(village: Store, keys: str) -> None:
    """Unbound comes first, then IRIs, then literals by code point; DESC turns that round."""
    text = f"{_MIXED}ORDER BY {keys}"
    query = queries.parse_query(text, "mixed")
    assert query.order
    assert queries.run(village, query).rows() == village.select(text).rows()


@pytest.mark.parametrize("end", ["ORDER BY STR(?value)", "ORDER BY ?other", "ORDER BY ?value LIMIT 3"])
def test_an_order_of_another_kind_is_left_to_the_engine(village: Store, end: str) -> None:
    """What orders by more than answered variables, or is not the end of the query, stays in its text."""
    query = queries.parse_query(f"{_MIXED.replace('DISTINCT ', '')}{end}", "mixed")
    assert query.order is None
    assert queries.run(village, query).rows() == village.select(query.text).rows()


def test_an_answer_that_may_be_cut_is_put_in_order_before(village: Store) -> None:
    """Where only so many rows are given, they are the first of the order and not any."""
    query = queries.parse_query(f"{_MIXED}ORDER BY ?value", "mixed")
    with closing(ReaderPool(village, Limits(readers=1))) as pool:
        assert not pool.view(max_rows=2).whole
        assert queries.run(pool.view(max_rows=2), query).rows() == queries.run(village, query).rows()[:2]


# ---- Rules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        "<{id}organisation/valley-network> a org:Organization, foaf:Agent",
        "<{id}activity/flour-bid> a sol:Activity, prov:Activity",
        "<{voc}kind/cooperative> rdfs:label ?label",
        "<{id}place/mill-lane> geo:sfWithin <{id}place/valley>",
        "<{id}activity/savings-club> dcterms:hasPart <{id}activity/piggy-bank-study>",
        "?p sol:participant <{id}organisation/dairy> ; sol:participatesIn <{id}organisation/valley-network>",
        "<{id}organisation/dairy> sol:takesPartIn <{id}organisation/valley-network>, <{id}activity/harvest-fair>",
        "<{id}activity/harvest-fair> sol:hasParticipant <{id}person/mayor>",
    ],
)
def test_the_rules_derive_what_follows(village: Store, pattern: str) -> None:
    """Superclasses, labels, wider places, wholes, memberships and straight links stand in graph/inferred."""
    triples = pattern.format(id=ID, voc=PREFIXES["voc"])
    names = "".join(f"PREFIX {prefix}: <{space}>\n" for prefix, space in PREFIXES.items())
    assert village.ask(f"{names} ASK {{ {triples} }}")


def test_nothing_derived_was_said_before_and_nothing_is_left_to_derive(village: Store) -> None:
    """The derived statements are new, without blank nodes, and each rule is silent on the result."""
    inferred = village.dump("nt", queries.INFERRED).splitlines()
    said = set(village.dump("nt", GRAPH + "village").splitlines())
    assert inferred
    assert said.isdisjoint(inferred)
    assert not [line for line in inferred if b"_:" in line]
    rules = [query for query in queries.catalogue().values() if query.form == "CONSTRUCT"]
    assert {rule.name: queries.construct(village, rule) for rule in rules} == {rule.name: b"" for rule in rules}


def test_deriving_twice_gives_the_same(village: Store) -> None:
    """Another run, from nothing or over an older result, gives the same bytes and forgets what no longer follows."""
    first = village.dump("nt", queries.INFERRED)
    scratch = village_store()
    with scratch.change("an old conclusion") as change:
        change.load(b"<urn:a> <urn:b> <urn:c> .", media_type="nt", graph=queries.INFERRED)
    assert queries.derive(scratch) == first
    assert scratch.dump("nt", queries.INFERRED) == first


def test_rules_feed_each_other_to_the_fixpoint(tmp_path: Path) -> None:
    """A rule that needs what another one derives finds it, whatever their order by name is."""
    rule = "#+ summary: A rule\nCONSTRUCT {{ ?a <urn:{0}> ?b }} WHERE {{ ?a <urn:{1}> ?b }}"
    for name, (new, old) in {"a": ("four", "three"), "b": ("three", "two"), "c": ("two", "one")}.items():
        _file(tmp_path, rule.format(new, old), f"build/{name}.rq")
    store = open_store()
    with store.change("one fact") as change:
        change.load(b"<urn:x> <urn:one> <urn:y> .", media_type="nt", graph="urn:g")
    assert len(queries.derive(store, tmp_path).splitlines()) == 3


_FACTS = [
    *(f"<urn:o{a}> org:hasMember <urn:o{b}>" for a in range(3) for b in range(3)),
    *(f"<urn:o{a}> org:memberOf <urn:o{b}>" for a in range(3) for b in range(3)),
    *(f"<urn:p{a}> sol:participatesIn <urn:o{a % 3}> ; sol:participant <urn:o{b}>" for a in range(4) for b in range(3)),
    *(f"<urn:p{a}> m8g:role role:{role}" for a in range(4) for role in ("member", "founder")),
    "role:founder skos:broader role:member",
    *(f"<urn:o{a}> sol:takesPartIn <urn:o{b}>" for a in range(2) for b in range(2)),
    *(f"<urn:l{a}> geo:sfWithin <urn:l{b}>" for a in range(4) for b in range(4)),
    *(f"<urn:c{a}> skos:prefLabel 'name {b}'@en{c}" for a in range(2) for b in range(2) for c in ("", "-GB")),
    *(f"<urn:c{a}> rdfs:label 'label'@en" for a in range(2)),
    *(f"<urn:o{a}> a org:OrganizationalCollaboration" for a in range(3)),
    *(f"<urn:o{a}> a {kind}" for a in range(3) for kind in ("org:Organization", "foaf:Agent")),
    *(f"<urn:a{a}> a sol:Activity" for a in range(3)),
    *(f"<urn:a{a}> dcterms:isPartOf <urn:a{b}>" for a in range(3) for b in range(3)),
    "org:OrganizationalCollaboration rdfs:subClassOf org:Organization",
    "org:Organization rdfs:subClassOf foaf:Agent",
    "org:hasMember owl:inverseOf org:memberOf",
    "sol:takesPartIn owl:inverseOf sol:hasParticipant",
]


@pytest.mark.parametrize("seed", range(30))
def test_what_follows_from_new_statements_is_what_follows_from_all(seed: int) -> None:
    """Whatever comes in turn, and whatever it forbids or repeats, all is as if it were derived from nothing."""
    dice, store = random.Random(seed), open_store()  # noqa: S311 - no secret
    prologue = "".join(f"@prefix {name}: <{space}> . " for name, space in PREFIXES.items())
    prologue += "@prefix role: <https://w3id.org/solidarity-graph/vocabulary/role/> . "
    for turn in range(5):
        facts = dice.sample(_FACTS, dice.choice([1, 3, 20]))
        with store.change("some facts") as change:
            change.load((prologue + " . ".join(facts) + " .").encode(), media_type="ttl", graph=f"urn:g{turn % 3}")
            queries.derive_in(change, fresh=[f"urn:g{turn % 3}"])
        little = store.dump("nt", queries.INFERRED)
        with open_store() as scratch:
            with scratch.change("copy") as change:
                change.load(store.dump("nq"), media_type="nq")
            assert queries.derive(scratch) == little


def test_nobody_becomes_a_member_of_itself() -> None:
    """A slip of the pen, a body that is its own member, gives no participation."""
    store = open_store()
    with store.change("a slip of the pen") as change:
        change.load(b"<urn:a> <http://www.w3.org/ns/org#memberOf> <urn:a> .", media_type="nt", graph="urn:g")
    assert queries.derive(store) == b""


def test_an_older_conclusion_of_an_empty_catalogue_is_removed(tmp_path: Path) -> None:
    """Without rules nothing is derived, and what was derived before goes."""
    store = open_store()
    with store.change("an old conclusion") as change:
        change.load(b"<urn:a> <urn:b> <urn:c> .", media_type="nt", graph=queries.INFERRED)
    assert queries.derive(store, tmp_path) == b""
    assert store.graphs().is_empty()


# ---- Describing ------------------------------------------------------------------------------


def test_stored_queries_are_published_as_rdf() -> None:
    """Each query is a sol:StoredQuery and a SHACL executable with its own text, so that monitoredBy leads somewhere."""
    known = queries.catalogue()
    described = queries.as_rdf(known)
    graph = rdflib.Graph().parse(data=described, format="nt")
    stored = set(graph.subjects(RDF.type, rdflib.URIRef(SOL + "StoredQuery")))
    assert stored == {rdflib.URIRef(query.iri) for query in known.values()}
    node = rdflib.URIRef(QUERY + "monitor/recognition")
    assert (node, RDF.type, SH.SPARQLSelectExecutable) in graph
    assert str(graph.value(node, SH.select)) == known["monitor/recognition"].text
    assert graph.value(rdflib.URIRef(QUERY + "build/types"), SH.construct) is not None
    assert described == queries.as_rdf(dict(reversed(known.items())))
