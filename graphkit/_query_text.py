"""How a `.rq` file is read: the YAML of its `#+` lines, and the shape of the SPARQL below them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any, Final

import yaml

from graphkit.errors import DataError, unknown_name
from graphkit.store.guard import bare_code

__all__ = ["NO_HEADER", "Header", "Order", "Place", "Shape", "Slot", "read_header", "read_shape"]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C, which is six times as fast, where PyYAML was built with it."""
_FORMS: Final = ("SELECT", "CONSTRUCT", "ASK", "DESCRIBE")
_HEADER_WORDS: Final = ("summary", "description", "tags", "params", "columns")
_PARAMETER_WORDS: Final = ("type", "label", "about", "class")
_PAIRS: Final = {"{": "}", "(": ")", "[": "]"}
_TOKEN: Final = re.compile(r"(?P<variable>[?$]\w+)|(?P<word>[\w:%@][\w:%.-]*)|(?P<mark>\S)")


@dataclass(frozen=True, slots=True)
class Place:
    """A text and the name by which errors call it."""

    text: str
    name: str

    def error(self, what: str, at: int = 0, *, hint: str = "") -> DataError:
        """Build the error for a fault at the character `at`, naming the file and the line."""
        return DataError(what, where=self.line(at), hint=hint)

    def line(self, at: int) -> str:
        """Return `file:line` of the character `at`."""
        return f"{self.name}:{self.text.count(chr(10), 0, at) + 1}"


@dataclass(frozen=True, slots=True)
class Header:
    """What the `#+` lines say, checked: texts are texts, and no word is unknown or said twice."""

    summary: str
    description: str
    tags: tuple[str, ...]
    params: Mapping[str, Mapping[str, str]]
    columns: Mapping[str, str]
    lines: Mapping[str, int]
    """The place, as a character of the file, of each word: "columns", "params.region"."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What stands between the braces of a block `VALUES ?name { … }`: its first character and the one after it."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Order:
    """An ORDER BY with which a query ends: its first character, and what it asks for.

    `keys` are the answered variables by which it orders, each with whether the highest comes first.
    """

    start: int
    keys: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of a query that its header and the habits of stored queries speak of."""

    form: str
    variables: tuple[str, ...]
    """The answered variables of a SELECT; none where it answers `*`."""
    slots: tuple[Slot, ...]
    star: int | None
    """Where the `*` stands, if the query answers that."""
    limit: int | None
    """Where a LIMIT or OFFSET of the whole query stands, if it has one."""
    ordered: bool
    """Whether the whole query has an ORDER BY."""
    order: Order | None
    """That ORDER BY, where it stands last and orders by nothing but answered variables."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    depth: int
    """How many braces are open around it; an opening and its closing brace count as outside."""
    inner: int
    """How many round brackets are open around it."""

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


NO_HEADER: Final = Header("", "", (), {}, {}, {})
"""What a text says that opens with no `#+` line."""

# ---- The header ------------------------------------------------------------------------------


def read_header(place: Place) -> Header:
    """Read and check the `#+` lines with which the text opens; raise `DataError` with the line of the fault."""
    lines = takewhile(lambda line: line.startswith("#+"), place.text.splitlines(keepends=True))
    text = "".join(line[2:].removeprefix(" ") for line in lines)
    root, words = _read_yaml(place, text)
    starts = [0, *(match.end() for match in re.finditer("\n", place.text))]
    places = {name: starts[row] for name, row in _rows(root, starts, place)}
    if not isinstance(words, dict):
        raise place.error("the header is not a list of words with their values", hint="write '#+ summary: …'")
    _check_known(place, words, _HEADER_WORDS, places, "")
    params = words.get("params") or {}
    return Header(
        summary=_line(place, words, "summary", places),
        description=_optional_text(place, words, "description", places).strip(),
        tags=_tags(place, words.get("tags", []), places),
        params={
            name: _parameter(place, name, params[name], places) for name in _mapping(place, params, "params", places)
        },
        columns=_columns(place, words.get("columns") or {}, places),
        lines=places,
    )


def _read_yaml(place: Place, text: str) -> tuple[yaml.Node, object]:
    """Return the header as nodes, which know their lines, and as plain words."""
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        words = loader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        row = error.problem_mark.line if error.problem_mark else 0
        at = sum(map(len, place.text.splitlines(keepends=True)[:row]))
        raise place.error(f"the header is not good YAML: {error.problem}", at) from error
    finally:
        loader.dispose()
    if root is None:
        hint = "open the file with '#+ summary: what the query answers'"
        raise place.error("the query has no header", hint=hint)
    return root, words


def _rows(root: yaml.Node, starts: Sequence[int], place: Place, above: str = "") -> Iterator[tuple[str, int]]:
    """Yield the dotted name and the row of every word of the header; refuse a word that is said twice."""
    if not isinstance(root, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in root.value:
        name, row = f"{above}{key.value}", key.start_mark.line
        if name in seen:
            raise place.error(f"the header says '{name}' twice", starts[row])
        seen.add(name)
        yield name, row
        yield from _rows(value, starts, place, f"{name}.")


def _check_known(
    place: Place, words: Mapping[str, Any], known: Sequence[str], places: Mapping[str, int], above: str
) -> None:
    for name in words:
        if name not in known:
            error = unknown_name("word of a query's header", str(name), known)
            raise place.error(error.what, places[f"{above}{name}"], hint=error.hint)


def _text(place: Place, words: Mapping[str, Any], name: str, places: Mapping[str, int], above: str = "") -> str:
    value = words.get(name)
    at = places.get(f"{above}{name}", places.get(above.rstrip("."), 0))
    if value is None or value == "":
        raise place.error(f"the header does not say '{above}{name}'", at)
    if not isinstance(value, str):
        hint = "put it in quotation marks"
        raise place.error(f"'{above}{name}' in the header is {value!r} and not a text", at, hint=hint)
    return value


def _optional_text(
    place: Place, words: Mapping[str, Any], name: str, places: Mapping[str, int], above: str = ""
) -> str:
    return _text(place, words, name, places, above) if name in words else ""


def _line(place: Place, words: Mapping[str, Any], name: str, places: Mapping[str, int]) -> str:
    text = _text(place, words, name, places).strip()
    if "\n" in text:
        raise place.error(f"'{name}' in the header takes one line", places[name], hint="tell more under 'description'")
    return text


def _tags(place: Place, tags: object, places: Mapping[str, int]) -> tuple[str, ...]:
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise place.error(
            "'tags' in the header is not a list of words", places["tags"], hint="write 'tags: [one, two]'"
        )
    return tuple(tags)


def _mapping(place: Place, value: object, name: str, places: Mapping[str, int]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise place.error(f"'{name}' in the header has no names below it", places.get(name, 0))
    return value


def _parameter(place: Place, name: str, value: object, places: Mapping[str, int]) -> Mapping[str, str]:
    above = f"params.{name}"
    words = _mapping(place, value, above, places)
    _check_known(place, words, _PARAMETER_WORDS, places, f"{above}.")
    needed = {word: _text(place, words, word, places, f"{above}.") for word in ("type", "label")}
    return needed | {word: _optional_text(place, words, word, places, f"{above}.") for word in ("about", "class")}


def _columns(place: Place, value: object, places: Mapping[str, int]) -> Mapping[str, str]:
    words = _mapping(place, value, "columns", places)
    return {str(name): _text(place, words, name, places, "columns.") for name in words}


# ---- The query -------------------------------------------------------------------------------


def read_shape(place: Place) -> Shape:
    """Find the form, the answered variables and the VALUES blocks; raise `DataError` for what is no query."""
    tokens = list(_tokens(place))
    first = next((index for index, token in enumerate(tokens) if token.word in _FORMS), None)
    if first is None:
        raise place.error(f"the query has none of {', '.join(_FORMS)}", hint="an update is not a query")
    form, rest = tokens[first].word, tokens[first + 1 :]
    outer = [token for token in rest if token.depth == 0 and token.inner == 0]
    head = list(takewhile(lambda token: token.text != "{" and token.word not in {"WHERE", "FROM"}, rest))
    variables = tuple(_variables(head)) if form == "SELECT" else ()
    return Shape(
        form,
        variables,
        tuple(_slots(place, rest)),
        star=next((token.start for token in head if token.text == "*" and token.inner == 0), None),
        limit=next((token.start for token in outer if token.word in {"LIMIT", "OFFSET"}), None),
        ordered=any(one.word == "ORDER" and two.word == "BY" for one, two in pairwise(outer)),
        order=_order(rest, variables),
    )


def _order(tokens: Sequence[_Token], variables: Sequence[str]) -> Order | None:
    """Read the ORDER BY with which a query ends, or return None where it has another or none."""
    starts = [n for n, token in enumerate(tokens) if token.word == "ORDER" and token.depth == token.inner == 0]
    if not starts:
        return None
    keys, descending = [], False
    for token in tokens[starts[-1] + 2 :]:
        if token.word in {"ASC", "DESC"} and token.inner == 0:
            descending = token.word == "DESC"
        elif token.kind == "variable" and token.text[1:] in variables and token.inner <= 1:
            keys.append((token.text[1:], descending and token.inner == 1))
        elif token.text not in {"(", ")"}:
            return None
    return Order(tokens[starts[-1]].start, tuple(keys))


def _tokens(place: Place) -> Iterator[_Token]:
    """Yield the tokens with their depth; refuse brackets and strings that are not closed."""
    open_marks: list[_Token] = []
    for match in _TOKEN.finditer(bare_code(place.text)):
        kind, text, start = str(match.lastgroup), match.group(), match.start()
        if text in {'"', "'"}:
            raise place.error("a string is not closed", start)
        if text in _PAIRS.values():
            _close(place, open_marks, text, start)
        braces = sum(mark.text == "{" for mark in open_marks)
        token = _Token(kind, text, start, braces, sum(mark.text == "(" for mark in open_marks))
        yield token
        if text in _PAIRS:
            open_marks.append(token)
    if open_marks:
        raise place.error(f"'{open_marks[-1].text}' is not closed", open_marks[-1].start)


def _close(place: Place, open_marks: list[_Token], text: str, start: int) -> None:
    if not open_marks or _PAIRS[open_marks.pop().text] != text:
        raise place.error(f"'{text}' closes nothing that is open", start)


def _variables(head: Sequence[_Token]) -> Iterator[str]:
    """Yield the answered variables, in order: those that stand alone and those that follow an AS."""
    for before, token in pairwise([*head[:1], *head]):
        if token.kind == "variable" and (token.inner == 0 or (token.inner == 1 and before.word == "AS")):
            yield token.text[1:]


def _slots(place: Place, tokens: Sequence[_Token]) -> Iterator[Slot]:
    for index, token in enumerate(tokens[:-2]):
        variable, brace = tokens[index + 1], tokens[index + 2]
        if token.word == "VALUES" and variable.kind == "variable" and brace.text == "{":
            end = next(later for later in tokens[index + 3 :] if later.text == "}")
            slot = Slot(variable.text[1:], brace.start + 1, end.start)
            if not place.text[slot.start : slot.end].strip():
                raise place.error(f"the block VALUES ?{slot.name} is empty", brace.start, hint="write UNDEF in it")
            yield slot
