"""The channel of what pieces look like: pages, pictures and segments, in the common space of pictures and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from haystack_agent.encoders.bundle import Sight
from haystack_agent.records import Filters, Piece, PieceKind
from haystack_agent.retrieval.channels.cohort import COHORT, Cohort, Likeness
from haystack_agent.retrieval.query import Query, Weighted
from haystack_agent.store.hit import Hit
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import VectorName
from haystack_agent.vectors import FloatArray

LOOKS = frozenset({PieceKind.PAGE, PieceKind.IMAGE, PieceKind.SEGMENT})
"""Pieces whose vector is that of their pixels, where they have any: beside texts, whose scores are higher, none of
them came up."""


class UclipChannel:
    """See `Channel`."""

    name = VectorName.UCLIP
    reads = False

    def __init__(self, store: Store, sight: Sight, weight: float, likeness: Likeness) -> None:
        self._store = store
        self._sight = sight
        self._weight = weight
        self._likeness = likeness

    def encode(self, query: Query) -> FloatArray | None:
        """Where to look: at the question's meaning, drawn towards a picture, or at a picture alone."""
        meaning = query.dense(VectorName.TEXT)
        if meaning is None:
            return query.picture.vector if query.picture else None
        aim: FloatArray = self._sight.of_texts([query.text], meaning[None])[0]
        return self._between(aim, query.picture) if query.picture else aim

    def _between(self, aim: FloatArray, picture: Weighted) -> FloatArray:
        # Cosines with a picture spread wider than those with a text: without this it would drown the text.
        own, its = (self._cohort.deviation(vector) for vector in (aim, picture.vector))
        drawn: FloatArray = (1 - picture.weight) * aim / own + picture.weight * picture.vector / its
        drawn /= max(float(np.linalg.norm(drawn)), 1e-12)
        return drawn

    def search(self, query: Query, limit: int, filters: Filters) -> list[Hit]:
        """See `Channel.search`."""
        vector = query.dense(self.name)
        kinds = filters.kinds & LOOKS if filters.kinds else LOOKS
        if vector is None or not kinds:
            return []
        return self._store.search_dense(self.name, vector, limit, replace(filters, kinds=kinds))

    def shares(self, query: Query, hits: Sequence[Hit]) -> list[float]:
        """See `Channel.shares`."""
        vector = query.dense(self.name)
        scores = [] if vector is None else self._cohort.z_scores(vector, hits)
        return [self._weight * self._likeness(score) for score in scores]

    def words(self, query: Query, pieces: Sequence[Piece]) -> tuple[str, ...]:
        """None: it does not go by words."""
        del query, pieces
        return ()

    @cached_property
    def _cohort(self) -> Cohort:
        return Cohort(self._store.sample(self.name, COHORT, Filters(kinds=LOOKS)))
