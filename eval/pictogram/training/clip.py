"""Trains the CLIP: open_clip's own model, on pictures drawn on the fly and English captions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.pictogram.plan import ExperimentPlan, towers
from eval.pictogram.world.captions import caption, groups
from eval.pictogram.world.concepts import PIVOT
from eval.pictogram.world.pictures import SEEN
from eval.pictogram.world.world import Part
from haystack_agent.encoders.towers.pictogram import clip_tokens, make_clip, normalised, save_encoder

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

_RATE = 2e-3
_MOST_SCALE = math.log(100)
_REPORTS = 20


def train_clip(part: Part, plan: ExperimentPlan, folder: Path, say: Callable[[str], None]) -> None:
    """Train both towers together (Radford et al. 2021) and write them."""
    import torch

    tokenizer = _english_tokenizer(part, plan.clip_words)
    config = towers(plan, tokenizer.get_vocab_size())
    torch.manual_seed(plan.seed)
    model: Any = make_clip(config).train().to(memory_format=torch.channels_last)  # half the time, with bfloat16
    optimiser = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=plan.clip_steps, pct_start=0.1)
    losses: list[float] = []
    for step, (pixels, tokens) in enumerate(_batches(part, plan, tokenizer), start=1):
        with torch.autocast("cpu", torch.bfloat16):
            images, texts = model.encode_image(pixels), model.encode_text(tokens)
        loss = _contrast(images.float(), texts.float(), model.logit_scale)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if step % max(1, plan.clip_steps // _REPORTS) == 0:
            say(f"clip {step}/{plan.clip_steps}: loss {np.mean(losses[-50:]):.3f}")
    save_encoder(folder, model.state_dict(), tokenizer, {"towers": dict(config)})


def _batches(part: Part, plan: ExperimentPlan, tokenizer: Tokenizer) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    import torch

    drawn = np.random.default_rng((plan.seed, 1))
    painter = torch.Generator().manual_seed(plan.seed)
    context = int(towers(plan, 0)["text_cfg"]["context_length"])
    for _ in range(plan.clip_steps):
        batch = groups(plan.clip_batch, len(part.concepts), drawn)
        texts = [caption(part.shown(group), PIVOT, drawn) for group in batch]
        pixels = normalised(part.draw(batch, SEEN, painter)).contiguous(memory_format=torch.channels_last)
        yield pixels, clip_tokens(tokenizer, texts, context)


def _contrast(images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """InfoNCE both ways, at the temperature that is learnt along."""
    import torch
    from torch.nn.functional import cross_entropy, normalize

    logits = scale.clamp(max=_MOST_SCALE).exp() * normalize(images, dim=1) @ normalize(texts, dim=1).T
    targets = torch.arange(len(logits))
    return (cross_entropy(logits, targets) + cross_entropy(logits.T, targets)) / 2


def _english_tokenizer(part: Part, words: int) -> Tokenizer:
    """Byte pairs, so that a foreign word, too, is made of tokens that the tower knows."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=words - 1,
        special_tokens=["<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (
        text.casefold()
        for concept in part.concepts
        for text in (concept.names[PIVOT], *concept.keywords.get(PIVOT, ()))
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(["<end>"])  # last, so that its number is the highest: CLIP reads off there
    return tokenizer
