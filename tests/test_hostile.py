"""What a hostile client tries against the running service: it stays up, tells nothing, calls nobody, and says why."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from graphkit.store import Store, open_store
from tests.live import TOKEN, Service, serving

RUNAWAY = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
SIMPLE = "SELECT * { ?s ?p ?o } LIMIT 3"
LIMIT = 2.0
WRITES = {"Authorization": f"Bearer {TOKEN}"}
SECRETS = (b"/work", b"site-packages", b"Traceback", b"pyoxigraph", b"rocksdb", b"root:", b"/tmp/")
SCRIPT = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Reply:
    """An answer: status, headers in small letters, body, and the seconds it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Target:
    """The service under attack, and ways to talk to it from several addresses of this machine."""

    def __init__(self, service: Service) -> None:
        self.service = service
        host, _, port = service.address.removeprefix("http://").partition(":")
        self.place = host, int(port)

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, source: str = "127.0.0.1", **headers: str
    ) -> Reply:
        """Send a request and return its answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(*self.place, timeout=40, source_address=(source, 0))
        started = time.perf_counter()
        with contextlib.closing(connection):
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            data = answer.read()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, names, data, time.perf_counter() - started)

    def query(self, text: str, *, source: str = "127.0.0.1", **parameters: str) -> Reply:
        """Send a query."""
        path = "/sparql?" + urlencode({"format": "json", **parameters})
        return self.ask("POST", path, text.encode(), source=source, Content_Type="application/sparql-query")

    def get(self, text: str, *, source: str = "127.0.0.1") -> Reply:
        """Send a query as plainly as can be, which the server answers in its loop."""
        return self.ask("GET", "/sparql?" + urlencode({"query": text}), source=source)

    def update(self, text: str, **headers: str) -> Reply:
        """Send an update with the token."""
        kind = {"Content-Type": "application/sparql-update", **WRITES}
        return self.ask("POST", "/sparql/update", text.encode(), **{**kind, **headers})

    def put(self, data: bytes, kind: str = "text/turtle", graph: str = "urn:hostile", **headers: str) -> Reply:
        """Write a graph with the token."""
        path = "/store?" + urlencode({"graph": graph})
        return self.ask("PUT", path, data, Content_Type=kind, **{**WRITES, **headers})

    def raw(self, data: bytes, wait: float = 5.0) -> bytes:
        """Send bytes and return all that comes back."""
        answer = b""
        with socket.create_connection(self.place, timeout=wait) as line, contextlib.suppress(OSError):
            line.sendall(data)
            while piece := line.recv(65536):
                answer += piece
        return answer

    def under_way(self) -> int:
        """Return how many queries run, as the figures for Prometheus tell."""
        lines = self.ask("GET", "/metrics").body.decode().splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith("graphkit_queries_under_way")))

    def processes(self) -> dict[int, tuple[int, str]]:
        """Return the processes of the service: for each its parent and its state and words."""
        told = subprocess.run(["ps", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
        rows = [line.split(None, 2) for line in told.stdout.splitlines()]
        all_there = {int(row[0]): (int(row[1]), row[2]) for row in rows}
        found = {self.service.process.pid: all_there[self.service.process.pid]}
        for _ in range(6):
            found |= {pid: each for pid, each in all_there.items() if each[0] in found}
        return found

    def helpers(self) -> set[int]:
        """Return the processes that Python itself keeps beside those of the service."""
        return {pid for pid, (_, words) in self.processes().items() if "resource_tracker" in words}

    def server(self) -> int:
        """Return the process that answers: the one with the most files that is no nursery."""
        mine = [pid for pid, (parent, _) in self.processes().items() if parent == self.service.process.pid]
        return max(mine, key=_files)


def _until(met: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if met():
            return True
        time.sleep(0.05)
    return met()


def _is_reasoned(reply: Reply) -> bool:
    """Tell whether an answer is right, or an error with a reason for programs."""
    if reply.status == 200:
        return True
    kind = reply.headers.get("content-type", "")
    said = json.loads(reply.body) if kind == "application/problem+json" else {}
    return reply.status in {400, 404, 405, 406, 413, 415, 503, 504} and bool(said.get("detail") or said.get("title"))


def _tells_nothing(body: bytes) -> bool:
    return not any(word in body for word in SECRETS)


@pytest.fixture(scope="module")
def target(village: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Serve the village with a token and a limit of two seconds; at the end it must still be the same process."""
    folder = tmp_path_factory.mktemp("hostile")
    with open_store(folder / "graph") as store, store.change("the village") as change:
        change.load(village.dump("nq"), media_type="nq")
    with serving(folder / "graph", folder / "access.log", "--timeout", str(LIMIT), token=TOKEN) as service:
        target = Target(service)
        assert _until(lambda: target.ask("GET", "/ready").status == 200, 20)
        target.ask("GET", "/gaps")
        first = target.server()
        yield target
        assert target.server() == first, "the server has crashed and was started anew"


@pytest.fixture(scope="module")
def trap() -> Iterator[list[bytes]]:
    """Listen on a port of this machine that nobody may call; give what was heard, after the address."""
    heard: list[bytes] = []
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - each spelling of this machine must reach it
        heard.append(str(server.getsockname()[1]).encode())

        def listen() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = server.accept()
                    heard.append(b"called")
                    line.close()

        threading.Thread(target=listen, daemon=True).start()
        yield heard


# ---- Nobody else is contacted ----------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_no_query_makes_the_service_call(target: Target, trap: list[bytes], host: str) -> None:
    """SERVICE, LOAD, FROM and contexts in all spellings reach nobody."""
    address = f"http://{host}:{trap[0].decode()}/"
    for text in (
        f"SELECT * {{ SERVICE <{address}> {{ ?s ?p ?o }} }}",
        f"SELECT * {{ serVice silent <{address}> {{ ?s ?p ?o }} }}",
        f"SELECT * {{ \\u0053ERVICE <{address}> {{ ?s ?p ?o }} }}",
        f"SELECT * {{ BIND(<{address}> AS ?x) SERVICE ?x {{ ?s ?p ?o }} }}",
        f"SELECT * {{ FILTER EXISTS {{ SERVICE <{address}> {{ ?s ?p ?o }} }} }}",
        f"LOAD <{address}>",
    ):
        assert target.query(text).status == 400
        assert target.update(text).status == 400
    assert target.update(f"LOAD SILENT <{address}> INTO GRAPH <urn:x>").status == 204  # which may fail without a word
    assert target.ask("GET", "/store?graph=urn:x").status == 404
    assert target.update(f"INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE <{address}> {{ ?s ?p ?o }} }}").status == 400
    for name in (address, "file:///etc/passwd"):
        answer = target.query(f"SELECT * FROM <{name}> FROM NAMED <{name}> {{ ?s ?p ?o }}")  # noqa: S608
        assert (answer.status, json.loads(answer.body)["results"]["bindings"]) == (200, [])
        assert json.loads(target.query("ASK { ?s ?p ?o }", **{"default-graph-uri": name}).body)["boolean"] is False
        context = json.dumps({"@context": [name], "@id": "urn:a", "urn:b": "c"}).encode()
        assert target.put(context, "application/ld+json").status == 400
        assert target.ask("GET", "/store?" + urlencode({"graph": name})).status == 404
    assert trap[1:] == []


# ---- Queries that run away -------------------------------------------------------------------

BOMBS = {
    "sort": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a ?f",
    "path": "SELECT (COUNT(*) AS ?n) { ?a (!<urn:x>|^!<urn:x>)* ?b . ?b (!<urn:x>|^!<urn:x>)* ?c }",
    "doubling": "SELECT * { BIND('aaaaaaaaaaaaaaaa' AS ?a0) "
    + " ".join(f"BIND(CONCAT(?a{i}, ?a{i}) AS ?a{i + 1})" for i in range(40))
    + "}",
    "group concat": "SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?f))) AS ?x) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "replace": f"SELECT (STRLEN(REPLACE('{'a' * 90_000}', 'a', '{'b' * 50_000}')) AS ?x) {{}}",
    "construct": "CONSTRUCT { ?a <urn:p> ?d } { ?a ?b ?c . ?d ?e ?f . ?x ?y ?z }",
    "not exists": "SELECT * { ?a ?b ?c FILTER NOT EXISTS { ?d ?e ?f . ?g ?h ?i FILTER(?d = ?i && ?a = ?h) } }",
    "optionals": "SELECT * {" + "OPTIONAL { ?a ?b ?c }" * 400 + "}",
    "patterns": "SELECT * {" + " ".join(f"?a{i} ?b{i} ?c{i} ." for i in range(300)) + "}",
    "objects": "ASK { ?a ?b " + ",".join("1" for _ in range(90_000)) + "}",
    "list": "ASK { ?a ?b (" + "1 " * 90_000 + ") }",
    "ten million rows": "SELECT ?a { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } LIMIT 10000000",
    "groups": "SELECT * " + "{" * 3000 + "}" * 3000,
    "brackets": "ASK { FILTER(" + "(" * 10_000 + "1" + ")" * 10_000 + ") }",
    "signs": "ASK { FILTER(" + "! " * 20_000 + "true) }",
    "steps": "ASK { ?a " + "/".join(["<urn:a>"] * 256) + " ?b }",
    "a megabyte": "ASK { # " + "x" * 1_000_000 + "\n}",
    "surrogate": "SELECT ('\\uD800' AS ?x) {}",
    "limit": "SELECT * { ?s ?p ?o } LIMIT 99999999999999999999999",
    "function": "SELECT (<urn:f>(1) AS ?x) {}",
}
REASONS = {"time": 504, "memory": 503, "length": 413, "query": 400}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_only_its_own_request(target: Target, name: str) -> None:
    """It ends within its limit and a tenth, with a reason, and nothing is left of it."""
    reply = target.query(BOMBS[name], format="nt" if name == "construct" else "json")
    assert reply.status in REASONS.values()
    assert _is_reasoned(reply)
    assert reply.seconds < LIMIT * 1.1 + 0.5
    assert _tells_nothing(reply.body)


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * {{ BIND(REGEX('{'a' * 5000}!', '^(a+)+$') AS ?x) }}",
        "SELECT * { BIND(REGEX('aaa', '((a{1,900}){1,900}){1,900}') AS ?x) }",
        "SELECT * { VALUES ?x { " + " ".join(map(str, range(30_000))) + " } }",
        f"SELECT ({'9' * 20_000} * 9 AS ?x) (1 / 0 AS ?y) (ROUND(1e400) AS ?z) {{}}",
        "SELECT * { ?s ?p ?o } OFFSET 18446744073709551615",
        "SELECT ('\0' AS ?x) {}",
    ],
)
def test_what_looks_like_a_bomb_is_answered(target: Target, query: str) -> None:
    """Regular expressions take linear time, numbers beyond all limits are unbound."""
    reply = target.query(query)
    assert reply.status == 200
    json.loads(reply.body)


def test_others_are_answered_while_one_client_runs_away(target: Target) -> None:
    """Eight runaways at once, sent both ways: another client's query and pages take less than a second each."""
    assert target.get(SIMPLE).status == 200
    with ThreadPoolExecutor(8) as pool:
        started = time.perf_counter()
        runaways = [
            pool.submit((target.query, target.get)[i % 2], f"{RUNAWAY} # {i}", source="127.0.0.9") for i in range(8)
        ]
        assert _until(lambda: target.under_way() >= 3)
        worst = 0.0
        while time.perf_counter() - started < LIMIT:
            for reply in (
                target.query(f"{SIMPLE} # {time.time()}", source="127.0.0.2"),
                target.get(f"{SIMPLE} # {time.time()}", source="127.0.0.2"),
                target.ask("GET", "/", source="127.0.0.2"),
                target.ask("GET", "/gaps", source="127.0.0.2"),
            ):
                assert reply.status == 200
                worst = max(worst, reply.seconds)
        assert worst < 1
        replies = [each.result() for each in runaways]
    assert {reply.status for reply in replies} <= {503, 504}
    assert max(reply.seconds for reply in replies) < 2 * LIMIT * 1.1 + 0.5
    for reply in replies:
        assert reply.status == 504 or reply.headers["retry-after"]


def test_a_client_that_leaves_takes_its_query_along(target: Target) -> None:
    """Its process is ended long before the time limit."""
    assert _until(lambda: target.under_way() == 0)
    for text in (f"{SIMPLE} # seen", f"{SIMPLE} # known"):
        sent = f"GET /sparql?{urlencode({'query': text})} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert target.raw(sent.encode()).startswith(b"HTTP/1.1 200")
    with socket.create_connection(target.place) as line:
        text = f"{RUNAWAY} # left"
        line.sendall(f"GET /sparql?{urlencode({'query': text})} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert _until(lambda: target.under_way() == 1, 1)
    assert _until(lambda: target.under_way() == 0, 0.8)


def test_killed_workers_and_nurseries_cost_only_what_they_answer(target: Target) -> None:
    """SIGKILL to every process below the server: the next queries are answered, and none is a zombie."""
    server = target.server()
    for ask in (target.query, target.get):
        with ThreadPoolExecutor(1) as pool:
            doomed = pool.submit(ask, f"{RUNAWAY} # {time.time()}")
            _until(lambda: target.under_way() == 1)
            for pid in target.processes().keys() - {target.service.process.pid, server, *target.helpers()}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert doomed.result().status in {400, 500, 503, 504}
        assert _until(lambda: target.query(f"{SIMPLE} # {time.time()}").status == 200)
    assert _until(lambda: not any(words.startswith("Z") for _, words in target.processes().values()))


# ---- Slow clients ----------------------------------------------------------------------------


def test_slow_clients_hold_up_nobody(target: Target) -> None:
    """64 that do not read, 64 that never end their headers, 80 that never end their bodies: others are served."""
    long = urlencode({"query": "SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 20000", "format": "json"})
    assert target.ask("GET", f"/sparql?{long}").status == 200
    with contextlib.ExitStack() as lines:

        def send(data: bytes) -> None:
            line = lines.enter_context(socket.socket())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(target.place)
            line.sendall(data)

        for _ in range(64):
            send(f"GET /sparql?{long} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        for _ in range(80):
            send(b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nASK")
        for _ in range(5):
            for reply in (target.query(f"{SIMPLE} # {time.time()}", source="127.0.0.2"), target.ask("GET", "/")):
                assert reply.status == 200
                assert reply.seconds < 1
    assert _until(lambda: target.under_way() == 0)


# ---- Broken HTTP -----------------------------------------------------------------------------

HEAD = b"Host: localhost\r\nConnection: close\r\n"
POST = b"POST /sparql HTTP/1.1\r\nContent-Type: application/sparql-query\r\n" + HEAD


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n", {431}),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"".join(b"X-%d: a\r\n" % i for i in range(5000)) + b"\r\n", {431}),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", {414}),
        (b"GET /\x00 HTTP/1.1\r\n" + HEAD + b"\r\n", {400}),
        (b"GET /id/\xff HTTP/1.1\r\n" + HEAD + b"\r\n", {400}),
        (b"GET /id/%ff HTTP/1.1\r\n" + HEAD + b"\r\n", {400, 404}),
        (b"GET /id/%00 HTTP/1.1\r\n" + HEAD + b"\r\n", {400, 404}),
        (b"GET /sparql?query=%ff HTTP/1.1\r\n" + HEAD + b"\r\n", {400}),
        (b"GET /sparql?query=%zz HTTP/1.1\r\n" + HEAD + b"\r\n", {400}),
        (b"GET /sparql?query=ASK%7B%7D&query=ASK%7B%7D HTTP/1.1\r\n" + HEAD + b"\r\n", {400}),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + HEAD + b"\r\n", {400}),
        (b"GET /\r\n\r\n", {400}),
        (b"GET / HTTP/9.9\r\n" + HEAD + b"\r\n", {400}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 300, {400}),
        (b"GET /health HTTP/1.0\r\n\r\n", {200}),
        (b"GET http://evil.example/health HTTP/1.1\r\n" + HEAD + b"\r\n", {200}),
        (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HEAD + b"\r\n", {400, 404, 405}),
        (b"OPTIONS * HTTP/1.1\r\n" + HEAD + b"\r\n", {200, 400, 404}),
        (b"TRACE / HTTP/1.1\r\n" + HEAD + b"\r\n", {405}),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nASK{}\r\n0\r\n\r\n", {400}),
        (POST + b"Content-Length: -3\r\n\r\nASK{}", {400}),
        (POST + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nASK{}", {400}),
        (POST + b"Content-Length: 99999999999999999999999\r\n\r\nASK{}", {400}),
        (POST + b"Content-Length: 3\r\n\r\nASK{}", {400}),
        (POST + b"Content-Length: 9000000\r\n\r\n" + b"x" * 9_000_000, {413}),
        (POST + b"Authorization: Bearer guess\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000, {413}),
        (b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nContent-Length: 5\r\n" + HEAD + b"\r\nASK{}", {200}),
        (POST + b"Content-Type: text/html\r\nContent-Length: 5\r\n\r\nASK{}", {400, 415}),
    ],
)
def test_broken_http_is_refused(target: Target, sent: bytes, statuses: set[int]) -> None:
    """With a status that says whose fault it is, or a closed line where the client goes on sending or speaks HTTP/2."""
    answer = target.raw(sent)
    if not answer:
        assert len(sent) > 1_000_000 or sent.startswith(b"PRI")
        return
    assert int(answer[9:12]) in statuses
    assert _tells_nothing(answer)


@pytest.mark.parametrize(
    "header",
    [
        'If-None-Match: """"',
        "If-None-Match: W/",
        "If-Modified-Since: Mon, 99 Foo 99999",
        "If-Modified-Since: Sun, 06 Nov 9999999999 08:49:37 GMT",
        "If-Unmodified-Since: Sun, 06 Nov 9999999999 08:49:37 GMT",
        "Accept-Datetime: Sun, 06 Nov 9999999999 08:49:37 GMT",
        "Accept-Datetime: Sun, 06 Nov 0001 08:49:37 -2359",
        "Range: bytes=-999999999999999999999",
        "Range: bytes=0-1,2-3,5-4",
        "Accept: " + "a/b;q=0.1," * 3_000,
        "Accept: */*;q=nan, text/html;q=1e999, a/b;q=\xff, ;;,,/",
        "Accept-Encoding: gzip;q=a,b;;=,",
        "Accept-Language: \xff;;;",
        "Authorization: Basic !!!",
        'Authorization: Digest username="',
        "Cookie: " + "a=b;" * 500,
        "Content-Type: multipart/form-data; boundary=",
        "Query-Id: ../../etc/passwd",
        "User-Agent: \xff\xfe",
        "Origin: null",
        "X-Forwarded-For: <script>",
        "X-Forwarded-Host: evil.example",
    ],
)
def test_garbage_in_headers_is_no_fault_of_the_service(target: Target, header: str) -> None:
    """Each kind of address answers it, with 2xx to 4xx."""
    paths = (
        "/sparql?query=ASK%7B%7D",
        "/doc/organisation/bakery.ttl",
        "/doc/organisation/bakery",
        "/",
        "/store?default",
    )
    for path in (*paths, "/queries", "/versions", "/api/openapi.json", "/static/assets/x"):
        answer = target.raw(f"GET {path} HTTP/1.1\r\n{header}\r\n".encode("latin-1") + HEAD + b"\r\n")
        assert 200 <= int(answer[9:12]) < 500, (path, answer[-300:])
        assert b"evil.example" not in answer
        assert _tells_nothing(answer)


def test_nobody_else_s_host_is_taken_for_ours(target: Target) -> None:
    """A strange name in Host is escaped wherever a page or a header repeats it."""
    for path in ("/doc/organisation/bakery", "/doc/organisation/bakery.jsonld", "/queries/explore/thing", "/sparql"):
        for host in (f'evil"><{SCRIPT}', "a b", "evil.example:99999999", "[::1"):
            sent = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
            answer = target.raw(sent.encode())
            assert int(answer[9:12]) < 500
            if b"content-type: text/html" in answer:
                assert SCRIPT.encode() not in answer


# ---- Writing without leave -------------------------------------------------------------------


def test_a_body_that_breaks_off_is_not_written(target: Target) -> None:
    """Half a graph is not taken for the whole one, with and without a length."""
    head = b"PUT /store?graph=urn:half HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/n-triples\r\n"
    head += f"Authorization: Bearer {TOKEN}\r\n".encode()
    triple = b"<urn:a> <urn:b> <urn:c> .\n"
    for rest in (
        b"Content-Length: 500\r\n\r\n" + triple,
        b"Transfer-Encoding: chunked\r\n\r\n1a\r\n" + triple + b"\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1a\r\n" + triple + b"\r\nZZ\r\n",
    ):
        with socket.create_connection(target.place) as line:
            line.sendall(head + rest)
            line.shutdown(socket.SHUT_WR)
            time.sleep(0.2)
    assert target.ask("GET", "/store?graph=urn:half").status == 404


def test_no_page_of_another_site_can_write(target: Target) -> None:
    """A form, a rebound name and a guessed token change nothing."""
    form = urlencode({"update": "INSERT DATA { <urn:evil> <urn:is> <urn:here> }"}).encode()
    kind = {"Content_Type": "application/x-www-form-urlencoded"}
    assert target.ask("POST", "/sparql/update", form, **kind).status == 401
    assert target.ask("POST", "/sparql/update", form, **kind, Origin="https://evil.example").status == 403
    rebound = {"Origin": "http://evil.example", "Host": "evil.example", **WRITES}
    assert target.ask("POST", "/sparql/update", form, **(kind | rebound)).status == 403
    crossing = {"Sec-Fetch-Site": "cross-site"}
    assert target.ask("DELETE", "/store?default", None, **(WRITES | crossing)).status == 403
    saved = urlencode({"query": "ASK {}"}).encode()
    assert target.ask("POST", "/queries/saved", saved, **kind, Origin="https://evil.example").status == 403
    for guess in ("Bearer", "Bearer x", f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"bearer {TOKEN[:-1]}", "Bearer \xff"):
        assert target.ask("POST", "/sparql/update", form, **kind, Authorization=guess).status == 401
    for method in ("PUT", "POST", "DELETE"):
        assert target.ask(method, "/store?graph=urn:x", b"", Content_Type="text/turtle").status == 401
    assert json.loads(target.query("ASK { <urn:evil> ?p ?o }").body)["boolean"] is False


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ("INSERT { <urn:a> <urn:b> ?x } WHERE { BIND(" + "+".join(["?y"] * 2000) + " AS ?x) }", 400),
        ("INSERT { <urn:a> <urn:b> 1 } WHERE { ?a ?b " + ",".join(["1"] * 9000) + " }", 400),
        ("INSERT { <urn:a> <urn:b> 1 } WHERE { ?a ?b (" + "1 " * 9000 + ") }", 400),
        ("INSERT { ?a <urn:p> ?b } WHERE { ?a " + "/".join(["<urn:a>"] * 256) + " ?b }", 400),
        ("INSERT { <urn:a> <urn:b> 1 } WHERE " + "{" * 3000 + "}" * 3000, 400),
        ("INSERT DATA { <urn:a> <urn:b> " + "(" * 3000 + ")" * 3000 + " }", 400),
        ("\0\1", 400),
    ],
)
def test_an_update_cannot_crash_or_hang_the_service(target: Target, update: str, status: int) -> None:
    """What the engine could not stop is refused at once, with the reason."""
    reply = target.update(update)
    assert (reply.status, _is_reasoned(reply)) == (status, True)
    assert reply.seconds < 1.5


def _rdf_xml(inside: bytes, before: bytes = b"") -> bytes:
    space = b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e#"'
    return b'<?xml version="1.0"?>' + before + b"<rdf:RDF " + space + b">" + inside + b"</rdf:RDF>"


ENTITIES = b"<!DOCTYPE r [<!ENTITY a0 'aaaaaaaaaa'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 10)
)
BODIES = {
    "entities": (_rdf_xml(b"<e:A e:p='&a9;'/>", ENTITIES + b"]>"), "application/rdf+xml", 400),
    "external": (
        _rdf_xml(b"&x;", b"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"),
        "application/rdf+xml",
        400,
    ),
    "UTF-16": (_rdf_xml(b"", b"<!DOCTYPE r>").decode().encode("utf-16"), "application/rdf+xml", 400),
    "elements": (_rdf_xml(b"<e:A><e:p>" * 3000 + b"</e:p></e:A>" * 3000), "application/rdf+xml", 400),
    "lists": (b"<urn:a> <urn:b> " + b"(" * 3000 + b")" * 3000 + b" .", "text/turtle", 400),
    "arrays": (b'{"@id":"urn:a","urn:b":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/ld+json", 400),
    "bytes": (b'<urn:a> <urn:b> "\xff" .', "text/turtle", 400),
    "kind": (b"<urn:a> <urn:b> 1 .", "text/html", 415),
    "no boundary": (b"x", "multipart/form-data", 415),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_document_is_refused(target: Target, name: str) -> None:
    """Entities, other files, nesting and wrong bytes end in 4xx with a reason, and at once."""
    data, kind, status = BODIES[name]
    reply = target.put(data, kind)
    assert (reply.status, _is_reasoned(reply)) == (status, True)
    assert reply.seconds < 1.5
    assert _tells_nothing(reply.body)


def test_bombs_of_packed_and_many_parts_are_refused(target: Target) -> None:
    """A hundred megabytes in a hundred kilobytes, 2,000 parts, parts within parts."""
    packed = gzip.compress(b" " * 90_000_000, 1)
    assert target.put(packed, Content_Encoding="gzip").status == 413
    assert target.put(b"no gzip", Content_Encoding="gzip").status == 400
    assert target.put(b"", Content_Encoding="br").status == 415
    many = b"--x\r\nContent-Type: text/turtle\r\n\r\n\r\n" * 2000 + b"--x--"
    nested = b"".join(b"--x%d\r\nContent-Type: multipart/mixed; boundary=x%d\r\n\r\n" % (i, i + 1) for i in range(2000))
    for body, boundary in ((many, "x"), (nested, "x0"), (b"nothing", "x")):
        kind = f"multipart/form-data; boundary={boundary}"
        reply = target.ask("POST", "/store?graph=urn:many", body, Content_Type=kind, **WRITES)
        assert (reply.status, _is_reasoned(reply)) == (400, True)


def test_blank_nodes_that_are_all_alike_do_not_stop_the_service(target: Target) -> None:
    """Naming eleven that all point at each other would take hours; pages are answered meanwhile, then it is refused."""
    clique = b"\n".join(b"_:b%d <urn:p> _:b%d ." % (i, j) for i in range(11) for j in range(11) if i != j)
    with ThreadPoolExecutor(1) as pool:
        refused = pool.submit(target.put, clique)
        time.sleep(0.5)
        for path in ("/", "/health", "/sparql?" + urlencode({"query": SIMPLE})):
            assert target.ask("GET", path).seconds < 1
        reply = refused.result()
    assert (reply.status, _is_reasoned(reply)) == (400, True)
    assert reply.seconds < 13


# ---- What is stored is shown as text ---------------------------------------------------------

EVIL = "https://w3id.org/solidarity-graph/id/organisation/evil"
TEXTS = (SCRIPT, "</script>" + SCRIPT, '"><img src=x onerror=alert(1)>', "{{7*7}}", "=cmd|' /C calc'!A0")


def _evil_graph() -> bytes:
    lines = [
        f"<{EVIL}> a <http://www.w3.org/ns/org#Organization> .",
        f"<{EVIL}> <http://xmlns.com/foaf/0.1/homepage> <javascript:alert(1)> .",
        f"<{EVIL}> <javascript:alert(2)> <data:text/html,{quote(SCRIPT)}> .",
        f'<{EVIL}> <http://www.w3.org/2000/01/rdf-schema#label> "a\\r\\nSet-Cookie: a=b"@en .',
        f"<{EVIL}> <https://evil.example/'onmouseover='alert(1)> 1 .",
    ]
    for text in TEXTS:
        word = json.dumps(text)
        lines += [f"<{EVIL}> <http://www.w3.org/2000/01/rdf-schema#label> {word}, {word}@en ."]
        lines += [f"<{EVIL}> <http://www.w3.org/2004/02/skos/core#prefLabel> {word} ."]
        lines += [f"<{EVIL}> <http://www.w3.org/2000/01/rdf-schema#comment> {word}^^<urn:{quote(text)}> ."]
    return "\n".join(lines).encode()


def test_stored_scripts_are_shown_as_text(target: Target) -> None:
    """No page of any kind holds a script, a handler or a link that was stored; each has the policy against them."""
    assert target.put(_evil_graph(), graph="https://w3id.org/solidarity-graph/graph/evil").status == 201
    names = {"thing": EVIL, "iri": EVIL, "q": SCRIPT, "query": f"SELECT ?x ('{SCRIPT}' AS ?y) {{ <{EVIL}> ?p ?x }}"}
    paths = ["/", "/gaps", "/network", "/search?", "/sparql?", "/queries", "/queries/explore/thing?", "/versions"]
    paths += [
        "/doc/organisation/evil?",
        "/doc/organisation/evil?provenance=1&",
        "/graph/evil?",
        "/thing?",
        "/ns",
        "/api",
    ]
    paths += [f"/queries/explore/search?text={quote(SCRIPT)}&", f"/doc/organisation/{quote(SCRIPT)}?", "/versions/2"]
    seen = 0
    for path in paths:
        full = path + urlencode(names) if path.endswith(("?", "&")) else path
        reply = target.ask("GET", full, Accept="text/html")
        if reply.status in {302, 303}:
            reply = target.ask("GET", reply.headers["location"], Accept="text/html")
        page = reply.body.decode()
        assert reply.status < 500, (full, page[-500:])
        assert "default-src 'none'" in reply.headers["content-security-policy"], full
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in reply.headers
        if "text/html" in reply.headers.get("content-type", ""):
            assert SCRIPT not in page, full
            assert "<img src=x" not in page, full
            assert 'href="javascript:' not in page.lower(), full
            assert 'href="data:' not in page.lower(), full
            assert "'onmouseover='" not in page, full
            seen += "alert(1)" in page
    assert seen >= 5


def test_stored_texts_do_not_get_into_headers_or_cells(target: Target) -> None:
    """Line ends stay in the body; answers of data are not opened as pages; no answer names its own file."""
    for suffix in ("ttl", "jsonld", "rdf", "nt", "trig", "nq"):
        reply = target.ask("GET", f"/doc/organisation/evil.{suffix}")
        assert reply.status == 200
        assert "set-cookie" not in reply.headers
        assert reply.headers["x-content-type-options"] == "nosniff"
    for kind in ("json", "xml", "csv", "tsv"):
        query = f'SELECT ?x ("a\\r\\nSet-Cookie: a=b" AS ?y) {{ <{EVIL}> ?p ?x }}'
        reply = target.query(query, format=kind)
        assert "sandbox" in reply.headers["content-security-policy"]
        assert reply.headers["content-disposition"] == f'attachment; filename="answer.{kind}"'
        assert "set-cookie" not in reply.headers
    for value in ('x"\r\nSet-Cookie: a=b', "../../evil.html", "text/html\r\nX: y"):
        reply = target.ask("GET", "/sparql?" + urlencode({"query": SIMPLE, "format": value}))
        assert (reply.status, "set-cookie" in reply.headers) == (406, False)
    bad = target.update("INSERT DATA {}", Graphkit_Who="a\tb", Graphkit_Why="x" * 600)
    assert bad.status == 400


def test_what_a_parameter_holds_stays_a_value(target: Target) -> None:
    """Neither an address nor a text closes the query that it is put into."""
    for value in ("> } DROP ALL #", '" } #', "urn:x> ?p ?o } #", "{{7*7}}", "a" * 5_000, "\0", "javascript:alert(1)"):
        for path in ("/queries/explore/thing", "/queries/explore/search"):
            for kind in ("json", "html"):
                asked = urlencode({"thing": value, "text": value, "format": kind})
                reply = target.ask("GET", f"{path}?{asked}")
                assert reply.status in {200, 400, 404, 406}, (path, value, reply.body[:300])
                assert _tells_nothing(reply.body)


# ---- Addresses that lead nowhere -------------------------------------------------------------

WAYS_OUT = [
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/pyproject.toml",
    "%252e%252e%252f",
    "..%5c..%5cx",
    "%00.html",
    "%0d%0aSet-Cookie:%20a=b",
    "a" * 3000,
    quote(SCRIPT),
    "%7B%7B7*7%7D%7D",
    "99999999999999999999",
    "-1",
    "%E2%80%AE",
    "x.exe",
]


@pytest.mark.parametrize(
    "base", ["queries", "doc", "static", "static/assets", "q", "versions", "id", "graph", "store", "api"]
)
def test_what_is_not_there_is_404(target: Target, base: str) -> None:
    """For people and for programs, without a word of files, and with the same headers as all else."""
    for way in WAYS_OUT:
        for accept in ("text/html", "application/json"):
            reply = target.ask("GET", f"/{base}/{way}", Accept=accept)
            assert reply.status in {400, 404}, (base, way, reply.status)
            assert _tells_nothing(reply.body)
            assert SCRIPT.encode() not in reply.body or reply.headers["content-type"] == "application/problem+json"
            assert "set-cookie" not in reply.headers
            assert reply.headers["content-security-policy"]


def test_saving_queries_has_an_end(target: Target) -> None:
    """After 60 in an hour a client has to wait; another one may go on."""
    statuses = []
    for i in range(62):
        body = json.dumps({"query": f"ASK {{ <urn:{i}> ?p ?o }}"}).encode()
        statuses.append(target.ask("POST", "/queries/saved", body, Content_Type="application/json").status)
    assert set(statuses[:60]) == {201}
    assert set(statuses[60:]) == {429}
    body = json.dumps({"query": "ASK { ?s ?p 1 }", "title": SCRIPT}).encode()
    kept = target.ask("POST", "/queries/saved", body, source="127.0.0.2", Content_Type="application/json")
    assert kept.status == 201
    path = "/q/" + json.loads(kept.body)["id"]
    assert SCRIPT.encode() not in target.ask("GET", path, Accept="text/html").body


# ---- Noise -----------------------------------------------------------------------------------

WORDS = [
    "SELECT",
    "ASK",
    "CONSTRUCT",
    "DESCRIBE",
    "WHERE",
    "FROM",
    "NAMED",
    "GRAPH",
    "OPTIONAL",
    "UNION",
    "MINUS",
    "FILTER",
    "BIND",
    "VALUES",
    "GROUP",
    "BY",
    "ORDER",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "DISTINCT",
    "AS",
    "EXISTS",
    "NOT",
    "COUNT(*)",
    "CONCAT(",
    "REGEX(",
    "STR(",
    "{",
    "}",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ".",
    ";",
    ",",
    "*",
    "+",
    "-",
    "/",
    "|",
    "^",
    "!",
    "=",
    "<",
    ">",
    "&",
    "?s",
    "?p",
    "?o",
    "?s",
    "?p",
    "?o",
    "$x",
    "a",
    "<urn:a>",
    "<>",
    "_:b",
    ":c",
    "'x'",
    '"y"',
    "'x'@en",
    "1",
    "-2",
    "3.5",
    "1e9",
    "true",
    "PREFIX",
    "BASE",
    "#",
    "\\u0041",
    "\\uD800",
    "\n",
    "\t",
    "\x00",
    "é",
    "中",
    "UNDEF",
    "<<",
    ">>",
    "SERVICE",
    "LOAD",
    "INSERT",
    "DATA",
]


def test_noise_is_answered_with_a_reason(target: Target) -> None:
    """1,200 texts and Accept headers made by chance: each gets 200, or 4xx or 503 or 504 with a reason."""
    chance = random.Random(20_261_124)  # noqa: S311 - noise that is the same each time
    connection = http.client.HTTPConnection(*target.place, timeout=20)
    counts: dict[int, int] = {}
    started = time.perf_counter()
    for number in range(1_200):
        text = _noise(chance)
        accept = "".join(chance.choices('abc/*;,q=0.19 "\\+', k=chance.randrange(60)))
        kind = {"Content-Type": "application/sparql-query", "Accept": accept if number % 2 else "application/json"}
        connection.request("POST", "/sparql?timeout=0.2", text, kind)
        answer = connection.getresponse()
        reply = Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read(), 0.0)
        counts[reply.status] = counts.get(reply.status, 0) + 1
        assert _is_reasoned(reply), (text, accept, reply)
        assert _tells_nothing(reply.body), (text, reply.body)
    connection.close()
    assert counts[200] > 20
    assert counts[400] > 500
    assert time.perf_counter() - started < 60


def _noise(chance: random.Random) -> bytes:
    """Make a text of words of the language, of a query with wrong places, or of any bytes."""
    sort = chance.randrange(3)
    if sort == 0:
        return " ".join(chance.choices(WORDS, k=chance.randrange(1, 30))).encode()
    if sort == 1:
        whole = list("SELECT ?s (COUNT(*) AS ?n) { ?s ?p 'x'@en OPTIONAL { ?s a <urn:a> } } GROUP BY ?s LIMIT 3")
        for _ in range(chance.randrange(3)):
            whole[chance.randrange(len(whole))] = chance.choice("{}()<>'\"?.; x\n\\")
        return "".join(whole).encode()
    return chance.randbytes(chance.randrange(1, 60))


def test_hundreds_of_attacks_leave_nothing_behind(target: Target) -> None:
    """Memory, files and processes of the server stay as they are."""
    server = target.server()

    def attack(rounds: int) -> None:
        for i in range(rounds):
            target.query(f"SELECT * {{ BIND('{i}' AS ?x) ?s ?p ?o }} LIMIT 1000")
            target.query(BOMBS["brackets"])
            target.put(BODIES["entities"][0], "application/rdf+xml")
            target.ask("GET", f"/doc/organisation/none-{i}", Accept="text/html")
            target.raw(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n")
            target.ask("GET", f"/queries/explore/thing?thing=urn:x{i}", Accept="text/html")

    attack(10)
    before, files = _resident(server), _files(server)
    attack(30)
    assert _resident(server) - before < 60_000_000
    assert _until(lambda: _files(server) <= files + 8)
    assert _until(lambda: not any(words.startswith("Z") for _, words in target.processes().values()))
    assert target.under_way() == 0


def _files(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
