"""Search: a question to ranked evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from haystack_agent import places
from haystack_agent.encoders import bm25
from haystack_agent.encoders.bundle import Encoders
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.media import MEDIA
from haystack_agent.records import Evidence, Filters
from haystack_agent.retrieval.channels.protocol import Channel
from haystack_agent.retrieval.channels.table import channels_of
from haystack_agent.retrieval.plan import Plan, make_plan
from haystack_agent.retrieval.query import Query, Weighted
from haystack_agent.retrieval.scene import SceneJudge
from haystack_agent.retrieval.stages.candidates import Candidate, Ranking, evidence_of, grouped, scored
from haystack_agent.retrieval.stages.table import Stage, stages_of
from haystack_agent.retrieval.weights import Weights
from haystack_agent.store.hit import Hit
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import VectorName
from haystack_agent.text.terms import terms
from haystack_agent.vectors import SparseVector

_UNCERTAIN = 0.4
_PIXELS = frozenset(medium.modality for medium in MEDIA if medium.has_pixels)


class Searcher:
    """Finds evidence in one store with one set of encoders."""

    def __init__(self, store: Store, encoders: Encoders, lexicon: Lexicon, weights: Weights = Weights()) -> None:
        self._store = store
        self._multilingual = encoders.multilingual
        self._lexicon = lexicon
        self._weights = weights
        self._scene = SceneJudge(encoders.text)
        self._channels = channels_of(store, encoders, weights)
        self._stages = stages_of(weights)

    def query(self, question: str, picture: Weighted | None = None) -> Query:
        """What is asked for a question, for a picture, or for both: planned and encoded."""
        plan = make_plan(question, self._lexicon)
        text = plan.question if self._multilingual else plan.dense_text
        query = self._encoded(Query(plan, text, picture, known=plan.english or self._multilingual))
        meaning = query.dense(VectorName.TEXT)
        return query if meaning is None else replace(query, scene=self._scene(meaning))

    def _encoded(self, query: Query) -> Query:
        for channel in self._channels:
            vector = channel.encode(query)
            if vector is not None:
                query = replace(query, vectors={**query.vectors, channel.name: vector})
        return query

    def search(self, query: Query, top_k: int, filters: Filters = Filters()) -> list[Evidence]:
        """The `top_k` best places, best first."""
        rankings = [Ranking(channel, self._hits(channel, query, top_k, filters)) for channel in self._channels]
        candidates = ranked(query, rankings, self._weights, self._stages)
        return [evidence_of(one, query) for one in candidates[:top_k]]

    def _hits(self, channel: Channel, query: Query, top_k: int, filters: Filters) -> list[Hit]:
        hits = channel.search(query, places.hits_for(top_k), filters)
        wanted = query.plan.modalities or (_PIXELS if query.scene > 0 else frozenset())
        if channel.reads and wanted and not filters.modalities:
            # Pictures and clips have little text: among long pages they would not come up at all.
            hits = _joined(hits, channel.search(query, places.HITS, replace(filters, modalities=wanted)))
        return hits

    def by_one(self, name: VectorName, question: str, limit: int) -> list[Hit]:
        """The best pieces by one vector alone: the question's own words and meaning, no translation, no fusion."""
        own = {term.text: term.weight for term in terms(question)}
        query = self._encoded(Query(replace(make_plan(question, self._lexicon), terms=own), question))
        vector = query.vectors.get(name)
        if isinstance(vector, SparseVector):
            return self._store.search_sparse(vector, limit)
        return [] if vector is None else self._store.search_dense(name, vector, limit)

    def importance(self, plan: Plan) -> tuple[float, ...]:
        """Weight of each concept of the question, larger for rarer ones, as far as the index tells.

        A term's best BM25 score is proportional to its inverse document frequency. A concept that stands nowhere counts
        as much as the rarest that does or, where it may be put in other words, a part of that.
        """
        names = list(dict.fromkeys(term for one in plan.concepts for term, _ in one.credits))
        scores = dict(zip(names, self._store.best_scores([bm25.term_index(name) for name in names]), strict=True))
        best = [max((scores[term] for term, _ in one.credits), default=0.0) for one in plan.concepts]
        rarest = max(best, default=0.0) or 1.0
        unseen = [rarest if one.certain else _UNCERTAIN * rarest for one in plan.concepts]
        return tuple(
            one.focus * (score or absent) for one, score, absent in zip(plan.concepts, best, unseen, strict=True)
        )


def ranked(
    query: Query, rankings: Iterable[Ranking], weights: Weights = Weights(), stages: Sequence[Stage] | None = None
) -> list[Candidate]:
    """The places at which pieces were hit, best first."""
    candidates = grouped(scored(query, rankings), weights.neighbours)
    for stage in stages_of(weights) if stages is None else stages:
        candidates = stage(query, candidates)
    return candidates


def _joined(hits: list[Hit], more: list[Hit]) -> list[Hit]:
    """Both lists as one, best first, each piece once."""
    by_id = {hit.id: hit for hit in (*hits, *more)}
    return sorted(by_id.values(), key=lambda hit: (-hit.score, hit.id))
