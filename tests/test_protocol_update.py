"""The update operation of the SPARQL Protocol: what it does, what it refuses, and who may use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from graphkit.store import Store, open_store
from tests.village_fixture import village_store
from webui import create_app
from webui.protocol import writes
from webui.settings import Settings
from webui.state import pool

TOKEN = "a long random word"  # noqa: S105 - of this test alone
UPDATE = "application/sparql-update"
FORM = "application/x-www-form-urlencoded"
DOCUMENTS = """
PREFIX foaf: <http://xmlns.com/foaf/0.1/> PREFIX dc: <http://purl.org/dc/terms/>
CLEAR ALL ;
INSERT DATA {
    GRAPH <http://data.example/1> { <http://data.example/1> a foaf:Document }
    GRAPH <http://data.example/2> { <http://data.example/2> a foaf:Document }
    GRAPH <http://data.example/3> { <http://data.example/3> a foaf:Document }
} ;
"""
BIBLIOGRAPHIC = "a <http://purl.org/dc/terms/BibliographicResource>"


@dataclass(frozen=True)
class Service:
    """A client that holds the token, and the store behind the service."""

    client: FlaskClient
    store: Store

    def update(self, text: str, **dataset: list[str]) -> TestResponse:
        """Post an update as it is, with the parameters of the dataset in the address."""
        names = {name.replace("_", "-"): values for name, values in dataset.items()}
        return self.post(text, UPDATE, "?" + urlencode(names, doseq=True))

    def post(self, body: str | bytes, kind: str | None, query: str = "") -> TestResponse:
        """Post any body with the token."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return self.client.post(f"/sparql/update{query}", data=body, content_type=kind, headers=headers)

    def holds(self, pattern: str) -> bool:
        """Ask the service, as any visitor would."""
        answer = self.client.post("/sparql", data=f"ASK {{ {pattern} }}", content_type="application/sparql-query")
        return bool(answer.get_json()["boolean"])


def served(store: Store, **choices: object) -> Iterator[Service]:
    """Serve a store, and end its readers afterwards."""
    app = create_app(store, Settings(token=TOKEN, **choices))  # type: ignore[arg-type]
    yield Service(app.test_client(), store)
    with app.app_context():
        pool().close()
    store.close()


@pytest.fixture
def service() -> Iterator[Service]:
    """Serve an empty graph."""
    yield from served(open_store())


# ---- W3C protocol tests ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "where", "found"),
    [
        pytest.param({"using_graph_uri": [1]}, "?s a foaf:Document", {1}, id="update_dataset_default_graph"),
        pytest.param({"using_graph_uri": [1, 2]}, "?s a foaf:Document", {1, 2}, id="update_dataset_default_graphs"),
        pytest.param(
            {"using_named_graph_uri": [1, 2]},
            "GRAPH ?g { ?s a foaf:Document } FILTER NOT EXISTS { ?s a foaf:Document }",
            {1, 2},
            id="update_dataset_named_graphs",
        ),
        pytest.param(
            {"using_graph_uri": [1], "using_named_graph_uri": [2]},
            "{ ?s a foaf:Document } UNION { GRAPH ?g { ?s a foaf:Document } }",
            {1, 2},
            id="update_dataset_full",
        ),
    ],
)
def test_the_patterns_of_an_update_see_the_graphs_that_the_request_names(
    service: Service, dataset: dict[str, list[int]], where: str, found: set[int]
) -> None:
    """Only documents of the named graphs are found, by each operation of the update."""
    named = {key: [f"http://data.example/{number}" for number in numbers] for key, numbers in dataset.items()}
    insert = f"INSERT {{ GRAPH <http://data.example/found> {{ ?s {BIBLIOGRAPHIC} }} }} WHERE {{ {where} }}"
    assert service.update(DOCUMENTS + insert, **named).status_code == 204
    for number in (1, 2, 3):
        pattern = f"GRAPH <http://data.example/found> {{ <http://data.example/{number}> {BIBLIOGRAPHIC} }}"
        assert service.holds(pattern) == (number in found)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(urlencode({"update": "INSERT DATA { <urn:s> <urn:p> 1 }"}), FORM, id="update_post_form"),
        pytest.param("INSERT DATA { <urn:s> <urn:p> 1 }", UPDATE, id="update_post_direct"),
        pytest.param("INSERT DATA { <urn:s> <urn:p> 1 }", f"{UPDATE}; charset=UTF-8", id="with_charset"),
    ],
)
def test_an_update_comes_as_a_form_or_as_it_is(service: Service, body: str, kind: str) -> None:
    """Both forms of the protocol do the same, and the next query sees it."""
    assert service.post(body, kind).status_code == 204
    assert service.holds("<urn:s> <urn:p> 1")


def test_update_base_uri(service: Service) -> None:
    """Relative addresses are completed by the address of the service."""
    assert service.update("INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> <test> } }").status_code == 204
    assert service.holds("GRAPH <urn:g> { <urn:s> <urn:p> <http://localhost/sparql/test> }")


BAD = "CLEAR NAMED"
BAD_REQUESTS = [
    pytest.param(urlencode([("update", BAD), ("update", "CLEAR DEFAULT")]), FORM, 400, id="bad_multiple_updates"),
    pytest.param(BAD, "text/plain", 415, id="bad_update_wrong_media_type"),
    pytest.param(urlencode({"update": BAD}), None, 415, id="bad_update_missing_form_type"),
    pytest.param(BAD, None, 415, id="bad_update_missing_direct_type"),
    pytest.param(BAD.encode("utf-16"), f"{UPDATE}; charset=UTF-16", 415, id="bad_update_non_utf8"),
    pytest.param(BAD.encode("utf-16"), UPDATE, 400, id="bad_update_non_utf8_unsaid"),
    pytest.param("CLEAR XYZ", UPDATE, 400, id="bad_update_syntax"),
    pytest.param("", UPDATE, 400, id="empty"),
    pytest.param("", FORM, 400, id="missing"),
    pytest.param("query=ASK%20%7B%7D", FORM, 400, id="query_instead"),
    pytest.param("update=%FF", FORM, 400, id="bad_byte"),
    pytest.param("LOAD <http://127.0.0.1:9/x>", UPDATE, 400, id="load"),
    pytest.param("INSERT { ?s ?p ?o } WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", UPDATE, 400, id="service"),
    pytest.param("INSERT { <urn:a> <urn:b> 1 } WHERE " + "{" * 5000 + "}" * 5000, UPDATE, 400, id="deep"),
    pytest.param(
        f"INSERT {{ <urn:a> <urn:b> 1 }} WHERE {{ FILTER({'+'.join(['1'] * 20_000)}) }}", UPDATE, 400, id="long_chain"
    ),
    pytest.param("INSERT DATA { <urn:a> <urn:b> 1 } ; DELETE { ?s } WHERE {}", UPDATE, 400, id="second_is_bad"),
]


@pytest.mark.parametrize(("body", "kind", "status"), BAD_REQUESTS)
def test_a_bad_update_changes_nothing_and_says_why(
    service: Service, body: str | bytes, kind: str | None, status: int
) -> None:
    """The answer is a problem with a reason, and no version is made."""
    service.update("INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }")
    answer = service.post(body, kind)
    assert answer.status_code == status
    assert answer.get_json()["detail"]
    assert service.holds("GRAPH <urn:g> { <urn:s> <urn:p> 1 }")
    assert [version.number for version in service.store.versions()] == [1]


def test_bad_update_get(service: Service) -> None:
    """An update is posted; other methods are told so."""
    answer = service.client.get("/sparql/update?update=CLEAR+ALL")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("name", ["using-graph-uri", "using-named-graph-uri"])
@pytest.mark.parametrize(
    "text",
    [
        "INSERT { <urn:a> <urn:b> 1 } USING <urn:h> WHERE { ?s ?p ?o }",
        "DELETE { ?s ?p ?o } USING NAMED <urn:h> WHERE { GRAPH ?g { ?s ?p ?o } }",
        "WITH <urn:h> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "CLEAR DEFAULT ; with<urn:h>DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
    ],
)
def test_bad_update_dataset_conflict(service: Service, text: str, name: str) -> None:
    """The dataset is chosen by the request or by the update, and not by both."""
    answer = service.post(text, UPDATE, f"?{urlencode({name: 'urn:g'})}")
    assert answer.status_code == 400
    assert "in one place only" in answer.get_json()["detail"]


# ---- Beyond ------------------------------------------------------------------------------------


def test_delete_where_keeps_to_the_graphs_of_the_request(service: Service) -> None:
    """What DELETE WHERE finds in the graphs of the request is deleted from the graph that its pattern names."""
    service.update("INSERT DATA { <urn:a> <urn:p> 1 . <urn:b> <urn:p> 1 GRAPH <urn:g> { <urn:a> <urn:p> 1 } }")
    assert service.update("DELETE WHERE { ?s <urn:p> 1 }", using_graph_uri=["urn:g"]).status_code == 204
    assert service.store.default_graph() == b'<urn:b> <urn:p> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .\n'
    assert service.holds("GRAPH <urn:g> { <urn:a> <urn:p> 1 }")


def test_words_in_strings_and_names_are_no_clauses(service: Service) -> None:
    """WITH, USING and WHERE in strings, IRIs, comments and prefixed names neither clash nor attract clauses."""
    text = """PREFIX using: <urn:using#> # WITH
    INSERT DATA { GRAPH <urn:g> { <urn:where> using:with "WHERE { USING }" } } ;
    INSERT { ?s <urn:seen> true } # WHERE {
    WHERE { { SELECT * WHERE { ?s using:with ?o } } }"""
    assert service.update(text, using_graph_uri=["urn:g"]).status_code == 204
    assert service.holds("<urn:where> <urn:seen> true")


def test_a_graph_of_the_request_must_be_an_absolute_iri(service: Service) -> None:
    """A relative or broken name is a bad request, and cannot smuggle an operation in."""
    for name in ("g", "urn:g> WHERE {} ; CLEAR ALL #"):
        assert service.update("DELETE WHERE { ?s ?p ?o }", using_graph_uri=[name]).status_code == 400
    assert not service.store.versions()


def test_without_parameters_a_pattern_sees_the_default_graph_alone(service: Service) -> None:
    """The union of all graphs, which queries see, is not what updates see."""
    text = """INSERT DATA { GRAPH <urn:g> { <urn:a> <urn:p> 1 } } ;
    INSERT { <urn:seen> ?p ?o } WHERE { ?s ?p ?o }"""
    assert service.update(text).status_code == 204
    assert not service.holds("<urn:seen> ?p ?o")


def test_the_answer_names_the_version_who_wrote_and_why(service: Service) -> None:
    """A version has the author and the reason that the headers give."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Graphkit-Who": "Ann", "Graphkit-Why": "a first fact"}
    text = "INSERT DATA { <urn:s> <urn:p> 1 }"
    answer = service.client.post("/sparql/update", data=text, content_type=UPDATE, headers=headers)
    version = service.store.version
    assert version
    assert (version.who, version.why) == ("Ann", "a first fact")
    assert answer.headers["Graphkit-Version"] == "1"
    assert version.hash.startswith(answer.headers["ETag"].strip('"').partition("-")[2])


def test_only_who_holds_the_token_may_write(service: Service) -> None:
    """No token and a wrong one are 401, a page of another site is 403, and nothing is changed."""
    for headers, status in [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}, 403),
    ]:
        answer = service.client.post("/sparql/update", data="CLEAR ALL", content_type=UPDATE, headers=headers)
        assert answer.status_code == status
    assert not service.store.versions()


def test_a_service_without_a_token_is_read_only() -> None:
    """Where the deployment sets no token nobody writes."""
    store = open_store()
    app = create_app(store, Settings())
    headers = {"Authorization": "Bearer "}
    answer = app.test_client().post("/sparql/update", data="CLEAR ALL", content_type=UPDATE, headers=headers)
    assert answer.status_code == 403
    with app.app_context():
        pool().close()


def test_a_store_opened_for_reading_is_not_written(tmp_path: Path) -> None:
    """The token does not help where the store itself is read only: 403 with the reason."""
    open_store(tmp_path / "graph").close()
    for service in served(open_store(tmp_path / "graph", read_only=True)):
        answer = service.update("CLEAR ALL")
        assert answer.status_code == 403
        assert "read" in answer.get_json()["next"]


def test_an_update_with_much_data_is_read(service: Service) -> None:
    """The limits on patterns do not bind what INSERT DATA holds."""
    facts = " . ".join(f"<urn:s{number}> <urn:p> {number}" for number in range(5_000))
    assert service.update(f"INSERT DATA {{ {facts} }}").status_code == 204
    assert service.post(urlencode({"update": f"DELETE DATA {{ {facts} }}"}), FORM).status_code == 204
    version = service.store.version
    assert version
    assert version.quads == 0


def test_a_writer_that_waits_too_long_is_told_to_come_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another write holds the turn, the next is answered 503 with Retry-After after its time of waiting."""
    monkeypatch.setattr(writes, "_PATIENCE_SECONDS", 0.1)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with service.client.application.app_context(), writes.turn():
            inside.set()
            done.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    inside.wait(10)
    answer = service.update("CLEAR ALL")
    done.set()
    other.join()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert service.update("INSERT DATA { <urn:a> <urn:b> 1 }").status_code == 204


def test_writers_at_the_same_time_lose_nothing(service: Service) -> None:
    """Eight writers at once make eight versions, and all that they wrote is there."""

    def write(number: int) -> None:
        client = service.client.application.test_client()
        Service(client, service.store).update(f"INSERT DATA {{ <urn:s> <urn:p> {number} }}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    version = service.store.version
    assert version
    assert (version.number, version.quads) == (8, 8)


def test_every_write_is_seen_by_the_next_query(service: Service) -> None:
    """The readers answer on the version that was just written, again and again."""
    for number in range(5):
        assert service.update(f"INSERT DATA {{ <urn:s> <urn:p> {number} }}").status_code == 204
        assert service.holds(f"<urn:s> <urn:p> {number}")


# ---- Shapes ------------------------------------------------------------------------------------

BAD_ACTIVITY = (
    "PREFIX sol: <https://w3id.org/solidarity-graph/ns#> INSERT DATA { GRAPH <urn:g> { <urn:x> a sol:Activity } }"
)


@pytest.fixture(scope="module")
def checked() -> Iterator[Service]:
    """Serve the village, and check what is written against the shapes."""
    yield from served(village_store(), check_writes=True)


def test_what_breaks_the_shapes_is_not_stored(checked: Service) -> None:
    """The answer is 422 with a validation report, and there is no new version."""
    before = checked.store.version
    answer = checked.update(BAD_ACTIVITY)
    assert answer.status_code == 422
    assert answer.content_type == "text/turtle; charset=utf-8"
    with open_store() as reports:
        with reports.change("read the report") as change:
            change.load(answer.data, media_type="ttl")
        found = reports.select(
            """PREFIX sh: <http://www.w3.org/ns/shacl#> SELECT ?focus ?shape WHERE {
                ?report a sh:ValidationReport ; sh:conforms false ; sh:result ?result .
                ?result a sh:ValidationResult ; sh:focusNode ?focus ; sh:sourceShape ?shape ; sh:resultMessage ?words ;
                    sh:resultSeverity sh:Violation }"""
        )
    assert set(found["focus"]) == {"urn:x"}
    assert "https://w3id.org/solidarity-graph/shape/activity-kind" in set(found["shape"])
    assert checked.store.version == before


def test_the_report_comes_as_a_problem_where_json_is_asked(checked: Service) -> None:
    """A program that reads JSON gets the findings as the rows of `graphkit check`."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    answer = checked.client.post("/sparql/update", data=BAD_ACTIVITY, content_type=UPDATE, headers=headers)
    assert answer.status_code == 422
    assert {row["focus"] for row in answer.get_json()["findings"]} == {"urn:x"}


def test_what_keeps_to_the_shapes_is_stored(checked: Service) -> None:
    """A harmless statement passes the check."""
    assert checked.update("INSERT DATA { GRAPH <urn:g> { <urn:note> <urn:says> 'hello' } }").status_code == 204
    assert checked.holds("<urn:note> <urn:says> 'hello'")
