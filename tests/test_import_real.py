"""The real registers come in with the counts of their files; the files belong to others and lie elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest

from graphkit.sources import ImportReport, import_files
from graphkit.store import Store, open_store
from tests.conftest import real_data

_SUM = """
PREFIX schema: <https://schema.org/>
SELECT (SUM(?amount) AS ?total) (COUNT(?grant) AS ?grants) WHERE { ?grant schema:amount ?amount ; schema:currency "%s" }
"""

pytestmark = pytest.mark.real

_Import = Callable[[str, str], tuple[Store, ImportReport]]


@pytest.fixture(scope="module")
def imported() -> _Import:
    """Import a file into a fresh store; what was imported before is given again."""
    done: dict[tuple[str, str], tuple[Store, ImportReport]] = {}

    def run(source: str, file: str) -> tuple[Store, ImportReport]:
        if (source, file) not in done:
            store = open_store()
            done[source, file] = store, import_files(store, source, [real_data() / file])
        return done[source, file]

    return run


def _records(report: ImportReport, name: str) -> int:
    return int(report.records.filter(pl.col("class").str.ends_with(name))["records"].sum())


def test_cooperatives_of_2022_and_2023() -> None:
    """7,272 and then 7,387 co-operatives: 181 gone, 296 new."""
    store = open_store()
    first = import_files(store, "coops-uk", [real_data() / "orgs/coops_uk_2022Q2.csv"])
    assert (first.rows_read, first.rows_refused, _records(first, "#Organization")) == (7272, 0, 7272)
    second = import_files(store, "coops-uk", [real_data() / "orgs/coops_uk_2023Q2.csv"])
    assert (second.rows_read, second.rows_refused, _records(second, "#Organization")) == (7387, 0, 7387)
    assert second.changes is not None
    assert (second.changes.came.height, second.changes.gone.height) == (296, 181)
    live = store.select(
        "PREFIX org: <http://www.w3.org/ns/org#> SELECT (COUNT(DISTINCT ?o) AS ?n) WHERE { GRAPH "
        "<https://w3id.org/solidarity-graph/graph/coops-uk/2023-q2> { ?o a org:Organization } }"
    )
    assert live["n"].to_list() == [7387]


def test_grants_of_power_to_change(imported: _Import) -> None:
    """870 grants to 694 recipients, GBP 51.6 million."""
    store, report = imported("threesixtygiving", "funding/360g_power_to_change_870.json")
    assert (report.rows_kept, _records(report, "MonetaryGrant"), _records(report, "#Organization")) == (870, 870, 695)
    assert store.select(_SUM % "GBP").rows() == [(Decimal("51625696.54"), 870)]
    recipients = store.select(
        "SELECT (COUNT(DISTINCT ?r) AS ?n) WHERE { ?g <https://w3id.org/solidarity-graph/ns#recipient> ?r }"
    )
    assert recipients["n"].to_list() == [694]


def test_structural_funds_in_the_united_kingdom(imported: _Import) -> None:
    """15,983 rows, GBP 11.03 bn; the one row without a beneficiary is refused."""
    store, report = imported("esif", "funding/esif_uk_2007_2013.csv")
    assert (report.rows_read, report.rows_kept, report.rows_refused) == (15983, 15982, 1)
    total, grants = store.select(_SUM % "GBP").row(0)
    refused = 11_028_613_316 - total
    assert grants == 15982
    assert 0 <= refused < 5_000_000
    assert round(float(total) / 1e9, 2) == 11.03


@pytest.mark.parametrize(
    ("file", "rows"), [("funding/esif_england_2014_2020.csv", 394), ("funding/esf_poland_2014_2020.csv", 2437)]
)
def test_other_lists_of_the_funds(imported: _Import, file: str, rows: int) -> None:
    """Every row is a grant."""
    _, report = imported("esif", file)
    assert (report.rows_read, report.rows_refused, _records(report, "MonetaryGrant")) == (rows, 0, rows)


@pytest.mark.parametrize(
    ("file", "rows", "organisations"),
    [
        ("ids/sameas_mutual_company.csv", 12252, 12208),
        ("ids/sameas_organisation_company.csv", 2286, 2286),
        ("ids/parent_federations.csv", 28361, 28387),
    ],
)
def test_tables_of_official_numbers(imported: _Import, file: str, rows: int, organisations: int) -> None:
    """Every row is kept, and each organisation is one record."""
    _, report = imported("org-id", file)
    assert (report.rows_read, report.rows_refused, _records(report, "#Organization")) == (rows, 0, organisations)


def test_participations_of_horizon_2020() -> None:
    """144,726 participations of 35,871 organisations in 31,451 projects, mapped in well under a minute of processor."""
    with open_store() as store:
        report = import_files(
            store, "cordis", [real_data() / "networks/cordis_h2020_participations.csv.gz"], dry_run=True
        )
    assert (report.rows_read, report.rows_refused) == (144_726, 0)
    counts = [_records(report, name) for name in ("Participation", "#Organization", "#Activity", "MonetaryGrant")]
    assert counts == [144_726, 35_871, 31_451, 130_972]
