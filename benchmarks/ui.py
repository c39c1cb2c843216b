"""How soon the pages can be used, and what they weigh: the network at 300, 5,000 and 50,000 organisations.

Run `python benchmarks/ui.py [--sizes 300,5000,50000] [--repeat 3]`. A seeded generator draws organisations that work
together in communities of about 60; `graphkit serve` serves them from a folder, Chromium (software rendering, no
window) loads the pages with an empty cache. Printed are the seconds until the first page is there (with the layout,
which is computed once for each version), then for each page the median of the seconds from the click to the finished
picture ("drawn"), and the bytes that went over the wire, compressed: all, and those of scripts and styles. "select" is
the time from a row of the table to its panel.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from _network_graph import made_graph
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking"]
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 1_800
PAGES = (("communities", "/network"), ("all organisations", "/network?open=all"), ("gaps", "/gaps"), ("path", "/path"))


def main() -> None:
    """Measure each size in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="300,5000,50000")
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    program = os.environ.get("GRAPHKIT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        sys.exit("no Chromium on this machine; install it, or name it in GRAPHKIT_CHROMIUM")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        for size in map(int, asked.sizes.split(",")):
            measure(browser, size, asked.repeat)
        browser.close()


def measure(browser: Browser, size: int, repeat: int) -> None:
    """Serve a graph of `size` organisations and print what its pages take."""
    with tempfile.TemporaryDirectory() as place, served(Path(place) / "graph", size) as address:
        first = wait_for(f"{address}/network")
        print(f"{size:,} organisations: the first page after {first:.1f} s", flush=True)
        for name, path in PAGES:
            runs = [load(browser, address + path, drawn="network" in path) for _ in range(repeat)]
            seconds = statistics.median(run[0] for run in runs)
            _, whole, code = runs[0]
            print(
                f"  {name:<18} {seconds:6.2f} s  {whole / 1000:8.1f} kB  scripts and styles {code / 1000:6.1f} kB",
                flush=True,
            )
        print(f"  {'select':<18} {select(browser, address):6.2f} s", flush=True)


@contextmanager
def served(folder: Path, size: int) -> Iterator[str]:
    """Make the graph and serve it by `graphkit serve` in a process of its own."""
    start = time.perf_counter()
    made_graph(size, folder=folder).close()
    print(f"{size:,} organisations: made in {time.perf_counter() - start:.1f} s", flush=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "graphkit", "serve", "--store", str(folder), "--port", str(port), "--timeout", "300"]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def wait_for(address: str) -> float:
    """Ask until the page is there (200), and return how long that took."""
    start = time.perf_counter()
    while time.perf_counter() - start < PATIENCE:
        try:
            with urlopen(address, timeout=60) as answer:
                if answer.status == 200:
                    return time.perf_counter() - start
        except (URLError, TimeoutError):
            pass
        time.sleep(0.5)
    raise TimeoutError(f"{address} did not come in {PATIENCE} s")


def load(browser: Browser, address: str, *, drawn: bool) -> tuple[float, int, int]:
    """Open a page with an empty cache: seconds until it can be used, bytes in all, bytes of scripts and styles."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    wire, kinds = dict[str, int](), dict[str, str]()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
    session.on(
        "Network.loadingFinished", lambda event: wire.update({event["requestId"]: int(event["encodedDataLength"])})
    )
    start = time.perf_counter()
    page.goto(address, wait_until="load")
    if drawn:
        page.wait_for_selector("html[data-drawn]", timeout=300_000)
    seconds = time.perf_counter() - start
    page.wait_for_timeout(300)
    code = sum(size for key, size in wire.items() if kinds.get(key) in {"Script", "Stylesheet"})
    context.close()
    return seconds, sum(wire.values()), code


def select(browser: Browser, address: str) -> float:
    """Return the seconds from a row of the table to the panel that shows its organisation."""
    page: Page = browser.new_page()
    page.goto(address + "/network")
    page.wait_for_selector("html[data-drawn]", timeout=300_000)
    start = time.perf_counter()
    page.locator("tr[data-organisation]").first.focus()
    page.wait_for_selector('[data-part=panel][data-what="organisation"]', timeout=60_000)
    seconds = time.perf_counter() - start
    page.close()
    return seconds


if __name__ == "__main__":
    main()
