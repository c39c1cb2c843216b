"""`python -m graphkit` is the command `graphkit`."""

from __future__ import annotations

from graphkit.cli import main

main()
