"""Stores that the tests share: one of each kind, the remote ones behind a real server on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from graphkit.store import Store, open_store
from tests.village_fixture import village

__all__ = ["village"]

_MAY_BE_LEFT_OUT = "real"
_REGISTERS = Path(os.environ.get("GRAPHKIT_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


def real_data() -> Path:
    """Return the folder of the real registers; a test that needs them is left out where they are not."""
    if not _REGISTERS.is_dir():
        pytest.skip("the real registers are not here: set GRAPHKIT_REAL_DATA")
    return _REGISTERS


_STARTED_WITHIN = 20.0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that is left out where GRAPHKIT_TEST_ALL is set: there everything that it needs must be installed.

    Tests on the real registers are the exception: the registers do not belong to the project.
    """
    report = yield
    if report.skipped and os.environ.get("GRAPHKIT_TEST_ALL") and not item.get_closest_marker(_MAY_BE_LEFT_OUT):
        report.outcome, report.longrepr = "failed", f"left out although GRAPHKIT_TEST_ALL is set: {report.longrepr}"
    return report


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTED_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the oxigraph server did not start")


def _serve(*options: str) -> Iterator[str]:
    port = _free_port()
    program = Path(sys.executable).with_name("oxigraph")
    server = subprocess.Popen(
        [str(program), "serve", "--bind", f"127.0.0.1:{port}", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}/query"
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def union_endpoint() -> Iterator[str]:
    """Give the address of a server whose default graph is the union of all graphs."""
    yield from _serve("--union-default-graph")


@pytest.fixture(scope="session")
def plain_endpoint() -> Iterator[str]:
    """Give the address of a server whose default graph leaves out the named graphs."""
    yield from _serve()


@pytest.fixture(params=["memory", "folder", "union_endpoint", "plain_endpoint"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Give an empty store of each kind in turn."""
    kind = request.param
    location = tmp_path / "graph" if kind == "folder" else kind
    opened = open_store(request.getfixturevalue(kind) if kind.endswith("endpoint") else location)
    if kind.endswith("endpoint"):
        with opened.change("begin with nothing") as change:
            change.update("CLEAR ALL")
    yield opened
    opened.close()
