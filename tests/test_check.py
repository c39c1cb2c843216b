"""A check finds each fault once, says what to do, and finds nothing where all is well."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from rdflib import RDFS, SH, Graph

from graphkit import check, ontology
from graphkit._shape_queries import UnknownShapeError, shape_queries
from graphkit.errors import DataError
from graphkit.files import ontology_folder
from graphkit.store import Change, Store, open_store
from graphkit.terms import GRAPH, ID, PREFIXES, SOL

_VILLAGE = Path(__file__).parent / "village.ttl"
_EXAMPLES = ontology_folder() / "examples"
_COLUMNS = ["severity", "check", "focus", "path", "value", "message", "source"]


def _paths(folder: str) -> list[Path]:
    return sorted((_EXAMPLES / folder).glob("*.ttl"))


def _stated(path: Path) -> tuple[str, str]:
    """Return the check and the message that the first line of an invalid example states."""
    found = re.match(r"# fails: ([a-z-]+): (.+)\n", path.read_text("utf-8"))
    assert found is not None, path
    return found[1], found[2]


@pytest.mark.parametrize("path", [_VILLAGE, *_paths("valid")], ids=lambda path: path.stem)
def test_valid_file_has_no_finding(path: Path) -> None:
    """The village and each valid example pass all shapes and all stored checks."""
    assert check.check_files([path]).to_dicts() == []


@pytest.mark.parametrize("path", _paths("invalid"), ids=lambda path: path.stem)
def test_invalid_example_fails_for_its_one_reason(path: Path) -> None:
    """Each invalid example has exactly the finding that its first line states."""
    findings = check.check_files([path])
    assert [(row["check"], row["message"]) for row in findings.iter_rows(named=True)] == [_stated(path)]
    assert findings["source"].to_list() == [path.stem]
    assert findings["severity"].to_list() == ["violation"]


def test_every_shape_has_an_invalid_example() -> None:
    """No rule is without a file that breaks it."""
    shapes = Graph()
    for path in (ontology_folder() / "shapes").glob("*.ttl"):
        shapes.parse(path, format="turtle")
    rules = {str(rule).rpartition("/")[2] for rule in shapes.subjects(SH.message)}
    assert rules == {_stated(path)[0] for path in _paths("invalid")}


def test_shipped_graph_has_no_finding() -> None:
    """The ontology and the sources that graphkit ships pass."""
    with closing(open_store()) as store:
        with store.change("load") as change:
            ontology.load_ontology(change)
            ontology.load_sources(change)
        assert check.check(store).to_dicts() == []


def test_finding_tells_thing_property_value_and_graph() -> None:
    """A finding names the thing, the shortened property, the value and the graph that says it."""
    with closing(open_store()) as store:
        with store.change("load") as change:
            ontology.load_ontology(change)
            change.load(_VILLAGE, graph=GRAPH + "village")
            change.load(
                f'<{ID}grant/foundation-choir-2016> <https://schema.org/currency> "pounds" .'.encode(),
                media_type="ttl",
                graph=GRAPH + "rumours",
            )
            change.load(
                f"<{ID}place/upton> <{PREFIXES['geo']}sfWithin> <{ID}organisation/choir> .".encode(),
                media_type="ttl",
                graph=GRAPH + "rumours",
            )
        findings = check.check(store)
    assert findings.columns == _COLUMNS
    assert set(findings.dtypes) == {pl.String}
    within = findings.row(by_predicate=pl.col("check") == "region-within", named=True)
    assert within["focus"] == ID + "place/upton"
    assert within["path"] == "geo:sfWithin"
    assert within["value"] == ID + "organisation/choir"
    assert within["source"] in {"rumours", "village"}
    currency = findings.filter(pl.col("check") == "grant-currency")
    assert currency["focus"].unique().to_list() == [ID + "grant/foundation-choir-2016"]


def test_two_sources_may_name_a_thing_differently() -> None:
    """Two registers with two names are no fault of either; two names in one of them are."""
    with closing(open_store()) as store:
        with store.change("load") as change:
            ontology.load_ontology(change)
            change.load(_VILLAGE, graph=GRAPH + "village")
            label = f'<{ID}organisation/choir> <{RDFS.label}> "Singers"@en .'.encode()
            change.load(label, media_type="ttl", graph=GRAPH + "register")
        assert check.check(store).to_dicts() == []
        with store.change("load") as change:
            change.load(label, media_type="ttl", graph=GRAPH + "village")
        findings = check.check(store)
    assert findings["check"].to_list() == ["labels-several"]
    assert findings["focus"].to_list() == [ID + "organisation/choir"]


def test_findings_come_in_the_same_order() -> None:
    """Two checks of the same files give the same rows in the same order."""
    paths = _paths("invalid")[::9]
    first, second = check.check_files(paths), check.check_files(reversed(paths))
    assert first.height >= len(paths) - 3
    assert first.to_dicts() == second.to_dicts()
    assert first.equals(first.sort(_COLUMNS))


def test_store_without_the_ontology_is_judged_with_the_shipped_one() -> None:
    """Data alone is judged as if the ontology were there: its kinds and statuses are known."""
    with closing(open_store()) as store:
        with store.change("load") as change:
            change.load(_VILLAGE, graph=GRAPH + "village")
        assert check.check(store).to_dicts() == []


def test_data_in_the_default_graph_is_judged() -> None:
    """A statement that stands in no named graph is not overlooked."""
    with closing(open_store()) as store:
        with store.change("load") as change:
            change.load(b"@prefix org: <http://www.w3.org/ns/org#> . <urn:x> a org:Organization .", media_type="ttl")
        found = check.check(store)
    assert set(found["check"]) >= {"label", "organisation-kind", "organisation-status"}
    assert set(found["source"]) == {""}


def test_files_refer_to_each_other() -> None:
    """Files are judged together: what one file lacks may stand in another."""
    lacking = _EXAMPLES / "invalid" / "bid-for.ttl"
    assert check.check_files([lacking, _EXAMPLES / "valid" / "agents.ttl"])["check"].to_list() == ["bid-for"]


def test_source_with_passages_is_folded_before_it_is_judged(tmp_path: Path) -> None:
    """A TriG source is checked as it would be loaded, and a finding names the source."""
    path = tmp_path / "chronicle.trig"
    path.write_text(
        "@prefix sol: <https://w3id.org/solidarity-graph/ns#> .\n"
        f"<{GRAPH}chronicle#L7> {{ <{ID}place/upton> a sol:Region . }}\n",
        "utf-8",
    )
    found = check.check_files([path])
    assert ("label", ID + "place/upton", "chronicle") in found.select("check", "focus", "source").rows()
    assert "passage-source" in set(found["check"])


def test_missing_and_malformed_files_are_errors(tmp_path: Path) -> None:
    """A file that is not there or cannot be read is an error that names it, not a finding."""
    with pytest.raises(DataError, match="no such file") as raised:
        check.check_files([tmp_path / "nowhere.ttl"])
    assert raised.value.where == str(tmp_path / "nowhere.ttl")
    broken = tmp_path / "broken.ttl"
    broken.write_text("<urn:a> <urn:b> .", "utf-8")
    with pytest.raises(DataError) as raised:
        check.check_files([broken])
    assert "broken.ttl" in raised.value.where


def test_a_change_is_judged_by_what_it_adds(village: Store) -> None:
    """Only new findings are told, and neither the store nor what was wrong before plays a part."""
    bad = f"PREFIX sol: <{SOL}> INSERT DATA {{ GRAPH <urn:g> {{ <urn:%s> a sol:Activity }} }}"
    before = village.version
    found = check.check_change(village, lambda change: change.update(bad % "one"))
    assert set(found["focus"]) == {"urn:one"}
    assert "violation" in found["severity"]
    assert village.version == before
    with open_store() as store:
        with store.change("a bad start") as change:
            change.update(bad % "one")
        assert check.check_change(store, lambda change: change.update(bad % "one")).is_empty()
        assert set(check.check_change(store, lambda change: change.update(bad % "two"))["focus"]) == {"urn:two"}


def test_old_faults_of_blank_nodes_do_not_count_as_new() -> None:
    """A blank node has another label in each copy; two alike where one was are one new finding each."""
    bad = f"PREFIX sol: <{SOL}> INSERT DATA {{ GRAPH <urn:g> {{ [] a sol:Activity }} }}"
    with open_store() as store:
        with store.change("a bad start") as change:
            change.update(bad)
        harmless = check.check_change(store, lambda change: change.update("INSERT DATA { <urn:a> <urn:b> 1 }"))
        assert harmless.is_empty()
        again = check.check_change(store, lambda change: change.update(bad))
        assert again.height == check.check(store).height > 0


def test_findings_become_a_validation_report(village: Store) -> None:
    """The report has a result for each finding with its thing, property, severity, shape and words."""
    bad = f"PREFIX sol: <{SOL}> INSERT DATA {{ GRAPH <urn:g> {{ <urn:one> a sol:Activity }} }}"
    found = check.check_change(village, lambda change: change.update(bad))
    for suffix in ("ttl", "jsonld", "rdf", "nt"):
        with open_store() as store:
            with store.change("read") as change:
                change.load(check.report(found, suffix), media_type=suffix)
            rows = store.select(
                """PREFIX sh: <http://www.w3.org/ns/shacl#> SELECT ?focus ?message ?path {
                    ?report a sh:ValidationReport ; sh:conforms false ; sh:result ?result .
                    ?result a sh:ValidationResult ; sh:focusNode ?focus ; sh:resultSeverity ?severity ;
                        sh:sourceShape ?shape ; sh:resultMessage ?message OPTIONAL { ?result sh:resultPath ?path } }"""
            )
        assert set(rows["message"]) == set(found["message"])
        assert set(rows["focus"]) == {"urn:one"}
        assert "http://purl.org/dc/terms/type" in set(rows["path"])
    assert b"true" in check.report(found.clear())


def _like(findings: pl.DataFrame) -> list[tuple[str, ...]]:
    """Return findings with all blank nodes alike."""
    names = [pl.col(name).str.replace(check._BLANK, "_") for name in ("focus", "value")]
    return sorted(findings.with_columns(names).rows())


def _judged_twice(act: Callable[[Change], object]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return what the engine finds and what pyshacl finds in the ontology with what `act` brings."""
    with open_store() as store:
        with store.change("load") as change:
            change.load(check._background(), media_type="nq")
            act(change)
        found = []
        for by_pyshacl in (False, True):
            with store.trial() as trial:
                found.append(_like(check._shape_findings(trial, by_pyshacl=by_pyshacl)))
    return found[0], found[1]


def test_every_shape_can_be_asked_as_a_query() -> None:
    """None of the shipped shapes is left to pyshacl, and each that has a target or stands below one is asked."""
    shapes = check._shapes_graph()
    asked = shape_queries(shapes, lambda name: [name])
    named = {str(check._named_shape(shapes, query.shape)) for query in asked}
    speaking = {str(shape) for shape in shapes.subjects(SH.message)}
    assert (
        named | {str(shape) for shape in shapes.subjects(SH.targetClass) if (shape, SH.message, None) not in shapes}
        >= speaking
    )


@pytest.mark.parametrize("path", _paths("invalid"), ids=lambda path: path.stem)
def test_engine_and_pyshacl_find_the_same_in_an_invalid_example(path: Path) -> None:
    """Every finding of pyshacl, the reference, is one of the engine's queries, and no other."""
    by_engine, by_pyshacl = _judged_twice(lambda change: check._load_file(change, path))
    assert by_engine == by_pyshacl


def test_engine_and_pyshacl_find_the_same_in_the_whole() -> None:
    """The village, the shipped sources and all invalid examples in one graph give the same findings either way."""

    def act(change: Change) -> None:
        ontology.load_sources(change)
        change.load(_VILLAGE, graph=GRAPH + "village")
        for path in _paths("invalid"):
            check._load_file(change, path)

    by_engine, by_pyshacl = _judged_twice(act)
    assert by_engine == by_pyshacl
    assert len(by_engine) > 70


_ODD = """
@prefix : <https://w3id.org/solidarity-graph/id/odd/> . @prefix org: <http://www.w3.org/ns/org#> .
@prefix sol: <https://w3id.org/solidarity-graph/ns#> . @prefix schema: <https://schema.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix dcterms: <http://purl.org/dc/terms/> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix oa: <http://www.w3.org/ns/oa#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix adms: <http://www.w3.org/ns/adms#> . @prefix verdict: <https://w3id.org/solidarity-graph/vocabulary/verdict/> .
:a a :Special ; rdfs:label "A"@en, "A"@en-GB, "A", 5, [ ] ; org:classification :none, "text", [ ] .
:Special rdfs:subClassOf org:Organization .
:g a schema:MonetaryGrant ; schema:amount "abc"^^xsd:decimal, -1, 0, 5, "7", 2.5e0 ; schema:currency "GBP", "gbp", 7 ;
    schema:startDate "2020-02-03"^^xsd:date, "2020-03-01"^^xsd:date ;
    sol:deadline "2020-02-30"^^xsd:date, "2020"^^xsd:gYear, :a ;
    schema:endDate "2019-01-01"^^xsd:date, "2021-01-01"^^xsd:date ; schema:funder [ a foaf:Person ], "Ann", :a .
[ a sol:Activity ; rdfs:label "Odd"@fr ; adms:status :a, [ ] ] .
:r a sol:Review ; oa:hasBody verdict:dismissed, verdict:done, [ rdf:value " " ] ; dcterms:created 7 .
:s a sol:Review ; oa:hasBody verdict:dismissed, [ rdf:value "no" ], [ rdf:value 5 ] .
:t a rdf:Statement, org:Organization ; dcterms:issued "soon" .
:c a sol:Commitment ; sol:monitoredBy "https://w3id.org/solidarity-graph/query/x", [ ], <urn:x> .
:d a sol:Commitment ; sol:reviewMonths 0, 3 .
:p a sol:Participation ; sol:participant :a, :g ; sol:participatesIn [ ], :s .
:q a sol:OrganisationGroup ; sol:memberCount 1, 2.0, "x" ; rdfs:label "" .
"""


def test_engine_and_pyshacl_find_the_same_in_odd_data() -> None:
    """Ill-formed literals, blank nodes, several values of many kinds, and classes that the data brings along."""
    by_engine, by_pyshacl = _judged_twice(lambda change: change.load(_ODD.encode(), media_type="ttl", graph="urn:odd"))
    assert by_engine == by_pyshacl
    assert len(by_engine) > 40


def test_a_shape_that_is_not_known_is_left_to_pyshacl(monkeypatch: pytest.MonkeyPatch) -> None:
    """A constraint that has no query here makes pyshacl judge, which knows it."""
    more = Graph() + check._shapes_graph()
    more.parse(
        data="""@prefix sh: <http://www.w3.org/ns/shacl#> . <urn:shape> a sh:NodeShape ; sh:targetNode <urn:a> ;
        sh:targetSubjectsOf <urn:p> ; sh:closed true ; sh:message "No more than that." .""",
        format="turtle",
    )
    monkeypatch.setattr(check, "_shapes_graph", lambda: more)
    with pytest.raises(UnknownShapeError, match="closed"):
        shape_queries(more, lambda name: [name])
    with open_store() as store:
        with store.change("load") as change:
            change.load(b"<urn:a> <urn:p> <urn:b> .", media_type="ttl", graph="urn:g")
        assert "urn:a" in set(check.check(store)["focus"])
