"""Look over a SPARQL text before the engine reads it, and refuse what would call out or crash."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Final

from graphkit.errors import QueryError

__all__ = [
    "bare_code",
    "check_query",
    "check_update",
    "keyword_places",
    "names_dataset",
    "query_form",
    "without_silent_loads",
]

MOST_CHARACTERS: Final = 200_000
MOST_NESTING: Final = 100
MOST_PIECES: Final = 1_000
MOST_SIGNED_NUMBERS: Final = 3_000
MOST_PATH_STEPS: Final = 100
MOST_UPDATE_PATTERNS: Final = 200
_LONGEST_REMEMBERED: Final = 10_000

_OPAQUE: Final = re.compile(
    r'''
      """(?:[^"\\]|\\.|"(?!""))*+"""  | \'\'\'(?:[^'\\]|\\.|'(?!\'\'))*+\'\'\'
    | "(?:[^"\\\n\r]|\\.)*+"          | '(?:[^'\\\n\r]|\\.)*+'
    | <(?:[^<>"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+>
    | \#[^\n\r]*
    | \\.
    ''',
    re.VERBOSE | re.DOTALL,
)
_CODEPOINT: Final = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_HARMLESS_NAME: Final = re.compile(r"[?$]\w+|(?<=:)[\w:%-]+")
_NUMBER: Final = re.compile(r"(?<![\w?$:.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|(?<![\w.])\.\d+(?:[eE][+-]?\d+)?")
_SIGNED: Final = re.compile(r"[+-]0")
_PIECE: Final = re.compile(r"[.;{=!+*/|&^<>-]|\b(?:FILTER|BIND)\b", re.IGNORECASE)
_DATA_BLOCK: Final = re.compile(r"(?<![\w?$:.-])(?:INSERT|DELETE)\s+DATA\s*\{(?:[^{}]|\{[^{}]*+\})*+\}", re.IGNORECASE)
_TEMPLATE: Final = re.compile(r"(?<![\w?$:.-])(?:INSERT|DELETE)\s*\{(?:[^{}]|\{[^{}]*+\})*+\}", re.IGNORECASE)
_TERM_LIST: Final = re.compile(r"\bVALUES\s*(?:[?$]\w+|\([^()]*+\))\s*\{[^{}]*+\}|\bIN\s*\([^()]*+\)", re.IGNORECASE)
_BRACKETED: Final = re.compile(r"\(([^()]*+)\)")
_SEPARATOR: Final = re.compile(r"[.,;]")
_STATEMENT_END: Final = re.compile(r"[.;,{}]")
_FORM: Final = re.compile(r"(?<![\w?$:.-])(SELECT|ASK|CONSTRUCT|DESCRIBE)(?![\w:.-])", re.IGNORECASE)
_FROM: Final = re.compile(r"(?<![\w?$:.-])FROM(?![\w:.-])", re.IGNORECASE)
_NAME: Final = r"(?:[^\s;{}<>\"']*:[^\s;{}<>\"']*\s*)?"
_SILENT_LOAD: Final = re.compile(rf"(?<![\w?$:.-])LOAD\s+SILENT\s+{_NAME}(?:INTO\s+GRAPH\s*{_NAME})?\s*", re.IGNORECASE)
_NOTHING: Final = "DROP SILENT GRAPH <urn:graphkit:nothing>"
_OPENING: Final = "([{"


def check_query(sparql: str, *, services: bool = False) -> None:
    """Refuse a query that calls other servers, or is so long or so deeply nested that the engine may crash.

    Raises `QueryError`. The limits lie far above any query written by hand: 200,000 characters, 100 nested
    groups, 1,000 statements and operators, 100 steps in one path. With `services`, SERVICE is let pass, because who
    calls has already judged each address that the text names.

    >>> check_query("SELECT * { ?s ?p 'SERVICE in a text is no call' }")
    """
    if len(sparql) > MOST_CHARACTERS:
        raise _too_much(f"the query is longer than {MOST_CHARACTERS:,} characters")
    if not services:
        _refuse_word(sparql, "SERVICE")
    code = bare_code(sparql)
    _check_shape(code)
    _check_pieces(code, "query")


def check_update(sparql: str) -> None:
    """Refuse an update that fetches from other servers, or whose patterns are so deep or long that the engine hangs.

    Raises `QueryError`. The limits are those of queries; only what INSERT DATA and DELETE DATA hold may be of any
    length. Since nothing can stop an update once it runs, its patterns are held to 200 statements and list members
    (planning as many takes the engine 5 seconds, and 9,000 end the process); templates, VALUES blocks and IN lists
    do not count.

    >>> check_update("INSERT DATA { <urn:a> <urn:load> 1 }")
    """
    _refuse_word(sparql, "SERVICE")
    _refuse_word(sparql, "LOAD")
    code = bare_code(sparql)
    _check_shape(code)
    _check_pieces(_DATA_BLOCK.sub(" ", code), "update")
    _check_patterns(_shown_terms(sparql))


def query_form(sparql: str) -> str:
    r"""Tell whether a query is a SELECT, ASK, CONSTRUCT or DESCRIBE; an empty word if it is none.

    >>> query_form("PREFIX select: <urn:x#> # SELECT\nask { ?s ?p ?o }")
    'ASK'
    """
    found = _FORM.search(bare_code(sparql))
    return found[1].upper() if found else ""


def names_dataset(sparql: str) -> bool:
    """Tell whether a query names its own graphs with FROM or FROM NAMED."""
    return "FROM" in sparql.upper() and _FROM.search(bare_code(sparql)) is not None


def bare_code(sparql: str) -> str:
    """Blank out strings, IRIs, comments and escapes, keeping every other character where it was."""
    return _blanked(sparql) if len(sparql) > _LONGEST_REMEMBERED else _last_blanked(sparql)


def _blanked(sparql: str) -> str:
    return _OPAQUE.sub(lambda found: " " * len(found[0]), sparql)


_last_blanked = lru_cache(maxsize=32)(_blanked)
"""Each query is looked at several times in a row."""


def keyword_places(sparql: str, word: str) -> list[int]:
    """Return where a word stands outside strings, IRIs, comments and names, in whatever case.

    Whether a doubtful token is a string or an IRI only the grammar knows: `check_query` must see what is left.

    >>> keyword_places("SELECT ?service { SERVICE <urn:service> {} }", "SERVICE")
    [18]
    """
    code = _HARMLESS_NAME.sub(lambda found: " " * len(found[0]), bare_code(sparql))
    return [found.start() for found in re.finditer(word, code, re.IGNORECASE)]


def without_silent_loads(sparql: str) -> str:
    """Put an act that does nothing in the place of each LOAD SILENT, which may fail without a word and always would.

    What is left of LOAD is for `check_update` to refuse.

    >>> without_silent_loads("LOAD SILENT <http://example.org/> INTO GRAPH <urn:g> ; CLEAR DEFAULT")
    'DROP SILENT GRAPH <urn:graphkit:nothing> ; CLEAR DEFAULT'
    """
    code = bare_code(sparql)
    for found in reversed(list(_SILENT_LOAD.finditer(code))):
        rest = sparql[found.end() :]
        sparql = f"{sparql[: found.start()]}{_NOTHING}{' ' if rest else ''}{rest}"
    return sparql


def _refuse_word(sparql: str, word: str) -> None:
    """Refuse `word` wherever any reader of SPARQL could take it for a keyword."""
    lower = word.lower()
    texts = {sparql}
    if "\\" in sparql:
        texts.add(_CODEPOINT.sub(lambda hit: _character(hit[1] or hit[2]), sparql))
    if any(lower in text.lower() and _may_be_keyword(text, lower) for text in texts):
        raise QueryError(
            f"{word} is not allowed: a query may not make the store contact other servers",
            hint=f"load the data into the store first; if '{lower}' is only part of a name, write that name "
            "as a full <https://…> address",
        )


def _may_be_keyword(text: str, lower: str) -> bool:
    """Tell whether the word stands outside strings, IRIs, comments and names.

    Whether `<a:b#>` is an IRI or a comparison followed by a comment depends on the grammar around it, so a
    text that holds both the word and such a doubtful IRI counts as a hit.
    """
    if any(_is_doubtful(found[0]) for found in _OPAQUE.finditer(text)):
        return True
    return lower in _HARMLESS_NAME.sub(" ", bare_code(text)).lower()


def _is_doubtful(token: str) -> bool:
    return token.startswith("<") and ("#" in token or "'" in token) and "://" not in token.partition("#")[0]


def _character(digits: str) -> str:
    """Return the character that an escape names, or a blank where no such character exists."""
    code = int(digits, 16)
    return chr(code) if code <= sys.maxunicode else " "


def _check_shape(code: str) -> None:
    if sum(map(code.count, _OPENING)) > MOST_NESTING:
        _check_depth(code)
    if code.count("/") > MOST_PATH_STEPS and any(
        part.count("/") > MOST_PATH_STEPS for part in _STATEMENT_END.split(code)
    ):
        raise _too_much(f"the query has a path of more than {MOST_PATH_STEPS} steps")


def _check_depth(code: str) -> None:
    depth = 0
    for bracket in re.findall(r"[][(){}]", code):
        depth += 1 if bracket in _OPENING else -1
        if depth > MOST_NESTING:
            raise _too_much(f"the query nests groups more than {MOST_NESTING} deep")


def _check_pieces(code: str, act: str) -> None:
    if len(code) <= MOST_PIECES:
        return  # each piece is a character at least
    counted = _NUMBER.sub("0", code)
    signed = len(_SIGNED.findall(counted))
    if signed > MOST_SIGNED_NUMBERS or len(_PIECE.findall(counted)) - signed > MOST_PIECES:
        raise _too_much(f"the {act} has more than {MOST_PIECES:,} statements and operators")


def _shown_terms(sparql: str) -> str:
    """Return the code with a letter in the place of each string and IRI, so that terms can be counted."""
    return _OPAQUE.sub(lambda found: " " if found[0].startswith("#") else " x ", sparql)


def _check_patterns(code: str) -> None:
    """Count what an update looks for: its statements, and the members of lists, which are two statements each."""
    patterns = _NUMBER.sub("0", _TERM_LIST.sub(" ", _TEMPLATE.sub(" ", _DATA_BLOCK.sub(" ", code))))
    members = sum(len(found[1].split()) for found in _BRACKETED.finditer(patterns))
    if len(_SEPARATOR.findall(patterns)) + members > MOST_UPDATE_PATTERNS:
        raise _too_much(f"the update looks for more than {MOST_UPDATE_PATTERNS} statements")


def _too_much(what: str) -> QueryError:
    return QueryError(what, hint="split it into smaller queries, or give long lists of terms in a VALUES block")
