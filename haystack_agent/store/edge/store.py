"""The embedded store: a Qdrant Edge shard in a folder, for one process at a time.

Every write is logged before it is acknowledged, so that a killed process loses nothing acknowledged; `flush` also
guards against a power cut. The engine maps its files into memory: on a full disk a write would end the process by a
signal, so room is made sure of before each one. A store must not be used after a fork: calls would hang.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import qdrant_edge

from haystack_agent.errors import IndexUnusable, StorageFull
from haystack_agent.index_lock import IndexLock, hold
from haystack_agent.records import Filters
from haystack_agent.store import points, validate
from haystack_agent.store.edge import convert as edge_convert
from haystack_agent.store.edge import files as edge_files
from haystack_agent.store.edge import shard_copy
from haystack_agent.store.edge.files import translated
from haystack_agent.store.hit import Hit
from haystack_agent.store.packing import unescape
from haystack_agent.store.schema import INTEGER_FIELDS, KEYWORD_FIELDS, AnyOf, Field, Payload, conditions_of
from haystack_agent.store.values import IndexedPiece, Sample, StoreSchema, VectorName
from haystack_agent.system.private_files import make_folder
from haystack_agent.vectors import FloatArray, SparseVector

_POINTS_A_WRITE = 500
_BYTES_A_WRITE = 8 * 2**20
_POINTS_A_PAGE = 500


class EdgeStore:
    """A `Store` in a folder of this machine; made by `open`."""

    def __init__(
        self, shard: qdrant_edge.EdgeShard, path: Path, schema: StoreSchema, let_go: Callable[[], None]
    ) -> None:
        self._opened: qdrant_edge.EdgeShard | None = shard
        self._let_go = let_go
        self._path = path
        self._schema = schema
        self._process = os.getpid()

    @classmethod
    def open(cls, path: Path, schema: StoreSchema, create: bool = True) -> EdgeStore:
        """Open the shard in the folder `path`, or make it where there is none and `create` is true.

        Raises:
            IndexNotFound: there is none, and `create` is false.
            IndexBusy: another process, or this one, has it open.
            IndexMismatch: its vectors are others than those of `schema`.
            IndexDamaged: its files cannot be read, or pieces are missing.
            StorageFull: too little room to make it or to open it safely.
            IndexUnusable: it may not be read or written.
        """
        validate.check_schema(schema)
        if edge_files.is_missing(path):
            edge_files.refuse_missing(path, create)
        # The engine has a lock of its own, but takes it late: a second load is refused only after it has repaired the
        # journals of the first one's vectors, whose next flush then fails as if its files were damaged (0.9.0).
        lock = _lock(path)
        try:
            if edge_files.is_missing(path):
                edge_files.require_room(path, reserve=edge_files.TO_CREATE)
                _create(path, schema)
            edge_files.require_room(path)
            edge_files.check_files(path, schema)
            return cls(_load(path, schema), path, schema, lock.release)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open_to_read(cls, path: Path, schema: StoreSchema) -> EdgeStore:
        """Open the shard in the folder `path` to search it; where nothing can be written there, a copy of it.

        Raises what `open` raises.
        """
        if edge_files.is_missing(path):
            edge_files.refuse_missing(path, create=False)
        if edge_files.may_be_written(path):
            try:
                return cls.open(path, schema, create=False)
            except StorageFull:
                pass
        return cls._open_copy(path, schema)

    @staticmethod
    def remove(path: Path) -> None:
        """Remove the shard in the folder `path`; harmless where there is none.

        Raises:
            IndexBusy: a process has it open.
            IndexUnusable: it cannot be removed.
        """
        lock = _lock(path)
        try:
            with translated(path):
                if path.exists():
                    shutil.rmtree(path)
        finally:
            lock.release()

    @classmethod
    def _open_copy(cls, path: Path, schema: StoreSchema) -> EdgeStore:
        lock = _lock_to_read(path)
        try:
            edge_files.check_files(path, schema)
            copied = shard_copy.make(path, edge_files.TO_OPEN)
        finally:
            if lock is not None:
                lock.release()

        try:
            return cls(_load(copied, schema), copied, schema, lambda: shard_copy.remove(copied))
        except BaseException:
            shard_copy.remove(copied)
            raise

    @property
    def _shard(self) -> qdrant_edge.EdgeShard:
        if self._opened is None:
            raise ValueError(f"the store at {self._path} is closed")
        if self._process != os.getpid():
            raise RuntimeError("a store cannot be used after a fork: open it in the process that uses it")
        return self._opened

    def upsert(self, pieces: Sequence[IndexedPiece]) -> None:
        """Write pieces, replacing those with the same ids; no kill of the process loses them once this returns.

        Raises:
            ValueError: a piece has an unknown vector, a wrong length, NaN, or the like; nothing was written.
            StorageFull: no room; what was written before stays.
        """
        shard = self._shard
        validate.check_pieces(pieces, self._schema)
        for batch in points.batches(pieces, _POINTS_A_WRITE, _BYTES_A_WRITE):
            edge_files.require_room(self._path, sum(point.size for point in batch))
            with translated(self._path):
                shard.update(edge_convert.upsert(batch))

    def flush(self) -> None:
        """Return once everything written is safe from a power cut."""
        shard = self._shard
        with translated(self._path):
            shard.flush()

    def fetch(self, asset_ids: Collection[str]) -> list[IndexedPiece]:
        """All pieces of the assets in order of asset and `Piece.index`, vectors included (dense ones of length 1)."""
        records = (record for condition in points.asset_conditions(asset_ids) for record in self._scroll(condition))
        return points.in_order(edge_convert.stored_piece(record, self._schema) for record in records)

    def delete_assets(self, asset_ids: Collection[str]) -> None:
        """Remove every piece of the assets; unknown ids are harmless."""
        shard = self._shard
        for condition in points.asset_conditions(asset_ids):
            edge_files.require_room(self._path)
            with translated(self._path):
                shard.update(edge_convert.delete(condition))

    def search_dense(self, name: VectorName, vector: FloatArray, limit: int, filters: Filters = Filters()) -> list[Hit]:
        """The pieces with the highest cosine similarity, best first; equal scores in order of the piece's id.

        Raises:
            ValueError: no such vector here, another length, NaN.
        """
        validate.check_dense(name, vector, self._schema)
        return self._search(qdrant_edge.Query.Nearest(vector.tolist(), using=name.value), limit, filters)

    def search_sparse(self, vector: SparseVector, limit: int, filters: Filters = Filters()) -> list[Hit]:
        """The pieces with the highest BM25 score, best first; pieces with none of the terms are not found.

        Raises:
            ValueError: indices not ascending and distinct, weights not finite.
        """
        validate.check_sparse(vector)
        query = qdrant_edge.Query.Nearest(edge_convert.sparse(vector), using=VectorName.BM25.value)
        return self._search(query, limit, filters) if vector.indices else []

    def best_scores(self, terms: Sequence[int]) -> list[float]:
        """The best score that a search for each term alone gives; 0 where no piece has it."""
        shard = self._shard
        requests = [edge_convert.best_of(term) for term in terms]
        with translated(self._path):
            found = shard.query_batch(qdrant_edge.QueryBatchRequest(requests)) if requests else []
        return [holders[0].score if holders else 0.0 for holders in found]

    def sample(self, name: VectorName, limit: int, filters: Filters = Filters()) -> Sample:
        """Vectors of at most `limit` of the first pieces in order of their ids, which is as good as any order."""
        request = edge_convert.vectors_only(name, conditions_of(filters), limit)
        shard = self._shard
        with translated(self._path):
            records, _ = shard.scroll(request)
        found = ((str(record.id), cast("dict[str, Any]", record.vector or {}).get(name.value)) for record in records)
        return points.sample_of(found, dict(self._schema.dense)[name])

    def count(self, filters: Filters = Filters()) -> int:
        """Number of pieces that meet the filters, exact."""
        shard = self._shard
        with translated(self._path):
            return _count(shard, edge_convert.filter_of(conditions_of(filters)))

    def asset_ids(self) -> Iterator[str]:
        """Id of every asset with at least one piece, each once, in no order."""
        request = qdrant_edge.FacetRequest(Field.ASSET.value, limit=max(1, self.count()), exact=True)
        shard = self._shard
        with translated(self._path):
            found = [(str(hit.value), hit.count) for hit in shard.facet(request).hits]
        # An asset that was removed is still listed, with no points.
        return (unescape(value) for value, count in found if count)

    def close(self) -> None:
        """Flush and let go of the index; calling it twice is harmless."""
        if self._opened is None:
            return
        shard, path = self._shard, self._path
        self._opened = None
        with translated(path):
            try:
                shard.flush()
                edge_files.mark_closed(path, _count(shard, None))
            finally:
                try:
                    shard.close()
                finally:
                    self._let_go()

    def _search(self, query: qdrant_edge.Query, limit: int, filters: Filters) -> list[Hit]:
        shard = self._shard
        which = edge_convert.filter_of(conditions_of(filters))
        with translated(self._path):
            # Counting what a filter leaves takes a while, and in a small index it would change nothing.
            exact = shard.info().points_count <= points.EXACT_UP_TO or _count(shard, which) <= points.EXACT_UP_TO
        return points.best_hits(_EdgeRanking(shard, self._path, query, which, exact), limit)

    def _scroll(self, condition: AnyOf) -> Iterator[qdrant_edge.Record]:
        shard = self._shard
        offset: qdrant_edge.PointId | None = None
        while True:
            request = edge_convert.page(condition, offset, _POINTS_A_PAGE)
            with translated(self._path):
                records, offset = shard.scroll(request)
            yield from records
            if offset is None:
                return


@dataclass(frozen=True, slots=True)
class _EdgeRanking:
    shard: qdrant_edge.EdgeShard
    path: Path
    query: qdrant_edge.Query
    which: qdrant_edge.Filter | None
    exact: bool

    def best(self, number: int) -> list[points.ScoredPoint]:
        return self._ask(number, edge_convert.WITHOUT_DERIVED)

    def best_ids(self, number: int) -> list[points.ScoredPoint]:
        return self._ask(number, False)

    def payloads(self, ids: Sequence[str]) -> dict[str, Payload]:
        with translated(self.path):
            records = self.shard.retrieve(list(ids), edge_convert.WITHOUT_DERIVED, False)
            return {str(record.id): record.payload or {} for record in records}

    def _ask(self, number: int, payload: qdrant_edge.WithPayloadType) -> list[points.ScoredPoint]:
        request = qdrant_edge.QueryRequest(
            limit=number,
            query=self.query,
            filter=self.which,
            params=qdrant_edge.SearchParams(exact=self.exact),
            with_payload=payload,
        )
        with translated(self.path):
            found = self.shard.query(request)
            return [points.ScoredPoint(point.score, str(point.id), point.payload or {}) for point in found]


def _count(shard: qdrant_edge.EdgeShard, which: qdrant_edge.Filter | None) -> int:
    return shard.count(qdrant_edge.CountRequest(exact=True, filter=which))


def _lock(path: Path) -> IndexLock:
    return hold(path.with_name(f"{path.name}.lock"))


def _lock_to_read(path: Path) -> IndexLock | None:
    """The lock, or ``None`` where nobody can write and so nobody can hold it."""
    try:
        return _lock(path)
    except IndexUnusable:
        if edge_files.may_be_written(path):
            raise
        return None


def _create(path: Path, schema: StoreSchema) -> None:
    """Make the shard beside its place and move it there, so that there is a whole one or none."""
    with translated(path):
        make_folder(path.parent)
        draft = Path(tempfile.mkdtemp(prefix=f"{path.name}.new-", dir=path.parent))
        try:
            shard = qdrant_edge.EdgeShard.create(str(draft), edge_convert.config(schema))
            _add_indexes(shard)
            shard.flush()
            shard.close()
            draft.rename(path)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise


def _load(path: Path, schema: StoreSchema) -> qdrant_edge.EdgeShard:
    closed = edge_files.read_closed(path)
    with translated(path):
        shard = qdrant_edge.EdgeShard.load(str(path), edge_convert.config(schema))
        try:
            edge_files.check_count(path, closed, _count(shard, None))
            edge_files.mark_open(path)
            _add_indexes(shard)
        except BaseException:
            shard.close()
            raise
    return shard


def _add_indexes(shard: qdrant_edge.EdgeShard) -> None:
    kinds = qdrant_edge.PayloadSchemaType
    wanted = dict.fromkeys(KEYWORD_FIELDS, kinds.Keyword) | dict.fromkeys(INTEGER_FIELDS, kinds.Integer)
    there = cast("dict[str, object]", shard.info().payload_schema)
    for field, kind in wanted.items():
        if field.value not in there:
            shard.update(qdrant_edge.UpdateOperation.create_field_index(field.value, kind))
