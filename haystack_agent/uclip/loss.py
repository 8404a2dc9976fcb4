"""The loss of uCLIP: two contrastive terms across the sides, one that ties each side's vectors to their pseudo ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch


class Projected(NamedTuple):
    """Unit vectors of one batch in the common space, shape (n, dimension) each."""

    text: torch.Tensor
    """z_e: captions by the sentence encoder."""
    clip: torch.Tensor
    """z_t: captions by the CLIP text tower."""
    pseudo_text: torch.Tensor
    """z_m: what the text bank holds like them."""
    pseudo_image: torch.Tensor
    """z_v: what the image bank holds like them."""


@dataclass(frozen=True, slots=True)
class LossTerms:
    """Which terms count, and how much: the paper's ablations leave one out."""

    text: bool = True
    """InfoNCE(z_e, z_t)."""
    pseudo_image: bool = True
    """InfoNCE(z_m, z_v)."""
    intra: float = 0.1
    temperature: float = 0.01


def info_nce(one: torch.Tensor, other: torch.Tensor, temperature: float) -> torch.Tensor:
    """The symmetric contrastive loss of rows that belong together (van den Oord et al. 2018; Radford et al. 2021)."""
    import torch
    from torch.nn.functional import cross_entropy

    logits = one @ other.T / temperature
    targets = torch.arange(len(one), device=one.device)
    return (cross_entropy(logits, targets) + cross_entropy(logits.T, targets)) / 2


def uclip_loss(vectors: Projected, terms: LossTerms) -> torch.Tensor:
    """InfoNCE(z_e, z_t) + InfoNCE(z_m, z_v) + intra * mean(||z_m - z_e|| + ||z_t - z_v||) / 2."""
    loss = vectors.text.new_zeros(())
    if terms.text:
        loss = loss + info_nce(vectors.text, vectors.clip, terms.temperature)
    if terms.pseudo_image:
        loss = loss + info_nce(vectors.pseudo_text, vectors.pseudo_image, terms.temperature)
    if terms.intra:
        apart = (vectors.pseudo_text - vectors.text).norm(dim=1) + (vectors.clip - vectors.pseudo_image).norm(dim=1)
        loss = loss + terms.intra * apart.mean() / 2
    return loss
