"""The network, paths, what-if, gaps and the plan in a browser: by mouse, and by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks._network_graph import made_graph
from graphkit.assembly import assemble_shipped
from tests.browser.conftest import served
from webui import create_app
from webui.settings import Settings
from webui.state import state_of

pytestmark = pytest.mark.browser

LINK, ERIS, COACH = (f"organisation/{name}" for name in ("social-enterprise-link", "eris", "stagecoach"))
TOKEN = "a-long-word"  # noqa: S105
PANEL = "Selected in the picture"


def drawn(page: Page) -> int:
    """Wait until the picture is there, and tell how many marks it has."""
    expect(page.locator("html")).to_have_attribute("data-drawn", re.compile(r"\d+"))
    return int(page.locator("html").get_attribute("data-drawn") or 0)


# ---- One network -----------------------------------------------------------------------------------------


def test_a_row_of_the_table_selects_by_keyboard_and_the_panel_leads_on(page: Page) -> None:
    """Arrow keys walk the rows, Enter goes to the panel, a partner leads to the evidence, Escape comes back."""
    page.goto("/network")
    drawn(page)
    page.locator(f'tr[data-organisation="{LINK}"]').focus()
    panel = page.get_by_role("region", name=PANEL)
    expect(panel).to_contain_text("Social Enterprise Link (Wessex) CIC")
    expect(page).to_have_url(re.compile("selected=organisation/social-enterprise-link"))
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", level=2)).to_be_focused()
    partner = panel.get_by_role("link", name=re.compile("^ERIS"))
    partner.focus()
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("Tie between")
    expect(panel).to_contain_text("An Alternative Economy is Possible")
    expect(panel).to_contain_text(re.compile(r"lines? \d"))
    expect(panel.get_by_role("heading", level=2)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(f'tr[data-organisation="{LINK}"]')).to_be_focused()


def test_the_address_holds_the_whole_view(page: Page) -> None:
    """What is filtered, selected and switched off comes back from a copied address, and Back undoes a step."""
    page.goto("/network")
    drawn(page)
    page.locator("select[name=colour]").select_option("kind")
    page.get_by_role("checkbox", name="Suggested ties").uncheck()
    page.locator("input[name=find]").fill("eris")
    expect(page).to_have_url(re.compile("find=eris"))
    expect(page.locator("#organisations tbody tr")).to_have_count(1)
    address = page.url
    page.go_back()
    expect(page.locator("#organisations tbody tr")).not_to_have_count(1)
    page.goto("/")
    page.goto(address)
    drawn(page)
    expect(page.locator("select[name=colour]")).to_have_value("kind")
    expect(page.get_by_role("checkbox", name="Suggested ties")).not_to_be_checked()
    expect(page.locator("#organisations tbody tr")).to_have_count(1)


def test_a_suggestion_opens_its_explanation_and_its_page(page: Page) -> None:
    """From the panel of an organisation to the gap and on to its page."""
    page.goto(f"/network?selected={ERIS}")
    panel = page.get_by_role("region", name=PANEL)
    panel.get_by_role("link", name=re.compile("P1 Missing partnership")).first.click()
    expect(panel).to_contain_text("What to do:")
    panel.get_by_role("link", name=re.compile("Open the page of this gap")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Missing partnership")


def test_what_if_is_tried_beside_the_picture(page: Page) -> None:
    """By keyboard: the link, a name, a suggestion, and the figures; then as a page."""
    page.goto(f"/network?selected={ERIS}")
    drawn(page)
    panel = page.get_by_role("region", name=PANEL)
    panel.get_by_role("link", name=re.compile("What if it worked with")).focus()
    page.keyboard.press("Enter")
    page.keyboard.type("stageco")
    expect(panel.get_by_role("option").first).to_contain_text("Stagecoach")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("figures would change")
    panel.get_by_role("link", name=re.compile("Open it as a page")).click()
    expect(page.locator("ul.tried")).to_contain_text("Stagecoach")


def test_the_years_are_chosen_with_a_slider(page: Page) -> None:
    """The handle and the number agree, and the table follows."""
    page.goto("/network")
    drawn(page)
    handle = page.get_by_role("slider", name="First year, as a slider")
    handle.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"since=\d{4}"))
    expect(page.locator("[data-part=summary]")).to_contain_text("without a date")


def test_the_picture_is_saved_as_png(page: Page) -> None:
    """A file with the signature of PNG."""
    page.goto("/network")
    drawn(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PNG").click()
    with open(waiting.value.path(), "rb") as file:  # noqa: PTH123 - a path of the browser's
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"


# ---- Paths and gaps --------------------------------------------------------------------------------------


def test_a_path_is_found_by_keyboard_and_swapped(page: Page) -> None:
    """Type, arrow, Enter in both fields; then the sentence; then the other way round."""
    page.goto("/path")
    page.get_by_label("From organisation").focus()
    page.keyboard.type("move your")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("To organisation")).to_be_focused()
    page.keyboard.type("stagecoach")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".sentence")).to_contain_text("Move Your Business is joined to ERIS")
    page.get_by_role("link", name="Swap the two").click()
    expect(page.locator(".sentence")).to_contain_text("Stagecoach is joined to")


def test_a_gap_goes_on_the_plan_and_off_again(page: Page) -> None:
    """Without a sign-in, by the button of its row."""
    page.goto("/gaps?kind=C1")
    page.get_by_role("button", name="Add to plan").first.click()
    expect(page).to_have_url(re.compile("kind=C1"))
    page.get_by_role("main").get_by_role("link", name="The plan").click()
    expect(page.locator("#plan tbody tr")).to_have_count(1)
    page.get_by_role("button", name="take off").click()
    expect(page.locator("main")).to_contain_text("Nothing is taken up yet")


@pytest.fixture
def reviewed(browser: Browser) -> Iterator[Page]:
    """Serve a graph of its own that may be reviewed."""
    app = create_app(assemble_shipped(), Settings(today=date(2026, 1, 1), token=TOKEN))
    state_of(app).analysis.picture("networks/collaboration")
    with served(app) as address:
        context = browser.new_context(base_url=address)
        yield context.new_page()
        context.close()


def test_a_gap_is_dismissed_by_keyboard(reviewed: Page) -> None:
    """Sign in, choose, say why, keep; the table leaves it out and the history tells."""
    page = reviewed
    page.goto("/gaps?kind=R2")
    before = page.locator("#gaps tbody tr").count()
    page.locator("#gaps tbody tr").first.get_by_role("link", name="Peripheral organisation").click()
    gap = page.url.partition("#")[0]
    page.get_by_role("link", name="sign in").click()
    page.get_by_label("Token of the service").focus()
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    page.get_by_role("radio", name=re.compile("^dismiss")).focus()
    page.keyboard.press("Space")
    page.get_by_label(re.compile("^Reason")).focus()
    page.keyboard.type("they meet elsewhere")
    page.get_by_role("button", name="Keep the review").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("they meet elsewhere")
    assert page.url.partition("#")[0] == gap
    page.goto("/gaps?kind=R2")
    expect(page.locator("#gaps tbody tr")).to_have_count(before - 1)


# ---- A large network -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(browser: Browser) -> Iterator[Page]:
    """Serve 900 organisations."""
    app = create_app(made_graph(900), Settings(today=date(2026, 1, 1)))
    state_of(app).analysis.picture("networks/collaboration")
    with served(app) as address:
        context = browser.new_context(base_url=address)
        yield context.new_page()
        context.close()


def test_a_large_network_opens_on_communities_and_opens_one_on_demand(large: Page) -> None:
    """Few marks first; the panel opens a community by keyboard; all can be opened and closed."""
    large.goto("/network")
    expect(large.locator("[data-network]")).to_be_visible(timeout=60_000)
    few = drawn(large)
    assert few < 80
    panel = large.get_by_role("region", name=PANEL)
    panel.locator("ul.legend a").first.focus()
    large.keyboard.press("Enter")
    expect(panel).to_contain_text("Members with most partners")
    panel.get_by_role("link", name="Open it: draw its members").focus()
    large.keyboard.press("Enter")
    expect(large.locator("html")).not_to_have_attribute("data-drawn", str(few))
    assert few < drawn(large) < 400
    expect(large).to_have_url(re.compile("open=0"))
    large.get_by_role("button", name="Open all communities").click()
    expect(large).to_have_url(re.compile("open=all"))
    expect(large.locator("html")).to_have_attribute("data-drawn", re.compile(r"^[6-9]\d\d$"))
    large.get_by_role("link", name="Next →").click()
    expect(large.locator("[data-part=table]")).to_contain_text("51 to 100 of 900")
