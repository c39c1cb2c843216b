"""The interface for programs: an OpenAPI 3.1 document made from the stored queries, and a page that lists the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, current_app, render_template, request
from werkzeug.routing import MapAdapter
from werkzeug.wrappers import Response as BaseResponse

import graphkit
from graphkit import queries
from graphkit.queries import Parameter, Query
from graphkit.terms import ID
from webui.catalogue.answers import offered, tagged
from webui.catalogue.choices import choices, short_iri
from webui.catalogue.endpoints import FIXED, PROBLEM, TAGS, Endpoint, Input, Output
from webui.catalogue.pages import service_link
from webui.protocol.access import own_address
from webui.state import settings, store

__all__ = ["blueprint", "endpoints", "openapi"]

blueprint = Blueprint("openapi", __name__)

_ITEMS: Final = {
    "iri": {"type": "string"},
    "text": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
}
_VALUES: Final[dict[str, Callable[[str], object]]] = {
    "integer": int,
    "decimal": float,
    "boolean": lambda text: text in {"true", "1"},
}
_IRI_WORDS: Final = "A full IRI, prefix:local with a known prefix, or kind/slug of the data."
_SOMETHING: Final = (
    "PREFIX org: <http://www.w3.org/ns/org#> SELECT ?thing WHERE { ?thing a org:Organization "
    f'FILTER(STRSTARTS(STR(?thing), "{ID}")) }} LIMIT 1'
)
_ANY_THING: Final = ("thing", "subject")
_SCHEMAS: Final[dict[str, Any]] = {
    "Cell": {"type": ["string", "number", "boolean", "null"], "description": "A value; null where nothing is known."},
    "SparqlResults": {
        "type": "object",
        "description": "SPARQL 1.1 Query Results JSON Format",
        "required": ["head"],
        "properties": {
            "head": {"type": "object"},
            "results": {
                "type": "object",
                "required": ["bindings"],
                "properties": {"bindings": {"type": "array", "items": {"type": "object"}}},
            },
            "boolean": {"type": "boolean"},
        },
    },
    "Problem": {
        "type": "object",
        "description": "What is wrong, where, and what to do next (RFC 9457)",
        "required": ["title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "where": {"type": "string"},
            "next": {"type": "string"},
        },
    },
}
_REASONS: Final = {400: "A value is wrong.", 401: "The token is missing or wrong.", 404: "There is no such thing."}


@dataclass(frozen=True, slots=True)
class _Line:
    """An endpoint as the page lists it; `href` is an example that answers, empty where there is none."""

    endpoint: Endpoint
    href: str


@blueprint.get("/api/openapi.json")
def document() -> BaseResponse:
    """Give the OpenAPI document."""
    data = json.dumps(openapi(), ensure_ascii=False, indent=1).encode() + b"\n"
    response = tagged(Response(data, mimetype="application/json"), hashlib.sha256(data).hexdigest()[:32])
    response.headers["Link"] = f'<{own_address()}/api>; rel="service-doc"; type="text/html"'
    return response


@blueprint.get("/api")
def page() -> Response:
    """List the endpoints for people, each with an example."""
    lines = [_Line(each, _example(each)) for each in endpoints()]
    groups = [(tag, about, [line for line in lines if line.endpoint.tag == tag]) for tag, about in TAGS.items()]
    response = Response(render_template("api.html", page="api", groups=[g for g in groups if g[2]], root=own_address()))
    response.headers["Link"] = service_link()
    return response


def openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the present application, with the examples of its graph.

    https://spec.openapis.org/oas/v3.1.0
    """
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints():
        paths.setdefault(endpoint.path, {})[endpoint.method] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": settings().site_name,
            "version": graphkit.__version__,
            "summary": "A knowledge graph of organisations, policies and funding, and the queries that it answers.",
            "description": "What a source does not say is not known; it is not said to be otherwise.",
            "license": {
                "name": "Data: CC BY 4.0. Code: Apache 2.0.",
                "url": "https://creativecommons.org/licenses/by/4.0/",
            },
        },
        "servers": [{"url": own_address()}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def endpoints() -> list[Endpoint]:
    """Return every endpoint that the present application has, those of the stored queries last."""
    adapter = current_app.url_map.bind("localhost")
    fixed = [_with_example(each) for each in FIXED if _stands(adapter, each)]
    examples = _Examples()
    return fixed + [_of_query(query, examples) for query in queries.catalogue().values()]


# ---- Stored queries ----------------------------------------------------------------------------------


class _Examples:
    """A thing of each class that the graph knows, looked up once."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def of(self, parameter: Parameter) -> str | None:
        """Return a value that the parameter takes; None for a literal, and for a class without things."""
        if parameter.type != "iri":
            return None
        if not parameter.class_:
            return short_iri(_something()) if parameter.name in _ANY_THING else None
        if parameter.class_ not in self._known:
            found = choices(store(), parameter.class_) or {}
            self._known[parameter.class_] = next((each[0].value for each in found.values()), None)
        return self._known[parameter.class_]


def _of_query(query: Query, examples: _Examples) -> Endpoint:
    inputs = [_input(query, each, examples) for each in query.parameters]
    names = {each.name for each in query.parameters}
    ours = (
        Input("format", "The format, by suffix or media type; wins over the header Accept.", {"type": "string"}),
        Input("version", "Answer on this version of the graph.", {"type": "integer", "minimum": 1}),
    )
    return Endpoint(
        "get",
        f"/queries/{query.name}",
        re.sub(r"\W+", "_", f"run_{query.name}"),
        "Stored queries",
        query.summary,
        query.description,
        (*inputs, *(each for each in ours if each.name not in names)),
        (Output(200, "The answer.", {form.media_type: _schema(query, form.suffix) for form in offered(query)}),),
    )


def _input(query: Query, parameter: Parameter, examples: _Examples) -> Input:
    schema: dict[str, Any] = {"type": "array", "items": _ITEMS[parameter.type]}
    if defaults := queries.default_terms(query, parameter):
        as_json = _VALUES.get(parameter.type, short_iri)
        schema["default"] = [as_json(str(term)) for term in defaults]
    about = parameter.about or parameter.label
    if parameter.type == "iri":
        about = f"{about}. {_IRI_WORDS}"
    example = examples.of(parameter)
    return Input(parameter.name, about, schema, example=[example] if example else None, repeated=True)


def _schema(query: Query, suffix: str) -> dict[str, Any]:
    if suffix == "srj":
        return {"$ref": "#/components/schemas/SparqlResults"}
    if suffix == "jsonld":
        return {"type": ["object", "array"]}
    if suffix != "json":
        return {"type": "string"}
    if query.form == "ASK":
        return {"type": "boolean"}
    columns = {name: {"$ref": "#/components/schemas/Cell", "description": text} for name, text in query.columns.items()}
    row = {"type": "object", "properties": columns, "required": list(columns), "additionalProperties": False}
    return {"type": "array", "items": row}


# ---- Writing -----------------------------------------------------------------------------------------


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = {"operationId": endpoint.id, "tags": [endpoint.tag], "summary": endpoint.summary}
    if endpoint.about:
        found["description"] = endpoint.about
    if endpoint.inputs:
        found["parameters"] = [_parameter(each) for each in endpoint.inputs]
    if endpoint.body:
        found["requestBody"] = {"required": True, "content": _content(endpoint.body.items())}
    found["responses"] = {str(each.status): _response(each) for each in _all_outputs(endpoint)}
    if endpoint.guarded:
        found["security"] = [{"token": []}]
    return found


def _parameter(each: Input) -> dict[str, Any]:
    schema = dict(each.schema)
    if each.repeated and schema.get("type") != "array":
        schema = {"type": "array", "items": schema}
    found: dict[str, Any] = {"name": each.name, "in": each.where, "description": each.about, "schema": schema}
    if each.required:
        found["required"] = True
    if each.repeated:
        found |= {"style": "form", "explode": True}
    return found | ({"example": each.example} if each.example is not None else {})


def _all_outputs(endpoint: Endpoint) -> Iterator[Output]:
    yield from endpoint.outputs
    problem = {PROBLEM: {"$ref": "#/components/schemas/Problem"}}
    said = {each.status for each in endpoint.outputs}
    for status in (400, *((401,) if endpoint.guarded else ()), 404):
        if status not in said and endpoint.tag != "Service":
            yield Output(status, _REASONS[status], problem)


def _response(output: Output) -> dict[str, Any]:
    found: dict[str, Any] = {"description": output.about}
    return found | ({"content": _content(output.media.items())} if output.media else {})


def _content(media: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: {"schema": schema} for name, schema in media}


# ---- Examples ----------------------------------------------------------------------------------------


def _stands(adapter: MapAdapter, endpoint: Endpoint) -> bool:
    """Tell whether the application answers an endpoint: a part of the service can be left out."""
    return adapter.test(re.sub(r"[{}]", "", endpoint.path), endpoint.method.upper())


def _something() -> str:
    """Return an organisation of the graph, or a made-up one where there is none."""
    found = store().select(_SOMETHING)["thing"].to_list()
    return str(found[0]) if found else f"{ID}organisation/example"


def _with_example(endpoint: Endpoint) -> Endpoint:
    """Name a thing of the graph where the path has to name one."""
    if "{slug}" not in endpoint.path:
        return endpoint
    kind, _, slug = _something().removeprefix(ID).partition("/")
    known = {"kind": kind, "slug": slug}
    return replace(endpoint, inputs=tuple(replace(each, example=known.get(each.name)) for each in endpoint.inputs))


def _example(endpoint: Endpoint) -> str:
    """Return an address that shows what a GET endpoint answers; empty for the other methods."""
    if endpoint.method != "get":
        return ""
    path, pairs = endpoint.path, []
    for each in endpoint.inputs:
        if each.where == "path":
            path = path.replace(f"{{{each.name}}}", quote(str(each.example)))
        elif each.example is not None and endpoint.tag != "Stored queries":
            pairs.append((each.name, each.example))
    return f"{request.script_root}{path}" + (f"?{urlencode(pairs)}" if pairs else "")
