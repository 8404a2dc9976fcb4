"""Training the heads: captions that both encoders understand are the pivot, no pair is needed.

Everything of a step that does not depend on the heads (features, soft retrieval) is computed once, before the first
epoch; an epoch draws its order and noise from the seed and its own number, so that a resumed run is the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haystack_agent.encoders.devices import pick_device
from haystack_agent.encoders.heads import CLIP, TEXT, make_heads, project
from haystack_agent.errors import ModelMismatch, UsageError
from haystack_agent.uclip.bank import Bank
from haystack_agent.uclip.loss import Projected, uclip_loss
from haystack_agent.uclip.recipe import Recipe
from haystack_agent.uclip.snapshot import Snapshot, load_snapshot, save_snapshot
from haystack_agent.uclip.soft_retrieval import SoftRetriever
from haystack_agent.vectors import FloatArray

if TYPE_CHECKING:
    import torch

_RETRIEVED = 1024


@dataclass(frozen=True, slots=True)
class Pivot:
    """The same captions seen by both encoders, shape (n, width) each, rows of length 1."""

    text: FloatArray
    """By the sentence encoder."""
    clip: FloatArray
    """By the CLIP text tower."""


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """What an epoch came to: mean losses over its batches and over the held-out captions."""

    epoch: int
    loss: float
    held_out: float
    best: bool


@dataclass(frozen=True, slots=True)
class Trained:
    """The heads at their best epoch, in evaluation mode on the CPU, and how they came about."""

    heads: torch.nn.ModuleDict
    history: tuple[EpochEnded, ...]


@dataclass(frozen=True, slots=True)
class _Batch:
    """t, e, v and m of the paper, as tensors on the device."""

    text: torch.Tensor
    clip: torch.Tensor
    pseudo_text: torch.Tensor
    pseudo_image: torch.Tensor

    def rows(self, places: torch.Tensor) -> _Batch:
        return _Batch(self.text[places], self.clip[places], self.pseudo_text[places], self.pseudo_image[places])


def train(
    pivot: Pivot,
    banks: tuple[Bank, Bank],
    recipe: Recipe = Recipe(),
    folder: Path | None = None,
    on_epoch: Callable[[EpochEnded], None] | None = None,
) -> Trained:
    """Train heads on captions, an image bank and a text bank (in this order in `banks`).

    With a `folder`, every epoch is saved there, and a run that was interrupted goes on from the last one.

    Raises:
        ModelMismatch: a bank's width is not that of the encoder of its side, or the folder holds another run.
        UsageError: there are too few captions for a batch.
    """
    _check(pivot, banks, recipe)
    run = _Run(pivot, banks, recipe, folder)
    while run.snapshot.epoch < recipe.epochs and run.snapshot.stale < recipe.patience:
        ended = run.epoch()
        if on_epoch is not None:
            on_epoch(ended)
    return run.result()


def _check(pivot: Pivot, banks: tuple[Bank, Bank], recipe: Recipe) -> None:
    images, texts = banks
    for bank, width, side in ((images, pivot.clip.shape[1], "image"), (texts, pivot.text.shape[1], "text")):
        if bank.card.width != width:
            raise ModelMismatch(
                f"The {side} bank holds vectors of width {bank.card.width}, its encoder makes {width}: "
                "build the bank with the encoder it is to be used with."
            )
    if len(pivot.text) < 2 * recipe.batch:
        raise UsageError(
            f"{len(pivot.text)} captions are too few for batches of {recipe.batch}: give at least twice as many"
        )


class _Run:
    """One training run, resumed if there is something to resume."""

    def __init__(self, pivot: Pivot, banks: tuple[Bank, Bank], recipe: Recipe, folder: Path | None) -> None:
        import torch

        self._recipe = recipe
        self._folder = folder
        self._device = pick_device(recipe.device or None)
        order = np.random.default_rng(recipe.seed).permutation(len(pivot.text))
        held = max(2, round(recipe.held_out * len(order)))
        everything = self._features(pivot, banks)
        self._held_out = everything.rows(torch.from_numpy(order[:held]).to(self._device))
        self._training = everything.rows(torch.from_numpy(order[held:]).to(self._device))
        torch.manual_seed(recipe.seed)
        self._heads = make_heads(pivot.text.shape[1], pivot.clip.shape[1], recipe.dimension).to(self._device)
        self._optimiser = torch.optim.AdamW(self._heads.parameters(), lr=recipe.learning_rate)
        self.snapshot = load_snapshot(folder, recipe, self._heads, self._optimiser) if folder else Snapshot()
        self._best = self.snapshot.best or {name: value.clone() for name, value in self._heads.state_dict().items()}

    def _features(self, pivot: Pivot, banks: tuple[Bank, Bank]) -> _Batch:
        import torch

        text, clip = (
            torch.from_numpy(np.ascontiguousarray(side)).to(self._device) for side in (pivot.text, pivot.clip)
        )
        images, texts = (
            SoftRetriever(bank.vectors, self._recipe.retrieval_temperature, self._device) for bank in banks
        )
        pseudo_text = torch.cat([texts(rows) for rows in torch.split(text, _RETRIEVED)])
        pseudo_image = torch.cat([images(rows) for rows in torch.split(clip, _RETRIEVED)])
        return _Batch(text, clip, pseudo_text, pseudo_image)

    def epoch(self) -> EpochEnded:
        import torch

        number = self.snapshot.epoch
        drawn = torch.Generator(self._device).manual_seed(hash((self._recipe.seed, number)) % 2**31)
        self._heads.train()
        losses = [self._step(batch, drawn) for batch in self._batches(drawn)]
        held_out = self._held_out_loss()
        better = held_out < self.snapshot.lowest
        if better:
            self._best = {name: value.clone() for name, value in self._heads.state_dict().items()}
        ended = EpochEnded(number + 1, float(np.mean(losses)), held_out, better)
        self.snapshot = self.snapshot.after(ended.epoch, ended.loss, held_out, better, self._best)
        if self._folder is not None:
            save_snapshot(self._folder, self._recipe, self.snapshot, self._heads, self._optimiser)
        return ended

    def _batches(self, drawn: torch.Generator) -> Iterator[_Batch]:
        import torch

        order = torch.randperm(len(self._training.text), generator=drawn, device=self._device)
        for places in torch.split(order, self._recipe.batch):
            if len(places) > 1:  # batch normalisation has nothing to say of a single row
                yield self._training.rows(places)

    def _step(self, batch: _Batch, drawn: torch.Generator) -> float:
        import torch

        half = self._device.type == "cuda"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            loss = uclip_loss(self._project(self._noisy(batch, drawn)), self._recipe.terms)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return float(loss.detach())

    def _noisy(self, batch: _Batch, drawn: torch.Generator) -> _Batch:
        import torch
        from torch.nn.functional import normalize

        deviation = self._recipe.noise**0.5

        def noisy(rows: torch.Tensor) -> torch.Tensor:
            if not deviation:
                return rows
            noise = torch.randn(rows.shape, generator=drawn, device=rows.device)
            return normalize(rows + deviation * noise, dim=1)

        return _Batch(noisy(batch.text), noisy(batch.clip), noisy(batch.pseudo_text), noisy(batch.pseudo_image))

    def _project(self, batch: _Batch) -> Projected:
        text, clip = self._heads[TEXT], self._heads[CLIP]
        # Both vectors of a side go through its head at once, so that they share one batch normalisation.
        z_text, z_pseudo_text = _halves(text, batch.text, batch.pseudo_text)
        z_clip, z_pseudo_image = _halves(clip, batch.clip, batch.pseudo_image)
        return Projected(z_text, z_clip, z_pseudo_text, z_pseudo_image)

    def _held_out_loss(self) -> float:
        import torch

        self._heads.eval()
        with torch.inference_mode():
            return float(uclip_loss(self._project(self._held_out), self._recipe.terms))

    def result(self) -> Trained:
        self._heads.load_state_dict(self._best)
        return Trained(self._heads.eval().cpu(), tuple(EpochEnded(*row) for row in self.snapshot.history))


def _halves(head: torch.nn.Module, one: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    both = project(head, torch.cat((one, other)))
    return both[: len(one)], both[len(one) :]
