"""Packed answers: who gets them, that they unpack to the same, and what becomes of the headers."""

from __future__ import annotations

import gzip

import pytest

from webui.serving.packing import packed

PAGE = [("content-type", "text/html; charset=utf-8"), ("content-length", "4000"), ("etag", '"abc"'), ("vary", "Accept")]
BODY = b"word" * 1000


def test_a_page_is_packed_for_who_accepts_it() -> None:
    """The bytes unpack to the same; length, encoding, entity tag and Vary are those of the packed answer."""
    headers, body = packed(PAGE, BODY, "br, gzip;q=0.5")
    told = dict(headers)
    assert gzip.decompress(body) == BODY
    assert told["content-length"] == str(len(body))
    assert told["content-encoding"] == "gzip"
    assert told["etag"] == 'W/"abc"'
    assert told["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity, *;q=0", "gzip;q=much"])
def test_who_does_not_accept_it_gets_the_page_as_it_is(accepted: str) -> None:
    """Only Vary is added, for the caches between."""
    headers, body = packed(PAGE, BODY, accepted)
    assert body == BODY
    assert dict(headers) == {**dict(PAGE), "vary": "Accept, Accept-Encoding"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([("content-type", "image/png")], BODY),
        ([("content-type", "application/gzip")], BODY),
        ([], BODY),
    ],
)
def test_what_would_not_get_shorter_is_left_alone(headers: list[tuple[str, str]], body: bytes) -> None:
    """Pictures, archives and what has no type."""
    assert packed(headers, body, "gzip") == (headers, body)


def test_short_and_packed_answers_are_not_packed() -> None:
    """Below a thousand bytes it is not worth it; what is packed already stays."""
    assert packed(PAGE, b"short", "gzip")[1] == b"short"
    assert packed([*PAGE, ("content-encoding", "br")], BODY, "gzip")[1] == BODY


@pytest.mark.parametrize(
    "kind", ["application/sparql-results+json", "application/rdf+xml", "text/turtle", "application/n-triples"]
)
def test_data_is_packed_too(kind: str) -> None:
    """Results and graphs are long texts."""
    assert gzip.decompress(packed([("content-type", kind)], BODY, "*")[1]) == BODY
