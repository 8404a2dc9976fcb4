"""BM25 as sparse vectors (Robertson and Zaragoza 2009), the same on every store.

A stored piece carries the saturated frequency of each of its terms; a question carries the weight of each of its
terms; the store multiplies by the inverse document frequency, which it alone knows.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from haystack_agent.text.terms import weighted
from haystack_agent.vectors import SparseVector

__all__ = ["SparseVector", "encode_passage", "encode_query", "term_index"]

K1 = 1.2
B = 0.6
AVERAGE_LENGTH = 220.0
"""Assumed mean of the summed term weights of a piece: fixed, so that a stored weight never becomes stale."""


def encode_passage(text: str, context: str = "", context_weight: float = 0.5) -> SparseVector:
    """The BM25 weights of a piece: its own text, and its context (title, headings, names) counted less."""
    frequencies = weighted(text)
    length = sum(frequencies.values())
    for term, frequency in weighted(context).items():
        frequencies[term] = frequencies.get(term, 0.0) + context_weight * frequency
    norm = K1 * (1 - B + B * length / AVERAGE_LENGTH)
    return _vector({term: frequency * (K1 + 1) / (frequency + norm) for term, frequency in frequencies.items()})


def encode_query(weights: Mapping[str, float]) -> SparseVector:
    """The vector of a question's terms with their weights."""
    return _vector(weights)


def term_index(term: str) -> int:
    """The 32-bit number that stands for a term in every sparse vector."""
    return zlib.crc32(term.encode("utf-8", "surrogatepass"))


def _vector(weights: Mapping[str, float]) -> SparseVector:
    summed: dict[int, float] = {}
    for term, weight in weights.items():
        index = term_index(term)
        summed[index] = summed.get(index, 0.0) + weight
    indices = tuple(sorted(summed))
    return SparseVector(indices, tuple(summed[index] for index in indices))
