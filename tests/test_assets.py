"""Tests for webui/assets.py: the tags of the built front end, and what is said where it is not built."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pytest

from graphkit.errors import DataError, UnknownNameError
from webui.assets import asset_tags, static_folder

MANIFEST = {
    "_shared-1a.js": {"file": "assets/shared-1a.js", "name": "shared", "css": ["assets/sort-2b.css"]},
    "_sort-2b.js": {
        "file": "assets/sort-2b.js",
        "name": "sort",
        "imports": ["_shared-1a.js"],
        "css": ["assets/sort-2b.css"],
    },
    "src/entries/app.ts": {
        "file": "assets/app-3c.js",
        "name": "app",
        "isEntry": True,
        "imports": ["_shared-1a.js", "_sort-2b.js"],
        "css": ["assets/app-3c.css"],
    },
    "src/later.ts": {"file": "assets/later-4d.js", "name": "later", "isDynamicEntry": True},
}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Make a folder that holds a small manifest as Vite writes it."""
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST), "utf-8")
    return tmp_path


def test_tags_name_the_script_its_imports_and_all_styles_once(built: Path) -> None:
    """The page loads styles first, then each imported part before the part that needs it, then the script."""
    tags = asset_tags("app", folder=built)
    assert re.findall(r'(?:href|src)="([^"]+)"', tags) == [
        "/static/assets/sort-2b.css",
        "/static/assets/app-3c.css",
        "/static/assets/shared-1a.js",
        "/static/assets/sort-2b.js",
        "/static/assets/app-3c.js",
    ]
    assert tags.count('<script type="module"') == 1
    assert tags.count('rel="modulepreload"') == 2


def test_base_is_put_before_each_address_and_escaped(built: Path) -> None:
    """A server below a prefix gets its own addresses, and no base can leave the attribute."""
    tags = asset_tags("app", base='/x"y/static/', folder=built)
    assert 'src="/x&#34;y/static/assets/app-3c.js"' in tags


@pytest.mark.parametrize("name", ["ap", "shared", "later"])
def test_what_is_no_entry_is_refused_with_the_known_names(built: Path, name: str) -> None:
    """A misspelt name, a shared part and a part loaded later are no entries of a page."""
    with pytest.raises(UnknownNameError, match="app") as error:
        asset_tags(name, folder=built)
    assert "manifest.json" in error.value.where


def test_missing_build_says_how_to_build(tmp_path: Path) -> None:
    """Without a manifest the error tells the command that builds the front end."""
    with pytest.raises(DataError, match="not built") as error:
        asset_tags("app", folder=tmp_path)
    assert "pip install -e ." in error.value.hint
    assert "npm run build" in error.value.hint


def test_broken_manifest_is_reported_with_its_place(tmp_path: Path) -> None:
    """A manifest cut off by a full disk is named, not shown as a decoding fault."""
    (tmp_path / "manifest.json").write_text('{"src', "utf-8")
    with pytest.raises(DataError, match="cannot be read") as error:
        asset_tags("app", folder=tmp_path)
    assert error.value.where == str(tmp_path / "manifest.json")


def test_new_build_is_seen_without_a_restart(built: Path) -> None:
    """A developer who builds again gets the new names on the next page."""
    asset_tags("app", folder=built)
    path = built / "manifest.json"
    path.write_text(path.read_text("utf-8").replace("app-3c.js", "app-9z.js"), "utf-8")
    os.utime(path, ns=(1, 1))
    assert "app-9z.js" in asset_tags("app", folder=built)


@pytest.mark.parametrize("entry", ["app", "network", "gaps", "sparql"])
def test_each_page_has_its_entry_in_the_real_build(entry: str) -> None:
    """The build made every page's entry, and each file that the tags name is there."""
    addresses = re.findall(r'(?:href|src)="/static/([^"]+)"', asset_tags(entry))
    assert addresses
    assert all((static_folder() / address).is_file() for address in addresses)


def test_first_view_of_the_network_stays_under_200_kb() -> None:
    """All styles and scripts of the page, with the picture that it fetches, are lighter than one photograph."""
    tags = asset_tags("app") + asset_tags("network")
    files = {static_folder() / name for name in re.findall(r'(?:href|src)="/static/([^"]+)"', tags)}
    files |= set((static_folder() / "assets").glob("picture-*.js"))
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 200_000


def test_build_holds_no_address_of_another_host() -> None:
    """No style and no script asks another host for anything: what looks like an address is a name only."""
    names = ("http://www.w3.org/", "https://www.w3.org/", "https://github.com/", "https://picocss.com")
    for path in (static_folder() / "assets").iterdir():
        found = re.findall(r"https?://[^\s\"'`)]+", path.read_text("utf-8"))
        assert [address for address in found if not address.startswith(names)] == [], path.name
