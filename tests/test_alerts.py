"""Alerts: what came, went and changed between two versions, for all or for a region, as words, JSON, feed and page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from graphkit import queries
from graphkit import report as reports
from graphkit.cli import cli
from graphkit.errors import UsageError
from graphkit.store import Store, open_store
from graphkit.terms import graph_iri
from tests.village_fixture import village_store
from webui import create_app
from webui.settings import Settings

_ATOM = "{http://www.w3.org/2005/Atom}"
_NAMES = """@prefix adms: <http://www.w3.org/ns/adms#> . @prefix dcterms: <http://purl.org/dc/terms/> .
@prefix id: <https://w3id.org/solidarity-graph/id/> . @prefix org: <http://www.w3.org/ns/org#> .
@prefix organisation: <https://w3id.org/solidarity-graph/id/organisation/> .
@prefix place: <https://w3id.org/solidarity-graph/id/place/> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix schema: <https://schema.org/> .
@prefix sol: <https://w3id.org/solidarity-graph/ns#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix theme: <https://w3id.org/solidarity-graph/vocabulary/theme/> .
@prefix status: <https://w3id.org/solidarity-graph/vocabulary/status/> .
"""
_NEWS = """
organisation:brewery a org:Organization ; rdfs:label "Brewery"@en ; prov:atLocation place:downton .
<https://w3id.org/solidarity-graph/id/grant/oven> a schema:MonetaryGrant ; rdfs:label "Grant for an oven"@en ;
    schema:funder organisation:foundation ; sol:recipient organisation:bakery .
<https://w3id.org/solidarity-graph/id/opportunity/songs> a sol:Opportunity ; rdfs:label "Songs for the valley"@en ;
    dcterms:subject theme:arts ; sol:deadline "2999-01-31"^^xsd:date .
organisation:dairy adms:status status:ended .
"""
_GONE = "<https://w3id.org/solidarity-graph/id/organisation/museum>"
_LEFT = "<https://w3id.org/solidarity-graph/id/participation/choir-tour-choir>"


@pytest.fixture(scope="module")
def changed() -> Iterator[Store]:
    """Let things come to the village, a museum go, a dairy end, and the choir leave its tour."""
    store = village_store()
    with store.change("news") as change:
        change.load((_NAMES + _NEWS).encode(), media_type="ttl", graph=graph_iri("news"))
        for gone in (_GONE, _LEFT):
            change.update(f"DELETE {{ GRAPH ?g {{ {gone} ?p ?o }} }} WHERE {{ GRAPH ?g {{ {gone} ?p ?o }} }}")
            change.update(f"DELETE {{ GRAPH ?g {{ ?s ?p {gone} }} }} WHERE {{ GRAPH ?g {{ ?s ?p {gone} }} }}")
        queries.derive_in(change)
    yield store
    store.close()


@pytest.fixture(scope="module")
def client(changed: Store) -> FlaskClient:
    """Open the pages over it."""
    opened = create_app(changed, Settings()).test_client()
    opened.environ_base["HTTP_ACCEPT"] = "text/html,*/*;q=0.8"
    return opened


def _labels(found: reports.Alerts, kind: str) -> list[str]:
    return [alert.about.label for alert in found.of_kind(kind)]


def test_what_came_went_ended_and_left_is_told_once(changed: Store) -> None:
    """Each under its kind, by its name, and nothing else."""
    found = reports.alerts_since(changed)
    assert _labels(found, "came") == ["Brewery"]
    assert _labels(found, "went") == ["Museum"]
    assert _labels(found, "grant") == ["Grant for an oven"]
    assert _labels(found, "left") == ["Choir", "Dairy"]
    assert found.of_kind("left")[0].what == "No longer takes part in Choir Tour."
    assert _labels(found, "activity") == []


def test_a_new_call_names_whom_it_fits(changed: Store) -> None:
    """By what they are known to work on, with the deadline."""
    (call,) = reports.alerts_since(changed).of_kind("call")
    assert call.about.label == "Songs for the valley"
    assert call.what.startswith("Deadline 2999-01-31. Fits ")
    assert "Library" in call.what


def test_a_region_keeps_what_has_to_do_with_it(changed: Store) -> None:
    """The brewery is in Downton, the grant went to Upton."""
    downton, upton = (reports.alerts_since(changed, region=name) for name in ("downton", "upton"))
    assert _labels(downton, "came") == ["Brewery"]
    assert _labels(downton, "grant") == []
    assert _labels(downton, "went") == ["Museum"]
    assert _labels(upton, "came") == []
    assert _labels(upton, "grant") == ["Grant for an oven"]
    assert upton.region is not None


def test_the_same_two_versions_give_the_same_feed(changed: Store) -> None:
    """Dated by the version, with an id for each entry that stays the same."""
    first, second = (
        reports.alerts_to_atom(reports.alerts_since(changed), address="https://g.example/alerts.atom") for _ in range(2)
    )
    assert first == second
    feed = ET.fromstring(first)  # noqa: S314 - our own
    ids = [each.text for each in feed.iter(f"{_ATOM}id")]
    assert len(ids) == len(set(ids)) > 5


def test_one_version_cannot_be_compared(village: Store) -> None:
    """An empty store, or an endpoint, says why, on the page too."""
    with open_store() as store:
        with store.change("something") as change:
            change.load(b"<urn:a> <urn:b> <urn:c> .", media_type="nt", graph="urn:g")
        with pytest.raises(UsageError, match="no two versions"):
            reports.alerts_since(store)
        page = create_app(store, Settings()).test_client().get("/alerts", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "only one version" in page.text


def test_nothing_is_told_where_nothing_changed() -> None:
    """A version that adds a comment gives no alert, and the words say so."""
    store = village_store()
    with store.change("a remark") as change:
        change.load(b"<urn:a> <http://www.w3.org/2000/01/rdf-schema#comment> 'x' .", media_type="ttl", graph="urn:g")
    found = reports.alerts_since(store)
    assert found.alerts == ()
    assert "Nothing that a policy analyst" in reports.alerts_to_words(found)
    store.close()


def test_page_feed_and_json_tell_the_same(client: FlaskClient) -> None:
    """With region and version in the address."""
    numbers = json.loads(client.get("/versions.json").text)
    since = numbers[-2]["number"]
    data = json.loads(client.get(f"/alerts.json?since={since}&region=place/downton").text)
    page = client.get(f"/alerts?since={since}&region=place/downton").text
    feed = client.get(f"/alerts.atom?since={since}&region=place/downton")
    assert feed.content_type.startswith("application/atom+xml")
    lists = re.findall(r'<ul class="alerts".*?</ul>', page, re.DOTALL)
    assert feed.text.count("<entry>") == len(data["alerts"]) == "".join(lists).count("<li>") > 0
    for alert in data["alerts"]:
        assert alert["what"].replace("’", "'") in page.replace("&#39;", "'").replace("’", "'")


def test_a_version_that_is_not_kept_is_refused(client: FlaskClient) -> None:
    """With what is kept."""
    assert client.get("/alerts?since=999").status_code == 400
    assert client.get("/alerts?since=x").status_code == 400
    assert client.get("/alerts.json?region=nowhere").status_code == 404


@pytest.mark.parametrize(
    ("suffix", "kind", "start"),
    [
        ("html", "text/html", b"<!doctype html>"),
        ("md", "text/markdown", b"# Upton"),
        ("pdf", "application/pdf", b"%PDF-"),
        ("docx", "application/vnd.openxmlformats", b"PK"),
        ("ttl", "text/turtle", b"@prefix"),
        ("csv", "text/csv", b"chapter,"),
    ],
)
def test_a_report_comes_in_every_format(client: FlaskClient, suffix: str, kind: str, start: bytes) -> None:
    """Under the same address with a suffix, with an entity tag."""
    answer = client.get(f"/reports/upton.{suffix}")
    assert answer.status_code == 200
    assert answer.content_type.startswith(kind)
    assert answer.data.startswith(start)
    assert client.get(f"/reports/upton.{suffix}", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_the_page_of_a_report_links_each_query_to_a_page_that_is_there(client: FlaskClient) -> None:
    """And the list of regions leads to it."""
    assert 'href="/reports/upton"' in client.get("/reports").text
    page = client.get("/reports/upton?against=downton")
    assert page.status_code == 200
    assert "<style" not in page.text
    wanted = {part.split('"')[0].replace("&amp;", "&") for part in page.text.split('href="')[1:]}
    ours = sorted(each for each in wanted if each.startswith(("/queries/region", "/doc/", "/reports/")))
    assert len(ours) > 10
    assert {each: client.get(each).status_code for each in ours if client.get(each).status_code != 200} == {}


def test_an_unknown_region_is_404_and_too_many_comparisons_are_400(client: FlaskClient) -> None:
    """With a hint."""
    assert client.get("/reports/nowhere").status_code == 404
    many = "&".join(["against=upton"] * 9)
    assert client.get(f"/reports/upton?{many}").status_code == 400


def test_the_verbs_print_and_write(tmp_path: object, changed: Store) -> None:
    """`graphkit report` and `graphkit alerts` on a folder."""
    folder = f"{tmp_path}/store"
    with open_store(folder) as store:
        for number in (1, 2):
            with store.change(f"change {number}") as change:
                for graph in store.graphs()["graph"]:
                    change.clear(graph)
                change.load(changed.dump("nq") if number == 1 else village_store().dump("nq"), media_type="nq")
    run = CliRunner().invoke
    told = run(cli, ["alerts", "--store", folder, "--since", "1", "--region", "downton"])
    assert "Brewery: It is no longer in the graph." in told.output
    written = run(cli, ["report", "upton", "--store", folder, "-o", f"{tmp_path}/upton.pdf"])
    assert written.exit_code == 0, written.output
    assert run(cli, ["report", "upton", "--store", folder, "-o", f"{tmp_path}/upton.odt"]).exception is not None
    assert run(cli, ["report", "upton", "--store", folder]).output.startswith("# Upton")
