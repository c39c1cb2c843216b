"""Name blank nodes by RDFC-1.0, in a process of its own where that might take for ever.

The engine does this without letting any other thread run, and its time grows with the factorial of the blank nodes
that are all alike: ten that all point at each other take minutes. So where many look alike it is done elsewhere, for
a bounded time. `python -m graphkit.store.naming` reads N-Quads and writes them named.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from typing import Final

import pyoxigraph as ox

from graphkit.errors import DataError

__all__ = ["main", "name_blanks"]

_MOST_ALIKE: Final = 5
_WITHIN_SECONDS: Final = 10.0
_NQ: Final = ox.RdfFormat.N_QUADS
_BLANK: Final = re.compile(rb"(?<!\S)_:\S+")


def name_blanks(nquads: bytes) -> bytes:
    r"""Return N-Quads with their blank nodes named by RDFC-1.0 (W3C Recommendation of 21 May 2024).

    Raises `SyntaxError` where they cannot be read, and `DataError` where that takes longer than 10 seconds.

    >>> name_blanks(b"_:x <urn:p> <urn:o> .")
    b'_:c14n0 <urn:p> <urn:o> .\n'
    """
    dataset = ox.Dataset(ox.parse(nquads, format=_NQ))
    if _alike(nquads) > _MOST_ALIKE:
        return _named_elsewhere(nquads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return ox.serialize(dataset, format=_NQ) or b""


def _alike(nquads: bytes) -> int:
    """Count the blank nodes that stand beside others and that their own statements do not tell apart."""
    said: dict[bytes, list[bytes]] = defaultdict(list)
    beside = set[bytes]()
    for line in nquads.split(b"\n"):
        names = set(_BLANK.findall(line))
        if len(names) > 1:
            beside |= names
        for name in names:
            said[name].append(_seen_from(name, line))
    shapes = {name: tuple(sorted(lines)) for name, lines in said.items()}
    seen = Counter(shapes.values())
    return sum(seen[shapes[name]] > 1 for name in beside)


def _seen_from(name: bytes, line: bytes) -> bytes:
    """Return a statement as it looks from one blank node: all others are the same."""
    return _BLANK.sub(lambda found: b"_:a" if found[0] == name else b"_:z", line)


def _named_elsewhere(nquads: bytes) -> bytes:
    words = [sys.executable, "-m", "graphkit.store.naming"]
    try:
        done = subprocess.run(words, input=nquads, capture_output=True, check=True, timeout=_WITHIN_SECONDS)  # noqa: S603
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise DataError(
            f"the blank nodes are so alike that they cannot be named within {_WITHIN_SECONDS:g} seconds",
            hint="give them addresses of their own, or state what tells them apart",
        ) from error
    return done.stdout


def main() -> None:
    """Name the blank nodes of the N-Quads on the standard input."""
    dataset = ox.Dataset(ox.parse(sys.stdin.buffer.read(), format=_NQ))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    sys.stdout.buffer.write(ox.serialize(dataset, format=_NQ) or b"")


if __name__ == "__main__":
    main()
