"""What the SPARQL editor gets from the server: terms for completion, and names for the things of an answer."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from graphkit.store import Store, open_store
from graphkit.store.pool.reader_pool import Limits, ReaderPool
from graphkit.terms import PREFIXES
from tests.village_fixture import village_store
from webui import create_app
from webui.editor import blueprint, read_terms

ORG = PREFIXES["org"]


def _app(store: Store) -> Flask:
    app = create_app(store)
    if "editor" not in app.blueprints:
        app.register_blueprint(blueprint)
    return app


@pytest.fixture(scope="module")
def client(village: Store) -> FlaskClient:
    """Open the pages over the village."""
    return _app(village).test_client()


def test_terms_hold_the_prefixes_and_what_the_graph_uses(client: FlaskClient) -> None:
    """Prefixes as the house writes them; a used class comes with its name and count, before the unused ones."""
    answer = client.get("/sparql/terms.json")
    assert answer.mimetype == "application/json"
    body = answer.get_json()
    assert body["prefixes"] == PREFIXES
    assert body["whole"] is True
    classes = [term for term in body["terms"] if term["role"] == "class"]
    by_iri = {term["iri"]: term for term in classes}
    organisation = by_iri[ORG + "Organization"]
    assert organisation["count"] >= 12
    assert organisation["label"]
    assert [term["count"] for term in classes] == sorted((term["count"] for term in classes), reverse=True)


def test_terms_tell_classes_properties_and_concepts_apart(client: FlaskClient) -> None:
    """Each IRI stands once for each role; minted terms have their definition; declared and unused ones count 0."""
    terms = client.get("/sparql/terms.json").get_json()["terms"]
    keys = [(term["iri"], term["role"]) for term in terms]
    assert len(keys) == len(set(keys))
    roles = {role: [term for term in terms if term["role"] == role] for role in ("class", "property", "concept")}
    assert all(roles.values())
    assert any(term["iri"] == PREFIXES["rdfs"] + "label" and term["count"] > 0 for term in roles["property"])
    assert all(term["label"] for term in roles["concept"] if term["iri"].startswith(PREFIXES["voc"]))
    (commitment,) = [term for term in roles["class"] if term["iri"] == PREFIXES["sol"] + "Commitment"]
    assert commitment["definition"]


def test_terms_are_sent_again_only_after_a_change() -> None:
    """If-None-Match is answered with 304 until a new version brings another class."""
    store = village_store()
    client = _app(store).test_client()
    etag = client.get("/sparql/terms.json").headers["ETag"]
    assert client.get("/sparql/terms.json", headers={"If-None-Match": etag}).status_code == 304
    with store.change("a new class") as change:
        change.update("INSERT DATA { <https://example.org/x> a <https://example.org/Windmill> }")
    answer = client.get("/sparql/terms.json", headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert "https://example.org/Windmill" in answer.text
    store.close()


def test_an_empty_graph_still_gives_the_prefixes() -> None:
    """Nothing to count is no error."""
    with open_store() as store:
        body = _app(store).test_client().get("/sparql/terms.json").get_json()
    assert body["prefixes"]["org"] == ORG
    assert body["terms"] == []


def test_names_come_with_the_address_of_the_page(client: FlaskClient) -> None:
    """A thing of ours leads to its page here, one of another house leaves, what is no address has none."""
    iris = [PREFIXES["sol"] + "Commitment", "https://example.org/unknown", "urn:x:1", "javascript:alert(1)"]
    found = client.post("/sparql/names", json=iris).get_json()
    assert list(found) == iris
    assert found[iris[0]]["label"] == "commitment"
    assert found[iris[0]]["href"].startswith("/")
    assert found[iris[1]] == {"label": "", "href": "https://example.org/unknown"}
    assert found[iris[2]]["href"] == found[iris[3]]["href"] == ""


@pytest.mark.parametrize(
    "body", [{"a": 1}, "text", [1], ["https://example.org/" + "x" * 2001], ["https://example.org/a"] * 501, None]
)
def test_names_refuse_what_is_no_bounded_list(client: FlaskClient, body: object) -> None:
    """400 says what to send."""
    answer = client.post("/sparql/names", json=body)
    assert answer.status_code == 400
    assert "Send" in answer.text


def test_a_list_that_is_too_long_is_not_read(client: FlaskClient) -> None:
    """413, whatever it holds."""
    assert client.post("/sparql/names", json=["x" * 1_200_000]).status_code == 413


def test_terms_that_cannot_be_read_are_left_out() -> None:
    """Where the terms go beyond the limits there are still the prefixes, and the answer says that it is not whole."""
    store = village_store()
    readers = ReaderPool(store, Limits(max_bytes=100))
    found = read_terms(readers)
    readers.close()
    assert (found.terms, found.whole) == ((), False)
    assert found.prefixes["org"] == ORG
    store.close()


def test_names_of_broken_iris_break_nothing(client: FlaskClient) -> None:
    """What could leave its angle brackets is never put into a query."""
    broken = ["https://example.org/> } DROP ALL #", "http://a b", "http://a\n", "http://a\\u003e", "http://[", ""]
    found = client.post("/sparql/names", json=broken).get_json()
    assert {each["label"] for each in found.values()} == {""}
