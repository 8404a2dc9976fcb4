"""A question as every vector is asked for it: planned once, and encoded once by each encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from haystack_agent.retrieval.plan import Plan
from haystack_agent.store.values import VectorName
from haystack_agent.vectors import FloatArray, SparseVector

Vector = FloatArray | SparseVector


@dataclass(frozen=True, slots=True)
class Weighted:
    """A picture as a part of a question: its vector in the common space, and its share from 0 to 1."""

    vector: FloatArray
    weight: float


@dataclass(frozen=True, slots=True)
class Query:
    """A question, its vectors, and what they tell of it."""

    plan: Plan
    text: str
    """What the encoders read of it: its own words or, for an encoder of English alone, English words for them."""
    picture: Weighted | None = None
    vectors: Mapping[VectorName, Vector] = field(default_factory=dict)
    """One for each channel that has something to ask for."""
    known: bool = True
    """Whether the sentence encoder knows its language."""
    scene: float = 0.0
    """How much it is about something seen, from 0 to 1."""

    def dense(self, name: VectorName) -> FloatArray | None:
        """The dense vector of that name, shape (dimension,)."""
        vector = self.vectors.get(name)
        return None if isinstance(vector, SparseVector) else vector

    def sparse(self, name: VectorName) -> SparseVector | None:
        """The sparse vector of that name."""
        vector = self.vectors.get(name)
        return vector if isinstance(vector, SparseVector) else None
