"""Claims from coded spreadsheets: nobody can be recognised, nothing is dropped unsaid, and regions can be compared."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from graphkit import check
from graphkit.barriers import COLUMNS, Coded, answers, claims_from, code, matrix, read_sheet
from graphkit.errors import DataError, UsageError
from graphkit.store import Store
from tests.harbour_fixture import HARBOUR, harbour, harbour_store
from tests.test_monitor_figures import PREFIXES

__all__ = ["harbour"]

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
TEXT = (
    "document,fragmentation,for,place/quay,organisation/town,https://example.org/report,Each works alone,2024-01-31,,,"
)


def asked(number: int, **words: str) -> str:
    usual = {"about": "tender-complexity", "stance": "for", "region": "place/south", "role": "manager",
             "consent": "anonymous-use"}  # fmt: skip
    cells = usual | words
    said = f"interview,{cells['about']},{cells['stance']},{cells['region']}"
    return f"{said},,,,,i{number},{cells['role']},{cells['consent']}"


def sheet(folder: Path, *rows: str, header: str = ",".join(COLUMNS)) -> Path:
    path = folder / "sheet.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def coded(folder: Path, *rows: str, smallest: int = 5) -> Coded:
    return code(read_sheet(sheet(folder, *rows)), harbour_store(), where="sheet.csv", smallest=smallest)


# ---- Interviews ------------------------------------------------------------------------------


def test_answers_of_enough_people_are_kept_and_of_fewer_left_out_and_counted(tmp_path: Path) -> None:
    """Six managers are an answer; four users are none, and the words say so."""
    rows = [asked(n) for n in range(6)] + [asked(10 + n, role="user", stance="against") for n in range(4)]
    found = coded(tmp_path, *rows)
    assert found.cells.select("people").rows() == [(6,)]
    assert (found.suppressed, found.suppressed_people, found.interviews) == (1, 4, 10)
    assert "1 answers of fewer than 5 people (4 in all)" in found.words


def test_small_answers_are_pooled_over_roles(tmp_path: Path) -> None:
    """Three users and three funders are six people of several roles; the six managers stay apart."""
    rows = [asked(n) for n in range(6)]
    rows += [asked(10 + n, role="user") for n in range(3)] + [asked(20 + n, role="funder") for n in range(3)]
    cells = coded(tmp_path, *rows).cells
    assert [(row["role"].rpartition("/")[2], row["people"]) for row in cells.to_dicts()] == [
        ("manager", 6),
        ("several", 6),
    ]


def test_one_person_counts_once(tmp_path: Path) -> None:
    """Who says the same thing in three rows is one of the people."""
    rows = [asked(n) for n in range(4)] + [asked(0), asked(0), asked(4)]
    assert coded(tmp_path, *rows).cells["people"].to_list() == [5]


def test_who_refused_is_not_used(tmp_path: Path) -> None:
    """An interview without consent is counted as left out, and makes no answer large enough."""
    rows = [asked(n) for n in range(4)] + [asked(9, consent="refused")]
    found = coded(tmp_path, *rows)
    assert (found.cells.height, found.refused, found.suppressed) == (0, 1, 1)


@pytest.mark.parametrize("seed", range(3))
def test_no_answer_that_is_kept_is_of_too_few(seed: int, tmp_path: Path) -> None:
    """Whatever people said, each kept answer has five or more, and kept and left out are all that were given."""
    draw = random.Random(seed)  # noqa: S311 - invented data
    roles = {n: draw.choice(["manager", "user", "funder"]) for n in range(40)}
    themes, stances, places = ["fragmentation", "consortia"], ["for", "against"], ["place/north", "place/south"]
    rows = [
        asked(n, role=roles[n], about=draw.choice(themes), stance=draw.choice(stances), region=draw.choice(places))
        for n in range(40)
        for _ in range(3)
    ]
    found = coded(tmp_path, *rows)
    assert (found.cells["people"] >= 5).all()
    distinct = {(*row.split(",")[1:4], row.split(",")[8]) for row in rows}
    assert found.cells["people"].sum() + found.suppressed_people == len(distinct)


def test_what_is_written_names_no_interview_and_passes_the_shapes(tmp_path: Path) -> None:
    """No code of an interview, no row of one; text claims lead to their row; the same sheet gives the same bytes."""
    found = coded(tmp_path, TEXT, *(asked(n) for n in range(6)))
    turtle = claims_from(found, "talks", label="Talks", licence=LICENCE, day=date(2024, 5, 1))
    assert turtle == claims_from(found, "talks", label="Talks", licence=LICENCE, day=date(2024, 5, 1))
    text = turtle.decode()
    assert "source/talks#row=1" in text
    assert "#row=2" not in text
    assert "i3" not in text.replace("w3id", "")
    path = tmp_path / "talks.ttl"
    path.write_bytes(turtle)
    findings = check.check_files([path], harbour_store())
    assert findings.filter(~pl.col("focus").str.ends_with("grant/unknown")).to_dicts() == []
    store = harbour_store(turtle)
    row = matrix(store).row(
        by_predicate=(pl.col("about_label") == "Difficulty of tendering") & (pl.col("region_label") == "South"),
        named=True,
    )
    assert (row["people_for"], row["for"], row["suppressed"]) == (6, 0, False)


# ---- Faults of a sheet -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "fault", "hint"),
    [
        (TEXT.replace("fragmentation", "fragmentaton"), "no about is called 'fragmentaton'", "fragmentation"),
        (TEXT.replace("place/quay", "place/key"), "no region is called", "place"),
        (TEXT.replace("organisation/town", "organisation/twon"), "no claimant is called", "organisation/town"),
        (TEXT.replace(",for,", ",maybe,"), "neither for nor against", "for or against"),
        (TEXT.replace("document", "letter"), "the kind is none", "document, statistics"),
        (TEXT.replace("2024-01-31", "31.1.2024"), "the date cannot be read", "2024-03-31"),
        (TEXT.replace("https://example.org/report", "shelf 3"), "no address", "http"),
        (TEXT.replace("Each works alone", ""), "'summary' is empty", "own words"),
        (TEXT[:-3] + ",i1,,", "which is of interviews", "empty the cell"),
        (asked(1).replace(",,,,,", ",,,I said it,,"), "by which it could be recognised", "codes only"),
        (asked(1, consent=""), "'consent' is empty", "anonymous-use"),
        (asked(1, consent="perhaps"), "no such consent", "anonymous-use"),
        (asked(1, role="chairwoman of the mill"), "no role is called", "role"),
    ],
)
def test_a_fault_names_the_row_and_what_to_do(tmp_path: Path, row: str, fault: str, hint: str) -> None:
    """The second row is at fault, and nothing of the sheet comes in."""
    with pytest.raises(DataError, match=fault) as raised:
        coded(tmp_path, TEXT, row)
    assert raised.value.where == "sheet.csv, row 2"
    assert hint in raised.value.hint


def test_an_interview_is_one_person(tmp_path: Path) -> None:
    """One code with two roles is an error and no person of two roles."""
    with pytest.raises(DataError, match="two cells 'role'"):
        coded(tmp_path, asked(1), asked(1, role="user"))


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("kind,about,stance,region,name", "could tell who was asked"),
        ("kind,about,stance,region,E-Mail", "could tell who was asked"),
        ("kind,about,stance,regoin", "no column is called 'regoin'"),
        ("kind,about,stance", "no column region"),
    ],
)
def test_a_wrong_column_is_refused(tmp_path: Path, header: str, fault: str) -> None:
    """A column that could tell who was asked, one that is misspelt, one that lacks."""
    with pytest.raises(DataError, match=fault):
        code(read_sheet(sheet(tmp_path, header=header)), harbour_store())


def test_a_spreadsheet_of_excel_is_read_as_the_csv(tmp_path: Path) -> None:
    """The same rows in XLSX give the same claims."""
    rows = [TEXT, *(asked(n) for n in range(6))]
    plain = read_sheet(sheet(tmp_path, *rows))
    path = tmp_path / "sheet.xlsx"
    plain.drop("row").write_excel(path)
    first, second = code(plain, harbour_store()), code(read_sheet(path), harbour_store())
    assert first.texts.equals(second.texts)
    assert first.cells.equals(second.cells)


def test_names_and_bounds_are_checked(tmp_path: Path) -> None:
    """A source is a slug, a licence an address, and one person is never a cell."""
    found = coded(tmp_path, TEXT)
    with pytest.raises(UsageError, match="no name for a source"):
        claims_from(found, "My talks", label="x", licence=LICENCE, day=date(2024, 1, 1))
    with pytest.raises(UsageError, match="no address of a licence"):
        claims_from(found, "talks", label="x", licence="CC BY", day=date(2024, 1, 1))
    with pytest.raises(UsageError, match="single person"):
        coded(tmp_path, TEXT, smallest=1)
    with pytest.raises(UsageError, match="single person"):
        matrix(harbour_store(), smallest=1)
    with pytest.raises(DataError, match="cannot be read"):
        read_sheet(tmp_path / "nothing.csv")


# ---- The matrix ------------------------------------------------------------------------------


def test_claims_and_people_are_counted_apart(harbour: Store) -> None:
    """On money in the north: one document for, statistics against, seven managers for."""
    row = matrix(harbour, "place/north").row(by_predicate=pl.col("region_label") == "North", named=True)
    assert (row["for"], row["against"], row["people_for"], row["people_against"]) == (1, 1, 7, 0)
    assert row["coverage"] == "Document, Interviews, Statistics"


def test_few_people_are_not_shown_however_they_came_in(harbour: Store) -> None:
    """With ten as the least, the seven managers vanish, and the row says that something was left out."""
    row = matrix(harbour, smallest=10).row(by_predicate=pl.col("region_label") == "North", named=True)
    assert (row["people_for"], row["suppressed"]) == (0, True)
    assert "fewer than 10 people" in row["coverage"]


def test_a_region_has_the_places_within_it(harbour: Store) -> None:
    """The north has what is said of the quay; the south has not."""
    assert set(matrix(harbour, "place/north")["region_label"]) == {"North", "Quay"}
    assert set(matrix(harbour, "place/south")["region_label"]) == {"South"}


def test_a_building_block_answers_elsewhere(harbour: Store) -> None:
    """Fragmentation at the quay is answered by the consortia of the south; a region around it is no elsewhere."""
    columns = ("region_label", "barrier_label", "building_block_label", "elsewhere_label", "claims_for")
    assert answers(harbour).select(columns).rows() == [("Quay", "Fragmentation", "Consortia", "South", 1)]
    facts = f"""{PREFIXES} @prefix stance: <https://w3id.org/solidarity-graph/vocabulary/stance/> .
        @prefix block: <https://w3id.org/solidarity-graph/vocabulary/building-block/> .
        id:c a sol:Claim ; rdfs:label "C"@en ; schema:about block:consortia ;
        sol:stance stance:for ; prov:atLocation place:north ; sol:claimant id:organisation.x ."""
    assert answers(harbour_store(facts.encode())).height == 1


def test_the_fixture_is_where_it_says() -> None:
    """The harbour holds the claims that are counted here."""
    assert "claim:money-asked" in HARBOUR.read_text()
