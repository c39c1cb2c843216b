"""The pages in a real server and a real browser, with a watch on what a person does not see."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright

from graphkit.assembly import assemble_shipped
from tests.live import fronted
from webui import create_app
from webui.serving.front import Front
from webui.settings import Settings
from webui.state import state_of

AXE = Path(__file__).resolve().parents[2] / "webui/frontend/node_modules/axe-core/axe.min.js"
_FLAGS = (
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on a free port of this machine, and give its address."""
    with fronted(Front(app)) as address:
        yield address


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Serve the shipped graph and give the address."""
    app = create_app(assemble_shipped(), Settings(today=date(2026, 1, 1)))
    state_of(app).analysis.picture("networks/collaboration")
    with served(app) as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium without a window."""
    program = os.environ.get("GRAPHKIT_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("no Chromium on this machine; install it, or name it in GRAPHKIT_CHROMIUM")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Open a page that fails the test when the console has an error or another host is asked."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.on("request", lambda request: None if _own(request.url, address) else faults.append(request.url))
    yield opened
    context.close()
    assert not faults


def _own(url: str, address: str) -> bool:
    return url.startswith((address, "data:", "blob:"))
