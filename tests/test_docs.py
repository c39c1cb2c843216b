"""What the documents promise is run, so that it stays true."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from graphkit import measures, queries
from graphkit.gaps import KINDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_two_commands_stand_first_in_the_readme() -> None:
    """Before any other block, and both are targets of the Makefile."""
    first = blocks("console")[0]
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make run", "make test"]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in ("run", "test", "check", "docs", "bench", "serve"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an empty folder, in which a newcomer follows the README."""
    return tmp_path_factory.mktemp("newcomer")


def test_every_command_of_the_readme_runs(folder: Path) -> None:
    """In an empty folder, one after the other; only serving, which does not end, is left out."""
    commands = [line.split("  #")[0].strip() for line in blocks("console")[1].splitlines()]
    environment = {name: value for name, value in os.environ.items() if name != "GRAPHKIT_STORE"}
    for command in filter(None, commands):
        program, *words = shlex.split(command)
        assert program == "graphkit"
        if words[0] == "serve":
            continue
        done = subprocess.run(
            [sys.executable, "-m", "graphkit", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert (folder / "network.gexf").stat().st_size > 0


def test_the_python_of_the_readme_runs(folder: Path) -> None:
    """It prints the commitments, a measure and a gap with its reason."""
    (code,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the sources show no action" in done.stdout


def test_every_file_that_a_document_links_to_exists() -> None:
    """README, CONTRIBUTING and the documents of the folders have no dead link."""
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "ontology").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_every_kind_of_gap_is_explained() -> None:
    """The table of docs/gaps.md has a row for each kind that is searched for, and no other."""
    text = (ROOT / "docs/gaps.md").read_text("utf-8")
    rows = re.findall(r"^\| ([A-Z]\d?) \|", text, re.MULTILINE)
    assert set(rows) == set(KINDS)


def test_names_do_not_collide() -> None:
    """A query, a measure and a kind of gap never share a name, so that a word means one thing."""
    names = [*queries.catalogue(), *measures.MEASURES, *KINDS]
    assert len(names) == len(set(names))
