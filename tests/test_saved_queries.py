"""Saved queries: a short link made from the text, which nobody can change, within bounds, from our own pages only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from graphkit.errors import DataError, QueryError, StoreError, UsageError
from graphkit.store import Store, open_store
from webui import create_app
from webui.catalogue import saved
from webui.catalogue.saved import SavedQueries
from webui.settings import Settings

TEXT = "SELECT ?s ?p WHERE { ?s ?p ?o } ORDER BY ?s ?p"


@pytest.fixture
def store() -> Iterator[Store]:
    """Give a store in memory with two versions, the second with one statement more."""
    opened = open_store()
    for number in (1, 2):
        with opened.change(f"statement {number}") as change:
            change.load(f"<urn:s{number}> <urn:p> <urn:o> .".encode(), media_type="nt")
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store) -> FlaskClient:
    """Open the pages over that store."""
    return create_app(store, Settings(today=date(2026, 1, 1), query_seconds=20)).test_client()


def _save(client: FlaskClient, text: str = TEXT, title: str = "All") -> str:
    answer = client.post("/queries/saved", json={"query": text, "title": title})
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


# ---- What is kept --------------------------------------------------------------------------------


def test_the_same_text_has_the_same_link_and_the_first_title() -> None:
    """Line ends and blanks at the end do not matter; a second title changes nothing."""
    kept = SavedQueries()
    first = kept.add(TEXT, " My  own ")
    again = kept.add(TEXT.replace(" WHERE", "\r\nWHERE").replace("\r\n", " ") + "  \r\n", "Another")
    assert again == first
    assert first.title == "My own"
    assert len(kept) == 1
    assert kept.add(TEXT + " # other").id != first.id


def test_the_link_is_a_part_of_the_hash_of_the_text() -> None:
    """Anybody can prove that a link belongs to a text."""
    entry, letters = SavedQueries().add(TEXT), "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, digits = int.from_bytes(hashlib.sha256(entry.text.encode()).digest()), ""
    for _ in range(12):
        number, digit = divmod(number, len(letters))
        digits += letters[digit]
    assert entry.id == digits


def test_a_header_gives_the_title_where_none_is_given() -> None:
    """The summary of a text in the form of stored queries is its title."""
    assert SavedQueries().add("#+ summary: Everything\n" + TEXT).title == "Everything"


@pytest.mark.parametrize(
    ("text", "title", "error"),
    [
        ("hello", "", DataError),
        ("DELETE WHERE { ?s ?p ?o }", "", DataError),
        ("SELECT * WHERE { ?s ?p ?o", "", DataError),
        ("SELECT * {" + "{" * 5000 + "}" * 5000 + "}", "", QueryError),
        ("SELECT * { ?s ?p ?o } #" + "x" * 200_000, "", QueryError),
        (TEXT, "x" * 201, UsageError),
    ],
)
def test_what_is_no_good_query_is_not_kept(text: str, title: str, error: type[Exception]) -> None:
    """No text that is broken, hostile, too long or an update gets a link, nor a title that is too long."""
    kept = SavedQueries()
    with pytest.raises(error):
        kept.add(text, title)
    assert len(kept) == 0


def test_there_is_an_end_of_room() -> None:
    """Beyond the most entries nothing new is kept; what is there can be saved again and read."""
    kept = SavedQueries(most=2)
    entries = [kept.add(f"{TEXT} # {number}") for number in range(2)]
    with pytest.raises(StoreError, match="no more than 2"):
        kept.add(TEXT)
    assert kept.add(f"{TEXT} # 0") == entries[0]
    assert kept.get(entries[1].id) == entries[1]


def test_a_file_keeps_them_beyond_the_end_of_the_process(tmp_path: Path) -> None:
    """Two who have the file open see the same; a file that is no database is refused with a reason."""
    file = tmp_path / "saved.sqlite"
    first, second = SavedQueries(file), SavedQueries(file)
    entry = first.add(TEXT)
    assert second.get(entry.id) == entry
    first.close()
    second.close()
    assert SavedQueries(file).get(entry.id) == entry
    (tmp_path / "other").write_text("this is no database, only a text that is long enough to be looked at " * 20)
    with pytest.raises(StoreError, match="cannot be kept"):
        SavedQueries(tmp_path / "other")


def test_a_store_in_a_folder_keeps_them_beside_its_versions(tmp_path: Path) -> None:
    """They are no part of the graph: saving makes no version, and the folder opens again as before."""
    folder = tmp_path / "graph"
    with open_store(folder) as opened:
        with opened.change("one") as change:
            change.load(b"<urn:s> <urn:p> <urn:o> .", media_type="nt")
        short = _save(create_app(opened).test_client())
        assert [version.number for version in opened.versions()] == [1]
    assert (folder / "saved.sqlite").is_file()
    with open_store(folder, read_only=True) as opened:
        assert create_app(opened).test_client().get(f"/q/{short}.rq").text == TEXT + "\n"


def test_a_deployment_can_choose_the_file(store: Store, tmp_path: Path) -> None:
    """The setting `saved` names it; where it cannot be, that is told and nothing else fails."""
    _save(create_app(store, Settings(saved=tmp_path / "mine.sqlite")).test_client())
    assert (tmp_path / "mine.sqlite").is_file()
    nowhere = create_app(store, Settings(saved=tmp_path / "no" / "folder.sqlite")).test_client()
    answer = nowhere.post("/queries/saved", json={"query": TEXT}, headers={"Accept": "application/json"})
    assert answer.status_code == 503
    assert str(tmp_path) not in answer.text
    assert "cannot be kept" in answer.get_json()["detail"]
    assert nowhere.get("/queries").status_code == 200


# ---- Over HTTP -----------------------------------------------------------------------------------


def test_a_form_leads_to_the_page_of_the_query(client: FlaskClient) -> None:
    """303 to a short address; the page has title, text, a button that runs it, and the way to the editor."""
    answer = client.post("/queries/saved", data={"query": TEXT, "title": "All <b>of it</b>"})
    assert answer.status_code == 303
    assert re.fullmatch(r"/q/[2-9A-Za-z]{12}", answer.headers["Location"])
    page = client.get(answer.headers["Location"])
    assert page.text.count("<h1") == 1
    assert "All &lt;b&gt;of it&lt;/b&gt;" in page.text
    assert "SELECT ?s ?p WHERE" in page.text
    assert re.search(r'href="/sparql\?query=SELECT', page.text)
    assert "urn:s1" not in page.text
    assert '<input type="hidden" name="run" value="1">' in page.text
    assert "urn:s1" in client.get(answer.headers["Location"] + "?run=1").text


def test_a_saved_query_answers_as_data_and_on_an_older_version(client: FlaskClient) -> None:
    """Its text, its rows in each format, its rows on version 1."""
    short = _save(client)
    assert client.get(f"/q/{short}.rq").text == TEXT + "\n"
    assert client.get(f"/q/{short}.rq").mimetype == "application/sparql-query"
    assert [row["s"] for row in client.get(f"/q/{short}.json").get_json()] == ["urn:s1", "urn:s2"]
    assert client.get(f"/q/{short}.csv?version=1").text.split() == ["s,p", "urn:s1,urn:p"]
    assert "version=1" in client.get(f"/q/{short}?version=1").text
    assert "urn:s2" not in client.get(f"/q/{short}?version=1&run=1").text


def test_a_saved_query_keeps_to_the_limits_of_the_service(client: FlaskClient) -> None:
    """What calls another server is refused when it runs, with the reason beside its text."""
    short = _save(client, "SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }")
    page = client.get(f"/q/{short}?run=1")
    assert page.status_code == 400
    assert "SERVICE" in page.text
    assert '<div class="note fault">' in page.text
    assert client.get(f"/q/{short}.json").status_code == 400


def test_a_saved_query_with_a_header_has_a_form(client: FlaskClient) -> None:
    """Parameters work as in stored queries."""
    text = f"#+ summary: Of one\n#+ params:\n#+   s: {{type: iri, label: Thing}}\n{TEXT}".replace(
        "{ ?s", "{ VALUES ?s { UNDEF } ?s"
    )
    short = _save(client, text, "")
    assert 'name="s"' in client.get(f"/q/{short}").text
    assert [row["s"] for row in client.get(f"/q/{short}.json?s=urn:s2").get_json()] == ["urn:s2"]


def test_json_gets_the_link_as_json(client: FlaskClient) -> None:
    """201 with the id, the full address and Location; saving again gives the same."""
    answer = client.post("/queries/saved", json={"query": TEXT, "title": "All"})
    body = answer.get_json()
    assert answer.status_code == 201
    assert body["href"] == answer.headers["Location"] == f"http://localhost/q/{body['id']}"
    assert client.post("/queries/saved", json={"query": TEXT}).get_json()["id"] == body["id"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"[1]", "application/json"),
        (b"not json", "application/json"),
        (b'{"query": 1}', "application/json"),
        (b'{"query": "nothing"}', "application/json"),
        (b'{"query": "SELECT * { ?s ?p ?o }", "title": ["x"]}', "application/json"),
        (b"title=x", "application/x-www-form-urlencoded"),
        (b"query=%FF%FE", "application/x-www-form-urlencoded"),
        (b"", "text/plain"),
    ],
)
def test_a_wrong_body_is_refused_with_a_reason(client: FlaskClient, body: bytes, kind: str) -> None:
    """400 and never a fault of ours."""
    answer = client.post("/queries/saved", data=body, content_type=kind, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.get_json()["detail"]


def test_a_body_that_is_far_too_long_is_not_read(client: FlaskClient) -> None:
    """413, whatever is in it."""
    for body in ({"json": {"query": "x" * 2_000_000}}, {"data": {"query": "x" * 2_000_000}}):
        assert client.post("/queries/saved", **body).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_cannot_save(client: FlaskClient, headers: dict[str, str]) -> None:
    """403 for a form and for JSON that a browser sends for a foreign page."""
    assert client.post("/queries/saved", data={"query": TEXT}, headers=headers).status_code == 403
    assert client.post("/queries/saved", json={"query": TEXT}, headers=headers).status_code == 403
    same = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/queries/saved", data={"query": TEXT}, headers=same).status_code == 303


def test_one_client_cannot_save_without_end(client: FlaskClient) -> None:
    """After the most in an hour 429 says when to come again; another client goes on."""
    for number in range(saved.MOST_AN_HOUR):
        _save(client, f"{TEXT} # {number}")
    refused = client.post("/queries/saved", json={"query": TEXT})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    other = client.post("/queries/saved", json={"query": TEXT}, environ_base={"REMOTE_ADDR": "10.0.0.7"})
    assert other.status_code == 201


@pytest.mark.parametrize("name", ["nothing", "AAAAAAAAAAAA", "AAAAAAAAAAAA.json", "'; DROP TABLE saved; --", "%00"])
def test_an_unknown_link_is_404_with_a_way_on(client: FlaskClient, name: str) -> None:
    """It says what to look at, and nothing breaks."""
    answer = client.get(f"/q/{name}", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert "editor" in answer.get_json()["next"]
