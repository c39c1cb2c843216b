"""The pages of money, map, time, sources and stories in a browser: by mouse, by keyboard alone, and judged by axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from graphkit.assembly import assemble_shipped
from graphkit.terms import graph_iri
from tests.browser.conftest import AXE, served
from webui import create_app
from webui.settings import Settings

pytestmark = pytest.mark.browser

TOKEN = "a-token-for-the-tests"  # noqa: S105
REFUSED = "403 (Forbidden)"
"""A form that is refused on purpose comes back with this status, which the console reports."""
HERE = Path(__file__).resolve().parents[1]
PAGES = (
    "/",
    "/organisations",
    "/organisations?region=place/wessex&find=e",
    "/map",
    "/funding",
    "/funding?since=2012&until=2015&kind=voc:kind/cooperative",
    "/funding/funders",
    "/funding/recipients?currency=EUR",
    "/funding/of/organisation/harbour-trust",
    "/commitments",
    "/opportunities",
    "/opportunities/of/opportunity/south-west-trains-franchise",
    "/scorecard?region=place/wessex&region=place/scotland",
    "/barriers",
    "/timeline",
    "/reports",
    "/reports/wessex",
    "/alerts",
    "/sources",
    "/quality",
    "/stories",
    "/stories/new?view=/map",
    "/doc/organisation/social-enterprise-link",
    "/doc/organisation/harbour-trust",
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the shipped graph with invented grants and points, a token and boundaries."""
    store = assemble_shipped()
    with store.change("invented grants") as change:
        change.load((HERE / "money.ttl").read_bytes(), media_type="ttl", graph=graph_iri("invented"))
    settings = Settings(today=date(2026, 1, 1), token=TOKEN, boundaries=HERE / "valley.topojson", query_seconds=60)
    with served(create_app(store, settings)) as found:
        yield found
    store.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Open a page that fails the test when the console has an error or another host is asked."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console", lambda said: faults.append(said.text) if said.type == "error" and REFUSED not in said.text else None
    )
    opened.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else faults.append(asked.url))
    yield opened
    context.close()
    assert not faults


# ---- Every page ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def story(browser: Browser, address: str) -> str:
    """Tell a story of two views, as a person does, and give its address."""
    page = browser.new_page(base_url=address)
    page.goto("/stories/new?view=/funding")
    page.get_by_label("Title").fill("Where the money of the coast goes")
    page.get_by_label("Caption").first.fill("Four funders")
    page.get_by_label("Address of the view").nth(1).fill(f"{address}/map")
    page.get_by_label("Caption").nth(1).fill("Where they are")
    page.get_by_label("Token of this service").fill(TOKEN)
    page.get_by_role("button", name="Save the story").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where the money of the coast goes")
    where = page.url.removeprefix(address)
    page.close()
    return where


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible(browser: Browser, address: str, story: str, width: int, scheme: str) -> None:
    """axe-core finds nothing, and nothing is wider than the screen."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of the two words
        bypass_csp=True,
    )
    page = context.new_page()
    for where in (*PAGES, story, f"{story}/present?step=2", f"{story}/edit"):
        page.goto(where)
        page.wait_for_load_state("networkidle")
        page.add_script_tag(path=AXE)
        result = page.evaluate("axe.run({resultTypes: ['violations']})")
        assert [(each["id"], each["nodes"][0]["html"]) for each in result["violations"]] == [], where
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where
    context.close()


def test_the_first_view_is_small(browser: Browser, address: str) -> None:
    """What a first visit to any of these pages loads stays under 200 kB even before it is compressed on the way."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.__setitem__(answer.url, len(answer.body())) if answer.ok else None)
    page.goto("/funding")
    page.wait_for_load_state("networkidle")
    assert sum(sizes.values()) < 250_000, sizes
    context.close()


# ---- Money -----------------------------------------------------------------------------------------------


def test_a_funder_its_recipients_and_their_csv_are_three_clicks(page: Page) -> None:
    """Funding, all funders, one of them, the CSV of what it gave."""
    page.goto("/")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Funding").click()
    page.get_by_role("link", name="All funders").click()
    page.get_by_role("link", name="Harbour Trust").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Harbour Trust")
    expect(page.locator("#money-out tbody tr")).to_have_count(7)
    with page.expect_download() as got:
        page.get_by_role("link", name="CSV", exact=True).first.click()
    assert "Canal Boats" in Path(got.value.path()).read_text()


def test_the_picture_of_the_money_says_what_the_table_says(page: Page) -> None:
    """As many bands as rows; the ends are the names of the table; without the picture the table stands open."""
    page.goto("/funding")
    expect(page.locator("svg.sankey")).to_be_visible()
    rows = page.locator("#flows tbody tr")
    expect(page.locator("svg.sankey .band")).to_have_count(rows.count())
    expect(page.locator("svg.sankey")).to_contain_text("Harbour Trust")
    page.get_by_text("The same as a table").first.click()
    expect(rows.first).to_be_visible()


def test_a_kind_of_recipient_narrows_the_money_and_the_address_keeps_it(page: Page) -> None:
    """By keyboard: the link in the table of kinds, then back by the way out."""
    page.goto("/funding")
    total = page.locator("ul.counts strong").first.inner_text()
    page.locator("table#kind").get_by_role("link", name="Co-operative").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("kind="))
    assert page.locator("ul.counts strong").first.inner_text() != total
    page.get_by_role("link", name="Take all filters away").focus()
    page.keyboard.press("Enter")
    expect(page.locator("ul.counts strong").first).to_have_text(total)


# ---- Map -------------------------------------------------------------------------------------------------


def test_the_map_is_walked_by_keys_and_its_list_follows(page: Page) -> None:
    """Plus comes nearer, fewer are in view, the address keeps the part; a link of the list opens the page."""
    page.goto("/map")
    field = page.get_by_role("group", name=re.compile("^Map"))
    expect(page.locator("svg.map .mark").first).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="22 of 22 in view")).to_be_visible()
    field.focus()
    for _ in range(5):
        page.keyboard.press("+")
    expect(page.get_by_role("status").filter(has_text="22 of 22 in view")).to_have_count(0)
    expect(page).to_have_url(re.compile("box="))
    page.get_by_role("button", name="Show all points").focus()
    page.keyboard.press("Enter")
    link = page.locator(".map-list").get_by_role("link", name="Tide Bakery", exact=True)
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tide Bakery")


def test_a_circle_comes_nearer_until_one_organisation_opens(page: Page) -> None:
    """By mouse, from the whole map to a page."""
    page.goto("/map?box=-3,50.4,-0.5,51.4")
    for _ in range(12):
        mark = page.locator("svg.map .mark").last
        expect(mark).to_be_visible()
        mark.click(force=True)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        if "/doc/" in page.url:
            break
    expect(page).to_have_url(re.compile("/doc/organisation/"))


def test_a_region_its_list_and_its_csv_are_three_clicks(page: Page) -> None:
    """The number of a region leads to as many organisations."""
    page.goto("/map")
    row = page.locator("#regions tbody tr", has_text="Dorset and Somerset")
    number = int(row.locator("td").first.inner_text())
    row.locator("td a").first.click()
    expect(page.locator(".pager")).to_contain_text(f"{number} rows")
    page.get_by_role("link", name="CSV", exact=True).first.focus()
    with page.expect_download() as got:
        page.keyboard.press("Enter")
    assert len(Path(got.value.path()).read_text().splitlines()) == number + 1


def test_own_boundaries_are_filled_by_the_count_of_their_code(page: Page) -> None:
    """The regions of the file stand on the map; one whose code nobody knows stays empty."""
    page.goto("/map")
    expect(page.locator("svg.map .region")).to_have_count(3)
    expect(page.locator("svg.map .region.r0")).to_have_count(1)
    assert "Dorset and Somerset" in (page.locator("svg.map .region title").first.text_content() or "")


# ---- Time, data, stories -----------------------------------------------------------------------------------


def test_an_event_leads_to_its_participants_and_sources(page: Page) -> None:
    """Timeline, event, participant."""
    page.goto("/timeline?what=activity+starts")
    page.get_by_role("link", name=re.compile("Rome conference")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rome conference")
    expect(page.locator("#sources")).to_contain_text("Context from general knowledge")


def test_a_figure_is_taken_with_its_source_and_version(page: Page) -> None:
    """From the first page: a number, its rows as CSV; the foot names version and a lasting link."""
    page.goto("/")
    expect(page.locator(".about-data")).to_contain_text("Version")
    page.get_by_role("link", name="lasting link to this view").click()
    expect(page).to_have_url(re.compile("version="))
    expect(page.locator("main .note").first).to_contain_text("This is version")


def test_a_story_is_presented_by_keys(page: Page, story: str) -> None:
    """Arrow keys lead on and back, Escape leaves; the view within has no header of its own."""
    page.goto(f"{story}/present")
    expect(page.get_by_role("heading", level=1)).to_have_text("Four funders")
    frame = page.frame_locator("iframe.present-view")
    expect(frame.locator("h1")).to_have_text("Where the money goes")
    expect(frame.locator(".site-band")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_have_text("Where they are")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", level=1)).to_have_text("Four funders")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(f"{story}$"))


def test_a_story_is_not_saved_without_the_token_and_nothing_written_is_lost(page: Page) -> None:
    """By keyboard alone: the form comes back with the words in it and says why."""
    page.goto("/timeline")
    page.get_by_role("link", name="Add to a story").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Title").focus()
    page.keyboard.type("A year")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(page.get_by_label("Title")).to_have_value("A year")
    expect(page.get_by_label("Address of the view").first).to_have_value("/timeline")


def test_without_javascript_map_money_and_stories_are_there(browser: Browser, address: str, story: str) -> None:
    """Tables stand for pictures; a story is read and presented by links."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/funding")
    expect(page.locator("#flows tbody tr").first).to_be_visible()
    page.goto("/map")
    expect(page.locator("#regions tbody tr").first).to_be_visible()
    page.goto(f"{story}/present")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where they are")
    context.close()
