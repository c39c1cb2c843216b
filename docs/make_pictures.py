"""Makes the pictures of docs/stories.md: serves the shipped graph, walks through the stories in Chromium, keeps WebP.

    python docs/make_pictures.py            # writes docs/pictures/*.webp

Needs the extra `dev` (Playwright) and Chromium, which GRAPHKIT_CHROMIUM can name.
"""

from __future__ import annotations

import base64
import os
import shutil
import sys
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from graphkit.assembly import assemble_shipped
from webui import create_app
from webui.settings import Settings

FOLDER = Path(__file__).resolve().parent / "pictures"
SIZE = {"width": 1040, "height": 640}
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking"]
QUALITY = 0.72
_AS_WEBP = """async ([data, quality]) => {
  const picture = new Image();
  picture.src = "data:image/png;base64," + data;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""


def find(page: Page, keep: Callable[[str], None]) -> None:
    """Find an organisation: type, choose, read where it is known from."""
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("social enterprise l", delay=20)
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")
    keep("find-1-search")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="Social Enterprise Link").wait_for()
    page.locator("#around").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#around').scrollIntoView()")
    keep("find-2-organisation")
    page.evaluate("document.querySelector('#sources').scrollIntoView()")
    keep("find-3-sources")


def gap(page: Page, keep: Callable[[str], None]) -> None:
    """Understand one gap: from the first page to its reason and its evidence."""
    page.goto("/")
    page.evaluate("document.querySelector('#home-gaps').scrollIntoView()")
    keep("gap-1-first-page")
    page.goto("/gaps?kind=R1")
    page.wait_for_load_state("networkidle")
    keep("gap-2-list")
    row = page.locator("#gaps tbody tr:visible").first
    unfolded = row.get_by_text("Evidence (")
    if unfolded.count():
        unfolded.click()
    else:
        row.get_by_role("link").first.click()
    page.wait_for_load_state("networkidle")
    keep("gap-3-evidence")


def figure(page: Page, keep: Callable[[str], None]) -> None:
    """Take a figure with its source: the number, what it counts, how to cite it."""
    page.goto("/")
    page.locator("ul.counts").hover()
    keep("figure-1-number")
    page.locator("ul.counts a").first.click()
    page.wait_for_load_state("networkidle")
    keep("figure-2-rows")
    page.goto("/")
    page.evaluate("document.querySelector('.about-data').scrollIntoView()")
    keep("figure-3-about")


def main() -> int:
    """Serve, walk, keep; say how large the pictures are."""
    program = os.environ.get("GRAPHKIT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.stderr.write("no Chromium: install it, or name it in GRAPHKIT_CHROMIUM\n")
        return 2
    app = create_app(assemble_shipped(), Settings(today=date(2026, 1, 1), query_seconds=60))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    FOLDER.mkdir(exist_ok=True)
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=program, args=FLAGS)
            page = browser.new_page(base_url=f"http://127.0.0.1:{server.server_port}", viewport=SIZE)
            writer = browser.new_page()

            def keep(name: str) -> None:
                page.wait_for_timeout(400)
                shot = base64.b64encode(page.screenshot()).decode()
                small = base64.b64decode(writer.evaluate(_AS_WEBP, [shot, QUALITY]))
                (FOLDER / f"{name}.webp").write_bytes(small)
                print(f"{name}.webp {len(small) / 1000:.0f} kB")

            for story in (find, gap, figure):
                story(page, keep)
            browser.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
