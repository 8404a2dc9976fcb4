"""What an encoder must offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Weights of the terms of one text: ``indices`` are distinct and ascending 32-bit term hashes."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


class TextEncoder(Protocol):
    """A dense sentence encoder."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Encode passages to an array of shape (len(texts), dimension); each row has length 1."""

    def encode_query(self, text: str) -> FloatArray:
        """Encode a question to an array of shape (dimension,) and length 1."""
