"""The page on which people decide which records are one organisation: read only without a token."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl
import pytest
from flask.testing import FlaskClient

from graphkit import identity, queries
from graphkit.store import Store
from graphkit.terms import ID
from tests.identity_fixture import GRANTS, REGISTER, county, iri
from webui import create_app
from webui.settings import Settings

TOKEN = "a-long-random-word"  # noqa: S105 - of this test alone
PRINTERS = f"{iri(REGISTER, 'r8')} {iri(GRANTS, 'wickham')}"


@pytest.fixture
def store() -> Iterator[Store]:
    """Give a county whose records were joined."""
    opened = county()
    identity.save(opened, identity.resolve(opened, today=date(2024, 3, 1)))
    yield opened
    opened.close()


def _client(store: Store, token: str | None = TOKEN) -> FlaskClient:
    client = create_app(store, Settings(token=token)).test_client()
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    return client


def test_what_contradicts_a_list_is_shown_when_asked_for(store: Store) -> None:
    """The links of the county all contradict a list: the page says so, and shows them with their reason."""
    client = _client(store)
    plain = client.get("/identity").text
    assert "No link that waits is of this level and source" in plain
    assert "4 records are joined" in plain
    shown = client.get("/identity?contested=1").text
    assert "Wickham Printers Limited" in shown
    assert "other numbers of the list GB-COH: GB-COH-00000088 and GB-COH-00000099" in shown
    assert "Wickham" not in client.get("/identity?contested=1&level=possible").text
    assert "Wickham" not in client.get("/identity?contested=1&source=https://example.org/other").text


def test_without_a_token_nobody_can_decide(store: Store) -> None:
    """A deployment without token shows no form, and refuses one that is sent."""
    client = _client(store, None)
    assert "verdict-1" not in client.get("/identity?contested=1").text
    answer = client.post("/identity", data={"pair-1": PRINTERS, "verdict-1": "accepted", "token": ""})
    assert answer.status_code == 403
    assert identity.load_decisions(store).is_empty()


@pytest.mark.parametrize(
    ("token", "origin", "status"),
    [("wrong", "http://localhost", 401), ("", "http://localhost", 401), (TOKEN, "https://elsewhere.example", 403)],
)
def test_a_form_without_the_token_or_of_another_site_is_refused(
    store: Store, token: str, origin: str, status: int
) -> None:
    """Neither who does not know the token nor a page of another site can decide."""
    sent = {"pair-1": PRINTERS, "verdict-1": "accepted", "token": token}
    answer = _client(store).post("/identity", data=sent, headers={"Origin": origin})
    assert answer.status_code == status
    assert identity.load_decisions(store).is_empty()


def test_a_decision_is_kept_and_leaves_the_list(store: Store) -> None:
    """The chosen verdicts are kept as one version with who decided; rows without one stay."""
    client = _client(store)
    sent = {"pair-1": PRINTERS, "verdict-1": "accepted", "pair-2": "a b", "verdict-2": "", "who": "The registrar",
            "token": TOKEN, "contested": "1", "page": "1"}  # fmt: skip
    answer = client.post("/identity", data=sent, headers={"Origin": "http://localhost"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/identity?contested=1&page=1&decided=1"
    decided = identity.load_decisions(store).select("verdict", "who").rows()
    assert decided == [("accepted", "The registrar")]
    page = client.get(answer.headers["Location"]).text
    assert "1 decision is kept." in page
    assert "Wickham" not in page
    assert store.version is not None
    assert store.version.who == "The registrar"


def test_a_pair_that_is_none_is_refused(store: Store) -> None:
    """A form that was tampered with is an error that says what is wrong, and keeps nothing."""
    sent = {"pair-1": "nothing", "verdict-1": "accepted", "token": TOKEN}
    answer = _client(store).post("/identity", data=sent, headers={"Origin": "http://localhost"})
    assert answer.status_code == 404
    assert "nothing" in answer.text
    assert identity.load_decisions(store).is_empty()


def test_the_same_rows_come_as_data(store: Store) -> None:
    """The list is a review file as CSV, and the same rows as JSON."""
    client = _client(store)
    rows = client.get("/identity.json?contested=1").get_json()
    assert len(rows) == identity.load_review(store).height
    lines = client.get("/identity.csv?contested=1").text.splitlines()
    assert lines[0] == ",".join(identity.decisions.REVIEW_COLUMNS)
    assert len(lines) == len(rows) + 1


def test_the_page_of_a_long_list_turns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is cut into pages that lead to each other; a number beyond the last shows the last."""
    monkeypatch.setattr("webui.identity._ROWS", 1)
    client = _client(store)
    first = client.get("/identity?contested=1").text
    assert "page 1 of 4" in first
    assert 'rel="next"' in first
    assert 'rel="prev"' not in first
    last = client.get("/identity?contested=1&page=99").text
    assert "page 4 of 4" in last
    assert 'rel="next"' not in last


def test_a_graph_whose_records_were_never_compared_has_a_page_too(village: Store) -> None:
    """Without a run of the resolution the page says what to do; no fault."""
    page = _client(village).get("/identity")
    assert page.status_code == 200
    assert "No link waits for a person" in page.text


def test_the_page_of_an_organisation_lists_its_records(store: Store) -> None:
    """Every record that is joined, with source, confidence and reason, from the page of each of them."""
    joined = queries.run(store, "identity/members")
    preferred = joined["preferred"][0]
    members = joined.filter(pl.col("preferred") == preferred)["record"].unique().to_list()
    assert len(members) > 1
    for record in members:
        page = _client(store).get(f"/doc/{record.removeprefix(ID)}").text
        table = page[page.index('id="records-table"') :].partition("</table>")[0]
        assert table.count("<tr>") == len(members) + 1
        assert table.count("stands for the others") == 1
        assert table.count("this page") == 1
        assert all(f"/doc/{other.removeprefix(ID)}" in table for other in members if other != record)


def test_links_that_wait_are_told_on_the_page_and_can_be_looked_at(store: Store) -> None:
    """The page of a record leads to its links alone."""
    record = PRINTERS.split(maxsplit=1)[0]
    page = _client(store).get(f"/doc/{record.removeprefix(ID)}").text
    assert "1 link to another record waits for a person" in page
    shown = _client(store).get(f"/identity?contested=1&record={record.removeprefix(ID)}").text
    assert "Only the links of one record are shown" in shown
    assert "Wickham Printers Limited" in shown
    other = _client(store).get("/identity?contested=1&record=organisation/nobody").text
    assert "Wickham Printers Limited" not in other
