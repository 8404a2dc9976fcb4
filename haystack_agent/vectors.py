"""What an encoder must offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Weights of the terms of one text: ``indices`` are distinct and ascending 32-bit term hashes."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Pixels:
    """What a piece looks like: RGB bytes, row by row from the top."""

    width: int
    height: int
    rgb: bytes = field(repr=False)


class TextEncoder(Protocol):
    """A dense sentence encoder."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def fingerprint(self) -> str:
        """Changes with the weights."""

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Encode passages to an array of shape (len(texts), dimension); each row has length 1."""

    def encode_query(self, text: str) -> FloatArray:
        """Encode a question to an array of shape (dimension,) and length 1."""


class PictureEncoder(Protocol):
    """A CLIP: pictures and texts in one space."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def image_size(self) -> int:
        """Shorter side in pixels at which it looks at a picture."""

    @property
    def fingerprint(self) -> str:
        """Changes with the weights."""

    def encode_images(self, images: Sequence[Image]) -> FloatArray:
        """Encode RGB pictures to an array of shape (len(images), dimension); each row has length 1."""

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts to an array of shape (len(texts), dimension); each row has length 1."""
