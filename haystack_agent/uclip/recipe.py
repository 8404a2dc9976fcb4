"""How heads are trained."""

from __future__ import annotations

from dataclasses import dataclass, field

from haystack_agent.encoders.heads import DIMENSION
from haystack_agent.uclip.loss import LossTerms


@dataclass(frozen=True, slots=True)
class Recipe:
    """The paper's choices unless told otherwise."""

    dimension: int = DIMENSION
    learning_rate: float = 1e-3
    batch: int = 512
    epochs: int = 5
    noise: float = 0.004
    """Variance of the Gaussian noise added to each vector before it is projected."""
    retrieval_temperature: float = 0.01
    terms: LossTerms = field(default_factory=LossTerms)
    seed: int = 0
    patience: int = 3
    """Epochs without a better held-out loss after which training stops."""
    held_out: float = 0.05
    """Share of the captions kept for that."""
    device: str = ""
    """``cpu``, ``cuda`` or ``mps``; empty for the best there is."""
