"""The one door to fpdf2, python-docx and Pillow, which the extra `report` brings."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from graphkit.errors import MissingExtraError

__all__ = ["docx_library", "font_file", "pdf_library", "picture_library"]

_INSTALL: Final = "pip install 'solidarity-graphkit[report]'"


def pdf_library() -> Any:  # noqa: ANN401 - a module
    """Return fpdf; raises `MissingExtraError` with the install line where it is not there."""
    return _module("fpdf", "a report as PDF needs the library fpdf2")


def docx_library() -> Any:  # noqa: ANN401 - a module
    """Return docx; raises `MissingExtraError` with the install line where it is not there."""
    return _module("docx", "a report as DOCX needs the library python-docx")


def picture_library() -> Any:  # noqa: ANN401 - a module
    """Return PIL.Image with ImageDraw; raises `MissingExtraError` with the install line where it is not there."""
    image = _module("PIL.Image", "a map in a report as DOCX needs the library Pillow")
    image.ImageDraw = _module("PIL.ImageDraw", "a map in a report as DOCX needs the library Pillow")
    return image


def font_file(style: str) -> Path:
    """Return the file of the font that is set in the PDF, so that every machine gives the same bytes.

    `style` is Regular, Bold or It.
    """
    fonts = _module("font_source_sans_pro", "a report as PDF needs the font Source Sans Pro")
    return Path(fonts.__file__).parent / "files" / f"SourceSansPro-{style}.ttf"


def _module(name: str, why: str) -> Any:  # noqa: ANN401 - a module
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(why, hint=_INSTALL) from error
