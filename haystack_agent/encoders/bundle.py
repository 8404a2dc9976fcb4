"""The encoders of a profile, loaded, as indexing and search use them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haystack_agent.encoders.projector import Projector
from haystack_agent.vectors import FloatArray, PictureEncoder, Pixels, TextEncoder

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything that ends in the `uclip` vector."""

    pictures: PictureEncoder
    projector: Projector | None = None
    """``None`` for a CLIP whose own text tower is used: one that knows many languages."""

    @property
    def dimension(self) -> int:
        """Length of a vector of the common space."""
        return self.projector.card.dimension if self.projector else self.pictures.dimension

    def of_texts(self, texts: Sequence[str], vectors: FloatArray) -> FloatArray:
        """Texts and their sentence vectors, shape (n, text width), to the common space, shape (n, dimension)."""
        return self.projector.project_text(vectors) if self.projector else self.pictures.encode_texts(texts)

    def of_images(self, images: Sequence[Image]) -> FloatArray:
        """RGB pictures to an array of shape (len(images), dimension) in the common space."""
        vectors = self.pictures.encode_images(images)
        return self.projector.project_clip(vectors) if self.projector else vectors

    def of_looks(self, looks: Sequence[Pixels]) -> FloatArray:
        """What a piece looks like to one vector, shape (dimension,): the mean direction of its pictures."""
        from PIL import Image as Pictures

        images = [Pictures.frombytes("RGB", (look.width, look.height), look.rgb) for look in looks]
        mean = self.of_images(images).mean(axis=0)
        unit: FloatArray = mean / max(float((mean @ mean) ** 0.5), 1e-12)
        return unit


@dataclass(frozen=True, slots=True)
class Encoders:
    """A sentence encoder and, in profiles that see, a CLIP with the projector that joins the two."""

    text: TextEncoder
    sight: Sight | None = None
    multilingual: bool = False
    """Whether they read questions of any language as they stand; else such are put in English words first."""
