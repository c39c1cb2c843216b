"""The network page, its parts, data and files: views, filters, evidence, paths and what-if, without JavaScript."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import networkx as nx
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from graphkit.errors import UsageError
from graphkit.network import Network, load_network
from graphkit.store import Store
from tests.village_fixture import village_store
from webui import create_app
from webui.analysis import Analysis, NotReady
from webui.layout import lay_out
from webui.network.asked import Asked
from webui.network.drawing import COLOURS
from webui.settings import Settings
from webui.state import state_of

MILL, FARM, UNION, MUSEUM = (f"organisation/{name}" for name in ("mill", "farm", "credit-union", "museum"))
TOKENS = Path(__file__).parents[1] / "webui/frontend/src/styles/tokens.css"


@pytest.fixture(scope="module")
def valley() -> Iterator[Store]:
    """Open a village of our own."""
    store = village_store()
    yield store
    store.close()


@pytest.fixture(scope="module")
def client(valley: Store) -> FlaskClient:
    """Open the pages over the village, as a browser does."""
    settings = Settings(today=date(2026, 1, 1), embedding=("https://news.example",))
    app = create_app(valley, settings)
    ready(app)
    opened = app.test_client()
    opened.environ_base["HTTP_ACCEPT"] = "text/html"
    return opened


def ready(app: Flask) -> None:
    """Let what a page would wait for be there, however busy the machine is."""
    known = state_of(app).analysis
    known.picture("networks/collaboration")
    assert known.report.network.organisations


def rows(client: FlaskClient, address: str) -> list[str]:
    return re.findall(r'<tr data-organisation="([^"]*)"', client.get(address).text)


def drawn(client: FlaskClient, search: str = "") -> dict[str, object]:
    answer = client.get(f"/network.json{search}")
    assert answer.status_code == 200
    data: dict[str, object] = answer.get_json()
    return data


# ---- The view --------------------------------------------------------------------------------------------


def test_the_page_and_its_data_hold_the_network(client: FlaskClient, valley: Store) -> None:
    """Every organisation in the table, every pair among the lines, the sentence says both."""
    network = load_network(valley)
    data = drawn(client)
    assert len(rows(client, "/network")) == len(network.organisations)
    assert sum(data["lines"]["ties"]) == network.adjacency.nnz // 2  # type: ignore[index]
    assert data["summary"] in client.get("/network").text  # type: ignore[operator]


def test_communities_are_drawn_as_one_until_they_are_opened(client: FlaskClient) -> None:
    """Closed, each is a bubble; open, its members stand in its place, and the others stay."""
    closed = drawn(client, "?open=none")
    assert not closed["organisations"]["id"]  # type: ignore[index]
    sizes = {each["id"]: each["size"] for each in closed["bubbles"]}  # type: ignore[attr-defined]
    one = drawn(client, "?open=0")
    assert len(one["organisations"]["id"]) == sizes[0]  # type: ignore[index]
    assert {each["id"] for each in one["bubbles"]} == sizes.keys() - {0}  # type: ignore[attr-defined]
    whole = drawn(client, "?open=all")
    assert not whole["bubbles"]
    pairs = [sum(data["lines"]["ties"]) for data in (closed, one, whole)]  # type: ignore[index]
    inside = sum(each["ties"] for each in closed["bubbles"])  # type: ignore[attr-defined]
    assert pairs[0] + inside == pairs[2]
    assert pairs[0] < pairs[1] < pairs[2]


def test_the_data_of_a_picture_come_packed_to_who_can_unpack_them(client: FlaskClient) -> None:
    """A large network is a quarter of its length on the wire; the content is the same."""
    packed = client.get("/network.json?open=all", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.data)) == drawn(client, "?open=all")
    assert "Content-Encoding" not in client.get("/network.json?open=all").headers


def test_lines_join_marks_that_are_there(client: FlaskClient) -> None:
    """A place among the organisations, or -1 - a place among the bubbles, never a line to itself."""
    for search in ("?open=none", "?open=0", "?open=1", "?open=all"):
        data = drawn(client, search)
        known = range(-len(data["bubbles"]), len(data["organisations"]["id"]))  # type: ignore[arg-type, index]
        ends = [*zip(data["lines"]["a"], data["lines"]["b"], strict=True)]  # type: ignore[index]
        assert all(a in known and b in known and a != b for a, b in ends)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("?find=MILL", {MILL}),
        ("?kind=Credit+union", {UNION}),
        ("?kind=nothing", set()),
        (f"?organisation={MILL}", {MILL, FARM, "organisation/dairy", "organisation/bakery"}),
    ],
)
def test_filters_and_the_ego_view_narrow_the_table(client: FlaskClient, search: str, expected: set[str]) -> None:
    """Filters work without scripts; the ego view has an organisation and its partners."""
    found = set(rows(client, f"/network{search}"))
    assert found == expected if expected or "nothing" in search else found


def test_years_leave_out_what_lies_outside_and_tell_of_what_has_no_date(client: FlaskClient, valley: Store) -> None:
    """The pairs with a dated tie in the years are left, and the undated are counted."""
    ties = load_network(valley).ties
    dated = ties.drop_nulls("date")
    year = dated["date"].dt.year().min()
    wanted = dated.filter(dated["date"].dt.year() == year).select("source", "target").unique().height
    data = drawn(client, f"?since={year}&until={year}")
    assert sum(data["lines"]["ties"]) == wanted  # type: ignore[index]
    if ties["date"].null_count():
        assert "without a date" in client.get(f"/network?since={year}").text


def test_the_table_is_ordered_by_the_server(client: FlaskClient) -> None:
    """By name up and down; a head that is chosen says so."""
    up = rows(client, "/network?sort=label")
    assert up == list(reversed(rows(client, "/network?sort=-label")))
    assert 'aria-sort="ascending"' in client.get("/network?sort=label").text


def test_size_by_a_measure_stands_in_the_table(client: FlaskClient) -> None:
    """Core numbers come with their own column; an unknown measure is told."""
    assert "3.000" in client.get("/network?size=coreness").text
    assert client.get("/network?size=beauty").status_code == 404


@pytest.mark.parametrize(
    "search",
    ["?since=soon", "?since=2015&until=2010", "?open=everything", "?depth=9", "?colour=red", "?page=one", "?tie=a"],
)
def test_a_view_that_cannot_be_is_refused_with_a_reason(client: FlaskClient, search: str) -> None:
    """400 and words, on the page and as data."""
    assert client.get(f"/network{search}").status_code == 400
    assert client.get(f"/network.json{search}").status_code == 400


def test_unknown_names_are_404_with_near_ones(client: FlaskClient) -> None:
    """An unknown network, organisation or version."""
    for address in (
        "/network?network=networks/nothing",
        "/network?organisation=organisation/mil",
        "/network?version=999",
    ):
        assert client.get(address).status_code == 404, address
    assert "organisation/mill" in client.get("/network?organisation=organisation/mil").text


def test_the_whole_view_stands_in_its_address() -> None:
    """What is read from an address is written back to it, and the plain view writes nothing."""
    search = {"kind": "x", "open": "0,2", "since": "2010", "tie": "organisation/a organisation/b", "version": "3"}
    assert Asked.of(search).values() == search
    assert Asked.of({}).search() == ""
    assert Asked.of({"selected": "https://w3id.org/solidarity-graph/id/organisation/mill"}).selected == MILL
    with pytest.raises(UsageError):
        Asked.of({"tie": "one"})


def test_permalinks_name_the_version_and_keep_it(client: FlaskClient, valley: Store) -> None:
    """The link to the view has the number of the version; that version can be looked at."""
    assert valley.version is not None
    number = valley.version.number
    assert f"/network?version={number}&amp;kind=Credit+union" in client.get("/network?kind=Credit+union").text
    older = valley.versions()[-2].number
    assert f"version {older} of the graph" in client.get(f"/network?version={older}").text


# ---- The panel -------------------------------------------------------------------------------------------


def test_the_panel_shows_partners_evidence_and_sources(client: FlaskClient) -> None:
    """An organisation, then a tie with its activity; each is a plain link."""
    html = client.get(f"/network/part?selected={MILL}").text
    assert 'data-what="organisation"' in html
    assert "tie=organisation/mill+organisation/farm" in html
    tie = client.get(f"/network/part?tie={MILL}+{FARM}").text
    assert 'data-what="tie"' in tie
    assert "Harvest Fair" in tie
    assert 'data-what="community"' in client.get("/network/part?bubble=0").text


def test_a_tie_has_a_page_with_its_evidence(client: FlaskClient) -> None:
    """As a table, as CSV and as JSON; two that have no tie are told so."""
    assert "Harvest Fair" in client.get(f"/tie?tie={MILL}+{FARM}").text
    data = client.get(f"/tie.json?tie={MILL}+{FARM}").get_json()
    listed = list(csv.DictReader(io.StringIO(client.get(f"/tie.csv?tie={MILL}+{FARM}").text)))
    assert [row["activity"] for row in listed] == [row["iri"] for row in data["evidence"]]
    assert "does not mean that there is nothing" in client.get(f"/tie?tie={MILL}+{MUSEUM}").text
    assert client.get("/tie").status_code == 400
    assert client.get(f"/tie?tie={MILL}+organisation/nobody").status_code == 404


def test_the_sources_of_a_tie_are_passages_of_texts_and_rows_of_tables() -> None:
    """A statement with a line, and a record that was imported as a row: both are told with their source."""
    store = village_store()
    prefixes = """
        PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX prov: <http://www.w3.org/ns/prov#>
        PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
        PREFIX sol: <https://w3id.org/solidarity-graph/ns#> PREFIX id: <https://w3id.org/solidarity-graph/id/>"""
    with store.change("say from where") as change:
        change.update(
            prefixes
            + """ INSERT DATA {
            <urn:st> rdf:subject id:participation\\/harvest-fair-mill ; rdf:predicate rdf:type ;
                rdf:object sol:Participation ; prov:wasDerivedFrom <urn:passage> .
            <urn:passage> dcterms:isPartOf <urn:chronicle> ; sol:line 7 . <urn:chronicle> rdfs:label "Chronicle" .
            id:participation\\/harvest-fair-farm prov:wasDerivedFrom <https://example.org/register#row=17> .
            <https://example.org/register> rdfs:label "Register" . }"""
        )
    page = create_app(store, Settings(today=date(2026, 1, 1))).test_client()
    html = page.get(f"/tie?tie={MILL}+{FARM}", headers={"Accept": "text/html"}).text
    assert "Chronicle line 7" in re.sub(r"<[^>]*>", "", html)
    assert "Register row=17" in re.sub(r"<[^>]*>", "", html)
    store.close()


# ---- Files -----------------------------------------------------------------------------------------------


def test_files_hold_the_view_that_is_shown(client: FlaskClient, valley: Store) -> None:
    """GraphML, GEXF, CSV and JSON agree in number, whole and filtered."""
    for search in ("", f"?organisation={MILL}"):
        graph = nx.parse_graphml(client.get(f"/network.graphml{search}").text)
        listed = list(csv.DictReader(io.StringIO(client.get(f"/network.csv{search}").text)))
        ties = list(csv.DictReader(io.StringIO(client.get(f"/network.ties{search}").text)))
        assert graph.number_of_nodes() == len(listed) == len(rows(client, f"/network{search}"))
        assert graph.number_of_edges() == len(ties)
        gexf = nx.read_gexf(io.BytesIO(client.get(f"/network.gexf{search}").data))
        assert gexf.number_of_edges() == len(ties)
    assert {data["kind"] for _, data in graph.nodes(data=True)} >= {"Co-operative"}


def test_the_drawing_has_a_disc_for_each_and_a_text_for_all(client: FlaskClient) -> None:
    """A well-formed SVG with a title, as many discs as are drawn, dashes for suggestions, and no script or style."""
    answer = client.get("/network.svg?open=all")
    root = ET.fromstring(answer.data)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert root.get("aria-label")
    data = drawn(client, "?open=all")
    assert len(root.findall(".//{*}circle")) == len(data["organisations"]["id"])  # type: ignore[index]
    assert ("stroke-dasharray" in answer.text) == bool([each for each in data["gaps"] if each["kind"] == "P1"])  # type: ignore[attr-defined]
    assert "<script" not in answer.text
    assert "style=" not in answer.text


def test_the_colours_for_paper_are_the_light_design_tokens() -> None:
    """They stand in one place for the browser; the copy for paper agrees with it."""
    tokens = dict(re.findall(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}),", TOKENS.read_text()))
    assert {name: tokens[name] for name in COLOURS} == COLOURS


def test_an_embedded_view_may_stand_in_the_frames_of_listed_sites_only(client: FlaskClient) -> None:
    """frame-ancestors from the setting; every other page only in our own."""
    answer = client.get("/embed/network?kind=Credit+union")
    assert "frame-ancestors 'self' https://news.example" in answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert client.get("/network").headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")
    assert "&lt;iframe" in client.get("/network").text


# ---- Paths -----------------------------------------------------------------------------------------------


def test_a_path_is_drawn_told_and_given_as_data(client: FlaskClient, valley: Store) -> None:
    """From the mill to the library: as short as networkx says, with a sentence, a table and files."""
    graph = nx.Graph((row[0], row[1]) for row in load_network(valley).ties.select("source", "target").rows())
    iri = "https://w3id.org/solidarity-graph/id/"
    shortest = nx.shortest_path_length(graph, iri + MILL, iri + "organisation/library")
    answer = client.get("/path?from=organisation/mill&to=organisation/library").text
    assert f"{shortest} steps long" in answer
    assert 'class="sentence"' in answer
    assert "<svg" in answer
    data = client.get("/path.json?from=organisation/mill&to=organisation/library").get_json()
    assert data["steps"][0]["source"] == iri + MILL
    assert data["steps"][shortest - 1]["target"] == iri + "organisation/library"
    listed = list(
        csv.DictReader(io.StringIO(client.get("/path.csv?from=organisation/mill&to=organisation/library").text))
    )
    assert len(listed) == len(data["steps"])
    assert (
        ET.fromstring(client.get("/path.svg?from=organisation/mill&to=organisation/library").data) is not None  # noqa: S314 - our own
    )


def test_a_name_is_enough_and_an_unsure_one_asks_back(client: FlaskClient) -> None:
    """The whole name finds; a part offers what is near; nonsense says so; the two can be swapped."""
    answer = client.get("/path?from=mill&to=Valley+Credit+Union").text
    assert "/path?from=organisation/" in answer
    assert "is called “zzzz”" in client.get("/path?from=zzzz&to=mill").text
    swapped = client.get("/path?from=organisation/mill&to=organisation/library").text
    assert 'href="/path?from=organisation/library&amp;to=organisation/mill"' in swapped


def test_no_path_is_told_and_so_is_the_same_end(client: FlaskClient) -> None:
    """The museum stands alone."""
    assert "No chain of ties" in client.get(f"/path?from={MILL}&to={MUSEUM}").text
    assert "same organisation" in client.get(f"/path?from={MILL}&to={MILL}").text
    assert client.get(f"/path.json?from={MILL}&to={MUSEUM}").get_json()["steps"] == []
    assert b"No path" in client.get(f"/path.svg?from={MILL}&to={MUSEUM}").data


def test_fields_suggest_organisations_of_the_network(client: FlaskClient) -> None:
    """By the beginning of a name; an empty text suggests nothing."""
    near = client.get("/api/organisations?q=mill").get_json()
    assert near[0]["id"] == MILL
    assert client.get("/api/organisations?q=").get_json() == []


# ---- What if ---------------------------------------------------------------------------------------------


def test_what_if_tells_what_would_change_and_stores_nothing(client: FlaskClient, valley: Store) -> None:
    """A tie of the mill and the library shortens the ways; the graph stays as it is."""
    before = valley.version
    page = client.get(f"/what-if?tie={MILL}+organisation/library").text
    assert "Efficiency" in page
    data = client.get(f"/what-if.json?tie={MILL}+organisation/library").get_json()
    figures = {row["name"]: (row["before"], row["after"]) for row in data["figures"]}
    pairs = figures["Pairs of partners"]
    assert pairs[1] == pairs[0] + 1
    assert {"closed", "opened", "changed"} <= data.keys()
    assert valley.version == before


def test_what_if_takes_names_and_several_ties(client: FlaskClient) -> None:
    """The form adds a tie to those that were tried; each can be taken back; an unknown name is told."""
    page = client.get(f"/what-if?tie={MILL}+organisation/library&from=farm&to={MUSEUM}").text
    assert page.count("take it back") == 2
    assert "is called “zzzz”" in client.get("/what-if?from=zzzz&to=mill").text
    wrong = client.get(f"/what-if?tie={MILL}+organisation/nobody")
    assert wrong.status_code == 200
    assert "no organisation is called" in wrong.text
    assert client.get("/what-if.json").status_code == 400


# ---- Layouts ---------------------------------------------------------------------------------------------


def _large(number: int = 900, groups: int = 12) -> Network:
    chance = np.random.default_rng(3)
    home = chance.integers(0, groups, number)
    members = [np.flatnonzero(home == group) for group in range(groups)]
    pairs = [(row, int(chance.choice(members[home[row]]))) for row in range(number) for _ in range(3)]
    pairs += [(int(chance.integers(number)), int(chance.integers(number))) for _ in range(60)]
    return Network.from_pairs([(f"o{a:04}", f"o{b:04}") for a, b in pairs if a != b], organisations=["alone"])


def test_a_large_network_is_placed_in_discs_that_do_not_overlap() -> None:
    """Members lie inside the disc of their community, discs lie apart, the same network gives the same places."""
    network = _large()
    groups = np.array([0 if name == "alone" else 1 + int(name[1:]) % 12 for name in network.organisations])
    made = lay_out(network, groups)
    again = lay_out(network, groups)
    assert np.array_equal(made.spots, again.spots)
    tied = groups > 0
    far = np.sqrt(((made.spots - made.centres[groups][:, :2]) ** 2).sum(axis=1))
    assert (far[tied] <= made.centres[groups][tied, 2] + 1e-9).all()
    discs = made.centres[1:]
    apart = np.sqrt(((discs[:, None, :2] - discs[None, :, :2]) ** 2).sum(axis=2)) + np.eye(len(discs)) * 1e9
    assert (apart >= (discs[:, 2][:, None] + discs[:, 2][None, :]) * 0.99).all()
    assert made.spots[~tied][:, 1].max() < made.spots[tied][:, 1].min()


def test_a_layout_is_kept_when_no_tie_changes(valley: Store) -> None:
    """A new version that touches no tie needs no new layout, and the picture is that of the new version."""
    store = village_store()
    known = Analysis(store, date(2026, 1, 1))
    first = known.picture("networks/membership")
    with store.change("a remark") as change:
        change.update('INSERT DATA { <urn:a> <http://www.w3.org/2000/01/rdf-schema#comment> "b" }')
    second = known.picture("networks/membership")
    assert second is not first
    assert second.layout is first.layout
    store.close()


def test_what_takes_long_says_how_far_it_is(valley: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than asked; the work goes on, and a page answers 202 with the progress until it is done."""
    known = Analysis(valley, date(2026, 1, 1))
    with pytest.raises(NotReady) as caught:
        known.picture("networks/policy", within=0.0)
    assert 1 <= caught.value.step <= caught.value.steps
    assert known.picture("networks/policy", within=None).network.name == "networks/policy"
    monkeypatch.setattr("webui.network.pages._PATIENCE", 0.0)
    slow = create_app(valley, Settings(today=date(2026, 1, 1))).test_client()
    answer = slow.get("/network.json?network=networks/funding")
    assert answer.status_code == 202
    assert {"step", "steps", "says"} <= answer.get_json().keys()
    page = slow.get("/network?network=networks/co-event", headers={"Accept": "text/html"})
    assert page.status_code == 202
    assert page.headers["Refresh"] == "3"
