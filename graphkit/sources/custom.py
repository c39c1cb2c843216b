"""A source of one's own: a folder like those that are shipped, or one mapping file with a few header lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from graphkit.errors import DataError, UsageError
from graphkit.sources.csvw import Table, read_table
from graphkit.sources.folder import Layout, SnapshotRule, Source, read_folder

__all__ = ["custom_source"]

_HEADER: Final = re.compile(r"^#\+ *([a-z_]+): *(.*?) *$", re.MULTILINE)
_NEEDED: Final = ("title", "publisher", "licence")
_KNOWN: Final = {*_NEEDED, "publisher_page", "homepage", "gives", "records", "format"}
_EXAMPLE: Final = "write at its top, for example: #+ title: Members of our network"


def custom_source(adapter: str, place: Path) -> Source:
    """Read a source from a folder with a source.yaml, or from a mapping file `*.rq`.

    A mapping file says in lines such as `#+ title: Members` its title, publisher and licence, and may say homepage,
    gives, format (csv or json) and records. A `<name>.csvw.json` beside it describes the table; without one all
    columns are text, named after the header. Raises `DataError` that says what is missing.
    """
    if adapter != "table":
        raise UsageError(f"--mapping belongs to the source 'table', and not to '{adapter}'")
    if place.is_dir():
        return _renamed(read_folder(place, _slug(place.name)))
    if place.suffix != ".rq":
        raise UsageError(f"'{place}' is neither a folder nor a mapping file *.rq")
    try:
        text = place.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("the mapping cannot be read", where=str(place), hint=str(error)) from error
    words = dict(_HEADER.findall(text))
    for needed in _NEEDED:
        if not words.get(needed):
            raise DataError(f"the mapping does not say its {needed}", where=str(place), hint=_EXAMPLE)
    for word in words:
        if word not in _KNOWN:
            raise DataError(
                f"the mapping's header has '{word}'", where=str(place), hint=f"known: {', '.join(sorted(_KNOWN))}"
            )
    return _single(place, text.replace("#+", "# "), words)


def _single(place: Path, text: str, words: dict[str, str]) -> Source:
    description = place.with_suffix(".csvw.json")
    layout = Layout(
        name=_slug(place.stem),
        about="",
        format=words.get("format", "csv"),
        records=words.get("records", "/*"),
        table=read_table(description) if description.is_file() else Table(),
        mapping=text,
        mapping_path=place,
        crosswalks=(),
        places={},
        keys={},
        cleaning=None,
        snapshot=SnapshotRule(),
        download="",
        note="",
    )
    return Source(
        "table",
        None,
        words["title"],
        words["publisher"],
        words.get("publisher_page", ""),
        words["licence"],
        words.get("homepage", ""),
        words.get("gives", words["title"]),
        "1",
        (layout,),
        (),
    )


def _renamed(source: Source) -> Source:
    """Put a source of one's own under the name `table`, its own name becoming the series."""
    return Source(
        "table",
        source.folder,
        source.title,
        source.publisher,
        source.publisher_page,
        source.licence,
        source.homepage,
        source.gives,
        source.version,
        source.layouts,
        source.scopes,
        source.series or SnapshotRule(form=source.name),
    )


def _slug(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-") or "table"
