"""`python -m webui.i18n` brings the catalogues up to date and says what still lacks a translation."""

from __future__ import annotations

import sys

from webui.i18n.catalogue import LANGUAGES, SOURCE, locales_folder
from webui.i18n.extracting import update

__all__: list[str] = []


def main() -> int:
    """Update every language; 1 where a text lacks a translation."""
    lacking = 0
    for code in LANGUAGES:
        if code != SOURCE:
            counts = update(locales_folder() / code)
            lacking += sum(counts.values())
            said = ", ".join(f"{area} {count}" for area, count in counts.items() if count) or "nothing"
            sys.stderr.write(f"{code}: still to translate: {said}\n")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
