"""The formats of RDF: which there are, reading them from files and bytes, turning one into another."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.parsers import expat

import pyoxigraph as ox

from graphkit.errors import DataError, UsageError
from graphkit.terms import PREFIXES

__all__ = [
    "DEFAULT_GRAPH",
    "MOST_UNPACKED_BYTES",
    "convert",
    "graph_name",
    "rdf_format",
    "read_source",
    "source_format",
    "write_quads",
]

DEFAULT_GRAPH: Final = ox.DefaultGraph()
MOST_UNPACKED_BYTES: Final = 2 * 1024**3

_FORMATS: Final = {
    "ttl": ox.RdfFormat.TURTLE,
    "nt": ox.RdfFormat.N_TRIPLES,
    "nq": ox.RdfFormat.N_QUADS,
    "trig": ox.RdfFormat.TRIG,
    "rdf": ox.RdfFormat.RDF_XML,
    "xml": ox.RdfFormat.RDF_XML,
    "owl": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
}
_WITH_PREFIXES: Final = (ox.RdfFormat.TURTLE, ox.RdfFormat.TRIG, ox.RdfFormat.RDF_XML)
_POSITION: Final = re.compile(r"^Parser error (?:at|between)[^:]*: ")


def rdf_format(name: str) -> ox.RdfFormat:
    """Return the format that a suffix ("ttl") or a media type ("text/turtle; charset=utf-8") names."""
    key = name.strip().lower().removeprefix(".")
    known = _FORMATS.get(key) or (ox.RdfFormat.from_media_type(key) if "/" in key else None)
    if known is None or known not in _FORMATS.values():
        raise UsageError(f"'{name}' is no RDF format known here", hint=f"use one of: {', '.join(_FORMATS)}")
    return known


def graph_name(iri: str) -> ox.NamedNode:
    """Return `iri` as the name of a graph, or raise `UsageError` where it is no absolute IRI."""
    try:
        return ox.NamedNode(iri)
    except ValueError as error:
        raise UsageError(
            f"'{iri}' cannot name a graph: {error}",
            hint="give a full address such as https://example.org/graph/a",
        ) from error


def read_source(
    source: Path | bytes,
    *,
    media_type: str | None = None,
    graph: str | None = None,
    base: str | None = None,
    most_bytes: int = MOST_UNPACKED_BYTES,
    where: str = "",
    lines_before: int = 0,
) -> ox.Store:
    """Read a file or bytes whole into a fresh store in memory, with blank nodes of its own.

    Triples go into `graph` or the default graph; `base` completes relative addresses. A file ending in .gz is
    unpacked, up to `most_bytes`. Bytes that are a piece of a file say with `where` of which, and after how many lines.
    Raises `DataError` with file, line and column where the source is malformed, `UsageError` where its
    format is not known or it holds quads although `graph` was given. Nothing is fetched from anywhere.
    """
    where = where or (str(source) if isinstance(source, Path) else "the given bytes")
    form = source_format(source, media_type)
    target = None if graph is None else graph_name(graph)
    if target and form in (ox.RdfFormat.N_QUADS, ox.RdfFormat.TRIG):
        raise _holds_quads(where)
    data = _content(source, where, most_bytes)
    _refuse_doctype(data, form, where)
    held = ox.Store()
    with _reading(where, data, form, lines_before):
        held.load(data, format=form, base_iri=base, to_graph=None if form.supports_datasets else target)
    return _moved(held, target, where) if target and form.supports_datasets else held


def convert(data: bytes, from_: str, to: str) -> bytes:
    r"""Turn RDF from one format into another, keeping the spelling of every literal.

    `from_` and `to` are suffixes or media types. Raises `DataError` where `data` is malformed or holds named
    graphs that the format `to` has no place for.

    >>> convert(b"<urn:a> <urn:b> 1.50 .", "ttl", "nt")
    b'<urn:a> <urn:b> "1.50"^^<http://www.w3.org/2001/XMLSchema#decimal> .\n'
    """
    form, where = rdf_format(from_), "the given bytes"
    _refuse_doctype(data, form, where)
    with _reading(where, data, form):
        quads = list(ox.parse(data, format=form))
    if not rdf_format(to).supports_datasets and any(quad.graph_name != ox.DefaultGraph() for quad in quads):
        raise _no_place_for_graphs(to)
    return _serialized(quads, rdf_format(to))


def write_quads(store: ox.Store, suffix: str, graph: str | ox.DefaultGraph | None = None) -> bytes:
    """Write a store, or the triples of one `graph` or the default graph, in the format of `suffix`."""
    form = rdf_format(suffix)
    if graph is None and not form.supports_datasets:
        raise _no_place_for_graphs(suffix)
    prefixes = PREFIXES if form in _WITH_PREFIXES else None
    origin = graph_name(graph) if isinstance(graph, str) else graph
    try:
        return store.dump(format=form, from_graph=origin, prefixes=prefixes) or b""
    except (ValueError, OSError) as error:
        raise DataError(f"the graph cannot be written as {form.name}: {error}", hint="use nq or trig") from error


def _serialized(quads: list[ox.Quad], form: ox.RdfFormat) -> bytes:
    try:
        return ox.serialize(quads, format=form, prefixes=PREFIXES if form in _WITH_PREFIXES else None) or b""
    except (ValueError, OSError) as error:
        raise DataError(f"the graph cannot be written as {form.name}: {error}", hint="use nq or trig") from error


def source_format(source: Path | bytes, media_type: str | None) -> ox.RdfFormat:
    """Return the format of a source: the one that is named, else that of the file's ending."""
    if media_type is not None:
        return rdf_format(media_type)
    if isinstance(source, bytes):
        raise UsageError("bytes say nothing of their format", hint="give media_type, such as 'ttl' or 'text/turtle'")
    suffix = Path(source.stem).suffix if source.suffix.lower() == ".gz" else source.suffix
    if suffix.lower().removeprefix(".") not in _FORMATS:
        raise UsageError(
            f"the ending '{suffix}' names no RDF format",
            where=str(source),
            hint=f"use one of .{' .'.join(_FORMATS)} (each may be followed by .gz), or give media_type",
        )
    return rdf_format(suffix)


def _content(source: Path | bytes, where: str, most_bytes: int) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return _unpacked(source, most_bytes) if source.suffix.lower() == ".gz" else source.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"the file cannot be read: {reason}", where=where) from error


def _unpacked(path: Path, most_bytes: int) -> bytes:
    with gzip.open(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise DataError(
            f"the file unpacks to more than {most_bytes:,} bytes",
            where=str(path),
            hint="unpack and split it, if you trust where it comes from",
        )
    return data


def _refuse_doctype(data: bytes, form: ox.RdfFormat, where: str) -> None:
    """Refuse a document type: it can declare entities that grow from a kilobyte to gigabytes."""
    if form == ox.RdfFormat.RDF_XML and b"<!doctype" in data.lower():
        line = data[: data.lower().index(b"<!doctype")].count(b"\n") + 1
        raise DataError(
            "RDF/XML with a DOCTYPE is not read, because its entities can fill the memory",
            where=f"{where}, line {line}",
            hint="save the file as Turtle, or without the DOCTYPE and its entities",
        )


def _moved(held: ox.Store, target: ox.NamedNode, where: str) -> ox.Store:
    """Put the triples of a format that could hold quads, but here holds none, into the graph `target`."""
    if any(True for _ in held.named_graphs()):
        raise _holds_quads(where)
    moved = ox.Store()
    triples = held.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph())
    moved.load(triples, format=ox.RdfFormat.N_TRIPLES, to_graph=target)
    return moved


def _holds_quads(where: str) -> UsageError:
    return UsageError("the source names its own graphs", where=where, hint="load it without a graph")


def _no_place_for_graphs(to: str) -> UsageError:
    return UsageError(f"the format '{to}' has no place for the names of graphs", hint="use nq or trig, or one graph")


@contextmanager
def _reading(where: str, data: bytes, form: ox.RdfFormat, lines_before: int = 0) -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        what = _POSITION.sub("", error.msg or str(error))
        line, column = _position(error, data, form)
        place = f"{where}, line {line + lines_before}, column {column}" if line else where
        raise DataError(f"the {form.name} cannot be read: {what}", where=place, hint=_advice(what)) from error
    except (ValueError, OSError) as error:
        raise DataError(f"the {form.name} cannot be read: {error}", where=where) from error


def _position(error: SyntaxError, data: bytes, form: ox.RdfFormat) -> tuple[int | None, int | None]:
    """Return line and column; the engine gives none for RDF/XML, so the XML parser of Python is asked."""
    if error.lineno or form != ox.RdfFormat.RDF_XML:
        return error.lineno, error.offset
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(data, True)  # noqa: FBT003 - has no keyword
    except expat.ExpatError as fault:
        return fault.lineno, fault.offset + 1
    return None, None


def _advice(what: str) -> str:
    if "remote context" in what:
        return "contexts are never fetched: put the @context into the file itself"
    if "No scheme found" in what:
        return "relative addresses have no base here: declare @base or write full addresses"
    return ""
