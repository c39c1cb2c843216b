"""Open a store by saying where it lies."""

from __future__ import annotations

from pathlib import Path

from graphkit.store.base import Store
from graphkit.store.embedded import EmbeddedStore
from graphkit.store.folder import KEPT_IN_FOLDER, FolderArchive
from graphkit.store.versions import KEPT_IN_MEMORY, MemoryArchive

__all__ = ["open_store"]


def open_store(
    location: str | Path | None = None,
    *,
    read_only: bool = False,
    keep: int | None = None,
    update: str | None = None,
    timeout: float = 60.0,
    token: str | None = None,
) -> Store:
    """Open the store at `location`: nothing or "memory", the address of a SPARQL 1.1 endpoint, or a folder.

    A folder is made if it is not there; one writer has it at a time, and with `read_only` any number of readers
    see the version that was newest when they opened it. `keep` is how many versions are kept (100 in a folder, 3
    in memory). `update` is the address for updates of an endpoint, if it does not follow from that for queries,
    `timeout` how many seconds an endpoint may take, and `token` what it wants to see from who writes; it is sent
    with updates only. Raises `StoreError` where the store cannot be opened.

    >>> store = open_store()
    >>> with store.change("a first fact") as change:
    ...     held = change.load(b"<urn:ann> <urn:knows> <urn:bea> .", media_type="ttl")
    >>> store.select("SELECT ?who { ?who <urn:knows> <urn:bea> }").item()
    'urn:ann'
    """
    if location is None or str(location) == "memory":
        return EmbeddedStore(MemoryArchive(keep or KEPT_IN_MEMORY), read_only=read_only)
    if str(location).startswith(("http://", "https://")):
        from graphkit.store.remote import RemoteStore  # noqa: PLC0415 - SPARQLWrapper is slow to import

        return RemoteStore(str(location), update=update, timeout=timeout, read_only=read_only, token=token)
    archive = FolderArchive(Path(location), read_only=read_only, keep=keep or KEPT_IN_FOLDER)
    return EmbeddedStore(archive, read_only=read_only)
