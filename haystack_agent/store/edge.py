"""The embedded store: a Qdrant Edge shard in a folder, for one process at a time.

Every write is logged before it is acknowledged, so that a killed process loses nothing acknowledged; `flush` also
guards against a power cut. The engine maps its files into memory: on a full disk a write would end the process by a
signal, so that room is made sure of before each one. A store must not be used after a fork.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haystack_agent.encoders.protocols import FloatArray, SparseVector
from haystack_agent.errors import IndexDamaged
from haystack_agent.records import Filters
from haystack_agent.store import edge_files, points, validate
from haystack_agent.store.edge_files import translated
from haystack_agent.store.points import Point, Scored
from haystack_agent.store.protocol import Hit, IndexedPiece, StoreSchema, VectorName
from haystack_agent.store.schema import (
    DERIVED_FIELDS,
    INTEGER_FIELDS,
    KEYWORD_FIELDS,
    AnyOf,
    Condition,
    Field,
    conditions_of,
    from_payload,
)

if TYPE_CHECKING:
    import qdrant_edge

_POINTS_A_WRITE = 500
_BYTES_A_WRITE = 8 * 2**20
_POINTS_A_PAGE = 500


class EdgeStore:
    """A `Store` in a folder of this machine; make it with `open`."""

    def __init__(self, shard: qdrant_edge.EdgeShard, path: Path, schema: StoreSchema) -> None:
        self._open_shard: qdrant_edge.EdgeShard | None = shard
        self._path = path
        self._schema = schema
        self._process = os.getpid()

    @classmethod
    def open(cls, path: Path, schema: StoreSchema, create: bool = True) -> EdgeStore:
        """Open the shard in the folder `path`, or make it where there is none and `create` is true.

        Raises:
            IndexNotFound: there is none, and `create` is false.
            IndexBusy: another process has it open.
            IndexMismatch: its vectors are others than those of `schema`.
            IndexDamaged: its files cannot be read.
            StorageFull: no room to make or open it.
        """
        validate.check_schema(schema)
        edge_files.require_room(path, 0)
        if not path.exists():
            edge_files.refuse_missing(path, create)
            _create(path, schema)
        edge_files.check_config(path, schema)
        shard = _load(path, schema)
        try:
            with translated(path):
                edge_files.check_complete(path, shard.count(_count_request(())))
            _add_missing_indexes(shard, path)
        except BaseException:
            shard.close()
            raise
        return cls(shard, path, schema)

    def upsert(self, pieces: Sequence[IndexedPiece]) -> None:
        """Write pieces, replacing those with the same ids; written once this returns, whatever kills the process.

        Raises:
            ValueError: a piece has an unknown vector, a wrong length, NaN, or the like; nothing was written.
            StorageFull: no room; batches already written stay.
        """
        import qdrant_edge

        validate.check_pieces(pieces, self._schema)
        for batch in points.batches(pieces, _POINTS_A_WRITE, _BYTES_A_WRITE):
            edge_files.require_room(self._path, sum(point.size for point in batch))
            with translated(self._path):
                self._shard.update(qdrant_edge.UpdateOperation.upsert_points([_point(point) for point in batch]))

    def flush(self) -> None:
        """Return once everything written is safe from a power cut."""
        with translated(self._path):
            self._shard.flush()

    def fetch(self, asset_ids: Collection[str]) -> list[IndexedPiece]:
        """All pieces of the assets, vectors included (dense ones of length 1), in order of asset and `Piece.index`."""
        found = (record for group in points.groups(asset_ids) for record in self._scroll(Field.ASSET, group))
        return points.in_order(_with_vectors(record, self._schema) for record in found)

    def delete_assets(self, asset_ids: Collection[str]) -> None:
        """Remove every piece of the assets; unknown ids are harmless."""
        import qdrant_edge

        for group in points.groups(asset_ids):
            edge_files.require_room(self._path, 0)
            condition = _filter((points.assets(group),))
            assert condition is not None
            with translated(self._path):
                self._shard.update(qdrant_edge.UpdateOperation.delete_points_by_filter(condition))
