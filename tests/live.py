"""A running service for tests on a free port: `graphkit serve` in a process of its own, or its front in a thread."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from granian.constants import Interfaces
from granian.server.embed import Server

from webui.serving.front import Front

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
    port = _free_port()
    words = ["serve", "--store", str(folder), "--port", str(port), "--access-log", str(log), *options]
    environment = {**os.environ, "GRAPHKIT_TOKEN": token}
    process = subprocess.Popen([sys.executable, "-m", "graphkit", *words], stderr=subprocess.DEVNULL, env=environment)
    try:
        _wait_for(port, lambda: process.poll() is None)
        yield Service(f"http://127.0.0.1:{port}", process, log, folder)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def fronted(front: Front) -> Iterator[str]:
    """Serve a front in a thread of this process until the end of the block, and give its address."""
    port = _free_port()
    loop = asyncio.new_event_loop()
    server = Server(front, port=port, interface=Interfaces.RSGI, websockets=False, log_enabled=False)
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),))
    thread.start()
    try:
        _wait_for(port, thread.is_alive)
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(60)
        loop.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, runs: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert runs(), "the server has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start")
