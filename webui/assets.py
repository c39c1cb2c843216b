"""Tags for the scripts and styles that the package build has written, found through Vite's manifest."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from graphkit.errors import DataError, unknown_name

__all__ = ["asset_tags", "static_folder"]

_MANIFEST = "manifest.json"


def static_folder() -> Path:
    """Return the folder of the built front end, which is there after an install of the package."""
    return Path(__file__).resolve().parent / "static"


def asset_tags(entry: str, *, base: str = "/static/", folder: Path | None = None) -> Markup:
    """Return the tags that load one entry of the front end: its styles, its script, the parts it imports.

    `entry` is the name of a page's entry ("app", "network", "gaps", "sparql"), `base` the address under which
    `folder` is served. The tags hold no inline script and no inline style. Raises `DataError` where the front
    end is not built and `UnknownNameError` for an entry that it does not have.
    """
    place = folder or static_folder()
    chunks = _manifest(place)
    entries = {chunk["name"]: key for key, chunk in chunks.items() if chunk.get("isEntry")}
    if entry not in entries:
        raise unknown_name("entry of the front end", entry, entries, where=str(place / _MANIFEST))
    return _tags(chunks, entries[entry], base)


def _tags(chunks: dict[str, dict[str, Any]], key: str, base: str) -> Markup:
    """Write the tags of a chunk and of all that it imports, styles first and each once."""
    parts = [chunks[part] for part in _with_imports(chunks, key)]
    styles = dict.fromkeys(style for part in parts for style in part.get("css", []))
    tags = [Markup('<link rel="stylesheet" href="{}">').format(base + style) for style in styles]
    tags += [Markup('<link rel="modulepreload" href="{}">').format(base + part["file"]) for part in parts[:-1]]
    tags.append(Markup('<script type="module" src="{}"></script>').format(base + parts[-1]["file"]))
    return Markup("\n  ").join(tags)


def _with_imports(chunks: dict[str, dict[str, Any]], key: str) -> list[str]:
    """Return the keys of the chunks that must be loaded, each after those that it imports."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in found:
            for imported in chunks[name].get("imports", []):
                visit(imported)
            found[name] = None

    visit(key)
    return list(found)


def _manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the manifest, again only after a new build."""
    path = folder / _MANIFEST
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError as error:
        raise DataError(
            "the scripts and styles of the pages are not built",
            where=str(path),
            hint="install the package again without GRAPHKIT_SKIP_FRONTEND: pip install -e . "
            "(or, with Node: cd webui/frontend && npm ci && npm run build)",
        ) from error
    except ValueError as error:
        raise DataError(
            "the list of the built scripts and styles cannot be read",
            where=str(path),
            hint="delete the folder webui/static and build again: pip install -e .",
        ) from error


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> dict[str, dict[str, Any]]:
    """Parse the manifest; the time of its last change is part of the key."""
    manifest: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return manifest
