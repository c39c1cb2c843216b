"""The pages of figures as a client without JavaScript sees them: sums, lists, points, years, versions, stories."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from flask.testing import FlaskClient

from graphkit import queries
from graphkit.assembly import assemble_shipped
from graphkit.errors import DataError, StoreError, UsageError
from graphkit.store import Store, open_store
from graphkit.terms import ID, graph_iri
from tests.harbour_fixture import harbour_store
from tests.village_fixture import village_store
from webui import create_app
from webui.pages.flows import currencies, picture
from webui.pages.frames import Frames
from webui.pages.map import clusters, read_boundaries
from webui.pages.organisation import ring
from webui.pages.story_shelf import MOST_STEPS, Step, Stories
from webui.settings import Settings

HERE = Path(__file__).parent
TOKEN = "a-token-for-the-tests"  # noqa: S105
PAGES = (
    "/organisations",
    "/map",
    "/funding",
    "/funding/funders",
    "/funding/recipients",
    "/timeline",
    "/sources",
    "/quality",
    "/stories",
    "/stories/new",
    "/commitments?status=no-evidence",
    "/opportunities",
    "/scorecard",
    "/barriers",
    "/barriers?part=barrier",
)


@pytest.fixture(scope="module")
def coast() -> Iterator[Store]:
    """Put the shipped graph together with invented grants and points."""
    store = assemble_shipped()
    with store.change("invented grants") as change:
        change.load((HERE / "money.ttl").read_bytes(), media_type="ttl", graph=graph_iri("invented"))
    yield store
    store.close()


@pytest.fixture(scope="module")
def client(coast: Store) -> FlaskClient:
    """Open the pages over it; who has the token may write."""
    return _opened(coast, token=TOKEN)


def _opened(store: Store, token: str | None = None, boundaries: Path | None = None) -> FlaskClient:
    settings = Settings(today=date(2026, 1, 1), token=token, boundaries=boundaries, query_seconds=60)
    opened = create_app(store, settings).test_client()
    opened.environ_base["HTTP_ACCEPT"] = "text/html"
    return opened


def _table(html: str, name: str) -> list[list[str]]:
    """Return the texts of the cells of a table, row by row."""
    body = re.search(rf'<table class="data[^"]*" id="{name}".*?<tbody>(.*?)</tbody>', html, re.DOTALL)
    assert body, f"no table {name}"
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body[1], re.DOTALL)
    return [[_text(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def _text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


# ---- Every page ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_whole_and_safe(client: FlaskClient, address: str) -> None:
    """200, one h1, and neither script nor style nor handler inside the HTML."""
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", answer.text)


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_something_to_say_of_an_empty_graph(address: str) -> None:
    """No data is no error."""
    with open_store() as empty:
        assert _opened(empty).get(address).status_code == 200


@pytest.mark.parametrize("address", ["/funding", "/map", "/timeline", "/organisations", "/"])
def test_a_page_with_figures_tells_of_its_data(client: FlaskClient, address: str) -> None:
    """The box has coverage, version, a lasting link and the query with its downloads."""
    html = client.get(address).text
    box = html[html.index('class="about-data"') :]
    assert re.search(r"\d+ %", box)
    assert "version=" in box
    assert "The query behind this page" in box
    assert re.search(r'href="/queries/[a-z-]+/[a-z-]+\.csv', box)


def test_an_older_version_is_shown_as_it_was(client: FlaskClient, coast: Store) -> None:
    """Before the invented grants there was none; the page says that it is old; a version that is not kept is 404."""
    assert coast.version
    old = client.get(f"/funding?version={coast.version.number - 1}").text
    assert "This is version" in old
    assert "No grant is in the graph yet" in old
    assert client.get("/funding?version=999").status_code == 404


# ---- Money -----------------------------------------------------------------------------------------------


def test_the_headline_sum_is_that_of_the_query(client: FlaskClient, coast: Store) -> None:
    """The first number of the page is the sum of its CSV, in one currency."""
    html = client.get("/funding?currency=EUR").text
    rows = list(csv.DictReader(io.StringIO(client.get("/queries/funding/pairs.csv").text)))
    total = sum(Decimal(row["amount"]) for row in rows if row["currency"] == "EUR")
    assert f"{total:,.0f}" in html
    with_eur = queries.run(coast, "funding/pairs").filter(pl.col("currency") == "EUR")
    assert len(_table(html, "flows")) == with_eur.height


def test_the_village_pays_what_was_counted_by_hand() -> None:
    """5,000 and 1,200.50 pounds from the foundation, 800 euros from the council."""
    with village_store() as village:
        client = _opened(village)
        assert _table(client.get("/funding/funders?currency=GBP").text, "funders") == [
            ["Foundation", "2", "2", "6,200 GBP", "2021-02-15"]
        ]
        of = client.get("/funding/of/organisation/foundation").text
        assert [row[2] for row in _table(of, "money-out")] == ["5,000 GBP", "1,200 GBP"]
        assert "No grant to it is known" in of
        none = client.get("/funding?since=2022&until=2022").text
        assert "No grant fits this selection" in none


def test_small_ends_are_put_together_and_nothing_is_lost() -> None:
    """With forty recipients the picture has fewer rows, and their sum is the sum of all."""
    frame = pl.DataFrame(
        {
            "funder": ["f"] * 40,
            "funder_label": ["Fund"] * 40,
            "recipient": [f"r{n}" for n in range(40)],
            "recipient_label": [f"R{n}" for n in range(40)],
            "currency": ["GBP"] * 40,
            "grants": [1] * 40,
            "shared": [0] * 40,
            "amount": [Decimal(n + 1) for n in range(40)],
        }
    )
    app = create_app(open_store(), Settings())
    with app.test_request_context("/"):
        seen = picture(frame, "GBP")
    assert len(seen.rows) == 17
    assert sum(row["amount"] for row in seen.rows) == seen.total == Decimal(820)
    assert "24 other recipients" in {row["recipient"]["label"] for row in seen.rows}
    assert currencies(frame).rows(named=True)[0]["recipients"] == 40


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/funding?since=soon", "no year or day"),
        ("/funding?currency=XYZ", "no grant of this selection is in XYZ"),
        ("/funding/funders?sort=colour", "cannot be ordered by"),
        ("/funding/funders?page=0", "no number for"),
        ("/map/points.json?west=far", "no number of degrees"),
        ("/map/points.json?west=nan", "no number of degrees"),
        ("/organisations?region=not an iri", "takes an IRI"),
    ],
)
def test_a_wrong_value_is_told_with_a_way_on(client: FlaskClient, address: str, says: str) -> None:
    """400, and the words say what is wrong."""
    answer = client.get(address)
    assert answer.status_code == 400
    assert says in answer.text


def test_an_unknown_organisation_has_no_money_page(client: FlaskClient) -> None:
    """404."""
    assert client.get("/funding/of/organisation/nobody").status_code == 404


# ---- Lists -----------------------------------------------------------------------------------------------


def test_a_long_list_comes_in_pages_that_together_are_the_whole(client: FlaskClient, coast: Store) -> None:
    """Every organisation stands once, on one of the pages; beyond the last there is none."""
    every = queries.run(coast, "explore/organisations")
    found: list[str] = []
    for page in (1, 2):
        html = client.get(f"/organisations?page={page}").text
        found += [row[0] for row in _table(html, "organisations")]
        assert f"of {every.height}" in html
    assert sorted(found) == sorted(every["label"])
    assert found == sorted(found, key=str.lower)
    assert client.get("/organisations?page=3").status_code == 404


def test_a_list_is_found_in_and_ordered_by_the_server(client: FlaskClient) -> None:
    """`find` narrows, `sort` orders; the head says which way, and its link turns it round."""
    html = client.get("/organisations?find=HARBOUR").text
    assert [row[0] for row in _table(html, "organisations")] == ["Harbour Trust"]
    falling = client.get("/funding/recipients?currency=GBP&sort=-label").text
    names = [row[0] for row in _table(falling, "recipients")]
    assert names == sorted(names, reverse=True)
    assert 'aria-sort="descending"' in falling
    assert "sort=label" in falling


def test_two_lists_of_one_page_are_turned_over_each_by_itself(client: FlaskClient) -> None:
    """The order of the money that came in leaves the money that went out alone."""
    html = client.get("/funding/of/organisation/harbour-trust?out-sort=label").text
    names = [row[0] for row in _table(html, "money-out")]
    assert names == sorted(names)


def test_answers_are_kept_up_to_a_size() -> None:
    """The frame not used for longest goes first."""
    frame = pl.DataFrame({"n": range(1000)})
    kept = Frames(most=int(frame.estimated_size() * 2.5))
    for name in "abc":
        kept.put(("v", name), frame)
        kept.get(("v", "a"))
    assert kept.get(("v", "a")) is not None
    assert kept.get(("v", "b")) is None
    assert kept.get(("v", "c")) is not None


# ---- Map -------------------------------------------------------------------------------------------------


def test_points_are_put_together_and_none_is_lost(client: FlaskClient) -> None:
    """Coarse or fine, the cells hold all points of the box; a cell of one has its page."""
    for cell in ("20", "0.001"):
        data = client.get(f"/map/points.json?cell={cell}").get_json()
        assert sum(each["n"] for each in data["cells"]) == data["seen"] == data["total"] == 22
    alone = [each for each in data["cells"] if each["n"] == 1]
    assert client.get(alone[0]["href"]).status_code == 200
    south = client.get("/map/points.json?south=50&north=52&west=-4&east=0").get_json()
    assert 0 < south["seen"] < 22
    assert len(south["list"]) == south["seen"]


def test_a_cell_tells_its_middle_and_its_box() -> None:
    """Two points of one cell, one of another."""
    points = pl.DataFrame(
        {
            "organisation": ["a", "b", "c"],
            "label": ["A", "B", "C"],
            "latitude": [50.1, 50.3, 60.0],
            "longitude": [-1.5, -1.1, 10.0],
        }
    )
    found = clusters(points, 1.0).rows(named=True)
    assert [row["count"] for row in found] == [2, 1]
    assert found[0]["lat"] == pytest.approx(50.2)
    assert (found[0]["west"], found[0]["north"]) == (-1.5, 50.3)


def test_the_table_counts_every_region_and_its_number_is_that_of_the_list(client: FlaskClient) -> None:
    """Also those without a point; the link of the number lists as many."""
    rows = {row[0]: int(row[1]) for row in _table(client.get("/map").text, "regions")}
    listed = client.get("/organisations?region=place/dorset-and-somerset").text
    assert f"{rows['Dorset and Somerset']} rows" in listed


def test_without_points_the_map_says_so() -> None:
    """The village has no coordinates: no picture, but the table."""
    with village_store() as village:
        html = _opened(village).get("/map").text
    assert "no source gives its latitude" in html
    assert "data-map" not in html
    assert _table(html, "regions")[0][:2] == ["Valley", "13"]


def test_boundaries_are_checked_when_the_service_starts(tmp_path: Path, coast: Store) -> None:
    """What is no topology names the file; a good file is served with an entity tag; without one there is 404."""
    bad = tmp_path / "regions.json"
    bad.write_text('{"type": "FeatureCollection"}')
    with pytest.raises(DataError, match=r"regions\.json"):
        _opened(coast, boundaries=bad)
    with pytest.raises(DataError, match="cannot be read"):
        read_boundaries(tmp_path / "absent.json")
    client = _opened(coast, boundaries=HERE / "valley.topojson")
    answer = client.get("/map/boundaries.json")
    assert answer.get_json()["type"] == "Topology"
    assert client.get("/map/boundaries.json", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert _opened(coast).get("/map/boundaries.json").status_code == 404


# ---- Time ------------------------------------------------------------------------------------------------


def test_the_timeline_counts_what_it_lists(client: FlaskClient) -> None:
    """A year's number is the number of its rows; a sort of entry narrows both."""
    html = client.get("/timeline?since=2014&until=2014").text
    rows = _table(html, "timeline")
    assert f"{len(rows)} rows" in html
    assert all(row[0].startswith("2014") for row in rows)
    grants = _table(client.get("/timeline?what=grant").text, "timeline")
    assert {row[1] for row in grants} == {"grant"}
    assert len(grants) == 26


def test_a_period_too_long_for_a_list_is_cut_to_its_newest_years(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says what the list holds, and the picture still has all years."""
    monkeypatch.setattr("webui.pages.timeline._MOST_LISTED", 12)
    html = client.get("/timeline").text
    assert "too much for one list" in html
    assert "2009" in html
    assert not any(row[0].startswith("2009") for row in _table(html, "timeline"))


# ---- Organisation ----------------------------------------------------------------------------------------


def test_an_organisation_shows_its_surroundings_neighbours_and_money(client: FlaskClient) -> None:
    """The picture is told in words; relations are counted; the money leads on."""
    link = client.get("/doc/organisation/social-enterprise-link").text
    assert "It has worked with 4 organisations." in link
    assert _table(link, "neighbours-table")[0][0] == "takes part with"
    trust = client.get("/doc/organisation/harbour-trust").text
    assert ["gives money to", "7"] in [row[:2] for row in _table(trust, "neighbours-table")]
    assert "/funding/of/organisation/harbour-trust#way-out" in trust


def test_neighbours_stand_apart() -> None:
    """No two names of one side lie on each other, and no two spots at one place."""
    app = create_app(open_store(), Settings())
    with app.test_request_context("/"):
        for total in (1, 2, 3, 7, 16, 20):
            spots = ring([f"{ID}organisation/o{n}" for n in range(total)], {}, frozenset())
            for side in ("start", "end"):
                heights = sorted(spot.y for spot in spots if spot.anchor == side)
                assert all(after - before > 14 for before, after in pairwise(heights))


# ---- Data ------------------------------------------------------------------------------------------------


def test_sources_have_licence_graph_and_scopes(client: FlaskClient) -> None:
    """Each with its licence under its name, and what it is complete for."""
    html = client.get("/sources").text
    assert "CC BY 4.0" in _table(html, "sources")[0][1]
    assert any("Rome Strategy" in cell for row in _table(html, "scopes") for cell in row)


def test_the_checks_find_a_fault_that_is_there() -> None:
    """An amount without a currency is counted and named; all others stay at nothing."""
    with village_store() as village:
        with village.change("a fault") as change:
            change.update(
                "INSERT DATA { GRAPH <urn:g> { <https://w3id.org/solidarity-graph/id/grant/odd> "
                "a <https://schema.org/MonetaryGrant> ; <https://schema.org/amount> 5 ; "
                '<http://www.w3.org/2000/01/rdf-schema#label> "Odd"@en } }'
            )
        rows = _table(_opened(village).get("/quality").text, "checks")
    found = {row[0]: row[1] for row in rows}
    assert found["Amounts without a currency, or that are no amounts of money"] == "1"
    assert rows[0][1] != "0"


# ---- Stories ---------------------------------------------------------------------------------------------


def _form(**more: str | list[str]) -> dict[str, str | list[str]]:
    return {
        "title": "Two views", "intro": "", "author": "", "place": ["2", "1"], "view": ["/map", "/funding?currency=GBP"],
        "caption": ["Where", "Money"], "text": ["", "Look at the largest."], "act": "save", **more,
    }  # fmt: skip


def test_a_story_is_written_read_changed_and_deleted(client: FlaskClient) -> None:
    """With the token; the places give the order; the views are embedded without their header."""
    answer = client.post("/stories", data=_form(token=TOKEN))
    assert answer.status_code == 303
    where = answer.headers["Location"]
    data = client.get(f"{where}.json").get_json()
    assert [step["caption"] for step in data["steps"]] == ["Money", "Where"]
    shown = client.get(f"{where}/present")
    assert 'src="/funding?currency=GBP&amp;embed=1"' in shown.text
    assert "frame-src 'self'" in shown.headers["Content-Security-Policy"]
    assert '<body class=" embedded"' in client.get("/map?embed=1").text
    assert client.get(f"{where}/present?step=3").status_code == 400
    assert client.post(where, data=_form(title="One name", token=TOKEN)).status_code == 303
    assert client.get(f"{where}.json").get_json()["title"] == "One name"
    assert "One name" in client.get("/stories").text
    assert client.post(where, data=_form(act="delete", token=TOKEN)).status_code == 303
    assert client.get(where).status_code == 404


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1]])
def test_without_the_token_nothing_is_written_and_nothing_lost(client: FlaskClient, token: str) -> None:
    """403 with the form as it was."""
    answer = client.post("/stories", data=_form(title="Not mine", token=token))
    assert answer.status_code == 403
    assert 'value="Not mine"' in answer.text
    assert "Not mine" not in client.get("/stories").text


def test_a_service_without_a_token_is_read_only(coast: Store) -> None:
    """The form says so; a page of another site can never write."""
    closed = _opened(coast)
    assert "read only" in closed.get("/stories/new").text
    assert closed.post("/stories", data=_form(token="")).status_code == 403
    foreign = _opened(coast, token=TOKEN)
    assert (
        foreign.post("/stories", data=_form(token=TOKEN), headers={"Origin": "https://evil.example"}).status_code == 403
    )


def test_more_views_are_asked_for_without_losing_words(client: FlaskClient) -> None:
    """The form grows and keeps what is written, also without the token."""
    html = client.post("/stories", data=_form(act="more")).text
    assert html.count("<fieldset") == 4
    assert 'value="Money"' in html


@pytest.mark.parametrize(
    "view",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", "/a b", "map", "/x\n"],
)
def test_a_story_shows_nothing_but_this_service(view: str) -> None:
    """An address elsewhere is refused, whatever it is dressed as."""
    with pytest.raises(UsageError, match="no address of this service"):
        Stories().put("t", "", "", [Step(view + "\x07" if view.endswith("\n") else view, "c")])


def test_the_shelf_says_what_is_missing_or_too_much(tmp_path: Path) -> None:
    """A title, a view, a caption, lengths; and a place for the file."""
    shelf = Stories(tmp_path / "stories.sqlite")
    good = Step("/map", "A map")
    for title, steps in (
        ("", [good]),
        ("t", []),
        ("t", [Step("/map", "")]),
        ("t" * 201, [good]),
        ("t", [good] * (MOST_STEPS + 1)),
        ("t", [Step("/map", "c", "x" * 4001)]),
    ):
        with pytest.raises(UsageError):
            shelf.put(title, "", "", list(steps))
    kept = shelf.put("t", "", "", [good])
    assert Stories(tmp_path / "stories.sqlite").get(kept.id) == kept
    with pytest.raises(StoreError, match="stories cannot be kept"):
        Stories(tmp_path / "no" / "stories.sqlite")


def test_what_a_story_says_is_escaped(client: FlaskClient) -> None:
    """A script in a caption is text."""
    hostile = "<script>alert(1)</script>"
    where = client.post("/stories", data=_form(title=hostile, caption=[hostile, hostile], token=TOKEN)).headers[
        "Location"
    ]
    for address in (where, f"{where}/present", "/stories", f"{where}/edit"):
        assert hostile not in client.get(address).text
    assert json.loads(client.get(f"{where}.json").text)["title"] == hostile


# ---- What can be bid for, and how regions do ----------------------------------------------------------------


@pytest.fixture(scope="module")
def harbour() -> Iterator[FlaskClient]:
    """Open the pages over the harbour, which has tenders, bids, judgements and shared grants."""
    store = harbour_store()
    yield _opened(store)
    store.close()


def test_the_sums_of_pairs_are_those_of_the_flows() -> None:
    """The page of the money and the accounts of the command line divide a shared grant in the same way."""
    with harbour_store() as store:
        keys = ("funder", "recipient", "currency")
        amount = pl.col("amount").cast(pl.Float64).sum().round(2)
        flows, pairs = (
            queries.run(store, f"funding/{name}").group_by(keys).agg(amount, pl.col("grants").sum()).sort(keys)
            for name in ("flows", "pairs")
        )
        assert pairs.height == 10
        assert pairs.equals(flows)


def test_a_shared_grant_is_divided_and_counted_once(harbour: FlaskClient) -> None:
    """Fifty pounds to two recipients: one grant at the head, 25 for each, and a note that says so."""
    html = harbour.get("/funding?currency=GBP").text
    assert re.search(r"<strong>50</strong> GBP · 1 grant<", html)
    assert {row[3] for row in _table(html, "flows")} == {"25 GBP"}
    assert "divided equally among them" in html


def test_an_opportunity_says_what_it_asks_who_fits_and_who_could_bid(harbour: FlaskClient) -> None:
    """The list leads to the page; past deadlines can be left out; an unknown one is 404."""
    rows = _table(harbour.get("/opportunities").text, "opportunities")
    assert ["Sailing school", "Town"] in [row[:2] for row in rows]
    still = _table(harbour.get("/opportunities?open=1").text, "opportunities")
    assert [row[0] for row in still] == ["Sailing school"]
    html = harbour.get("/opportunities/of/opportunity/school").text
    assert [row[0] for row in _table(html, "matches")][:2] == ["Net Menders", "Rowers"]
    assert "Who could bid together" in html
    assert harbour.get("/opportunities/of/opportunity/nothing").status_code == 404


def test_the_scorecard_compares_regions_and_leaves_open_what_nobody_judged(harbour: FlaskClient) -> None:
    """A column for each region; an empty cell is not known and never nought; the CSV says the same."""
    where = "region=place/north&region=place/south"
    rows = _table(harbour.get(f"/scorecard?{where}").text, "scorecard")
    data = list(csv.DictReader(io.StringIO(harbour.get(f"/scorecard.csv?{where}").text)))
    assert len(rows) * 2 == len(data)
    judged = [row for row in data if row["score"]]
    assert judged
    shown = next(row for row in rows if row[0] == judged[0]["measure_label"])
    assert any(f"{float(judged[0]['score']):.2f}" in cell for cell in shown[1:])
    assert any("not known" in cell for row in rows for cell in row[1:])
    assert harbour.get("/scorecard?" + "&".join(f"region=place/r{n}" for n in range(7))).status_code == 400
    assert harbour.get("/scorecard?region=place/nowhere").status_code == 404


def test_a_commitment_has_the_figures_of_its_indicators(harbour: FlaskClient) -> None:
    """Each with value, status, how much could be looked at, and method."""
    html = harbour.get("/commitments").text
    assert "Figures for" in html
    assert "How much could be looked at" in html


def test_who_is_signed_in_writes_a_story_without_sending_the_token_again(coast: Store) -> None:
    """The form carries the word of the session; without it the session alone is not enough."""
    client = _opened(coast, token=TOKEN)
    assert client.post("/sign-in", data={"token": TOKEN, "next": "/stories"}).status_code == 303
    word = re.search(r'name="word" value="([0-9a-f]+)"', client.get("/stories/new").text)
    assert word
    assert client.post("/stories", data=_form(word="0" * 64)).status_code == 403
    assert client.post("/stories", data=_form(word=word[1])).status_code == 303


def test_tokens_cannot_be_guessed_at_speed(coast: Store) -> None:
    """After ten wrong ones in a minute no further one is looked at, not even the right one."""
    client = _opened(coast, token=TOKEN)
    for _ in range(10):
        assert client.post("/stories", data=_form(token="a" * 20)).status_code == 403
    assert client.post("/stories", data=_form(token=TOKEN)).status_code == 429


def test_barriers_leave_out_answers_of_few_people_and_say_so(harbour: FlaskClient) -> None:
    """The seven of the north are counted; what answers a barrier elsewhere stands below; the CSV has the same rows."""
    html = harbour.get("/barriers").text
    rows = _table(html, "barriers")
    assert ["North", "1", "1", "7", "0"] in [row[2:7] for row in rows]
    assert ["Fragmentation", "Quay", "Consortia", "South"] in _table(html, "answers")
    assert len(list(csv.DictReader(io.StringIO(harbour.get("/barriers.csv").text)))) == len(rows)
    assert {row[1] for row in _table(harbour.get("/barriers?part=building+block").text, "barriers")} == {
        "building block"
    }
