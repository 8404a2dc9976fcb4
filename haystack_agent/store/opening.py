"""Which store an index lives in."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from haystack_agent.errors import HaystackError, IndexDamaged, IndexNotFound, UsageError
from haystack_agent.index_files import IndexCard, IndexFiles, VectorsPlace, read_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import StoreSchema

_FAR_FEWER = 0.5
"""Share of the promised pieces below which a store is not the one that was written; others may be writing it."""


def open_store(location: IndexLocation, schema: StoreSchema, create: bool) -> Store:
    """Open the store of an index to write it and to search it: the embedded shard, or the collection on a server.

    Raises:
        IndexUnusable: missing (unless `create`), busy, damaged, or with other vectors than `schema`.
        StoreUnreachable: the server does not answer or refuses the key.
        UsageError: another server is named than the index remembers.
    """
    return open_place(location, vectors_place(location, card_of(location)), schema, create)


def open_place(location: IndexLocation, place: VectorsPlace, schema: StoreSchema, create: bool) -> Store:
    """The same, at a place that need not be the one remembered."""
    if place.url is None or place.collection is None:
        from haystack_agent.store.edge.store import EdgeStore

        return EdgeStore.open(IndexFiles(location.path).shard, schema, create)
    from haystack_agent.store.server.store import ServerStore

    return ServerStore.open(place.url, location.qdrant_api_key, place.collection, schema, create)


def open_to_read(location: IndexLocation, schema: StoreSchema) -> Store:
    """The same to search it only: nothing is made, and nothing need be writable.

    Raises:
        IndexDamaged: most of the pieces are missing.
    """
    card = card_of(location)
    place = vectors_place(location, card)
    if place.url is not None:
        store = open_place(location, place, schema, create=False)
    else:
        from haystack_agent.store.edge.store import EdgeStore

        store = EdgeStore.open_to_read(IndexFiles(location.path).shard, schema)
    try:
        refuse_missing(location, store, card)
    except BaseException:
        store.close()
        raise
    return store


def refuse_missing(location: IndexLocation, store: Store, card: IndexCard | None) -> None:
    """Do not search a store that holds far less than was written.

    Raises:
        IndexDamaged: so it is.
    """
    promised = card.pieces if card else 0
    if promised == 0:
        return
    stored = store.count()
    if stored < promised * _FAR_FEWER:
        raise IndexDamaged(
            f"{promised - stored} of the {promised} pieces of the index {location.path} are missing "
            f"{_at(vectors_place(location, card))}: run `haystack-agent index` to read those files again."
        )


def vectors_place(location: IndexLocation, card: IndexCard | None) -> VectorsPlace:
    """Where the vectors of an index are: what it remembers, else what the location says.

    Raises:
        UsageError: the location names another server than the index remembers.
    """
    remembered = card.place if card else None
    if remembered is None:
        return place_named(location, card)
    asked = location.qdrant_url
    if asked is None or (remembered.url is not None and _same(asked, remembered.url)):
        return remembered
    raise UsageError(
        f"The index {location.path} keeps its vectors {_at(remembered)}, not on {asked}, which --qdrant-url, "
        "HAYSTACK_QDRANT_URL or the config file names: leave that out, or move the index there with "
        f"`haystack-agent index --qdrant-url {asked}`."
    )


def place_named(location: IndexLocation, card: IndexCard | None) -> VectorsPlace:
    """The place that a location names, under the name of the collection that the index has already."""
    if location.qdrant_url is None:
        return VectorsPlace()
    known = card.place.collection if card and card.place else None
    return VectorsPlace(location.qdrant_url, known or _collection_of(location))


def beside(location: IndexLocation, path: Path) -> IndexLocation:
    """The location of another index: the server that was named is not meant where it remembers its own place."""
    other = replace(location, path=path)
    try:
        card = card_of(other)
    except HaystackError:  # whoever opens it is told
        return other
    return replace(other, qdrant_url=None) if card is not None and card.place is not None else other


def card_of(location: IndexLocation) -> IndexCard | None:
    """The index's card, ``None`` where there is none.

    Raises:
        IndexUnusable: it cannot be read.
    """
    try:
        return read_card(IndexFiles(location.path))
    except IndexNotFound:
        return None


def _collection_of(location: IndexLocation) -> str:
    # The folder's whole path: folders of one name, as of evaluations, must not share a collection.
    digest = hashlib.blake2b(os.fsencode(location.path.resolve()), digest_size=6).hexdigest()
    return f"haystack-{location.path.name}-{digest}"


def _at(place: VectorsPlace) -> str:
    return "in its own folder" if place.url is None else f"on the Qdrant server {place.url}"


def _same(one: str, other: str) -> bool:
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.hostname, first.port or 6333, first.path.rstrip("/")) == (
        second.scheme,
        second.hostname,
        second.port or 6333,
        second.path.rstrip("/"),
    )
