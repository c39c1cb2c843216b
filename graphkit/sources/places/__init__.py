"""Places by their codes: lists that the project ships, and the descriptions of those places that a source uses.

A list is a file `<list>.tsv` beside this one: key (what a source writes), slug (the end of the place's address), label,
code, code_list (a concept of that vocabulary) and within (the slug of a larger place, of any list).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from graphkit.errors import unknown_name
from graphkit.terms import ID, PREFIXES

__all__ = ["describe", "lookup"]

_FOLDER: Final = Path(__file__).resolve().parent
_POSTCODE: Final = r"^\s*([A-Z]{1,2})[0-9]"
_COLUMNS: Final = ("key", "slug", "label", "code", "code_list", "within")


def lookup(values: pl.Series, name: str) -> pl.Series:
    """Return the address of the place that each value names in the list `name`, or null.

    The list `postcode-area` takes whole postcodes of the United Kingdom. Raises `UnknownNameError` for another list.

    >>> lookup(pl.Series(["BH1 4AA", "?"]), "postcode-area").to_list()
    ['https://w3id.org/solidarity-graph/id/place/postcode-bh', None]
    """
    table = _list(name)
    keys = values.str.to_uppercase().str.extract(_POSTCODE) if name == "postcode-area" else values
    found = keys.replace_strict(table["key"], table["slug"], default=None, return_dtype=pl.String())
    return pl.select(pl.lit(f"{ID}place/") + found).to_series()


def describe(places: Iterable[str]) -> bytes:
    """Describe the places at these addresses, and those around them, as N-Triples: class, label, code, code list."""
    known, open_, done = _all(), {each.removeprefix(f"{ID}place/") for each in places}, set[str]()
    lines = list[str]()
    while open_:
        slug = open_.pop()
        if slug in done or slug not in known:
            continue
        done.add(slug)
        label, code, code_list, within = known[slug]
        lines += _described(f"<{ID}place/{slug}>", label, code, code_list)
        if within:
            lines.append(f"<{ID}place/{slug}> <{PREFIXES['geo']}sfWithin> <{ID}place/{within}> .")
            open_.add(within)
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def _described(place: str, label: str, code: str, code_list: str) -> list[str]:
    lines = [
        f"{place} <{PREFIXES['rdf']}type> <{PREFIXES['sol']}Region> .",
        f'{place} <{PREFIXES["rdfs"]}label> "{label}"@en .',
    ]
    if code:
        lines.append(f'{place} <{PREFIXES["sol"]}placeCode> "{code}" .')
        lines.append(f"{place} <{PREFIXES['sol']}codeList> <{PREFIXES['voc']}code-list/{code_list}> .")
    return lines


@cache
def _list(name: str) -> pl.DataFrame:
    path = _FOLDER / f"{name}.tsv"
    if not path.is_file():
        raise unknown_name("list of places", name, (each.stem for each in _FOLDER.glob("*.tsv")))
    schema = dict.fromkeys(_COLUMNS, pl.String())
    return pl.read_csv(path, separator="\t", schema=schema, quote_char=None).fill_null("")


@cache
def _all() -> dict[str, tuple[str, str, str, str]]:
    """Map each slug to label, code, code list and the place around it."""
    whole = pl.concat(_list(path.stem) for path in sorted(_FOLDER.glob("*.tsv")))
    return {slug: (label, code, codes, within) for _, slug, label, code, codes, within in whole.iter_rows()}
