"""The channel of exact words: a hit counts as its share of the best score."""

from __future__ import annotations

from collections.abc import Sequence

from haystack_agent.encoders import bm25
from haystack_agent.records import Filters, Piece
from haystack_agent.retrieval.plan import Plan
from haystack_agent.retrieval.query import Query
from haystack_agent.store.hit import Hit
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import VectorName
from haystack_agent.text.fold import fold
from haystack_agent.text.terms import STEM_LENGTH
from haystack_agent.vectors import SparseVector

_LEAST_TRUST = 0.2


class Bm25Channel:
    """See `Channel`."""

    name = VectorName.BM25
    reads = True

    def __init__(self, store: Store, weight: float) -> None:
        self._store = store
        self._weight = weight

    def encode(self, query: Query) -> SparseVector | None:
        """The question's terms and those that translate them; nothing where it has none."""
        return bm25.encode_query(query.plan.terms) if query.plan.terms else None

    def search(self, query: Query, limit: int, filters: Filters) -> list[Hit]:
        """See `Channel.search`."""
        vector = query.sparse(self.name)
        return [] if vector is None else self._store.search_sparse(vector, limit, filters)

    def shares(self, query: Query, hits: Sequence[Hit]) -> list[float]:
        """Shares of the best score, less where even the best hit has few of the question's words."""
        if not hits:
            return []
        weight, best = self._weight * _trust(query.plan, hits), hits[0].score
        return [weight * hit.score / best for hit in hits]

    def words(self, query: Query, pieces: Sequence[Piece]) -> tuple[str, ...]:
        """See `Channel.words`."""
        return matched_words(query.plan, pieces)


def _trust(plan: Plan, hits: Sequence[Hit]) -> float:
    """How far the ranking can be trusted, from 0 to 1: fully where its best hit has most of the question's words."""
    if not plan.english or not plan.words:
        return 1.0
    share = len(matched_words(plan, (hits[0].indexed.piece,))) / len(plan.words)
    return min(1.0, _LEAST_TRUST + share)


def matched_words(plan: Plan, pieces: Sequence[Piece]) -> tuple[str, ...]:
    """Words of the question (by themselves or by their stem) and of its translation that stand in the pieces."""
    folded = fold(" ".join(f"{piece.text} {piece.heading} {piece.meta.title}" for piece in pieces))
    own = [word for word in plan.words if word[:STEM_LENGTH] in folded]
    meanings = [meaning for gloss in plan.glosses for meaning in gloss.words[:1] if meaning in folded]
    return tuple(dict.fromkeys((*own, *meanings)))
