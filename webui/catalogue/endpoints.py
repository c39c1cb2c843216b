"""What the service offers to programs beside its stored queries: each address with what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from webui.protocol.formats import GRAPHS, RESULTS

__all__ = ["FIXED", "PROBLEM", "TAGS", "Endpoint", "Input", "Output"]

_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_NUMBER: Final[Mapping[str, Any]] = {"type": "integer", "minimum": 1}
_OBJECT: Final[Mapping[str, Any]] = {"type": "object"}
_MAYBE_TEXT: Final[Mapping[str, Any]] = {"type": ["string", "null"]}

PROBLEM: Final = "application/problem+json"
"""The media type of errors for programs (RFC 9457)."""

TAGS: Final[Mapping[str, str]] = {
    "SPARQL": "The SPARQL 1.1 protocols: query, update, and the graph store.",
    "Linked data": "Each thing under its own address, as a page and as RDF.",
    "Search": "Finding things by any of their names.",
    "Saved queries": "Short links to queries that visitors wrote.",
    "Service": "The state of the service, for monitors and scripts.",
    "Stored queries": "Each figure of the pages is the answer of one of them. Parameters may be left out or repeated.",
}
"""The groups of endpoints, and what each is for."""


@dataclass(frozen=True, slots=True)
class Input:
    """Something that a request says: in its path, its query or a header. `example` is a value that works."""

    name: str
    about: str
    schema: Mapping[str, Any]
    where: str = "query"
    required: bool = False
    example: Any = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """One way a request ends: its status, what that means, and the schema of each media type it can have."""

    status: int
    about: str
    media: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method on a path: `id` is its name for programs, `body` the schema of each media type that it takes."""

    method: str
    path: str
    id: str
    tag: str
    summary: str
    about: str = ""
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    body: Mapping[str, Mapping[str, Any]] | None = None
    guarded: bool = False
    """Whether it needs the token of the service."""


def _as_text(*formats: str) -> dict[str, Mapping[str, Any]]:
    return dict.fromkeys(formats, _TEXT)


_RESULT_TYPES: Final = {
    form.media_type: {"$ref": "#/components/schemas/SparqlResults"} if form.suffix == "json" else _TEXT
    for form in RESULTS
}
_GRAPH_TYPES: Final = {form.media_type: _OBJECT if form.suffix == "jsonld" else _TEXT for form in GRAPHS}
_GRAPH_BODIES: Final = _as_text(*(form.media_type for form in GRAPHS))
_ASK: Final = "ASK { ?s ?p ?o }"
_VERSION: Final = Input("version", "Answer on this version of the graph instead of the newest.", _NUMBER)
_FORMAT: Final = Input("format", "The format, by suffix or media type; wins over the header Accept.", _TEXT)
_DATASET: Final = (
    Input("default-graph-uri", "A graph whose statements the query sees.", _TEXT, repeated=True),
    Input("named-graph-uri", "A graph that the query can name with GRAPH.", _TEXT, repeated=True),
)
_GRAPH: Final = (
    Input("graph", "The IRI of a named graph.", _TEXT),
    Input("default", "Present without a value: the default graph.", {"type": "string", "const": ""}, example=""),
)
_DONE: Final = Output(204, "Done; a version was made.", {})
_READ: Final = Output(200, "The graph.", _GRAPH_TYPES)
_HIT: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["iri", "label", "kind", "href"],
        "properties": {name: {"type": "string"} for name in ("iri", "label", "kind", "href")},
    },
}
_HEALTH: Final = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "string"},
        "version": {"type": ["integer", "null"]},
        "hash": _MAYBE_TEXT,
    },
}
_VERSIONS: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["number", "time", "hash"],
        "properties": {
            "number": {"type": "integer"},
            "time": {"type": "string", "format": "date-time"},
            "who": _TEXT,
            "why": _TEXT,
            "quads": {"type": "integer"},
            "graphs": {"type": "integer"},
            "hash": _TEXT,
            "address": {"type": "string", "format": "uri"},
        },
    },
}
_SAVED: Final = {
    "type": "object",
    "required": ["id", "href"],
    "properties": {"id": _TEXT, "href": {"type": "string", "format": "uri"}, "title": _TEXT},
}

_SPARQL: Final = (
    Endpoint(
        "get", "/sparql", "query", "SPARQL", "Ask a SPARQL 1.1 query",
        "The query operation of the SPARQL 1.1 Protocol. Without a query: the description of the service, as RDF.",
        (
            Input("query", "The text of the query.", _TEXT, example=_ASK), *_DATASET, _FORMAT, _VERSION,
            Input("timeout", "Seconds after which to give up; can only lower the service's own limit.",
                  {"type": "number", "exclusiveMinimum": 0}),
            Input("rows", "The most rows; can only lower the service's own limit.", _NUMBER),
            Input("Query-Id", "A UUID, by which the query can be ended.", {"type": "string"}, "header"),
        ),
        (Output(200, "The answer: a result for SELECT and ASK, a graph for CONSTRUCT and DESCRIBE.",
                _RESULT_TYPES | _GRAPH_TYPES),),
    ),
    Endpoint(
        "post", "/sparql", "query_by_post", "SPARQL", "Ask a long SPARQL 1.1 query", "",
        (*_DATASET, _FORMAT, _VERSION),
        (Output(200, "The answer, as for GET.", _RESULT_TYPES | _GRAPH_TYPES),),
        {
            "application/sparql-query": _TEXT,
            "application/x-www-form-urlencoded": {
                "type": "object", "required": ["query"], "properties": {"query": _TEXT},
            },
        },
    ),
    Endpoint(
        "post", "/sparql/update", "update", "SPARQL", "Change the graph by a SPARQL 1.1 update",
        "All operations are done together or not at all, and make one version.",
        (
            Input("using-graph-uri", "As USING in the update.", _TEXT, repeated=True),
            Input("using-named-graph-uri", "As USING NAMED in the update.", _TEXT, repeated=True),
        ),
        (_DONE, Output(422, "What would be written breaks a shape.", {})),
        {
            "application/sparql-update": _TEXT,
            "application/x-www-form-urlencoded": {
                "type": "object", "required": ["update"], "properties": {"update": _TEXT},
            },
        },
        guarded=True,
    ),
    Endpoint("delete", "/sparql/queries/{id}", "end_query", "SPARQL", "End a query that runs",
             "The id is that of the header Query-Id.", (Input("id", "The id.", _TEXT, "path", required=True),),
             (Output(204, "It was ended.", {}),)),
    Endpoint("get", "/store", "read_graph", "SPARQL", "Read one graph",
             "The SPARQL 1.1 Graph Store Protocol, with indirect identification.", (*_GRAPH, _FORMAT), (_READ,)),
    Endpoint("put", "/store", "replace_graph", "SPARQL", "Replace one graph", "", _GRAPH,
             (Output(201, "The graph is new.", {}), _DONE), _GRAPH_BODIES, guarded=True),
    Endpoint("post", "/store", "add_to_graph", "SPARQL", "Add statements to a graph",
             "Without a graph: a new one is made, and Location tells its address.", _GRAPH,
             (Output(201, "A new graph.", {}), _DONE), _GRAPH_BODIES, guarded=True),
    Endpoint("delete", "/store", "remove_graph", "SPARQL", "Remove one graph", "", _GRAPH, (_DONE,), guarded=True),
)  # fmt: skip

_REST: Final = (
    Endpoint(
        "get", "/id/{kind}/{slug}", "thing", "Linked data", "All that is known about one thing",
        "Follow the redirection: it leads to the page or to the document in the format that Accept asks for.",
        (
            Input("kind", "The kind of thing.", _TEXT, "path", required=True),
            Input("slug", "Its name within the kind.", _TEXT, "path", required=True),
        ),
        (Output(200, "The statements about the thing.", _GRAPH_TYPES | {"text/html": _TEXT}),
         Output(303, "Where the document is.", {})),
    ),
    Endpoint(
        "get", "/api/search", "search", "Search", "Find things by name",
        "Finds beginnings of words and forgives slips of the pen; the best hit stands first.",
        (
            Input("q", "The words.", _TEXT, required=True, example="credit"),
            Input("limit", "How many hits at most.", _NUMBER, example=5),
            Input("kind", "Only things of this kind, such as organisation.", _TEXT),
        ),
        (Output(200, "The hits.", {"application/json": _HIT}),),
    ),
    Endpoint(
        "post", "/queries/saved", "save_query", "Saved queries", "Save a query and get a short link to it",
        "The link is made from the text, so the same text always has the same link. Nothing can be changed later.", (),
        (Output(201, "The link.", {"application/json": _SAVED}), Output(429, "Too many in an hour.", {})),
        {"application/json": {
            "type": "object", "required": ["query"],
            "properties": {
                "query": {"type": "string", "maxLength": 200_000}, "title": {"type": "string", "maxLength": 200},
            },
        }},
    ),
    Endpoint("get", "/queries", "stored_queries", "Stored queries", "The list of stored queries, as RDF",
             "Each is a sh:SPARQLExecutable with its text, its tags and its parameters.", (_FORMAT,),
             (Output(200, "The list.", _GRAPH_TYPES | {"text/html": _TEXT}),)),
    Endpoint("get", "/versions", "versions", "Service", "The versions of the graph that are kept", "", (),
             (Output(200, "The versions.", {"application/json": _VERSIONS}),)),
    Endpoint("get", "/health", "health", "Service", "Whether the service lives, and which version it has", "", (),
             (Output(200, "It lives.", {"application/json": _HEALTH}),)),
    Endpoint("get", "/ready", "ready", "Service", "Whether queries can be asked", "", (),
             (Output(200, "They can.", {"application/json": _OBJECT}), Output(503, "Not yet.", {}))),
    Endpoint("get", "/metrics", "metrics", "Service", "Figures for monitoring, in the Prometheus text format", "", (),
             (Output(200, "The figures.", {"text/plain": _TEXT}),)),
)  # fmt: skip

FIXED: Final = _SPARQL + _REST
"""Every endpoint that does not depend on the stored queries."""
