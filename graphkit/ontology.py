"""Orders, folds and loads what graphkit ships: the ontology, its vocabularies, mappings and sources."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from graphkit.errors import DataError
from graphkit.files import ontology_folder
from graphkit.store import open_store
from graphkit.store.base import Change, Store
from graphkit.terms import GRAPH, ID, PREFIXES, graph_iri

__all__ = ["Part", "concepts", "fold", "load_mapping", "load_ontology", "load_sources", "mappings", "parts", "terms"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the ontology and the named graph that it belongs to."""

    path: Path
    graph: str


def parts() -> tuple[Part, ...]:
    """List the files of the ontology in the order in which they are read, each with its graph.

    The root and the modules come first, then vocabularies, imports and mappings. Shapes, examples and
    data are no parts: shapes are read by `graphkit.check`, data by `load_sources`.

    >>> [part.path.name for part in parts()][:2]
    ['solidarity.ttl', 'activities.ttl']
    """
    folder = ontology_folder()
    kinds = (
        ("ontology", [folder / "solidarity.ttl", *sorted((folder / "modules").glob("*.ttl"))]),
        ("vocabularies", sorted((folder / "vocabularies").glob("*.ttl"))),
        ("imports", sorted((folder / "imports").glob("*.ttl"))),
        ("mappings", sorted((folder / "mappings").glob("*.sssom.tsv"))),
    )
    return tuple(Part(path, graph_iri(name)) for name, paths in kinds for path in paths)


def load_ontology(change: Change) -> int:
    """Load all parts of the ontology into their graphs and return the number of their statements.

    Raises `DataError` where a file is malformed.
    """
    total = sum(_load_part(change, part) for part in parts())
    _log.info("loaded the ontology: %d statements", total)
    return total


def _load_part(change: Change, part: Part) -> int:
    """Load one file; a mapping file becomes JSON-LD on the way."""
    if part.path.suffix != ".tsv":
        return change.load(part.path, graph=part.graph)
    return change.load(_mapping_document(part.path), media_type="jsonld", graph=part.graph)


# ---- Mappings -------------------------------------------------------------------------------------------

_COLUMNS: Final = (
    "subject_id",
    "subject_label",
    "predicate_id",
    "object_id",
    "object_label",
    "mapping_justification",
    "confidence",
    "comment",
)
_CURIES: Final = ("subject_id", "predicate_id", "object_id", "mapping_justification")
_METADATA: Final = ("curie_map", "mapping_set_id", "mapping_set_title", "mapping_set_version", "license")
_CONTEXT: Final[dict[str, Any]] = {
    **{prefix: PREFIXES[prefix] for prefix in ("dcterms", "owl", "rdfs", "sssom", "xsd")},
    "subject_id": {"@id": "owl:annotatedSource", "@type": "@id"},
    "predicate_id": {"@id": "owl:annotatedProperty", "@type": "@id"},
    "object_id": {"@id": "owl:annotatedTarget", "@type": "@id"},
    "mapping_justification": {"@id": "sssom:mapping_justification", "@type": "@id"},
    "confidence": {"@id": "sssom:confidence", "@type": "xsd:decimal"},
    "subject_label": "sssom:subject_label",
    "object_label": "sssom:object_label",
    "label": {"@id": "rdfs:label", "@language": "en"},
    "comment": {"@id": "rdfs:comment", "@language": "en"},
    "set": {"@id": "dcterms:isPartOf", "@type": "@id"},
    "license": {"@id": "dcterms:license", "@type": "@id"},
    "mapping_set_title": {"@id": "dcterms:title", "@language": "en"},
    "mapping_set_version": "owl:versionInfo",
}


def mappings() -> pl.DataFrame:
    """Return all shipped mappings as a frame, with full IRIs.

    Columns: set (the mapping set's IRI), subject_id, subject_label, predicate_id, object_id, object_label,
    mapping_justification, confidence (text, from 0 to 1), comment (null where there is none).
    """
    return pl.concat([load_mapping(part.path) for part in parts() if part.path.suffix == ".tsv"])


def load_mapping(path: Path) -> pl.DataFrame:
    """Read one SSSOM file as a frame with full IRIs; the columns are those of `mappings`.

    Raises `DataError` where the metadata or a column is missing, or a prefix is not in the `curie_map`.
    """
    return _mapping_frame(path, _mapping_metadata(path))


def _mapping_frame(path: Path, metadata: Mapping[str, Any]) -> pl.DataFrame:
    """Return the table of an SSSOM file whose metadata is known."""
    try:
        frame = pl.read_csv(path, separator="\t", comment_prefix="#", infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise DataError("the table of mappings cannot be read", where=str(path), hint=str(error)) from error
    if missing := [name for name in _COLUMNS if name not in frame.columns]:
        raise DataError(
            f"the table of mappings has no column {', '.join(missing)}",
            where=str(path),
            hint=f"the columns are: {', '.join(_COLUMNS)}",
        )
    spaces = metadata["curie_map"]
    _check_prefixes(frame, spaces, path)
    full = [
        pl.col(name).str.extract("^([^:]*):").replace_strict(spaces) + pl.col(name).str.extract("^[^:]*:(.*)$")
        for name in _CURIES
    ]
    return frame.select(pl.lit(metadata["mapping_set_id"]).alias("set"), *_COLUMNS).with_columns(
        expression.alias(name) for name, expression in zip(_CURIES, full, strict=True)
    )


def _mapping_metadata(path: Path) -> dict[str, Any]:
    """Return the YAML that stands in the lines with a leading # of an SSSOM file."""
    lines = path.read_text("utf-8").splitlines()
    try:
        metadata = yaml.safe_load("\n".join(line[1:] for line in lines if line.startswith("#")))
    except yaml.YAMLError as error:
        raise DataError("the metadata of the mappings is no YAML", where=str(path), hint=str(error)) from error
    missing = [name for name in _METADATA if not (isinstance(metadata, dict) and metadata.get(name))]
    if missing:
        raise DataError(
            f"the metadata of the mappings lacks {', '.join(missing)}",
            where=str(path),
            hint="write it at the top of the file as lines '#name: value'",
        )
    return dict(metadata)


def _check_prefixes(frame: pl.DataFrame, spaces: Mapping[str, str], path: Path) -> None:
    """Refuse a table in which a name has a prefix that the `curie_map` does not explain."""
    names = pl.concat([frame[column].alias("name") for column in _CURIES])
    unknown = names.filter(~names.str.extract("^([^:]*):").is_in(list(spaces)).fill_null(value=False))
    if len(unknown):
        raise DataError(
            f"the prefix of '{unknown[0]}' is not explained",
            where=str(path),
            hint=f"add it to curie_map; known: {', '.join(sorted(spaces))}",
        )


def _mapping_document(path: Path) -> bytes:
    """Return the mappings of a file as JSON-LD: one sssom:Mapping for each row, one sssom:MappingSet."""
    metadata = _mapping_metadata(path)
    frame = _mapping_frame(path, metadata)
    subject = pl.col("subject_id").str.extract("([^/]+[/#][^/#]+)$").str.replace("[/#]", "-")
    words = (pl.lit(path.name.split(".")[0]), subject, pl.col("object_id").str.extract("([^/#]+)/?$"))
    rows = frame.with_columns(
        (pl.lit(f"{ID}mapping/") + pl.concat_str(words, separator="-")).alias("@id"),
        pl.lit("sssom:Mapping").alias("@type"),
        pl.concat_str("subject_label", pl.lit(" and "), "object_label").alias("label"),
    )
    described = {name: metadata[name] for name in ("mapping_set_title", "mapping_set_version", "license")}
    one_set = {"@id": metadata["mapping_set_id"], "@type": "sssom:MappingSet", **described}
    return json.dumps({"@context": _CONTEXT, "@graph": [one_set, *rows.to_dicts()]}).encode()


# ---- Sources with provenance ----------------------------------------------------------------------------

_NAMES: Final = f"""
PREFIX dcterms: <{PREFIXES["dcterms"]}>
PREFIX prov: <{PREFIXES["prov"]}>
PREFIX rdf: <{PREFIXES["rdf"]}>
PREFIX sol: <{PREFIXES["sol"]}>
"""
_BINDINGS: Final = f"""
    FILTER(CONTAINS(STR(?line), "#"))
    BIND(STRBEFORE(STR(?line), "#") AS ?base)
    BIND(STRAFTER(STR(?line), "#") AS ?name)
    BIND(STRAFTER(?base, "{GRAPH}") AS ?word)
    BIND(IRI(?base) AS ?graph)
    BIND(IRI(CONCAT(?base, "/passages")) AS ?passages)
    BIND(IRI(CONCAT("{ID}passage/", ?word, "-", ?name)) AS ?passage)
    BIND(IRI(CONCAT("{ID}source/", ?word)) AS ?source)
"""
_FOLD: Final = f"""{_NAMES}
INSERT {{
    GRAPH ?graph {{ ?s ?p ?o }}
    GRAPH ?passages {{
        ?statement a rdf:Statement ; rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o ;
            prov:wasDerivedFrom ?passage
    }}
}}
WHERE {{
    GRAPH ?line {{ ?s ?p ?o }} {_BINDINGS}
    BIND(IF(isIRI(?o), "", CONCAT("^", STR(DATATYPE(?o)), "@", LANG(?o))) AS ?kind)
    BIND(IRI(CONCAT("{ID}statement/", SHA1(CONCAT(STR(?s), " ", STR(?p), " ", STR(?o), ?kind)))) AS ?statement)
}}"""
_LINES: Final = f"""{_NAMES}
INSERT {{
    GRAPH ?passages {{ ?passage a sol:Passage ; sol:line ?number ; dcterms:isPartOf ?source }}
}}
WHERE {{
    {{ SELECT DISTINCT ?line WHERE {{ GRAPH ?line {{ ?s ?p ?o }} }} }} {_BINDINGS}
    FILTER(REGEX(?name, "^L[1-9][0-9]*$"))
    BIND(STRDT(SUBSTR(?name, 2), <{PREFIXES["xsd"]}integer>) AS ?number)
}}"""
_FORGET: Final = """
DELETE { GRAPH ?line { ?s ?p ?o } }
WHERE { GRAPH ?line { ?s ?p ?o } FILTER(CONTAINS(STR(?line), "#")) }"""
_UNDESCRIBED: Final = f"""{_NAMES}
SELECT DISTINCT ?name WHERE {{
    {{ SELECT DISTINCT ?line WHERE {{ GRAPH ?line {{ ?s ?p ?o }} }} }} {_BINDINGS}
    FILTER(!REGEX(?name, "^L[1-9][0-9]*$"))
    FILTER NOT EXISTS {{ GRAPH ?graph {{ ?passage a sol:Passage }} }}
}} ORDER BY ?name"""
_HOMELESS: Final = """
SELECT ?s WHERE { ?s ?p ?o FILTER NOT EXISTS { GRAPH ?graph { ?s ?p ?o } } } ORDER BY ?s"""
_NAMELESS: Final = "SELECT ?p WHERE { ?s ?p ?o FILTER(isBlank(?s) || isBlank(?o)) } ORDER BY ?p"


def fold(path: Path) -> bytes:
    """Fold a source's TriG file, one graph for each passage, into N-Quads with provenance.

    In the file, graph `<graph/NAME>` (NAME is the file's) describes the source, and graph `<graph/NAME#PASSAGE>`
    holds what a passage says. In the answer all of that stands in `<graph/NAME>`; `<graph/NAME/passages>` holds
    for each statement a rdf:Statement with prov:wasDerivedFrom its passages, and a sol:Passage for each PASSAGE
    that is a line (L1, L2, …). Raises `DataError` where a statement stands in another graph or in none, has a
    blank node, or comes from a passage that is neither a line nor described.
    """
    with closing(open_store()) as store:
        with store.change(f"read {path.name}") as change:
            change.load(path)
        _check_source(store, path)
        with store.change(f"fold {path.name}") as change:
            for step in (_LINES, _FOLD, _FORGET):
                change.update(step)
        return store.dump("nq")


def _check_source(store: Store, path: Path) -> None:
    """Refuse a source whose statements cannot be traced."""
    own = graph_iri(path.stem)
    foreign = [name for name in store.graphs()["graph"] if name != own and not name.startswith(own + "#")]
    faults = (
        ("a statement stands in no graph", store.select(_HOMELESS)["s"].to_list()),
        ("a statement stands in the graph of another source", foreign),
        ("a statement has a blank node, which cannot be traced", store.select(_NAMELESS)["p"].to_list()),
        ("a passage is neither a line nor described", store.select(_UNDESCRIBED)["name"].to_list()),
    )
    for fault, found in faults:
        if found:
            raise DataError(
                f"{fault}: {found[0]}",
                where=str(path),
                hint=f"write statements into <{own}#L1> for line 1, or <{own}#NAME> for a sol:Passage "
                f"<{ID}passage/{path.stem}-NAME> that <{own}> describes; use IRIs for all things",
            )


def load_sources(change: Change, folder: Path | None = None) -> int:
    """Load all sources `*.trig` of a folder, folded, and return the number of their quads.

    Without a folder these are the sources that graphkit ships. Errors are those of `fold`.
    """
    total = 0
    for path in sorted((folder or ontology_folder() / "data").glob("*.trig")):
        quads = change.load(fold(path), media_type="nq")
        _log.info("loaded %s: %d quads with provenance", path.name, quads)
        total += quads
    return total


# ---- Lists of words -------------------------------------------------------------------------------------

_TERMS: Final = f"""{_NAMES}
PREFIX owl: <{PREFIXES["owl"]}>
PREFIX rdfs: <{PREFIXES["rdfs"]}>
PREFIX skos: <{PREFIXES["skos"]}>
SELECT ?term ?kind ?label ?definition ?module WHERE {{
    VALUES (?type ?kind) {{
        (owl:Class "class") (owl:ObjectProperty "object property") (owl:DatatypeProperty "datatype property")
    }}
    ?term a ?type ; rdfs:label ?label ; skos:definition ?definition ; rdfs:isDefinedBy ?home .
    BIND(REPLACE(STR(?home), "^.*/", "") AS ?module)
}} ORDER BY ?term"""
_CONCEPTS: Final = f"""{_NAMES}
PREFIX skos: <{PREFIXES["skos"]}>
SELECT ?concept ?scheme ?label ?definition ?broader WHERE {{
    ?concept skos:inScheme ?home ; skos:prefLabel ?label ; skos:definition ?definition .
    OPTIONAL {{ ?concept skos:broader ?broader }}
    BIND(REPLACE(STR(?home), "^.*/", "") AS ?scheme)
}} ORDER BY ?scheme ?concept"""


def terms() -> pl.DataFrame:
    """List the terms of the ontology, by IRI: term, kind, label, definition, module.

    `kind` is "class", "object property" or "datatype property"; `module` the name of the file in `modules/`.

    >>> terms().row(by_predicate=pl.col("term").str.ends_with("#Bid"), named=True)["label"]
    'bid'
    """
    return _ask("ontology", _TERMS)


def concepts() -> pl.DataFrame:
    """List the concepts of the vocabularies, by scheme and IRI: concept, scheme, label, definition, broader.

    `scheme` is the name of the file in `vocabularies/`; `broader` is null for a top concept.

    >>> concepts().filter(pl.col("scheme") == "stance")["label"].to_list()
    ['Against', 'For']
    """
    return _ask("vocabularies", _CONCEPTS)


def _ask(name: str, sparql: str) -> pl.DataFrame:
    """Answer a query over the parts of one graph."""
    with closing(open_store()) as store:
        with store.change(f"read the {name}") as change:
            for part in parts():
                if part.graph == graph_iri(name):
                    _load_part(change, part)
        return store.select(sparql)
