"""Makes names readable: blanks, broken characters, shouting; what the source wrote stays beside them."""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["mended", "readable", "site"]

_C1: Final = {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
_UPPER: Final = (
    ("Cic", "CIC"),
    ("C.i.c", "C.I.C"),
    ("Co-Operative", "Co-operative"),
    ("Co-Operatives", "Co-operatives"),
    ("Co-Op", "Co-op"),
    ("Plc", "plc"),
    ("Llp", "LLP"),
    ("Lp", "LP"),
    ("Uk", "UK"),
    ("(uk)", "(UK)"),
    ("Nhs", "NHS"),
    ("Bbc", "BBC"),
    ("Ymca", "YMCA"),
    ("Ywca", "YWCA"),
    ("Rnib", "RNIB"),
    ("Eu", "EU"),
    ("It", "IT"),
    ("Ii", "II"),
    ("Iii", "III"),
    ("Cvs", "CVS"),
    ("Cio", "CIO"),
)
_SMALL: Final = (
    "And",
    "Of",
    "The",
    "For",
    "In",
    "On",
    "At",
    "To",
    "With",
    "By",
    "De",
    "Y",
    "Und",
    "W",
    "Z",
    "Dla",
    "Oraz",
    "Na",
)
_TURNS: Final = tuple((rf"\b{word.replace('.', '[.]')}\b", other) for word, other in _UPPER if word[0] != "(")


def mended(text: pl.Expr) -> pl.Expr:
    r"""Mend what went wrong on the way to the file: control characters that were Windows quotes, blanks, line ends.

    >>> pl.select(mended(pl.lit("ESF 2014 \x96 2020\n Provision"))).item()
    'ESF 2014 – 2020 Provision'
    """
    return text.str.replace_many(list(_C1), list(_C1.values())).str.replace_all(r"[\s\xa0]+", " ").str.strip_chars()


def readable(text: pl.Expr) -> pl.Expr:
    """Write a name for reading: mended, and where it is all in capitals, in small letters with initials.

    Words of four letters or fewer without a vowel, and a list of known abbreviations, stay in capitals.

    >>> names = ["YORK COLLEGE", "JHP GROUP LIMITED", "ST. MARY'S CIC", "A4e Ltd", "THE ARTS OF WALES (NI)"]
    >>> pl.select(readable(pl.Series(names))).to_series().to_list()
    ['York College', 'JHP Group Limited', "St. Mary's CIC", 'A4e Ltd', 'The Arts of Wales (NI)']
    """
    plain = mended(text)
    shouted = plain.str.contains(r"[A-Z]{3}") & (plain == plain.str.to_uppercase())
    return pl.when(shouted).then(_calm(plain)).otherwise(plain)


def site(address: pl.Expr) -> pl.Expr:
    """Bring addresses of one site to one form: small letters, without scheme, "www." and the slash at the end.

    >>> pl.select(site(pl.lit("HTTPS://www.Bakers.example.org/"))).item()
    'bakers.example.org'
    """
    return address.str.to_lowercase().str.replace(r"^https?://(www\.)?", "").str.strip_chars_end("/")


def _calm(text: pl.Expr) -> pl.Expr:
    words = text.str.split(" ").list.eval(_calm_word(pl.element())).list.join(" ")
    for pattern, other in _TURNS:
        words = words.str.replace_all(pattern, other)
    for word in _SMALL:
        words = words.str.replace_all(rf" {word} ", f" {word.lower()} ")
    return words


def _calm_word(word: pl.Expr) -> pl.Expr:
    bare = word.str.replace_all("[^A-Z]", "")
    short = (bare.str.len_chars() <= 4) & ~bare.str.contains("[AEIOUY]") & ~bare.is_in(["LTD", "ST", "MR", "DR"])  # noqa: PLR2004
    bracketed = word.str.contains(r"^\(([A-Z]{1,3})\)$")
    numbered = word.str.contains(r"[0-9]") & word.str.contains(r"[A-Z]")
    title = word.str.to_lowercase().str.to_titlecase().str.replace_all(r"'S\b", "'s").str.replace_all(r"’S\b", "’s")
    return pl.when(short | bracketed | numbered).then(word).otherwise(title)
