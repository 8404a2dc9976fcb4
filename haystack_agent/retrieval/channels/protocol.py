"""What a channel must offer: one vector of the pieces, asked for one question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from haystack_agent.records import Filters, Piece
from haystack_agent.retrieval.query import Query, Vector
from haystack_agent.store.hit import Hit
from haystack_agent.store.values import VectorName


class Channel(Protocol):
    """One vector, from a question to hits and what they are worth beside those of other channels."""

    @property
    def name(self) -> VectorName:
        """The vector's name in the store."""

    @property
    def reads(self) -> bool:
        """Whether it finds pieces by their text, of which pictures and clips have little."""

    def encode(self, query: Query) -> Vector | None:
        """The question's vector; `query.vectors` has those of the channels before. ``None``: nothing to ask for."""

    def search(self, query: Query, limit: int, filters: Filters) -> list[Hit]:
        """The best pieces for the question's vector, best first."""

    def shares(self, query: Query, hits: Sequence[Hit]) -> list[float]:
        """What each of the hits of a search, best first, is worth: these are added up over all channels."""

    def words(self, query: Query, pieces: Sequence[Piece]) -> tuple[str, ...]:
        """The words for which it found pieces, where it goes by words."""
