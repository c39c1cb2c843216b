"""The search of the pages: a page of hits, suggestions as JSON, what happens to odd input, and the search in SPARQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from graphkit.store import Store
from graphkit.terms import ID
from webui import create_app
from webui.settings import Settings

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "search.md"


@pytest.fixture(scope="module")
def client(village: Store) -> Iterator[FlaskClient]:
    """Give a client of the pages over the village."""
    app = create_app(village, Settings(readers=1))
    yield app.test_client()
    app.extensions["graphkit"].pool.close()


def test_suggestions_have_all_that_the_search_box_needs(client: FlaskClient) -> None:
    """IRI, label, kind and address, the best first, and by which name it was found."""
    (hit,) = client.get("/api/search?q=upton+bakr").get_json()
    score, address = hit.pop("score"), hit.pop("href")
    assert hit == {
        "iri": ID + "organisation/bakery",
        "label": "Bakery",
        "kind": "organisation",
        "matched": "Upton Bakers",
        "how": "similar",
    }
    assert 0 < score < 1
    assert address.endswith("/organisation/bakery")
    assert client.get(address).status_code == 200


def test_limit_and_kind_narrow_the_hits(client: FlaskClient) -> None:
    """Without a limit there are ten; a limit that is no number is told."""
    assert len(client.get("/api/search?q=a&limit=2").get_json()) <= 2
    kinds = {hit["kind"] for hit in client.get("/api/search?q=bread&kind=grant").get_json()}
    assert kinds == {"grant"}
    for wrong in ("0", "-1", "101", "ten", "٣", "9" * 5000):
        answer = client.get("/api/search", query_string={"q": "mill", "limit": wrong})
        assert answer.status_code == 400
        assert "limit=10" in answer.text
    assert client.get("/api/search?q=mill&kind=grnt").status_code == 404


def test_an_empty_search_suggests_nothing(client: FlaskClient) -> None:
    """No words, blanks or signs only."""
    for words in ("", "   ", '"*"', "NEAR"):
        assert client.get("/api/search", query_string={"q": words}).get_json() == []


def test_a_single_hit_is_shown_at_once(client: FlaskClient) -> None:
    """A name that fits and is the only one leads to its page; a similar one is only offered."""
    answer = client.get("/search?q=cred+un")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/organisation/credit-union")
    page = client.get("/search?q=credti+unoin")
    assert page.status_code == 200
    assert "similar names" in page.text
    assert '/organisation/credit-union"' in page.text


def test_several_hits_are_listed_with_their_kinds(client: FlaskClient) -> None:
    """Sure hits stand before similar ones; another name stands beside the label."""
    page = client.get("/search?q=up").text
    assert "3 found" in page
    assert page.index("Upton Bakers") < page.index("/place/upton") < page.index("Speak up")


def test_what_is_not_found_leads_on(client: FlaskClient) -> None:
    """There is a way to all organisations, and markup in the words is only text."""
    page = client.get("/search", query_string={"q": "<script>zzzz</script>"}).text
    assert "explore/organisations" in page
    assert "<script>zzzz" not in page


# ---- In SPARQL -------------------------------------------------------------------------------


def test_the_query_of_the_document_runs(client: FlaskClient) -> None:
    """The endpoint searches by default, and joins what it finds with the graph."""
    (query,) = re.findall(r"```sparql\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    answer = client.get("/sparql", query_string={"query": query, "format": "json"})
    assert answer.status_code == 200, answer.text
    rows = answer.get_json(force=True)["results"]["bindings"]
    assert [(row["thing"]["value"], row["name"]["value"]) for row in rows] == [
        (ID + "organisation/credit-union", "Credit Union")
    ]


def test_a_wrong_search_and_a_foreign_endpoint_are_refused_with_a_reason(client: FlaskClient) -> None:
    """The status is 400, and the hint says what is allowed."""
    wrong = "SELECT * { SERVICE <https://w3id.org/solidarity-graph/search> { ?a ?b ?c } }"
    answer = client.get("/sparql", query_string={"query": wrong, "format": "json"})
    assert (answer.status_code, "search:matches" in answer.text) == (400, True)
    foreign = "SELECT * { SERVICE <http://127.0.0.1:9/> { ?a ?b ?c } }"
    answer = client.get("/sparql", query_string={"query": foreign, "format": "json"})
    assert (answer.status_code, "SERVICE is not allowed" in answer.text) == (400, True)
