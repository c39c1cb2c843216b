"""Stories on the pages: read, shown to others, shared; written by who has the token of the service."""

from __future__ import annotations

import hmac
from pathlib import Path
from threading import Lock
from typing import Final

from flask import Response, current_app, jsonify, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as BaseResponse

from graphkit.errors import UsageError
from webui.i18n.choosing import gettext
from webui.kept_file import place_beside
from webui.pages.blueprint import blueprint
from webui.pages.lists import asked_number
from webui.pages.story_shelf import MOST_STEPS, Step, Stories, Story
from webui.protocol.access import has_token, own_address, require_own_site
from webui.protocol.problems import Refusal
from webui.session import form_word, is_signed_in, takes_token
from webui.state import settings, store

__all__: list[str] = []

_KEPT: Final = "graphkit-stories"
_SPARE: Final = 2
_DIGITS: Final = 3
_MOST_BYTES: Final = 1_000_000
_FRAMES: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-src 'self'; frame-ancestors 'self'"
)
"""The policy of the page that shows a view of this service within itself."""


class _Shelf:
    """The stories of one application, opened when they are first asked for."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stories: Stories | None = None

    @property
    def stories(self) -> Stories:
        """The stories."""
        with self._lock:
            if self._stories is None:
                self._stories = Stories(_file())
            return self._stories


@blueprint.record
def _begin(setup: BlueprintSetupState) -> None:
    setup.app.extensions[_KEPT] = _Shelf()


# ---- Reading -------------------------------------------------------------------------------------------


@blueprint.get("/stories")
def stories() -> str:
    """List the stories."""
    return render_template("stories.html", page="stories", stories=_stories().every(), writable=bool(settings().token))


@blueprint.get("/stories/<short>")
def story(short: str) -> str:
    """Show a story with all its views."""
    return render_template(
        "story.html", page="stories", story=_found(short), address=_address(short), writable=bool(settings().token)
    )


@blueprint.get("/stories/<short>.json")
def story_data(short: str) -> Response:
    """Give a story as data."""
    found = _found(short)
    steps = [{"view": step.view, "caption": step.caption, "text": step.text} for step in found.steps]
    fields = ("id", "title", "intro", "author", "created", "changed")
    return jsonify({name: getattr(found, name) for name in fields} | {"steps": steps})


@blueprint.get("/stories/<short>/present")
def story_present(short: str) -> Response:
    """Show one view of a story after the other, large; arrow keys lead on."""
    found = _found(short)
    number = asked_number("step", 1, len(found.steps))
    step = found.steps[number - 1]
    sign = "&" if "?" in step.view else "?"
    path, hash_sign, fragment = step.view.partition("#")
    frame = f"{request.script_root}{path}{sign}embed=1{hash_sign}{fragment}"
    page = render_template("story_present.html", story=found, number=number, step=step, frame=frame)
    response = make_response(page)
    response.headers["Content-Security-Policy"] = _FRAMES
    return response


# ---- Writing -------------------------------------------------------------------------------------------


@blueprint.get("/stories/new")
def story_new() -> str:
    """Show the form of a new story; `?view=` is the address of its first view."""
    view = _own(request.args.get("view", ""))
    return _form({"title": "", "intro": "", "author": ""}, [Step(view, "")] if view else [])


@blueprint.get("/stories/<short>/edit")
def story_edit(short: str) -> str:
    """Show the form of a story that is there."""
    found = _found(short)
    return _form({"title": found.title, "intro": found.intro, "author": found.author}, list(found.steps), short)


@blueprint.post("/stories")
@blueprint.post("/stories/<short>")
def story_save(short: str = "") -> BaseResponse:
    """Keep a story that the form gives; without the token, or with a fault, the form comes again (4xx)."""
    require_own_site()
    request.max_content_length = request.max_form_memory_size = _MOST_BYTES
    if short:
        _found(short)
    fields = {name: request.form.get(name, "") for name in ("title", "intro", "author")}
    steps = _steps()
    if request.form.get("act") == "more":
        return make_response(_form(fields, steps, short, spare=len(steps) + _SPARE))
    if fault := _token_fault():
        return make_response(_form(fields, steps, short, fault=fault), 403)
    if request.form.get("act") == "delete" and short:
        _stories().delete(short)
        return redirect(url_for("pages.stories"), 303)
    try:
        kept = _stories().put(fields["title"], fields["intro"], fields["author"], steps, short)
    except UsageError as error:
        return make_response(_form(fields, steps, short, fault=f"{error.what}: {error.hint}"), 400)
    return redirect(url_for("pages.story", short=kept.id), 303)


def _form(fields: dict[str, str], steps: list[Step], short: str = "", *, fault: str = "", spare: int = 0) -> str:
    blank = max(_SPARE, spare - len(steps)) if len(steps) < MOST_STEPS else 0
    return render_template(
        "story_form.html",
        page="stories",
        fields=fields,
        steps=[*steps, *(Step("", "") for _ in range(blank))],
        short=short,
        fault=fault,
        writable=bool(settings().token),
    )


def _token_fault() -> str:
    """Return why who sent the form may not write; empty where they may."""
    if not settings().token:
        return gettext("This service is read only: who runs it can allow writing by setting GRAPHKIT_TOKEN.")
    if has_token() or (is_signed_in() and hmac.compare_digest(form_word(), request.form.get("word", ""))):
        return ""
    sent = request.form.get("token", "").strip()
    if sent and takes_token(sent):
        return ""
    return gettext("The token is missing or not the right one. Nothing was saved; what you wrote is still here.")


def _steps() -> list[Step]:
    """Read the views of the form, in the order of their numbers."""
    views, captions, texts = (request.form.getlist(name) for name in ("view", "caption", "text"))
    places = zip(request.form.getlist("place"), views, captions, texts, strict=False)
    rows = [
        (_place(place, at), Step(_own(view), caption, text)) for at, (place, view, caption, text) in enumerate(places)
    ]
    kept = [row for row in rows if row[1].view.strip() or row[1].caption.strip() or row[1].text.strip()]
    return [step for _, step in sorted(kept, key=lambda row: row[0])]


def _place(text: str, at: int) -> tuple[int, int]:
    """Return where a view stands in the order: as its number says, else after those before it in the form."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else at + 1
    return number, at


def _own(address: str) -> str:
    """Shorten an address of this service to its path; the part of a view that only embeds it is left out."""
    text = address.strip()
    for root in (own_address(), request.url_root.rstrip("/")):
        text = text.removeprefix(root)
    return text.removeprefix(request.script_root) if request.script_root else text


# ---- The shelf -----------------------------------------------------------------------------------------


def _stories() -> Stories:
    shelf: _Shelf = current_app.extensions[_KEPT]
    return shelf.stories


def _found(short: str) -> Story:
    found = _stories().get(short)
    if found is None:
        raise Refusal(404, f"no story is called '{short[:40]}'", hint="see the list: /stories")
    return found


def _address(short: str) -> str:
    return f"{own_address()}{url_for('pages.story', short=short).removeprefix(request.script_root)}"


def _file() -> Path | None:
    """Return where stories are kept: as the deployment says, else beside a store that lies in a folder."""
    chosen = settings().stories
    return chosen if chosen is not None else place_beside(store().location, "stories.sqlite")
