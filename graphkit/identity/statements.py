"""Statements written as N-Triples: one by one, or a whole column of a frame at a time."""

from __future__ import annotations

import polars as pl

from graphkit.terms import expand

__all__ = ["Statements"]


class Statements:
    """Collects statements; properties and datatypes may be shortened (`sssom:confidence`)."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def link(self, subject: str, prop: str, target: str) -> None:
        """Say that `subject` has `target`, an IRI."""
        self._lines.append(f"<{subject}> <{_property(prop)}> <{target}> .")

    def value(self, subject: str, prop: str, value: str, datatype: str) -> None:
        """Say that `subject` has a value of `datatype`."""
        self._lines.append(f'<{subject}> <{_property(prop)}> "{_escaped(value)}"^^<{expand(datatype)}> .')

    def text(self, subject: str, prop: str, text: str, *, language: str = "") -> None:
        """Say that `subject` has a text, in a language if there is one."""
        tag = f"@{language}" if language else ""
        self._lines.append(f'<{subject}> <{_property(prop)}> "{_escaped(text)}"{tag} .')

    def links(self, frame: pl.DataFrame, subject: str, prop: str, target: str) -> None:
        """Say it of each row: the IRIs stand in columns, and a row without a target says nothing."""
        rows = frame.drop_nulls(target)
        self._add(rows.select(pl.format(f"<{{}}> <{_property(prop)}> <{{}}> .", subject, target)))

    def values(self, frame: pl.DataFrame, subject: str, prop: str, column: str, suffix: str) -> None:
        """Say it of each row: the text stands in `column`, and `suffix` (`@en`, or `^^<…>`) follows it."""
        escaped = pl.col(column).cast(pl.String)
        for sign, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
            escaped = escaped.str.replace_all(sign, written, literal=True)
        rows = frame.drop_nulls(column)
        self._add(rows.select(pl.concat_str(pl.format(f"<{{}}> <{_property(prop)}> ", subject), pl.lit('"'), escaped,
                                            pl.lit(f'"{suffix} .'))))  # fmt: skip

    def _add(self, lines: pl.DataFrame) -> None:
        self._lines += lines.to_series().to_list()

    def to_ntriples(self) -> bytes:
        """Return all statements."""
        return "".join(f"{line}\n" for line in self._lines).encode()


def _property(name: str) -> str:
    return expand(name)


def _escaped(text: str) -> str:
    signs = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
    return "".join(signs.get(sign, sign) for sign in text)
