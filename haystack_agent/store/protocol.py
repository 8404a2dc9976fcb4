"""What a vector store must offer: the same contract for the embedded shard and for a server."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from haystack_agent.records import Filters
from haystack_agent.store.values import IndexedPiece, Sample, VectorName
from haystack_agent.vectors import FloatArray, SparseVector

if TYPE_CHECKING:
    from haystack_agent.store.hit import Hit


class Store(Protocol):
    """A collection of pieces. Every method raises `IndexUnusable` or `StoreUnreachable` errors only."""

    def upsert(self, pieces: Sequence[IndexedPiece]) -> None:
        """Write pieces, replacing those with the same ids; refuse unknown vectors, wrong lengths and NaN."""

    def flush(self) -> None:
        """Return once everything written is safe from a power cut."""

    def fetch(self, asset_ids: Collection[str]) -> list[IndexedPiece]:
        """All pieces of the assets, vectors included, in order of asset and `Piece.index`."""

    def delete_assets(self, asset_ids: Collection[str]) -> None:
        """Remove every piece of the assets; unknown ids are harmless."""

    def search_dense(self, name: VectorName, vector: FloatArray, limit: int, filters: Filters = Filters()) -> list[Hit]:
        """The pieces with the highest cosine similarity, best first."""

    def search_sparse(self, vector: SparseVector, limit: int, filters: Filters = Filters()) -> list[Hit]:
        """The pieces with the highest BM25 score (the store multiplies the query's weights by IDF), best first."""

    def best_scores(self, terms: Sequence[int]) -> list[float]:
        """The best score that a search for each term alone gives, the higher the rarer it is (it is proportional to its
        inverse document frequency); 0 where no piece has it."""

    def sample(self, name: VectorName, limit: int, filters: Filters = Filters()) -> Sample:
        """Vectors of at most `limit` of the first pieces in order of their ids, which is as good as any order."""

    def count(self, filters: Filters = Filters()) -> int:
        """Number of pieces that meet the filters, exact."""

    def asset_ids(self) -> Iterator[str]:
        """Id of every asset with at least one piece, each once, in no order."""

    def close(self) -> None:
        """Flush and let go of the index; calling it twice is harmless."""
