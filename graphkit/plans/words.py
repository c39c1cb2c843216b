"""The words by which a person names things: full IRIs, known prefixes, or `kind/slug`."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from graphkit.errors import UsageError, unknown_name
from graphkit.terms import ID, PREFIXES, expand

__all__ = ["one_pair", "resolve", "resolve_all"]

_VOCABULARY = PREFIXES["voc"]
_PAIR = 2


def resolve(word: str, known: Collection[str], kind: str, *, where: str = "") -> str:
    """Return the IRI of the `kind` of thing that a word names, which is one of `known`.

    A word is the name itself, `prefix:local`, or `kind/slug` of the data or of a vocabulary. Raises
    `UnknownNameError` with the near names.

    >>> resolve("place/valley", ["https://w3id.org/solidarity-graph/id/place/valley"], "region")
    'https://w3id.org/solidarity-graph/id/place/valley'
    """
    for meant in (word, ID + word, _VOCABULARY + word, expand(word)):
        if meant in known:
            return meant
    raise unknown_name(kind, _short(word), map(_short, known), where=where)


def resolve_all(words: Iterable[str], known: Collection[str], kind: str, *, where: str = "") -> tuple[str, ...]:
    """Return the IRIs that words name, in order of IRI, each once; errors as for `resolve`."""
    if isinstance(words, str):
        raise UsageError(f"'{words}' is one word where a list is asked for", where=where, hint=f"write ['{words}']")
    return tuple(sorted({resolve(word, known, kind, where=where) for word in words}))


def one_pair(words: Iterable[str], known: Collection[str], kind: str, *, where: str = "") -> tuple[str, str]:
    """Return two different things, the smaller IRI first; errors as for `resolve`."""
    pair = resolve_all(words, known, kind, where=where)
    if len(pair) != _PAIR:
        raise UsageError(f"a tie joins two different {kind}s", where=where, hint="name one and another")
    return pair[0], pair[1]


def _short(word: str) -> str:
    return word.removeprefix(ID).removeprefix(_VOCABULARY)
