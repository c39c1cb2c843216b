"""The RDF that a request brings: unpacked, cut into its documents, and looked over before the engine reads it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final
from xml.parsers import expat

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header

from graphkit.store.guard import bare_code
from webui.protocol.formats import GRAPHS, Format
from webui.protocol.problems import Refusal

__all__ = ["MOST_BYTES", "Document", "read_documents"]

MOST_BYTES: Final = 100_000_000
"""The longest body that is read, also after it is unpacked."""

_MOST_RATIO: Final = 100
_FREELY_UNPACKED: Final = 1_000_000
_MOST_DOCUMENTS: Final = 200
_MOST_NESTING: Final = 100
_MULTIPART: Final = ("multipart/form-data", "multipart/mixed")
_UTF8: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})
_UNSAID: Final = frozenset({"", "text/plain", "application/octet-stream"})
_GZIP: Final = 31
_JSON_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Document:
    """One RDF document of a request, the suffix of its format, and how errors call it."""

    data: bytes
    suffix: str
    name: str


def read_documents(*, several: bool) -> list[Document]:
    """Read the RDF documents of the present request: its body, or with `several` the parts of a multipart body.

    A body may be packed (`Content-Encoding: gzip`). Raises `Refusal`: 413 for more than `MOST_BYTES`, or for a body
    that unpacks to more than a hundred times its size; 415 for a format or packing that is not known, with the header
    Accept; 400 for what is broken, nested more than 100 deep, or not UTF-8.
    """
    kind, options = parse_options_header(request.headers.get("Content-Type", ""))
    if kind.lower() in _MULTIPART and several:
        return _parts(_body())
    form = _form(kind.lower())
    if options.get("charset", "").lower() not in _UTF8:
        raise Refusal(400, f"the character set '{options['charset']}' is not read", hint="send it as UTF-8")
    return [_looked_over(Document(_body(), form.suffix, "the body"))]


# ---- Unpacking -------------------------------------------------------------------------------


def _body() -> bytes:
    packing = request.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in {"identity", "gzip", "x-gzip"}:
        headers = (("Accept-Encoding", "gzip, identity"),)
        raise Refusal(415, f"a body packed as '{packing[:40]}' is not read", hint="use gzip or none", headers=headers)
    request.max_content_length = MOST_BYTES
    try:
        data = request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise _too_long() from error
    return data if packing == "identity" else _unpacked(data)


def _unpacked(packed: bytes) -> bytes:
    """Undo gzip, of one or several members, no further than the limits allow."""
    most = max(_FREELY_UNPACKED, min(MOST_BYTES, _MOST_RATIO * len(packed)))
    parts, size, rest = [], 0, packed
    while rest:
        member = zlib.decompressobj(_GZIP)
        try:
            parts.append(member.decompress(rest, most - size + 1))
        except zlib.error as error:
            raise Refusal(400, f"the body cannot be unpacked: {error}") from error
        size, rest = size + len(parts[-1]), member.unused_data
        if size > most:
            raise _too_long() if most == MOST_BYTES else _too_dense()
        if not member.eof:
            raise Refusal(400, "the body cannot be unpacked: it ends too early")
    return b"".join(parts)


def _too_long() -> Refusal:
    return Refusal(413, f"the body is longer than {MOST_BYTES:,} bytes", hint="send it in several parts with POST")


def _too_dense() -> Refusal:
    return Refusal(413, f"the body unpacks to more than {_MOST_RATIO} times its size", hint="send it without packing")


# ---- Parts -----------------------------------------------------------------------------------


def _parts(body: bytes) -> list[Document]:
    """Cut a multipart body (RFC 7578, also with a multipart/mixed inside) into its documents."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode("latin-1")
    try:
        message = message_from_bytes(head + body, policy=policy.HTTP)
        leaves = [part for part in message.walk() if not part.is_multipart()]
    except (RecursionError, ValueError, LookupError) as error:
        raise Refusal(400, "the parts of the body cannot be told apart") from error
    if not message.is_multipart() or len(leaves) > _MOST_DOCUMENTS:
        hint = "check the boundary in the header Content-Type"
        raise Refusal(400, f"the body is not made of 1 to {_MOST_DOCUMENTS} parts", hint=hint)
    return [_looked_over(document) for document in _documents(leaves)]


def _documents(leaves: list[EmailMessage]) -> Iterator[Document]:
    for number, part in enumerate(leaves, 1):
        data = part.get_payload(decode=True)
        name = f"part {number} of the body"
        if isinstance(data, bytes):
            yield Document(data, _form(part.get_content_type(), part.get_filename() or "").suffix, name)


def _form(kind: str, filename: str = "") -> Format:
    """Find the format by the media type, or where that says nothing by the ending of the file's name."""
    suffix = filename.rpartition(".")[2].lower() if "." in filename else ""
    for form in GRAPHS:
        if kind == form.media_type or (kind not in _UNSAID and form.is_called(kind)):
            return form
        if kind in _UNSAID and suffix and form.is_called(suffix):
            return form
    offered = ", ".join(form.media_type for form in GRAPHS)
    raise Refusal(
        415,
        f"a graph is not read as '{kind[:80]}'" if kind else "the request does not say what its body is",
        hint=f"set the header Content-Type to one of: {offered}",
        headers=(("Accept", offered), ("Accept-Post", f"{offered}, {_MULTIPART[0]}")),
    )


# ---- Looking over ----------------------------------------------------------------------------


def _looked_over(document: Document) -> Document:
    """Refuse what is not UTF-8, and nesting so deep that naming its blank nodes would take hours."""
    if document.suffix != "rdf":
        _check_text(document)
    if _depth(document) > _MOST_NESTING:
        raise Refusal(
            400,
            f"{document.name} nests more than {_MOST_NESTING} deep",
            hint="give the things inside names of their own, and state them one after the other",
        )
    return document


def _check_text(document: Document) -> None:
    try:
        document.data.decode()
    except UnicodeDecodeError as error:
        line = document.data[: error.start].count(b"\n") + 1
        raise Refusal(400, f"{document.name} is not UTF-8", where=f"{document.name}, line {line}") from error


def _depth(document: Document) -> int:
    """Return how deep brackets or elements nest, at most; those of a well-made text are counted right."""
    if document.suffix == "rdf":
        return _depth_of_elements(document.data) if document.data.count(b"<") > _MOST_NESTING else 0
    if sum(document.data.count(mark) for mark in (b"[", b"(", b"{")) <= _MOST_NESTING:
        return 0
    text = document.data.decode()
    return _depth_of_brackets(_JSON_STRING.sub("", text) if document.suffix == "jsonld" else bare_code(text))


def _depth_of_brackets(code: str) -> int:
    depth = most = 0
    for bracket in re.findall(r"[][(){}]", code):
        depth += 1 if bracket in "[({" else -1
        most = max(most, depth)
    return most


def _depth_of_elements(data: bytes) -> int:
    """Count open elements; a document type is refused in any encoding, because its entities can fill the memory."""
    depth = most = 0

    def opened(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, most
        depth += 1
        most = max(most, depth)

    def closed(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def refused(*_declared: object) -> None:
        raise Refusal(400, "RDF/XML with a DOCTYPE is not read", hint="save it as Turtle, or without the DOCTYPE")

    reader = expat.ParserCreate()
    reader.StartElementHandler, reader.EndElementHandler = opened, closed
    reader.StartDoctypeDeclHandler = refused
    try:
        reader.Parse(data, True)  # noqa: FBT003 - has no keyword
    except expat.ExpatError:
        return most
    return most
