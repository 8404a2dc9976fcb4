"""How much a likeness says, told by comparing it with that of other pieces of the index.

The cosine of a question and the text that answers it is 0.4 in one sentence encoder and 0.9 in another, that of a text
and the picture that shows it 0.3 in one CLIP and 0.1 in another, and both differ from question to question. So a score
is taken as its distance from the scores of a sample of pieces, a cohort, in standard deviations (as the verification of
speakers does: Auckenthaler, Carey and Lloyd-Thomas, "Score normalization for text-independent speaker verification
systems", 2000, T-norm). The best piece found is left out, or else none would stand out among few.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from haystack_agent.store.hit import Hit
from haystack_agent.store.values import Sample
from haystack_agent.vectors import FloatArray

COHORT = 512
"""Pieces in a sample."""
_LEAST_DEVIATION = 0.02
"""Of cosines; less would make much of nothing where all pictures are alike."""
_FEWEST = 3
_BEND, _STRAIGHT = 2.0, 20.0
"""Of the curve that goes from the floor, where it is nearly flat, to a straight line."""

Likeness = Callable[[float], float]
"""What a z-score is worth."""


class Cohort:
    """A sample of the vectors that are searched."""

    def __init__(self, sample: Sample) -> None:
        self._vectors = sample.vectors
        self._places = {identity: place for place, identity in enumerate(sample.ids)}

    def deviation(self, aim: FloatArray) -> float:
        """The standard deviation of the cohort's cosines with a unit vector; 1 where there are too few."""
        scores = self._vectors @ aim
        return max(float(scores.std()), _LEAST_DEVIATION) if len(scores) >= _FEWEST else 1.0

    def z_scores(self, aim: FloatArray, hits: Sequence[Hit]) -> list[float]:
        """How many standard deviations each hit of a search for the unit vector `aim` is above the rest of the cohort.

        Where there are too few others to compare with, the best is one deviation above: no more than chance.
        """
        scores = self._vectors @ aim
        if hits and hits[0].id in self._places:
            scores = np.delete(scores, self._places[hits[0].id])
        if len(scores) < _FEWEST:
            return [1.0 + hit.score - hits[0].score for hit in hits]
        mean, deviation = float(scores.mean()), max(float(scores.std()), _LEAST_DEVIATION)
        return [(hit.score - mean) / deviation for hit in hits]


def likeness(chance: float, certain: float) -> Likeness:
    """From nearly 0 below the z-score of chance over 1 where it is certain; always more for what is more alike."""

    def worth(score: float) -> float:
        above = math.log1p(math.exp(_BEND * min(score - chance, _STRAIGHT))) / _BEND
        above += max(0.0, score - chance - _STRAIGHT)
        return above / (certain - chance)

    return worth
