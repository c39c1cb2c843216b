"""From IRIs of things, concepts and graphs to the addresses of the documents about them, and back."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from flask import request, url_for

from graphkit.terms import GRAPH, ID, PREFIXES, SOL
from webui.protocol.formats import GRAPHS, HTML, QUADS, Format

__all__ = ["FORMS", "ONTOLOGY", "VOCABULARY", "address_of", "document_address", "split_suffix", "values_address"]

FORMS: Final = (HTML, *GRAPHS, *QUADS)
"""The forms of a document, the one preferred first."""
VOCABULARY: Final = PREFIXES["voc"]
ONTOLOGY: Final = SOL.removesuffix("#")

_SAFE: Final = "/:@!$&'()*+,;=-._~"
_BY_SUFFIX: Final = {form.suffix: form for form in FORMS}


def address_of(iri: str) -> str:
    """Return the address on this service of the page about `iri`, empty for what is not ours.

    It is that of the document and not of the thing itself, which would only send on to it.
    """
    root = request.script_root
    if iri.startswith(ID):
        return f"{root}/doc/{_quoted(iri.removeprefix(ID))}"
    if iri.startswith(VOCABULARY) and iri != VOCABULARY:
        local = iri.removeprefix(VOCABULARY)
        return f"{root}/vocabulary/{_quoted(local)}" + (".html" if "/" in local else "")
    if iri.startswith(GRAPH):
        return f"{root}/graph/{_quoted(iri.removeprefix(GRAPH))}"
    if iri.startswith(SOL) and iri != SOL:
        return f"{root}/ns/{_quoted(iri.removeprefix(SOL))}"
    return f"{root}/ns" if iri.partition("#")[0] == ONTOLOGY else ""


def document_address(kind: str, path: str, suffix: str = "", search: str = "") -> str:
    """Return the address of a document; `kind` is doc, ns or vocabulary, `search` is what stands after a `?`."""
    ending = f".{suffix}" if suffix else ""
    slash = "/" if path else ""
    return f"{request.script_root}/{kind}{slash}{_quoted(path)}{ending}" + (f"?{search}" if search else "")


def split_suffix(path: str) -> tuple[str, Format | None]:
    """Cut the suffix of a format from a path; a path without one comes back whole.

    >>> split_suffix("organisation/bakery.ttl")[0], split_suffix("organisation/no.10")
    ('organisation/bakery', ('organisation/no.10', None))
    """
    stem, dot, suffix = path.rpartition(".")
    form = _BY_SUFFIX.get(suffix) if dot and stem else None
    return (stem, form) if form else (path, None)


def values_address(iri: str, relation: str, direction: str, page: int = 1) -> str:
    """Return the address of one page of the values of one relation of a thing."""
    values = {"relation": relation, "direction": direction} | ({"page": str(page)} if page > 1 else {})
    return f"{url_for('linked.values')}?{urlencode({'thing': iri} | values)}"


def _quoted(path: str) -> str:
    return quote(path, safe=_SAFE)
