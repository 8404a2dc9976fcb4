"""The channel of meaning: a hit counts by how far its likeness stands out among other pieces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from haystack_agent.records import Filters, Piece
from haystack_agent.retrieval.channels.cohort import COHORT, Cohort, Likeness
from haystack_agent.retrieval.query import Query
from haystack_agent.store.hit import Hit
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import VectorName
from haystack_agent.vectors import FloatArray, TextEncoder


class TextChannel:
    """See `Channel`."""

    name = VectorName.TEXT
    reads = True

    def __init__(self, store: Store, encoder: TextEncoder, weight: float, foreign: float, likeness: Likeness) -> None:
        """Take what a hit counts, and what it does where the encoder does not know the question's language."""
        self._store = store
        self._encoder = encoder
        self._weight = weight
        self._foreign = foreign
        self._likeness = likeness

    def encode(self, query: Query) -> FloatArray | None:
        """The question's meaning; nothing of a picture alone."""
        return None if query.picture and not query.text else self._encoder.encode_query(query.text)

    def search(self, query: Query, limit: int, filters: Filters) -> list[Hit]:
        """See `Channel.search`."""
        vector = query.dense(self.name)
        return [] if vector is None else self._store.search_dense(self.name, vector, limit, filters)

    def shares(self, query: Query, hits: Sequence[Hit]) -> list[float]:
        """See `Channel.shares`."""
        vector = query.dense(self.name)
        weight = self._weight if query.known else self._foreign
        scores = [] if vector is None else self._cohort.z_scores(vector, hits)
        return [weight * self._likeness(score) for score in scores]

    def words(self, query: Query, pieces: Sequence[Piece]) -> tuple[str, ...]:
        """None: it does not go by words."""
        del query, pieces
        return ()

    @cached_property
    def _cohort(self) -> Cohort:
        return Cohort(self._store.sample(self.name, COHORT))
