"""RDF comes in: as it stands, or graph by graph through a mapping such as that of procurement notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphkit.errors import DataError
from graphkit.sources import import_files
from graphkit.store import Store, open_store
from graphkit.terms import GRAPH, ID, PREFIXES
from tests.conftest import real_data

_ADAPTERS = Path(__file__).parents[1] / "graphkit" / "sources" / "adapters"
_NOTICES = _ADAPTERS / "epo" / "sample.trig"
_WORDS = """
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX m8g: <http://data.europa.eu/m8g/>
PREFIX org: <http://www.w3.org/ns/org#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX schema: <https://schema.org/>
PREFIX sol: <https://w3id.org/solidarity-graph/ns#>
"""


def _of(store: Store, graph: str) -> str:
    return store.dump("nt", f"{GRAPH}{graph}").decode()


def _written(tmp_path: Path, text: str, name: str = "choirs-2026.ttl") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module", name="notices")
def _notices() -> Store:
    """Give a store with the two invented notices."""
    store = open_store()
    report = import_files(store, "epo", [_NOTICES], snapshot="2026")
    assert (report.rows_read, report.rows_refused) == (2, 0)
    return store


def test_a_notice_is_an_opportunity_with_code_days_place_and_buyer(notices):
    """The canteen: CPV code, day of publication, deadline, region, and the city that offers it."""
    asked = (
        _WORDS
        + f"""SELECT ?label ?code ?issued ?deadline ?place ?buyer WHERE {{
        ?notice a sol:Opportunity ; rdfs:label ?label ; sol:cpvCode ?code ; sol:deadline ?deadline ;
          <{PREFIXES["dcterms"]}issued> ?issued ; prov:atLocation ?place ; sol:offeredBy/rdfs:label ?buyer }}"""
    )
    (row,) = notices.select(asked).rows()
    assert row[:2] == ("Notice 2026/S 001-900001: Kantine der Hafenschule", "55523000")
    assert [str(day) for day in row[2:4]] == ["2026-01-05", "2026-02-10"]
    assert row[4:] == (f"{ID}place/nuts-dea23", "City of Hafen")


def test_an_award_is_a_contract_of_buyers_and_winners_with_its_amount(notices):
    """Two winners of one award are partners of one contract."""
    asked = (
        _WORDS
        + """SELECT ?who ?role ?amount WHERE {
        ?contract a sol:Activity ; schema:amount ?amount ; schema:currency "GBP" .
        ?part sol:participatesIn ?contract ; sol:participant/rdfs:label ?who ; m8g:role ?role } ORDER BY ?who"""
    )
    rows = [(who, role.rsplit("/", 1)[1], str(amount)) for who, role, amount in notices.select(asked).rows()]
    assert rows == [
        ("Hill Nurses CIC", "winner", "120000.5"),
        ("Valley Carers Co-operative", "winner", "120000.5"),
        ("Valley Council", "buyer", "120000.5"),
    ]


def test_bodies_that_buy_together_are_a_collaboration(notices):
    """A group in ePO has its members; the one that is no buyer itself is described too."""
    asked = (
        _WORDS
        + """SELECT ?member WHERE {
        ?group a org:OrganizationalCollaboration ; org:hasMember/rdfs:label ?member } ORDER BY ?member"""
    )
    assert notices.select(asked)["member"].to_list() == ["City of Hafen", "Kreis Hafen"]


def test_what_is_bought_is_not_about_buying(notices):
    """A tender for meals is no work on public procurement, and nobody who wins it can do that by it."""
    found = notices.select(_WORDS + "SELECT ?thing WHERE { ?thing dcterms:subject ?theme ; prov:wasDerivedFrom ?row }")
    assert found.height == 0
    assert notices.ask(_WORDS + "ASK { ?thing a sol:Opportunity ; prov:wasDerivedFrom ?row }")


def test_codes_that_are_not_listed_any_more_lie_in_the_region_around(notices):
    """UKJ33 was Hampshire until 2015; the list of 2016 knows UKJ3."""
    found = _of(notices, "epo/2026")
    assert f"<{PREFIXES['prov']}atLocation> <{ID}place/hampshire-and-isle-of-wight>" in found
    assert f"<{PREFIXES['prov']}atLocation> <{ID}place/germany>" in found


def test_every_record_leads_to_the_graph_of_its_notice_and_contacts_stay_outside(notices):
    """The notice's own address is the origin; mail addresses, telephones and streets are not looked at."""
    found = _of(notices, "epo/2026")
    assert "<http://data.europa.eu/a4g/resource/notice/900001-2026>" in found
    assert "hafen.example.org" not in found
    assert "Kai 1" not in found


def test_a_graph_without_a_notice_is_refused_by_name(tmp_path):
    """What the mapping makes nothing of is told."""
    text = _NOTICES.read_text("utf-8") + "\nnotice:900003-2026 { r:nobody a org:Organization . }\n"
    report = import_files(open_store(), "epo", [_written(tmp_path, text, "n-2026.trig")], dry_run=True)
    assert (report.rows_read, report.rows_kept, report.rows_refused) == (3, 2, 1)
    assert report.refused["value"].to_list() == ["http://data.europa.eu/a4g/resource/notice/900003-2026"]


def test_plain_rdf_keeps_its_statements_and_names_blank_nodes_alike_in_every_run(tmp_path):
    """Two files that differ only in the labels of blank nodes make the same graph."""
    dumps = []
    for label in ("x", "other"):
        text = (
            f'<urn:choir> a <{PREFIXES["org"]}Organization> ; <urn:sings> _:{label} . _:{label} <urn:title> "A < B" .'
        )
        store = open_store()
        report = import_files(store, "rdf", [_written(tmp_path, text)])
        assert (report.rows_read, report.snapshot) == (2, "choirs-2026")
        dumps.append([line for line in _of(store, "rdf/choirs-2026").splitlines() if "urn:" in line])
    assert dumps[0] == dumps[1]
    assert f'<{ID}source/rdf.choirs-2026#c14n0> <urn:title> "A < B" .' in dumps[0]
    assert f"<urn:choir> <{PREFIXES['prov']}wasDerivedFrom> <{ID}source/rdf.choirs-2026> ." in dumps[0]


def test_malformed_rdf_is_refused_with_its_place(tmp_path):
    """File, line and column are told, and nothing comes in."""
    store = open_store()
    with pytest.raises(DataError, match="line 2"):
        import_files(store, "rdf", [_written(tmp_path, "<urn:a> <urn:b> <urn:c> .\n<urn:a> nonsense")])
    assert store.version is None


@pytest.mark.real
def test_the_notices_of_the_publications_office_come_in_whole():
    """786 notices, 88 groups of buyers; three labels hold what looks like the name of a graph."""
    file = real_data() / "procurement" / "ted_notices_epo.nq.gz"
    report = import_files(open_store(), "epo", [file], dry_run=True, snapshot="2022")
    counts = dict(report.records.rows())
    assert (report.rows_read, report.rows_refused) == (786, 0)
    assert counts[f"{PREFIXES['sol']}Opportunity"] == 786
    assert counts[f"{PREFIXES['org']}OrganizationalCollaboration"] == 88
