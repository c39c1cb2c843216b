"""A running service for tests: `graphkit serve` in a process of its own on a free port."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

TOKEN = "a-token-for-the-tests"  # noqa: S105


@dataclass(frozen=True)
class Service:
    """A running service: where it answers, its process, its access log, its folder."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path
    folder: Path

    def get(self, path: str, **parameters: str) -> tuple[int, bytes]:
        """Ask with GET and return status and body."""
        query = "?" + urlencode(parameters) if parameters else ""
        return self.ask(Request(self.address + path + query))

    def ask(self, request: Request) -> tuple[int, bytes]:
        """Send a request and return status and body."""
        try:
            with urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def lines(self) -> list[dict[str, object]]:
        """Read the access log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def serving(folder: Path, log: Path, *options: str, token: str = "") -> Iterator[Service]:
    """Serve the store in `folder` until the end of the block; who has the `token` may write."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["serve", "--store", str(folder), "--port", str(port), "--access-log", str(log), *options]
    environment = {**os.environ, "GRAPHKIT_TOKEN": token}
    process = subprocess.Popen([sys.executable, "-m", "graphkit", *words], stderr=subprocess.DEVNULL, env=environment)
    try:
        _wait_for(port, process)
        yield Service(f"http://127.0.0.1:{port}", process, log, folder)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start")
