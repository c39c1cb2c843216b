"""The page of the ontology shows every term and needs nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphkit import ontology

_SCRIPT = Path(__file__).parent.parent / "docs" / "build_ontology_page.py"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page as the script writes it."""
    target = tmp_path_factory.mktemp("docs") / "ontology.html"
    done = subprocess.run(
        [sys.executable, str(_SCRIPT), str(target)],
        cwd=_SCRIPT.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target.read_text("utf-8")


def test_page_shows_every_term_with_its_definition(page: str) -> None:
    """Each term of the modules stands on the page with the sentence that defines it."""
    for term in ontology.terms().iter_rows(named=True):
        assert term["term"] in page
        assert term["definition"].replace("'", "&#x27;") in page.replace("'", "&#x27;")


def test_page_shows_every_concept(page: str) -> None:
    """Each concept of the vocabularies stands on the page."""
    assert [iri for iri in ontology.concepts()["concept"] if iri not in page] == []


def test_page_needs_nothing_from_elsewhere(page: str) -> None:
    """No script, style or picture is fetched: the page works offline."""
    sources = re.findall(r"<(?:script|img|iframe)[^>]*\ssrc=[\"']([^\"']+)", page)
    links = re.findall(r"<link[^>]*\shref=[\"']([^\"']+)", page)
    assert [source for source in sources + links if not source.startswith("data:")] == []
