"""The shapes as queries: what pyshacl finds by walking through Python, the store's engine finds by SPARQL.

Each shape with a target becomes at most three queries for itself and for each of its properties: one for what a thing
as a whole lacks or has too much of, one for the values that must not be, one for values compared with others. The part
of SHACL Core (W3C Recommendation of 20 July 2017) that graphkit's shapes use is known here; `UnknownShapeError` is
raised for any other, so that pyshacl judges instead. Nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from rdflib import RDF, SH, XSD, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

__all__ = ["ShapeQuery", "UnknownShapeError", "shape_queries"]

_DECORATION: Final = {RDF.type, SH.name, SH.description, SH.message, SH.severity, SH.order, SH.group}
_TARGETS: Final = {SH.targetClass, SH.targetSubjectsOf}
_ON_SETS: Final = {
    SH.minCount,
    SH.maxCount,
    SH.hasValue,
    SH.qualifiedValueShape,
    SH.qualifiedMinCount,
    SH.qualifiedMaxCount,
}
_ON_PAIRS: Final = {SH.lessThanOrEquals}
_COMPARED: Final[dict[Node, str]] = {
    SH.minInclusive: ">=",
    SH.maxInclusive: "<=",
    SH.minExclusive: ">",
    SH.maxExclusive: "<",
}
_KINDS: Final[dict[Node, str]] = {SH.IRI: "isIRI({0})", SH.Literal: "isLiteral({0})", SH.BlankNode: "isBlank({0})"}
_WITH_VALUE: Final = "?this (STR(?value) AS ?text) (IF(isBlank(?value), ?value, 1/0) AS ?blank)"
_WELL_FORMED: Final[dict[Node, str]] = {
    XSD.integer: 'REGEX(STR({0}), "^[+-]?[0-9]+$")',
    XSD.decimal: 'REGEX(STR({0}), "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$")',
    XSD.date: "BOUND({0}) && <" + str(XSD.date) + ">({0}) = {0}",
    XSD.boolean: 'REGEX(STR({0}), "^(true|false|1|0)$")',
    XSD.string: "true",
    XSD.anyURI: "true",
    RDF.langString: "true",
}


class UnknownShapeError(Exception):
    """A shape says what cannot be turned into a query here."""


@dataclass(frozen=True, slots=True)
class ShapeQuery:
    """A query, and the shape that speaks by it.

    It answers `?this` and, where values are at fault, the value as `?text` or, if it is a blank node, as `?blank`.
    """

    shape: Node
    path: Node | None
    sparql: str


@dataclass(frozen=True, slots=True)
class _Target:
    """The pattern of the things that a shape judges, and the properties of which one suffices to be one."""

    pattern: str
    said: frozenset[Node]


def shape_queries(shapes: Graph, kinds_of: Callable[[str], Iterable[str]]) -> list[ShapeQuery]:
    """Return the queries of all shapes that have a target; `kinds_of` gives a class with all its subclasses."""
    return list(_Writer(shapes, kinds_of).queries())


class _Writer:
    """Writes shapes as SPARQL."""

    def __init__(self, shapes: Graph, kinds_of: Callable[[str], Iterable[str]]) -> None:
        self._shapes, self._kinds_of = shapes, kinds_of
        self._numbers = count()
        self._known: dict[Node, Callable[[Node, str, Node], str]] = {
            SH["class"]: self._of_class,
            SH.datatype: self._of_datatype,
            SH.nodeKind: self._of_kind,
            SH.pattern: self._like,
            SH.minLength: self._as_long,
            SH.languageIn: self._in_language,
            SH.node: self._of_shape,
            SH["not"]: self._not_of_shape,
            SH["or"]: self._of_any,
            SH["and"]: self._of_all,
            SH["in"]: self._one_of,
            SH.maxLength: self._as_short,
        }

    def queries(self) -> Iterator[ShapeQuery]:
        for shape in sorted({each for target in _TARGETS for each in self._shapes.subjects(target)}, key=str):
            self._expect(shape)
            for target in self._targets(shape):
                if tests := self._value_tests(shape, "?this"):
                    yield ShapeQuery(shape, None, _asked(target.pattern, f"FILTER(!{_sure(tests)})", "?this"))
                for inner in self._objects(shape, SH.property):
                    yield from self._of_property(inner, target)

    def _of_property(self, shape: Node, aim: _Target) -> Iterator[ShapeQuery]:
        self._expect(shape)
        if self._shapes.value(shape, SH.property) is not None:
            raise UnknownShapeError("a property within a property")
        path = self._shapes.value(shape, SH.path)
        way = self._path(path)
        target = aim.pattern
        if path in aim.said and not self._asks_for_some(shape):
            target = f"?this {way} ?any ."
        if sets := self._set_tests(shape, "?this", way):
            yield ShapeQuery(shape, path, _asked(target, f"FILTER(!{_sure(sets)})", "?this"))
        if tests := self._value_tests(shape, "?value", of_property=True):
            bad = f"?this {way} ?value . FILTER(!{_sure(tests)})"
            yield ShapeQuery(shape, path, _asked(target, bad, _WITH_VALUE))
        for other in self._shapes.objects(shape, SH.lessThanOrEquals):
            bad = f"?this {way} ?value ; {_term(other)} ?other . FILTER(!COALESCE(?value <= ?other, false))"
            yield ShapeQuery(shape, path, _asked(target, bad, _WITH_VALUE))

    def _asks_for_some(self, shape: Node) -> bool:
        """Tell whether a thing without any value may be at fault."""
        least = max(self._number(shape, SH.minCount), self._number(shape, SH.qualifiedMinCount))
        return least > 0 or self._shapes.value(shape, SH.hasValue) is not None

    def _expect(self, shape: Node) -> None:
        """Refuse a shape that says anything not known here."""
        known = _DECORATION | _TARGETS | _ON_SETS | _ON_PAIRS | set(_COMPARED) | set(self._known) | {SH.path}
        known |= {SH.property, SH.flags}
        if unknown := set(self._shapes.predicates(shape)) - known:
            raise UnknownShapeError(f"{shape} says {', '.join(map(str, unknown))}")

    def _targets(self, shape: Node) -> Iterator[_Target]:
        if classes := sorted(
            {kind for one in self._shapes.objects(shape, SH.targetClass) for kind in self._kinds(one)}
        ):
            yield _Target(f"VALUES ?kind {{ {' '.join(classes)} }} ?this a ?kind .", frozenset())
        if said := self._objects(shape, SH.targetSubjectsOf):
            names = " ".join(map(_term, said))
            yield _Target(f"VALUES ?said {{ {names} }} ?this ?said ?any .", frozenset(said))

    def _kinds(self, class_: Node) -> list[str]:
        return [f"<{kind}>" for kind in self._kinds_of(str(class_))]

    # ---- Whether a thing conforms -----------------------------------------------------------------------

    def _conforms(self, shape: Node, thing: str) -> str:
        """Return a condition that is true where a thing conforms to a shape."""
        self._expect(shape)
        path = self._shapes.value(shape, SH.path)
        if path is None:
            tests = self._value_tests(shape, thing)
            tests += [self._conforms(inner, thing) for inner in self._objects(shape, SH.property)]
            return _sure(tests)
        way, value = self._path(path), self._fresh()
        tests = self._set_tests(shape, thing, way)
        if inner := self._value_tests(shape, value, of_property=True):
            tests.append(f"NOT EXISTS {{ {thing} {way} {value} FILTER(!{_sure(inner)}) }}")
        for other in self._shapes.objects(shape, SH.lessThanOrEquals):
            pair = self._fresh()
            bad = f"FILTER(!COALESCE({value} <= {pair}, false))"
            tests.append(f"NOT EXISTS {{ {thing} {way} {value} ; {_term(other)} {pair} {bad} }}")
        return _sure(tests)

    def _set_tests(self, shape: Node, thing: str, way: str) -> list[str]:
        """Return conditions on all the values of a property together."""
        tests = [f"EXISTS {{ {thing} {way} {_term(value)} }}" for value in self._objects(shape, SH.hasValue)]
        tests += self._counts(thing, way, self._number(shape, SH.minCount), self._number(shape, SH.maxCount), None)
        inner = self._shapes.value(shape, SH.qualifiedValueShape)
        least, most = self._number(shape, SH.qualifiedMinCount), self._number(shape, SH.qualifiedMaxCount)
        return tests + (self._counts(thing, way, least, most, inner) if inner is not None else [])

    def _counts(self, thing: str, way: str, least: int, most: int, inner: Node | None) -> list[str]:
        one, other = self._fresh(), self._fresh()
        fits = [f"FILTER({self._conforms(inner, value)})" for value in (one, other)] if inner is not None else ["", ""]
        some = f"EXISTS {{ {thing} {way} {one} {fits[0]} }}"
        differ = f"FILTER(!sameTerm({one}, {other}))"
        two = f"EXISTS {{ {thing} {way} {one} . {thing} {way} {other} {differ} {' '.join(fits)} }}"
        if least not in {-1, 0, 1} or most not in {-1, 0, 1}:
            raise UnknownShapeError("a number of values above 1")
        return [some] * (least == 1) + [f"!{some}"] * (most == 0) + [f"!{two}"] * (most == 1)

    def _number(self, shape: Node, name: URIRef) -> int:
        value = self._shapes.value(shape, name)
        return int(str(value)) if value is not None else -1

    # ---- Whether a value may be -------------------------------------------------------------------------

    def _value_tests(self, shape: Node, value: str, *, of_property: bool = False) -> list[str]:
        """Return conditions on one value: of a property, or the thing itself."""
        tests = []
        for name, said in sorted(self._shapes.predicate_objects(shape), key=str):
            if name in _COMPARED:
                tests.append(f"{value} {_COMPARED[name]} {_term(said)}")
            elif name == SH.hasValue and not of_property:
                tests.append(f"sameTerm({value}, {_term(said)})")
            elif name in self._known:
                tests.append(self._known[name](said, value, shape))
        return tests

    def _of_class(self, class_: Node, value: str, _: Node) -> str:
        kind = self._fresh()
        return f"EXISTS {{ {value} a {kind} FILTER({kind} IN ({', '.join(self._kinds(class_))})) }}"

    def _of_datatype(self, datatype: Node, value: str, _: Node) -> str:
        if datatype not in _WELL_FORMED:
            raise UnknownShapeError(f"the datatype {datatype}")
        return f"(DATATYPE({value}) = {_term(datatype)} && {_WELL_FORMED[datatype].format(value)})"

    def _of_kind(self, kind: Node, value: str, _: Node) -> str:
        if kind not in _KINDS:
            raise UnknownShapeError(f"the kind {kind}")
        return _KINDS[kind].format(value)

    def _like(self, pattern: Node, value: str, shape: Node) -> str:
        if self._shapes.value(shape, SH.flags) is not None:
            raise UnknownShapeError("a pattern with flags")
        return f"REGEX(STR({value}), {_term(Literal(str(pattern)))})"

    def _as_long(self, length: Node, value: str, _: Node) -> str:
        return f"STRLEN(STR({value})) >= {int(str(length))}"

    def _as_short(self, length: Node, value: str, _: Node) -> str:
        return f"STRLEN(STR({value})) <= {int(str(length))}"

    def _one_of(self, terms: Node, value: str, _: Node) -> str:
        tests = [f"sameTerm({value}, {_term(one)})" for one in Collection(self._shapes, terms)]
        return f"({' || '.join(tests) or 'false'})"

    def _in_language(self, languages: Node, value: str, _: Node) -> str:
        tests = [f"LANGMATCHES(LANG({value}), {_term(one)})" for one in Collection(self._shapes, languages)]
        return f"({' || '.join(tests)})"

    def _of_shape(self, shape: Node, value: str, _: Node) -> str:
        return self._conforms(shape, value)

    def _not_of_shape(self, shape: Node, value: str, _: Node) -> str:
        return f"(!{self._conforms(shape, value)})"

    def _of_any(self, shapes: Node, value: str, _: Node) -> str:
        return f"({' || '.join(self._conforms(shape, value) for shape in Collection(self._shapes, shapes))})"

    def _of_all(self, shapes: Node, value: str, _: Node) -> str:
        return _sure(self._conforms(shape, value) for shape in Collection(self._shapes, shapes))

    # ---- Paths and names --------------------------------------------------------------------------------

    def _path(self, path: Node | None) -> str:
        if isinstance(path, URIRef):
            return _term(path)
        if path is not None and (inner := self._shapes.value(path, SH.inversePath)) is not None:
            return f"^{self._path(inner)}"
        if path is not None and (choices := self._shapes.value(path, SH.alternativePath)) is not None:
            return f"({'|'.join(self._path(one) for one in Collection(self._shapes, choices))})"
        if isinstance(path, BNode) and self._shapes.value(path, RDF.first) is not None:
            return f"({'/'.join(self._path(one) for one in Collection(self._shapes, path))})"
        raise UnknownShapeError("a path")

    def _objects(self, shape: Node, name: URIRef) -> list[Node]:
        return sorted(self._shapes.objects(shape, name), key=str)

    def _fresh(self) -> str:
        return f"?v{next(self._numbers)}"


def _sure(tests: Iterable[str]) -> str:
    """Return a condition that is false, and no error, where any of the tests fails."""
    joined = " && ".join(f"COALESCE({test}, false)" for test in tests)
    return f"({joined or 'true'})"


def _asked(target: str, fault: str, columns: str) -> str:
    return f"SELECT DISTINCT {columns} WHERE {{ {target} {fault} }}"


def _term(term: Node) -> str:
    if isinstance(term, URIRef | Literal):
        return term.n3()
    raise UnknownShapeError("a blank node as a value")
