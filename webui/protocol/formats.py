"""The forms in which an answer can leave, and the choice among them by what a client says it accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from werkzeug.exceptions import NotAcceptable
from werkzeug.http import parse_options_header

__all__ = ["GRAPHS", "HTML", "QUADS", "RESULTS", "Format", "best_quality", "negotiate"]

_LONGEST_HEADER: Final = 8_000


@dataclass(frozen=True, slots=True)
class Format:
    """A form of data: the suffix of its files, its media type, and other names under which clients ask for it.

    Among the `names` are media types that clients use for it beside its own (`application/json` for the JSON of
    SPARQL results) and further suffixes.
    """

    suffix: str
    media_type: str
    names: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """The value of the header Content-Type: texts name their character set."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type

    def is_called(self, name: str) -> bool:
        """Tell whether `name`, in small letters, is its suffix, its media type or one of its other names."""
        return name in {self.suffix, self.media_type, *self.names}


HTML: Final = Format("html", "text/html", ("application/xhtml+xml",))
"""The page for people."""

RESULTS: Final = (
    Format("json", "application/sparql-results+json", ("application/json", "text/json", "srj")),
    Format("xml", "application/sparql-results+xml", ("application/xml", "text/xml", "srx")),
    Format("csv", "text/csv"),
    Format("tsv", "text/tab-separated-values", ("text/plain", "txt")),
)
"""The forms of the answer to a SELECT or ASK query, the one preferred first."""

GRAPHS: Final = (
    Format("ttl", "text/turtle", ("application/x-turtle", "application/turtle", "turtle")),
    Format("nt", "application/n-triples", ("text/plain", "ntriples", "txt")),
    Format("rdf", "application/rdf+xml", ("application/xml", "text/xml", "rdfxml", "xml")),
    Format("jsonld", "application/ld+json", ("application/json", "json-ld", "json")),
)
"""The forms of one graph, the one preferred first."""

QUADS: Final = (
    Format("trig", "application/trig", ("application/x-trig",)),
    Format("nq", "application/n-quads", ("text/x-nquads", "nquads")),
)
"""The forms that can hold several graphs with their names."""


@dataclass(frozen=True, slots=True)
class _Range:
    """One part of an Accept header; `place` counts from the first."""

    name: str
    quality: float
    place: int

    @property
    def closeness(self) -> int:
        """How closely it says what is wanted: 2 for a media type, 1 for `text/*`, 0 for `*/*`."""
        return 0 if self.name == "*/*" else 1 if self.name.endswith("/*") else 2

    def covers(self, media_type: str) -> bool:
        return self.name in {media_type, "*/*"} or self.name == media_type.partition("/")[0] + "/*"


def negotiate(accept_header: str, offered: Sequence[Format], *, asked: str = "") -> Format:
    """Choose one of the formats on offer by the header Accept (RFC 9110, section 12.5.1).

    `asked` is the value of `?format=`: a suffix or a media type, which wins over the header. The closest range
    decides for each format; parameters such as a charset or a profile are ignored. Among equally wanted formats
    one named outright comes before one met by a wildcard, then the header's order decides, then that of
    `offered`. A client that names a format by another media type gets that as its `media_type`. Raises
    `NotAcceptable` with the list of what there is.

    >>> negotiate("text/csv;q=0.5, application/json", RESULTS).media_type
    'application/json'
    >>> negotiate("*/*", RESULTS, asked="tsv").suffix
    'tsv'
    """
    if asked:
        return _asked(asked, offered)
    ranges = _ranges(accept_header)
    if not ranges:
        return offered[0]
    fits = [
        ((*_rank(name, ranges), -place), replace(form, media_type=name))
        for place, form in enumerate(offered)
        for name in _media_types(form, ranges)
    ]
    best = max(fits, key=lambda fit: fit[0], default=None)
    if best is None or not best[0][0]:
        raise _none_of(offered)
    return best[1]


def best_quality(accept_header: str, form: Format) -> float:
    """Tell how much a client wants a format that it names outright: 0 where it does not, 1 at most.

    >>> best_quality("text/html;q=0.9, */*", HTML), best_quality("*/*", HTML)
    (0.9, 0.0)
    """
    named = [each.quality for each in _ranges(accept_header) if form.is_called(each.name)]
    return max(named, default=0.0)


def _asked(asked: str, offered: Sequence[Format]) -> Format:
    """Find a format by the name in `?format=`; a `+` of a media type arrives as a blank where it was not escaped."""
    name = asked.partition(";")[0].strip().lower().removeprefix(".").replace(" ", "+")
    for exact in (True, False):
        for form in offered:
            if name in {form.suffix, form.media_type} or (not exact and form.is_called(name)):
                return form
    raise _none_of(offered)


def _media_types(form: Format, ranges: Sequence[_Range]) -> Iterator[str]:
    """Give its own media type, and of its other names those that the client says in full."""
    yield form.media_type
    yield from (name for name in form.names if any(each.name == name for each in ranges))


def _rank(media_type: str, ranges: Sequence[_Range]) -> tuple[float, int, int]:
    """Return quality, closeness and place of the closest range, the later the better."""
    fits = [each for each in ranges if each.covers(media_type)]
    closest = max(fits, key=lambda each: (each.closeness, -each.place), default=None)
    return (closest.quality, closest.closeness, -closest.place) if closest else (0.0, 0, 0)


def _ranges(header: str) -> list[_Range]:
    """Read an Accept header; what is no media range is passed over, as if it were not there."""
    found = []
    for place, part in enumerate(_parts(header[:_LONGEST_HEADER])):
        name, options = parse_options_header(part)
        quality = _quality(options.get("q", "1"))
        if "/" in name and quality is not None:
            found.append(_Range(name.strip().lower(), quality, place))
    return found


def _parts(header: str) -> Iterator[str]:
    """Cut at the commas outside quotes."""
    part, quoted, escaped = "", False, False
    for sign in header:
        if sign == "," and not quoted:
            yield part
            part = ""
            continue
        if sign == '"' and not escaped:
            quoted = not quoted
        escaped = sign == "\\" and quoted and not escaped
        part += sign
    yield part


def _quality(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _none_of(offered: Sequence[Format]) -> NotAcceptable:
    names = ", ".join(f"{form.media_type} (?format={form.suffix})" for form in offered)
    return NotAcceptable(f"The answer can be given in none of the formats asked for. There are: {names}.")
