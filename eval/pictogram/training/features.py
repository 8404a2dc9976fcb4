"""What the frozen encoders make of pictures and captions: banks, pivot, pairs, and galleries to measure on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.pictogram.plan import ExperimentPlan
from eval.pictogram.world.captions import caption, distinct_groups, groups, plain_caption
from eval.pictogram.world.concepts import MEASURED, PIVOT
from eval.pictogram.world.pictures import SEEN, UNSEEN, Style, to_images
from eval.pictogram.world.world import Part, World
from haystack_agent.encoders.towers.pictogram import PictogramClip, PictogramText
from haystack_agent.uclip.bank import Bank, build_bank
from haystack_agent.uclip.training import Pivot
from haystack_agent.vectors import FloatArray

_BATCH = 256
_SMALL = 1000
TEST, SEEN_CONCEPTS, VALIDATION = "test", "seen", "validation"
"""Galleries: new concepts in new styles, training concepts in new styles, other new concepts in training's styles."""


@dataclass(frozen=True, slots=True)
class TrainedEncoders:
    """Both encoders, frozen."""

    text: PictogramText
    clip: PictogramClip


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures, shape (n, width), and the caption of each in every language, by either encoder, shape (n, width)."""

    images: FloatArray
    sentences: Mapping[str, FloatArray]
    english_tower: Mapping[str, FloatArray]
    """Captions of whatever language read by CLIP's text tower, which knows only English."""


def make_features(world: World, encoders: TrainedEncoders, plan: ExperimentPlan, folder: Path) -> None:
    """Write everything that heads are trained on and measured with."""
    _make_banks(world, encoders, plan, folder)
    part, drawn = world.training, np.random.default_rng((plan.seed, 3))
    captions = [caption(part.shown(group), PIVOT, drawn) for group in groups(plan.pivot, len(part.concepts), drawn)]
    pivot = {"text": encoders.text.encode_passages(captions), "clip": encoders.clip.encode_texts(captions)}
    _save(folder / "pivot.safetensors", pivot)
    _save(folder / "pairs.safetensors", _pairs(part, encoders, plan, drawn))
    galleries = {
        TEST: (world.test, UNSEEN), SEEN_CONCEPTS: (world.training, UNSEEN), VALIDATION: (world.validation, SEEN)
    }  # fmt: skip
    for name, (some, style) in galleries.items():
        _save(folder / f"{name}.safetensors", _gallery(some, style, encoders, plan))


def open_banks(folder: Path, encoders: TrainedEncoders, small: bool = False) -> tuple[Bank, Bank]:
    """The image bank and the text bank; or the beginnings of both, where all of it would not matter."""
    tail = "-small" if small else ""
    images = Bank.open(folder / f"images{tail}", encoders.clip.fingerprint, encoders.clip.dimension)
    return images, Bank.open(folder / f"texts{tail}", encoders.text.fingerprint, encoders.text.dimension)


def open_pivot(folder: Path, name: str) -> Pivot:
    """``pivot``: English captions by both encoders; ``pairs``: captions of all languages with their pictures."""
    arrays = _load(folder / f"{name}.safetensors")
    return Pivot(arrays["text"], arrays["clip"])


def open_gallery(folder: Path, name: str) -> Gallery:
    """One of the three galleries."""
    arrays = _load(folder / f"{name}.safetensors")
    sides = {
        side: {key.partition(".")[2]: rows for key, rows in arrays.items() if key.startswith(f"{side}.")}
        for side in ("text", "clip")
    }
    return Gallery(arrays["images"], sides["text"], sides["clip"])


def _make_banks(world: World, encoders: TrainedEncoders, plan: ExperimentPlan, folder: Path) -> None:
    part, drawn = world.training, np.random.default_rng((plan.seed, 4))
    shown = groups(plan.image_bank, len(part.concepts), drawn)
    images = np.concatenate(list(_drawn(part, shown, SEEN, encoders.clip, plan.seed + 1)))
    languages = [world.languages[place] for place in drawn.integers(len(world.languages), size=plan.text_bank)]
    said = groups(plan.text_bank, len(part.concepts), drawn)
    phrases = [caption(part.shown(group), one, drawn) for group, one in zip(said, languages, strict=True)]
    texts = encoders.text.encode_passages(phrases)
    for name, rows, encoder in (("images", images, encoders.clip), ("texts", texts, encoders.text)):
        build_bank(folder / name, [rows], encoder.fingerprint, "emoji of the training concepts")
        build_bank(folder / f"{name}-small", [rows[:_SMALL]], encoder.fingerprint, "the first of them")


def _drawn(
    part: Part, shown: Sequence[Sequence[int]], style: Style, clip: PictogramClip, seed: int
) -> Iterator[FloatArray]:
    import torch

    painter = torch.Generator().manual_seed(seed)
    for first in range(0, len(shown), _BATCH):
        yield clip.encode_images(to_images(part.draw(shown[first : first + _BATCH], style, painter)))


def _pairs(
    part: Part, encoders: TrainedEncoders, plan: ExperimentPlan, drawn: np.random.Generator
) -> dict[str, FloatArray]:
    """Pictures with captions in the languages that are measured: what uCLIP does without."""
    shown = groups(plan.pivot, len(part.concepts), drawn)
    languages = [MEASURED[place] for place in drawn.integers(len(MEASURED), size=len(shown))]
    captions = [caption(part.shown(group), one, drawn) for group, one in zip(shown, languages, strict=True)]
    images = np.concatenate(list(_drawn(part, shown, SEEN, encoders.clip, plan.seed + 2)))
    return {"text": encoders.text.encode_passages(captions), "clip": images}


def _gallery(part: Part, style: Style, encoders: TrainedEncoders, plan: ExperimentPlan) -> dict[str, FloatArray]:
    shown = distinct_groups(plan.gallery, len(part.concepts), np.random.default_rng((plan.seed, 5)))
    arrays = {"images": np.concatenate(list(_drawn(part, shown, style, encoders.clip, plan.seed + 3)))}
    for language in (PIVOT, *MEASURED):
        captions = [plain_caption(part.shown(group), language) for group in shown]
        arrays[f"text.{language}"] = encoders.text.encode_passages(captions)
        arrays[f"clip.{language}"] = encoders.clip.encode_texts(captions)
    return arrays


def _save(path: Path, arrays: Mapping[str, FloatArray]) -> None:
    from safetensors.numpy import save_file

    save_file(dict(arrays), path)


def _load(path: Path) -> dict[str, FloatArray]:
    from safetensors.numpy import load_file

    arrays: dict[str, FloatArray] = load_file(path)
    return arrays
