"""An index of names in memory: folded words, the names that hold them, and words that are spelled alike."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Words", "distance", "fold", "readings", "slips", "words_of"]

MOST_CHARACTERS: Final = 500
"""How much of one name is read."""

_Indices: TypeAlias = NDArray[np.int32]
_WORD: Final = re.compile(r"[^\W_]+")
_COMPOUND: Final = re.compile(r"[^\W_]+(?:[-\u2010\u2011'\u2019./:][^\W_]+)+")
_SPELLED: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "&": " and "}
)
_LAST: Final = "\U0010ffff"
_NEAR_LOOKED_AT: Final = 80
_SHORT, _LONG, _LONGEST = 3, 6, 40
"""Words shorter than the first or longer than the last must be spelled right; from the second on, two slips pass."""


def fold(text: str) -> str:
    """Write `text` without capitals and diacritics.

    >>> fold("Ørsted & Łódź COÖP")
    'orsted  and  lodz coop'
    """
    text = text[:MOST_CHARACTERS].casefold()
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text).casefold()
        text = "".join(each for each in plain if not unicodedata.combining(each))
    return text.translate(_SPELLED)


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text in their order.

    >>> words_of("co-operative (wessex)")
    ['co', 'operative', 'wessex']
    """
    return _WORD.findall(folded)


def _joined(folded: str) -> list[str]:
    """Return the words that are also written as one: "co-operative" as cooperative, "u.k." as uk."""
    return ["".join(_WORD.findall(found)) for found in _COMPOUND.findall(folded)]


def readings(folded: str) -> list[list[str]]:
    """Return the ways in which a folded text can be read as words: as it stands, and with compounds as one word.

    >>> readings("south-west link")
    [['south', 'west', 'link'], ['southwest', 'link']]
    """
    plain = words_of(folded)
    joined = words_of(_COMPOUND.sub(lambda found: "".join(_WORD.findall(found[0])), folded))
    return [plain] if plain == joined else [plain, joined]


def slips(word: str) -> int:
    """Return how many slips of the pen are forgiven in a word; in a number none is."""
    if not _SHORT <= len(word) <= _LONGEST or any(each.isdigit() for each in word):
        return 0
    return 1 if len(word) < _LONG else 2


def distance(typed: str, word: str, *, begun: bool = False) -> int:
    """Return how many letters must be added, dropped, changed or swapped to turn one word into the other.

    This is the optimal string alignment distance (Damerau 1964, restricted). With `begun`, what is typed may be the
    beginning of the word: the least distance to any of its beginnings.

    >>> distance("transprt", "transport"), distance("bnak", "bank"), distance("comunit", "community", begun=True)
    (1, 1, 1)
    """
    older: list[int] = []
    above = list(range(len(word) + 1))
    for i, letter in enumerate(typed, 1):
        row = [i]
        for j, other in enumerate(word, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if older and j > 1 and letter == word[j - 2] and typed[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        older, above = above, row
    return min(above) if begun else above[-1]


class Words:
    """The distinct words of many names, each with the names that hold it. It does not change once it is built."""

    def __init__(self, folded: Sequence[str]) -> None:
        held: dict[str, list[int]] = {}
        for number, name in enumerate(folded):
            for word in {*words_of(name), *_joined(name)}:
                held.setdefault(word, []).append(number)
        self._words = sorted(held)
        self._names = len(folded)
        self._starts, self._held = _rows(held[word] for word in self._words)
        self._lengths = np.fromiter(map(len, self._words), np.int32, len(self._words))
        pieces: dict[str, list[int]] = {}
        for number, word in enumerate(self._words):
            for piece in _pieces(word):
                pieces.setdefault(piece, []).append(number)
        self._pieces = {piece: np.array(numbers, np.int32) for piece, numbers in pieces.items()}

    def beginning(self, word: str) -> _Indices:
        """Return the names that hold a word which begins with `word` (a name may occur several times)."""
        first, last = bisect_left(self._words, word), bisect_left(self._words, word + _LAST)
        return self._held[self._starts[first] : self._starts[last]]

    def weights(self, typed: str, *, begun: bool = False) -> NDArray[np.float32]:
        """Return for each name how well its best word fits what was typed, from 0 (not at all) to 1.

        Words that begin with it or are spelled alike count; with `begun`, also those that begin alike.
        """
        found = np.zeros(self._names, np.float32)
        for weight, number in sorted(self._alike(typed, begun=begun)):
            found[self._held[self._starts[number] : self._starts[number + 1]]] = weight
        found[self.beginning(typed)] = 1.0
        return found

    def _alike(self, typed: str, *, begun: bool) -> Iterator[tuple[float, int]]:
        """Give the words that are spelled like `typed`, each with a weight between 0 and 1."""
        most = slips(typed)
        for number in self._candidates(typed, most) if most else ():
            word = self._words[number]
            off = distance(typed, word)
            if off <= most:
                yield 1 - off / (len(typed) + 1), number
            elif begun and len(typed) > _SHORT and (off := distance(typed, word, begun=True)) <= most:
                yield 0.9 * (1 - off / (len(typed) + 1)), number

    def _candidates(self, typed: str, most: int) -> list[int]:
        """Return the words that share most pairs of letters with `typed`; a slip costs at most three pairs."""
        pieces = _pieces(typed)
        lists = [self._pieces[piece] for piece in pieces if piece in self._pieces]
        if not lists:
            return []
        shared = np.bincount(np.concatenate(lists), minlength=len(self._words))
        enough = np.flatnonzero(shared >= max(1, len(pieces) - 3 * most))
        order = np.lexsort((enough, np.abs(self._lengths[enough] - len(typed)), -shared[enough]))
        return [int(number) for number in enough[order[:_NEAR_LOOKED_AT]]]


def _pieces(word: str) -> set[str]:
    """Return the pairs of neighbouring letters, with marks for beginning and end."""
    return {first + second for first, second in pairwise(f"^{word}$")}


def _rows(lists: Iterable[list[int]]) -> tuple[NDArray[np.int64], _Indices]:
    """Put lists of numbers one after the other; the first array tells where each begins, and where the last ends."""
    kept = list(lists)
    starts = np.zeros(len(kept) + 1, np.int64)
    np.cumsum([len(each) for each in kept], out=starts[1:])
    return starts, np.fromiter(chain.from_iterable(kept), np.int32, int(starts[-1]))
