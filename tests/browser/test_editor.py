"""The SPARQL editor in a browser: write, complete, run, cancel, see and share an answer, by mouse and by keyboard."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from tests.browser.conftest import AXE

pytestmark = pytest.mark.browser

SIX_PLACES = """SELECT ?place ?lat ?long ?visitors WHERE {
  VALUES (?place ?lat ?long ?visitors) {
    ("Bath" 51.38 -2.36 12) ("Exeter" 50.72 -3.53 30) ("Lyon" 45.76 4.84 7) ("Nowhere" UNDEF UNDEF 1)
  }
}"""
MEMBERS = """PREFIX org: <http://www.w3.org/ns/org#>
CONSTRUCT { ?a org:memberOf ?b . ?a a ?class } WHERE { ?a org:memberOf ?b ; a ?class }"""
NEVER_ENDS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . FILTER(STR(?a) != STR(?i)) }"
MOST_BYTES = 200_000


def _address(query: str, **further: str) -> str:
    return "/sparql?" + urlencode({"query": query, **further})


def _editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Query")


def _offers(page: Page) -> Locator:
    """Return what the list of completions holds, once it may be chosen from."""
    offers = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(offers.first).to_be_visible()
    page.wait_for_timeout(150)  # A list that has just opened does not take Enter yet, lest it catch a new line.
    return offers


def _write(page: Page, text: str) -> None:
    """Put a text in place of what stands in the editor, as a paste does."""
    _editor(page).focus()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)


@pytest.fixture
def faulty_page(browser: Browser, address: str) -> Iterator[Page]:
    """Open a page where the browser may report a refused request; everything else on the console fails the test."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert [fault for fault in faults if not fault.startswith("Failed to load resource")] == []


def test_a_query_runs_by_mouse_and_its_address_keeps_it(page: Page) -> None:
    """Choose an example, run it, sort it; the address shows the same again."""
    page.goto("/sparql")
    page.get_by_label("Example").select_option("explore/places")
    expect(_editor(page)).to_contain_text("PREFIX")
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator("#answer tbody tr").first).to_be_visible()
    expect(page.locator("[data-answer] .table-note").first).to_contain_text(re.compile(r"\d+ rows · [\d.]+ s"))
    expect(page).to_have_url(re.compile(r"query="))
    page.locator("#answer thead button").first.click()
    page.locator("#answer thead button").first.click()
    expect(page.locator("#answer th[aria-sort=descending]")).to_have_count(1)
    first = page.locator("#answer tbody tr").first.inner_text()
    page.reload()
    expect(page.locator("#answer th[aria-sort=descending]")).to_have_count(1)
    assert page.locator("#answer tbody tr").first.inner_text() == first


def test_a_query_runs_by_keyboard_and_tab_leaves_the_editor(page: Page) -> None:
    """Ctrl+Enter answers; Tab goes on to the button; the browser's way back brings the query before."""
    page.goto("/sparql")
    _write(page, "SELECT (COUNT(*) AS ?n) WHERE { ?c a <https://w3id.org/solidarity-graph/ns#Commitment> }")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer")).to_contain_text("9")
    expect(_editor(page)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run the query")).to_be_focused()
    _write(page, "ASK { ?s ?p ?o }")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".verdict")).to_have_text("Yes")
    page.go_back()
    expect(page.locator("#answer")).to_contain_text("9")
    expect(_editor(page)).to_contain_text("COUNT")


def test_things_are_links_under_their_names(page: Page) -> None:
    """The answer has IRIs; the table shows names, and leads to the page here."""
    page.goto(_address("SELECT ?c WHERE { ?c a <https://w3id.org/solidarity-graph/ns#Commitment> } ORDER BY ?c"))
    link = page.locator("#answer tbody a").first
    expect(link).to_have_attribute("href", re.compile("^/(id|doc)/commitment/"))
    expect(link).not_to_contain_text("id:")


def test_completion_offers_a_class_and_declares_its_prefix(page: Page) -> None:
    """After `a` come the classes of the graph; the missing PREFIX line is written too, and undone in one step."""
    page.goto("/sparql")
    _write(page, "SELECT * WHERE { ?x a ")
    page.keyboard.type("org:Organ")
    expect(_offers(page).first).to_contain_text("org:Organization")
    page.keyboard.press("Enter")
    expect(_editor(page)).to_contain_text("PREFIX org: <http://www.w3.org/ns/org#>")
    expect(_editor(page)).to_contain_text("?x a org:Organization")
    page.keyboard.press("Control+z")
    expect(_editor(page)).not_to_contain_text("PREFIX")


def test_completion_knows_the_place(page: Page) -> None:
    """Properties where a property stands, by a word of their name; variables of the text; prefixes in a PREFIX line."""
    page.goto("/sparql")
    _write(page, "SELECT ?organisation WHERE { ?organisation ")
    page.keyboard.type("memberO")
    expect(_offers(page).first).to_contain_text("org:memberOf")
    page.keyboard.press("Escape")
    page.keyboard.type(" ?org")
    expect(_offers(page).first).to_have_text("?organisation")
    page.keyboard.press("Escape")
    _write(page, "PREFIX ")
    page.keyboard.type("prov")
    expect(_offers(page).first).to_contain_text("http://www.w3.org/ns/prov#")


def test_completion_finds_a_thing_by_its_name(page: Page) -> None:
    """Words between quotes and Ctrl+Space, or words after `<`, become the IRI of the thing."""
    page.goto("/sparql")
    _write(page, 'SELECT * WHERE { ?x ?y "social enterprise li')
    page.keyboard.press("Control+Space")
    expect(_offers(page).first).to_contain_text("Social Enterprise Link (Wessex) CIC")
    page.keyboard.press("Enter")
    expect(_editor(page)).to_contain_text(
        "?y <https://w3id.org/solidarity-graph/id/organisation/social-enterprise-link>"
    )
    _write(page, "SELECT * WHERE { ?x ?y ")
    page.keyboard.type("<social enterprise li")
    _offers(page).filter(has_text="Social Enterprise Link").first.click()
    expect(_editor(page)).to_contain_text(
        "?y <https://w3id.org/solidarity-graph/id/organisation/social-enterprise-link>"
    )


def test_the_line_of_a_fault_is_marked(faulty_page: Page) -> None:
    """The message stands under its line and describes the field; it goes when the text changes."""
    page = faulty_page
    page.goto("/sparql")
    _write(page, "SELECT *\nWHERE {\n  ?s ?p }\n}")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".fault-line")).to_have_text("}")
    expect(page.locator(".fault-words")).to_contain_text("closes nothing")
    expect(_editor(page)).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-run-status]")).to_contain_text("line 4")
    page.keyboard.type(" ")
    expect(page.locator(".fault-words")).to_have_count(0)
    expect(_editor(page)).not_to_have_attribute("aria-invalid", "true")


def test_a_fault_in_a_shared_address_is_marked(faulty_page: Page) -> None:
    """What the server has said in the page moves to its line."""
    faulty_page.goto(_address("SELECT * WHERE {\n ?s ?p }"))
    expect(faulty_page.locator(".fault-line")).to_have_count(1)
    expect(faulty_page.locator(".note.fault")).to_have_count(0)


def test_a_refusal_without_a_line_is_told_under_the_editor(faulty_page: Page) -> None:
    """A remote service is not asked; the reason is announced."""
    faulty_page.goto("/sparql")
    _write(faulty_page, "SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }")
    faulty_page.keyboard.press("Control+Enter")
    expect(faulty_page.get_by_role("alert")).to_contain_text("SERVICE")


def test_a_long_query_can_be_cancelled(faulty_page: Page) -> None:
    """The time runs, Cancel ends the query here and in the service, and another one can follow."""
    page = faulty_page
    page.goto("/sparql")
    _write(page, NEVER_ENDS)
    with page.expect_request(lambda request: request.method == "DELETE" and "/sparql/queries/" in request.url):
        page.keyboard.press("Control+Enter")
        expect(page.locator("[data-clock]")).to_contain_text(re.compile(r"0\.[3-9] s"))
        page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-run-status]")).to_have_text("Cancelled.")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(_editor(page)).to_be_focused()
    _write(page, "ASK { ?s ?p ?o }")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".verdict")).to_have_text("Yes")


def test_an_answer_becomes_a_chart(page: Page) -> None:
    """Bars by default, points by choice; the choice stands in the address and the words say what is drawn."""
    page.goto(_address(SIX_PLACES))
    page.get_by_role("tab", name="Chart").click()
    expect(page.locator(".chart rect.mark")).to_have_count(4)
    expect(page.locator(".chart figcaption")).to_contain_text("Highest 30 (Exeter), lowest 1 (Nowhere)")
    page.get_by_label("Shape").select_option("scatter")
    expect(page.locator(".chart circle.mark")).to_have_count(3)
    expect(page).to_have_url(re.compile("view=chart.*shape=scatter"))
    page.reload()
    expect(page.locator(".chart circle.mark")).to_have_count(3)


def test_an_answer_becomes_a_map(page: Page) -> None:
    """Three places of four have coordinates; the list chooses on the map, and the outline comes from this site."""
    page.goto(_address(SIX_PLACES, view="map"))
    expect(page.locator("svg.map circle")).to_have_count(3)
    expect(page.locator("svg.map .land")).to_have_attribute("d", re.compile("M"))
    expect(page.locator(".view-summary")).to_contain_text("1 row without a place is left out")
    page.locator(".map-list").get_by_role("button", name="Exeter").press("Enter")
    expect(page.locator("svg.map .spot-name")).to_have_text("Exeter")
    page.get_by_role("button", name="Zoom in").click()
    expect(page.locator("svg.map circle.chosen")).to_have_count(1)


def test_an_answer_becomes_a_network(page: Page) -> None:
    """Triples join things; the list goes from one to the next by keyboard."""
    page.goto(_address(MEMBERS, view="network"))
    expect(page.locator(".picture canvas").first).to_be_visible()
    expect(page.locator(".view-summary")).to_contain_text(re.compile(r"\d+ things, \d+ ties"))
    panel = page.get_by_role("region", name="Things in the network")
    panel.get_by_role("button", name="Co-operatives UK").press("Enter")
    expect(panel.get_by_role("heading")).to_have_text("Co-operatives UK")
    expect(panel.get_by_role("button", name="Cooperatives Europe")).to_be_visible()
    panel.get_by_role("button", name="All things").press("Enter")
    expect(panel.get_by_role("heading")).to_have_text("Things by number of ties")


def test_a_view_that_does_not_fit_says_what_it_needs(page: Page) -> None:
    """The arrow keys go through all tabs; each says which columns it wants."""
    page.goto(_address("SELECT ?s WHERE { ?s a <https://w3id.org/solidarity-graph/ns#Commitment> }"))
    page.get_by_role("tab", name="Table").focus()
    for name, words in (("Chart", "column of numbers"), ("Map", "?lat and ?long"), ("Network", "?source and ?target")):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        expect(page.get_by_role("tabpanel")).to_contain_text(words)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#answer")).to_be_visible()


def test_an_answer_that_is_cut_says_so(page: Page) -> None:
    """A limit in the address stays with the query and with the downloads."""
    page.goto(_address("SELECT ?s ?p ?o WHERE { ?s ?p ?o }", rows="3"))
    expect(page.locator("[data-answer] .note.caution")).to_contain_text("no more than 3 rows")
    expect(page.locator("#answer tbody tr")).to_have_count(3)
    expect(page.locator(".downloads a").first).to_have_attribute("href", re.compile("rows=3"))


def test_many_rows_come_in_parts(page: Page) -> None:
    """The first hundred, then more; the focus goes to the first new row."""
    page.goto(_address("SELECT ?s ?p ?o WHERE { ?s ?p ?o } LIMIT 150"))
    rows = page.locator("#answer tbody tr")
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="Show 50 more").click()
    expect(rows).to_have_count(150)
    expect(rows.nth(100)).to_be_focused()


def test_an_address_is_shared_and_a_query_saved(page: Page) -> None:
    """Share shows the address of the view; Save asks for a title and gives a short one that works."""
    page.goto(_address(SIX_PLACES, view="map"))
    page.get_by_role("button", name="Share").click()
    assert "view=map" in page.get_by_label("Address to share").input_value()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Share")).to_be_focused()
    page.get_by_role("button", name="Save as short link").click()
    page.get_by_label("Title").fill("Four places")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Address to share")).to_have_value(re.compile("/q/"))
    page.goto(page.get_by_label("Address to share").input_value())
    expect(page.locator("body")).to_contain_text("Bath")


def test_the_first_view_is_small_and_other_pages_have_no_editor(page: Page) -> None:
    """Editor included, the page takes under 200 kB compressed; no other page loads its script."""
    loaded: list[Response] = []

    def keep(answer: Response) -> None:
        loaded.append(answer)

    page.on("response", keep)
    page.goto("/sparql", wait_until="networkidle")
    assert any("/assets/sparql-" in each.url for each in loaded)
    assert sum(len(gzip.compress(each.body())) for each in loaded) < MOST_BYTES
    for where in ("/", "/network", "/gaps", "/queries"):
        loaded.clear()
        page.goto(where, wait_until="networkidle")
        assert not [each.url for each in loaded if "/assets/sparql-" in each.url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_editor_and_views_are_accessible(browser: Browser, address: str, width: int, scheme: str) -> None:
    """axe-core finds nothing in any view, with a list of completions open or a fault marked; nothing is too wide."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of the two words
        reduced_motion="reduce",
        bypass_csp=True,
    )
    page = context.new_page()
    for view, ready in (("", "#answer a"), ("chart", ".chart rect"), ("map", "svg.map circle"), ("network", ".unfit")):
        page.goto(_address(SIX_PLACES.replace('"Bath"', "<http://www.w3.org/ns/org#Role>"), view=view))
        expect(page.locator(ready).first).to_be_visible()
        _no_fault(page, width, view)
    page.goto(_address(MEMBERS, view="network"))
    expect(page.locator(".answer-network .camera button").first).to_be_visible()
    _no_fault(page, width, "a network")
    _write(page, "SELECT * WHERE { ?x a ")
    page.keyboard.type("org:")
    expect(_offers(page).first).to_be_visible()
    _no_fault(page, width, "completions")
    page.goto(_address("SELECT * WHERE {"))
    expect(page.locator(".fault-words")).to_be_visible()
    _no_fault(page, width, "a fault")
    context.close()


def _no_fault(page: Page, width: int, where: str) -> None:
    page.add_script_tag(path=AXE)
    result = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert [(each["id"], each["nodes"][0]["html"]) for each in result["violations"]] == [], where
    assert page.evaluate("document.documentElement.scrollWidth") <= width, where


def test_without_javascript_the_form_answers(browser: Browser, address: str) -> None:
    """The plain field is there, the editor's buttons are not; an example loads and runs."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/sparql")
    page.get_by_label("Example").select_option("explore/places")
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_label("Query", exact=True)).to_have_value(re.compile("places", re.IGNORECASE))
    expect(page.get_by_role("button", name="Share")).to_be_hidden()
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator("#answer tbody tr").first).to_be_visible()
    context.close()
