"""The two projection heads, as they are trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

DIMENSION = 512
"""Width of the common space."""
TEXT, CLIP = "text", "clip"


def make_heads(text_width: int, clip_width: int, dimension: int = DIMENSION) -> torch.nn.ModuleDict:
    """One head for each side: Linear(d, 2d), BatchNorm1d, ReLU, Linear(2d, dimension)."""
    from torch import nn

    def head(width: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(width, 2 * width), nn.BatchNorm1d(2 * width), nn.ReLU(), nn.Linear(2 * width, dimension)
        )

    return nn.ModuleDict({TEXT: head(text_width), CLIP: head(clip_width)})


def project(head: torch.nn.Module, vectors: torch.Tensor) -> torch.Tensor:
    """Unit vectors in the common space."""
    from torch.nn.functional import normalize

    return normalize(head(vectors).float(), dim=1)
