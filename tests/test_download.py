"""A source's file is fetched whole from where its publisher has it, and from nowhere else."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from graphkit.cli import cli
from graphkit.errors import DataError, GraphkitError, UsageError
from graphkit.sources.download import download
from graphkit.sources.progress import Progress

_COOPS = Path(__file__).parents[1] / "graphkit" / "sources" / "adapters" / "coops-uk" / "sample.csv"


class _Publisher(BaseHTTPRequestHandler):
    """A publisher of the tests."""

    protocol_version = "HTTP/1.1"
    redirects: ClassVar[dict[str, str]] = {
        "/moved/list.csv": "/coops_2023Q2.csv",
        "/round": "/round",
        "/inward": "http://127.0.0.2:9/secret",
        "/file": "file:///etc/passwd",
    }

    def do_GET(self) -> None:
        if self.path in self.redirects:
            self.send_response(302)
            self.send_header("Location", self.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path.startswith("/coops"):
            self._send(200, _COOPS.read_bytes())
        elif self.path == "/cut.csv":
            self._send(200, b"half", length=8)
        elif self.path == "/big.csv":
            self._send(200, b"x" * 100_000)
        else:
            self._send(404, b"none")

    def _send(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def publisher() -> Iterator[str]:
    """Give the address of a publisher on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Publisher)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_file_is_fetched_whole_with_its_name_and_progress(publisher: str, tmp_path: Path) -> None:
    """The file is the publisher's, bit by bit; a redirect on the same host is followed."""
    told: list[Progress] = []
    found = download(f"{publisher}/moved/list.csv", tmp_path, progress=told.append)
    assert found == tmp_path / "coops_2023Q2.csv"
    assert found.read_bytes() == _COOPS.read_bytes()
    assert told[-1].share == 1
    assert [path.name for path in tmp_path.iterdir()] == ["coops_2023Q2.csv"]


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/absent.csv", "answers 404"),
        ("/cut.csv", "broke off"),
        ("/round", "redirects more than 5 times"),
        ("/inward", "redirects to http://127.0.0.2:9/secret, which is not followed"),
        ("/file", "is no web address"),
        ("/big.csv", "sends more than 50,000 bytes"),
    ],
)
def test_what_cannot_be_had_whole_leaves_nothing(publisher: str, tmp_path: Path, path: str, fault: str) -> None:
    """Errors name the address, and no part of a file stays."""
    with pytest.raises(GraphkitError, match=fault):
        download(publisher + path, tmp_path, most_bytes=50_000)
    assert list(tmp_path.iterdir()) == []


def test_host_with_an_inward_address_is_refused(tmp_path: Path) -> None:
    """A name that leads into the own network is not asked, wherever it points afterwards."""

    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", ("10.0.0.7", 80))]

    with pytest.raises(DataError, match=r"has the address 10\.0\.0\.7, which is not a public one"):
        download("http://data.example.org/list.csv", tmp_path, resolve=resolve)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/a", "http://user:word@example.org/", "list.csv"]
)
def test_only_web_addresses_are_asked(tmp_path: Path, url: str) -> None:
    """Other schemes, and addresses with a password, are wrong use."""
    with pytest.raises(UsageError, match="is no web address"):
        download(url, tmp_path)


def test_silent_host_is_told(tmp_path: Path) -> None:
    """A host that nobody serves is an error in words."""
    with pytest.raises(DataError, match="cannot be reached"):
        download("http://127.0.0.1:9/list.csv", tmp_path)


def test_host_without_a_trusted_certificate_is_refused(tmp_path: Path) -> None:
    """A certificate that nobody vouches for is not believed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("localhost.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Publisher)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] - the client hangs up, and rightly
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with pytest.raises(DataError, match="no certificate to be trusted"):
            download(f"https://localhost:{server.server_port}/coops.csv", tmp_path)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_command_downloads_and_imports(publisher: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--download --address` fetches, imports, and keeps the address with the source."""
    store = str(tmp_path / "store")
    words = ["import", "coops-uk", "--download", "--address", f"{publisher}/coops_2023Q2.csv", "--store", store]
    cli.main([*words, "--report", str(tmp_path / "told.csv")], standalone_mode=False)
    assert "coops-uk 2023-q2: 3 rows read, 3 kept" in capsys.readouterr().err
    cli.main(
        [
            "query",
            "-e",
            "SELECT ?url { ?s <http://www.w3.org/ns/dcat#downloadURL> ?url }",
            "-f",
            "csv",
            "--store",
            store,
        ],
        standalone_mode=False,
    )
    assert f"{publisher}/coops_2023Q2.csv" in capsys.readouterr().out
    with pytest.raises(UsageError, match="give none"):
        cli.main([*words, str(_COOPS)], standalone_mode=False)
