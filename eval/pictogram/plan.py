"""How large an experiment is: the full one, and a tiny one for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """Numbers of everything."""

    concepts: int | None = None
    """Only so many, the last ones; all where ``None``."""
    every_language: bool = True
    """Or only those that are measured, and English."""
    clip_steps: int = 1000
    clip_batch: int = 256
    clip_words: int = 2048
    """Size of the English tower's vocabulary."""
    text_steps: int = 2500
    text_batch: int = 768
    text_words: int = 16_000
    dimension: int = 96
    """Width of both encoders' vectors: the same, so that they can also be compared without a projector."""
    pivot: int = 40_000
    """English captions, and as many pairs of picture and caption for the supervised heads."""
    image_bank: int = 10_000
    text_bank: int = 20_000
    gallery: int = 500
    common: int = 256
    """Width of the common space."""
    epochs: int = 25
    batch: int = 512
    seed: int = 0


FULL = ExperimentPlan()
QUICK = ExperimentPlan(
    concepts=260, every_language=False, dimension=32, common=32, gallery=40, epochs=2, batch=64,
    clip_steps=12, clip_batch=64, clip_words=600, text_steps=30, text_batch=64, text_words=2500,
    pivot=300, image_bank=300, text_bank=400,
)  # fmt: skip


def towers(plan: ExperimentPlan, words: int) -> Mapping[str, Any]:
    """open_clip's settings: a ResNet, which learns from few pictures what a transformer needs many for."""
    vision = {"layers": (1, 1, 1, 1), "width": 16, "head_width": 64, "image_size": 64}
    text = {"context_length": 20, "vocab_size": words, "width": 96, "heads": 3, "layers": 2}
    return MappingProxyType({"embed_dim": plan.dimension, "vision_cfg": vision, "text_cfg": text})
