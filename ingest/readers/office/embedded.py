"""Text in the pictures that an office file carries."""

from __future__ import annotations

import hashlib
import io
import warnings
from typing import TYPE_CHECKING

from ingest.ocr.layout import Line
from ingest.ocr.recognition import lines_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from ingest.ocr.recognition import OcrEngine, OcrLine

MIN_SIDE = 120
MIN_PIXELS = 60_000
"""Smaller pictures are icons and ornaments."""
MAX_PIXELS = 80_000_000
MAX_PICTURES = 60
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")


class EmbeddedPictures:
    """Reads the pictures of one file, each once, a bounded number of them."""

    def __init__(self, ocr: OcrEngine) -> None:
        self._ocr = ocr
        self._seen: set[bytes] = set()

    def read(self, data: bytes) -> list[OcrLine]:
        """Lines read in an encoded picture; none where it is small, seen before, or cannot be decoded."""
        key = hashlib.blake2b(data, digest_size=16).digest()
        if key in self._seen or len(self._seen) >= MAX_PICTURES:
            return []
        self._seen.add(key)
        image = _decoded(data)
        return self._ocr.read(image) if image is not None else []

    def lines(self, data: bytes) -> list[Line]:
        """Lines without places: where the picture stands on a page is not known."""
        return [Line(line.text, starts_block=line.starts_block) for line in lines_of(self.read(data))]


def _decoded(data: bytes) -> Image | None:
    from PIL import Image as Pictures
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pictures.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if min(width, height) < MIN_SIDE or not MIN_PIXELS <= width * height <= MAX_PIXELS:
                    return None
                return image.convert("RGBA").convert("RGB") if image.mode == "P" else image.convert("RGB")
    except (UnidentifiedImageError, Pictures.DecompressionBombError, OSError, ValueError, SyntaxError, EOFError):
        # A picture that cannot be shown holds no text that a person could see.
        return None
