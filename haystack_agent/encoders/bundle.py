"""The encoders of a profile, loaded, as indexing and search use them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haystack_agent.encoders.protocols import FloatArray, Look, PictureEncoder, TextEncoder
from haystack_agent.uclip.projector import Projector

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Encoders:
    """A sentence encoder and, in profiles that see, a CLIP with the projector that joins the two."""

    text: TextEncoder
    sight: Sight | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything that ends in the `uclip` vector."""

    pictures: PictureEncoder
    projector: Projector

    def of_texts(self, vectors: FloatArray) -> FloatArray:
        """Sentence vectors, shape (..., text width), to the common space."""
        return self.projector.project_text(vectors)

    def of_images(self, images: Sequence[Image]) -> FloatArray:
        """RGB pictures to an array of shape (len(images), dimension) in the common space."""
        return self.projector.project_clip(self.pictures.encode_images(images))

    def of_looks(self, looks: Sequence[Look]) -> FloatArray:
        """What a piece looks like to one vector, shape (dimension,): the mean direction of its pictures."""
        from PIL import Image as Pictures

        images = [Pictures.frombytes("RGB", (look.width, look.height), look.rgb) for look in looks]
        mean = self.of_images(images).mean(axis=0)
        unit: FloatArray = mean / max(float((mean @ mean) ** 0.5), 1e-12)
        return unit
