"""The pages in every language: each text has a translation, no template has a text outside, the choice is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from jinja2 import Environment, nodes

import webui
from graphkit.errors import DataError
from tests.village_fixture import village_store
from webui import create_app
from webui.i18n.catalogue import LANGUAGES, SOURCE, catalogue, entries, locales_folder
from webui.i18n.extracting import messages, update
from webui.settings import Settings

TEMPLATES = sorted((Path(webui.__file__).parent / "templates").glob("*.html"))
OTHERS = [code for code in LANGUAGES if code != SOURCE]
SAME_EVERYWHERE = set("CSV JSON RDF SPARQL PNG SVG GEXF GraphML Turtle IRI URL HTML SHA OpenAPI Atom".split())  # noqa: SIM905 - read as words
NAMES = {"Solidarity graph", "action quiet"}
NOT_SPOKEN = {"code", "pre", "svg", "script", "textarea"}
_TAG = re.compile(r"<!.*?>|<(/?)([a-zA-Z0-9]+)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.DOTALL)
_SPOKEN_ATTRIBUTE = re.compile(r"(?:aria-label|placeholder|title|alt|data-name)=[\"']([^\"']*)[\"']")
_WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    """Open the pages over the village."""
    store = village_store()
    opened = create_app(store, Settings(today=date(2026, 1, 1))).test_client()
    opened.environ_base["HTTP_ACCEPT"] = "text/html"
    yield opened
    store.close()


# ---- Every text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_a_translation_with_the_same_places(language: str) -> None:
    """None is missing, none lost a %(name)s or a {name}, and none breaks an attribute."""
    held = {entry.one: entry for path in (locales_folder() / language).glob("*.po") for entry in entries(path)}
    lacking = sorted(
        {each.one for each in messages()} - {one for one, entry in held.items() if all(entry.translations)}
    )
    assert not lacking, "translate them: python -m webui.i18n, then fill in webui/locales"
    for entry in held.values():
        for text in entry.translations if entry.one else ():
            assert _places(text) <= _places(entry.one) | _places(entry.many), entry
            assert '"' not in re.sub(r"<[^>]*>", "", text), entry


def _places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|\{\w+\}|%%", text))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_has_a_text_outside_the_catalogue(path: Path) -> None:
    """What a template says is marked, in the text, in attributes, and in what it hands to macros."""
    bare = list(_bare(path.read_text("utf-8")))
    assert not bare


def _bare(source: str) -> Iterator[str]:
    env = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    tree = env.parse(source)
    yield from (text for text in _said(_without_jinja(env, source)) if _WORD.search(text))
    yield from _handed_over(tree)


def _without_jinja(env: Environment, source: str) -> str:
    """Return the HTML of a template with a mark for each expression, and without what `{% trans %}` holds."""
    parts, inside, name = [], False, ""
    for _, kind, value in env.lex(source):
        if kind == "block_begin":
            name = ""
        elif kind == "name" and not name:
            name = value
            inside = name == "trans" or (inside and name != "endtrans")
        elif kind == "data" and not inside:
            parts.append(value)
        elif kind == "variable_begin":
            parts.append("·")
    return "".join(parts)


def _said(html: str) -> Iterator[str]:
    """Return what a page says: the texts between tags and the attributes that are read out."""
    silent, end = "", 0
    for tag in _TAG.finditer(html):
        if not silent:
            yield from _words(html[end : tag.start()])
        end = tag.end()
        closing, name, attributes = tag[1], (tag[2] or "").lower(), tag[3] or ""
        if name in NOT_SPOKEN and not attributes.endswith("/"):
            silent = "" if closing and name == silent else silent or ("" if closing else name)
        yield from (text for found in _SPOKEN_ATTRIBUTE.findall(attributes) for text in _words(found))
    yield from _words(html[end:])


def _words(text: str) -> Iterator[str]:
    plain = re.sub(r"&\w+;|\b[a-z-]+=\"[^\"]*\"", " ", text)
    if {*_WORD.findall(plain)} - SAME_EVERYWHERE:
        yield " ".join(text.split())


def _handed_over(tree: nodes.Template) -> Iterator[str]:
    """Return the sentences in expressions that no `_()` marks: an argument of a macro, a default, a value of a dict."""
    marked = {
        id(const)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in {"_", "gettext", "ngettext"}
        for const in call.find_all(nodes.Const)
    }
    for const in tree.find_all(nodes.Const):
        if (
            isinstance(const.value, str)
            and id(const) not in marked
            and const.value not in NAMES
            and re.search(r"[a-z] [a-z]|^[A-Z][a-z]+", const.value)
        ):
            yield const.value


# ---- Catalogues ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogues_are_up_to_date(language: str, tmp_path: Path) -> None:
    """Bringing them up to date changes nothing."""
    folder = tmp_path / language
    folder.mkdir()
    before = {path.name: path.read_text("utf-8") for path in (locales_folder() / language).glob("*.po")}
    for name, text in before.items():
        (folder / name).write_text(text, "utf-8")
    update(folder)
    assert {path.name: path.read_text("utf-8") for path in folder.glob("*.po")} == before


@pytest.mark.parametrize("text", ['msgid "a\nmsgstr "b"\n', 'msgid "a"\nmsgstr b\n', 'msgid "a \\q"\nmsgstr "b"\n'])
def test_a_catalogue_that_cannot_be_read_names_its_line(text: str, tmp_path: Path) -> None:
    """An open quotation, a text without one, an unknown escape."""
    path = tmp_path / "broken.po"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError) as caught:
        list(entries(path))
    assert str(path) in caught.value.where


def test_plurals_follow_the_language(tmp_path: Path) -> None:
    """In French none is one; in English it is many."""
    assert catalogue("fr").rule == "n > 1"
    assert [catalogue(SOURCE).ngettext("tie", "ties", n) for n in (0, 1, 2)] == ["ties", "tie", "ties"]


# ---- Choosing --------------------------------------------------------------------------------------------


def test_the_browser_chooses_the_language(client: FlaskClient) -> None:
    """French where it is preferred, English where the language is not there."""
    french = client.get("/gaps", headers={"Accept-Language": "fr-BE,fr;q=0.9,en;q=0.5"})
    assert '<html lang="fr"' in french.text
    assert "Aller au contenu" in french.text
    assert french.headers["Content-Language"] == "fr"
    assert {"Accept-Language", "Cookie"} <= {each.strip() for each in french.headers["Vary"].split(",")}
    assert '<html lang="en"' in client.get("/gaps", headers={"Accept-Language": "nl"}).text


def test_a_choice_in_the_address_is_kept_and_can_be_taken_back(client: FlaskClient) -> None:
    """`?lang=` wins and sets a cookie; an unknown language is not taken."""
    chosen = client.get("/gaps?lang=fr")
    assert '<html lang="fr"' in chosen.text
    assert "HttpOnly" in chosen.headers["Set-Cookie"]
    assert '<html lang="fr"' in client.get("/network").text
    assert '<html lang="fr"' in client.get("/network?lang=xx").text
    assert '<html lang="en"' in client.get("/network?lang=en").text
    assert '<html lang="en"' in client.get("/network").text
    client.delete_cookie("graphkit-language")


def test_the_switch_keeps_the_view(client: FlaskClient) -> None:
    """The links of the foot lead to the same page in another language."""
    html = client.get("/gaps?kind=R1&lang=fr").text
    assert 'href="/gaps?kind=R1&amp;lang=en"' in html
    client.delete_cookie("graphkit-language")


def test_a_held_page_in_another_language_is_not_taken_for_the_same(client: FlaskClient) -> None:
    """The entity tag of a page tells the languages apart; that of its data does not."""
    first = client.get("/versions?lang=en")
    second = client.get("/versions?lang=fr", headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    client.delete_cookie("graphkit-language")


def test_stored_queries_do_not_take_the_language_for_a_parameter(client: FlaskClient) -> None:
    """`?lang=fr` is ours on every page."""
    assert client.get("/queries/explore/organisations?lang=fr").status_code == 200
    client.delete_cookie("graphkit-language")


def test_the_words_of_the_scripts_come_as_json_and_can_be_kept(client: FlaskClient) -> None:
    """The address on the page holds a hash, so that it may be kept for ever; English needs none."""
    page = client.get("/gaps?lang=fr").text
    found = re.search(r'data-words="([^"]+)"', page)
    assert found
    answer = client.get(found[1])
    assert answer.get_json()["language"] == "fr"
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/words/xx-0.json").status_code == 404
    assert "data-words" not in client.get("/gaps?lang=en").text
    client.delete_cookie("graphkit-language")


def test_a_text_from_elsewhere_is_escaped() -> None:
    """`_()` takes texts of the data too; only `{% trans %}` may hold tags."""
    store = village_store()
    app = create_app(store)
    with app.test_request_context("/"):
        made = app.jinja_env.from_string("{{ _(text) }} {% trans n=text %}<b>{{ n }}</b>{% endtrans %}")
        assert made.render(text="<i>") == "&lt;i&gt; <b>&lt;i&gt;</b>"
    store.close()
