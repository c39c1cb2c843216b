"""Writes descriptions in every format of RDF, and JSON-LD with the names of the shipped context."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from graphkit.files import ontology_folder
from graphkit.store import convert
from graphkit.terms import PREFIXES
from webui.linked.describing import Statement

__all__ = ["compact_json", "write"]

_Json: TypeAlias = Any
_RDF_TYPE: Final = PREFIXES["rdf"] + "type"
_WITH_GRAPHS: Final = frozenset({"trig", "nq"})
_JSON_LD: Final = "jsonld"


def write(statements: Iterable[Statement], suffix: str) -> bytes:
    """Write statements in the format of `suffix`: ttl, nt, rdf, jsonld, trig or nq.

    trig and nq keep the graph of each statement. The others say each statement once; a statement that stands in
    several graphs is not repeated. Raises `DataError` where the format cannot say something (RDF/XML cannot write
    every property).
    """
    if suffix in _WITH_GRAPHS:
        return convert(_trig(statements), "trig", suffix)
    lines = sorted({f"{each.subject} {each.property} {each.value} .\n" for each in statements})
    data = convert("".join(lines).encode(), "ttl", suffix)
    return compact_json(data) if suffix == _JSON_LD else data


def _trig(statements: Iterable[Statement]) -> bytes:
    """Write TriG with a block for each graph; the terms are Turtle's already."""
    found = []
    for graph, group in groupby(sorted(set(statements)), key=lambda each: each.graph):
        found.append(f"{graph} {{\n")
        found += [f"{each.subject} {each.property} {each.value} .\n" for each in group]
        found.append("}\n")
    return "".join(found).encode()


# ---- JSON-LD -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Term:
    """A name of the context: what it stands for and how its values are written short."""

    name: str
    definition: _Json
    type: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class _Context:
    """The shipped context, by the IRIs that its names stand for."""

    terms: Mapping[str, _Term]
    prefixes: Mapping[str, str]


def compact_json(expanded: bytes) -> bytes:
    """Shorten expanded JSON-LD of one graph by the shipped context, which is written into the document.

    Only the names that are used are written; nothing refers to an address, so no reader fetches anything.
    """
    context, used = _context(), dict[str, _Json]()
    nodes = [_node(node, context, used) for node in json.loads(expanded)]
    prefixes = {name: space for name, space in context.prefixes.items() if _is_used(name, used)}
    document = {"@context": {**prefixes, **dict(sorted(used.items()))}, "@graph": nodes}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _node(node: Mapping[str, _Json], context: _Context, used: dict[str, _Json]) -> dict[str, _Json]:
    found: dict[str, _Json] = {"@id": node["@id"]}
    types = [*node.get("@type", []), *(each["@id"] for each in node.get(_RDF_TYPE, []) if "@id" in each)]
    if types:
        found["@type"] = _single([_named(each, context, used) for each in types])
    for property_, values in node.items():
        if not property_.startswith("@") and property_ != _RDF_TYPE:
            term = context.terms.get(property_)
            found[_named(property_, context, used)] = _single([_value(value, term) for value in values])
    return found


def _named(iri: str, context: _Context, used: dict[str, _Json]) -> str:
    """Return the context's name of an IRI and note that it is used; an IRI without a name stays whole."""
    term = context.terms.get(iri)
    if term is None:
        return iri
    used[term.name] = term.definition
    return term.name


def _value(value: Mapping[str, _Json], term: _Term | None) -> _Json:
    """Write a value short where the context says how to read it, else in full, which is always read as it stands."""
    if "@id" in value:
        short = value["@id"] if term and term.type == "@id" else None
    elif "@type" in value:
        short = value["@value"] if term and term.type == value["@type"] else None
    elif "@language" in value:
        short = value["@value"] if term and term.language == value["@language"] else None
    else:
        short = value["@value"] if term is None or not (term.type or term.language) else None
    return dict(value) if short is None else short


def _single(values: list[_Json]) -> _Json:
    return values[0] if len(values) == 1 else values


def _is_used(prefix: str, used: Mapping[str, _Json]) -> bool:
    """Tell whether a definition that is used begins with the prefix."""
    return any(
        text.startswith(f"{prefix}:")
        for definition in used.values()
        for text in ([definition] if isinstance(definition, str) else definition.values())
    )


@lru_cache(maxsize=1)
def _context() -> _Context:
    """Read the shipped context."""
    raw = json.loads((ontology_folder() / "context.jsonld").read_bytes())["@context"]
    prefixes = {
        name: value for name, value in raw.items() if isinstance(value, str) and value.startswith(("http:", "https:"))
    }
    terms = dict(_terms(raw, prefixes))
    return _Context(MappingProxyType(terms), MappingProxyType(prefixes))


def _terms(raw: Mapping[str, _Json], prefixes: Mapping[str, str]) -> Iterator[tuple[str, _Term]]:
    for name, definition in raw.items():
        whole = definition if isinstance(definition, dict) else {"@id": definition}
        if name.startswith("@") or name in prefixes or not str(whole.get("@id", "")).partition(":")[1]:
            continue
        type_ = whole.get("@type", "")
        yield (
            _expanded(whole["@id"], prefixes),
            _Term(name, definition, _expanded(type_, prefixes), whole.get("@language", "")),
        )


def _expanded(name: str, prefixes: Mapping[str, str]) -> str:
    prefix, colon, local = name.partition(":")
    return prefixes[prefix] + local if colon and prefix in prefixes else name
