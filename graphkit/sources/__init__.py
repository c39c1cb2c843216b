"""What comes in: files of registers, read, cleaned, judged and mapped to RDF with their provenance.

`import_files(store, "coops-uk", [path])` imports a snapshot of a source; `sources()` lists the sources there are. How
to import and how to add a source: docs/import.md.
"""

from __future__ import annotations

from graphkit.sources.folder import Source, find, sources
from graphkit.sources.importing import Wishes, import_files
from graphkit.sources.report import ImportReport, in_words, write_refused

__all__ = ["ImportReport", "Source", "Wishes", "find", "import_files", "in_words", "sources", "write_refused"]
