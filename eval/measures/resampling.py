"""How sure a mean over questions is, and whether two differ: seeded, so that the same values give the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_SAMPLES = 10_000
_SEED = 20_260_101
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the bounds of its 95 % confidence interval."""

    mean: float
    low: float
    high: float


def bootstrap(values: Sequence[float]) -> Interval:
    """Percentile bootstrap (Efron 1979) of the mean over questions; zeros where there are none."""
    if not values:
        return Interval(0.0, 0.0, 0.0)
    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(_SEED)
    means = np.concatenate(
        [data[rng.integers(0, len(data), (_CHUNK, len(data)))].mean(axis=1) for _ in range(_SAMPLES // _CHUNK)]
    )
    low, high = np.percentile(means, (2.5, 97.5))
    return Interval(float(data.mean()), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of b minus a over the same questions, with its interval, and how likely chance alone gives one as large."""

    mean: Interval
    p: float
    questions: int


def compare(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Paired randomisation test (Fisher; Smucker, Allan and Carterette 2007), two-sided, on the mean difference.

    Raises:
        ValueError: the values are not of the same questions.
    """
    differences = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    if len(first) != len(second):
        raise ValueError("paired values must be of the same questions")
    if not len(differences):
        return Difference(Interval(0.0, 0.0, 0.0), 1.0, 0)
    rng = np.random.default_rng(_SEED)
    observed = abs(differences.mean()) - 1e-12
    hits = 0
    for _ in range(_SAMPLES // _CHUNK):
        signs = rng.integers(0, 2, (_CHUNK, len(differences))) * 2 - 1
        hits += int((np.abs((signs * differences).mean(axis=1)) >= observed).sum())
    # The observed assignment is one of them: p is never zero.
    return Difference(bootstrap(differences.tolist()), (hits + 1) / (_SAMPLES + 1), len(differences))
