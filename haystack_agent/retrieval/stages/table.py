"""The table of stages: what is done with places, in which order, before the best of them are cut off and shown."""

from __future__ import annotations

from typing import Protocol

from haystack_agent.retrieval.query import Query
from haystack_agent.retrieval.stages.candidates import Candidate
from haystack_agent.retrieval.stages.prefer import Prefer
from haystack_agent.retrieval.stages.spread import Spread
from haystack_agent.retrieval.weights import Weights


class Stage(Protocol):
    """Changes scores, and so the order."""

    def __call__(self, query: Query, candidates: list[Candidate]) -> list[Candidate]:
        """The candidates, best first: as they come, but for the first stage, which sorts them."""


def stages_of(weights: Weights) -> tuple[Stage, ...]:
    """The stages of a search; one that reranks by reading the best candidates belongs before `Spread`."""
    return Prefer(weights), Spread(weights.repetition)
