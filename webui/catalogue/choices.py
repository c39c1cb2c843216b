"""The form of a stored query: a field for each parameter of its header, with labelled choices where they are few."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

import rdflib

from graphkit import queries
from graphkit.errors import UsageError
from graphkit.queries import Parameter, Query
from graphkit.store import Store
from graphkit.terms import ID, compact, expand
from webui.links import names_of

__all__ = ["MOST_CHOICES", "Choice", "Field", "Group", "Values", "choices", "faults", "fields", "short_iri"]

Values: TypeAlias = Mapping[str, Sequence[str]]
"""What somebody chose: the values of each parameter by its name; several are alternatives."""

MOST_CHOICES: Final = 500
"""A class with more things than this gets a text field instead of a list."""

_THINGS: Final = """#+ summary: The things of a class
#+ params:
#+   class: {type: iri, label: Class}
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?thing (MIN(STR(?name)) AS ?label) (MIN(STR(?scheme)) AS ?list) (MIN(STR(?scheme_name)) AS ?list_label)
WHERE {
  { SELECT DISTINCT ?thing WHERE { VALUES ?class { UNDEF } ?thing a ?class FILTER(isIRI(?thing)) } LIMIT %d }
  OPTIONAL { ?thing rdfs:label ?name }
  OPTIONAL { ?thing skos:inScheme ?scheme OPTIONAL { ?scheme rdfs:label ?scheme_name } }
}
GROUP BY ?thing
"""
_INPUTS: Final = {"date": "date", "integer": "number", "decimal": "number", "boolean": "select"}
_EXAMPLES: Final = {"iri": "kind/slug or an IRI", "text": ""}


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that an IRI parameter can be: the short form of its IRI, its name, and whether it is chosen."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Choices under one heading, such as the concepts of one vocabulary; the heading may be empty."""

    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """How a parameter is asked for: `control` is select, date, number or text; `fault` says what is wrong with it.

    `untouched` tells what holds where nothing is chosen: all things, or the terms that the query has of itself.
    """

    name: str
    label: str
    about: str
    control: str
    values: tuple[str, ...]
    groups: tuple[Group, ...] = ()
    untouched: str = ""
    hint: str = ""
    fault: str = ""
    step: str = ""


def fields(store: Store, query: Query, values: Values, wrong: Mapping[str, str]) -> list[Field]:
    """Return the fields of a query's form, filled with `values`, each with its fault from `wrong`."""
    return [_field(store, query, each, tuple(values.get(each.name, ())), wrong) for each in query.parameters]


def faults(query: Query, values: Values) -> dict[str, UsageError]:
    """Return what is wrong with each value that does not fit its parameter; unknown names are the caller's care."""
    found: dict[str, UsageError] = {}
    for parameter in query.parameters:
        if parameter.name in values:
            try:
                queries.bind(query, {parameter.name: list(values[parameter.name])})
            except UsageError as error:
                found[parameter.name] = error
    return found


def choices(store: Store, class_: str) -> dict[tuple[str, str], list[Choice]] | None:
    """Return the things of a class with their names, by (IRI, name) of their vocabulary; None if too many."""
    question = queries.parse_query(_THINGS % (MOST_CHOICES + 1), "choices")
    frame = store.select(queries.bind(question, {"class": expand(class_)}))
    if frame.height > MOST_CHOICES:
        return None
    rows = [
        ((scheme or "", name or ""), Choice(short_iri(thing), label or compact(thing)))
        for thing, label, scheme, name in frame.rows()
    ]
    rows.sort(key=lambda row: (row[0][1], row[0][0], row[1].label.casefold(), row[1].value))
    return {scheme: [choice for _, choice in group] for scheme, group in groupby(rows, key=lambda row: row[0])}


def short_iri(iri: str) -> str:
    """Return the shortest spelling of `iri` that a parameter takes: "place/valley", "voc:role/member" or the IRI.

    >>> short_iri("https://w3id.org/solidarity-graph/id/place/valley")
    'place/valley'
    """
    slug = iri.removeprefix(ID)
    if slug != iri and slug.count("/") == 1 and all(slug.split("/")) and ":" not in slug:
        return slug
    short = compact(iri)
    return short if expand(short) == iri else iri


def _field(
    store: Store, query: Query, parameter: Parameter, values: tuple[str, ...], wrong: Mapping[str, str]
) -> Field:
    groups: tuple[Group, ...] = ()
    control = _INPUTS.get(parameter.type, "text")
    if parameter.type == "boolean":
        groups = (_group("", [Choice("true", "yes"), Choice("false", "no")], set(values)),)
    elif parameter.class_ and (known := choices(store, parameter.class_)) is not None:
        groups, control = _grouped(parameter, known, values), "select"
    return Field(
        parameter.name,
        parameter.label,
        parameter.about,
        control,
        values,
        groups,
        _untouched(store, query, parameter),
        _EXAMPLES.get(parameter.type, ""),
        wrong.get(parameter.name, ""),
        {"integer": "1", "decimal": "any"}.get(parameter.type, ""),
    )


def _grouped(
    parameter: Parameter, known: Mapping[tuple[str, str], list[Choice]], values: Sequence[str]
) -> tuple[Group, ...]:
    """Return the choices in groups, the vocabulary that is called like the parameter first."""
    chosen = {short_iri(expand(value)) for value in values}
    order = sorted(known, key=lambda scheme: (_likeness(parameter.name, scheme[0]), scheme[1]))
    groups = [_group(scheme[1], known[scheme], chosen) for scheme in order]
    strange = chosen - {choice.value for listed in known.values() for choice in listed}
    if strange:
        groups.append(_group("Other", [Choice(value, value) for value in sorted(strange)], chosen))
    return tuple(groups)


def _likeness(name: str, scheme: str) -> int:
    local = scheme.rpartition("/")[2]
    if not scheme:
        return 3
    return 0 if local == name else 1 if name in local or local in name else 2


def _group(label: str, listed: Iterable[Choice], chosen: set[str]) -> Group:
    return Group(label, tuple(Choice(each.value, each.label, each.value in chosen) for each in listed))


def _untouched(store: Store, query: Query, parameter: Parameter) -> str:
    """Tell in words what a parameter is where nobody chooses."""
    found = queries.default_terms(query, parameter)
    if not found:
        return "any"
    names = names_of(store, [str(term) for term in found if isinstance(term, rdflib.URIRef)])
    return ", ".join(names.get(str(term), compact(str(term))) for term in found)
