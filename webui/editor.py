"""What the SPARQL editor asks of the server: the graph's terms for completion, and the names of things in an answer."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Final

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import BadRequest

from graphkit.errors import GraphkitError
from graphkit.store.pool.reader_pool import Question, ReaderPool
from graphkit.terms import PREFIXES
from webui.links import href, names_of
from webui.state import pool, store

__all__ = ["Term", "Terms", "blueprint", "read_terms"]

blueprint = Blueprint("editor", __name__)

_MOST_TERMS: Final = 5_000
_MOST_NAMES: Final = 500
_LONGEST_IRI: Final = 2_000
_LONGEST_TEXT: Final = 300
_NOT_IN_IRI: Final = frozenset('<>"{}|^`\\')
_MOST_BYTES: Final = 1_100_000
_SECONDS: Final = 60.0
_KEPT: Final = "graphkit.editor"
_LOCK: Final = threading.Lock()
_log = logging.getLogger(__name__)

_TERMS: Final = """
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?term ?role ?count ?label ?definition
WHERE {
  { { SELECT ?term (COUNT(*) AS ?count) WHERE { ?thing a ?term } GROUP BY ?term } BIND("class" AS ?role) }
  UNION { { SELECT ?term (COUNT(*) AS ?count) WHERE { ?thing ?term ?value } GROUP BY ?term } BIND("property" AS ?role) }
  UNION { ?term a owl:Class BIND("class" AS ?role) BIND(0 AS ?count) }
  UNION {
    VALUES ?kind { owl:ObjectProperty owl:DatatypeProperty }
    ?term a ?kind BIND("property" AS ?role) BIND(0 AS ?count)
  }
  UNION { { SELECT DISTINCT ?term WHERE { ?term a skos:Concept } } BIND("concept" AS ?role) BIND(0 AS ?count) }
  FILTER(ISIRI(?term))
  OPTIONAL { ?term rdfs:label ?label FILTER(LANG(?label) = "" || LANGMATCHES(LANG(?label), "en")) }
  OPTIONAL { ?term skos:definition ?definition FILTER(LANG(?definition) = "" || LANGMATCHES(LANG(?definition), "en")) }
}
ORDER BY ?role DESC(?count) ?term ?label ?definition
"""


@dataclass(frozen=True, slots=True)
class Term:
    """A class, property or concept that the graph uses or declares; `count` says how often it is used."""

    iri: str
    role: str
    count: int
    label: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the editor completes: prefixes and terms of one version; `whole` is False where terms had to be left out."""

    prefixes: Mapping[str, str]
    terms: tuple[Term, ...]
    whole: bool

    def as_json(self) -> bytes:
        """Return the same as JSON, with the prefixes in their order."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class _Kept:
    """The answer for one version, ready to be sent; it is good until a time of the monotonic clock."""

    key: str
    data: bytes
    etag: str
    until: float


def read_terms(readers: ReaderPool) -> Terms:
    """Return the terms of the newest version, the most used of each role first.

    The question is bound by the limits of `readers`, as anybody's. Where it goes beyond them, only the prefixes are
    there and `whole` is False; at most 5,000 rows are taken.
    """
    try:
        answer = readers.ask(Question(_TERMS, "application/sparql-results+json", client="editor"))
    except GraphkitError as error:
        _log.warning("the editor gets no terms to complete: %s", error)
        return Terms(PREFIXES, (), whole=False)
    rows = json.loads(b"".join(answer.chunks()))["results"]["bindings"]
    return Terms(PREFIXES, _merged(rows[:_MOST_TERMS]), whole=len(rows) <= _MOST_TERMS and not answer.cut)


def _merged(rows: Iterable[Mapping[str, Mapping[str, str]]]) -> tuple[Term, ...]:
    """Return one term for each IRI and role, with its highest count and its first label and definition."""
    found: dict[tuple[str, str], Term] = {}
    for row in rows:
        text = {name: term["value"] for name, term in row.items()}
        term = found.setdefault((text["term"], text["role"]), Term(text["term"], text["role"], int(text["count"])))
        found[term.iri, term.role] = replace(
            term,
            label=term.label or text.get("label", "")[:_LONGEST_TEXT],
            definition=term.definition or text.get("definition", "")[:_LONGEST_TEXT],
        )
    return tuple(found.values())


@blueprint.get("/sparql/terms.json")
def terms() -> Response:
    """Give the prefixes and terms that the editor completes; an ETag and one answer for each version."""
    kept = _kept()
    response = Response(kept.data, mimetype="application/json")
    response.set_etag(kept.etag)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


def _kept() -> _Kept:
    """Return the terms of the newest version, read once; of a store without versions, read once a minute.

    Where they could not be read, the next try is a minute later, so that the question does not become a burden.
    """
    version = store().version
    key = version.hash if version else ""
    with _LOCK:
        kept: _Kept | None = current_app.extensions.get(_KEPT)
        if kept is None or kept.key != key or kept.until < time.monotonic():
            found = read_terms(pool())
            data = found.as_json()
            lasting = key and found.terms
            until = float("inf") if lasting else time.monotonic() + _SECONDS
            kept = _Kept(key, data, sha256(data).hexdigest()[:32], until)
            current_app.extensions[_KEPT] = kept
        return kept


@blueprint.post("/sparql/names")
def names() -> Response:
    """Give name and page address of the things in a JSON list of IRIs, at most 500 of them: {iri: {label, href}}.

    What has no name has an empty label; what is no address of the web has an empty href. It changes nothing; it is a
    POST because the list is long. Raises 400 where the body is not such a list, 413 where it is too long to be read.
    """
    request.max_content_length = _MOST_BYTES
    iris = _iris(request.get_json(silent=True))
    found = _names(iris)
    data = {iri: {"label": found.get(iri, ""), "href": href(iri)} for iri in iris}
    return Response(json.dumps(data, ensure_ascii=False), mimetype="application/json")


def _names(iris: list[str]) -> dict[str, str]:
    """Return the names of those that have one; of none where an IRI is so broken that the engine cannot read it."""
    try:
        return names_of(store(), filter(_is_plain, iris))
    except GraphkitError as error:
        _log.info("names were asked of what is no IRI: %s", error)
        return {}


def _iris(body: Any) -> list[str]:  # noqa: ANN401 - whatever a client sends
    if not isinstance(body, list) or not all(isinstance(iri, str) for iri in body):
        raise BadRequest("Send a JSON list of IRIs.")
    if len(body) > _MOST_NAMES or any(len(iri) > _LONGEST_IRI for iri in body):
        raise BadRequest(f"Send at most {_MOST_NAMES} IRIs of at most {_LONGEST_IRI:,} letters at once.")
    return list(dict.fromkeys(body))


def _is_plain(iri: str) -> bool:
    """Tell whether an IRI can be written between angle brackets as it is."""
    return iri.isprintable() and " " not in iri and not _NOT_IN_IRI.intersection(iri)
