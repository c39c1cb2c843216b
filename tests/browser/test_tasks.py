"""What analysts come for, done in a browser by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import AXE

pytestmark = pytest.mark.browser

LINK = "https://w3id.org/solidarity-graph/id/organisation/social-enterprise-link"
PAGES = (
    "/",
    "/network",
    "/network?selected=organisation/eris&open=none",
    "/network?tie=organisation/eris+organisation/social-enterprise-link",
    "/embed/network",
    "/tie?tie=organisation/eris+organisation/social-enterprise-link",
    "/path?from=organisation/move-your-business&to=organisation/stagecoach",
    "/path?from=trans&to=zzzz",
    "/what-if?tie=organisation/eris+organisation/stagecoach",
    "/gaps",
    "/gaps/P1-41f46caa1eca",
    "/plan?gap=P1-41f46caa1eca",
    "/sign-in",
    "/gaps?lang=fr",
    "/network?lang=fr",
    "/commitments?lang=en",
    "/sparql?query=SELECT%20%2A%20WHERE%20%7B%20%3Fs%20a%20%3Fo%20%7D%20LIMIT%205",
    "/doc/organisation/social-enterprise-link",
    "/doc/commitment/rome-2-1",
    "/vocabulary/kind",
    "/ns",
    "/ns/Activity",
    "/versions",
    "/graph/wessex-text",
    "/queries",
    "/queries/explore/organisations",
    "/search?q=co-operative",
    "/identity",
    "/identity?contested=1&record=organisation/eris",
    "/api",
    "/versions/1",
    "/queries/build/inverses",
    "/doc/place/wessex",
    "/doc/activity/rome-conference-2014",
    "/doc/organisation/social-enterprise-link?version=1",
    "/path",
    "/what-if",
    "/plan",
    "/sources?lang=fr",
    "/doc/organisation/eris?lang=fr",
    "/commitments?lang=en",
    "/nowhere",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible(browser: Browser, address: str, width: int, scheme: str) -> None:
    """axe-core finds nothing, and nothing is wider than the screen."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of the two words
        bypass_csp=True,
    )
    page = context.new_page()
    for where in PAGES:
        page.goto(where)
        page.add_script_tag(path=AXE)
        result = page.evaluate("axe.run({resultTypes: ['violations']})")
        assert [(each["id"], each["nodes"][0]["html"]) for each in result["violations"]] == [], where
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where
    context.close()


def test_an_organisation_is_found_by_typing_its_name(page: Page) -> None:
    """Search, arrow, Enter; then a partner, all by keyboard."""
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("social enterprise li")
    expect(page.get_by_role("option").first).to_contain_text("Social Enterprise Link (Wessex) CIC")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Social Enterprise Link (Wessex) CIC")
    partner = page.locator("#partners").get_by_role("link", name="ERIS")
    partner.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("ERIS")


def test_the_reason_of_a_gap_is_three_clicks_away(page: Page) -> None:
    """From the first page to all gaps, filtered, with explanation; the address keeps the filter."""
    page.goto("/")
    page.get_by_role("link", name="All", exact=False).filter(has_text="gaps, with evidence").click()
    page.locator("select[name=kind]").select_option("R1")
    expect(page).to_have_url(re.compile("kind=R1"))
    rows = page.locator("#gaps tbody tr")
    expect(rows.first).to_contain_text("only known connection")
    rows.first.get_by_role("link", name="Fragile point").click()
    expect(page.get_by_role("heading", name="What it rests on")).to_be_visible()


def test_a_commitment_leads_to_its_evidence(page: Page) -> None:
    """From the first page to the conclusions of the Council and to the lines that say so."""
    page.goto("/")
    page.get_by_role("link", name="Commitments").first.click()
    page.get_by_role("link", name="Council conclusions", exact=False).first.click()
    expect(page.locator("#sources")).to_contain_text("line 52")


def test_without_javascript_the_tables_say_it_all(browser: Browser, address: str) -> None:
    """The network, the gaps and a query work as plain pages."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/network?find=eris")
    expect(page.locator("#organisations tbody tr")).to_have_count(1)
    expect(page.locator("img.still")).to_be_visible()
    page.get_by_role("link", name="ERIS").first.click()
    page.goto("/network?selected=organisation/eris")
    expect(page.locator(".panel")).to_contain_text("Works with")
    page.goto("/gaps?kind=C1")
    expect(page.locator("#gaps tbody tr").first).to_contain_text("no action")
    page.goto("/sparql")
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator("#answer")).to_be_visible()
    context.close()


def test_what_belongs_together_is_in_the_menu_of_its_part(page: Page) -> None:
    """Path, what-if, the links for review, the plan and the reports are two clicks away, also by keyboard."""
    for part, name, heading in (
        ("Network", "Path between two", "connected"),
        ("Network", "What if", "What if"),
        ("Organisations", "Same organisation?", "same organisation"),
        ("Gaps", "The plan", "plan"),
        ("Reports", "What has changed", "changed"),
        ("Commitments", "Barriers", "barriers"),
    ):
        page.goto("/")
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=part, exact=True).click()
        link = page.get_by_role("navigation", name="In this part").get_by_role("link", name=name, exact=True)
        link.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(heading, re.IGNORECASE))
        current = page.get_by_role("navigation", name="Pages").locator("[aria-current]")
        expect(current).to_have_text(part)


@pytest.mark.parametrize(
    "where", ["/", "/gaps", "/network", "/commitments", "/doc/organisation/social-enterprise-link"]
)
def test_a_page_on_paper_is_light_and_not_wider_than_it(browser: Browser, address: str, where: str) -> None:
    """On A4, from a dark screen: nothing sticks out, no control is left, the background is white."""
    context = browser.new_context(base_url=address, viewport={"width": 680, "height": 960}, color_scheme="dark")
    page = context.new_page()
    page.goto(where)
    page.wait_for_load_state("networkidle")
    page.emulate_media(media="print", color_scheme="light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    wide = (
        "[...document.querySelectorAll('table.data')].filter((one) => one.getBoundingClientRect().right > 682).length"
    )
    assert page.evaluate(wide) == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in {
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    }
    for control in ("nav.site", "form.filters", ".site-search", "button.theme"):
        expect(page.locator(control).first).to_be_hidden()
    context.close()
