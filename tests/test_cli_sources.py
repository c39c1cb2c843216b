"""The verbs import and sources: what they print, where, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_COOPS = _ROOT / "graphkit" / "sources" / "adapters" / "coops-uk" / "sample.csv"


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "graphkit", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )


def test_sources_lists_in_words_and_as_data(tmp_path: Path) -> None:
    """The words name title and licence; JSON has a row for each source."""
    words = _run(tmp_path, "sources")
    assert words.returncode == 0
    assert "coops-uk: Co-operatives UK open data, Co-operatives UK" in words.stdout
    assert "licence: https://opendatacommons.org/licenses/by/1-0/" in words.stdout
    assert "coops-uk" in {row["source"] for row in json.loads(_run(tmp_path, "sources", "-f", "json").stdout)}


def test_dry_run_prints_triples_on_stdout_and_stores_nothing(tmp_path: Path) -> None:
    """Turtle goes to stdout, counts to stderr, and no store is made of it."""
    done = _run(tmp_path, "import", "coops-uk", str(_COOPS), "--dry-run", "--snapshot", "2024-q1")
    assert done.returncode == 0
    assert "Upton Bakers Co-operative Limited" in done.stdout
    assert "3 rows read, 3 kept, 0 refused" in done.stderr
    assert "nothing was stored" in done.stderr
    assert [path.name for path in tmp_path.glob("*.csv")] == []


def test_import_stores_and_writes_what_was_refused(tmp_path: Path) -> None:
    """The report lies beside, and a second import of the same changes nothing."""
    bad = tmp_path / "coops_2024Q1.csv"
    bad.write_text(_COOPS.read_text("utf-8").replace("R900002", "?"), "utf-8")
    done = _run(tmp_path, "import", "coops-uk", bad.name)
    assert done.returncode == 0, done.stderr
    assert "stored as version 1" in done.stderr
    assert "rows refused: Identifier has not the form that is asked for: R[0-9]{6}" in done.stderr
    told = (tmp_path / "coops-uk-2024-q1-refused.csv").read_text("utf-8").splitlines()
    assert told[0] == "refused,file,row,column,value,reason"
    assert told[1].startswith("row,coops_2024Q1.csv,2,Identifier,?,")
    assert "version 1" in _run(tmp_path, "import", "coops-uk", bad.name).stderr


@pytest.mark.parametrize(
    ("words", "code", "fault"),
    [
        (("import", "coop-uk", "x.csv"), 2, "did you mean: coops-uk?"),
        (("import", "coops-uk", "absent.csv"), 1, "the file cannot be opened"),
        (("import", "coops-uk"), 2, "no file is given"),
        (("import", "coops-uk", "x.csv", "--layout", "old"), 2, "no layout is called 'old'"),
        (("import", "coops-uk", str(_COOPS), "--snapshot", "A B"), 2, "cannot name a snapshot"),
        (("import", "coops-uk", str(_COOPS), "--encoding", "klingon"), 2, "no encoding is called"),
        (("import", "coops-uk", str(_COOPS), "--delimiter", ";"), 1, "the header has one cell only"),
        (("import", "coops-uk", "--download"), 2, "0 addresses to download from"),
    ],
)
def test_wrong_use_and_broken_files_end_with_a_reason(
    tmp_path: Path, words: tuple[str, ...], code: int, fault: str
) -> None:
    """Wrong use ends with 2, a broken file with 1; each says what to do."""
    done = _run(tmp_path, *words, "--store", "memory")
    assert (done.returncode, fault in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
