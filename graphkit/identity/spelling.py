"""Names of organisations made comparable: one small function for each habit of registers, all on polars expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

__all__ = [
    "LEGAL_FORMS",
    "comparable",
    "core",
    "district",
    "legal_form",
    "marks",
    "place",
    "plain",
    "postcode",
    "sorted_words",
    "trading_names",
    "without_number",
]

LEGAL_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "cic": ("community interest company", "c i c", "cic"),
    "scio": ("scottish charitable incorporated organisation", "s c i o", "scio"),
    "cio": ("charitable incorporated organisation", "c i o", "cio"),
    "plc": ("public limited company", "p l c", "plc"),
    "llp": ("limited liability partnership", "l l p", "llp"),
    "society": (
        "industrial and provident society",
        "community benefit society",
        "registered society",
        "bencom",
        "society",
        "i p s",
        "ips",
    ),
    "limited": (
        "company limited by guarantee",
        "limited by guarantee",
        "private limited company",
        "limited company",
        "company limited",
        "co ltd",
        "co limited",
        "cyfyngedig",
        "limited",
        "ltd",
        "cyf",
        "incorporated",
        "inc",
    ),
    "gmbh": ("gesellschaft mit beschrankter haftung", "ggmbh", "gmbh"),
    "sp-z-oo": ("spolka z ograniczona odpowiedzialnoscia", "sp z o o", "sp z oo", "sp zoo"),
}
"""The legal forms that stand at the end of names, each with its spellings after `plain`, longer ones first."""

_ONE_SPELLING: Final[Mapping[str, str]] = {
    r"co op(erative)?s?": "cooperative",
    r"coop(erative)?s?": "cooperative",
    r"cooperation": "cooperative",
    r"assoc|assn": "association",
    r"centers?|centres|ctr": "centre",
    r"dept": "department",
    r"univ": "university",
    r"servs?|services": "service",
    r"saint": "st",
}
_TRADING: Final = (
    r"(?i)\s*[(\[]?\s*\b(?:t\s*/\s*as?\b|t\.a\.|(?:trading|operating|(?:also |formerly |previously )?known)\s+as\b|"
    r"formerly\b|previously\b|a\.?k\.?a\b\.?|old\s+name\b)\s*:?\s*"
)
_MARK_WORDS: Final = (
    "branch|region|regional|district|lodge|chapter|division|area|county|group|federation|union|council|north|south|east|"
    "west|northern|southern|eastern|western|central|lower|upper|junior|ladies|womens|mens|holdings|trading|enterprises|"
    "national|international|england|scotland|wales|ireland|trust|foundation|charity|properties|housing"
)
_EMPTY: Final = ""


# ---- Names ---------------------------------------------------------------------------------------------


def plain(name: pl.Expr) -> pl.Expr:
    """Write a name in small letters without accents and punctuation, "&" and "+" as "and".

    >>> pl.select(plain(pl.lit("Café & Bär’s  C.I.C."))).item()
    'cafe and bars cic'
    """
    return (
        name.str.replace_all("ł", "l")
        .str.replace_all("Ł", "l")
        .str.replace_all("ß", "ss")
        .str.normalize("NFKD")
        .str.replace_all(r"\p{M}", "")
        .str.to_lowercase()
        .str.replace_all(r"[&+]", " and ")
        .str.replace_all(r"['’‘`´]", "")
        .str.replace_all(r"\b(\p{L})\.(?:\s?(\p{L})\.)(?:\s?(\p{L})\b\.?)?", "$1$2$3")
        .str.replace_all(r"[^\p{L}\p{N}]+", " ")
        .str.strip_chars()
    )


def without_number(name: pl.Expr) -> pl.Expr:
    """Cut off the number of a contract or a provider at the end of a name: five digits or more, or "(3.1)".

    >>> pl.select(without_number(pl.lit("YORK COLLEGE 107575"))).item()
    'YORK COLLEGE'
    >>> pl.select(without_number(pl.lit("Tenants Expo 2012"))).item()
    'Tenants Expo 2012'
    """
    return name.str.replace(r"(?:[\s\-–(]+(?:\d{5,}|\d+\.\d+)\s*\)?\s*)+$", "")


def trading_names(name: pl.Expr) -> pl.Expr:
    """List the names that one text holds: "Acme Ltd t/a The Bike Shed" has two, most have one.

    >>> pl.select(trading_names(pl.lit("Acme Ltd t/a The Bike Shed"))).item().to_list()
    ['Acme Ltd', 'The Bike Shed']
    """
    parts = name.str.replace_all(_TRADING, "\x1f").str.split("\x1f")
    tidy = parts.list.eval(pl.element().str.strip_chars(" ()[]-–,;:"))
    return tidy.list.eval(pl.element().filter(pl.element() != _EMPTY))


def legal_form(name: pl.Expr) -> pl.Expr:
    """Tell the legal form at the end of a `plain` name, a key of `LEGAL_FORMS`, or null.

    >>> pl.select(legal_form(pl.lit("mill community interest company"))).item()
    'cic'
    """
    found = pl.lit(None, dtype=pl.String)
    for form, words in reversed(list(LEGAL_FORMS.items())):
        found = pl.when(name.str.contains(rf" (?:{'|'.join(words)})$")).then(pl.lit(form)).otherwise(found)
    return found


def core(name: pl.Expr) -> pl.Expr:
    """Take a `plain` name to what tells it from others: no legal form, no "the", one spelling of common words.

    What would leave nothing ("The Limited") is left as it is.

    >>> names = pl.Series(["the mill co operative society ltd", "mill coop limited", "the limited"])
    >>> pl.select(core(pl.lit(names))).to_series().to_list()
    ['mill cooperative', 'mill cooperative', 'the limited']
    """
    words = "|".join(word for forms in LEGAL_FORMS.values() for word in forms)
    short = name.str.replace_all(r"\bthe\b", " ").str.replace_all(r"\s+", " ").str.strip_chars()
    for spelling, word in _ONE_SPELLING.items():
        short = short.str.replace_all(rf"\b(?:{spelling})\b", word)
    short = short.str.replace(rf"(?: (?:{words}))+$", "").str.replace_all(r"\band\b", " ")
    short = short.str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(short.is_in([_EMPTY, *words.split("|")])).then(name).otherwise(short)


def comparable(name: pl.Expr) -> pl.Expr:
    """Take a name as a source writes it to its `core`.

    >>> pl.select(comparable(pl.lit("YORK COLLEGE LTD. 107575"))).item()
    'york college'
    """
    return core(plain(without_number(name)))


def sorted_words(name: pl.Expr) -> pl.Expr:
    """Write the words of a `core` in order, each once, without "of", "for" and the like.

    >>> pl.select(sorted_words(pl.lit("university of york"))).item()
    'university york'
    """
    words = name.str.split(" ").list.eval(
        pl.element().filter(~pl.element().is_in(["of", "for", "in", "at", "a", "an", "de", "la"]))
    )
    return words.list.unique().list.sort().list.join(" ")


def marks(name: pl.Expr) -> pl.Expr:
    """Tell what sets a branch, a lodge or a numbered group apart from its parent and from its sisters, in a `core`.

    Two names with different marks are not taken for one organisation, however alike they are.

    >>> pl.select(marks(pl.lit("31st kensington scout group"))).item()
    '31 group'
    """
    found = name.str.extract_all(rf"\b(?:\d+|{_MARK_WORDS})(?:st|nd|rd|th)?\b")
    plainly = found.list.eval(pl.element().str.replace(r"^(\d+)(?:st|nd|rd|th)$", "$1"))
    return plainly.list.unique().list.sort().list.join(" ")


# ---- Places --------------------------------------------------------------------------------------------


def postcode(code: pl.Expr) -> pl.Expr:
    """Write a postcode in capitals without spaces, or null where there is none.

    >>> pl.select(postcode(pl.lit(" yo23 3fr"))).item()
    'YO233FR'
    """
    tidy = code.str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")
    return pl.when(tidy != _EMPTY).then(tidy)


def district(code: pl.Expr) -> pl.Expr:
    """Return the district of a tidy British `postcode` ("YO23" of "YO233FR" or of "YO23"), or the code of others.

    >>> pl.select(district(pl.lit("YO233FR"))).item()
    'YO23'
    """
    return pl.coalesce(code.str.extract(r"^([A-Z]{1,2}[0-9][A-Z0-9]?)[0-9][A-Z]{2}$"), code)


def place(name: pl.Expr) -> pl.Expr:
    """Make the name of a town comparable, or null where there is none.

    >>> pl.select(place(pl.lit("Newcastle-upon-Tyne"))).item()
    'newcastle upon tyne'
    """
    tidy = plain(name)
    return pl.when(tidy != _EMPTY).then(tidy)
