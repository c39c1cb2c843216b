"""The ontology reads well everywhere, every term explains itself, and sources keep their passages."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from rdflib import DCTERMS, ORG, OWL, RDF, RDFS, SH, SKOS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic

from graphkit import ontology
from graphkit.errors import DataError
from graphkit.files import ontology_folder, queries_folder
from graphkit.store import open_store
from graphkit.terms import GRAPH, ID, PREFIXES, SOL, graph_iri

_ROOT = URIRef("https://w3id.org/solidarity-graph/ns")
_IMPORTS = f"{_ROOT}/imports/"
_VILLAGE = Path(__file__).parent / "village.ttl"
_FOLDER = ontology_folder()
_REAL = Path(os.environ.get("GRAPHKIT_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
_DATATYPES = {XSD.string, RDF.langString, XSD.integer, XSD.decimal, XSD.date, XSD.boolean, XSD.anyURI}


def _graph(paths: Iterable[Path]) -> Graph:
    graph = Graph()
    for path in paths:
        graph.parse(path, format="turtle")
    return graph


def _files(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in _FOLDER.glob(pattern))


@pytest.fixture(scope="module")
def modules() -> Graph:
    """Return the root and the modules as one graph."""
    return _graph(_files("solidarity.ttl", "modules/*.ttl"))


@pytest.fixture(scope="module")
def vocabularies() -> Graph:
    """Return all vocabularies as one graph."""
    return _graph(_files("vocabularies/*.ttl"))


@pytest.fixture(scope="module")
def imports() -> Graph:
    """Return all foreign terms as one graph."""
    return _graph(_files("imports/*.ttl"))


# ---- Reading --------------------------------------------------------------------------------------------


def test_ontology_reads_alike_in_both_libraries() -> None:
    """Each Turtle file has as many statements in rdflib as in the store."""
    for path in [*_files("*.ttl", "modules/*.ttl", "vocabularies/*.ttl", "imports/*.ttl", "shapes/*.ttl"), _VILLAGE]:
        with closing(open_store()) as store:
            with store.change("read") as change:
                change.load(path, graph="urn:graph")
            assert store.graphs()["quads"].sum() == len(_graph([path])), path


def test_parts_cover_every_file_once() -> None:
    """The parts are all files of modules, vocabularies, imports and mappings, root first, none twice."""
    paths = [part.path for part in ontology.parts()]
    expected = _files("solidarity.ttl", "modules/*.ttl", "vocabularies/*.ttl", "imports/*.ttl", "mappings/*.sssom.tsv")
    assert paths[0].name == "solidarity.ttl"
    assert sorted(paths) == expected
    assert {part.graph for part in ontology.parts()} == {
        GRAPH + name for name in ("ontology", "vocabularies", "imports", "mappings")
    }


def test_loading_fills_the_four_graphs() -> None:
    """The ontology is loaded into one graph for each kind of part, and the number of statements is told."""
    with closing(open_store()) as store:
        with store.change("load") as change:
            total = ontology.load_ontology(change)
        graphs = dict(store.graphs().iter_rows())
    assert set(graphs) == {GRAPH + name for name in ("ontology", "vocabularies", "imports", "mappings")}
    assert total == sum(graphs.values())


def test_root_imports_every_module_and_every_import(modules: Graph) -> None:
    """Root, files and catalog name the same ontologies, and the catalog leads to files that are there."""
    entries = ET.parse(_FOLDER / "catalog-v001.xml").getroot()  # noqa: S314 - our own file
    catalog = {str(entry.get("name")): _FOLDER / str(entry.get("uri")) for entry in entries}
    assert [path for path in catalog.values() if not path.is_file()] == []
    for name, path in catalog.items():
        kind = SKOS.ConceptScheme if "/vocabulary/" in name else OWL.Ontology
        assert (URIRef(name), RDF.type, kind) in _graph([path])
    imported = {str(iri) for iri in modules.objects(_ROOT, OWL.imports)}
    assert imported | {str(_ROOT)} == {name for name in catalog if "/vocabulary/" not in name}
    assert len(catalog) == len(_files("*.ttl", "modules/*.ttl", "imports/*.ttl", "vocabularies/*.ttl"))


def test_root_says_what_it_is(modules: Graph) -> None:
    """The root has title, description, licence, version and preferred prefix."""
    vann = Namespace(PREFIXES["vann"])
    for wanted in (DCTERMS.title, DCTERMS.description, DCTERMS.license, OWL.versionInfo, vann.preferredNamespacePrefix):
        assert modules.value(_ROOT, wanted) is not None
    assert modules.value(_ROOT, OWL.versionIRI) == URIRef(f"{_ROOT}/{modules.value(_ROOT, OWL.versionInfo)}")


# ---- Words ----------------------------------------------------------------------------------------------


def test_every_term_explains_itself(modules: Graph) -> None:
    """Each term has one English label, one definition that is a sentence, and the module it stands in."""
    terms = {term for term in modules.subjects(RDF.type) if str(term).startswith(SOL)}
    assert len(terms) == ontology.terms().height
    homes = set(modules.subjects(RDF.type, OWL.Ontology))
    for term in terms:
        for words in (RDFS.label, SKOS.definition):
            (value,) = modules.objects(term, words)
            assert isinstance(value, Literal)
            assert value.language == "en", term
        assert str(modules.value(term, SKOS.definition)).endswith("."), term
        assert modules.value(term, RDFS.isDefinedBy) in homes, term


def test_no_two_terms_have_the_same_label() -> None:
    """A label names one term."""
    assert ontology.terms()["label"].is_unique().all()


def test_every_concept_explains_itself(vocabularies: Graph) -> None:
    """Each concept has a label, a definition and one scheme, which its own address names."""
    concepts = set(vocabularies.subjects(RDF.type, SKOS.Concept))
    assert {str(concept) for concept in concepts} == set(ontology.concepts()["concept"])
    for concept in concepts:
        (label,) = vocabularies.objects(concept, SKOS.prefLabel)
        (definition,) = vocabularies.objects(concept, SKOS.definition)
        (scheme,) = vocabularies.objects(concept, SKOS.inScheme)
        assert (label.language, definition.language) == ("en", "en")
        assert str(concept).startswith(f"{scheme}/")
        assert (scheme, RDF.type, SKOS.ConceptScheme) in vocabularies


def test_every_concept_is_below_a_top_concept(vocabularies: Graph) -> None:
    """Broader concepts exist, stand in the same scheme, and lead to a top concept without going in a circle."""
    for concept in vocabularies.subjects(RDF.type, SKOS.Concept):
        above = set(vocabularies.transitive_objects(concept, SKOS.broader)) - {concept}
        assert (concept, SKOS.broader, None) not in vocabularies or above
        tops = [one for one in {concept, *above} if (one, SKOS.topConceptOf, None) in vocabularies]
        assert tops, concept
        assert {vocabularies.value(one, SKOS.inScheme) for one in above} <= {vocabularies.value(concept, SKOS.inScheme)}


def test_list_of_foreign_terms_is_the_list_of_the_files(imports: Graph) -> None:
    """`terms.txt` holds exactly the terms that the files declare, each with label and home."""
    declared = {term for term in imports.subjects(RDF.type) if (term, RDF.type, OWL.Ontology) not in imports}
    for term in declared:
        assert imports.value(term, RDFS.label) is not None, term
        assert imports.value(term, RDFS.isDefinedBy) is not None, term
    listed = (_FOLDER / "imports" / "terms.txt").read_text("utf-8").split()
    assert listed == sorted(listed)
    assert {_expand(name) for name in listed} == declared


def test_sources_of_the_foreign_terms_are_told() -> None:
    """Each import file has a line in SOURCES.md."""
    told = (_FOLDER / "imports" / "SOURCES.md").read_text("utf-8")
    assert [path.name for path in _files("imports/*.ttl") if f"`{path.name}`" not in told] == []


def _expand(name: str) -> URIRef:
    prefix, _, local = name.partition(":")
    return URIRef(PREFIXES[prefix] + local)


# ---- Use ------------------------------------------------------------------------------------------------


def _data() -> Iterator[tuple[Path, Graph]]:
    """Yield each file of data: village, examples and sources."""
    for path in [_VILLAGE, *_files("examples/*/*.ttl")]:
        yield path, _graph([path])
    for path in _files("data/*.trig"):
        yield path, _through_store(path.read_bytes(), "trig")


def _through_store(data: bytes, suffix: str, graph: str | None = None) -> Graph:
    """Return what our store reads from `data`: all of it merged, or one graph."""
    with closing(open_store()) as store:
        with store.change("read") as change:
            change.load(data, media_type=suffix)
        if graph is None:
            triples = store.construct("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
        else:
            triples = store.dump("nt", graph)
    return Graph().parse(data=triples, format="nt")


def _names(graph: Graph) -> set[str]:
    return {str(term) for triple in graph for term in triple if isinstance(term, URIRef)}


def test_no_file_uses_a_term_or_concept_that_does_not_exist() -> None:
    """Each of our names in data, examples, shapes and mappings is one that modules or vocabularies define."""
    known = set(ontology.terms()["term"]) | set(ontology.concepts()["concept"]) | set(ontology.concepts()["scheme"])
    schemes = {PREFIXES["voc"] + name for name in ontology.concepts()["scheme"]}
    for path, graph in [*_data(), *((path, _graph([path])) for path in _files("shapes/*.ttl"))]:
        ours = {name for name in _names(graph) if name.startswith((SOL, PREFIXES["voc"]))}
        assert ours - known - schemes == set(), path


def test_no_query_uses_a_term_that_does_not_exist() -> None:
    """Each `sol:` name in a stored query is one that a module defines."""
    known = {name.removeprefix(SOL) for name in ontology.terms()["term"]}
    for path in queries_folder().rglob("*.rq"):
        assert set(re.findall(r"\bsol:([A-Za-z]+)", path.read_text("utf-8"))) - known == set(), path


def test_data_uses_only_foreign_terms_that_are_imported(imports: Graph) -> None:
    """Each foreign property and class in village, sources and valid examples is in the list of imports."""
    declared = {str(term) for term in imports.subjects(RDF.type)}
    free = (str(RDF), str(RDFS), str(OWL), SOL)
    for path, graph in _data():
        if "invalid" in path.parts:
            continue
        used = {str(predicate) for predicate in graph.predicates()} | {
            str(kind) for kind in graph.objects(None, RDF.type)
        }
        assert {name for name in used if not name.startswith(free)} - declared == set(), path


def test_data_has_only_the_datatypes_that_the_store_keeps() -> None:
    """Village, sources and valid examples have no datatype outside the list that the ontology allows."""
    for path, graph in _data():
        if "invalid" not in path.parts:
            literals = [term for term in graph.objects() if isinstance(term, Literal)]
            found = {one.datatype or (RDF.langString if one.language else XSD.string) for one in literals}
            assert found <= _DATATYPES, path


def test_ranges_are_allowed_datatypes(modules: Graph) -> None:
    """A datatype property has a range of the allowed list, and of OWL 2; dates have none, for OWL 2 has none."""
    for term in modules.subjects(RDF.type, OWL.DatatypeProperty):
        assert modules.value(term, RDFS.range) in {*_DATATYPES, None} - {XSD.date}, term


def test_every_shape_speaks() -> None:
    """Each rule has a name, a severity and a message that ends as a sentence."""
    shapes = _graph(_files("shapes/*.ttl"))
    rules = set(shapes.subjects(SH.message))
    assert len(rules) > 60
    for rule in rules:
        assert isinstance(rule, URIRef)
        assert shapes.value(rule, SH.name) is not None, rule
        assert shapes.value(rule, SH.severity) is not None, rule
        assert str(shapes.value(rule, SH.message)).endswith("."), rule
    for rule in set(shapes.objects(None, SH.property)):
        if isinstance(rule, URIRef):
            assert (rule, RDF.type, SH.PropertyShape) in shapes, rule


# ---- JSON-LD --------------------------------------------------------------------------------------------


def _context() -> dict[str, object]:
    document = json.loads((_FOLDER / "context.jsonld").read_text("utf-8"))
    context: dict[str, object] = document["@context"]
    return context


def test_village_survives_the_json_context() -> None:
    """The village written as JSON with our context and read again is the same graph, with plain keys."""
    village = _graph([_VILLAGE])
    written = village.serialize(format="json-ld", context=_context())
    assert isomorphic(_through_store(_VILLAGE.read_bytes(), "ttl"), _through_store(written.encode(), "jsonld"))
    keys = {key for thing in json.loads(written)["@graph"] for key in thing}
    assert {key for key in keys if ":" in key or key.startswith("@")} == set()


def test_json_context_knows_every_term() -> None:
    """Each term of ours has a name in the context, and links are read as links."""
    context = _context()
    for term in ontology.terms().iter_rows(named=True):
        name = term["term"].removeprefix(SOL)
        entry = context[name]
        iri = entry["@id"] if isinstance(entry, dict) else entry
        assert iri == f"sol:{name}"
        if term["kind"] == "object property":
            assert isinstance(entry, dict)
            assert entry["@type"] == "@id"


# ---- Mappings -------------------------------------------------------------------------------------------


def test_mappings_start_from_our_own_terms() -> None:
    """Each mapping's subject is a term or concept of ours with that label, each pair stands once."""
    table = ontology.mappings()
    labels = dict(
        pl.concat(
            [
                ontology.terms().select("term", "label"),
                ontology.concepts().select(pl.col("concept").alias("term"), "label"),
            ]
        ).iter_rows()
    )
    told = dict(table.select("subject_id", "subject_label").unique().iter_rows())
    assert {subject: labels.get(subject) for subject in told} == told
    assert table.select("subject_id", "object_id").is_unique().all()


def test_mappings_are_well_formed() -> None:
    """Predicates are SKOS mapping properties, the justification is that of a person, confidence is in (0, 1]."""
    table = ontology.mappings()
    matches = {str(SKOS[name]) for name in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch")}
    assert set(table["predicate_id"]) <= matches
    assert set(table["mapping_justification"]) == {"https://w3id.org/semapv/vocab/ManualMappingCuration"}
    assert table["confidence"].cast(pl.Float64).is_between(0, 1, closed="right").all()
    names = {path.name.split(".")[0] for path in _files("mappings/*")}
    assert names == {"org", "essglobal", "schema", "cccev", "core-public-event", "frapo", "epo", "sdg"}


def test_mappings_become_resources_of_their_graph() -> None:
    """Each row is a sssom:Mapping of its own with a confidence that is a number."""
    with closing(open_store()) as store:
        with store.change("load") as change:
            ontology.load_ontology(change)
        found = store.select(
            f"PREFIX sssom: <{PREFIXES['sssom']}> PREFIX owl: <{PREFIXES['owl']}>"
            " SELECT ?subject ?object ?confidence WHERE {"
            f" GRAPH <{graph_iri('mappings')}> {{ ?mapping a sssom:Mapping ; owl:annotatedSource ?subject ;"
            " owl:annotatedTarget ?object ; sssom:confidence ?confidence } }"
        )
    table = ontology.mappings()
    assert found.height == table.height
    assert found["confidence"].dtype.is_numeric()
    assert set(found.select("subject", "object").rows()) == set(table.select("subject_id", "object_id").rows())


@pytest.mark.real
@pytest.mark.skipif(not _REAL.is_dir(), reason="the folder of real registers and vocabularies is not here")
def test_mappings_lead_to_words_that_exist() -> None:
    """Each mapping's object is a term or concept in the published vocabulary."""
    foreign: set[str] = set()
    for path in sorted((_REAL / "vocab").glob("*.ttl")):
        foreign |= {str(term) for term in _graph([path]).subjects()}
    for path in sorted((_REAL / "vocab" / "essglobal_standard").glob("*.skos")):
        foreign |= {str(term) for term in Graph().parse(path, format="xml").subjects()}
    objects = set(ontology.mappings()["object_id"])
    assert {iri for iri in objects - foreign if URIRef(iri) not in ORG} == set()


_TABLE = """#curie_map:
#  kind: "https://w3id.org/solidarity-graph/vocabulary/kind/"
#  skos: "http://www.w3.org/2004/02/skos/core#"
#  semapv: "https://w3id.org/semapv/vocab/"
#mapping_set_id: "https://example.org/set"
#mapping_set_title: "Set"
#mapping_set_version: "1"
#license: "https://creativecommons.org/licenses/by/4.0/"
subject_id\tsubject_label\tpredicate_id\tobject_id\tobject_label\tmapping_justification\tconfidence\tcomment
kind:mutual\tMutual\tskos:exactMatch\tkind:network\tNetwork\tsemapv:ManualMappingCuration\t0.5\t
"""


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("kind:network", "other:network", "'other:network' is not explained"),
        ("kind:network", "network", "'network' is not explained"),
        ("object_label", "name", "no column object_label"),
        ('#license: "https://creativecommons.org/licenses/by/4.0/"\n', "", "lacks license"),
        ("#curie_map:", "#curie_map: [", "no YAML"),
    ],
)
def test_faulty_table_of_mappings_is_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """A missing column, an unexplained prefix or a lack in the metadata is an error that names the file."""
    path = tmp_path / "set.sssom.tsv"
    path.write_text(_TABLE, "utf-8")
    assert ontology.load_mapping(path)["object_id"].item() == PREFIXES["voc"] + "kind/network"
    path.write_text(_TABLE.replace(old, new), "utf-8")
    with pytest.raises(DataError, match=re.escape(fault)) as raised:
        ontology.load_mapping(path)
    assert raised.value.where == str(path)


# ---- Sources --------------------------------------------------------------------------------------------

_SOURCE = f"""
@prefix graph: <{GRAPH}> .
@prefix rdfs: <{RDFS}> .
@prefix sol: <{SOL}> .
@prefix dcterms: <{DCTERMS}> .
<{GRAPH}chronicle> {{
    <{ID}source/chronicle> a sol:Source .
    <{ID}passage/chronicle-annex> a sol:Passage ; rdfs:label "Annex"@en ; dcterms:isPartOf <{ID}source/chronicle> .
}}
<{GRAPH}chronicle#L3> {{ <{ID}place/upton> a sol:Region ; rdfs:label "Upton"@en . }}
<{GRAPH}chronicle#L12> {{ <{ID}place/upton> rdfs:label "Upton"@en . }}
<{GRAPH}chronicle#annex> {{ <{ID}place/upton> sol:placeCode "U1" . }}
"""


def _folded(folder: Path, text: str) -> bytes:
    path = folder / "chronicle.trig"
    path.write_text(text, "utf-8")
    return ontology.fold(path)


def _said(folded: bytes) -> Graph:
    return _through_store(folded, "nq", GRAPH + "chronicle")


def _passages(folded: bytes) -> Graph:
    return _through_store(folded, "nq", GRAPH + "chronicle/passages")


def test_fold_gathers_statements_and_keeps_their_passages(tmp_path: Path) -> None:
    """Statements of all passages go to one graph; each has a node that leads to every passage that says it."""
    folded = _folded(tmp_path, _SOURCE)
    said, passages = _said(folded), _passages(folded)
    upton = URIRef(ID + "place/upton")
    assert len(list(said.triples((upton, None, None)))) == 3
    assert {line.split()[-2] for line in folded.decode().splitlines()} == {
        f"<{GRAPH}chronicle>",
        f"<{GRAPH}chronicle/passages>",
    }
    statements = {}
    for node in passages.subjects(RDF.type, RDF.Statement):
        assert re.fullmatch(re.escape(ID) + "statement/[0-9a-f]{40}", str(node))
        assert passages.value(node, RDF.subject) == upton
        derived = {
            str(one).removeprefix(ID) for one in passages.objects(node, URIRef(PREFIXES["prov"] + "wasDerivedFrom"))
        }
        statements[str(passages.value(node, RDF.predicate)).rpartition("#")[2]] = derived
    assert statements == {
        "type": {"passage/chronicle-L3"},
        "label": {"passage/chronicle-L3", "passage/chronicle-L12"},
        "placeCode": {"passage/chronicle-annex"},
    }


def test_fold_describes_lines_and_leaves_other_passages(tmp_path: Path) -> None:
    """A passage that is a line gets its number and source; any other keeps the words it was described with."""
    passages = _passages(_folded(tmp_path, _SOURCE))
    lines = {
        str(node).rpartition("-")[2]: number.toPython()
        for node, number in passages.subject_objects(URIRef(SOL + "line"))
    }
    assert lines == {"L3": 3, "L12": 12}
    assert set(passages.objects(None, DCTERMS.isPartOf)) == {URIRef(ID + "source/chronicle")}
    assert (URIRef(ID + "passage/chronicle-annex"), None, None) not in passages


def test_statement_has_the_same_name_in_every_source(tmp_path: Path) -> None:
    """What two sources say alike is one statement, so that its support can be counted; a datatype makes two."""
    texts = (_SOURCE, _SOURCE.replace("#L3>", "#L4>"), _SOURCE.replace('"Upton"@en', '"Upton"'))
    graphs = [_passages(_folded(tmp_path, text)) for text in texts]
    names = [set(graph.subjects(RDF.type, RDF.Statement)) for graph in graphs]
    assert names[0] == names[1]
    assert len(names[0] & names[2]) == 2


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("chronicle#L3>", "diary#L3>", "graph of another source"),
        (f"<{GRAPH}chronicle#L3> {{", "{", "stands in no graph"),
        (f"<{ID}place/upton> sol:placeCode", "[] sol:placeCode", "blank node"),
        ("chronicle#annex>", "chronicle#appendix>", "neither a line nor described: appendix"),
        ("chronicle#L3>", "chronicle#L0>", "neither a line nor described: L0"),
    ],
)
def test_source_that_cannot_be_traced_is_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """A statement without a graph, a graph of another source, a blank node or an unknown passage is an error."""
    assert old in _SOURCE
    with pytest.raises(DataError, match=fault):
        _folded(tmp_path, _SOURCE.replace(old, new))


def test_sources_of_a_folder_are_loaded_folded(tmp_path: Path) -> None:
    """All TriG files of a folder are loaded with their passages, and the number of quads is told."""
    (tmp_path / "chronicle.trig").write_text(_SOURCE, "utf-8")
    with closing(open_store()) as store:
        with store.change("load") as change:
            total = ontology.load_sources(change, tmp_path)
        graphs = dict(store.graphs().iter_rows())
    assert set(graphs) == {GRAPH + "chronicle", GRAPH + "chronicle/passages"}
    assert total == sum(graphs.values())


def test_shipped_sources_can_be_traced() -> None:
    """Each source that graphkit ships folds without a fault."""
    for path in _files("data/*.trig"):
        assert ontology.fold(path)
