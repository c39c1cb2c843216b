"""What a deployment can choose: limits, who may write, and how the pages name themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of a deployment; the defaults fit one person on one machine.

    `today` bounds what the pages say (None: the present day). `public_address` is the address under which others
    reach the service ("https://graph.example.org", without a final slash); empty, each request's own is used.

    Without a `token` nobody can write. With `check_writes`, what is written must keep to the shapes.

    A query from outside ends after `query_seconds`, with an answer of more than `query_bytes`, or when it needs
    more than `query_memory` bytes; `query_rows` cuts long answers to SELECT queries (and says so). `readers` queries
    run at once, on a copy of the newest version in memory where that fits into `copy_bytes`. `cache_bytes` bounds
    the answers that are kept. `rows_shown` rows of an answer are shown on a page, all can be downloaded.

    `services` are the SPARQL endpoints that a query may call with SERVICE; none by default. `hosts` are the names
    under which the service may be addressed (empty: any); `behind_proxy` trusts one proxy's X-Forwarded headers.

    `embedding` are the sites whose pages may show a view in a frame ("https://news.example.org", or "*" for all); none
    but our own by default.

    `saved` is the file of the queries that visitors save, `stories` that of the stories that who has the token writes;
    None is a file beside a store in a folder, else memory. `boundaries` is a TopoJSON file of regions for the map.
    """

    site_name: str = "Solidarity graph"
    today: date | None = None
    public_address: str = ""
    token: str | None = None
    check_writes: bool = False
    query_seconds: float = 10.0
    query_bytes: int = 50_000_000
    query_memory: int = 2 * 1024**3
    query_rows: int | None = None
    readers: int = 4
    copy_bytes: int = 2 * 1024**3
    cache_bytes: int = 64_000_000
    rows_shown: int = 500
    services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    behind_proxy: bool = False
    embedding: tuple[str, ...] = ()
    saved: Path | None = None
    stories: Path | None = None
    boundaries: Path | None = None
