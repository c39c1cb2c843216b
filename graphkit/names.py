"""Find things by their names, other names and identifiers, also where the words are not spelled right."""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphkit import queries
from graphkit._name_index import Words, fold, readings, words_of
from graphkit.errors import GraphkitError, unknown_name
from graphkit.store.base import Store, Version
from graphkit.terms import ID, compact

__all__ = ["MOST_CHARACTERS", "MOST_HITS", "Hit", "How", "NameIndex", "Names"]

MOST_CHARACTERS: Final = 200
"""What is typed beyond this is not read."""
MOST_HITS: Final = 100

How: TypeAlias = Literal["exact", "beginning", "words", "similar", "part"]
"""Why something was found: its name is the text, begins with it, has all its words, similar words, or some of them."""

_Scores: TypeAlias = NDArray[np.float64]
_QUERY: Final = "explore/names"
_FIRST_KIND: Final = "organisation"
_MOST_WORDS: Final = 12
_ENOUGH: Final = 3
_SMALL: Final = 2
_PART: Final = 0.4
"""Which share of what was typed must be there: one of two words of equal length is, also with slips."""
_KEPT_SECONDS: Final = 600.0
_LAST: Final = "\U0010ffff"
_BASE: Final[dict[How, float]] = {"exact": 0.9, "beginning": 0.8, "words": 0.6, "similar": 0.2, "part": 0.0}
_FIRST, _CLOSE = 0.05, 0.04
"""What is added for an organisation, and at most for how much of the name was typed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: its IRI, its name, its kind (the word of its IRI) and the text that fits.

    `score` lies between 0 and 1 and orders the hits; it means nothing beyond one search. `how` tells why it was found.
    """

    iri: str
    label: str
    kind: str
    matched: str
    score: float
    how: How


class NameIndex:
    """The names of one version of a graph, ready to be searched by many threads at once; it never changes.

    `rows` are (thing, use, text) as the stored query `explore/names` answers them. The words of all names and, for
    each, the names that hold it are kept in arrays. Words that are spelled alike are found by the pairs of letters
    that they share and then by counting slips (`distance`): one in a word of 3 to 5 letters, two in a longer word.
    """

    def __init__(self, rows: Iterable[tuple[str, str, str]]) -> None:
        things: dict[str, list[tuple[str, str]]] = {}
        for thing, use, text in rows:
            things.setdefault(thing, []).append((use, text))
        labelled = sorted((_label(thing, texts), thing) for thing, texts in things.items())
        self._labels, self._iris = [label for label, _ in labelled], [thing for _, thing in labelled]
        self._kinds = [_kind(iri) for iri in self._iris]
        names = sorted({(_plain(text), owner, text) for owner, iri in enumerate(self._iris) for _, text in things[iri]})
        self._plain, self._texts = [plain for plain, _, _ in names], [text for _, _, text in names]
        self._owner = np.fromiter((owner for _, owner, _ in names), np.int32, len(names))
        self._words = Words([fold(text) for text in self._texts])
        self._lengths = np.maximum(np.fromiter(map(len, self._plain), np.int32, len(names)), 1)
        first = np.fromiter((kind == _FIRST_KIND for kind in self._kinds), np.bool_, len(self._kinds))
        self._first = first[self._owner]

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._texts)

    def search(self, words: str, *, limit: int = 20, kind: str = "") -> list[Hit]:
        """Return the best hits, best first; see `Names.search`."""
        allowed = self._allowed(kind)
        ways = [way[:_MOST_WORDS] for way in readings(fold(words[:MOST_CHARACTERS]))]
        if not ways[0]:
            return []
        plain, limit = " ".join(ways[0]), max(0, min(limit, MOST_HITS))
        exact = self._strict(ways, plain)
        found = exact * allowed
        if np.count_nonzero(found) < _ENOUGH:
            found = np.maximum(exact, self._similar(ways, plain)) * allowed
        return self._hits(found, limit)

    def _allowed(self, kind: str) -> NDArray[np.bool_]:
        """Tell for each name whether its thing is of a kind."""
        if not kind:
            return np.ones(len(self), np.bool_)
        if kind not in self._kinds:
            raise unknown_name("kind of thing", kind, set(self._kinds))
        of_kind = np.fromiter((each == kind for each in self._kinds), np.bool_, len(self._kinds))
        return of_kind[self._owner]

    def _strict(self, ways: Sequence[Sequence[str]], plain: str) -> _Scores:
        """Score the names that hold every word, or words that begin with them; all others get nothing."""
        held = np.zeros(len(self), np.bool_)
        for way in ways:
            every = np.ones(len(self), np.bool_)
            for word in way:
                has = np.zeros(len(self), np.bool_)
                has[self._words.beginning(word)] = True
                every &= has
            held |= every
        scores = np.where(held, _BASE["words"], 0.0)
        first, after, last = (bisect_left(self._plain, text) for text in (plain, plain + "\0", plain + _LAST))
        scores[first:last] = _BASE["beginning"]
        scores[first:after] = _BASE["exact"]
        return np.where(scores > 0, scores + _FIRST * self._first + _CLOSE * self._covered(plain), 0.0)

    def _covered(self, plain: str) -> _Scores:
        return np.minimum(len(plain) / self._lengths, 1.0)

    def _similar(self, ways: Sequence[Sequence[str]], plain: str) -> _Scores:
        """Score the names whose words are spelled alike; where none has them all, those that have most of them."""
        both = [self._alike(way) for way in ways]
        whole = np.maximum.reduce([np.where(full, share, 0.0) for share, full in both])
        if not whole.any():
            share = np.maximum.reduce([share for share, _ in both])
            return np.where(share >= _PART, 0.15 * share + 0.01 * self._covered(plain), 0.0)
        tuned = _BASE["similar"] + 0.3 * whole**2 + _CLOSE * self._covered(plain) + 0.01 * self._first
        return np.where(whole > 0, tuned, 0.0)

    def _alike(self, way: Sequence[str]) -> tuple[_Scores, NDArray[np.bool_]]:
        """Return for each name the share of the typed words that it has, by their length, and whether it has all.

        Words of one or two letters say too little to count for the share.
        """
        total, full = np.zeros(len(self)), np.ones(len(self), np.bool_)
        lengths = [len(word) if len(word) > _SMALL else 0 for word in way]
        for place, (word, length) in enumerate(zip(way, lengths, strict=True), 1):
            weights = self._words.weights(word, begun=place == len(way))
            total += weights * length
            full &= weights > 0
        return total / max(sum(lengths), 1), full

    def _hits(self, scores: _Scores, limit: int) -> list[Hit]:
        """Return the best name of each thing, by falling score, then by label; things are numbered by their labels."""
        rounded = np.round(scores, 4)
        places = np.flatnonzero(rounded)
        order = places[np.lexsort((self._owner[places], -rounded[places]))]
        best: dict[int, int] = {}
        for place in order:
            best.setdefault(int(self._owner[place]), int(place))
            if len(best) >= limit:
                break
        return [self._hit(owner, place, float(rounded[place])) for owner, place in best.items()][:limit]

    def _hit(self, owner: int, place: int, score: float) -> Hit:
        how = next(how for how, base in _BASE.items() if score >= base)
        return Hit(self._iris[owner], self._labels[owner], self._kinds[owner], self._texts[place], score, how)


def _plain(text: str) -> str:
    """Write a name as its folded words with single spaces."""
    return " ".join(words_of(fold(text)))


def _label(thing: str, texts: Sequence[tuple[str, str]]) -> str:
    """Return the name to show: the English one, else any other, else an identifier, else a short form of the IRI."""
    for wanted in ("name", "other name", "identifier"):
        if found := [text for use, text in texts if use == wanted]:
            return min(found)
    return compact(thing)


def _kind(iri: str) -> str:
    return iri.removeprefix(ID).partition("/")[0] if iri.startswith(ID) else ""


class Names:
    """Search the names of the newest version of a store.

    The index is built on the first search, which then takes longer. After a change a new one is built beside, and the
    old one answers until it is there. A store that keeps no versions (an endpoint) is read again after ten minutes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._building = threading.Lock()
        self._index: NameIndex | None = None
        self._of: Version | None = None
        self._checked = 0.0

    def search(self, words: str, limit: int = 20, *, kind: str = "") -> list[Hit]:
        """Return what is called `words`, best first: at most `limit` hits, and never more than `MOST_HITS`.

        Capitals, diacritics, hyphens and the order of the words make no difference, and each word may be the beginning
        of a longer one. First come names that are the text, then names that begin with it, then names that have all
        its words, organisations first among equals. Where these are fewer than three, names follow whose words are
        spelled alike, and where there are none either, names that have about half of what was typed. The order is
        the same every time. Only the first 200 characters are read, and no sign has a special meaning. `kind` keeps
        only one kind of thing, such as "organisation"; an unknown one is an `UnknownNameError`.
        """
        return self._current().search(words, limit=limit, kind=kind) if words.strip() else []

    def _current(self) -> NameIndex:
        index = self._index
        if index is None:
            with self._building:
                return self._index or self._build()
        if self._is_old() and self._building.acquire(blocking=False):
            threading.Thread(target=self._rebuild, name="graphkit-names", daemon=True).start()
        return index

    def _is_old(self) -> bool:
        version = self._store.version
        return version != self._of or (version is None and time.monotonic() - self._checked > _KEPT_SECONDS)

    def _rebuild(self) -> None:
        """Build a new index while the old one answers; where that fails, the old one stays until the next change."""
        try:
            self._build()
        except GraphkitError as error:
            _log.warning("the names of the new version cannot be read, so the old ones stay: %s", error)
        finally:
            self._building.release()

    def _build(self) -> NameIndex:
        """Read the names of the newest version; the caller holds the lock."""
        started = time.perf_counter()
        self._of, self._checked = self._store.version, time.monotonic()
        self._index = NameIndex(queries.run(self._store, _QUERY).iter_rows())
        _log.info("index of %d names in %.3f s", len(self._index), time.perf_counter() - started)
        return self._index
