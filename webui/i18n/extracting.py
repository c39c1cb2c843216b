"""What must be translated: the texts of templates, Python and TypeScript; `python -m webui.i18n` keeps the catalogues.

A text is marked where it stands: `_("…")`, `ngettext("…", "…", n)` and `{% trans %}` in a template, `gettext`,
`ngettext` and `N_` in Python, `t("…")` and `tn("…", "…", n)` in TypeScript. Python alone cannot mark the names of kinds
of gaps and the like, which `graphkit` gives: `webui.i18n.spoken` lists them.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment

from webui.i18n.catalogue import Entry, entries
from webui.i18n.spoken import spoken

__all__ = ["Message", "messages", "update"]

_WEBUI: Final = Path(__file__).resolve().parent.parent
_MARKS: Final = frozenset({"gettext", "ngettext", "N_", "_"})
_TEXT: Final = r'"(?:[^"\\\n]|\\.)*"'
_TS: Final = re.compile(rf"\b(t|tn)\(\s*({_TEXT})(?:\s*,\s*({_TEXT}))?")
_PLURALS: Final = 2
_HEADER: Final = """# {area}: see webui/i18n.
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=n > 1;\\n"
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A text to translate, its plural or "", where it stands, and the area (the .po file) it belongs to."""

    one: str
    many: str
    where: str
    area: str


def messages() -> list[Message]:
    """Return all texts of the pages in order of their place, each once for each place."""
    found = [*_of_templates(), *_of_python(), *_of_typescript()]
    found += [Message(text, "", "webui/i18n/spoken.py", "spoken") for text in spoken()]
    return found


def _of_templates() -> Iterator[Message]:
    env = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    env.policies["ext.i18n.trimmed"] = True
    for path in sorted((_WEBUI / "templates").glob("*.html")):
        for line, name, said in env.extract_translations(path.read_text("utf-8")):  # type: ignore[attr-defined]
            if name in _MARKS and said is not None:
                one, many = (said, "") if isinstance(said, str) else (said[0], said[1])
                if one is None:  # A text that is computed: `spoken` lists it.
                    continue
                yield Message(one, many or "", f"{_short(path)}:{line}", path.stem.strip("_"))


def _of_python() -> Iterator[Message]:
    for path in sorted(_WEBUI.rglob("*.py")):
        if "frontend" in path.parts:
            continue
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _MARKS:
                said = [part.value for part in call.args[:_PLURALS] if isinstance(part, ast.Constant)]
                texts = [text for text in said if isinstance(text, str)]
                if texts:
                    many = texts[1] if call.func.id == "ngettext" and len(texts) == _PLURALS else ""
                    area = path.relative_to(_WEBUI).parts[0].removesuffix(".py")
                    yield Message(texts[0], many, f"{_short(path)}:{call.lineno}", area)


def _of_typescript() -> Iterator[Message]:
    source = _WEBUI / "frontend" / "src"
    for path in sorted(source.rglob("*.ts")):
        text, parts = path.read_text("utf-8"), path.relative_to(source).parts
        area = f"browser.{parts[0] if len(parts) > 1 and parts[0] != 'entries' else path.stem}"
        for found in _TS.finditer(text):
            many = json.loads(found[3]) if found[1] == "tn" and found[3] else ""
            line = text.count("\n", 0, found.start()) + 1
            yield Message(json.loads(found[2]), many, f"{_short(path)}:{line}", area)


def _short(path: Path) -> str:
    return path.relative_to(_WEBUI.parent).as_posix()


# ---- Keeping the catalogues --------------------------------------------------------------------------------


def update(folder: Path) -> dict[str, int]:
    """Bring the .po files of one language up to date and return how many texts of each file lack a translation.

    A new text goes into the file of the area in which it first stands; a text that is used no more is taken out.
    """
    held = {path.stem: {entry.one: entry for entry in entries(path)} for path in sorted(folder.glob("*.po"))}
    kept: dict[str, dict[str, Entry]] = {area: {} for area in held}
    places: dict[str, list[str]] = {}
    for message in messages():
        places.setdefault(message.one, []).append(message.where.rpartition(":")[0] or message.where)
        _keep(message, held, kept)
    for area, own in kept.items():
        path = folder / f"{area}.po"
        if own:
            path.write_text(_written(folder.name, area, own, places), "utf-8")
        else:
            path.unlink(missing_ok=True)
    return {area: sum(not all(entry.translations) for entry in own.values()) for area, own in kept.items()}


def _keep(message: Message, held: Mapping[str, Mapping[str, Entry]], kept: dict[str, dict[str, Entry]]) -> None:
    in_browser = message.area.startswith("browser")
    for area, own in kept.items():
        if message.one in own and area.startswith("browser") == in_browser:
            if message.many and not own[message.one].many:
                own[message.one] = Entry(message.one, message.many, ("", ""), 0)
            return
    before = [
        (area, own[message.one])
        for area, own in held.items()
        if message.one in own and area.startswith("browser") == in_browser
    ]
    area, entry = before[0] if before else (message.area, _elsewhere(message, held))
    if bool(entry.many) != bool(message.many):
        entry = Entry(message.one, message.many, ("", "") if message.many else ("",), 0)
    kept.setdefault(area, {})[message.one] = entry


def _elsewhere(message: Message, held: Mapping[str, Mapping[str, Entry]]) -> Entry:
    """Take a translation over from a file of the other side (pages or scripts), else begin an empty one."""
    for own in held.values():
        if message.one in own and bool(own[message.one].many) == bool(message.many):
            return own[message.one]
    return Entry(message.one, message.many, ("", "") if message.many else ("",), 0)


def _written(language: str, area: str, own: Mapping[str, Entry], places: Mapping[str, list[str]]) -> str:
    parts = [_HEADER.format(area=area, language=language)]
    for entry in sorted(own.values(), key=lambda each: (each.one.lower(), each.one)):
        lines = [f"#: {' '.join(sorted(set(places[entry.one])))}", f"msgid {_quoted(entry.one)}"]
        if entry.many:
            lines.append(f"msgid_plural {_quoted(entry.many)}")
            lines += [f"msgstr[{place}] {_quoted(text)}" for place, text in enumerate(entry.translations)]
        else:
            lines.append(f"msgstr {_quoted(entry.translations[0])}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
