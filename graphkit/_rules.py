"""What a rule looks at: its patterns, so that it need be asked only about statements that are new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rdflib import URIRef, Variable
from rdflib.paths import AlternativePath, NegatedPath, Path, SequencePath
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import Node

from graphkit.store.guard import keyword_places

__all__ = ["Rule", "read_rule"]

_Triple = tuple[Node, "Node | Path", Node]
_NOT_EXISTS: Final = "Builtin_NOTEXISTS"
_MINUS: Final = "Minus"


@dataclass(frozen=True, slots=True)
class Rule:
    """A CONSTRUCT query whose answers only grow with what its patterns match, but for what it says must not exist.

    `blockers` are the groups of patterns of its FILTER NOT EXISTS and MINUS that are not just what it concludes.
    The engine asks NOT EXISTS anew for each answer and MINUS once: of several triples MINUS is the right word.
    """

    text: str
    head: tuple[_Triple, ...]
    body: tuple[_Triple, ...]
    blockers: tuple[tuple[_Triple, ...], ...]

    def touched(self, predicates: set[str]) -> bool:
        """Tell whether statements with these predicates can make the rule conclude anything new."""
        return any(_may_match(triple, predicates) for triple in self.body)

    def about(self, graphs: Sequence[str], predicates: set[str], *, many: bool = False) -> list[str]:
        """Return queries that together give all that follows from at least one statement of `graphs`.

        `predicates` are those of the statements in the graphs. Each query asks for one pattern there; where a path may
        run through them the whole rule is asked. So it is where `many` statements may match a pattern of any
        predicate: the engine would begin with each of them, and begins with the other patterns of the rule so.
        """
        hit = [triple for triple in self.body if _may_match(triple, predicates)]
        if any(not _is_plain(triple) or (many and isinstance(triple[1], Variable)) for triple in hit):
            return [self.text]
        return [self._with(f"{_choice(graphs)} GRAPH ?fresh_graph {{ {_written(triple)} }}") for triple in hit]

    def conflicts(self, graphs: Sequence[str], predicates: set[str], inferred: str) -> list[str]:
        """Return questions of which one is answered yes where asking `about` alone might not do.

        That is where a statement of `graphs` may forbid a conclusion in the graph `inferred`, or where such a
        conclusion may forbid what follows from a statement of `graphs`, which it did not forbid when it came later.
        """
        fresh = [triple for triple in self.body if _may_match(triple, predicates)]
        heads = [self._concluded(index, inferred) for index in range(len(self.head))]
        asked = []
        for group in self.blockers:
            new, old = list[str](), list[str]()
            for triple in group:
                others = " ".join(f"{_written(other)} ." for other in group if other is not triple)
                if _may_match(triple, predicates):
                    found = _within("?fresh_graph", triple, predicates)
                    new += [f"{_choice(graphs)} {used} {others}" for used in found]
                old += [f"{used} {others}" for used in _within(f"<{inferred}>", triple, None)]
            if new:
                asked.append(_meeting(heads, new, _variables(self.head) & _variables(group)))
            for triple in fresh:
                start = [f"{_choice(graphs)} {used}" for used in _within("?fresh_graph", triple, predicates)]
                asked.append(_meeting(start, old, _variables([triple]) & _variables(group)))
        return asked

    def _concluded(self, index: int, inferred: str) -> str:
        """Return the patterns of the head, one of them in the graph of conclusions."""
        written = [f"{_written(triple)} ." for triple in self.head]
        written[index] = f"GRAPH <{inferred}> {{ {written[index]} }}"
        return " ".join(written)

    def _with(self, pattern: str) -> str:
        """Return the rule with one more pattern at the beginning of its WHERE."""
        where = keyword_places(self.text, "WHERE")[0]
        start = self.text.index("{", where) + 1
        return f"{self.text[:start]} {pattern} {self.text[start:]}"


@lru_cache(maxsize=64)
def read_rule(text: str) -> Rule:
    """Read the patterns of a CONSTRUCT query."""
    algebra = prepareQuery(text).algebra
    head = tuple(algebra.template)
    body, groups = list[_Triple](), list[tuple[_Triple, ...]]()
    _gather(algebra.p, body, groups)
    blockers = tuple(group for group in groups if not set(group) <= set(head))
    return Rule(text, head, tuple(dict.fromkeys(body)), blockers)


def _gather(part: object, body: list[_Triple], groups: list[tuple[_Triple, ...]]) -> None:
    """Collect the patterns of a part of the algebra, those that must not exist in groups of their own."""
    if isinstance(part, CompValue):
        if part.name == _NOT_EXISTS:
            inner = list[_Triple]()
            _gather(part.graph, inner, groups)
            groups.append(tuple(inner))
            return
        if part.name == _MINUS:
            taken = list[_Triple]()
            _gather(part.p1, body, groups)
            _gather(part.p2, taken, groups)
            groups.append(tuple(taken))
            return
        if "triples" in part:
            body += part["triples"]
        for name, value in part.items():
            if name != "triples":
                _gather(value, body, groups)
    elif isinstance(part, list | tuple):
        for value in part:
            _gather(value, body, groups)


def _predicates(predicate: Node | Path) -> Iterator[str]:
    if isinstance(predicate, Path):
        for name in ("args", "path", "arg"):
            value = getattr(predicate, name, ())
            for inner in value if isinstance(value, list | tuple) else (value,):
                yield from _predicates(inner)
    elif isinstance(predicate, URIRef):
        yield str(predicate)


def _may_match(triple: _Triple, predicates: set[str]) -> bool:
    if isinstance(triple[1], Variable | NegatedPath):
        return True
    return not predicates.isdisjoint(_predicates(triple[1]))


def _is_plain(triple: _Triple) -> bool:
    """Tell whether a pattern is matched by one statement, so that it can be asked in one graph."""
    subject, predicate, object_ = triple
    steps = predicate.args if isinstance(predicate, AlternativePath) else [predicate]
    return all(isinstance(term, URIRef | Variable) for term in (subject, *steps, object_))


def _within(graph: str, triple: _Triple, predicates: set[str] | None) -> list[str]:
    """Return patterns of the statements in a graph that a triple may use, with these predicates or any.

    Of a path that is the first step, from the subject, and any later step, wherever it is.
    """
    if _is_plain(triple):
        return [f"GRAPH {graph} {{ {_written(triple)} }}"]
    subject, path, _ = triple
    first, rest = (path.args[0], path.args[1:]) if isinstance(path, SequencePath) else (None, [path])
    found = []
    if isinstance(first, URIRef) and (predicates is None or str(first) in predicates):
        found.append(f"GRAPH {graph} {{ {subject.n3()} {first.n3()} ?any_end }}")
    later = rest if isinstance(first, URIRef) else [path]
    names = {name for step in later for name in _predicates(step)}
    if steps := sorted(names if predicates is None else names & predicates):
        choice = " ".join(f"<{name}>" for name in steps)
        found.append(f"VALUES ?any_step {{ {choice} }} GRAPH {graph} {{ ?any_start ?any_step ?any_end }}")
    return found


def _meeting(one: Sequence[str], other: Sequence[str], shared: AbstractSet[Variable]) -> str:
    """Return the question whether one of some groups of patterns meets one of others in the variables that they share.

    Each side is found by itself and only what both share is kept: joined pattern by pattern, a body of 4,000 members
    would be gone through 4,000 times for each of them.
    """
    if not shared:
        return f"ASK {{ {_any(one)} {_any(other)} }}"
    kept = " ".join(sorted(name.n3() for name in shared))
    sides = (f"{{ SELECT DISTINCT {kept} WHERE {{ {_any(side)} }} }}" for side in (one, other))
    return f"ASK {{ {' '.join(sides)} }}"


def _any(groups: Sequence[str]) -> str:
    return " UNION ".join(f"{{ {group} }}" for group in groups)


def _variables(triples: Iterable[_Triple]) -> frozenset[Variable]:
    return frozenset(term for triple in triples for term in triple if isinstance(term, Variable))


def _written(triple: _Triple) -> str:
    return " ".join(term.n3() for term in triple)


def _choice(graphs: Sequence[str]) -> str:
    return f"VALUES ?fresh_graph {{ {' '.join(f'<{graph}>' for graph in graphs)} }}"
