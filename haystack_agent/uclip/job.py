"""From texts and pictures to banks, and from banks and captions to a projector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from haystack_agent.encoders.projector import ProjectorCard, save_projector
from haystack_agent.uclip.bank import Bank, build_bank
from haystack_agent.uclip.recipe import Recipe
from haystack_agent.uclip.training import EpochEnded, Pivot, Trained, train
from haystack_agent.vectors import PictureEncoder, TextEncoder

if TYPE_CHECKING:
    from PIL.Image import Image

PROJECTOR = "projector.safetensors"
_TEXTS = 256
_PICTURES = 32
"""No more than readers hold ready while the encoder is at work, so that neither waits for the other."""
_Item = TypeVar("_Item")


def text_bank(folder: Path, texts: Iterable[str], encoder: TextEncoder, source: str) -> Bank:
    """Build a bank of texts in any language.

    Raises:
        ModelUnavailable: there is no text.
    """
    vectors = (encoder.encode_passages(batch) for batch in _batches(texts, _TEXTS))
    return build_bank(folder, vectors, encoder.fingerprint, source)


def image_bank(folder: Path, images: Iterable[Image], encoder: PictureEncoder, source: str) -> Bank:
    """Build a bank of pictures.

    Raises:
        ModelUnavailable: there is no picture.
    """
    vectors = (encoder.encode_images(batch) for batch in _batches(images, _PICTURES))
    return build_bank(folder, vectors, encoder.fingerprint, source)


def pivot_of(captions: Sequence[str], text: TextEncoder, clip: PictureEncoder) -> Pivot:
    """English captions as both encoders see them."""
    return Pivot(
        np.concatenate([text.encode_passages(batch) for batch in _batches(captions, _TEXTS)]),
        np.concatenate([clip.encode_texts(batch) for batch in _batches(captions, _TEXTS)]),
    )


def train_projector(
    folder: Path,
    pivot: Pivot,
    banks: tuple[Bank, Bank],
    card: ProjectorCard,
    recipe: Recipe = Recipe(),
    on_epoch: Callable[[EpochEnded], None] | None = None,
) -> Trained:
    """Train heads and write them, with their card and a plot of the loss, to a folder; an interrupted run goes on.

    Raises:
        ModelMismatch, UsageError, ModelUnavailable: see `training.train`.
    """
    trained = train(pivot, banks, recipe, folder, on_epoch)
    scores = {**card.scores, "held-out loss": min(ended.held_out for ended in trained.history)}
    save_projector(folder / PROJECTOR, trained.heads, replace(card, dimension=recipe.dimension, scores=scores))
    plot_losses(folder / "loss.png", trained.history)
    return trained


def plot_losses(path: Path, history: Sequence[EpochEnded]) -> None:
    """Draw the losses of the epochs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    epochs = [ended.epoch for ended in history]
    axes.plot(epochs, [ended.loss for ended in history], marker="o", label="training")
    axes.plot(epochs, [ended.held_out for ended in history], marker="o", label="held-out captions")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.legend()
    figure.savefig(path, dpi=120)


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
