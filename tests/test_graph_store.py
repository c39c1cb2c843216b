"""The Graph Store Protocol: reading and writing whole graphs, and what it refuses to take in."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.http import http_date
from werkzeug.test import TestResponse

from graphkit.store import Store, canonical_hash, convert, open_store
from graphkit.terms import graph_iri
from tests.village_fixture import village_store
from webui import create_app
from webui.settings import Settings
from webui.state import pool

TOKEN = "a long random word"  # noqa: S105 - of this test alone
ROOT = "http://localhost"
ONE, TWO = "/store/person/1.ttl", "/store/person/2.ttl"


def person(name: str) -> str:
    """Return a person with a card, which is a blank node, in Turtle."""
    return f"""@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix v: <http://www.w3.org/2006/vcard/ns#> .
    <{ROOT}/person/1> a foaf:Person ; foaf:businessCard [ a v:VCard ; v:fn "{name}" ] ."""


ALICE = '[] a <http://xmlns.com/foaf/0.1/Person> ; <http://www.w3.org/2006/vcard/ns#given-name> "Alice" .'
NAMED = f'<{ROOT}/person/1> <http://xmlns.com/foaf/0.1/name> "Jane Doe" .'


@dataclass(frozen=True)
class Service:
    """A client that holds the token, and the store behind the service."""

    client: FlaskClient
    store: Store

    def send(
        self, method: str, address: str, data: str | bytes = b"", kind: str | None = "text/turtle", **headers: str
    ) -> TestResponse:
        """Send a request with the token; headers are written with underscores."""
        sent = {"Authorization": f"Bearer {TOKEN}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.open(address, method=method, data=data, content_type=kind, headers=sent)

    def put(self, address: str, data: str | bytes, kind: str | None = "text/turtle", **headers: str) -> TestResponse:
        """Put a document."""
        return self.send("PUT", address, data, kind, **headers)

    def get(self, address: str, accept: str = "text/turtle; charset=utf-8", **headers: str) -> TestResponse:
        """Read as a visitor does, without the token."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.get(address, headers={"Accept": accept} | named)

    def is_at(self, address: str, turtle: str) -> bool:
        """Tell whether a graph is what a Turtle text says, but for the labels of blank nodes."""
        answer = self.get(address)
        assert (answer.status_code, answer.mimetype) == (200, "text/turtle")
        return graph_hash(answer.data) == graph_hash(turtle.encode())

    def version(self) -> int:
        """Return the number of the newest version, 0 before the first."""
        newest = self.store.version
        return newest.number if newest else 0


def graph_hash(data: bytes, suffix: str = "ttl") -> str:
    """Return a hash that is equal for equal graphs."""
    return canonical_hash(convert(data, suffix, "nt"))


def served(store: Store, **choices: Any) -> Iterator[Service]:
    """Serve a store, and end its readers afterwards."""
    app = create_app(store, Settings(token=TOKEN, **choices))
    yield Service(app.test_client(), store)
    with app.app_context():
        pool().close()
    store.close()


@pytest.fixture
def service() -> Iterator[Service]:
    """Serve an empty graph."""
    yield from served(open_store())


@pytest.fixture
def filled(service: Service) -> Service:
    """Serve one graph with a person."""
    assert service.put(ONE, person("John Doe")).status_code == 201
    return service


# ---- W3C tests of the Graph Store Protocol -------------------------------------------------------


def test_put__initial_state(service: Service) -> None:
    """A new graph is created."""
    assert service.put(ONE, person("John Doe")).status_code == 201


def test_get_of_put__initial_state(filled: Service) -> None:
    """What was put is what is read."""
    assert filled.is_at(ONE, person("John Doe"))


def test_put__graph_already_in_store(filled: Service) -> None:
    """A graph that is there is replaced, with nothing in the answer."""
    assert filled.put(ONE, person("Jane Doe")).status_code == 204


def test_get_of_put__graph_already_in_store(filled: Service) -> None:
    """Nothing of the old graph is left."""
    filled.put(ONE, person("Jane Doe"))
    assert filled.is_at(ONE, person("Jane Doe"))


def test_put__default_graph(service: Service) -> None:
    """The default graph counts as created while it was empty."""
    assert service.put("/store?default", ALICE).status_code == 201
    assert service.put("/store?default", ALICE).status_code == 204


def test_get_of_put__default_graph(filled: Service) -> None:
    """The default graph is read by itself, without the named graphs."""
    filled.put("/store?default", ALICE)
    assert filled.is_at("/store?default", ALICE)


def test_put__mismatched_payload(filled: Service) -> None:
    """Turtle that is sent as RDF/XML is a bad request, and the graph stays."""
    answer = filled.put(ONE, person("Jane Doe"), "application/rdf+xml")
    assert answer.status_code == 400
    assert filled.is_at(ONE, person("John Doe"))


def test_put__empty_graph(service: Service) -> None:
    """An empty graph can be put."""
    assert service.put(TWO, "").status_code == 201
    assert service.put(TWO, "").status_code == 204


def test_get_of_put__empty_graph(filled: Service) -> None:
    """An empty graph is there, also after other writes."""
    filled.put(TWO, "")
    assert filled.is_at(TWO, "")
    filled.put(ONE, person("Jane Doe"))
    update = "INSERT DATA { GRAPH <urn:g> { <urn:a> <urn:b> 1 } } ; DELETE WHERE { GRAPH <urn:g> { ?s ?p ?o } }"
    assert filled.send("POST", "/sparql/update", update, "application/sparql-update").status_code == 204
    assert filled.get("/store?graph=urn:g").status_code == 404
    assert filled.is_at(TWO, "")


def test_delete__existing_graph(filled: Service) -> None:
    """A graph is removed, an empty one too."""
    filled.put(TWO, "")
    assert filled.send("DELETE", TWO).status_code == 204
    assert filled.send("DELETE", ONE).status_code == 204


def test_get_of_delete__existing_graph(filled: Service) -> None:
    """A removed graph is not there."""
    filled.send("DELETE", ONE)
    assert filled.get(ONE).status_code == 404


def test_delete__nonexistent_graph(service: Service) -> None:
    """What is not there cannot be removed."""
    assert service.send("DELETE", TWO).status_code == 404


def test_post__existing_graph(filled: Service) -> None:
    """A document is added to a graph that is there."""
    assert filled.send("POST", ONE, NAMED).status_code == 204


def test_get_of_post__existing_graph(filled: Service) -> None:
    """The graph is the old one with the new statement."""
    filled.send("POST", ONE, NAMED)
    assert filled.is_at(ONE, person("John Doe") + NAMED)


def multipart(nested: bool) -> tuple[bytes, str]:
    """Return two documents as parts of a form, or as parts of one part of it."""
    line = f'<{ROOT}/person/1> <http://xmlns.com/foaf/0.1/{{}}> "{{}}" .'
    parts = [("lastName.ttl", line.format("familyName", "Doe")), ("firstName.ttl", line.format("givenName", "Jane"))]
    edge = "BbC04y" if nested else "AaB03x"
    body = "".join(
        f"--{edge}\r\nContent-Disposition: form-data; name=graphs; filename={name}\r\nContent-Type: text/turtle\r\n\r\n"
        f"{text}\r\n"
        for name, text in parts
    )
    if nested:
        inside = "Content-Disposition: form-data; name=graphs\r\nContent-Type: multipart/mixed; boundary=BbC04y"
        body = f"--AaB03x\r\n{inside}\r\n\r\n{body}--BbC04y--\r\n"
    return (body + "--AaB03x--\r\n").encode(), "multipart/form-data; boundary=AaB03x"


@pytest.mark.parametrize("nested", [True, False])
def test_post__multipart_formdata(filled: Service, nested: bool) -> None:
    """Several documents come in one request, each with its own type."""
    assert filled.send("POST", ONE, *multipart(nested)).status_code == 204


@pytest.mark.parametrize("nested", [True, False])
def test_get_of_post__multipart_formdata(filled: Service, nested: bool) -> None:
    """All documents are added, in one version."""
    filled.send("POST", ONE, *multipart(nested))
    names = f'<{ROOT}/person/1> <http://xmlns.com/foaf/0.1/familyName> "Doe" ; <http://xmlns.com/foaf/0.1/givenName> '
    assert filled.is_at(ONE, person("John Doe") + names + '"Jane" .')
    assert filled.version() == 2


@pytest.fixture
def made(service: Service) -> tuple[Service, str]:
    """Serve a graph that was made without a name, and give its address."""
    return service, service.send("POST", "/store", ALICE).headers["Location"]


def test_post__create__new_graph(service: Service) -> None:
    """A document posted to the store itself becomes a new graph with an address of its own."""
    first, second = (service.send("POST", "/store", ALICE) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.headers["Location"].startswith(f"{ROOT}/store/")
    assert first.headers["Location"] != second.headers["Location"]


def test_get_of_post__create__new_graph(made: tuple[Service, str]) -> None:
    """The new graph is read at the address that the answer gave."""
    service, place = made
    assert service.is_at(place, ALICE)


def test_post__empty_graph_to_existing_graph(made: tuple[Service, str]) -> None:
    """An empty document adds nothing and makes no version."""
    service, place = made
    assert service.send("POST", place, "").status_code == 204
    assert service.version() == 1


def test_get_of_post__after_noop(made: tuple[Service, str]) -> None:
    """The graph is as it was."""
    service, place = made
    service.send("POST", place, "")
    assert service.is_at(place, ALICE)


def test_head_on_an_existing_graph(filled: Service) -> None:
    """HEAD tells the same as GET without the body."""
    answer = filled.client.head(ONE, headers={"Accept": "text/turtle"})
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "text/turtle", b"")
    assert answer.headers["ETag"] == filled.get(ONE).headers["ETag"]
    assert int(answer.headers["Content-Length"]) > 0


def test_head_on_a_nonexisting_graph(filled: Service) -> None:
    """HEAD of what is not there is 404."""
    assert filled.client.head(TWO).status_code == 404


# ---- Names and formats ---------------------------------------------------------------------------


def test_a_graph_has_the_same_content_by_all_its_names(service: Service) -> None:
    """Direct and indirect addresses lead to one graph; those of our sources are below /graph."""
    assert service.put("/graph/text", person("John Doe")).status_code == 201
    assert service.is_at(f"/store?graph={graph_iri('text')}", person("John Doe"))
    assert service.put(f"/store?graph={ROOT}{ONE}", person("Jane Doe")).status_code == 201
    assert service.is_at(ONE, person("Jane Doe"))
    assert set(service.store.graphs()["graph"]) == {graph_iri("text"), ROOT + ONE}


def test_relative_addresses_are_completed_by_the_name_of_the_graph(service: Service) -> None:
    """The base of a document is its graph."""
    service.put("/store?graph=http://example.org/a/b", "<c> <#d> <> .")
    assert service.is_at(
        "/store?graph=http://example.org/a/b",
        "<http://example.org/a/c> <http://example.org/a/b#d> <http://example.org/a/b> .",
    )


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("PUT", "?graph=g"),
        ("PUT", "?graph="),
        ("PUT", "?graph=urn:a&graph=urn:b"),
        ("PUT", "?default&graph=urn:a"),
        ("PUT", "?default&default"),
        ("PUT", "?graph=%FF"),
        ("PUT", "?graph=urn:a%3E%20b"),
        ("PUT", "/a%FF"),
        ("PUT", "/a?graph=urn:a"),
    ],
)
def test_a_request_names_exactly_one_graph_by_an_absolute_iri(service: Service, method: str, query: str) -> None:
    """Everything else is a bad request."""
    assert service.send(method, f"/store{query}", ALICE).status_code == 400
    assert service.version() == 0


@pytest.mark.parametrize(("suffix", "media_type"), [("ttl", "text/turtle"), ("nt", "application/n-triples")])
@pytest.mark.parametrize("back", ["ttl", "nt", "rdf", "jsonld"])
def test_a_graph_comes_back_in_every_format_as_it_was_sent(
    service: Service, suffix: str, media_type: str, back: str
) -> None:
    """What is sent in one format and read in another is the same graph, in the default graph too."""
    sent = convert(person('Zoë\n"ü"').replace('\n"', '\\n\\"').replace('ü"', 'ü\\"').encode(), "ttl", suffix)
    for address in ("/store?graph=urn:g", "/store?default"):
        service.put(address, sent, media_type)
        answer = service.get(f"{address}&format={back}")
        assert graph_hash(answer.data, back) == graph_hash(sent, suffix)
        assert service.put("/store?graph=urn:again", answer.data, answer.mimetype).status_code in {201, 204}
        assert service.is_at("/store?graph=urn:again", sent.decode())


def test_a_format_that_is_not_there_is_refused(filled: Service) -> None:
    """406 for reading, 415 for writing with the list of what there is."""
    assert filled.get(ONE, "image/png").status_code == 406
    for kind in ("application/trig", "application/n-quads", "text/csv", None):
        answer = filled.put(ONE, ALICE, kind)
        assert answer.status_code == 415
        assert "text/turtle" in answer.headers["Accept"]


def test_pages_of_other_sites_may_read_and_not_write(filled: Service) -> None:
    """Reads carry the CORS header, the preflight offers reads alone, and a foreign write is refused."""
    assert filled.get(ONE).headers["Access-Control-Allow-Origin"] == "*"
    asked = filled.client.options(ONE, headers={"Origin": "https://other.example"})
    assert "PUT" in asked.headers["Allow"]
    assert "PUT" not in asked.headers["Access-Control-Allow-Methods"]
    assert filled.put(ONE, ALICE, Origin="https://other.example").status_code == 403


def test_patch_is_not_offered(filled: Service) -> None:
    """405 tells the methods that there are."""
    answer = filled.send("PATCH", ONE, "CLEAR ALL", "application/sparql-update")
    assert answer.status_code == 405
    assert {"GET", "HEAD", "PUT", "POST", "DELETE"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_writing_needs_the_token(filled: Service, method: str) -> None:
    """Without it the answer is 401 and nothing is changed."""
    answer = filled.client.open(ONE, method=method, data=ALICE, content_type="text/turtle")
    assert answer.status_code == 401
    assert filled.version() == 1


def test_blank_nodes_of_a_document_are_new_ones(service: Service) -> None:
    """The same label in two documents is two things."""
    for _ in range(2):
        service.send("POST", "/store?graph=urn:g", '_:a <urn:p> "1" .')
    assert service.is_at("/store?graph=urn:g", '_:a <urn:p> "1" . _:b <urn:p> "1" .')


def test_a_graph_is_kept_the_same_way_in_every_kind_of_store(store: Store) -> None:
    """In memory, in a folder and behind an endpoint a graph is created, extended, replaced and removed."""
    for service in served(store):
        for address in ("/store?graph=urn:g", "/store?default"):
            assert service.put(address, ALICE).status_code == 201
            assert service.send("POST", address, NAMED).status_code == 204
            assert service.is_at(address, ALICE + NAMED)
            assert service.put(address, NAMED).status_code == 204
            assert service.is_at(address, NAMED)
            assert service.send("DELETE", address).status_code == 204
        assert service.get("/store?graph=urn:g").status_code == 404
        assert service.is_at("/store?default", "")


# ---- Versions and conditions ---------------------------------------------------------------------


def test_a_write_tells_its_version_and_why(filled: Service) -> None:
    """The answer names the version, the version names the request, and the next read has its tag."""
    answer = filled.put(ONE, person("Jane Doe"), Graphkit_Who="Ann")
    version = filled.store.version
    assert version
    assert answer.headers["Graphkit-Version"] == str(version.number) == "2"
    assert (version.who, version.why) == ("Ann", f"PUT {ROOT}{ONE}")
    assert filled.get(ONE).headers["ETag"].startswith(answer.headers["ETag"].rstrip('"'))


def test_a_read_is_not_repeated_while_nothing_changes(filled: Service) -> None:
    """A client that holds the present state gets 304, and after a write the new one."""
    first = filled.get(ONE)
    assert first.headers["Last-Modified"]
    assert filled.get(ONE, If_None_Match=first.headers["ETag"]).status_code == 304
    assert filled.get(ONE, "application/ld+json", If_None_Match=first.headers["ETag"]).status_code == 200
    filled.put(ONE, person("Jane Doe"))
    assert filled.get(ONE, If_None_Match=first.headers["ETag"]).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_write_that_has_not_seen_the_last_one_is_refused(filled: Service, method: str) -> None:
    """If-Match holds only for the present version, in whatever format it was read."""
    seen = filled.get(ONE, "application/ld+json").headers["ETag"]
    assert filled.put(ONE, person("Jane Doe"), If_Match=seen).status_code == 204
    assert filled.send(method, ONE, NAMED, If_Match=seen).status_code == 412
    assert filled.is_at(ONE, person("Jane Doe"))
    assert filled.send(method, ONE, NAMED, If_Match=f'"x", {filled.get(ONE).headers["ETag"]}').status_code == 204


def test_the_star_stands_for_any_state(filled: Service) -> None:
    """If-None-Match: * only creates, If-Match: * only changes what is there."""
    assert filled.put(ONE, ALICE, If_None_Match="*").status_code == 412
    assert filled.put(TWO, ALICE, If_Match="*").status_code == 412
    assert filled.put(TWO, ALICE, If_None_Match="*").status_code == 201
    assert filled.put(TWO, ALICE, If_Match="*").status_code == 204
    assert filled.put(TWO, ALICE, If_None_Match=filled.get(TWO).headers["ETag"]).status_code == 412


def test_a_write_may_be_bound_to_a_time(filled: Service) -> None:
    """If-Unmodified-Since fails where a version is newer."""
    version = filled.store.version
    assert version
    earlier = http_date(version.time - timedelta(minutes=1))
    assert filled.put(ONE, ALICE, If_Unmodified_Since=earlier).status_code == 412
    assert filled.put(ONE, ALICE, If_Unmodified_Since=http_date(version.time)).status_code == 204


# ---- Hostile bodies ------------------------------------------------------------------------------

BOMB = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="urn:a">
<rdf:value>&b;</rdf:value></rdf:Description></rdf:RDF>"""
NESTED_XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:p="urn:p#">'
    + "<rdf:Description><p:p>" * 5_000
    + "</p:p></rdf:Description>" * 5_000
    + "</rdf:RDF>"
)
HOSTILE = [
    pytest.param(BOMB, "application/rdf+xml", 400, id="doctype"),
    pytest.param(BOMB.encode("utf-16"), "application/rdf+xml", 400, id="doctype_in_utf16"),
    pytest.param(NESTED_XML, "application/rdf+xml", 400, id="nested_xml"),
    pytest.param(
        '{"@context": "http://127.0.0.1:9/context.jsonld", "name": "x"}', "application/ld+json", 400, id="context"
    ),
    pytest.param('{"@context": "file:///etc/passwd", "name": "x"}', "application/ld+json", 400, id="context_file"),
    pytest.param(
        '{"@id": "urn:g", "@graph": [{"@id": "urn:a", "urn:p": 1}], "urn:q": 2}',
        "application/ld+json",
        400,
        id="other_graphs",
    ),
    pytest.param(
        '{"@id": "urn:a", "urn:p": ' + "[" * 10_000 + "]" * 10_000 + "}", "application/ld+json", 400, id="deep"
    ),
    pytest.param(
        "<urn:a> <urn:p> " + "[ <urn:p> " * 10_000 + "1" + "]" * 10_000 + ".", "text/turtle", 400, id="nested"
    ),
    pytest.param("<urn:a> <urn:p> " + "(" * 10_000 + ")" * 10_000 + ".", "text/turtle", 400, id="nested_lists"),
    pytest.param(b"<urn:a> <urn:p> '\xff' .", "text/turtle", 400, id="not_utf8"),
    pytest.param("<urn:a> <urn:p> 1 .".encode("utf-16"), "text/turtle; charset=utf-16", 400, id="utf16"),
    pytest.param("GRAPH <urn:x> { <urn:a> <urn:p> 1 }", "text/turtle", 400, id="graph_in_turtle"),
    pytest.param("--x\r\n\r\n", "multipart/form-data; boundary=y", 400, id="wrong_boundary"),
    pytest.param("x", "multipart/form-data", 400, id="no_boundary"),
    pytest.param(
        b"--y\r\nContent-Type: image/png\r\n\r\nx\r\n--y--\r\n", "multipart/form-data; boundary=y", 415, id="png"
    ),
    pytest.param(
        b"".join(b"--y\r\nContent-Type: text/turtle\r\n\r\n\r\n" for _ in range(1_000)) + b"--y--\r\n",
        "multipart/form-data; boundary=y",
        400,
        id="many_parts",
    ),
    pytest.param(
        b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(3_000)),
        "multipart/form-data; boundary=b0",
        400,
        id="nested_parts",
    ),
]


@pytest.mark.parametrize("address", ["/store?default", "/store?graph=urn:g"])
@pytest.mark.parametrize(("body", "kind", "status"), HOSTILE)
def test_a_hostile_body_is_refused_and_nothing_is_stored(
    service: Service, body: str | bytes, kind: str, status: int, address: str
) -> None:
    """The answer is 4xx with a reason, whatever graph it is meant for; no host is contacted (the tests forbid it)."""
    answer = service.send("POST", address, body, kind)
    assert answer.status_code == status
    assert answer.get_json()["detail"]
    assert service.version() == 0


def test_a_doctype_is_found_in_any_encoding(service: Service) -> None:
    """A long document in UTF-16 is refused for its DOCTYPE, before any entity of it is written out."""
    long = BOMB.replace("</rdf:Description>", "<rdf:value>&b;</rdf:value>" * 200 + "</rdf:Description>")
    answer = service.put("/store?graph=urn:g", long.encode("utf-16"), "application/rdf+xml")
    assert answer.status_code == 400
    assert "DOCTYPE" in answer.get_json()["detail"]


def test_a_malformed_body_is_refused_with_line_and_column(filled: Service) -> None:
    """The place of the fault is told, in a part of a form too; of several parts none is stored."""
    answer = filled.put(ONE, "<urn:a> <urn:b> 1 .\n<urn:a> <urn:b> .")
    assert answer.status_code == 400
    assert "the body, line 2, column" in answer.get_json()["where"]
    part = b"--y\r\nContent-Type: text/turtle\r\n\r\n%s\r\n"
    body = part % b"<urn:a> <urn:b> 1 ." + part % b"x" + b"--y--\r\n"
    answer = filled.send("POST", ONE, body, "multipart/form-data; boundary=y")
    assert answer.status_code == 400
    assert "part 2 of the body, line 1" in answer.get_json()["where"]
    assert filled.version() == 1


def test_a_packed_body_is_read(service: Service) -> None:
    """Gzip is undone, of several members too; other packings are 415."""
    packed = gzip.compress(b"<urn:a> <urn:p> 1 .\n") + gzip.compress(b"<urn:a> <urn:p> 2 .\n")
    assert service.put("/store?graph=urn:g", packed, Content_Encoding="gzip").status_code == 201
    assert service.is_at("/store?graph=urn:g", "<urn:a> <urn:p> 1, 2 .")
    assert service.put("/store?graph=urn:g", packed, Content_Encoding="br").status_code == 415


@pytest.mark.parametrize(
    ("packed", "status"),
    [
        pytest.param(gzip.compress(b" " * 30_000_000), 413, id="bomb"),
        pytest.param(gzip.compress(b" " * 900_000) * 200, 413, id="many_members"),
        pytest.param(gzip.compress(b"<urn:a> <urn:p> 1 .")[:-9], 400, id="cut"),
        pytest.param(b"<urn:a> <urn:p> 1 .", 400, id="not_packed"),
    ],
)
def test_a_packed_body_cannot_blow_up(service: Service, packed: bytes, status: int) -> None:
    """What unpacks to a hundred times its size is refused long before it is unpacked whole."""
    assert service.put("/store?graph=urn:g", packed, Content_Encoding="gzip").status_code == status
    assert service.version() == 0


def test_a_body_that_is_too_long_is_refused(service: Service) -> None:
    """More than the limit is 413, by its announced length and before it is read."""
    environ: dict[str, Any] = {"CONTENT_LENGTH": str(100_000_001), "wsgi.input": io.BytesIO(b"x")}
    answer = service.client.put(
        "/store?default",
        content_type="text/turtle",
        headers={"Authorization": f"Bearer {TOKEN}"},
        environ_overrides=environ,
    )
    assert answer.status_code == 413


# ---- Shapes --------------------------------------------------------------------------------------


def test_a_graph_that_breaks_the_shapes_is_not_stored() -> None:
    """With the check switched on a bad graph is 422 and a good one is stored."""
    for service in served(village_store(), check_writes=True):
        before = service.version()
        answer = service.put("/graph/bad", "<urn:x> a <https://w3id.org/solidarity-graph/ns#Activity> .")
        assert answer.status_code == 422
        assert service.version() == before
        assert service.put("/graph/good", "<urn:x> <urn:says> 'hello' .").status_code == 201
