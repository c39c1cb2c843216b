"""SERVICE calls allowed endpoints and the search through our own client, and nobody else is ever contacted."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from graphkit.errors import GraphkitError, QueryError, UsageError
from graphkit.names import Names
from graphkit.outward import is_public
from graphkit.store import Store, open_store
from graphkit.store.services.calls import find_calls, with_endpoints
from graphkit.store.services.gate import Services
from graphkit.store.services.text_search import SEARCH, answer_search
from graphkit.terms import ID
from tests import test_store_guard
from webui import create_app
from webui.settings import Settings

JSON = "application/sparql-results+json"
ONE = b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"uri","value":"urn:far"}}]}}'
_SPELLED = test_store_guard.test_a_call_to_another_server_is_found_however_it_is_hidden
SPELLINGS: list[str] = _SPELLED.pytestmark[0].args[1]  # type: ignore[attr-defined]
PREFIXES = f"PREFIX search: <{SEARCH}#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\n"


def _ask(services: Services, sparql: str, store: ox.Store | None = None) -> list[dict[str, str]]:
    """Run a query as a worker does: what `admit` gives goes to the engine, and its errors become `QueryError`."""
    with services.admit(sparql) as text:
        try:
            answer = json.loads(_run(store or ox.Store(), text))
        except (RuntimeError, OSError, SyntaxError) as error:
            raise QueryError(f"the query fails: {error}") from error
    return [{name: term["value"] for name, term in row.items()} for row in answer["results"]["bindings"]]


def _run(store: ox.Store, sparql: str) -> bytes:
    """Run a query; what the engine found has no name here, since an error would keep it for another thread."""
    return store.query(sparql).serialize(format=ox.QueryResultsFormat.JSON) or b""  # type: ignore[arg-type]


@dataclass
class Far:
    """A server that answers what the test tells it, and notes what it was asked."""

    url: str
    requests: list[tuple[str, dict[str, str], bytes]]


@contextmanager
def _far(answer: Callable[[BaseHTTPRequestHandler], None], context: ssl.SSLContext | None = None) -> Iterator[Far]:
    requests: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, dict(self.headers), body))
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        scheme = "https" if context else "http"
        yield Far(f"{scheme}://127.0.0.1:{server.server_address[1]}/sparql", requests)
    finally:
        server.shutdown()
        server.server_close()


def _answers(status: int, body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content_Type": JSON, "Content_Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def _services(*allowed: str, **more: Any) -> Iterator[Services]:
    services = Services(allowed, **more)
    try:
        yield services
    finally:
        services.close()


@pytest.fixture
def trap() -> Iterator[Callable[[], str]]:
    """Give a listening address, and fail the test if anybody connected to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield lambda: f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(TimeoutError):
            server.accept()


# ---- Allowed endpoints -----------------------------------------------------------------------


def test_an_allowed_endpoint_is_asked_and_joined(plain_endpoint: str) -> None:
    """Another SPARQL server answers a part of the query, and the rest is answered here."""
    with open_store(plain_endpoint) as far, far.change("something to find") as change:
        change.update("CLEAR ALL; INSERT DATA { <urn:mill> <urn:grain> 'rye' . <urn:farm> <urn:grain> 'oats' }")
    near = ox.Store()
    near.update("INSERT DATA { <urn:mill> <urn:place> 'Upton' }")
    with _services(plain_endpoint) as services:
        query = f"SELECT * {{ ?who <urn:place> ?place SERVICE <{plain_endpoint}> {{ ?who <urn:grain> ?grain }} }}"
        assert _ask(services, query, near) == [{"who": "urn:mill", "place": "Upton", "grain": "rye"}]


def test_the_endpoint_learns_only_the_query() -> None:
    """No cookie, no password, our own name, no compression, and the text of the group."""
    with _far(_answers(200, ONE, Set_Cookie="a=b")) as far, _services(far.url) as services:
        query = f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p 'x' }} }}"
        assert _ask(services, query) == _ask(services, query) == [{"s": "urn:far"}]
    path, headers, body = far.requests[1]
    assert (path, body) == ("/sparql", b'SELECT * WHERE { ?s ?p "x" . }')
    assert headers.pop("User-Agent").startswith("graphkit/")
    assert headers == {
        "Host": far.url.removeprefix("http://").removesuffix("/sparql"),
        "Accept": f"{JSON}, application/sparql-results+xml",
        "Accept-Encoding": "identity",
        "Content-Type": "application/sparql-query",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }


@pytest.mark.parametrize(
    "call",
    ["SERVICE <{}>", "service<{}>", "Service Silent\n<{}>\t", "SERVICE p:sparql ", "SERVICE SILENT p:sparql"],
)
def test_ways_to_write_a_call(call: str) -> None:
    """Case, blanks and a declared prefix make no difference."""
    with _far(_answers(200, ONE)) as far, _services(far.url) as services:
        prefix = f"PREFIX p: <{far.url.removesuffix('sparql')}>"
        assert _ask(services, f"{prefix} SELECT * {{ {call.format(far.url)} {{ ?s ?p ?o }} }}") == [{"s": "urn:far"}]


def test_a_redirect_to_an_allowed_endpoint_is_followed() -> None:
    """The query is sent again; the target must stand on the list."""
    with _far(_answers(200, ONE)) as far, _far(_answers(307, b"", Location=far.url)) as first:
        query = f"SELECT * {{ SERVICE <{first.url}> {{ ?s ?p ?o }} }}"
        with _services(first.url, far.url) as services:
            assert _ask(services, query) == [{"s": "urn:far"}]
        with _services(first.url) as services, pytest.raises(QueryError, match=rf"leads to {far.url}, which is not"):
            _ask(services, query)
    assert len(far.requests) == 1


def test_a_circle_of_redirects_ends() -> None:
    """After three redirects it is enough."""
    with (
        _far(_answers(302, b"", Location="/sparql")) as far,
        _services(far.url) as services,
        pytest.raises(QueryError, match="more than 3 times"),
    ):
        _ask(services, f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}")
    assert len(far.requests) == 4


def _slow(handler: BaseHTTPRequestHandler) -> None:
    """Give a byte now and then, so that no single wait is long."""
    handler.send_response(200)
    handler.send_header("Content-Type", JSON)
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def _endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", JSON)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" " * 100_000)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_answers(200, b"<html>", Content_Type="text/html; charset=utf-8"), "answers with text/html and not with"),
        (_answers(200, ONE, Content_Type=""), "no media type"),
        (_answers(200, ONE, Content_Encoding="gzip"), "compressed"),
        (_answers(200, ONE[:-9]), "cannot be read"),
        (_answers(200, ONE, Content_Length="5000"), "breaks off its answer"),
        (_answers(200, b'{"head":{},"boolean":true}'), "yes or no"),
        (_answers(200, b"<!DOCTYPE a [<!ENTITY b 'c'>]><sparql/>", Content_Type="application/sparql-results+xml"),
         "document type"),
        (_answers(200, b"<html/>", Content_Type="application/sparql-results+xml"), "cannot be read"),
        (_answers(400, b"no\n such \x00graph", Content_Type="text/plain"), "answers 400"),
        (_answers(303, b"", Location="http://127.0.0.1:1/"), "answers 303"),
        (_answers(301, b"", Location="file:///etc/passwd"), "which is not allowed"),
        (_answers(301, b"", Location="http://[::"), "does not speak HTTP"),
        (_slow, "did not answer in time"),
        (_endless, "more than 1,000,000 bytes"),
        (lambda handler: handler.wfile.write(b"hello\r\n\r\n"), "does not speak HTTP"),
        (lambda handler: None, "does not speak HTTP|cannot be reached"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_told_with_its_endpoint_and_silent_hides_it(
    answer: Callable[[BaseHTTPRequestHandler], None], reason: str
) -> None:
    """The error names the endpoint and not the gate; under SILENT there is one empty solution."""
    with _far(answer) as far, _services(far.url, seconds=0.5, most_bytes=1_000_000) as services:
        started = time.monotonic()
        with pytest.raises(QueryError, match=reason) as caught:
            _ask(services, f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}")
        assert caught.value.where == f"SERVICE <{far.url}>"
        assert far.url in caught.value.what
        assert _ask(services, f"SELECT * {{ SERVICE SILENT <{far.url}> {{ ?s ?p ?o }} }}") == [{}]
        assert time.monotonic() - started < 4


def test_the_words_of_the_endpoint_are_passed_on() -> None:
    """A plain text beside an error status is shortened to printable words."""
    with (
        _far(_answers(400, b"no\n such \x00graph", Content_Type="text/plain")) as far,
        _services(far.url) as services,
        pytest.raises(QueryError) as caught,
    ):
        _ask(services, f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}")
    assert caught.value.hint == "no such graph"


def test_an_endpoint_that_is_not_there_is_told() -> None:
    """Nobody listens on this port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    with _services(url) as services, pytest.raises(QueryError, match="cannot be reached: Connection refused"):
        _ask(services, f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}")


def test_when_the_query_ends_its_calls_are_cut() -> None:
    """The gate does not go on asking for somebody who is gone, and its address leads nowhere afterwards."""
    ended = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        try:
            _slow(handler)
        except OSError:
            ended.set()

    with _far(slow) as far, _services(far.url) as services:
        query = f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}"
        with services.admit(query) as text:
            worker = threading.Thread(target=lambda: _quietly(text), daemon=True)
            worker.start()
            while not far.requests:
                time.sleep(0.01)
        assert ended.wait(5)
        worker.join(5)
        with pytest.raises(OSError, match="nobody is expected here"):
            _run(ox.Store(), text)
    assert len(far.requests) == 1


def _quietly(text: str) -> None:
    with pytest.raises((OSError, RuntimeError)):
        _run(ox.Store(), text)


def test_a_call_for_each_solution_is_bounded() -> None:
    """EXISTS makes the engine call again and again, and takes an error for a no; the query fails all the same."""
    near = ox.Store()
    near.update("INSERT DATA { " + " ".join(f"<urn:{i}> <urn:p> {i} ." for i in range(200)) + " }")
    with _far(_answers(200, ONE)) as far, _services(far.url) as services:
        query = f"SELECT * {{ ?a <urn:p> ?b FILTER EXISTS {{ SERVICE <{far.url}> {{ ?s ?p ?b }} }} }}"
        with pytest.raises(QueryError, match="more than 50 times"):
            _ask(services, query, near)
    assert len(far.requests) == 50


class _EndedError(QueryError):
    """What a limit of the pool raises is of a kind of its own."""


def test_other_errors_are_left_alone() -> None:
    """A fault in the query itself is told in the engine's words, without the address of the gate."""
    with _far(_answers(200, ONE)) as far, _services(far.url) as services:
        query = f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}"
        with pytest.raises(QueryError, match="the query fails"):
            _ask(services, query + " nonsense")
        with pytest.raises(_EndedError), services.admit(query):
            raise _EndedError("stopped")
        with pytest.raises(QueryError) as caught, services.admit(query) as text:
            raise QueryError("near: " + text, where=text)
    assert far.requests == []
    assert far.url in caught.value.what
    assert far.url in caught.value.where
    assert not re.search(r"/[\w-]{43}/0", str(caught.value))


# ---- Through the service ---------------------------------------------------------------------


@contextmanager
def _client(village: Store, *allowed: str, seconds: float = 10.0) -> Iterator[FlaskClient]:
    app = create_app(village, Settings(readers=1, services=allowed, query_seconds=seconds))
    try:
        yield app.test_client()
    finally:
        app.extensions["graphkit"].pool.close()
        app.extensions["graphkit"].services.close()


def _get(client: FlaskClient, query: str) -> TestResponse:
    return client.get("/sparql", query_string={"query": query, "format": "json"})


def test_a_deployment_with_a_list_joins_its_graph_with_another(village: Store) -> None:
    """From the HTTP request to the worker process, through the gate, to another server and back."""
    mill = f"{ID}organisation/mill".encode()
    with _far(_answers(200, ONE.replace(b"urn:far", mill))) as far, _client(village, far.url) as client:
        label = "<http://www.w3.org/2000/01/rdf-schema#label>"
        answer = _get(client, f"SELECT ?name {{ SERVICE <{far.url}> {{ ?s ?p ?o }} ?s {label} ?name }}")
        assert [row["name"]["value"] for row in answer.get_json(force=True)["results"]["bindings"]] == ["Mill"]


def test_an_answer_with_a_call_is_not_kept(village: Store) -> None:
    """The other endpoint may have changed its mind."""
    with _far(_answers(200, ONE)) as far, _client(village, far.url) as client:
        for _ in range(2):
            assert _get(client, f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}").status_code == 200
    assert len(far.requests) == 2


def test_a_failing_endpoint_is_the_reason_of_the_refusal(village: Store) -> None:
    """The answer is 400, names the endpoint and says why; no address of the gate is told."""
    with _far(_answers(500, b"")) as far, _client(village, far.url) as client:
        answer = _get(client, f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}")
        assert answer.status_code == 400
        assert f"the endpoint {far.url} answers 500" in answer.text
        assert answer.text.count("127.0.0.1") == answer.text.count(far.url)
        silent = _get(client, f"SELECT * {{ SERVICE SILENT <{far.url}> {{ ?s ?p ?o }} }}")
        assert silent.get_json(force=True)["results"]["bindings"] == [{}]


def test_a_slow_endpoint_does_not_stretch_the_time_of_a_query(village: Store) -> None:
    """The query ends at its own limit, and the call is cut."""
    with _far(_slow) as far, _client(village, far.url, seconds=1.0) as client:
        started = time.monotonic()
        answer = _get(client, f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}")
        assert answer.status_code == 504
        assert time.monotonic() - started < 3


def test_in_front_of_another_endpoint_nobody_is_called(plain_endpoint: str) -> None:
    """The address of the gate would mean nothing to an engine elsewhere, so it is not told."""
    with _far(_answers(200, ONE)) as far, open_store(plain_endpoint) as store, _client(store, far.url) as client:
        answer = _get(client, f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}")
        assert (answer.status_code, "SERVICE is not allowed" in answer.text) == (400, True)
    assert far.requests == []


# ---- Addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"],  # noqa: S104
)
def test_this_machine_is_not_contacted_under_any_of_its_names(trap: Callable[[], str], host: str) -> None:
    """Unlisted, each is refused; listed, only a literal address of this machine or localhost counts."""
    port = trap().rpartition(":")[2]
    with _services("https://example.org/sparql") as services, pytest.raises(QueryError, match="SERVICE is not allowed"):
        _ask(services, f"SELECT * {{ SERVICE <http://{host}:{port}/> {{ ?s ?p ?o }} }}")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0.0.0.0", "0"])  # noqa: S104
def test_a_listed_name_that_hides_this_machine_is_refused(trap: Callable[[], str], host: str) -> None:
    """Only who writes the address itself means it."""
    url = f"http://{host}:{trap().rpartition(':')[2]}/"
    with _services(url) as services, pytest.raises(QueryError, match=r"not a public one|cannot be reached"):
        _ask(services, f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1", "64:ff9b::7f00:1"])
def test_a_name_that_resolves_to_an_inner_address_is_refused(trap: Callable[[], str], address: str) -> None:
    """Also where a public address stands beside it."""
    url = f"http://data.example:{trap().rpartition(':')[2]}/"

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(0, 0, 0, "", ("9.9.9.9", port)), (0, 0, 0, "", (address, port))]

    with (
        _services(url, resolve=resolve) as services,
        pytest.raises(QueryError, match=f"has the address {address}, which is not a public one"),
    ):
        _ask(services, f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}")


def test_a_name_is_resolved_once(trap: Callable[[], str]) -> None:
    """The connection goes to the address that was checked, whatever the name means a moment later."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    with _far(_answers(200, ONE)) as far:
        url = far.url.replace("127.0.0.1", "localhost")
        with _services(url, resolve=resolve) as services:
            assert _ask(services, f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}") == [{"s": "urn:far"}]
    assert asked == ["localhost"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("9.9.9.9", True), ("2620:fe::fe", True), ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("127.0.0.1", False), ("0.0.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("192.0.2.1", False), ("198.18.0.1", False), ("224.0.0.1", False), ("239.1.1.1", False), ("240.0.0.1", False),
        ("255.255.255.255", False), ("192.88.99.1", False), ("::", False), ("::1", False), ("fe80::1", False),
        ("fc00::1", False), ("fec0::1", False), ("ff02::1", False), ("::ffff:9.9.9.9", False), ("::9.9.9.9", False),
        ("64:ff9b::9.9.9.9", False), ("64:ff9b:1::1", False), ("2002:7f00:1::", False), ("2001::1", False),
        ("2001:db8::1", False), ("3fff::1", False), ("100::1", False), ("4000::1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """By the registries of the IANA; what merely stands for an IPv4 address is not."""
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org/", "file:///etc/passwd", "http://", "http://user:word@example.org/",
     "http://example.org/#part", "http://example.org/ x", "http://exämple.org/", "http://[::1", "http://a:99999/",
     "http://a/<b>", "http://a/\r\nX: y"],
)  # fmt: skip
def test_a_bad_address_on_the_list_is_refused_at_once(url: str) -> None:
    """Whoever starts the server learns it, and not the one who asks."""
    with pytest.raises(UsageError, match="no address of an endpoint"):
        Services([url])


# ---- TLS -------------------------------------------------------------------------------------

CERTIFICATE = Path(__file__).with_name("localhost.pem")


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    """The query is not sent before the host has proved who it is."""
    with (
        _far(_answers(200, ONE), _server_context()) as far,
        _services(far.url) as services,
        pytest.raises(QueryError, match="no certificate to be trusted"),
    ):
        _ask(services, f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}")
    assert far.requests == []


def test_a_certificate_that_is_vouched_for_must_name_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names localhost and not 127.0.0.1."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with _far(_answers(200, ONE), _server_context()) as far:
        named = far.url.replace("127.0.0.1", "localhost")
        with _services(named, far.url) as services:
            assert _ask(services, f"SELECT * {{ SERVICE <{named}> {{ ?s ?p ?o }} }}") == [{"s": "urn:far"}]
            with pytest.raises(QueryError, match="no certificate to be trusted"):
                _ask(services, f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}")
    assert len(far.requests) == 1


# ---- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("query", SPELLINGS)
def test_no_spelling_reaches_a_host_that_is_not_allowed(trap: Callable[[], str], query: str) -> None:
    """With a list and a search, the guard is as strict as without; a socket that listens sees nobody."""
    hostile = query.replace("127.0.0.1:9", trap())
    with (
        _services("http://127.0.0.1:9/allowed", search=lambda words, limit: []) as services,
        pytest.raises(QueryError, match="SERVICE is not allowed"),
    ):
        _ask(services, hostile)


@pytest.mark.parametrize("query", SPELLINGS)
def test_no_spelling_beside_an_allowed_call_reaches_another_host(trap: Callable[[], str], query: str) -> None:
    """An allowed call in the same text opens no way for a hidden one."""
    with _far(_answers(200, ONE)) as far, _services(far.url) as services:
        hostile = query.replace("127.0.0.1:9", trap())
        beside = hostile[:-1] + f"\n SERVICE <{far.url}> {{ ?s ?p ?o }} }}"
        with pytest.raises(QueryError, match="SERVICE is not allowed"):
            _ask(services, beside)
    assert far.requests == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT * {{ SERVICE ?where {{ ?s ?p ?o }} }}", "with a variable"),
        ("SELECT * {{ SERVICE SILENT$where {{ ?s ?p ?o }} }}", "with a variable"),
        ("SELECT * {{ SERVICE p:x {{ ?s ?p ?o }} }}", "'p:' is not declared"),
        ("PREFIX p: <{0}> PREFIX p: <urn:x> SELECT * {{ SERVICE p: {{ ?s ?p ?o }} }}", "more than once declared"),
        ("SELECT * {{ SERVICE # to\n <{0}> {{ ?s ?p ?o }} }}", "cannot be told for certain"),
        ("SELECT * {{ ?s ?p ?o.SERVICE <{0}> {{ ?s ?p ?o }} }}", "cannot be told for certain"),
        ("SELECT * {{ SERVICE <{0}> ?s }}", "cannot be told for certain"),
        ("SELECT * {{ SERVICE <{0}> {{ SERVICE <{0}> {{ ?s ?p ?o }} }} }}", "inside the group of another"),
        ("SELECT * {{ SERVICE <{0}> {{ {{ ?s ?p ?o }} UNION {{ SERVICE <{0}> {{ ?s ?p ?o }} }} }} }}", "inside the"),
        ("SELECT * {{ SERVICE <{0}/> {{ ?s ?p ?o }} }}", "only endpoints on its list"),
        ("SELECT * {{ SERVICE <{0}?query=x> {{ ?s ?p ?o }} }}", "only endpoints on its list"),
        ("BASE <{0}> SELECT * {{ SERVICE <> {{ ?s ?p ?o }} }}", "only endpoints on its list"),
        ("SELECT * {{ SERVICE <{0}> {{ ?s ?p ?o FILTER(?o<a:b#>'\n) }} SERVICE <urn:x> {{ }} # '\n }}", "not allowed"),
        ("SELECT * {{ " + "SERVICE <{0}> {{ ?s ?p ?o }} " * 11 + "}}", "more than 10 SERVICE groups"),
        ("SELECT * {{ SERVICE <{0}> " + "{{" * 200 + "}}" * 200 + " }}", "nests groups"),
    ],
)  # fmt: skip
def test_what_is_in_doubt_is_refused_with_a_reason(query: str, reason: str) -> None:
    """Nobody is asked, not even the allowed endpoint."""
    with _far(_answers(200, ONE)) as far, _services(far.url) as services, pytest.raises(QueryError, match=reason):
        _ask(services, query.format(far.url))
    assert far.requests == []


def test_by_default_nobody_is_called_and_the_reason_says_so() -> None:
    """The refusal names what is allowed."""
    with _services() as services, pytest.raises(QueryError, match="SERVICE is not allowed") as caught:
        _ask(services, "SELECT * { SERVICE <https://example.org/sparql> { ?s ?p ?o } }")
    assert "allowed: none" in caught.value.hint
    assert Services().endpoints == ()


def test_the_word_in_names_and_texts_is_no_call() -> None:
    """Such a query passes unchanged."""
    query = "SELECT ?service { ?service <urn:service> 'SERVICE <x>' } # SERVICE <y> { }"
    with _services() as services, services.admit(query) as text:
        assert text == query


def test_calls_are_found_and_replaced_in_place() -> None:
    """Only the endpoints change."""
    query = "PREFIX e: <http://e/> SELECT * { SERVICE <http://a/> { ?a ?b ?c } SERVICE SILENT e:x { ?d ?e ?f } }"
    calls = find_calls(query)
    assert [call.endpoint for call in calls] == ["http://a/", "http://e/x"]
    assert with_endpoints(query, calls, ["urn:1", "urn:2"]) == (
        "PREFIX e: <http://e/> SELECT * { SERVICE <urn:1> { ?a ?b ?c } SERVICE SILENT <urn:2> { ?d ?e ?f } }"
    )


def test_the_gate_knows_only_those_it_expects() -> None:
    """Somebody else on this machine who finds the port learns nothing."""
    with (
        _far(_answers(200, ONE)) as far,
        _services(far.url) as services,
        services.admit(f"SELECT * {{ SERVICE <{far.url}> {{ ?s ?p ?o }} }}") as text,
    ):
        gate = find_calls(text)[0].endpoint
        base, secret, _ = gate.rsplit("/", 2)
        for path in (f"{base}/{secret}/1", f"{base}/{secret}x/0", f"{base}/{secret}", f"{base}/"):
            with pytest.raises(OSError, match=r"nobody is expected here|not a call"):
                _run(ox.Store(), f"SELECT * {{ SERVICE <{path}> {{ ?s ?p ?o }} }}")
    assert far.requests == []


# ---- Search ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def searching(village: Store) -> Iterator[Services]:
    """Give services whose search knows the village."""
    with _services(search=Names(village).search) as services:
        yield services


def test_the_search_is_called_from_sparql(searching: Services, village: Store) -> None:
    """Words with slips find the thing, and the query goes on from there."""
    near = ox.Store()
    near.load(village.dump("nq"), format=ox.RdfFormat.N_QUADS)
    rows = _ask(
        searching,
        PREFIXES
        + f"""SELECT ?thing ?label ?name ?score ?kind {{
            SERVICE <{SEARCH}> {{ ?thing search:matches "upton bakr" ; search:score ?score ; search:matched ?name ;
                rdfs:label ?label }}
            GRAPH ?g {{ ?thing <http://www.w3.org/ns/org#classification> ?kind }}
            FILTER(?score > 0.1)
        }} ORDER BY DESC(?score)""",
        near,
    )
    assert [(row["thing"], row["label"], row["name"]) for row in rows] == [
        (ID + "organisation/bakery", "Bakery", "Upton Bakers")
    ]
    assert 0.1 < float(rows[0]["score"]) < 1
    assert rows[0]["kind"].endswith("/cooperative")


def test_a_query_may_search_twice_and_for_a_known_thing(searching: Services) -> None:
    """Two groups are two searches; a thing that is named is only checked."""
    query = (
        PREFIXES
        + f"""SELECT ?a ?b {{
        SERVICE <{SEARCH}> {{ ?a search:matches "mill"@en }}
        SERVICE <{SEARCH}> {{ ?b search:matches 'dairy' }} }}"""
    )
    assert {"a": ID + "organisation/mill", "b": ID + "organisation/dairy"} in _ask(searching, query)
    known = (
        PREFIXES + "SELECT ?score {{ SERVICE <" + SEARCH + "> {{ <{}> search:matches 'mill'; search:score ?score }} }}"
    )
    assert len(_ask(searching, known.format(ID + "organisation/mill"))) == 1
    assert _ask(searching, known.format(ID + "organisation/dairy")) == []


@pytest.mark.parametrize(
    "group",
    [
        "?a search:matches ?words",
        "?a search:score ?score",
        "?a search:matches 'x' . ?b search:matches 'y'",
        "?a search:matches 'x' , 'y'",
        "?a search:matches 'x' ; search:score 1",
        "?a search:matches 'x' ; search:score ?a",
        "?a search:matches 'x' ; search:score ?b ; search:matched ?b",
        "?a search:matches 'x' ; ?p ?o",
        "?a search:matches 'x' ; rdfs:seeAlso ?o",
        "?a search:matches 'x' FILTER(?a != ?a)",
        "?a search:matches 'x' OPTIONAL { ?a ?b ?c }",
        "?a search:matches <urn:x>",
        "?a ?b ?c . ?d ?e ?f . ?g ?h ?i",
        "{ SELECT ?a { ?a search:matches 'x' } }",
        "{ ?a search:matches 'x' } UNION { ?a search:matches 'y' }",
        "?a search:matches 'x' VALUES ?a { <urn:x> }",
        "",
    ],
)
def test_the_search_takes_one_kind_of_group_only(searching: Services, group: str) -> None:
    """Nothing is evaluated for it in the server; the hint shows what can be written."""
    with pytest.raises(QueryError, match=r"the search|the words to search for") as caught:
        _ask(searching, PREFIXES + f"SELECT * {{ SERVICE <{SEARCH}> {{ {group} }} }}")
    assert "search:matches" in caught.value.hint


@pytest.mark.parametrize(
    "words", ['a "quoted" word', "back\\slash", "line\nbreak", "} . ?x ?y ?z", "# ?", "é\u2028\x7f"]
)
def test_odd_words_reach_the_search_as_they_are(words: str) -> None:
    """Whatever the engine does to write them down."""
    heard: list[str] = []

    def search(said: str, limit: int) -> list[Any]:
        heard.append(said)
        return []

    with _services(search=search) as services:
        assert (
            _ask(services, PREFIXES + f"SELECT * {{ SERVICE <{SEARCH}> {{ ?a search:matches {ox.Literal(words)} }} }}")
            == []
        )
    assert heard == [words]


def test_a_hostile_text_is_no_search() -> None:
    """What the engine would never write is refused, and quickly."""
    for text in (
        "",
        "ASK {}",
        "SELECT * WHERE { " + "?a <b> " * 20_000 + "}",
        'SELECT * WHERE { ?a <b> "' + "\\" * 9999,
    ):
        started = time.monotonic()
        with pytest.raises(GraphkitError):
            answer_search(text, lambda words, limit: [])
        assert time.monotonic() - started < 1
