"""The front in a real Granian server, before a small WSGI application that shows what it was given."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.live import fronted
from webui.serving.front import Front, Ready, Served

LONG = b"0123456789abcdef" * 65536


class Shown:
    """The application behind the front, and what the front told of its requests."""

    def __init__(self) -> None:
        self.environ: dict[str, Any] = {}
        self.told: list[Served] = []
        self.seen_gone = threading.Event()
        self.closed = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer by the path."""
        self.environ = environ
        body = environ["wsgi.input"].read()
        path = environ["PATH_INFO"]
        if path == "/sparql/slow":
            if environ["graphkit.gone"].wait(5):
                self.seen_gone.set()
            start("200 OK", [("Content-Type", "text/plain")])
            return [b"late"]
        if path == "/broken":
            raise ValueError("a secret")
        if path == "/long":
            start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(8 * len(LONG)))])
            return self._long()
        start("201 Created", [("Content-Type", "text/plain"), ("X-Length", str(len(body)))])
        return [body[:10], b"!"]

    def _long(self) -> Iterator[bytes]:
        try:
            for _ in range(8):
                yield LONG
        finally:
            self.closed.set()


def _fast(method: str, path: str, query: str, headers: object) -> Ready | None:
    return Ready(200, [("content-type", "text/plain"), ("content-length", "4")], b"fast") if path == "/known" else None


@pytest.fixture
def shown() -> Shown:
    """Give the application."""
    return Shown()


@pytest.fixture
def port(shown: Shown) -> Iterator[int]:
    """Serve it on a free port."""
    front = Front(shown, fast=_fast, told=shown.told.append, most_body=100_000, token="word")  # noqa: S106
    with fronted(front) as address:
        yield int(address.rpartition(":")[2])


def _ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_a_request_reaches_the_application_as_wsgi_has_it(port: int, shown: Shown) -> None:
    """Method, path, query, headers, body and client stand where PEP 3333 wants them."""
    assert _ask(port, "POST", "/caf%C3%A9/a%252Fb?x=%FF", b"0123456789abc", **{"X-One": "1"}) == (201, b"0123456789!")
    environ = shown.environ
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/café/a%2Fb"
    assert environ["QUERY_STRING"] == "x=%FF"
    assert environ["HTTP_X_ONE"] == "1"
    assert environ["CONTENT_LENGTH"] == "13"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert len(environ["graphkit.query_id"]) == 32


def test_a_header_with_an_underscore_cannot_pose_as_another(port: int, shown: Shown) -> None:
    """X_Forwarded_For is not X-Forwarded-For."""
    _ask(port, "GET", "/", X_Forwarded_For="192.0.2.1")
    assert "HTTP_X_FORWARDED_FOR" not in shown.environ


def test_what_is_known_is_answered_at_once(port: int, shown: Shown) -> None:
    """The application is not asked, and the log says so."""
    assert _ask(port, "GET", "/known") == (200, b"fast")
    assert shown.environ == {}
    assert shown.told[-1].cached


def test_a_body_that_is_too_long_is_refused(port: int, shown: Shown) -> None:
    """413 with words, before the application sees it."""
    status, words = _ask(port, "POST", "/", b"x" * 200_000)
    assert status == 413
    assert "100,000 bytes" in json.loads(words)["title"]
    assert shown.environ == {}


def test_a_long_body_is_taken_from_who_may_write(port: int, shown: Shown) -> None:
    """Who has the token may send more, and nobody else."""
    assert _ask(port, "POST", "/", b"x" * 200_000, Authorization="Bearer word")[0] == 201
    assert shown.environ["CONTENT_LENGTH"] == "200000"
    assert _ask(port, "POST", "/", b"x" * 200_000, Authorization="Bearer any")[0] == 413


def test_a_long_answer_comes_whole(port: int, shown: Shown) -> None:
    """It is sent piece by piece, and the application hears of its end."""
    assert _ask(port, "GET", "/long") == (200, 8 * LONG)
    assert shown.closed.wait(2)
    deadline = time.monotonic() + 5
    while not shown.told and time.monotonic() < deadline:
        time.sleep(0.01)
    assert shown.told[-1].bytes == 8 * len(LONG)


def test_a_client_that_goes_away_is_noticed_while_it_waits(port: int, shown: Shown) -> None:
    """The event is set long before the answer would be ready."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /sparql/slow HTTP/1.1\r\nHost: here\r\n\r\n")
        time.sleep(0.2)
    assert shown.seen_gone.wait(2)


def test_a_client_that_goes_away_in_the_middle_ends_the_answer(port: int, shown: Shown) -> None:
    """The application's answer is closed, so that files and locks are given back."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /long HTTP/1.1\r\nHost: here\r\n\r\n")
        client.recv(1000)
    assert shown.closed.wait(5)


def test_clients_that_do_not_read_hold_up_nobody(port: int) -> None:
    """Forty of them sit on a long answer; another is still answered in a second."""
    sitting = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    for client in sitting:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /long HTTP/1.1\r\nHost: here\r\n\r\n")
    time.sleep(0.3)
    started = time.perf_counter()
    assert _ask(port, "GET", "/other")[0] == 201
    assert time.perf_counter() - started < 1
    for client in sitting:
        client.close()


def test_a_failing_application_is_a_500_without_its_words(
    port: int, shown: Shown, caplog: pytest.LogCaptureFixture
) -> None:
    """What it raised is in the log, under an id that the answer names."""
    status, words = _ask(port, "GET", "/broken")
    assert status == 500
    assert b"secret" not in words
    assert "secret" in caplog.text
    assert caplog.records[-1].getMessage().split("(")[1][:32] in words.decode()
