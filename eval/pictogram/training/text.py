"""Trains the sentence encoder: subwords of a hundred languages, and a vector for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eval.pictogram.plan import ExperimentPlan
from eval.pictogram.world.captions import caption, groups
from eval.pictogram.world.concepts import PIVOT
from eval.pictogram.world.world import Part
from haystack_agent.encoders.towers.pictogram import EMBEDDING, save_encoder, text_tokens
from haystack_agent.text.fold import fold
from haystack_agent.uclip.loss import info_nce

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

_RATE = 1e-2
_TEMPERATURE = 0.05
_FIRST_LENGTH = 0.05
"""Spread of the numbers at the start: small beside the rate, so that they soon forget their random directions."""
_FORGOTTEN = 0.15
"""Share of the tokens left out in training, so that no phrase hangs on one of its subwords."""
_UNKNOWN = "<unk>"
_ENGLISH = 0.25
_REPORTS = 20


def train_text(
    part: Part, languages: Sequence[str], plan: ExperimentPlan, folder: Path, say: Callable[[str], None]
) -> None:
    """Train vectors in which what two languages say of the same concepts is alike, and write them."""
    import torch
    from torch.nn.functional import normalize

    tokenizer = _tokenizer(part, plan.text_words)
    torch.manual_seed(plan.seed)
    bag = torch.nn.EmbeddingBag(tokenizer.get_vocab_size(), plan.dimension, mode="mean")
    torch.nn.init.normal_(bag.weight, std=_FIRST_LENGTH)
    optimiser = torch.optim.Adam(bag.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=plan.text_steps, pct_start=0.1)
    losses: list[float] = []
    for step, sides in enumerate(_batches(part, languages, plan, tokenizer), start=1):
        one, other = (normalize(bag(*side), dim=1) for side in sides)
        loss = info_nce(one, other, _TEMPERATURE)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if step % max(1, plan.text_steps // _REPORTS) == 0:
            say(f"text {step}/{plan.text_steps}: loss {np.mean(losses[-50:]):.3f}")
    save_encoder(folder, {EMBEDDING: bag.weight}, tokenizer, {"dimension": plan.dimension})


def _batches(
    part: Part, languages: Sequence[str], plan: ExperimentPlan, tokenizer: Tokenizer
) -> Iterator[list[tuple[torch.Tensor, torch.Tensor]]]:
    """The same concepts in two languages, each as token numbers and where each text begins."""
    drawn = np.random.default_rng((plan.seed, 2))
    for _ in range(plan.text_steps):
        batch = groups(plan.text_batch, len(part.concepts), drawn)
        sides = []
        for _side in range(2):
            english = drawn.random(len(batch)) < _ENGLISH
            spoken = np.where(english, languages.index(PIVOT), drawn.integers(len(languages), size=len(batch)))
            texts = [
                caption(part.shown(group), languages[one], drawn) for group, one in zip(batch, spoken, strict=True)
            ]
            sides.append(_thinned(text_tokens(tokenizer, texts), drawn))
        yield sides


def _thinned(tokens: Sequence[npt.NDArray[np.int64]], drawn: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    flat = np.concatenate(tokens)
    lengths = np.array([len(one) for one in tokens])
    kept = drawn.random(len(flat)) >= _FORGOTTEN
    kept[np.cumsum(lengths) - 1] = True  # one token at least must stay
    rows = np.repeat(np.arange(len(tokens)), lengths)[kept]
    starts = np.searchsorted(rows, np.arange(len(tokens)))
    return torch.from_numpy(flat[kept]), torch.from_numpy(starts)


def _tokenizer(part: Part, words: int) -> Tokenizer:
    """Subwords by the unigram model (Kudo 2018), of all that is said of the training concepts in any language."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
    )
    trainer = trainers.UnigramTrainer(
        vocab_size=words,
        special_tokens=[_UNKNOWN],
        unk_token=_UNKNOWN,
        show_progress=False,
        max_piece_length=12,
        shrinking_factor=0.5,  # this and the next: a fifth of the time, much the same pieces
        n_sub_iterations=1,
    )
    texts = (fold(text) for concept in part.concepts for text in _all_texts(concept.names, concept.keywords))
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _all_texts(names: dict[str, str], keywords: dict[str, tuple[str, ...]]) -> Iterator[str]:
    yield from names.values()
    for words in keywords.values():
        yield from words
