"""The wheel is whole: code, pages, built front end, ontology and queries, and no source of the front end."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build a wheel and list what it holds."""
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("solidarity_graphkit-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_everything_that_is_shipped_is_in_the_wheel(names: set[str]) -> None:
    """Each file of ontology/ and queries/, each template, the typing marks, the licences."""
    for folder in ("ontology", "queries"):
        for path in (ROOT / folder).rglob("*.*"):
            assert f"graphkit/shipped/{path.relative_to(ROOT).as_posix()}" in names
    templates = {f"webui/templates/{path.name}" for path in (ROOT / "webui/templates").iterdir()}
    assert templates | {"graphkit/py.typed", "webui/py.typed"} <= names
    assert {Path(name).name for name in names} >= {"LICENSE", "LICENSE-DATA"}


def test_the_front_end_is_in_the_wheel_built_and_not_as_source(names: set[str]) -> None:
    """The manifest and what it names; no TypeScript, no node_modules."""
    assert "webui/static/manifest.json" in names
    assert any(name.startswith("webui/static/assets/") and name.endswith(".js") for name in names)
    assert not any("frontend" in name or name.endswith(".ts") or "node_modules" in name for name in names)


def test_nothing_of_the_tests_is_in_the_wheel(names: set[str]) -> None:
    """Top level: the two packages and the metadata."""
    tops = {name.split("/")[0] for name in names}
    assert {"graphkit", "webui"} == {top for top in tops if not top.endswith(".dist-info")}
