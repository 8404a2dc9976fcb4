"""The stage that knows what the question's own words say of where its answer is: a medium, something seen."""

from __future__ import annotations

from haystack_agent.media import PlaceOf, medium_of
from haystack_agent.retrieval.query import Query
from haystack_agent.retrieval.stages.candidates import Candidate
from haystack_agent.retrieval.weights import Weights
from haystack_agent.store.hit import Header


class Prefer:
    """Adds to the scores of such places."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def __call__(self, query: Query, candidates: list[Candidate]) -> list[Candidate]:
        """See `Stage`."""
        for one in candidates:
            one.score += self._bonus(query, one.glance)
        return sorted(candidates, key=Candidate.key)

    def _bonus(self, query: Query, piece: Header) -> float:
        weights = self._weights
        medium = medium_of(piece.modality)
        if medium.place is PlaceOf.PAGE:
            return weights.first if piece.page == 1 else 0.0
        silent = not medium.has_pixels or (query.plan.wording and not piece.has_text)
        bonus = 0.0 if silent else weights.scene * query.scene
        if piece.modality in query.plan.modalities:
            bonus += weights.video if medium.place is PlaceOf.SECOND else weights.image
        return bonus
