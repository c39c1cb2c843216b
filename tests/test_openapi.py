"""The OpenAPI document: valid, whole, and true, since every address in it answers what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import jsonschema
import pytest
import rdflib
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from graphkit import queries
from graphkit.assembly import assemble_shipped
from graphkit.store import Store, open_store
from webui import create_app
from webui.catalogue.endpoints import FIXED
from webui.catalogue.openapi import openapi
from webui.settings import Settings

RDF = {"text/turtle": "turtle", "application/n-triples": "nt", "application/rdf+xml": "xml"}


@pytest.fixture(scope="module")
def seed() -> Iterator[Store]:
    """Put the shipped graph together."""
    store = assemble_shipped()
    yield store
    store.close()


@pytest.fixture(scope="module")
def client(seed: Store) -> FlaskClient:
    """Open the pages over the shipped graph."""
    return create_app(seed, Settings(today=date(2026, 1, 1), query_seconds=20)).test_client()


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> dict[str, Any]:
    """Get the document."""
    found: dict[str, Any] = client.get("/api/openapi.json").get_json()
    return found


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    """By the meta-schema of OpenAPI 3.1, examples and defaults by their own schemas included."""
    assert document["openapi"] == "3.1.0"
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_document_has_every_stored_query_with_its_parameters(document: dict[str, Any]) -> None:
    """Names, types, defaults and columns are those of the headers; each operation has an id of its own."""
    for name, query in queries.catalogue().items():
        operation = document["paths"][f"/queries/{name}"]["get"]
        inputs = {each["name"]: each for each in operation["parameters"]}
        assert set(inputs) == {parameter.name for parameter in query.parameters} | {"format", "version"}
        assert operation["summary"] == query.summary
        if query.form == "SELECT":
            row = operation["responses"]["200"]["content"]["application/json"]["schema"]["items"]
            assert {column: each["description"] for column, each in row["properties"].items()} == dict(query.columns)
    since = {each["name"]: each for each in document["paths"]["/queries/funding/grants"]["get"]["parameters"]}["since"]
    assert since["schema"] == {"type": "array", "items": {"type": "string", "format": "date"}}
    role = document["paths"]["/queries/networks/membership"]["get"]["parameters"][0]
    assert "voc:role/member" in role["schema"]["default"]
    ids = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(set(ids)) == len(ids)


def _asked(path: str, operation: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """Return an address with the examples of the document in it, and what goes into its query."""
    pairs: list[tuple[str, str]] = []
    for each in operation.get("parameters", []):
        example = each.get("example")
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", str(example))
        elif example is not None:
            pairs += [(each["name"], str(value)) for value in (example if isinstance(example, list) else [example])]
    return path, pairs


def _gets(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        if "get" in operations:
            yield path, operations["get"]


def test_every_get_address_answers_what_the_document_says(client: FlaskClient, document: dict[str, Any]) -> None:
    """With its examples each answers in each of its media types, and what is JSON fits its schema."""
    tried = 0
    for path, operation in _gets(document):
        address, pairs = _asked(path, operation)
        for media, said in operation["responses"]["200"]["content"].items():
            answer = client.get(address, query_string=pairs, headers={"Accept": media}, follow_redirects=True)
            if _is_of_another_form(address, media):
                continue
            assert answer.status_code == 200, (address, media, answer.text[:300])
            assert answer.mimetype == media, (address, media)
            if media.endswith("json") and media != "application/ld+json":
                schema = {**said["schema"], "components": document["components"]}
                jsonschema.Draft202012Validator(schema).validate(answer.get_json(force=True))
            tried += 1
    assert tried > 300


def _is_of_another_form(address: str, media: str) -> bool:
    """Tell whether the example of /sparql, an ASK, has no answer of this kind: graphs are for CONSTRUCT."""
    return address == "/sparql" and media in {*RDF, "application/ld+json"}


def test_queries_answer_without_their_parameters_too(client: FlaskClient, document: dict[str, Any]) -> None:
    """What the document calls optional can be left out."""
    for path, operation in _gets(document):
        if path.startswith("/queries/") and path != "/queries/explore/thing":
            media = next(name for name in operation["responses"]["200"]["content"] if name != "text/html")
            answer = client.get(path, headers={"Accept": media})
            assert answer.status_code == 200, (path, answer.text[:300])


def test_rows_are_records_with_every_column(client: FlaskClient, document: dict[str, Any]) -> None:
    """The schema of rows is strict: a row with a strange or a missing column would not fit it."""
    content = document["paths"]["/queries/explore/counts"]["get"]["responses"]["200"]["content"]
    schema = {**content["application/json"]["schema"], "components": document["components"]}
    rows = client.get("/queries/explore/counts.json").get_json()
    assert rows
    jsonschema.validate(rows, schema)
    for wrong in ({**rows[0], "strange": 1}, {}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([wrong], schema)


def test_only_what_stands_is_in_the_document(client: FlaskClient, document: dict[str, Any]) -> None:
    """Each path and method is one that the application has: none of them is 404 or 405 by routing."""
    adapter = client.application.url_map.bind("localhost")
    for path, operations in document["paths"].items():
        for method in operations:
            assert adapter.test(path.replace("{", "").replace("}", ""), method.upper()), (method, path)
    assert {"/sparql", "/health", "/api/search", "/id/{kind}/{slug}", "/queries/saved"} <= set(document["paths"])


def test_writes_need_the_token(document: dict[str, Any]) -> None:
    """Every method that changes the graph says so; reading and saving a query does not."""
    guarded = {(each.method, each.path) for each in FIXED if each.guarded}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert ("security" in operation) == ((method, path) in guarded)
    assert all(method != "get" for method, _ in guarded)


def test_the_document_names_the_public_address(seed: Store) -> None:
    """Behind a proxy the server is the one that others reach."""
    app = create_app(seed, Settings(public_address="https://graph.example.org", today=date(2026, 1, 1)))
    with app.test_request_context():
        assert openapi()["servers"] == [{"url": "https://graph.example.org"}]
    listed = rdflib.Graph().parse(data=app.test_client().get("/queries.nt").data, format="nt")
    assert set(map(str, listed.objects(None, rdflib.SDO.target))) == {"https://graph.example.org/sparql"}


def test_the_document_is_found_and_kept(client: FlaskClient) -> None:
    """A header leads to it from the lists (RFC 8631), any site may read it, and unchanged it is 304."""
    for address in ("/api", "/queries", "/queries/explore/counts"):
        assert 'rel="service-desc"' in client.get(address).headers["Link"]
    first = client.get("/api/openapi.json")
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/api/openapi.json", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_the_page_lists_every_endpoint_with_an_example_that_works(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    """What people read is what machines read."""
    page = client.get("/api").text
    for path in document["paths"]:
        assert path in page
    assert page.count("<h1") == 1
    assert "/api/search?q=credit" in page


def test_an_empty_graph_has_a_document_too() -> None:
    """Without a thing to take as an example the document is still valid, and its queries answer no row."""
    client = create_app(open_store(), Settings(today=date(2026, 1, 1))).test_client()
    document = client.get("/api/openapi.json").get_json()
    assert OpenAPIV31SpecValidator(document).is_valid()
    assert client.get("/queries/explore/organisations.json").get_json() == []
    assert client.get("/api").status_code == 200
