"""Recall at 1, 5 and 10: the share of queries whose one right answer is among the first."""

from __future__ import annotations

import numpy as np

from haystack_agent.vectors import FloatArray

CUTS = (1, 5, 10)
TEXT_TO_IMAGE, IMAGE_TO_TEXT = "t2i", "i2t"
MEASURES = tuple(f"{way}@{cut}" for way in (TEXT_TO_IMAGE, IMAGE_TO_TEXT) for cut in CUTS)

Scores = dict[str, float]
"""Measure to value, for one language."""


def recalls(texts: FloatArray, images: FloatArray) -> Scores:
    """All measures for unit vectors of shape (n, width) each, of which row i belongs to row i."""
    similar = texts @ images.T
    scores: Scores = {}
    for way, table in ((TEXT_TO_IMAGE, similar), (IMAGE_TO_TEXT, similar.T)):
        right = np.diagonal(table)[:, None]
        # Equals count half: captions of two pictures may read the same in some language.
        ranks = (table > right).sum(axis=1) + ((table == right).sum(axis=1) - 1) / 2
        scores |= {f"{way}@{cut}": float((ranks < cut).mean()) for cut in CUTS}
    return scores


def mean(scores: list[Scores]) -> Scores:
    """Each measure's mean over languages."""
    return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}
