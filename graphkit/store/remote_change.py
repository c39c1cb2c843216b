"""A change of the store behind an endpoint: gathered here, and sent as one update request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from graphkit.errors import StoreError
from graphkit.store import engine
from graphkit.store.asking import Answering
from graphkit.store.formats import DEFAULT_GRAPH, graph_name, read_source
from graphkit.store.guard import bare_code
from graphkit.store.using import with_dataset

__all__ = ["RemoteChange"]

_DECLARATION: Final = re.compile(
    r"(?:\s|#[^\n\r]*)*(?:PREFIX(?:\s|#[^\n\r]*)*([^\s:#<>]*:)|BASE)(?:\s|#[^\n\r]*)*(<[^>]*>)", re.IGNORECASE
)


class RemoteChange(Answering):
    """Gathers the parts of one update request."""

    def __init__(self) -> None:
        self.rules = ""
        self._parts: list[str] = []
        self._declared: dict[str, str] = {}
        self._ended = False

    def load(
        self,
        source: Path | bytes,
        *,
        media_type: str | None = None,
        graph: str | None = None,
        base: str | None = None,
    ) -> int:
        """Add the quads of `source` and return how many it held."""
        self._check_open()
        held = read_source(source, media_type=media_type, graph=graph, base=base)
        groups = [_triples(held, DEFAULT_GRAPH)]
        groups += [f"GRAPH {name} {{\n{_triples(held, name)}}}\n" for name in held.named_graphs()]
        if len(held):
            self._parts.append(f"INSERT DATA {{\n{''.join(groups)}}}")
        return len(held)

    def update(
        self, sparql: str, *, using: Sequence[str] = (), using_named: Sequence[str] = (), base: str | None = None
    ) -> None:
        """Run a SPARQL 1.1 update."""
        self._check_open()
        engine.check_update_syntax(sparql, base=base)
        body = with_dataset(self._without_prologue(sparql), using, using_named)
        if base is not None:
            self._declared.setdefault("BASE", str(graph_name(base)))
        code = bare_code(body).rstrip()
        if code:
            self._parts.append(body[: len(code) - 1] if code.endswith(";") else body)

    def clear(self, graph: str | None) -> None:
        """Remove a named graph with all it holds, or all of the default graph (None)."""
        self._check_open()
        self._parts.append("CLEAR SILENT DEFAULT" if graph is None else f"DROP SILENT GRAPH {graph_name(graph)}")

    def create(self, graph: str) -> None:
        """Make a named graph, which an endpoint need not remember while it is empty."""
        self._check_open()
        self._parts.append(f"CREATE SILENT GRAPH {graph_name(graph)}")

    def answer(self, sparql: str, media_type: str) -> bytes:  # noqa: ARG002 - as every change has it
        """Refuse to answer: the endpoint knows nothing yet of what was gathered here."""
        raise StoreError(
            "a change of an endpoint cannot be asked before it is sent", hint="ask the store before or after the change"
        )

    def request(self) -> str:
        """Return the whole change as one update, empty where nothing was done."""
        declared = [f"{name} {iri}\n" for name, iri in self._declared.items()]
        return "".join(declared) + "\n;\n".join(self._parts) if self._parts else ""

    def end(self) -> None:
        """Refuse all that comes after the block."""
        self._ended = True

    def _without_prologue(self, sparql: str) -> str:
        """Take the declarations off an update: not every server reads them anywhere but at the start of a request."""
        end = 0
        while found := _DECLARATION.match(sparql, end):
            name = f"PREFIX {found[1]}" if found[1] else "BASE"
            if self._declared.setdefault(name, found[2]) != found[2]:
                raise StoreError(
                    f"two updates of one change disagree about {name}",
                    hint="use another prefix in one of them, or make two changes",
                )
            end = found.end()
        return sparql[end:]

    def _check_open(self) -> None:
        if self._ended:
            raise StoreError("this change has ended", hint="open a new one with store.change(…)")


def _triples(held: ox.Store, graph: ox.NamedNode | ox.BlankNode | ox.DefaultGraph) -> str:
    return (held.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph) or b"").decode()
