"""Opens a file as a stream of pieces: plain, .gz or .zip, with limits so that a small file cannot become a huge one."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from graphkit.errors import DataError

__all__ = ["MOST_UNPACKED", "Pieces", "bare_suffix", "file_hash", "opened"]

MOST_UNPACKED: Final = 20 * 1024**3
"""The most bytes that an archive may unpack to."""

_PIECE: Final = 1024 * 1024
_MOST_TIMES: Final = 250
_FREE: Final = 32 * 1024**2
_HIDDEN: Final = ("__MACOSX/", ".")


@dataclass(slots=True)
class Pieces:
    """The unpacked bytes of one file, piece by piece, and how far the file itself has been read."""

    path: Path
    size: int
    _read: Callable[[int], bytes] = field(repr=False)
    _position: Callable[[], int] = field(repr=False)
    _packed: bool = False
    _most: int = MOST_UNPACKED
    unpacked: int = 0

    @property
    def done(self) -> int:
        """How many bytes of the file itself were read."""
        return min(self._position(), self.size)

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces of about a megabyte; raises `DataError` where the file is damaged or grows beyond the limits."""
        try:
            while piece := self._read(_PIECE):
                self.unpacked += len(piece)
                self._check_growth()
                yield piece
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DataError(f"the file cannot be read: {reason}", where=str(self.path)) from error

    def _check_growth(self) -> None:
        if not self._packed:
            return
        grown = self.unpacked > _FREE and self.unpacked > _MOST_TIMES * max(self.done, 1)
        if grown or self.unpacked > self._most:
            what = f"{_MOST_TIMES} times its size" if grown else f"{self._most:,} bytes"
            raise DataError(
                f"the archive unpacks to more than {what}, so it is not read on",
                where=str(self.path),
                hint="unpack it yourself if you trust where it comes from, and give the unpacked file",
            )


@contextmanager
def opened(path: Path, *, most: int = MOST_UNPACKED) -> Iterator[Pieces]:
    """Open a file for reading its unpacked content; a .zip must hold exactly one file.

    Raises `DataError` that names the file where it cannot be opened.
    """
    with ExitStack() as stack:
        try:
            size = path.stat().st_size
            raw = stack.enter_context(path.open("rb"))
            read, packed = _reader(path, raw, stack)
        except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DataError(f"the file cannot be opened: {reason}", where=str(path)) from error
        yield Pieces(path, size, read, raw.tell, packed, most)


def _reader(path: Path, raw: IO[bytes], stack: ExitStack) -> tuple[Callable[[int], bytes], bool]:
    if path.suffix.lower() == ".gz":
        return stack.enter_context(gzip.GzipFile(fileobj=raw)).read, True
    if path.suffix.lower() == ".zip":
        archive = stack.enter_context(zipfile.ZipFile(raw))
        return stack.enter_context(archive.open(_only_member(archive, path))).read, True
    return raw.read, False


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    files = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith(_HIDDEN)]
    if len(files) != 1:
        names = ", ".join(each.filename for each in files[:5]) or "none"
        raise DataError(
            f"the archive holds {len(files)} files and not one",
            where=str(path),
            hint=f"unpack it and name one of: {names}",
        )
    return files[0]


def bare_suffix(path: Path) -> str:
    """Return the ending that tells the format: ".csv" for `a.csv`, `a.csv.gz` and `a.csv.zip`; "" where none is told.

    >>> bare_suffix(Path("list.CSV.gz")), bare_suffix(Path("list.zip"))
    ('.csv', '')
    """
    name = path.name.lower()
    for packed in (".gz", ".zip"):
        name = name.removesuffix(packed)
    return Path(name).suffix


def file_hash(path: Path) -> str:
    """Return the SHA-256 of the file as it lies there, in hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=str(path)) from error
