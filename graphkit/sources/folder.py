"""Reads source folders: what a source gives, under which licence, in which layouts, and what it holds whole."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import polars as pl
import yaml

from graphkit.errors import DataError, unknown_name
from graphkit.sources.crosswalk import Crosswalk, read_crosswalk
from graphkit.sources.csvw import Table, read_table

__all__ = ["Cleaning", "Layout", "Scope", "SnapshotRule", "Source", "find", "read_folder", "shipped", "sources"]

Cleaning: TypeAlias = Callable[[pl.DataFrame], pl.DataFrame]

_ADAPTERS: Final = Path(__file__).resolve().parent / "adapters"
_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_TOP: Final = {
    "title",
    "publisher",
    "publisher_page",
    "licence",
    "homepage",
    "gives",
    "version",
    "layouts",
    "scopes",
    "series",
}
_LAYOUT: Final = {"about", "format", "records", "table", "mapping", "crosswalks", "places", "keys", "cleaning"} | {
    "context",
    "snapshot",
    "download",
    "note",
}
_SCOPE: Final = {"name", "label", "predicate", "subject", "place", "start", "end", "comment", "layout"}
_FORMATS: Final = ("csv", "json", "rdf")


@dataclass(frozen=True, slots=True)
class SnapshotRule:
    """How the name of a file tells the snapshot: `pattern` finds the parts that `form` puts together."""

    pattern: str = ""
    form: str | None = None

    def read(self, name: str) -> str | None:
        """Return what a file's name tells, or None; a form without a pattern is told by every name.

        >>> SnapshotRule(r"(20[0-9]{2}).?Q([1-4])", "{0}-q{1}").read("coops_uk_2023Q2.csv")
        '2023-q2'
        """
        found = re.search(self.pattern, name, re.IGNORECASE) if self.pattern and self.form else None
        if self.pattern:
            return (
                re.sub("[^a-z0-9.]+", "-", str(self.form).format(*found.groups()).lower()).strip("-") if found else None
            )
        return self.form


@dataclass(frozen=True, slots=True)
class Scope:
    """A claim of completeness; `start` and `end` are dates, or None for those of the snapshot."""

    name: str
    label: str
    predicate: str
    comment: str
    subject: str | None = None
    place: str | None = None
    start: str | None = None
    end: str | None = None
    layout: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which a source's files are written: `name` is "" where the source has only one."""

    name: str
    about: str
    format: str
    records: str
    table: Table
    mapping: str
    mapping_path: Path | None
    crosswalks: tuple[Crosswalk, ...]
    places: Mapping[str, tuple[str, str]]
    """Property -> (list of places, column)."""
    keys: Mapping[str, str]
    """Property -> column whose values become slugs."""
    cleaning: Path | None
    snapshot: SnapshotRule
    download: str
    note: str
    context: Path | None = None
    """Turtle with what all rows speak of and none describes, such as the funder."""

    def cleaner(self) -> Cleaning | None:
        """Load the function `clean` of the cleaning module."""
        if self.cleaning is None:
            return None
        spec = importlib.util.spec_from_file_location(f"_graphkit_cleaning_{self.cleaning.parent.name}", self.cleaning)
        if spec is None or spec.loader is None:
            raise DataError("the cleaning cannot be loaded", where=str(self.cleaning))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        clean: Cleaning = module.clean
        return clean


@dataclass(frozen=True, slots=True)
class Source:
    """A source of data as its folder describes it."""

    name: str
    folder: Path | None
    title: str
    publisher: str
    publisher_page: str
    licence: str
    homepage: str
    gives: str
    version: str
    layouts: tuple[Layout, ...]
    scopes: tuple[Scope, ...]
    series: SnapshotRule | None = None
    """How a file's name tells its series; None where the layout is the series."""

    def layout(self, name: str) -> Layout:
        """Return the layout called `name`; raises `UnknownNameError` with the known ones."""
        known = {layout.name: layout for layout in self.layouts}
        if name not in known:
            raise unknown_name("layout", name, known, where=f"source {self.name}")
        return known[name]


def sources() -> pl.DataFrame:
    """List the shipped sources: source, title, publisher, licence, homepage, gives, layouts, download."""
    rows = [
        (
            source.name,
            source.title,
            source.publisher,
            source.licence,
            source.homepage,
            source.gives,
            ", ".join(layout.name for layout in source.layouts if layout.name),
            " ".join(dict.fromkeys(layout.download for layout in source.layouts if layout.download)),
        )
        for source in shipped().values()
    ]
    names = ["source", "title", "publisher", "licence", "homepage", "gives", "layouts", "download"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String()), orient="row")


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Source]:
    """Read the shipped source folders, by name."""
    folders = sorted(path.parent for path in _ADAPTERS.glob("*/source.yaml"))
    return MappingProxyType({folder.name: read_folder(folder) for folder in folders})


def find(name: str) -> Source:
    """Return the shipped source called `name`; raises `UnknownNameError` with the nearest names."""
    if name not in shipped():
        raise unknown_name("source", name, shipped())
    return shipped()[name]


def read_folder(folder: Path, name: str | None = None) -> Source:
    """Read a source folder. Raises `DataError` that names the file and what in it is not as it should be."""
    path = folder / "source.yaml"
    words = _yaml(path)
    _refuse_unknown(words, _TOP, path)
    for needed in ("title", "publisher", "licence", "gives", "layouts"):
        if not words.get(needed):
            raise DataError(f"the source does not say its '{needed}'", where=str(path))
    if not _NAME.fullmatch(name or folder.name):
        raise DataError("a source's folder is named by small letters and hyphens", where=str(folder))
    layouts = words["layouts"]
    return Source(
        name or folder.name,
        folder,
        str(words["title"]),
        str(words["publisher"]),
        str(words.get("publisher_page", "")),
        str(words["licence"]),
        str(words.get("homepage", "")),
        " ".join(str(words["gives"]).split()),
        str(words.get("version", "1")),
        tuple(_layout(folder, key, each, path) for key, each in layouts.items()),
        tuple(_scope(each, path) for each in words.get("scopes", [])),
        _rule(words["series"], path) if "series" in words else None,
    )


def _yaml(path: Path) -> dict[str, Any]:
    try:
        words = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError("the source's description cannot be read", where=str(path), hint=str(error)) from error
    if not isinstance(words, dict):
        raise DataError("the source's description is no YAML mapping", where=str(path))
    return words


def _refuse_unknown(words: Mapping[str, Any], known: set[str], path: Path) -> None:
    for key in words:
        if key not in known:
            error = unknown_name("entry of a source", key, known)
            raise DataError(error.what, where=str(path), hint=error.hint)


def _layout(folder: Path, name: str, words: dict[str, Any], path: Path) -> Layout:
    _refuse_unknown(words, _LAYOUT, path)
    form = words.get("format", "csv")
    if form not in _FORMATS:
        raise DataError(f"the layout '{name}' has the format '{form}'", where=str(path), hint=f"one of {_FORMATS}")
    mapping = folder / words["mapping"] if words.get("mapping") else None
    return Layout(
        "" if name == "only" else name,
        str(words.get("about", "")),
        form,
        str(words.get("records", "/*")),
        read_table(folder / words["table"]) if words.get("table") else Table(),
        _text(mapping) if mapping else "",
        mapping,
        tuple(
            read_crosswalk(folder / each["file"], key, each["column"])
            for key, each in words.get("crosswalks", {}).items()
        ),
        {key: (str(each["list"]), str(each["column"])) for key, each in words.get("places", {}).items()},
        {str(key): str(column) for key, column in words.get("keys", {}).items()},
        folder / words["cleaning"] if words.get("cleaning") else None,
        _rule(words.get("snapshot", {}), path),
        str(words.get("download", "")),
        str(words.get("note", "")),
        folder / words["context"] if words.get("context") else None,
    )


def _rule(words: object, path: Path) -> SnapshotRule:
    """Read a rule: a text is the same for all files, a mapping has pattern and form."""
    if isinstance(words, str):
        return SnapshotRule(form=words)
    if not isinstance(words, dict) or not set(words) <= {"pattern", "form"}:
        raise DataError("a rule for names of snapshots is a text, or has pattern and form", where=str(path))
    try:
        return SnapshotRule(str(words.get("pattern", "")), words.get("form"))
    except re.error as error:
        raise DataError("the pattern of a snapshot cannot be read", where=str(path), hint=str(error)) from error


def _scope(words: dict[str, Any], path: Path) -> Scope:
    _refuse_unknown(words, _SCOPE, path)
    try:
        return Scope(**{key: str(value) for key, value in words.items()})
    except TypeError as error:
        raise DataError("a scope lacks name, label, predicate or comment", where=str(path), hint=str(error)) from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("the mapping cannot be read", where=str(path), hint=str(error)) from error
