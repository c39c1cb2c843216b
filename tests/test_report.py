"""Reports of regions: nothing is invented, every figure tells its query, the same version gives the same bytes."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import docx
import polars as pl
import pytest
import rdflib

from graphkit import queries
from graphkit import report as reports
from graphkit.assembly import assemble_shipped
from graphkit.errors import MissingExtraError, UnknownNameError, UsageError
from graphkit.gaps import find_gaps
from graphkit.report import Figure, Links, Named, Report, printing
from graphkit.report.document import NotKnown, Table
from graphkit.report.dots import picture
from graphkit.store import Store, open_store
from graphkit.terms import ID, PREFIXES
from tests.harbour_fixture import harbour, harbour_store
from tests.village_fixture import village_store

__all__ = ["harbour"]

CHAPTERS = [
    "organisations", "networks", "money", "calls", "commitments", "barriers", "scorecard", "comparison", "gaps", "plan",
    "doubts",
]  # fmt: skip
_QB = rdflib.Namespace("http://purl.org/linked-data/cube#")
_SCHEMA = rdflib.Namespace("https://schema.org/")


@pytest.fixture(scope="module")
def seed() -> Iterator[Store]:
    """Put the shipped graph together."""
    store = assemble_shipped()
    yield store
    store.close()


@pytest.fixture(scope="module")
def wessex(seed: Store) -> Report:
    """Report on Wessex in the shipped graph."""
    return reports.regional_report(seed, "wessex")


@pytest.fixture(scope="module")
def valley(village: Store) -> Report:
    """Report on the valley of the village, beside its two parts."""
    return reports.regional_report(village, "Valley", against=("place/upton", "Downton"))


def _blocks(report: Report, key: str) -> tuple[object, ...]:
    (section,) = [each for each in report.sections if each.key == key]
    return section.blocks


def _figure(report: Report, key: str) -> Figure:
    (figure,) = [each for _, each in report.figures() if each.key == key]
    return figure


def _named(value: object) -> Iterator[Named]:
    """Find every named thing in a report, however deep."""
    if isinstance(value, Named):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _named(each)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from _named(getattr(value, name))


# ---- What it says ---------------------------------------------------------------------------------------------


def test_every_chapter_is_there_in_its_order(wessex: Report, valley: Report) -> None:
    """A region of which little is known has the same chapters as any other."""
    for report in (wessex, valley):
        assert [section.key for section in report.sections] == CHAPTERS


def test_every_named_thing_of_the_seed_report_is_in_the_graph_under_that_name(seed: Store, wessex: Report) -> None:
    """Each name in the report of Wessex is a name that the graph gives the thing, perhaps after a number."""
    things = set(_named(wessex))
    known = dict(queries.run(seed, "explore/labels", thing=sorted({each.iri for each in things})).rows())
    outside = {each for each in things if each.iri.startswith("http://metadata.un.org/sdg/")}
    assert len(things) > 40
    assert {each for each in things - outside if not each.label.endswith(known.get(each.iri, "\0"))} == set()
    assert all(re.match(r"\d+(\.\d+)? ", each.label) for each in outside)


def test_the_figures_of_wessex_are_what_its_query_answers(seed: Store, wessex: Report) -> None:
    """Organisations, activities and grants are those of region/counts, asked by hand."""
    row = queries.run(seed, "region/counts", region="place/wessex").row(0, named=True)
    assert _figure(wessex, "organisations").value + _figure(wessex, "intended").value == row["organisations"]  # type: ignore[operator]
    assert _figure(wessex, "activities").value == row["activities"]
    assert row["grants"] == 0
    (nothing,) = _blocks(wessex, "money")
    assert isinstance(nothing, NotKnown)
    assert "import" in nothing.next.lower()


def test_the_valley_is_counted_as_on_the_fingers(valley: Report) -> None:
    """Twelve exist, one consortium is only proposed, and three grants reached the valley."""
    assert _figure(valley, "organisations").value == 12
    assert _figure(valley, "intended").value == 1
    assert _figure(valley, "grants").value == 3
    table = next(each for each in _blocks(valley, "comparison") if isinstance(each, Table))
    assert [row[0].label for row in table.rows] == ["Valley", "Upton", "Downton"]  # type: ignore[union-attr]


def test_sums_of_money_are_those_of_the_grants(harbour: Store) -> None:
    """Each currency by itself, each grant once, and what reached core solidarity organisations within it."""
    places = queries.run(harbour, "region/counts")
    best = places.filter(places["grants"] == places["grants"].max()).row(0, named=True)
    report = reports.regional_report(harbour, best["region"])
    grants = queries.run(harbour, "region/grants", region=best["region"]).unique("grant").drop_nulls("amount")
    for currency, amount in grants.group_by("currency").agg(pl.col("amount").sum()).rows():
        assert _figure(report, f"sum-{currency}").value == amount
        assert 0 <= _figure(report, f"core-{currency}").value <= amount  # type: ignore[operator]


def test_every_figure_has_coverage_method_and_a_query_that_runs(seed: Store, wessex: Report, valley: Report) -> None:
    """No bare number: and the query behind it is in the catalogue and takes these parameters."""
    for report in (wessex, valley):
        for _, figure in report.figures():
            assert figure.coverage
            assert figure.method
            queries.bind(queries.find(figure.asked.query), dict(figure.asked.values))


def test_each_action_has_a_reason_and_says_what_would_show_success(wessex: Report, valley: Report) -> None:
    """And who could begin; a gap behind it is one of the report's."""
    assert wessex.actions()
    assert valley.actions()
    for action in (*wessex.actions(), *valley.actions()):
        assert action.why
        assert action.success
        assert action.what
        assert action.commitments or action.gap or action.evidence[0].iri.startswith(f"{ID}opportunity/")


def test_an_action_of_public_bodies_and_solidarity_organisations_serves_the_commitment_on_partnerships(
    valley: Report, village: Store
) -> None:
    """Only where both sides are in it; the commitment is one that monitor/partnerships follows."""
    served = {each.iri for action in valley.actions() if action.gap for each in action.commitments}
    followed = queries.run(village, "monitor/commitments")
    assert served <= set(followed["commitment"])


def test_a_region_is_found_by_slug_name_and_iri_and_an_unknown_one_names_the_near(village: Store) -> None:
    """Whatever its capitals."""
    wanted = Named("Upton", f"{ID}place/upton")
    for name in ("upton", "place/upton", "UPTON", f"{ID}place/upton"):
        assert reports.find_region(village, name) == wanted
    with pytest.raises(UnknownNameError, match="Upton"):
        reports.find_region(village, "Uptown")
    with pytest.raises(UsageError, match="no region"):
        reports.find_region(village, " ")


def test_a_region_without_an_outline_says_how_surely_its_parts_belong_to_it(wessex: Report) -> None:
    """Somerset counts as part of Wessex with little confidence, and the report says so."""
    table = next(each for each in _blocks(wessex, "doubts") if isinstance(each, Table) and "boundary" in each.caption)
    assert {row[0].label: row[1] for row in table.rows}["Somerset"] == "0.2"  # type: ignore[union-attr]


_TALK = b"""@prefix id: <https://w3id.org/solidarity-graph/id/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix schema: <https://schema.org/> . @prefix sol: <https://w3id.org/solidarity-graph/ns#> .
@prefix voc: <https://w3id.org/solidarity-graph/vocabulary/> .
<https://w3id.org/solidarity-graph/id/claim/talk> a sol:Claim ; rdfs:label "The manager fears the council" ;
    schema:about <https://w3id.org/solidarity-graph/vocabulary/barrier/lack-of-resources> ;
    sol:stance <https://w3id.org/solidarity-graph/vocabulary/stance/for> ; sol:respondents 3 ;
    sol:evidenceKind <https://w3id.org/solidarity-graph/vocabulary/evidence-kind/interview> ;
    prov:atLocation <https://w3id.org/solidarity-graph/id/place/upton> .
"""


def test_what_a_few_people_said_who_were_asked_is_in_no_format() -> None:
    """It is only said that something was left out."""
    store = village_store()
    with store.change("talks") as change:
        change.load(_TALK, media_type="ttl", graph="urn:talks")
    report = reports.regional_report(store, "upton")
    for form in ("html", "md", "csv", "ttl"):
        assert b"fears the council" not in reports.report_as(report, form)
    assert b"fewer than five, left out" in reports.report_as(report, "html")
    store.close()


# ---- How it is written -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", reports.REPORT_FORMATS)
def test_the_same_version_gives_the_same_bytes(form: str) -> None:
    """Two stores with the same content and time, reported one after the other, differ in no byte of any format."""
    store = village_store()
    found = find_gaps(store, today=reports.report_day(store))
    first, second = (reports.report_as(reports.regional_report(store, "valley", found=found), form) for _ in range(2))
    assert first == second
    again = reports.regional_report(store, "valley", found=find_gaps(store, today=reports.report_day(store)))
    assert reports.report_as(again, form) == first
    store.close()


def test_html_is_whole_safe_and_links_each_figure_to_its_query_and_version(wessex: Report) -> None:
    """No script, nothing from elsewhere, and the address of each query has region and version."""
    html = reports.report_as(wessex, "html", base="https://graph.example.org/").decode()
    assert "<script" not in html
    assert not re.search(r'(src|url\()="?http', html)
    assert html.count("<h1>") == 1
    assert "@media print" in html
    assert wessex.version is not None
    address = "https://graph.example.org/queries/region/organisations?region=place/wessex&amp;version="
    assert f'{address}{wessex.version.number}"' in html


def test_names_cannot_break_out_of_html_or_markdown(village: Store) -> None:
    """A name with signs of markup is shown as it is."""
    wicked = Named("<b>|*x*", "https://example.org/a?b=\"c'<")
    report = Report(wicked, None, date(2020, 1, 1), ((wicked,),), ())
    html = reports.report_as(report, "html").decode()
    assert "<b>|" not in html
    assert 'b="c' not in html
    assert "\\<b\\>\\|\\*x\\*" in reports.report_as(report, "md").decode()


def test_docx_and_pdf_have_the_dates_of_the_version(wessex: Report) -> None:
    """And the DOCX can be read back with its headings."""
    packed = reports.report_as(wessex, "docx")
    assert wessex.version is not None
    assert docx.Document(io.BytesIO(packed)).core_properties.created == wessex.version.time
    with zipfile.ZipFile(io.BytesIO(packed)) as parts:
        second = wessex.version.time.second // 2 * 2
        assert {part.date_time for part in parts.infolist()} == {(*wessex.version.time.timetuple()[:5], second)}
    headings = [each.text for each in docx.Document(io.BytesIO(packed)).paragraphs if each.style.name == "Heading 1"]
    assert headings == [section.title for section in wessex.sections]
    assert f"{wessex.version.time:%Y%m%d%H%M%S}".encode() in reports.report_as(wessex, "pdf")


def test_rdf_has_each_figure_as_an_observation_and_each_action_as_a_possible_one(wessex: Report) -> None:
    """A suggestion is never a fact: it has the status of a potential action."""
    graph = rdflib.Graph().parse(data=reports.report_as(wessex, "ttl"), format="turtle")
    assert len(set(graph.subjects(rdflib.RDF.type, _QB.Observation))) == len(list(wessex.figures()))
    acts = set(graph.subjects(rdflib.RDF.type, _SCHEMA.PlanAction))
    assert len(acts) == len(wessex.actions())
    assert acts == set(graph.subjects(_SCHEMA.actionStatus, _SCHEMA.PotentialActionStatus))


def test_csv_has_every_figure(wessex: Report) -> None:
    """With coverage, method, query, parameters and version."""
    rows = list(csv.DictReader(io.StringIO(reports.report_as(wessex, "csv").decode())))
    assert [row["figure"] for row in rows] == [figure.key for _, figure in wessex.figures()]
    assert all(row["coverage"] and row["method"] and row["query"] and row["address"] for row in rows)


def test_a_library_that_is_absent_is_named_with_the_line_that_installs_it(
    wessex: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PDF and DOCX need the extra; all other formats do not."""
    monkeypatch.setattr(printing, "import_module", _absent)
    for form in ("pdf", "docx"):
        with pytest.raises(MissingExtraError, match=r"solidarity-graphkit\[report\]"):
            reports.report_as(wessex, form)
    assert reports.report_as(wessex, "html")


def _absent(name: str) -> object:
    raise ImportError(name)


def test_an_unknown_format_is_refused(wessex: Report) -> None:
    """With the names of those that there are."""
    with pytest.raises(UnknownNameError, match="no format of a report is called 'odt'"):
        reports.report_as(wessex, "odt")


def test_links_lead_to_lasting_names_or_to_a_service() -> None:
    """A thing of elsewhere leads to itself in both."""
    asked = reports.Asked("region/places", (("region", f"{ID}place/upton"),))
    assert Links().thing(f"{ID}place/upton") == f"{ID}place/upton"
    assert Links("").thing(f"{ID}place/upton") == "/doc/place/upton"
    assert Links("").thing("urn:x") == ""
    assert Links("", 3).query(asked) == "/queries/region/places?region=place/upton&version=3"


def test_a_store_without_anything_knows_no_region() -> None:
    """The error says so, and nothing is made up."""
    with open_store() as store, pytest.raises(UnknownNameError):
        reports.regional_report(store, "wessex")


# ---- Open calls ------------------------------------------------------------------------------------


def test_an_open_call_is_listed_with_whom_it_fits_there_and_becomes_an_action(harbour: Store) -> None:
    """The Rowers are the co-operative in the North that the sailing school asks for; the Guild is elsewhere."""
    north = reports.regional_report(harbour, "place/north")
    (table,) = _blocks(north, "calls")
    assert isinstance(table, Table)
    assert [(row[0].label, row[2], row[4]) for row in table.rows] == [  # type: ignore[union-attr]
        ("Sailing school", date(2030, 1, 1), "Net Menders and Rowers")
    ]
    assert "1 of 3 calls" in table.coverage
    (bid,) = [each for each in north.actions() if each.key == "bid-school"]
    assert [each.label for each in (*bid.who, *bid.partners)] == ["Net Menders", "Rowers"]
    assert "Research and education" in bid.why
    (silent,) = _blocks(reports.regional_report(harbour, "place/south"), "calls")
    assert isinstance(silent, NotKnown)
    assert "Of the 3 calls and tenders" in silent.what
    assert "2030-01-01" in silent.what


def test_the_map_is_a_picture_in_word_too(harbour: Store) -> None:
    """The document holds a PNG with circles, said in words beside it; the same version gives the same picture."""
    points = ((-1.0, 50.0, 1), (-2.0, 51.0, 9))
    first, again = picture(points), picture(points)
    assert first == again
    assert first.startswith(b"\x89PNG")
    assert first != picture(points[:1])


def test_a_kind_is_known_only_where_a_source_says_it_and_has_its_own_name() -> None:
    """Of two kinds the first by name stands with its own address, and an unspecified kind is not known."""
    facts = f"""@prefix org: <http://www.w3.org/ns/org#> . @prefix kind: <{PREFIXES["voc"]}kind/> .
        @prefix prov: <http://www.w3.org/ns/prov#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        <{ID}organisation/both> a org:Organization ; rdfs:label "Both"@en ; prov:atLocation <{ID}place/south> ;
            org:classification kind:community-interest-company , kind:cooperative .
        <{ID}organisation/some> a org:Organization ; rdfs:label "Some"@en ; prov:atLocation <{ID}place/south> ;
            org:classification kind:unspecified ."""
    report = reports.regional_report(harbour_store(facts.encode()), "place/south")
    (kinds,) = [b for b in _blocks(report, "organisations") if isinstance(b, Table) and "by kind" in b.caption]
    named = {row[0].label: row[0].iri.rpartition("/")[2] for row in kinds.rows if isinstance(row[0], Named)}
    assert named == {"Co-operative": "cooperative"}
    assert ("kind not known", 1) in kinds.rows
    assert "2 of 3 have a known kind" in _figure(report, "organisations").coverage


def test_a_call_of_which_no_date_is_known_is_not_offered(wessex: Report) -> None:
    """The seed names a challenge without a day: the report says so, and proposes no bid for it."""
    first, second = _blocks(wessex, "calls")
    assert isinstance(first, NotKnown)
    assert "are they open?" in str(second)
    assert not [each for each in wessex.actions() if each.key.startswith("bid-")]


def test_missing_money_of_companies_and_places_is_counted_and_not_acted_on(harbour: Store) -> None:
    """A gap of money of the Rowers is listed; that of the steel works and of a whole place are only counted."""
    found = find_gaps(harbour, today=date(2026, 1, 1))
    base = next(iter(found.gaps))
    gaps = [
        replace(base, kind="C4", members=(f"{ID}{thing}",), labels=(thing,), evidence=())
        for thing in ("organisation/rowers", "organisation/list.steel", "place/north")
    ]
    report = reports.regional_report(harbour, "place/north", found=replace(found, gaps=tuple(gaps)))
    table, left = _blocks(report, "gaps")
    assert isinstance(table, Table)
    assert len(table.rows) == 1
    assert "2 more of missing money" in str(left)
    assert {each.iri for action in report.actions() if action.gap for each in action.who} == {
        f"{ID}organisation/rowers"
    }


def test_regions_stand_beside_each_other_with_the_money_that_reached_them(valley: Report) -> None:
    """By currency, as the village tells it: 5,000 pounds in Upton, 1,200.50 pounds and 800 euro in Downton."""
    (table,) = [block for block in _blocks(valley, "comparison") if isinstance(block, Table)]
    assert {row[0].label: row[-1] for row in table.rows if isinstance(row[0], Named)} == {
        "Valley": "EUR 800; GBP 6,200",
        "Upton": "GBP 5,000",
        "Downton": "EUR 800; GBP 1,200",
    }
