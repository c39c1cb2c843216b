"""The service as an operator runs it: `graphkit serve` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from graphkit.store import Store, open_store
from tests.live import Service, serving

SLOW = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


@pytest.fixture
def folder(village: Store, tmp_path: Path) -> Path:
    """Put the village into a folder."""
    with open_store(tmp_path / "graph") as store, store.change("the village") as change:
        change.load(village.dump("nq"), media_type="nq")
    return tmp_path / "graph"


@pytest.fixture
def service(folder: Path, tmp_path: Path) -> Iterator[Service]:
    """Serve it with a time limit of three seconds."""
    with serving(folder, tmp_path / "access.log", "--timeout", "3") as started:
        yield started


def test_the_service_tells_how_it_is(service: Service) -> None:
    """It is alive, ready, and has figures for Prometheus."""
    assert json.loads(service.get("/health")[1])["version"] == 1
    assert service.get("/ready") == (200, b'{"status":"ready"}\n')
    figures = service.get("/metrics")[1].decode()
    assert "graphkit_version 1.0" in figures
    assert 'graphkit_requests_total{endpoint="metrics.ready",method="GET",status="200"} 1.0' in figures


def test_the_access_log_joins_a_request_to_its_query(service: Service) -> None:
    """A line of JSON has the id that the answer's header names."""
    request = Request(f"{service.address}/sparql?" + urlencode({"query": "ASK {}", "format": "json"}))
    with urlopen(request, timeout=20) as answer:
        answer.read()
        query_id = answer.headers["Query-Id"]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and not service.lines():
        time.sleep(0.05)
    line = service.lines()[-1]
    assert (line["method"], line["path"], line["status"], line["query"]) == ("GET", "/sparql", 200, query_id)


def test_a_runaway_query_ends_in_time_and_others_are_answered_meanwhile(service: Service) -> None:
    """504 within its limit and a tenth; another client's query takes less than a second."""
    service.get("/ready")
    found: list[tuple[int, float]] = []

    def run_away() -> None:
        started = time.perf_counter()
        found.append((service.get("/sparql", query=SLOW, format="json")[0], time.perf_counter() - started))

    thread = threading.Thread(target=run_away)
    thread.start()
    time.sleep(0.5)
    started = time.perf_counter()
    status, _ = service.get("/sparql", query="SELECT * { ?s ?p ?o } LIMIT 3", format="json")
    assert status == 200
    assert time.perf_counter() - started < 1
    thread.join()
    assert found[0][0] == 504
    assert found[0][1] < 3 * 1.1 + 0.3


def test_a_new_version_is_served_without_a_new_start(service: Service) -> None:
    """Another process commits; the service answers from that version within two seconds."""
    with open_store(service.folder) as store, store.change("one more") as change:
        change.load(b"<urn:new> <urn:is> <urn:here> .", media_type="nt")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if json.loads(service.get("/sparql", query="ASK { <urn:new> ?p ?o }", format="json")[1])["boolean"]:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the new version was not seen")
    assert json.loads(service.get("/health")[1])["version"] == 2


def test_a_stop_lets_requests_finish(service: Service) -> None:
    """What is under way at SIGTERM is still answered, then the process ends with 0 and leaves nothing behind."""
    service.get("/ready")
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(service.get("/sparql", query=SLOW, format="json")[0]))
    thread.start()
    time.sleep(0.5)
    service.process.send_signal(signal.SIGTERM)
    thread.join()
    assert service.process.wait(20) == 0
    assert found == [504]
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(service.folder) not in left


def test_a_killed_server_process_is_started_anew(service: Service) -> None:
    """The process that watches over it brings it back within some seconds."""
    service.get("/ready")
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(service.process.pid)], capture_output=True, text=True, check=True
    )
    for child in children.stdout.split():
        os.kill(int(child), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            assert service.get("/health")[0] == 200
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("it did not come back")


def test_nothing_is_left_when_the_watching_process_is_killed(service: Service) -> None:
    """The process that answers ends too, with all below it, so that the address is free again."""
    service.get("/ready")
    service.process.kill()
    service.process.wait()
    deadline = time.monotonic() + 25
    while time.monotonic() < deadline:
        left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        try:
            service.get("/health")
        except OSError:
            if str(service.folder) not in left:
                return
        time.sleep(0.2)
    pytest.fail("a process goes on")
