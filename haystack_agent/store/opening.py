"""Which store an index lives in."""

from __future__ import annotations

import hashlib
import os

from haystack_agent.index_files import IndexFiles
from haystack_agent.index_location import IndexLocation
from haystack_agent.store.protocol import Store, StoreSchema


def open_store(location: IndexLocation, schema: StoreSchema, create: bool) -> Store:
    """Open the embedded shard in the index folder or, where the location names one, the collection on a server.

    Raises:
        IndexUnusable: missing (unless `create`), busy, damaged, or with other vectors than `schema`.
        StoreUnreachable: the server does not answer or refuses the key.
    """
    if location.qdrant_url is None:
        from haystack_agent.store.edge import EdgeStore

        return EdgeStore.open(IndexFiles(location.path).shard, schema, create)
    from haystack_agent.store.server import ServerStore

    # The folder's whole path: folders of one name, as of evaluations, must not share a collection.
    digest = hashlib.blake2b(os.fsencode(location.path.resolve()), digest_size=6).hexdigest()
    collection = f"haystack-{location.path.name}-{digest}"
    return ServerStore.open(location.qdrant_url, location.qdrant_api_key, collection, schema)
