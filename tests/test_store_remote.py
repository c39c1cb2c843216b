"""A store behind an endpoint: what the wire carries, and what goes wrong on it."""

from __future__ import annotations

import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from graphkit.errors import LimitError, QueryError, StoreError, UsageError
from graphkit.store import Limits, Question, ReaderPool, open_store

Answer = tuple[int, str, bytes]
Respond = Callable[[str, str, bytes], Answer]
JSON = "application/sparql-results+json"
ALL = "SELECT ?o { ?s ?p ?o } ORDER BY ?o"


@contextmanager
def _server(respond: Respond) -> Iterator[str]:
    """Run a small HTTP server that answers POSTs as `respond(path, accept, body)` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, kind, content = respond(self.path, self.headers["Accept"], body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _fixed(status: int, kind: str, content: bytes) -> Respond:
    return lambda *_: (status, kind, content)


def _forwarding(endpoint: str, seen: list[tuple[str, bytes]]) -> Respond:
    """Pass requests on to a real server, as one that does not know Oxigraph's own parameter."""

    def respond(path: str, accept: str, body: bytes) -> Answer:
        seen.append((path, body))
        kind = "application/sparql-update"
        if path == "/query":
            kind = "application/x-www-form-urlencoded"
            fields = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)
            body = urllib.parse.urlencode([pair for pair in fields if pair[0] != "union-default-graph"]).encode()
        address = endpoint.removesuffix("/query") + path.rstrip("?")
        request = urllib.request.Request(address, body, {"Accept": accept, "Content-Type": kind})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"] or "text/plain", answer.read()

    return respond


def test_an_endpoint_keeps_no_versions(plain_endpoint: str) -> None:
    """The version is None, and the rest says where versions can be had."""
    store = open_store(plain_endpoint)
    assert store.version is None
    assert store.location == plain_endpoint
    for use in (store.versions, lambda: store.diff(1, 2), lambda: store.restore(1)):
        with pytest.raises(StoreError, match="keeps no versions") as caught:
            use()
        assert "folder" in caught.value.hint


def test_named_graphs_are_passed_where_the_endpoint_does_not_unite_them(plain_endpoint: str) -> None:
    """Against a server without any parameter of its own, the standard ones make the union; FROM is left alone."""
    seen: list[tuple[str, bytes]] = []
    with _server(_forwarding(plain_endpoint, seen)) as address:
        store = open_store(address)
        with store.change("two graphs") as change:
            change.update("CLEAR ALL")
            change.load(b"<urn:a> <urn:p> 1 .", media_type="ttl", graph="urn:g1")
            change.load(b"<urn:a> <urn:p> 2 .", media_type="ttl", graph="urn:g2")
        assert store.select(ALL)["o"].to_list() == [1, 2]
        assert store.select("SELECT ?g { GRAPH ?g { ?s ?p 2 } }")["g"].to_list() == ["urn:g2"]
        assert b"default-graph-uri=urn%3Ag1&default-graph-uri=urn%3Ag2&named-graph-uri=urn%3Ag1" in seen[-1][1]
        assert store.select(ALL.replace("{", "FROM <urn:g2> {", 1))["o"].to_list() == [2]
        assert b"graph-uri" not in seen[-1][1]
        with store.change("a third") as change:
            change.load(b"<urn:a> <urn:p> 3 .", media_type="ttl", graph="urn:g3")
        assert store.select(ALL)["o"].to_list() == [1, 2, 3]


def test_a_change_is_one_request_sent_at_its_end(plain_endpoint: str) -> None:
    """Nothing goes out before the end of the block, nothing at all after an error or for no work."""
    seen: list[tuple[str, bytes]] = []
    with _server(_forwarding(plain_endpoint, seen)) as address:
        store = open_store(address)
        with store.change("nothing"):
            pass
        with pytest.raises(QueryError), store.change("broken") as change:
            change.update("CLEAR ALL; nonsense")
        with store.change("whole") as change:
            change.update("# first\nPREFIX e: <urn:> CLEAR ALL # end")
            change.load(b"_:x <urn:p> _:x .", media_type="ttl")
            change.load(b"_:x <urn:p> 1 .", media_type="ttl", graph="urn:g")
            change.update("PREFIX e: <urn:> INSERT DATA { e:a e:p 1 };")
            change.update(" # only a remark\n")
            assert seen == []
        assert [path.rstrip("?") for path, _ in seen] == ["/update"]
        assert len(store.dump().splitlines()) == 3


def test_prefixes_that_contradict_each_other_are_refused(plain_endpoint: str) -> None:
    """In one request a prefix can mean one thing only."""
    with open_store(plain_endpoint).change("x") as change:
        change.update("PREFIX e: <urn:a> INSERT DATA { e:a e:p 1 }")
        with pytest.raises(StoreError, match="disagree about PREFIX e:"):
            change.update("PREFIX e: <urn:b> INSERT DATA { e:a e:p 1 }")


def test_a_request_that_fails_on_the_server_changes_nothing(plain_endpoint: str) -> None:
    """The server's words come back, and its transaction undid the first part."""
    store = open_store(plain_endpoint)
    with store.change("begin") as change:
        change.update("CLEAR ALL; CREATE GRAPH <urn:there>")

    def work() -> None:
        with store.change("fails") as change:
            change.load(b"<urn:a> <urn:p> 1 .", media_type="ttl")
            change.update("CREATE GRAPH <urn:there>")

    with pytest.raises(StoreError, match="already exists"):
        work()
    assert store.dump() == b""


def test_read_only_means_that_nothing_is_sent(plain_endpoint: str) -> None:
    """The promise is kept on this side."""
    with pytest.raises(StoreError, match="reading only"):
        open_store(plain_endpoint, read_only=True).change("x").__enter__()


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, QueryError, "the words of the server"),
        (401, StoreError, "the words of the server"),
        (404, StoreError, "the words of the server"),
        (414, StoreError, "the words of the server"),
        (500, StoreError, "the words of the server"),
        (503, StoreError, "503 Service Unavailable: the words of the server"),
    ],
)  # fmt: skip
def test_a_server_that_refuses_is_quoted(status: int, error: type[Exception], words: str) -> None:
    """Each HTTP status is an error of ours with the server's words, trimmed, and its address."""
    body = b"the words\n of the server " + b"x" * 5000
    with _server(_fixed(status, "text/plain", body)) as address:
        store = open_store(address)
        with pytest.raises(error, match=words) as caught:
            store.select(ALL.replace("{", "FROM <urn:g> {", 1))
        assert address in str(caught.value)
        assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/html", b"<html>Welcome</html>"),
        (JSON, b'{"head":{"vars":["o"]},"results":{"bindings":[{"o":{"type":"uri","value":"urn:a"}},{"o":'),
        (JSON, b""),
        (JSON, b"[]"),
        ("application/sparql-results+xml", b"<sparql>"),
        ("text/plain", b"ok"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_error(kind: str, content: bytes) -> None:
    """A page in HTML or a table that was cut off is never taken for a result."""
    with _server(_fixed(200, kind, content)) as address, pytest.raises(StoreError, match="cannot be read"):
        open_store(address).select(ALL)


def test_xml_answers_and_turtle_graphs_are_read() -> None:
    """An endpoint that has no JSON or no N-Triples will do."""
    table = (
        b'<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head><variable name="o"/></head><results><result>'
        b'<binding name="o"><literal datatype="http://www.w3.org/2001/XMLSchema#integer">007</literal></binding>'
        b"</result></results></sparql>"
    )

    def respond(path: str, accept: str, body: bytes) -> Answer:
        if "CONSTRUCT" in body.decode():
            return 200, "text/turtle;charset=utf-8", b"@prefix e: <urn:> . e:a e:p 1 ."
        return 200, "application/sparql-results+xml; charset=utf-8", b"<sparql/>" if b"ASK" in body else table

    query = ALL.replace("{", "FROM <urn:g> {", 1)
    with _server(respond) as address:
        store = open_store(address)
        assert store.select(query)["o"].to_list() == [7]
        found = store.construct("CONSTRUCT { ?s ?p ?o } FROM <urn:g> { ?s ?p ?o }")
        assert found == b'<urn:a> <urn:p> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .\n'


def test_a_server_that_is_not_there_is_named() -> None:
    """A refused connection says which address, and what to look at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}/query"
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        open_store(address).select(ALL)
    assert caught.value.where == address


def test_a_slow_server_is_not_waited_for() -> None:
    """After the timeout the error names it; a pool sets it for one query."""
    ready = threading.Event()

    def respond(path: str, accept: str, body: bytes) -> Answer:
        ready.wait(10)
        return 200, JSON, b"{}"

    with _server(respond) as address:
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"within 0\.3 seconds"):
            open_store(address, timeout=0.3).select(ALL)
        question = Question(ALL.replace("{", "FROM <urn:g> {", 1), "csv", seconds=0.3)
        with pytest.raises(LimitError, match=r"longer than 0\.3 seconds") as caught:
            ReaderPool(open_store(address)).ask(question)
        assert caught.value.limit == "time"
        assert time.monotonic() - started < 5
        ready.set()


def test_a_long_answer_of_an_endpoint_is_refused(union_endpoint: str) -> None:
    """The limit on the length holds for endpoints too."""
    query = f"SELECT ('{'x' * 2000}' AS ?x) {{}}"
    with pytest.raises(QueryError, match="longer than 1,000 bytes"):
        ReaderPool(open_store(union_endpoint), Limits(max_bytes=1000)).ask(Question(query, "csv"))


@pytest.mark.parametrize("address", ["http://user:secret@127.0.0.1/query", "http://", "https:///query"])
def test_a_bad_address_is_refused_without_repeating_a_password(address: str) -> None:
    """Passwords stay out of addresses and messages."""
    with pytest.raises(UsageError) as caught:
        open_store(address)
    assert "secret" not in str(caught.value)
