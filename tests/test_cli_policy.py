"""The verbs of policy and money, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from graphkit.store import open_store
from tests.harbour_fixture import harbour_store

GOOD, FOUND, WRONG = 0, 1, 2


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the harbour in a folder."""
    folder = tmp_path_factory.mktemp("harbour") / "store"
    with harbour_store() as store, open_store(folder) as kept, kept.change("the harbour") as change:
        change.load(store.dump("nq"), media_type="nq")
    return folder


def graphkit(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "graphkit", *words, "--store", str(place)], capture_output=True, text=True, check=False
    )


def rows(place: Path, *words: str) -> list[dict[str, object]]:
    done = graphkit(place, *words, "-f", "json")
    assert done.returncode == GOOD, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_money_is_shown_with_method_and_coverage_in_every_format(place: Path) -> None:
    """In words below the table, in JSON in each row."""
    words = graphkit(place, "funding", "regions", "--currency", "EUR").stdout
    assert "Method: each recipient in one region" in words
    assert "1 could not be converted" in words
    found = rows(place, "funding", "regions", "--currency", "EUR")
    assert {row["region_label"] for row in found} == {"North", "South", "not known"}
    assert all(row["method"] and row["coverage"] for row in found)


def test_a_price_index_needs_its_currency(place: Path, tmp_path: Path) -> None:
    """Wrong use is told as such."""
    index = tmp_path / "index.csv"
    index.write_text("year,index\n2012,1\n")
    assert graphkit(place, "funding", "--deflator", str(index)).returncode == WRONG
    assert "concentration" in graphkit(place, "funding", "concentraton").stderr


def test_opportunities_are_matched_and_bids_counted(place: Path) -> None:
    """Open ones by default, all on demand; a consortium for one; how bids ended."""
    assert {row["label"] for row in rows(place, "opportunities", "--as-of", "2024-01-01")} == {"Sailing school"}
    assert {row["label"] for row in rows(place, "opportunities", "--all")} == {"Sailing school", "Care at home"}
    assert "Net Menders and Rowers" in graphkit(place, "opportunities", "opportunity/school", "--consortium").stdout
    assert {row["participant_label"]: row["won"] for row in rows(place, "opportunities", "--bids")}["Rowers"] == 1
    assert graphkit(place, "opportunities", "--consortium").returncode == WRONG


def test_the_scorecard_leaves_missing_cells_empty(place: Path) -> None:
    """A score or null for each measure and region; judgements of a thing; goals; figures."""
    found = rows(place, "scorecard", "--region", "place/north", "--region", "place/south")
    scores = {(row["measure_label"], row["region_label"]): row["score"] for row in found}
    assert scores["Social value", "North"] == 0.625
    assert scores["Social value", "South"] is None
    assert len(rows(place, "scorecard", "organisation/rowers")) == 2
    assert any(row["goal"] == "10.4" for row in rows(place, "scorecard", "--goals"))
    assert rows(place, "scorecard", "--figures", "--region", "place/north") == []
    assert graphkit(place, "scorecard", "--figures").returncode == WRONG


def test_a_coded_sheet_comes_in_once_and_can_be_replaced(place: Path, tmp_path: Path) -> None:
    """A dry run keeps nothing; importing twice under one name leaves one set of claims; a fault keeps all as it was."""
    sheet = tmp_path / "talks.csv"
    header = "kind,about,stance,region,interview,role,consent"
    people = [f"interview,consortia,for,place/north,{n},user,anonymous-use" for n in range(6)]
    sheet.write_text("\n".join([header, *people]))
    words = ("barriers", "--import", str(sheet), "--source", "talks")
    before = rows(place, "barriers", "--region", "place/north")
    assert "nothing was kept" in graphkit(place, *words, "--dry-run").stderr
    assert rows(place, "barriers", "--region", "place/north") == before
    for _ in range(2):
        done = graphkit(place, *words)
        assert done.returncode == GOOD, done.stderr
    (row,) = (r for r in rows(place, "barriers", "--region", "place/north") if r["about_label"] == "Consortia")
    assert row["people_for"] == 6
    sheet.write_text("\n".join([header, *people, people[0].replace("consortia", "consorta")]))
    faulty = graphkit(place, *words)
    assert faulty.returncode == FOUND
    assert "row 7" in faulty.stderr
    assert graphkit(place, "barriers", "--import", str(sheet)).returncode == WRONG
    assert rows(place, "barriers", "--answers")[0]["building_block_label"] == "Consortia"
