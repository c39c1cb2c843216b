"""Lines to copy: how to ask a stored query from a shell, from Python alone, and from Python with graphkit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphkit.queries import Query

__all__ = ["Snippet", "snippets"]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A few lines that run as they stand: what runs them, and the lines."""

    title: str
    code: str


def snippets(
    query: Query, address: str, search: str, endpoint: str, values: Mapping[str, Sequence[str]]
) -> list[Snippet]:
    """Return snippets that ask `query` with `values` for its rows, its triples or its verdict.

    `address` is the full address of the query's page without a suffix, `search` the encoded values with their
    question mark or nothing, `endpoint` the full address of the SPARQL endpoint. Whatever a visitor wrote stands
    in the lines only as a quoted text, so that nothing of it can run.
    """
    suffix = "csv" if query.form == "SELECT" else "json" if query.form == "ASK" else "ttl"
    found = [
        Snippet(
            "Shell, with cURL", f"curl --fail --silent --show-error {shlex.quote(f'{address}.{suffix}{search}')}\n"
        ),
        Snippet("Python, without any package", _plain(query, address, search)),
    ]
    if query.path and query.form in {"SELECT", "CONSTRUCT"}:
        found.append(Snippet("Python, with graphkit", _graphkit(query, endpoint, values)))
    return found


def _plain(query: Query, address: str, search: str) -> str:
    if query.form in {"CONSTRUCT", "DESCRIBE"}:
        return (
            "from urllib.request import urlopen\n\n"
            f"with urlopen({f'{address}.nt{search}'!r}) as answer:\n"
            "    print(answer.read().decode())\n"
        )
    return (
        "import json\nfrom urllib.request import urlopen\n\n"
        f"with urlopen({f'{address}.json{search}'!r}) as answer:\n"
        f"    {'rows' if query.form == 'SELECT' else 'verdict'} = json.load(answer)\n"
        + ("for row in rows:\n    print(row)\n" if query.form == "SELECT" else "print(verdict)\n")
    )


def _graphkit(query: Query, endpoint: str, values: Mapping[str, Sequence[str]]) -> str:
    given = {name: chosen[0] if len(chosen) == 1 else list(chosen) for name, chosen in values.items() if chosen}
    options = f", **{given!r}" if given else ""
    verb, shown = ("run", "{}") if query.form == "SELECT" else ("construct", "{}.decode()")
    call = f"queries.{verb}(store, {query.name!r}{options})"
    return (
        "from graphkit import queries\nfrom graphkit.store import open_store\n\n"
        f"with open_store({endpoint!r}) as store:\n"
        f"    print({shown.format(call)})\n"
    )
