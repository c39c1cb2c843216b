"""Claims from a coded spreadsheet: checked row by row, interviews gathered so that nobody can be recognised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Final

import polars as pl
import rdflib
from rdflib.namespace import DCTERMS, PROV, RDF, RDFS, XSD

from graphkit import ontology, queries
from graphkit.barriers.matrix import SMALLEST_CELL
from graphkit.errors import DataError, MissingExtraError, UsageError
from graphkit.store.base import Readable
from graphkit.terms import GRAPH, ID, PREFIXES, SOL

__all__ = ["COLUMNS", "Coded", "claims_from", "code", "read_sheet"]

COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kind": "document, statistics or interview",
        "about": "a barrier or building block: its slug or its name, such as lack-of-resources",
        "stance": "for or against",
        "region": "the region that it speaks of, such as place/wessex",
        "claimant": "who says it, such as organisation/eesc; not for interviews",
        "source": "the address of the document or the statistics; not for interviews",
        "summary": "what is said, in your own words; not for interviews",
        "date": "when it was said, as 2024-03-31; may be empty",
        "interview": "a code that tells interviews apart; it is counted and never kept; only for interviews",
        "role": "the role of who was asked, such as manager; only for interviews",
        "consent": "anonymous-use, analysis-only or refused; only for interviews",
    }
)
"""The columns of a coded spreadsheet, each with what stands in it."""

_ALWAYS: Final = ("kind", "about", "stance", "region")
_OF_TEXTS: Final = ("claimant", "source", "summary")
_OF_INTERVIEWS: Final = ("interview", "role", "consent")
_KINDS: Final = ("document", "statistics", "interview")
_STANCES: Final = ("for", "against")
_REFUSED: Final = "refused"
_SEVERAL: Final = "several"
_PRIVATE: Final = re.compile(r"name|mail|phone|address|birth|age|quote|verbatim|transcript", re.IGNORECASE)
_SLUG: Final = re.compile(r"[a-z][a-z0-9-]*")
_VOC: Final = PREFIXES["voc"]
_SCHEMA: Final = rdflib.Namespace(PREFIXES["schema"])
_SOL: Final = rdflib.Namespace(SOL)


@dataclass(frozen=True, eq=False)
class Coded:
    """What a spreadsheet said, ready to be kept: no row of it names a person, and small cells are already left out.

    `texts` has a row for each claim of a document or statistics, with `row`, its place in the sheet; `cells` one for
    each answer of at least `smallest` people: role, region, about, stance, people. `refused` interviews withheld
    their consent; `suppressed` cells, with `suppressed_people` answers, were too small to be kept.
    """

    texts: pl.DataFrame
    cells: pl.DataFrame
    smallest: int
    rows: int
    interviews: int
    refused: int
    suppressed: int
    suppressed_people: int

    @property
    def words(self) -> str:
        """Say what came in and what was left out."""
        return (
            f"{self.rows} rows: {self.texts.height} claims of documents and statistics, {self.cells.height} answers of"
            f" {self.smallest} people or more from {self.interviews} interviews; left out: {self.refused} interviews"
            f" without consent, {self.suppressed} answers of fewer than {self.smallest} people"
            f" ({self.suppressed_people} in all)"
        )


# ---- Reading -------------------------------------------------------------------------------------


def read_sheet(path: Path) -> pl.DataFrame:
    """Read a CSV or XLSX file as text, with its row numbers as `row` (1 is the first below the header).

    Raises `DataError` where the file cannot be read, `MissingExtraError` where XLSX needs the extra `excel`.
    """
    try:
        if path.suffix.lower() == ".xlsx":
            frame = pl.read_excel(path, infer_schema_length=0, drop_empty_rows=False)
        else:
            frame = pl.read_csv(path, infer_schema=False)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "reading XLSX needs fastexcel", hint="pip install 'solidarity-graphkit[excel]', or save the sheet as CSV"
        ) from error
    except (OSError, pl.exceptions.PolarsError, ValueError) as error:
        raise DataError("the spreadsheet cannot be read", where=str(path), hint=str(error)) from error
    named = frame.rename({name: name.strip().lower() for name in frame.columns})
    text = pl.col(pl.String).str.strip_chars().replace("", None)
    texts = named.with_columns(pl.all().cast(pl.String)).with_columns(text)
    if "date" in texts.columns:
        texts = texts.with_columns(pl.col("date").str.strip_suffix(" 00:00:00"))
    return texts.with_row_index("row", offset=1)


def code(frame: pl.DataFrame, store: Readable, *, where: str = "", smallest: int = SMALLEST_CELL) -> Coded:
    """Check the rows of `read_sheet` against the words and places of `store`, and gather its interviews.

    An answer of fewer than `smallest` people of one role is pooled with those of other roles in the same region; what
    is still too small is left out and counted. Raises `DataError` with the row for whatever is not in order: all of
    the sheet comes in or nothing does.
    """
    if smallest < 2:  # noqa: PLR2004 - one person can always be recognised
        raise UsageError("an answer of a single person is never kept", hint="give a smallest cell of 2 or more")
    _check_columns(frame, where)
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in COLUMNS if name not in frame.columns]
    rows = frame.with_columns(missing).select("row", *COLUMNS)
    rows = rows.filter(pl.any_horizontal(pl.col(*COLUMNS).is_not_null()))
    _check_cells(rows, where)
    rows = _resolved(rows, store, where)
    asked = rows.filter(pl.col("kind") == "interview")
    cells, small = _gathered(asked.filter(pl.col("consent") != _REFUSED), smallest)
    return Coded(
        texts=rows.filter(pl.col("kind") != "interview").drop(_OF_INTERVIEWS),
        cells=cells,
        smallest=smallest,
        rows=rows.height,
        interviews=asked["interview"].n_unique(),
        refused=asked.filter(pl.col("consent") == _REFUSED)["interview"].n_unique(),
        suppressed=small.height,
        suppressed_people=int(small["people"].sum()),
    )


def _check_columns(frame: pl.DataFrame, where: str) -> None:
    names = [name for name in frame.columns if name != "row"]
    unknown = [name for name in names if name not in COLUMNS]
    private = [name for name in unknown if _PRIVATE.search(name)]
    if private:
        raise DataError(
            f"the column '{private[0]}' could tell who was asked",
            where=where,
            hint="remove it: people are known by a role in a region, and what they said by its codes",
        )
    if unknown:
        near = get_close_matches(unknown[0], COLUMNS, n=2, cutoff=0.5)
        hint = f"did you mean: {', '.join(near)}?" if near else f"the columns are: {', '.join(COLUMNS)}"
        raise DataError(f"no column is called '{unknown[0]}'", where=where, hint=hint)
    lacking = [name for name in _ALWAYS if name not in names]
    if lacking:
        raise DataError(
            f"the sheet has no column {', '.join(lacking)}", where=where, hint=f"it needs {', '.join(_ALWAYS)}"
        )


def _check_cells(rows: pl.DataFrame, where: str) -> None:
    """Refuse the first row that lacks something, or has something that it must not have."""
    interview = pl.col("kind") == "interview"
    rules = [
        *((pl.col(name).is_null(), f"the cell '{name}' is empty", COLUMNS[name]) for name in _ALWAYS),
        (~pl.col("kind").is_in(_KINDS), "the kind is none that there is", COLUMNS["kind"]),
        (~pl.col("stance").is_in(_STANCES), "the stance is neither for nor against", COLUMNS["stance"]),
        *((~interview & pl.col(n).is_null(), f"the cell '{n}' is empty", COLUMNS[n]) for n in _OF_TEXTS),
        *((interview & pl.col(n).is_null(), f"the cell '{n}' is empty", COLUMNS[n]) for n in _OF_INTERVIEWS),
        *(
            (interview & pl.col(name).is_not_null(), f"an interview has a '{name}', by which it could be recognised",
             "empty the cell: interviews are kept as codes only")
            for name in _OF_TEXTS
        ),
        *(
            (~interview & pl.col(name).is_not_null(), f"a document has the cell '{name}', which is of interviews",
             "empty the cell, or write 'interview' as the kind")
            for name in _OF_INTERVIEWS
        ),
        (interview & ~pl.col("consent").is_in(_concepts("consent")), "there is no such consent", COLUMNS["consent"]),
        *(
            (interview & (pl.col(name).n_unique().over("interview") > 1), f"one interview has two cells '{name}'",
             "an interview is of one person, in one role, with one consent: give each interview a code of its own")
            for name in ("role", "consent")
        ),
        (pl.col("date").is_not_null() & pl.col("date").str.to_date("%Y-%m-%d", strict=False).is_null(),
         "the date cannot be read", COLUMNS["date"]),
        (pl.col("source").is_not_null() & ~pl.col("source").str.contains(r"^https?://[^\s<>\"]+$"),
         "the source is no address", "write a full address that begins with http:// or https://"),
    ]  # fmt: skip
    for rule, fault, hint in rules:
        wrong = rows.filter(rule.fill_null(value=False))
        if wrong.height:
            raise _fault(fault, int(wrong["row"][0]), where, hint)


def _fault(what: str, row: int, where: str, hint: str) -> DataError:
    return DataError(what, where=f"{where or 'the sheet'}, row {row}", hint=hint)


def _concepts(scheme: str) -> list[str]:
    found = ontology.concepts().filter(pl.col("scheme") == scheme)["concept"]
    return [iri.rpartition("/")[2] for iri in found]


def _resolved(rows: pl.DataFrame, store: Readable, where: str) -> pl.DataFrame:
    """Turn the words for codes, roles, regions and claimants into IRIs."""
    concepts = ontology.concepts()
    codes = concepts.filter(pl.col("scheme").is_in(["barrier", "building-block"]))
    words = {label.lower(): iri for label, iri in codes.select("label", "concept").rows()}
    words |= {iri.rpartition("/")[2]: iri for iri in codes["concept"]}
    words |= {iri.removeprefix(_VOC): iri for iri in codes["concept"]}
    roles = {role: f"{_VOC}respondent-role/{role}" for role in _concepts("respondent-role")}
    places = _known(queries.run(store, "explore/places")["place"].to_list())
    agents = _known(queries.run(store, "gaps/organisations")["organisation"].to_list())
    rows = rows.with_columns(about=pl.col("about").str.to_lowercase())
    for column, known in (("about", words), ("role", roles), ("region", places), ("claimant", agents)):
        rows = _looked_up(rows, column, known, where)
    return rows


def _known(iris: list[str]) -> dict[str, str]:
    return {iri: iri for iri in iris} | {iri.removeprefix(ID): iri for iri in iris}


def _looked_up(rows: pl.DataFrame, column: str, known: Mapping[str, str], where: str) -> pl.DataFrame:
    wrong = rows.filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(list(known)))
    if wrong.height:
        word = str(wrong[column][0])
        near = get_close_matches(word, list(known), n=3, cutoff=0.5)
        hint = f"did you mean: {', '.join(near)}?" if near else COLUMNS[column]
        raise _fault(f"no {column} is called '{word}'", int(wrong["row"][0]), where, hint)
    return rows.with_columns(pl.col(column).replace_strict(dict(known), default=None, return_dtype=pl.String))


def _gathered(asked: pl.DataFrame, smallest: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Count people for each answer; pool what is too small over roles, and return what is kept and what is left out."""
    by = ["region", "about", "stance"]
    each = asked.group_by("role", *by).agg(people=pl.col("interview").n_unique())
    enough = each.filter(pl.col("people") >= smallest)
    rest = asked.join(each.filter(pl.col("people") < smallest).select("role", *by), on=["role", *by], how="semi")
    pooled = rest.group_by(by).agg(people=pl.col("interview").n_unique())
    several = pooled.with_columns(role=pl.lit(f"{_VOC}respondent-role/{_SEVERAL}"))
    kept = [enough, several.filter(pl.col("people") >= smallest).select(enough.columns)]
    cells = pl.concat(kept).sort("region", "about", "stance", "role")
    return cells, pooled.filter(pl.col("people") < smallest)


# ---- Writing -------------------------------------------------------------------------------------


def claims_from(coded: Coded, source: str, *, label: str, licence: str, day: date) -> bytes:
    """Write coded claims as Turtle, with the description of their source; the same input gives the same bytes.

    `source` is a slug; the claims belong into the graph of that name. A claim of a text leads to its row; what people
    said leads to the source alone, because a row would single them out. Raises `UsageError` for a name that is no
    slug, or a licence that is no address.
    """
    if not _SLUG.fullmatch(source):
        raise UsageError(f"'{source}' is no name for a source", hint="use small letters, digits and hyphens")
    if not licence.startswith(("http://", "https://")):
        raise UsageError(
            f"'{licence}' is no address of a licence", hint="such as https://creativecommons.org/licenses/by/4.0/"
        )
    graph = rdflib.Graph()
    for prefix in ("dcterms", "prov", "rdfs", "schema", "sol", "xsd", "voc", "id"):
        graph.bind(prefix, PREFIXES[prefix])
    home = rdflib.URIRef(f"{ID}source/{source}")
    said = [
        (RDF.type, _SOL.Source),
        (RDFS.label, rdflib.Literal(label, lang="en")),
        (DCTERMS.license, rdflib.URIRef(licence)),
        (DCTERMS.issued, rdflib.Literal(day)),
        (_SOL.sourceGraph, rdflib.Literal(GRAPH + source, datatype=XSD.anyURI)),
        (_SOL.smallestCell, rdflib.Literal(coded.smallest)),
    ]
    if coded.cells.height:
        said.append((_SOL.consent, rdflib.URIRef(f"{_VOC}consent/anonymous-use")))
    for predicate, value in said:
        graph.add((home, predicate, value))
    for row in coded.texts.rows(named=True):
        _add_text(graph, home, source, row)
    for row in coded.cells.rows(named=True):
        _add_cell(graph, home, source, row)
    return graph.serialize(format="turtle", encoding="utf-8")


def _add_claim(graph: rdflib.Graph, claim: rdflib.URIRef, row: Mapping[str, str], kind: str) -> None:
    graph.add((claim, RDF.type, _SOL.Claim))
    graph.add((claim, _SCHEMA.about, rdflib.URIRef(row["about"])))
    graph.add((claim, _SOL.stance, rdflib.URIRef(f"{_VOC}stance/{row['stance']}")))
    graph.add((claim, _SOL.evidenceKind, rdflib.URIRef(f"{_VOC}evidence-kind/{kind}")))
    graph.add((claim, PROV.atLocation, rdflib.URIRef(row["region"])))


def _add_text(graph: rdflib.Graph, home: rdflib.URIRef, source: str, row: Mapping[str, str]) -> None:
    claim = rdflib.URIRef(f"{ID}claim/{source}.{row['row']}")
    _add_claim(graph, claim, row, row["kind"])
    graph.add((claim, RDFS.label, rdflib.Literal(row["summary"], lang="en")))
    graph.add((claim, _SOL.claimant, rdflib.URIRef(row["claimant"])))
    graph.add((claim, DCTERMS.source, rdflib.URIRef(row["source"])))
    graph.add((claim, PROV.wasDerivedFrom, rdflib.URIRef(f"{home}#row={row['row']}")))
    if row["date"]:
        graph.add((claim, DCTERMS.issued, rdflib.Literal(row["date"], datatype=XSD.date)))


def _add_cell(graph: rdflib.Graph, home: rdflib.URIRef, source: str, row: Mapping[str, str]) -> None:
    words = [row[name].rpartition("/")[2] for name in ("about", "region", "role")]
    role, region = words[2], words[1]
    claim = rdflib.URIRef(f"{ID}claim/{source}.{'-'.join([words[0], row['stance'], region, role])}")
    who = rdflib.URIRef(f"{ID}respondent/{role}-{region}")
    _add_claim(graph, claim, row, "interview")
    about = words[0].replace("-", " ")
    label = f"{row['people']} people speak {row['stance']} it: {about}, {region.replace('-', ' ')}"
    graph.add((claim, RDFS.label, rdflib.Literal(label, lang="en")))
    graph.add((claim, _SOL.claimant, who))
    graph.add((claim, _SOL.respondents, rdflib.Literal(int(row["people"]))))
    graph.add((claim, PROV.wasDerivedFrom, home))
    graph.add((who, RDF.type, _SOL.Respondent))
    graph.add(
        (
            who,
            RDFS.label,
            rdflib.Literal(f"{role.replace('-', ' ').capitalize()}, {region.replace('-', ' ')}", lang="en"),
        )
    )
    graph.add((who, _SOL.respondentRole, rdflib.URIRef(row["role"])))
    graph.add((who, PROV.atLocation, rdflib.URIRef(row["region"])))
