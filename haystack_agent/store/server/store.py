"""The store on a Qdrant server or cluster: the way past one machine.

Writes are acknowledged by the server when they are in its log and applied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from haystack_agent.errors import IndexMismatch
from haystack_agent.records import Filters
from haystack_agent.store import points, validate
from haystack_agent.store.hit import Hit
from haystack_agent.store.packing import unescape
from haystack_agent.store.schema import (
    INTEGER_FIELDS,
    KEYWORD_FIELDS,
    AnyOf,
    Field,
    Payload,
    check_vectors,
    conditions_of,
)
from haystack_agent.store.server import convert as server_convert
from haystack_agent.store.server.connection import check_name, check_url, connect, shown_url
from haystack_agent.store.server.errors import StoreServer
from haystack_agent.store.values import IndexedPiece, Sample, StoreSchema, VectorName
from haystack_agent.vectors import FloatArray, SparseVector

_POINTS_A_REQUEST = 500
_BYTES_A_REQUEST = 8 * 2**20
"""A server takes 32 MB at most by default."""
_POINTS_A_PAGE = 250
_READ_TIMEOUT, _WRITE_TIMEOUT = 10, 60
"""Seconds to wait for an answer: somebody waits for what is read, and a large write may take long."""


class ServerStore:
    """A `Store` in one collection of a server; made by `open`, or by `over` for a client that is there already."""

    def __init__(
        self, client: QdrantClient, server: StoreServer, schema: StoreSchema, writer: QdrantClient | None = None
    ) -> None:
        self._client = client
        self._writer = writer or client
        self._server = server
        self._collection = server.collection
        self._schema = schema

    @classmethod
    def open(
        cls, url: str, api_key: str | None, collection: str, schema: StoreSchema, create: bool = True
    ) -> ServerStore:
        """Connect to the server at `url` (port 6333 unless it names another) and open the collection there.

        Raises:
            UsageError: the URL or the collection's name is malformed, or the key would be sent unencrypted.
            StoreUnreachable: no Qdrant server answers there, or it refuses the key.
            IndexNotFound: it has no such collection, and `create` is false.
            IndexMismatch: the collection has other vectors than `schema`.
        """
        check_url(url, api_key)
        server = StoreServer(shown_url(url), collection, api_key is not None)
        client, writer = (connect(url, api_key, seconds) for seconds in (_READ_TIMEOUT, _WRITE_TIMEOUT))
        store = cls(client, server, schema, writer)
        try:
            store.prepare(create)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def over(cls, client: QdrantClient, collection: str, schema: StoreSchema) -> ServerStore:
        """Use a ready client; the store closes it. Raises what `open` raises."""
        store = cls(client, StoreServer(":memory:", collection), schema)
        store.prepare(create=True)
        return store

    def upsert(self, pieces: Sequence[IndexedPiece]) -> None:
        """Write pieces, replacing those with the same ids.

        Raises:
            ValueError: a piece has an unknown vector, a wrong length, NaN, or the like; nothing was written.
        """
        validate.check_pieces(pieces, self._schema)
        for batch in points.batches(pieces, _POINTS_A_REQUEST, _BYTES_A_REQUEST):
            written = [server_convert.point(point) for point in batch]
            self._server.call(partial(self._writer.upsert, self._collection, written, wait=True))

    def flush(self) -> None:
        """Do nothing: the server has logged each write by when it acknowledges it, and syncs its log by itself."""

    def fetch(self, asset_ids: Collection[str]) -> list[IndexedPiece]:
        """All pieces of the assets in order of asset and `Piece.index`, vectors included (dense ones of length 1)."""
        records = (record for condition in points.asset_conditions(asset_ids) for record in self._scroll(condition))
        return points.in_order(server_convert.stored_piece(record, self._schema) for record in records)

    def delete_assets(self, asset_ids: Collection[str]) -> None:
        """Remove every piece of the assets; unknown ids are harmless."""
        for condition in points.asset_conditions(asset_ids):
            which = models.FilterSelector(filter=server_convert.filter_of((condition,)))
            self._server.call(partial(self._writer.delete, self._collection, which, wait=True))

    def search_dense(self, name: VectorName, vector: FloatArray, limit: int, filters: Filters = Filters()) -> list[Hit]:
        """The pieces with the highest cosine similarity, best first; equal scores in order of the piece's id.

        Raises:
            ValueError: no such vector here, another length, NaN.
        """
        validate.check_dense(name, vector, self._schema)
        return self._search(vector.tolist(), name, limit, filters)

    def search_sparse(self, vector: SparseVector, limit: int, filters: Filters = Filters()) -> list[Hit]:
        """The pieces with the highest BM25 score, best first; pieces with none of the terms are not found.

        Raises:
            ValueError: indices not ascending and distinct, weights not finite.
        """
        validate.check_sparse(vector)
        return self._search(server_convert.sparse(vector), VectorName.BM25, limit, filters) if vector.indices else []

    def best_scores(self, terms: Sequence[int]) -> list[float]:
        """The best score that a search for each term alone gives; 0 where no piece has it."""
        requests = [server_convert.best_of(term) for term in terms]
        ask = partial(self._client.query_batch_points, self._collection, requests)
        found = self._server.call(ask) if requests else []
        return [one.points[0].score if one.points else 0.0 for one in found]

    def sample(self, name: VectorName, limit: int, filters: Filters = Filters()) -> Sample:
        """Vectors of at most `limit` of the first pieces in order of their ids, which is as good as any order."""
        which = server_convert.filter_of(conditions_of(filters))
        records, _ = self._server.call(
            partial(
                self._client.scroll, self._collection, which, limit=limit, with_payload=False, with_vectors=[name.value]
            )
        )
        found = ((str(record.id), cast("dict[str, Any]", record.vector or {}).get(name.value)) for record in records)
        return points.sample_of(found, dict(self._schema.dense)[name])

    def count(self, filters: Filters = Filters()) -> int:
        """Number of pieces that meet the filters, exact."""
        which = server_convert.filter_of(conditions_of(filters))
        return self._server.call(lambda: self._client.count(self._collection, which, exact=True)).count

    def asset_ids(self) -> Iterator[str]:
        """Id of every asset with at least one piece, each once, in no order."""
        limit = max(1, self.count())
        facet = self._server.call(lambda: self._client.facet(self._collection, Field.ASSET, limit=limit, exact=True))
        return (unescape(str(hit.value)) for hit in facet.hits if hit.count)

    def close(self) -> None:
        """Let go of the connections; calling it twice is harmless."""
        self._client.close()
        self._writer.close()

    def _search(
        self, query: list[float] | models.SparseVector, name: VectorName, limit: int, filters: Filters
    ) -> list[Hit]:
        matching = self.count(filters)
        exact = matching <= points.EXACT_UP_TO
        which = server_convert.filter_of(conditions_of(filters))
        ranking = _ServerRanking(self._client, self._server, query, name, which, exact)
        return points.best_hits(ranking, limit) if matching else []

    def _scroll(self, condition: AnyOf) -> Iterator[models.Record]:
        which = server_convert.filter_of((condition,))
        offset: models.ExtendedPointId | None = None
        while True:
            records, offset = self._server.call(
                partial(
                    self._client.scroll,
                    self._collection,
                    which,
                    limit=_POINTS_A_PAGE,
                    offset=offset,
                    with_payload=server_convert.WITHOUT_DERIVED,
                    with_vectors=True,
                )
            )
            yield from records
            if offset is None:
                return

    def prepare(self, create: bool) -> None:
        """See that the collection is there and fits or, with `create`, make what is missing; without, only read.

        Raises what `open` raises.
        """
        validate.check_schema(self._schema)
        check_name(self._collection)
        client, call = self._client, self._server.call
        if not call(lambda: client.collection_exists(self._collection)):
            if not create:
                raise self._server.no_collection()
            call(self._create)
        info = call(lambda: client.get_collection(self._collection))
        self._check(info.config.params)
        if create:
            self._index_fields(info)

    def _index_fields(self, info: models.CollectionInfo) -> None:
        kinds = models.PayloadSchemaType
        wanted = dict.fromkeys(KEYWORD_FIELDS, kinds.KEYWORD) | dict.fromkeys(INTEGER_FIELDS, kinds.INTEGER)
        for field, kind in wanted.items():
            if field.value not in info.payload_schema:
                make = partial(self._writer.create_payload_index, self._collection, field.value, kind, wait=True)
                self._server.call(make)

    def _create(self) -> None:
        vectors, sparse_vectors = server_convert.configs(self._schema)
        try:
            self._writer.create_collection(self._collection, vectors, sparse_vectors_config=sparse_vectors)
        except UnexpectedResponse as error:
            # Another client may have made it since it was looked for, or an attempt that seemed to fail.
            if error.status_code != 409:
                raise

    def _check(self, params: models.CollectionParams) -> None:
        place = f"{self._collection} on {self._server.url}"
        check_vectors(place, server_convert.sizes_of(params), self._schema)
        bm25 = (params.sparse_vectors or {}).get(VectorName.BM25.value)
        if bm25 is None or bm25.modifier is not models.Modifier.IDF:
            raise IndexMismatch(f"The collection {place} has no bm25 vector with IDF: use another collection name.")


@dataclass(frozen=True, slots=True)
class _ServerRanking:
    client: QdrantClient
    server: StoreServer
    query: list[float] | models.SparseVector
    name: VectorName
    which: models.Filter
    exact: bool

    def best(self, number: int) -> list[points.ScoredPoint]:
        return self._ask(number, server_convert.WITHOUT_DERIVED)

    def best_ids(self, number: int) -> list[points.ScoredPoint]:
        return self._ask(number, False)

    def payloads(self, ids: Sequence[str]) -> dict[str, Payload]:
        request = partial(
            self.client.retrieve, self.server.collection, list(ids), with_payload=server_convert.WITHOUT_DERIVED
        )
        return {str(record.id): record.payload or {} for record in self.server.call(request)}

    def _ask(self, number: int, payload: models.PayloadSelectorExclude | bool) -> list[points.ScoredPoint]:
        request = partial(
            self.client.query_points,
            self.server.collection,
            self.query,
            using=self.name.value,
            limit=number,
            query_filter=self.which,
            search_params=models.SearchParams(exact=self.exact),
            with_payload=payload,
        )
        found = self.server.call(request).points
        return [points.ScoredPoint(point.score, str(point.id), point.payload or {}) for point in found]
