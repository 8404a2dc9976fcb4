"""Soft retrieval: what a bank holds that is like a vector, as one vector of the bank's space (uCLIP, step 2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

_CHUNK = 65_536
"""Rows of the bank looked at together: at width 512 they take 128 MB."""


class SoftRetriever:
    """Pseudo features from one bank: ``normalise(softmax(query . bank^T / temperature) . bank)``.

    The softmax is computed chunk by chunk with a running maximum (Milakov and Gimelshein, "Online normalizer
    calculation for softmax", 2018), so that a bank larger than memory will do.
    """

    def __init__(self, bank: npt.NDArray[np.float16], temperature: float, device: torch.device) -> None:
        """Take the bank's unit vectors, shape (count, width)."""
        self._bank = bank
        self._temperature = temperature
        self._device = device

    def __call__(self, queries: torch.Tensor) -> torch.Tensor:
        """Unit vectors of shape (n, width) for unit vectors of shape (n, width), computed in float32."""
        import torch

        queries = queries.to(self._device, torch.float32)
        highest = torch.full((len(queries), 1), -torch.inf, device=self._device)
        total = torch.zeros((len(queries), 1), device=self._device)
        mixture = torch.zeros_like(queries)
        with torch.inference_mode():
            for rows in self._chunks():
                logits = queries @ rows.T / self._temperature
                higher = torch.maximum(highest, logits.amax(dim=1, keepdim=True))
                shrink = torch.exp(highest - higher)
                weights = torch.exp(logits - higher)
                total = total * shrink + weights.sum(dim=1, keepdim=True)
                mixture = mixture * shrink + weights @ rows
                highest = higher
        return torch.nn.functional.normalize(mixture / total, dim=1).clone()

    def _chunks(self) -> Iterator[torch.Tensor]:
        import torch

        for first in range(0, len(self._bank), _CHUNK):
            rows = np.asarray(self._bank[first : first + _CHUNK], dtype=np.float32)
            yield torch.from_numpy(rows).to(self._device)
