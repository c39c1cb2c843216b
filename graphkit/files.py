"""Where the shipped ontology and queries lie, and writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from graphkit.errors import DataError

__all__ = ["ontology_folder", "queries_folder", "write_whole"]

_PACKAGE = Path(__file__).resolve().parent


def ontology_folder() -> Path:
    """Return the folder of the shipped ontology, vocabularies, shapes and seed data."""
    return _shipped("ontology")


def queries_folder() -> Path:
    """Return the folder of the shipped `.rq` files."""
    return _shipped("queries")


def _shipped(name: str) -> Path:
    """Return a folder that lies inside an installed wheel, or beside the package in a checkout."""
    for folder in (_PACKAGE / "shipped" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise DataError(
        f"the folder '{name}' that belongs to graphkit is missing",
        where=str(_PACKAGE),
        hint="install the package again: pip install --force-reinstall solidarity-graphkit",
    )


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
