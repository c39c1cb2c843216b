"""The pages of gaps: filters, a page for each, reviews by people who signed in, and the plan."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from graphkit.assembly import assemble_shipped
from graphkit.gaps import load_reviews
from graphkit.store import Store
from webui import create_app
from webui.settings import Settings
from webui.state import state_of

TOKEN = "a-long-word-for-the-tests"  # noqa: S105
TODAY = date(2026, 1, 1)


@pytest.fixture(scope="module")
def seed() -> Iterator[Store]:
    """Put the shipped graph together, which these tests review."""
    store = assemble_shipped()
    yield store
    store.close()


@pytest.fixture
def app(seed: Store) -> Flask:
    """Open the pages with a token."""
    made = create_app(seed, Settings(today=TODAY, token=TOKEN))
    state_of(made).analysis.picture("networks/collaboration")
    assert state_of(made).analysis.report.gaps
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Open a browser that nobody has signed in with."""
    opened = app.test_client()
    opened.environ_base["HTTP_ACCEPT"] = "text/html"
    return opened


def keys(client: FlaskClient, search: str = "") -> list[str]:
    return re.findall(r'data-gap="([^"]+)"', client.get(f"/gaps{search}").text)


def sign_in(client: FlaskClient, token: str = TOKEN) -> int:
    return client.post("/sign-in", data={"token": token, "next": "/gaps"}).status_code


def word(client: FlaskClient, key: str) -> str:
    found = re.search(r'name="word" value="([^"]+)"', client.get(f"/gaps/{key}").text)
    return found[1] if found else ""


def test_a_long_list_of_gaps_comes_page_by_page(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every gap stands on one page, in the order of the whole; a page beyond the last is refused with the way back."""
    whole = keys(client)
    monkeypatch.setattr("webui.gaps.pages._ROWS", 10)
    pages = [keys(client, f"?page={number}") for number in range(1, -(-len(whole) // 10) + 1)]
    assert [key for page in pages for key in page] == whole
    assert max(map(len, pages)) == 10
    first, beyond = client.get("/gaps").text, client.get("/gaps?page=99")
    assert 'href="/gaps?page=2" rel="next"' in first
    assert beyond.status_code == 404
    assert "begin at /gaps" in beyond.text
    assert len(keys(client, "?kind=P1&page=1")) == len(keys(client, "?kind=P1"))


def test_what_stands_beside_gaps_is_said_in_the_language_of_the_reader(client: FlaskClient) -> None:
    """Every sentence of the banner is known, numbers and days are kept, and nothing of it stays English."""
    english = " ".join(client.get("/gaps?lang=en").text.split())
    assert "A small graph. Of " in english
    french = " ".join(client.get("/gaps?lang=fr").text.split())
    assert "Un petit graphe. Sur " in french
    for words in ("A small graph", "have a known joint activity", "The sources speak", "introductions to consider"):
        assert words not in french
    client.get("/gaps?lang=en")


# ---- The table -------------------------------------------------------------------------------------------


def test_each_filter_narrows_the_table_and_its_downloads(client: FlaskClient) -> None:
    """Kind, tier, network, region, theme and words; CSV and JSON hold the same gaps."""
    everything = keys(client)
    for search in ("?kind=P1", "?tier=exact", "?network=policy", "?find=stagecoach"):
        some = keys(client, search)
        assert 0 < len(some) < len(everything), search
        assert [row["gap"] for row in client.get(f"/gaps.json{search}").get_json()] == some
        assert len(list(csv.DictReader(io.StringIO(client.get(f"/gaps.csv{search}").text)))) == len(some)
    html = client.get("/gaps").text
    for name in ("region", "theme"):
        field = re.search(rf'<select name="{name}">(.*?)</select>', html, re.DOTALL)
        assert field
        value = re.findall(r'<option value="([^"]+)"', field[1])[0]
        assert 0 < len(keys(client, f"?{name}={value}")) < len(everything)


def test_order_by_score_alone(client: FlaskClient) -> None:
    """The highest first, whatever its kind."""
    scores = [row["score"] for row in client.get("/gaps.json?sort=score").get_json()]
    assert scores == sorted(scores, reverse=True)


def test_evidence_that_is_missing_stands_beside_a_gap(client: FlaskClient) -> None:
    """A data gap about whom or what a gap rests on is named and linked."""
    html = client.get("/gaps?kind=P1").text
    assert "Activities whose date no source gives" in html
    assert re.search(r'href="/gaps/D-[0-9a-f]{12}"', html)


# ---- One gap ---------------------------------------------------------------------------------------------


def test_each_gap_has_a_page_with_reason_evidence_and_sources(client: FlaskClient) -> None:
    """All of them, and as data; one of two organisations has a drawing and a what-if."""
    for gap in client.get("/gaps.json").get_json():
        answer = client.get(f"/gaps/{gap['gap']}")
        assert answer.status_code == 200
        assert gap["labels"][0].replace("&", "&amp;") in answer.text
        assert client.get(f"/gaps/{gap['gap']}.json").get_json()["explanation"] == gap["explanation"]
    pair = client.get(f"/gaps/{keys(client, '?kind=P1')[0]}").text
    assert "<svg xmlns" in pair
    assert "stroke-dasharray" in pair
    assert "/what-if?tie=" in pair
    assert re.search(r"lines? \d", pair)


def test_a_short_name_leads_on_and_an_unknown_one_is_404(client: FlaskClient) -> None:
    """The first digits are enough; near names are told."""
    key = keys(client)[0]
    assert client.get(f"/gaps/{key[:9]}").headers["Location"].endswith(f"/gaps/{key}")
    assert client.get("/gaps/P1-000000000000").status_code == 404


# ---- Reviews ---------------------------------------------------------------------------------------------


def test_a_review_needs_a_sign_in_and_the_word_of_its_form(client: FlaskClient, seed: Store) -> None:
    """Without session 401, without or with a wrong word 403, from another site 403; nothing is stored."""
    key = keys(client)[0]
    before = seed.version
    asked = {"verdict": "accepted"}
    assert client.post(f"/gaps/{key}/review", data=asked).status_code == 401
    assert sign_in(client) == 303
    assert client.post(f"/gaps/{key}/review", data=asked).status_code == 403
    assert client.post(f"/gaps/{key}/review", data={**asked, "word": "no"}).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    good = {**asked, "word": word(client, key)}
    assert client.post(f"/gaps/{key}/review", data=good, headers=foreign).status_code == 403
    assert seed.version == before


def test_who_signed_in_can_accept_dismiss_and_see_it(client: FlaskClient, seed: Store) -> None:
    """Accepted goes on the plan; dismissed leaves the table, with its reason kept; a dismissal without one is told."""
    first, second = keys(client, "?kind=P1")[:2]
    sign_in(client)
    said = {"verdict": "accepted", "who": "the secretary", "word": word(client, first)}
    assert client.post(f"/gaps/{first}/review", data=said).status_code == 303
    assert "accepted" in client.get(f"/gaps/{first}").text
    assert "the secretary" in client.get("/plan").text
    bare = client.post(f"/gaps/{second}/review", data={"verdict": "dismissed", "word": word(client, second)})
    assert bare.status_code == 400
    assert "only with a reason" in bare.text
    because = {"verdict": "dismissed", "reason": "they are rivals", "word": word(client, second)}
    assert client.post(f"/gaps/{second}/review", data=because).status_code == 303
    assert second not in keys(client)
    assert second in keys(client, "?reviewed=dismissed")
    assert "they are rivals" in client.get(f"/gaps/{second}").text
    assert [each.verdict for each in load_reviews(seed)][-2:] == ["accepted", "dismissed"]
    rows = list(csv.DictReader(io.StringIO(client.get("/plan.csv").text)))
    assert [row["gap"] for row in rows] == [first]


def test_after_a_review_the_page_is_there_at_once(app: Flask, client: FlaskClient) -> None:
    """The gaps found before stand with their new reviews, while the search of the new version still runs."""
    known = state_of(app).analysis
    before = known.report
    key = keys(client, "?kind=D")[0]
    header = {"Authorization": f"Bearer {TOKEN}"}
    client.post(f"/gaps/{key}/review", data={"verdict": "dismissed", "reason": "known"}, headers=header)
    now = known.report_within(0.0)
    assert now is not None
    assert now.version == known.store.version != before.version
    assert key in {gap.key for gap in now.dismissed}
    assert {gap.key for gap in now.every} == {gap.key for gap in before.every}
    assert key in {gap.key for gap in known.report.dismissed}


def test_a_program_reviews_with_the_token(client: FlaskClient) -> None:
    """The header that writes everything else writes reviews too."""
    key = keys(client, "?kind=R2")[0]
    header = {"Authorization": f"Bearer {TOKEN}"}
    assert client.post(f"/gaps/{key}/review", data={"verdict": "done"}, headers=header).status_code == 303
    assert key in keys(client, "?reviewed=done")


def test_the_session_is_out_of_reach_of_scripts_and_ends(client: FlaskClient, app: Flask, seed: Store) -> None:
    """HttpOnly, SameSite=Strict, without the token; a changed cookie, another token and signing out end it."""
    answer = client.post("/sign-in", data={"token": TOKEN, "next": "/gaps"})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert "signed in" in client.get("/gaps").text
    kept = client.get_cookie("graphkit-session")
    assert kept is not None
    other = create_app(seed, Settings(today=TODAY, token="another")).test_client()  # noqa: S106
    other.set_cookie("graphkit-session", kept.value)
    assert "signed in" not in other.get("/gaps", headers={"Accept": "text/html"}).text
    later = str(int(kept.value.split(".")[0]) + 1)
    client.set_cookie("graphkit-session", ".".join([later, *kept.value.split(".")[1:]]))
    assert "signed in" not in client.get("/gaps").text
    client.set_cookie("graphkit-session", kept.value)
    client.post("/sign-out", data={"next": "/gaps"})
    assert "signed in" not in client.get("/gaps").text


def test_wrong_tokens_are_told_and_then_slowed_down(client: FlaskClient) -> None:
    """401 with words, and 429 after ten."""
    answers = [sign_in(client, f"wrong {n}") for n in range(11)]
    assert answers[:10] == [401] * 10
    assert answers[10] == 429


def test_the_way_back_stays_on_this_site(client: FlaskClient) -> None:
    """No open redirect."""
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        answer = client.post("/sign-in", data={"token": TOKEN, "next": target})
        assert answer.headers["Location"] == "/"


def test_without_a_token_the_page_says_how_to_allow_reviews(seed: Store) -> None:
    """Read only: a hint, no form, and a write is 403."""
    closed = create_app(seed, Settings(today=TODAY)).test_client()
    closed.environ_base["HTTP_ACCEPT"] = "text/html"
    key = keys(closed)[0]
    assert "GRAPHKIT_TOKEN" in closed.get(f"/gaps/{key}").text
    assert "GRAPHKIT_TOKEN" in closed.get("/sign-in").text
    assert closed.post(f"/gaps/{key}/review", data={"verdict": "done"}).status_code == 403
    assert closed.post("/sign-in", data={"token": "x"}).status_code == 403


# ---- The plan --------------------------------------------------------------------------------------------


def test_everybody_can_keep_a_plan_of_their_own(client: FlaskClient, seed: Store) -> None:
    """Adding and taking off needs no token and writes nothing; the list can be shared by its address."""
    before = seed.version
    key = keys(client, "?kind=C1")[0]
    answer = client.post("/plan", data={"gap": key, "act": "add", "next": "/gaps?kind=C1"})
    assert answer.headers["Location"] == "/gaps?kind=C1"
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert f"gap={key}" in client.get("/plan").text
    assert key in {row["gap"] for row in csv.DictReader(io.StringIO(client.get("/plan.csv").text))}
    shared = (
        client.application.test_client()
        .get(f"/plan?gap={key}&gap=P1-000000000000", headers={"Accept": "text/html"})
        .text
    )
    assert "does not have this gap any more" in shared
    assert f"/gaps/{key}" in shared
    client.post("/plan", data={"gap": key, "act": "remove", "next": "/plan"})
    assert key not in client.get("/plan.csv").text
    assert seed.version == before


def test_a_plan_is_not_changed_from_another_site(client: FlaskClient) -> None:
    """403 for a form of another site."""
    answer = client.post("/plan", data={"gap": "P1-000000000000"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
