"""Compare the import of a register with a plain rdflib loop and with morph-kgc, side by side.

    python benchmarks/import.py [--rows 144726] [--morph-kgc PYTHON] [--commit]

All make the statements of the CORDIS participations in the folder GRAPHKIT_REAL_DATA (default `../shared/data`), each
in a process of its own. Ours is a whole `graphkit import --dry-run`: it also unpacks, judges each cell, looks up places
and crosswalks, settles what rows say differently, and notes what it refuses. The others get a file in which all that
is done. morph-kgc cannot live in our environment: `--morph-kgc` names the Python of another one; without it that row is
left out. `--commit` adds our import with what follows from it derived and committed as a version in a folder. Our count
of statements has those again that batches repeat.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

import polars as pl
from rdflib import RDF, RDFS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.term import Node
from rich.console import Console
from rich.table import Table

from graphkit import places
from graphkit.ontology import load_ontology
from graphkit.sources import import_files
from graphkit.store import open_store
from graphkit.terms import ID, PREFIXES

REAL = Path(os.environ.get("GRAPHKIT_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
VOC = PREFIXES["voc"]
FILE = "networks/cordis_h2020_participations.csv.gz"
KINDS = {"HES": "research-institute", "REC": "research-institute", "PRC": "private-company", "PUB": "public-body"}
ROLES = {"coordinator": "coordinator", "participant": "partner", "partner": "partner"}
UNKNOWN, PROJECT, PRECISION = f"{VOC}status/unknown", f"{VOC}activity-kind/project", f"{VOC}precision/day"
Done = tuple[float, float, float, int]


def cut(rows: int, folder: Path) -> Path:
    """Write the first rows of the register as the publisher's file."""
    path = folder / "cordis_h2020_participations.csv.gz"
    with gzip.open(REAL / FILE, "rb") as whole, gzip.open(path, "wb") as part:
        for _, line in zip(range(rows + 1), whole, strict=False):
            part.write(line)
    return path


def prepare(register: Path, folder: Path) -> Path:
    """Write the file that the others read: nothing of it need be looked up, judged or left out."""
    frame = pl.read_csv(register, infer_schema=False, null_values=["", "NA", "N/A"])
    pair = pl.format("{}-{}", "rcn", "pic")
    dated = pl.col("start_date").is_not_null()
    row = pl.format(f"{ID}source/cordis.participations-h2020#row={{}}", "at")
    kind = pl.format(f"{VOC}kind/{{}}", pl.col("type").replace_strict(KINDS, default="unspecified"))
    prepared = frame.with_row_index("at", offset=1).with_columns(
        places.lookup(frame["country"], "country").alias("place")
    )
    prepared = prepared.select(
        "rcn",
        "pic",
        pl.col("start_date").alias("start"),
        pl.col("end_date").alias("end"),
        pl.col("contribution").alias("amount"),
        pair.alias("pair"),
        pl.when(pl.col("contribution").is_not_null()).then(pair).alias("paid"),
        row.alias("row"),
        pl.when(pl.col("at") == pl.col("at").min().over("pic")).then(row).alias("first_of_pic"),
        pl.when(pl.col("at") == pl.col("at").min().over("rcn")).then(row).alias("first_of_rcn"),
        pl.format(f"{VOC}role/{{}}", pl.col("role").replace_strict(ROLES)).alias("role"),
        kind.first().over("pic").alias("kind"),
        pl.col("place").drop_nulls().first().over("pic").alias("place"),
        pl.when(dated).then(pl.lit(PRECISION)).alias("precision"),
    )
    path = folder / "prepared.csv"
    prepared.write_csv(path)
    return path


def by_graphkit(register: Path, folder: Path, *, commit: bool = False) -> int:
    """Run the import, and with `commit` keep it."""
    with open_store(folder / "store" if commit else None) as store:
        if commit:
            with store.change("the ontology") as change:
                load_ontology(change)
        return import_files(store, "cordis", [register], dry_run=not commit).statements


def by_graphkit_committed(register: Path, folder: Path) -> int:
    return by_graphkit(register, folder, commit=True)


ORG, NS, M8G, ADMS, PROV, SCHEMA, TERMS = (
    Namespace(PREFIXES[name]) for name in ("org", "sol", "m8g", "adms", "prov", "schema", "dcterms")
)


def by_rdflib(prepared: Path, folder: Path) -> int:
    """Go row by row, as everybody's first script does."""
    graph = Graph()
    with prepared.open(newline="") as file:
        for row in csv.DictReader(file):
            organisation = URIRef(f"{ID}organisation/cordis.{row['pic']}")
            activity = URIRef(f"{ID}activity/cordis.{row['rcn']}")
            dates = []
            if row["start"]:
                dates.append((SCHEMA.startDate, Literal(row["start"], datatype=XSD.date)))
                dates.append((NS.datePrecision, URIRef(row["precision"])))
            if row["end"]:
                dates.append((SCHEMA.endDate, Literal(row["end"], datatype=XSD.date)))
            _add_participation(graph, row, organisation, activity, dates)
            if row["paid"]:
                _add_grant(graph, row, organisation, activity, dates)
    graph.serialize(folder / "rdflib.nt", format="nt", encoding="utf-8")
    return len(graph)


def _add_participation(
    graph: Graph, row: dict[str, str], organisation: URIRef, activity: URIRef, dates: list[tuple[URIRef, Node]]
) -> None:
    participation = URIRef(f"{ID}participation/cordis.{row['pair']}")
    graph.add((organisation, RDF.type, ORG.Organization))
    graph.add((organisation, RDFS.label, Literal(f"Participant {row['pic']}", lang="en")))
    graph.add((organisation, TERMS.identifier, Literal(row["pic"])))
    graph.add((organisation, ORG.classification, URIRef(row["kind"])))
    graph.add((organisation, ADMS.status, URIRef(UNKNOWN)))
    if row["first_of_pic"]:
        graph.add((organisation, PROV.wasDerivedFrom, URIRef(row["first_of_pic"])))
    if row["place"]:
        graph.add((organisation, PROV.atLocation, URIRef(row["place"])))
    graph.add((activity, RDF.type, NS.Activity))
    graph.add((activity, RDFS.label, Literal(f"Project {row['rcn']} of Horizon 2020", lang="en")))
    graph.add((activity, TERMS.identifier, Literal(row["rcn"])))
    graph.add((activity, TERMS.type, URIRef(PROJECT)))
    graph.add((activity, ADMS.status, URIRef(UNKNOWN)))
    if row["first_of_rcn"]:
        graph.add((activity, PROV.wasDerivedFrom, URIRef(row["first_of_rcn"])))
    for predicate, value in dates:
        graph.add((activity, predicate, value))
    graph.add((participation, RDF.type, NS.Participation))
    graph.add((participation, NS.participant, organisation))
    graph.add((participation, NS.participatesIn, activity))
    graph.add((participation, M8G.role, URIRef(row["role"])))
    graph.add((participation, PROV.wasDerivedFrom, URIRef(row["row"])))


def _add_grant(
    graph: Graph, row: dict[str, str], organisation: URIRef, activity: URIRef, dates: list[tuple[URIRef, Node]]
) -> None:
    grant = URIRef(f"{ID}grant/cordis.{row['paid']}")
    label = f"Contribution to participant {row['pic']} in project {row['rcn']}"
    graph.add((grant, RDF.type, SCHEMA.MonetaryGrant))
    graph.add((grant, RDFS.label, Literal(label, lang="en")))
    graph.add((grant, SCHEMA.funder, URIRef(f"{ID}organisation/european-commission")))
    graph.add((grant, NS.recipient, organisation))
    graph.add((grant, SCHEMA.amount, Literal(row["amount"], datatype=XSD.decimal)))
    graph.add((grant, SCHEMA.currency, Literal("EUR")))
    graph.add((grant, NS.underScheme, URIRef(f"{ID}scheme/horizon-2020")))
    graph.add((grant, SCHEMA.fundedItem, activity))
    graph.add((grant, PROV.wasDerivedFrom, URIRef(row["row"])))
    for predicate, value in dates:
        graph.add((grant, predicate, value))


RML = {
    f"{ID}organisation/cordis.{{pic}}": """
        a org:Organization; rdfs:label "Participant {pic}"@en; dcterms:identifier $pic; org:classification <kind>;
        adms:status <=UNKNOWN>; prov:wasDerivedFrom <first_of_pic>; prov:atLocation <place>""",
    f"{ID}activity/cordis.{{rcn}}": """
        a sol:Activity; rdfs:label "Project {rcn} of Horizon 2020"@en; dcterms:identifier $rcn; dcterms:type <=PROJECT>;
        adms:status <=UNKNOWN>; prov:wasDerivedFrom <first_of_rcn>; schema:startDate $start^^xsd:date;
        sol:datePrecision <precision>; schema:endDate $end^^xsd:date""",
    f"{ID}participation/cordis.{{pair}}": f"""
        a sol:Participation; sol:participant <{ID}organisation/cordis.{{pic}}>;
        sol:participatesIn <{ID}activity/cordis.{{rcn}}>; m8g:role <role>; prov:wasDerivedFrom <row>""",
    f"{ID}grant/cordis.{{paid}}": f"""
        a schema:MonetaryGrant; rdfs:label "Contribution to participant {{pic}} in project {{rcn}}"@en;
        schema:funder <={ID}organisation/european-commission>; sol:recipient <{ID}organisation/cordis.{{pic}}>;
        schema:amount $amount^^xsd:decimal; schema:currency "EUR"; sol:underScheme <={ID}scheme/horizon-2020>;
        schema:fundedItem <{ID}activity/cordis.{{rcn}}>; prov:wasDerivedFrom <row>; schema:startDate $start^^xsd:date;
        sol:datePrecision <precision>; schema:endDate $end^^xsd:date""",
}
"""What the rows become in a short form of RML: `<column>`, `<template>`, `<=constant>`, `$column` for a literal."""


def as_rml(prepared: Path) -> str:
    """Write the short form out as RML."""
    heads = [f"@prefix {name}: <{PREFIXES[name]}> ." for name in sorted(PREFIXES)]
    heads += ["@prefix rml: <http://w3id.org/rml/> .", f"@prefix rdf: <{RDF}> ."]
    for number, (subject, said) in enumerate(RML.items()):
        pairs = [one.split(maxsplit=1) for one in said.split(";")]
        maps = "".join(
            f" ;\n rml:predicateObjectMap [ rml:predicate {'rdf:type' if predicate == 'a' else predicate} ;"
            f" rml:objectMap [ {_object_map(written.strip())} ] ]"
            for predicate, written in pairs
        )
        heads.append(
            f'<urn:map:{number}> a rml:TriplesMap ; rml:logicalSource [ rml:source "{prepared}" ;'
            f' rml:referenceFormulation rml:CSV ] ; rml:subjectMap [ rml:template "{subject}" ]{maps} .'
        )
    return "\n".join(heads)


def _object_map(written: str) -> str:
    if written.startswith("$"):
        column, _, datatype = written[1:].partition("^^")
        return f'rml:reference "{column}"' + (f" ; rml:datatype {datatype}" if datatype else "")
    if written.startswith('"') and "{" in written:
        text, _, language = written.rpartition("@")
        return f'rml:template {text} ; rml:termType rml:Literal ; rml:language "{language}"'
    if written.startswith("<="):
        name = written[2:-1]
        return f"rml:constant <{globals().get(name, name)}>"
    if "{" in written:
        return f'rml:template "{written[1:-1]}"'
    if written.startswith("<"):
        return f'rml:reference "{written[1:-1]}" ; rml:termType rml:IRI'
    return f"rml:constant {written}"


def by_morph_kgc(prepared: Path, folder: Path, python: str) -> int:
    """Let morph-kgc write N-Triples, with as many processes as it likes."""
    (folder / "map.ttl").write_text(as_rml(prepared))
    made = folder / "morph.nt"
    settings = f"[CONFIGURATION]\noutput_file = {made}\noutput_format = N-TRIPLES\nlogging_level = ERROR\n"
    (folder / "morph.ini").write_text(f"{settings}[all]\nmappings = {folder / 'map.ttl'}\n")
    subprocess.run([python, "-m", "morph_kgc", folder / "morph.ini"], check=True)
    with made.open("rb") as lines:
        return sum(bool(line.strip()) for line in lines)


def _timed(way: Callable[..., int], args: tuple[object, ...], answers: Queue[Done]) -> None:
    begun = time.perf_counter()
    made = way(*args)
    seconds = time.perf_counter() - begun
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    answers.put((seconds, spent, max(own.ru_maxrss, children.ru_maxrss) / 1e6, made))


def alone(way: Callable[..., int], *args: object) -> Done:
    """Run in a process of its own; return seconds, those of processors, gigabytes at most, and statements."""
    context = get_context("spawn")
    answers: Queue[Done] = context.Queue()
    process = context.Process(target=_timed, args=(way, args, answers))
    process.start()
    while process.is_alive() and answers.empty():
        time.sleep(0.1)
    process.join()
    if answers.empty():
        sys.exit(f"{way.__name__} ended with {process.exitcode}")
    return answers.get()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=144_726)
    parser.add_argument("--morph-kgc", metavar="PYTHON", help="the Python of an environment that has morph-kgc")
    parser.add_argument("--commit", action="store_true", help="measure our import with its commit too")
    chosen = parser.parse_args()
    if not (REAL / FILE).is_file():
        print(f"left out: the real registers are not in {REAL}; set GRAPHKIT_REAL_DATA")
        return
    table = Table("way", "s", "s of processors", "times ours", "GB", "statements", "statements / s")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        register = cut(chosen.rows, folder)
        prepared = prepare(register, folder)
        ways: list[tuple[str, Callable[..., int], tuple[object, ...]]] = [("graphkit", by_graphkit, (register, folder))]
        if chosen.commit:
            ways.append(("graphkit, committed", by_graphkit_committed, (register, folder)))
        ways.append(("rdflib loop", by_rdflib, (prepared, folder)))
        if chosen.morph_kgc:
            ways.append(("morph-kgc", by_morph_kgc, (prepared, folder, chosen.morph_kgc)))
        first = 0.0
        for name, way, args in ways:
            seconds, spent, most, made = alone(way, *args)
            first = first or spent
            cells = (f"{seconds:.1f}", f"{spent:.1f}", f"{spent / first:.2f}", f"{most:.2f}")
            table.add_row(name, *cells, f"{made:,}", f"{made / seconds:,.0f}")
    Console(width=120).print(table)
    if not chosen.morph_kgc:
        print("morph-kgc was left out: --morph-kgc names the Python of an environment that has it")


if __name__ == "__main__":
    main()
