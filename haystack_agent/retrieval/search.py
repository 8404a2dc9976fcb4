"""Search: a question to ranked evidence."""

from __future__ import annotations

from dataclasses import replace

from haystack_agent.encoders import bm25
from haystack_agent.encoders.protocols import TextEncoder
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.records import Evidence, Filters, Piece
from haystack_agent.retrieval.fusion import Weights, fuse
from haystack_agent.retrieval.plan import Plan, make_plan
from haystack_agent.store.protocol import Store, VectorName
from haystack_agent.text.fold import fold
from haystack_agent.text.terms import STEM_LENGTH

PREFETCH = 60
"""Hits taken from each vector: beyond, none was seen to reach the first ten places."""


class Searcher:
    """Finds evidence in one store with one set of encoders."""

    def __init__(self, store: Store, encoder: TextEncoder, lexicon: Lexicon, weights: Weights = Weights()) -> None:
        self._store = store
        self._encoder = encoder
        self._lexicon = lexicon
        self._weights = weights

    def plan(self, question: str) -> Plan:
        """What will be asked for a question."""
        return make_plan(question, self._lexicon)

    def importance(self, plan: Plan) -> dict[str, float]:
        """Weight of each term of the question, larger for rarer ones, as far as the index tells.

        A term's best BM25 score is its weight times its inverse document frequency; a term that stands nowhere counts
        as much as the rarest that does.
        """
        best: dict[str, float] = {}
        for term, weight in plan.terms.items():
            hits = self._store.search_sparse(bm25.encode_query({term: weight}), 1)
            best[term] = hits[0].score if hits else 0.0
        rarest = max((best[term] / weight for term, weight in plan.terms.items()), default=0.0) or 1.0
        return {term: best[term] or rarest * weight for term, weight in plan.terms.items()}

    def search(self, plan: Plan, top_k: int, filters: Filters = Filters()) -> list[Evidence]:
        """The `top_k` best places, best first."""
        limit = max(PREFETCH, 3 * top_k)
        sparse = self._store.search_sparse(bm25.encode_query(plan.terms), limit, filters) if plan.terms else []
        vector = self._encoder.encode_query(plan.dense_text)
        dense = self._store.search_dense(VectorName.TEXT, vector, limit, filters)
        ranked = fuse(sparse, dense, plan.modalities, self._weights, foreign=not plan.english)
        return [_with_words(evidence, plan) for evidence in ranked[:top_k]]


def _with_words(evidence: Evidence, plan: Plan) -> Evidence:
    """Say which of the question's words, or their translations, stand in the evidence."""
    words = matched_words(plan, (evidence.piece, *evidence.neighbours))
    matches = tuple(replace(m, words=words) if m.vector == VectorName.BM25 else m for m in evidence.matches)
    return replace(evidence, matches=matches)


def matched_words(plan: Plan, pieces: tuple[Piece, ...]) -> tuple[str, ...]:
    """Words of the question (by themselves or by their stem) and of its translation that stand in the pieces."""
    folded = fold(" ".join(f"{piece.text} {piece.heading} {piece.meta.title}" for piece in pieces))
    own = [word for word in plan.words if word[:STEM_LENGTH] in folded]
    meanings = [meaning for gloss in plan.glosses for meaning in gloss.words[:1] if meaning in folded]
    return tuple(dict.fromkeys((*own, *meanings)))
