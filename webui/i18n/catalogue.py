"""Catalogues of translations: the .po files of a language, read as they stand."""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from graphkit.errors import DataError

__all__ = ["LANGUAGES", "SOURCE", "Catalogue", "Entry", "browser_words", "catalogue", "entries", "locales_folder"]

SOURCE: Final = "en"
"""The language in which the pages are written."""

LANGUAGES: Final[Mapping[str, str]] = {SOURCE: "English", "fr": "Français"}
"""The languages of the pages by code, each under its own name."""

_BROWSER: Final = "browser"
_LINE: Final = re.compile(r'(?:(msgid_plural|msgid|msgstr)(?:\[(\d)\])?\s+)?(".*")')
_RULE: Final = re.compile(r"plural=([^;\n]+)")
_NOT_ENGLISH: Final = "n != 1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One text and its translations: one, or one for each plural form. `line` is where it begins in its file."""

    one: str
    many: str
    translations: tuple[str, ...]
    line: int


class Catalogue(gettext.NullTranslations):
    """The words of one language; a text that it does not have is given as it stands."""

    def __init__(self, words: Mapping[str, tuple[str, ...]], rule: str = _NOT_ENGLISH) -> None:
        super().__init__()
        self.words = words
        self.rule = rule
        self._place = gettext.c2py(rule)

    def gettext(self, message: str) -> str:
        """Return a text in this language."""
        found = self.words.get(message)
        return found[0] if found else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the form of a text that belongs to a number."""
        found = self.words.get(msgid1)
        return found[self._place(n)] if found and len(found) > 1 else (msgid1 if n == 1 else msgid2)


def locales_folder() -> Path:
    """Return the folder that holds a folder of .po files for each language but the first."""
    return Path(__file__).resolve().parent.parent / "locales"


@lru_cache(maxsize=8)
def catalogue(language: str) -> Catalogue:
    """Return the words of a language of `LANGUAGES`, all its files together; those of the first are the texts.

    Raises `DataError` that names file and line for a file that cannot be read, or for two files that translate a text
    in two ways.
    """
    return _read(language, lambda _: True)


@lru_cache(maxsize=8)
def browser_words(language: str) -> Catalogue:
    """Return the words of a language that the scripts use: the files whose name begins with "browser"."""
    return _read(language, lambda name: name.startswith(_BROWSER))


def _read(language: str, wanted: object) -> Catalogue:
    words: dict[str, tuple[str, ...]] = {}
    rule = _NOT_ENGLISH
    for path in sorted((locales_folder() / language).glob("*.po")):
        if not callable(wanted) or not wanted(path.stem):
            continue
        for entry in entries(path):
            if not entry.one:
                found = _RULE.search(entry.translations[0])
                rule = found[1].strip() if found else rule
            elif all(entry.translations):
                _add(words, entry, path)
    return Catalogue(words, rule)


def _add(words: dict[str, tuple[str, ...]], entry: Entry, path: Path) -> None:
    before = words.setdefault(entry.one, entry.translations)
    if before == entry.translations:
        return
    if len(before) == len(entry.translations):
        raise DataError(
            f"'{entry.one}' is translated in two ways: '{before[0]}' and '{entry.translations[0]}'",
            where=f"{path}:{entry.line}",
            hint="keep one of the two, in one file",
        )
    words[entry.one] = max(before, entry.translations, key=len)


def entries(path: Path) -> Iterator[Entry]:
    """Read a .po file, the header as an entry with an empty text; raises `DataError` for a line that is no part of it.

    Comments are left out, and so are entries that are marked as fuzzy or have been taken out of use ("#~").
    """
    fields: dict[str, str] = {}
    current, start, fuzzy = "", 1, False
    for number, line in enumerate([*path.read_text("utf-8").splitlines(), ""], 1):
        text = line.strip()
        if text.startswith("#,"):
            fuzzy = "fuzzy" in text
        if text.startswith("#"):
            continue
        if not text:
            if fields and not fuzzy:
                yield _entry(fields, start)
            fields, current, fuzzy = {}, "", fuzzy and not fields
            continue
        keyword, value = _parsed(text, path, number)
        if keyword == "msgid" and not fields:
            start = number
        current = keyword or current
        fields[current] = fields.get(current, "") + value


def _parsed(text: str, path: Path, number: int) -> tuple[str, str]:
    found = _LINE.fullmatch(text)
    if found is None:
        hint = 'a line is msgid "…", msgid_plural "…", msgstr "…", msgstr[0] "…" or "…"'
        raise DataError("a line of a catalogue cannot be read", where=f"{path}:{number}", hint=hint)
    keyword = f"{found[1]}[{found[2]}]" if found[2] else found[1] or ""
    try:
        return keyword, str(json.loads(found[3]))
    except ValueError as error:
        hint = 'a quotation mark within the text is written \\", a backslash \\\\'
        raise DataError("a text of a catalogue cannot be read", where=f"{path}:{number}", hint=hint) from error


def _entry(fields: Mapping[str, str], line: int) -> Entry:
    plurals = tuple(value for name, value in sorted(fields.items()) if name.startswith("msgstr["))
    return Entry(fields.get("msgid", ""), fields.get("msgid_plural", ""), plurals or (fields.get("msgstr", ""),), line)
