"""Each shipped source reads its own dialect: its sample, with the traps of the real file, comes out right."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from graphkit.errors import DataError
from graphkit.sources import ImportReport, Wishes, import_files
from graphkit.store import Store, open_store
from graphkit.terms import GRAPH, ID

_ADAPTERS = Path(__file__).parents[1] / "graphkit" / "sources" / "adapters"
_PREFIXES = """
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX id: <https://w3id.org/solidarity-graph/id/>
PREFIX m8g: <http://data.europa.eu/m8g/>
PREFIX org: <http://www.w3.org/ns/org#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX schema: <https://schema.org/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX sol: <https://w3id.org/solidarity-graph/ns#>
"""


def _imported(sample: str, **wishes: object) -> tuple[Store, ImportReport]:
    store, path = open_store(), _ADAPTERS / sample
    report = import_files(store, path.parent.name, [path], snapshot="2024", wishes=Wishes(**wishes))  # type: ignore[arg-type]
    return store, report


def _rows(store: Store, select: str, where: str) -> list[tuple[object, ...]]:
    return store.select(f"{_PREFIXES} SELECT {select} WHERE {{ {where} }} ORDER BY {select}").rows()


def _ends(values: object) -> str:
    return str(values).rpartition("/")[2]


# ---- 360Giving ------------------------------------------------------------------------------------------


def test_grant_of_360giving_comes_out_alike_from_json_and_csv() -> None:
    """The first grant of both samples has the same amount, day, parties and numbers."""
    found = []
    for sample in ("sample.json", "sample.csv"):
        store, _ = _imported(f"threesixtygiving/{sample}")
        where = """?grant dcterms:identifier "360G-valley-001" ; schema:amount ?amount ; schema:startDate ?day ;
            schema:endDate ?end ; schema:funder/org:identifier ?funder ; sol:recipient/org:identifier ?number .
            FILTER(STRSTARTS(?number, "GB-COH"))"""
        found.append(_rows(store, "?amount ?day ?end ?funder ?number", where))
    assert (
        found[0]
        == found[1]
        == [(Decimal("5000.5"), date(2021, 2, 15), date(2021, 12, 31), "GB-CHC-1999998", "GB-COH-09999998")]
    )


def test_places_of_a_grant_are_those_of_its_locations() -> None:
    """Cells that repeat in a row make a place each; a code of a small area is told as without a counterpart."""
    store, report = _imported("threesixtygiving/sample.json")
    where = '?grant dcterms:identifier "360G-valley-001" ; prov:atLocation ?place'
    assert [_ends(place) for (place,) in _rows(store, "?place", where)] == ["gss-e06000058"]
    assert ("location.code", "E01011681", 1, False) in report.unmapped.rows()


def test_recipient_that_is_a_person_keeps_no_name() -> None:
    """An individual has neither name nor postcode nor a speaking address, and neither has the title of the grant."""
    store, _ = _imported("threesixtygiving/sample.json")
    content = store.dump("nq").decode()
    assert "Doe" not in content
    assert "j-doe" not in content
    assert "A private person" in content


def test_grant_with_a_bad_amount_is_refused() -> None:
    """The amount is needed: without it the row is told and left out."""
    _, report = _imported("threesixtygiving/sample.json")
    assert report.refused.select("row", "column", "value", "reason", "refused").rows() == [
        (3, "amountAwarded", "lots", "is no number", "row")
    ]


def test_series_is_the_file_of_the_funder(tmp_path: Path) -> None:
    """Two funders' files stand beside each other; a newer one of the same funder replaces the older."""
    store = open_store()
    text = (_ADAPTERS / "threesixtygiving" / "sample.json").read_text("utf-8")
    for name, snapshot in (("360g_valley.json", "2023"), ("360g_hill.json", "2024"), ("360g_valley_2.json", "2024")):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        import_files(store, "threesixtygiving", [path], snapshot=snapshot)
    graphs = [_ends(name) for name in store.graphs()["graph"] if "threesixtygiving" in name]
    assert sorted(graphs) == ["hill-2024", "history", "valley-2024"]


# ---- European Structural Funds --------------------------------------------------------------------------


def test_dates_of_the_funds_keep_how_exact_they_are() -> None:
    """A day, a year and a month are told apart, and an end before the start is left out."""
    store, report = _imported("esif/sample-uk.csv")
    where = (
        """?grant sol:datePrecision ?precision ; schema:startDate ?start . OPTIONAL { ?grant schema:endDate ?end }"""
    )
    found = [(start, end, _ends(how)) for start, end, how in _rows(store, "?start ?end ?precision", where)]
    assert found == [
        (date(2009, 4, 1), None, "day"),
        (date(2010, 4, 1), date(2011, 7, 31), "day"),
        (date(2013, 1, 1), date(2015, 6, 1), "year"),
    ]
    assert report.refused.filter(row=4)["reason"].to_list() == [
        "is empty",
        "is no date: dd/MM/yyyy or dd/MM/yy or MM/yyyy or yyyy",
    ]


def test_beneficiaries_are_named_for_reading() -> None:
    """Capitals, a number behind a name and a street address in one are no part of the label."""
    store, _ = _imported("esif/sample-uk.csv")
    where = "?o rdfs:label ?label . FILTER(CONTAINS(STR(?o), 'esif.uk')) ?o a org:Organization"
    assert [label for (label,) in _rows(store, "?label", where)] == ["Upton College", "Valley Works"]
    assert "Hill Road" not in store.dump("nq").decode()
    assert "hill-road" not in store.dump("nq").decode()


def test_amounts_are_read_as_each_list_writes_them() -> None:
    """A comma before the pence, "millions" that are pounds, zero, and zloty in Windows' encoding."""
    where = "?g schema:amount ?amount ; schema:currency ?currency"
    amounts = {
        sample: _rows(_imported(f"esif/sample-{sample}.csv")[0], "?amount ?currency", where)
        for sample in ("uk", "england", "poland")
    }
    assert amounts["uk"] == [(0, "GBP"), (5, "GBP"), (1000000, "GBP")]
    assert amounts["england"] == [(Decimal("769503.33"), "GBP"), (Decimal(1434364), "GBP")]
    assert amounts["poland"] == [(Decimal("170532237.7"), "PLN")]
    assert "Fundacja Wzajemność w Łodzi" in _imported("esif/sample-poland.csv")[0].dump("nq").decode()


@pytest.mark.parametrize(
    ("sample", "before", "after", "grant", "home"),
    [
        ("uk", "South West,First", "North East,First", "nuts-ukc", "gss-e06000058"),
        ("uk", "South West,First", "South West,First", "gss-e06000058", "gss-e06000058"),
        ("uk", "South West,First", ",First", "gss-e06000058", "gss-e06000058"),
        ("england", "Dorset ,", "TEES Valley,", "nuts-ukc", "gss-e92000001"),
        ("england", "Dorset ,", "Dorset ,", "gss-e06000058", "gss-e06000058"),
        ("england", "Dorset ,", "Nowhere at all,", "gss-e06000058", "gss-e06000058"),
        ("england", "Dorset ,", "Sheffield City Region,", "gss-e92000001", "gss-e92000001"),
    ],
)
def test_money_is_where_it_was_for_and_not_where_a_postcode_contradicts_it(
    tmp_path: Path, sample: str, before: str, after: str, grant: str, home: str
) -> None:
    """A postcode of Bournemouth with money for the North East is no money for Bournemouth; unknown names do nothing."""
    text = (_ADAPTERS / "esif" / f"sample-{sample}.csv").read_text("utf-8")
    assert before in text
    path = tmp_path / f"{sample}.csv"
    path.write_text(text.replace(before, after), "utf-8")
    store = open_store()
    import_files(store, "esif", [path])
    where = "?g schema:amount ?amount ; prov:atLocation ?place ; sol:recipient/prov:atLocation ?home"
    rows = _rows(store, "?amount ?place ?home", where)
    assert {(_ends(place), _ends(at)) for amount, place, at in rows if amount >= 1_000_000} == {(grant, home)}  # type: ignore[operator]


def test_layout_is_told_by_the_header_or_refused() -> None:
    """Each list is recognised; a file of another kind is refused with a reason for each layout."""
    for layout in ("uk", "england", "poland"):
        assert _imported(f"esif/sample-{layout}.csv")[1].snapshot.startswith(layout)
    with pytest.raises(DataError, match="no layout of the source fits") as caught:
        import_files(open_store(), "esif", [_ADAPTERS / "coops-uk" / "sample.csv"])
    assert "uk-2007-2013: the file has no column 'Organization'" in caught.value.hint


def test_lists_of_the_funds_stand_beside_each_other() -> None:
    """A layout is a series: the English list does not replace that of the whole country."""
    store = open_store()
    for sample in ("uk", "england"):
        import_files(store, "esif", [_ADAPTERS / "esif" / f"sample-{sample}.csv"])
    graphs = {name for name in store.graphs()["graph"] if "esif" in name}
    assert graphs == {f"{GRAPH}esif/uk-2007-2013", f"{GRAPH}esif/england-2014-2020"}


# ---- CORDIS ---------------------------------------------------------------------------------------------


def test_participation_has_role_and_grant_where_there_is_one() -> None:
    """A contribution of 0 is a grant of 0, and "NA" is none."""
    store, report = _imported("cordis/sample-participations.csv")
    where = "?p sol:participant ?who ; m8g:role ?role"
    found = [(_ends(who), _ends(role)) for who, role in _rows(store, "?who ?role", where)]
    assert found == [
        ("cordis.900000001", "coordinator"),
        ("cordis.900000002", "partner"),
        ("cordis.900000002", "partner"),
    ]
    assert [amount for (amount,) in _rows(store, "?amount", "?g schema:amount ?amount")] == [0, Decimal("317625.5")]
    assert report.records.filter(report.records["class"].str.ends_with("Activity"))["records"].to_list() == [2]


def test_record_of_several_rows_leads_to_the_first() -> None:
    """A project that several rows tell of has one name and one row."""
    store, _ = _imported("cordis/sample-participations.csv")
    where = f"<{ID}activity/cordis.900001> prov:wasDerivedFrom ?row"
    assert _rows(store, "?row", where) == [(f"{ID}source/cordis.participations-2024#row=1",)]


# ---- org-id ---------------------------------------------------------------------------------------------


def test_mutual_with_two_companies_is_one_record_with_three_numbers() -> None:
    """Same-as is no function, and nothing is merged for it."""
    store, _ = _imported("org-id/sample-same-as.csv")
    where = f"<{ID}organisation/org-id.gb-mpr-90001r> org:identifier ?number"
    assert [number for (number,) in _rows(store, "?number", where)] == [
        "GB-COH-IP90001R",
        "GB-COH-RS90001R",
        "GB-MPR-90001R",
    ]


def test_federation_has_members_and_university_has_parts() -> None:
    """Who belongs to whom is told by the kind of table, and the names stand where they belong."""
    store, _ = _imported("org-id/sample-parents.csv")
    assert _rows(store, "?name ?whole", "?o rdfs:label ?name ; org:memberOf/rdfs:label ?whole") == [
        ("Upton Women's Institute", "The Federation of Institutes")
    ]
    assert _rows(store, "?name ?whole", "?o rdfs:label ?name ; org:subOrganizationOf/rdfs:label ?whole") == [
        ("Valley College", "University of the Valley")
    ]


def test_merger_is_a_change_event() -> None:
    """The first charity ended on the day of the transfer; parts and unregistered ones are told apart."""
    store, report = _imported("org-id/sample-mergers.csv")
    where = "?e org:originalOrganization ?old ; org:resultingOrganization ?new ; schema:startDate ?day"
    found = [(_ends(old), _ends(new), day) for old, new, day in _rows(store, "?old ?new ?day", where)]
    assert ("org-id.gb-chc-900001", "org-id.gb-chc-900002", date(2006, 4, 1)) in found
    assert ("org-id.gb-chc-900002-part-3", "org-id.gb-chc-900002", date(2008, 1, 2)) in found
    assert len(found) == 3
    assert report.rows_refused == 1
