"""A run of the resolution as RDF: its links, the record that stands for each cluster, and how it came about."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Final

import polars as pl

from graphkit.identity.statements import Statements
from graphkit.store.base import Store
from graphkit.terms import ID, PREFIXES, SOL, graph_iri

__all__ = ["IDENTITY_GRAPH", "run_statements", "save_run", "undo_run"]

IDENTITY_GRAPH: Final = graph_iri("identity")
"""The graph of the newest run: links, preferred records, and the run itself. Each run replaces it."""

_SEMAPV: Final = "https://w3id.org/semapv/vocab/"
_METHODS: Final = {
    "equal identifier": "DatabaseCrossReferenceMatching",
    "names and places": "LexicalMatching",
    "equal identifier, names and places": "CompositeMatching",
    "decided by a person": "ManualMappingCuration",
}
"""How a link was found, as the Semantic Mapping Vocabulary says it."""

_DECIMAL: Final = f"^^<{PREFIXES['xsd']}decimal>"
_DATE: Final = f"^^<{PREFIXES['xsd']}date>"


def run_statements(links: pl.DataFrame, preferred: pl.DataFrame, day: date, description: str, tool: str) -> bytes:
    """Write a run as N-Triples.

    `links` has left, right, confidence, method, reason, conflict, joins, left_graph, right_graph; `preferred` has
    record and preferred. The same run gives the same bytes.
    """
    said = Statements()
    frame = _with_names(links)
    seen = hashlib.sha256("\n".join([day.isoformat(), description, *frame["node"]]).encode()).hexdigest()
    run = f"{ID}run/identity-{seen[:12]}"
    said.link(run, "rdf:type", f"{SOL}ResolutionRun")
    said.text(run, "rdfs:label", f"Records joined to organisations, {day.isoformat()}", language="en")
    said.text(run, "dcterms:description", description, language="en")
    said.value(run, "dcterms:created", day.isoformat(), "xsd:date")
    frame = frame.with_columns(run=pl.lit(run), type=pl.lit(PREFIXES["sssom"] + "Mapping"), tool=pl.lit(tool))
    frame = frame.with_columns(day=pl.lit(day.isoformat()))
    said.links(frame, "node", "rdf:type", "type")
    said.links(frame, "node", "owl:annotatedSource", "left")
    said.links(frame, "node", "owl:annotatedProperty", "relation")
    said.links(frame, "node", "owl:annotatedTarget", "right")
    said.links(frame, "node", "sssom:mapping_justification", "justification")
    said.links(frame, "node", "prov:wasGeneratedBy", "run")
    said.values(frame, "node", "sssom:confidence", "share", _DECIMAL)
    said.values(frame, "node", "sssom:mapping_date", "day", _DATE)
    said.values(frame, "node", "sssom:mapping_tool", "tool", "")
    said.values(frame, "node", "rdfs:comment", "comment", "@en")
    for side in ("left_graph", "right_graph"):
        said.links(frame, "node", "sssom:mapping_source", side)
    said.links(preferred, "record", "sol:preferredRecord", "preferred")
    return said.to_ntriples()


def _with_names(links: pl.DataFrame) -> pl.DataFrame:
    exact, close = PREFIXES["skos"] + "exactMatch", PREFIXES["skos"] + "closeMatch"
    reason = pl.concat_str("reason", pl.format("for review: {}", pl.col("conflict")), separator="; ", ignore_nulls=True)
    return links.with_columns(
        node=pl.format(f"{ID}mapping/identity-{{}}", pl.concat_str("left", pl.lit(" "), "right").map_elements(
            lambda pair: hashlib.sha256(pair.encode()).hexdigest()[:12], return_dtype=pl.String)),
        relation=pl.when("joins").then(pl.lit(exact)).otherwise(pl.lit(close)),
        justification=pl.format(f"{_SEMAPV}{{}}", pl.col("method").replace_strict(_METHODS)),
        share=pl.col("confidence").round(4).cast(pl.Decimal(10, 4)).cast(pl.String),
        comment=reason,
    )  # fmt: skip


def save_run(store: Store, statements: bytes, why: str, *, who: str = "") -> None:
    """Put a run in the place of the one before, as one version."""
    with store.change(why, who=who) as change:
        change.clear(IDENTITY_GRAPH)
        change.load(statements, media_type="nt", graph=IDENTITY_GRAPH)


def undo_run(store: Store, *, who: str = "") -> bool:
    """Remove the newest run, so that every record stands for itself again, and tell whether there was one.

    What people decided stays, and the version with the run can be restored.
    """
    if not store.has_graph(IDENTITY_GRAPH):
        return False
    with store.change("the records are no longer joined", who=who) as change:
        change.clear(IDENTITY_GRAPH)
    return True
