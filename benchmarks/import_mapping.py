"""Compare two ways of mapping the rows of the CORDIS participations: SPARQL CONSTRUCT, and OTTR templates by maplib.

    python benchmarks/import_mapping.py FILE.csv.gz construct|ottr

Each way reads, judges, maps, settles and writes the same rows in the same batches, in a process of its own, so
that run time and peak memory can be compared. maplib is no dependency of this project: install it into a scratch
environment. Labels are plain strings and amounts texts in the OTTR way, which spares maplib some work.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from graphkit.sources.cells import judge
from graphkit.sources.folder import find
from graphkit.sources.mapping import Mapper
from graphkit.sources.opening import opened
from graphkit.sources.reading import Reading
from graphkit.sources.statements import Settler, as_frame, as_lines

_ID = "https://w3id.org/solidarity-graph/id/"
_TEMPLATE = """
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix ottr: <http://ns.ottr.xyz/0.4/> .
@prefix org: <http://www.w3.org/ns/org#> . @prefix sol: <https://w3id.org/solidarity-graph/ns#> .
@prefix schema: <https://schema.org/> . @prefix dcterms: <http://purl.org/dc/terms/> .
@prefix adms: <http://www.w3.org/ns/adms#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix m8g: <http://data.europa.eu/m8g/> . @prefix voc: <https://w3id.org/solidarity-graph/vocabulary/> .
@prefix id: <https://w3id.org/solidarity-graph/id/> . @prefix t: <urn:t:> .

t:Row [ ottr:IRI ?row, ottr:IRI ?organisation, ottr:IRI ?activity, ottr:IRI ?participation, ? ottr:IRI ?grant,
  xsd:string ?rcn, xsd:string ?pic, ottr:IRI ?role, ottr:IRI ?kind, ? ottr:IRI ?place, ? xsd:string ?start,
  ? xsd:string ?end, ? ottr:IRI ?precision, ? xsd:string ?amount, xsd:string ?olabel, xsd:string ?alabel,
  ? xsd:string ?glabel ] :: {
  ottr:Triple(?organisation, rdf:type, org:Organization), ottr:Triple(?organisation, rdfs:label, ?olabel),
  ottr:Triple(?organisation, dcterms:identifier, ?pic), ottr:Triple(?organisation, org:classification, ?kind),
  ottr:Triple(?organisation, adms:status, <https://w3id.org/solidarity-graph/vocabulary/status/unknown>),
  ottr:Triple(?organisation, prov:atLocation, ?place), ottr:Triple(?organisation, prov:wasDerivedFrom, ?row),
  ottr:Triple(?activity, rdf:type, sol:Activity), ottr:Triple(?activity, rdfs:label, ?alabel),
  ottr:Triple(?activity, dcterms:identifier, ?rcn),
  ottr:Triple(?activity, dcterms:type, <https://w3id.org/solidarity-graph/vocabulary/activity-kind/project>),
  ottr:Triple(?activity, adms:status, <https://w3id.org/solidarity-graph/vocabulary/status/unknown>),
  ottr:Triple(?activity, schema:startDate, ?start), ottr:Triple(?activity, schema:endDate, ?end),
  ottr:Triple(?activity, sol:datePrecision, ?precision), ottr:Triple(?activity, prov:wasDerivedFrom, ?row),
  ottr:Triple(?participation, rdf:type, sol:Participation), ottr:Triple(?participation, sol:participant, ?organisation),
  ottr:Triple(?participation, sol:participatesIn, ?activity), ottr:Triple(?participation, m8g:role, ?role),
  ottr:Triple(?participation, prov:wasDerivedFrom, ?row) } .
t:Grant [ ottr:IRI ?row, ottr:IRI ?organisation, ottr:IRI ?activity, ottr:IRI ?grant, ? xsd:string ?start,
  ? xsd:string ?end, ? ottr:IRI ?precision, xsd:string ?amount, xsd:string ?glabel ] :: {
  ottr:Triple(?grant, rdf:type, schema:MonetaryGrant), ottr:Triple(?grant, rdfs:label, ?glabel),
  ottr:Triple(?grant, schema:funder, <https://w3id.org/solidarity-graph/id/organisation/european-commission>),
  ottr:Triple(?grant, sol:recipient, ?organisation), ottr:Triple(?grant, schema:amount, ?amount),
  ottr:Triple(?grant, schema:currency, "EUR"),
  ottr:Triple(?grant, sol:underScheme, <https://w3id.org/solidarity-graph/id/scheme/horizon-2020>),
  ottr:Triple(?grant, schema:fundedItem, ?activity), ottr:Triple(?grant, schema:startDate, ?start),
  ottr:Triple(?grant, schema:endDate, ?end), ottr:Triple(?grant, sol:datePrecision, ?precision),
  ottr:Triple(?grant, prov:wasDerivedFrom, ?row) } .
"""


def _prepared(mapper: Mapper, frame: pl.DataFrame) -> pl.DataFrame:
    """Make the columns that the templates take: addresses and labels, as the CONSTRUCT query does by BIND."""
    judged = judge(frame, mapper.table).frame
    piece, _ = mapper._meanings(judged, {})  # noqa: SLF001 - the same crosswalks and places for both ways
    for name, meaning in piece.meanings.items():
        judged = judged.join(meaning.rename({"object": f"m_{name}"}), on="_row", how="left")
    pair = pl.format("{}-{}", "rcn", "pic")
    paid = pl.col("contribution").is_not_null()
    return judged.select(
        pl.format(f"{mapper.source}#{{}}", "_at").alias("row"),
        (pl.lit(f"{_ID}organisation/cordis.") + pl.col("pic")).alias("organisation"),
        (pl.lit(f"{_ID}activity/cordis.") + pl.col("rcn")).alias("activity"),
        (pl.lit(f"{_ID}participation/cordis.") + pair).alias("participation"),
        pl.when(paid).then(pl.lit(f"{_ID}grant/cordis.") + pair).alias("grant"),
        "rcn",
        "pic",
        pl.col("m_part").alias("role"),
        pl.col("m_kind").fill_null("https://w3id.org/solidarity-graph/vocabulary/kind/unspecified").alias("kind"),
        pl.col("m_place").alias("place"),
        "start",
        "end",
        pl.col("start_precision").alias("precision"),
        pl.col("contribution").alias("amount"),
        pl.format("Participant {}", "pic").alias("olabel"),
        pl.format("Project {} of Horizon 2020", "rcn").alias("alabel"),
        pl.when(paid).then(pl.format("Contribution to participant {} in project {}", "pic", "rcn")).alias("glabel"),
    )


def _by_ottr(frame: pl.DataFrame, scratch: Path) -> bytes:
    from maplib import Model  # noqa: PLC0415 - not there for the other way

    model = Model()
    model.add_template(_TEMPLATE)
    model.map("urn:t:Row", frame)
    grants = frame.drop_nulls("grant")
    columns = ["row", "organisation", "activity", "grant", "start", "end", "precision", "amount", "glabel"]
    model.map("urn:t:Grant", grants.select(columns))
    model.write(str(scratch), format="ntriples")
    return scratch.read_bytes()


def main(path: Path, way: str) -> None:
    """Run one way and print seconds, statements and memory."""
    layout = find("cordis").layout("participations")
    mapper = Mapper.of(layout, layout.table, f"{_ID}source/cordis.bench")
    reading, settler = Reading(layout, layout.table, 1024**2), Settler()
    wall, cpu, mapping, statements = time.perf_counter(), time.process_time(), 0.0, 0
    with tempfile.TemporaryDirectory() as folder, opened(path) as pieces:
        for number, batch in enumerate(reading.batches(pieces)):
            begun = time.process_time()
            if way == "construct":
                made = mapper.map(batch).statements
            else:
                made = as_frame(_by_ottr(_prepared(mapper, batch.frame), Path(folder) / "m.nt"))
            mapping += time.process_time() - begun
            settled = settler.settle(made).statements
            (Path(folder) / f"{number}.nt").write_bytes(as_lines(settled))
            statements += settled.height
    print(
        f"{way}: {time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} s of processors"
        f" ({mapping:.1f} s of it mapping), {statements:,} statements,"
        f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
