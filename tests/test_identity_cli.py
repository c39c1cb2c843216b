"""The verb resolve, run as a person runs it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphkit import identity
from graphkit.store import open_store
from tests.identity_fixture import GRANTS, REGISTER, county, iri

GOOD, WRONG = 0, 2
PRINTERS = [iri(REGISTER, "r8"), iri(GRANTS, "wickham")]


def resolve(store: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `graphkit resolve` on a store."""
    environment = {**os.environ, "COLUMNS": "160", "PYTHONWARNINGS": "error", "GRAPHKIT_STORE": str(store)}
    command = [sys.executable, "-m", "graphkit", "resolve", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Give a folder with the county."""
    folder = tmp_path / "store"
    county(str(folder)).close()
    return folder


def test_a_review_goes_round(store: Path, tmp_path: Path) -> None:
    """Resolve, export what is for review, fill in a verdict, import it: the next run obeys; undo parts all again."""
    path = tmp_path / "review.csv"
    done = resolve(store, "--export-review", str(path))
    assert done.returncode == GOOD, done.stderr
    assert "5 links of at least 0.9 join 7 records to 3 organisations" in done.stdout
    assert "4 links for review written to" in done.stderr
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["verdict"] = "accepted" if [row["left"], row["right"]] == PRINTERS else ""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = resolve(store, "--import-review", str(path))
    assert done.returncode == GOOD, done.stderr
    assert "1 verdicts read" in done.stderr
    assert "6 links of at least 0.9 join 9 records to 4 organisations" in done.stdout
    done = resolve(store, "--undo")
    assert done.returncode == GOOD
    assert "'graphkit restore " in done.stderr
    assert resolve(store, "--undo").returncode == WRONG
    with open_store(store, read_only=True) as opened:
        assert identity.load_decisions(opened).height == 1


def test_a_dry_run_writes_nothing(store: Path) -> None:
    """It tells what would be joined, and the store has the version that it had."""
    done = resolve(store, "--dry-run")
    assert done.returncode == GOOD, done.stderr
    assert done.stdout.startswith("16 records of 3 sources")
    assert "nothing was written" in done.stderr
    with open_store(store, read_only=True) as opened:
        assert len(opened.versions()) == 1


def test_an_evaluation_says_what_is_circular(store: Path, tmp_path: Path) -> None:
    """Figures go to stdout as a table that programs read, what they mean to stderr; labels judge links instead."""
    done = resolve(store, "--evaluate", "-f", "csv")
    assert done.returncode == GOOD, done.stderr
    assert done.stdout.startswith("sources,level,gold,right,wrong,not_judged,precision")
    assert "Circular: " in done.stderr
    labels = tmp_path / "labels.csv"
    labels.write_text(f"left,right,same\n{PRINTERS[0]},{PRINTERS[1]},false\n")
    done = resolve(store, "--evaluate", "--labels", str(labels), "-f", "csv")
    assert done.returncode == GOOD, done.stderr
    assert done.stdout.splitlines()[2].startswith("strict,9,1,0,0.0,")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--undo", "--evaluate"), "--undo stands alone"),
        (("--labels", "x.csv"), "add --evaluate"),
        (("--import-review", "x.csv", "--dry-run"), "--import-review writes decisions"),
        (("--threshold", "0.1"), "the threshold is 0.1"),
    ],
)
def test_wrong_use_is_told(store: Path, words: tuple[str, ...], hint: str) -> None:
    """Options that exclude each other, or a threshold out of range, end with 2 and what to do."""
    done = resolve(store, *words)
    assert (done.returncode, hint in done.stderr) == (WRONG, True), done.stderr
