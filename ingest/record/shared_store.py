"""A store that several threads use: its calls take turns."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence

from haystack_agent.records import Filters
from haystack_agent.store.hit import Hit
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import IndexedPiece, Sample, VectorName
from haystack_agent.vectors import FloatArray, SparseVector

_WRITTEN_AT_ONCE = 16
"""Pieces: searches may go between two such writes."""


class SharedStore:
    """A `Store` around another one; the contract of each method is that of `Store`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = threading.Lock()

    def upsert(self, pieces: Sequence[IndexedPiece]) -> None:
        """See `Store`; a search may already find the first pieces while the last are not written."""
        for start in range(0, len(pieces), _WRITTEN_AT_ONCE):
            with self._turn:
                self._store.upsert(pieces[start : start + _WRITTEN_AT_ONCE])

    def flush(self) -> None:
        """See `Store`."""
        with self._turn:
            self._store.flush()

    def fetch(self, asset_ids: Collection[str]) -> list[IndexedPiece]:
        """See `Store`."""
        with self._turn:
            return self._store.fetch(asset_ids)

    def delete_assets(self, asset_ids: Collection[str]) -> None:
        """See `Store`."""
        with self._turn:
            self._store.delete_assets(asset_ids)

    def search_dense(self, name: VectorName, vector: FloatArray, limit: int, filters: Filters = Filters()) -> list[Hit]:
        """See `Store`."""
        with self._turn:
            return self._store.search_dense(name, vector, limit, filters)

    def search_sparse(self, vector: SparseVector, limit: int, filters: Filters = Filters()) -> list[Hit]:
        """See `Store`."""
        with self._turn:
            return self._store.search_sparse(vector, limit, filters)

    def best_scores(self, terms: Sequence[int]) -> list[float]:
        """See `Store`."""
        with self._turn:
            return self._store.best_scores(terms)

    def sample(self, name: VectorName, limit: int, filters: Filters = Filters()) -> Sample:
        """See `Store`."""
        with self._turn:
            return self._store.sample(name, limit, filters)

    def count(self, filters: Filters = Filters()) -> int:
        """See `Store`."""
        with self._turn:
            return self._store.count(filters)

    def asset_ids(self) -> Iterator[str]:
        """See `Store`."""
        with self._turn:
            return iter(list(self._store.asset_ids()))

    def close(self) -> None:
        """See `Store`."""
        with self._turn:
            self._store.close()
