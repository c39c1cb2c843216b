"""Reads the description of a table (W3C CSVW, 2015): which columns it has, of which type, in which format.

Implemented is the subset that the shipped sources use, and anything else is refused rather than ignored:
`tableSchema.columns` with `name`, `titles`, `datatype` (base, format, minimum, maximum), `null`, `required`,
`separator`, `virtual` and `suppressOutput`; `dialect` with `delimiter`, `encoding`, `quoteChar`, `skipRows` and
`header`. Two annotations of our own: `sol:formats` lists further formats of a date, for lists that write some dates
as a year or a month, and a `*` in a title stands for the number in titles such as `location/0/name`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from graphkit.errors import DataError

__all__ = ["Column", "Dialect", "Table", "read_table", "table_from"]

_BASES: Final = ("string", "integer", "decimal", "date", "boolean", "anyURI")
_SAME: Final = {"number": "decimal", "any": "string", "nonNegativeInteger": "integer"}
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
_KNOWN: Final = {
    "table": {"@context", "@type", "url", "dc:title", "dc:description", "rdfs:comment", "dialect", "tableSchema"},
    "schema": {"columns", "primaryKey", "rdfs:comment"},
    "dialect": {"delimiter", "encoding", "quoteChar", "skipRows", "header", "doubleQuote"},
    "column": {"name", "titles", "datatype", "null", "required", "separator", "virtual", "suppressOutput"}
    | {"dc:description", "rdfs:comment", "sol:formats"},
    "datatype": {"base", "format", "minimum", "maximum"},
    "number format": {"decimalChar", "groupChar"},
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written: separator, encoding, quotes, and how many lines stand above the header."""

    delimiter: str = ","
    encoding: str = "utf-8"
    quote: str = '"'
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the mapping, the titles by which a file may head it, and what its cells may hold.

    `formats` are the patterns of a date, one regular expression for a text, "true|false" words for a boolean;
    a number has `decimal` and `group` characters. `separator` splits a cell into several values. `virtual` columns
    are made by the cleaning, and those with `left_out` are read but never stored. `group` is the part of the name
    before a dot: cells of one group and number belong together.
    """

    name: str
    titles: tuple[str, ...] = ()
    base: str = "string"
    formats: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    minimum: str | None = None
    maximum: str | None = None
    null: tuple[str, ...] = ("",)
    separator: str | None = None
    required: bool = False
    virtual: bool = False
    left_out: bool = False

    @property
    def group(self) -> str:
        """The name of the group, or "" where the column stands for itself."""
        return self.name.partition(".")[0] if "." in self.name else ""

    @property
    def title(self) -> str:
        """How people call the column."""
        return self.titles[0] if self.titles else self.name


@dataclass(frozen=True, slots=True)
class Table:
    """A described table; without columns it takes whatever the header names, as text."""

    columns: tuple[Column, ...] = ()
    dialect: Dialect = field(default_factory=Dialect)

    @property
    def open(self) -> bool:
        """Whether the header alone says which columns there are."""
        return not self.columns


def read_table(path: Path) -> Table:
    """Read a `*.csvw.json` file; raises `DataError` that names the file and what in it is not understood."""
    try:
        described = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("the description of the table cannot be read", where=str(path), hint=str(error)) from error
    return table_from(described, str(path))


def table_from(described: object, where: str) -> Table:
    """Turn the JSON of a description into a `Table`; `where` is told in errors."""
    top = _object(described, "table", where)
    if "tableSchema" not in top:
        raise DataError("the description has no tableSchema", where=where, hint="describe one table in each file")
    schema = _object(top["tableSchema"], "schema", where)
    columns = tuple(_column(each, where) for each in schema.get("columns", []))
    _refuse_twins([column.name for column in columns], "name", where)
    _refuse_twins(
        [title for column in columns for title in {each.casefold() for each in column.titles}], "title", where
    )
    return Table(columns, _dialect(top.get("dialect", {}), where))


def _object(value: object, kind: str, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"the {kind} of the description is no JSON object", where=where)
    for key in value:
        if key not in _KNOWN[kind]:
            known = ", ".join(sorted(_KNOWN[kind]))
            raise DataError(
                f"the {kind} has '{key}', which is not understood here", where=where, hint=f"understood: {known}"
            )
    return value


def _dialect(value: object, where: str) -> Dialect:
    words = _object(value, "dialect", where)
    if words.get("header", True) is not True or words.get("doubleQuote", True) is not True:
        raise DataError('a table without a header, or with other escapes than "", is not read', where=where)
    found = Dialect(
        words.get("delimiter", ","),
        words.get("encoding", "utf-8"),
        words.get("quoteChar", '"'),
        words.get("skipRows", 0),
    )
    if len(found.delimiter.encode()) != 1 or len(found.quote.encode()) != 1:
        raise DataError("delimiter and quoteChar are one ASCII character each", where=where)
    try:
        "".encode(found.encoding)
    except LookupError as error:
        raise DataError(
            f"no encoding is called '{found.encoding}'", where=where, hint="such as utf-8, cp1252"
        ) from error
    return found


def _column(value: object, where: str) -> Column:
    words = _object(value, "column", where)
    name = words.get("name", "")
    if not _NAME.fullmatch(name):
        raise DataError(
            f"'{name}' cannot name a column", where=where, hint="write small letters: grant_date, place.code"
        )
    titles = words.get("titles", ())
    titles = (titles,) if isinstance(titles, str) else tuple(titles)
    if not titles and not words.get("virtual"):
        raise DataError(f"the column '{name}' has no titles", where=where, hint='or say "virtual": true')
    null = words.get("null", "")
    typed = _datatype(words.get("datatype", "string"), name, where)
    formats = (*typed.pop("formats", ()), *words.get("sol:formats", ()))
    return Column(
        name,
        titles,
        formats=formats,
        null=tuple(dict.fromkeys(["", *([null] if isinstance(null, str) else null)])),
        separator=words.get("separator"),
        required=bool(words.get("required", False)),
        virtual=bool(words.get("virtual", False)),
        left_out=bool(words.get("suppressOutput", False)),
        **typed,
    )


def _datatype(value: object, name: str, where: str) -> dict[str, Any]:
    words = _object({"base": value} if isinstance(value, str) else value, "datatype", where)
    base = _SAME.get(words.get("base", "string"), words.get("base", "string"))
    if base not in _BASES:
        known = ", ".join([*_BASES, *_SAME])
        raise DataError(f"the column '{name}' has the datatype '{base}'", where=where, hint=f"understood: {known}")
    found: dict[str, Any] = {"base": base, "minimum": words.get("minimum"), "maximum": words.get("maximum")}
    pattern = words.get("format")
    if isinstance(pattern, dict):
        chars = _object(pattern, "number format", where)
        return found | {"decimal": chars.get("decimalChar", "."), "thousands": chars.get("groupChar", "")}
    if pattern is not None and base in ("integer", "decimal", "anyURI"):
        raise DataError(
            f"the column '{name}' has a {base} with the format '{pattern}'",
            where=where,
            hint="a number takes an object with decimalChar and groupChar",
        )
    return found | ({"formats": (pattern,)} if pattern is not None else {})


def _refuse_twins(names: list[str], kind: str, where: str) -> None:
    seen = set[str]()
    for name in names:
        if name.casefold() in seen:
            raise DataError(f"two columns have the {kind} '{name}'", where=where, hint="each needs its own")
        seen.add(name.casefold())
