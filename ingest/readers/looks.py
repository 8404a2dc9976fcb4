"""Small pictures of pages, photos and frames, for the encoder that looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from haystack_agent.vectors import Pixels
from ingest.readers.protocol import Seen

if TYPE_CHECKING:
    from PIL.Image import Image

    from ingest.readers.protocol import Source

_LONGEST = 4
"""Longer side in shorter sides at most: what is longer is squeezed."""


def look_of(picture: Image, side: int) -> Pixels:
    """The picture scaled until its shorter side has so many pixels, in its own proportions."""
    from PIL.Image import Resampling

    scale = side / min(picture.size)
    width, height = (min(_LONGEST * side, max(side, round(length * scale))) for length in picture.size)
    small = picture.convert("RGB").resize((width, height), Resampling.BICUBIC, reducing_gap=3.0)
    return Pixels(width, height, small.tobytes())


def packed(picture: Image) -> bytes:
    """A picture in a few kilobytes."""
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def unpacked(data: bytes) -> Image:
    """Undo `packed`, but for the losses of JPEG."""
    from PIL import Image as Pictures

    return Pictures.open(BytesIO(data), formats=("JPEG",))


def seen(source: Source, picture: Image) -> Iterator[Seen]:
    """The event that tells what the next piece looks like, where that is wanted."""
    if source.look is not None:
        yield Seen((look_of(picture, source.look),))
