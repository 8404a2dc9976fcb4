"""Search: a question to ranked evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from haystack_agent.encoders import bm25
from haystack_agent.encoders.bundle import Encoders
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.media import MEDIA
from haystack_agent.records import Evidence, Filters, Piece, PieceKind
from haystack_agent.retrieval.cohort import Cohort
from haystack_agent.retrieval.fusion import Hits, Signs, Weights, fuse
from haystack_agent.retrieval.plan import Plan, make_plan
from haystack_agent.retrieval.scene import SceneJudge
from haystack_agent.store.hit import Hit
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import VectorName
from haystack_agent.text.fold import fold
from haystack_agent.text.terms import STEM_LENGTH, terms
from haystack_agent.vectors import FloatArray

PREFETCH = 60
"""Hits taken from each vector: beyond, none was seen to reach the first ten places."""

_UNCERTAIN = 0.4
_LEAST_TRUST = 0.2
_COHORT = 512
LOOKS = frozenset({PieceKind.PAGE, PieceKind.IMAGE, PieceKind.SEGMENT})
"""Pieces whose `uclip` vector is that of their pixels, where they have any."""
_PIXELS = frozenset(medium.modality for medium in MEDIA if medium.has_pixels)


@dataclass(frozen=True, slots=True)
class Weighted:
    """A picture as a part of a question: its vector in the common space, and its share from 0 to 1."""

    vector: FloatArray
    weight: float


class Searcher:
    """Finds evidence in one store with one set of encoders."""

    def __init__(self, store: Store, encoders: Encoders, lexicon: Lexicon, weights: Weights = Weights()) -> None:
        self._store = store
        self._encoders = encoders
        self._lexicon = lexicon
        self._weights = weights
        self._scene = SceneJudge(encoders.text)

    def plan(self, question: str) -> Plan:
        """What will be asked for a question."""
        return make_plan(question, self._lexicon)

    def importance(self, plan: Plan) -> tuple[float, ...]:
        """Weight of each concept of the question, larger for rarer ones, as far as the index tells.

        A term's best BM25 score is proportional to its inverse document frequency. A concept that stands nowhere counts
        as much as the rarest that does or, where it may be put in other words, a part of that.
        """
        best = [max((self._best_score(term) for term, _ in one.credits), default=0.0) for one in plan.concepts]
        rarest = max(best, default=0.0) or 1.0
        unseen = [rarest if one.certain else _UNCERTAIN * rarest for one in plan.concepts]
        return tuple(
            one.focus * (score or absent) for one, score, absent in zip(plan.concepts, best, unseen, strict=True)
        )

    def _best_score(self, term: str) -> float:
        hits = self._store.search_sparse(bm25.encode_query({term: 1.0}), 1)
        return hits[0].score if hits else 0.0

    def by_one(self, vector: VectorName, plan: Plan, limit: int) -> list[Hit]:
        """The best pieces by one vector alone: the question's own words and meaning, no translation, no fusion."""
        if vector is VectorName.BM25:
            own = {term.text: term.weight for term in terms(plan.question)}
            return self._store.search_sparse(bm25.encode_query(own), limit)
        aim = self._encoders.text.encode_query(plan.question)
        if vector is VectorName.UCLIP:
            seen = self._aim(plan.question, aim, None)
            return [] if seen is None else self._store.search_dense(vector, seen, limit)
        return self._store.search_dense(vector, aim, limit)

    def like(self, picture: FloatArray, top_k: int, filters: Filters = Filters()) -> list[Evidence]:
        """The `top_k` places that look most like a picture given as a vector of the common space."""
        seen = self._seen(picture, max(PREFETCH, 3 * top_k), filters)
        return fuse(Hits(uclip=self._looks.standings(picture, seen)), Signs(), self._weights, top_k)

    def search(
        self, plan: Plan, top_k: int, filters: Filters = Filters(), picture: Weighted | None = None
    ) -> list[Evidence]:
        """The `top_k` best places, best first; with a picture, what it shows is a part of what is looked for."""
        limit = max(PREFETCH, 3 * top_k)
        sparse = self._store.search_sparse(bm25.encode_query(plan.terms), limit, filters) if plan.terms else []
        text = plan.question if self._encoders.multilingual else plan.dense_text
        vector = self._encoders.text.encode_query(text)
        dense = self._store.search_dense(VectorName.TEXT, vector, limit, filters)
        scene = self._scene(vector)
        wanted = plan.modalities or (_PIXELS if scene > 0 else frozenset())
        if wanted and not filters.modalities:
            # Pictures and clips have little text: among long pages they would not come up at all.
            named = replace(filters, modalities=wanted)
            sparse = _joined(sparse, self._store.search_sparse(bm25.encode_query(plan.terms), PREFETCH, named))
            dense = _joined(dense, self._store.search_dense(VectorName.TEXT, vector, PREFETCH, named))
        aim = self._aim(text, vector, picture)
        seen = self._seen(aim, limit, filters)
        known = self._texts.standings(vector, dense)
        hits = Hits(sparse, known, self._looks.standings(aim, seen) if aim is not None else ())
        return [
            _with_words(evidence, plan) for evidence in fuse(hits, self._signs(plan, hits, scene), self._weights, top_k)
        ]

    def _signs(self, plan: Plan, hits: Hits, scene: float) -> Signs:
        known = plan.english or self._encoders.multilingual
        return Signs(known, _trust(plan, hits.bm25), plan.modalities, scene, plan.wording)

    def _aim(self, text: str, vector: FloatArray, picture: Weighted | None) -> FloatArray | None:
        """Where to look in the common space: at the question's vector, drawn towards that of a picture."""
        sight = self._encoders.sight
        if sight is None:
            return None
        aim: FloatArray = sight.of_texts([text], vector[None])[0]
        if picture is not None:
            # Cosines with a picture spread wider than those with a text: without this it would drown the text.
            own, its = (self._looks.deviation(vector) for vector in (aim, picture.vector))
            aim = (1 - picture.weight) * aim / own + picture.weight * picture.vector / its
            aim /= max(float(np.linalg.norm(aim)), 1e-12)
        return aim

    @cached_property
    def _looks(self) -> Cohort:
        return Cohort(self._store.sample(VectorName.UCLIP, _COHORT, Filters(kinds=LOOKS)))

    @cached_property
    def _texts(self) -> Cohort:
        return Cohort(self._store.sample(VectorName.TEXT, _COHORT))

    def _seen(self, aim: FloatArray | None, limit: int, filters: Filters) -> list[Hit]:
        """Pages, pictures and segments by what they look like: beside texts, whose scores are higher, none came up."""
        if aim is None:
            return []
        kinds = filters.kinds & LOOKS if filters.kinds else LOOKS
        named = replace(filters, kinds=kinds)
        return self._store.search_dense(VectorName.UCLIP, aim, limit, named) if kinds else []


def _trust(plan: Plan, sparse: Sequence[Hit]) -> float:
    """How far the BM25 ranking can be trusted: fully where its best hit has most of the question's words."""
    if not plan.english or not sparse or not plan.words:
        return 1.0
    share = len(matched_words(plan, (sparse[0].indexed.piece,))) / len(plan.words)
    return min(1.0, _LEAST_TRUST + share)


def _joined(hits: list[Hit], more: list[Hit]) -> list[Hit]:
    """Both lists as one, best first, each piece once."""
    by_id = {hit.id: hit for hit in (*hits, *more)}
    return sorted(by_id.values(), key=lambda hit: (-hit.score, hit.id))


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
