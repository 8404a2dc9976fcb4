"""Picture files to RGB pictures as a person sees them, within limits; the files are hostile."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from haystack_agent.errors import ReadFailed, ReadLimitExceeded, UnsupportedFile

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

MAX_PIXELS = 178_956_970
"""Pixels of a picture at most: at three bytes each this is half a gigabyte."""

_FORMATS = {
    "jpeg": ("JPEG", "MPO"),
    "png": ("PNG",),
    "gif": ("GIF",),
    "webp": ("WEBP",),
    "tiff": ("TIFF",),
    "bmp": ("BMP",),
    "heic": ("HEIF",),
    "avif": ("AVIF",),
    "jp2": ("JPEG2000",),
    "ppm": ("PPM",),
    "ico": ("ICO",),
    "tga": ("TGA",),
}
MEDIA_TYPES = frozenset(_FORMATS)
_ORIENTATION = 0x0112
_REDUCED_PAGE = 254
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow and its decoders raise on bytes that are not as their format demands."""


@contextmanager
def decoding() -> Iterator[None]:
    """Turn what decoders raise into `ReadFailed`; their warnings, which are about the file, are dropped.

    Raises:
        ReadFailed: the bytes cannot be decoded.
        ReadLimitExceeded: more pixels, or more memory, than allowed.
    """
    from PIL.Image import DecompressionBombError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (DecompressionBombError, MemoryError) as error:
            raise ReadLimitExceeded("The picture is too big to decode: make a smaller copy") from error
        except DECODE_ERRORS as error:
            raise ReadFailed("The picture cannot be decoded: the file may be damaged") from error


def open_picture(stream: BinaryIO, media_type: str) -> ImageFile:
    """Open a picture of the type found in its first bytes, without decoding it.

    Raises:
        UnsupportedFile: not a type of picture that is read.
        ReadFailed: its header cannot be read.
        ReadLimitExceeded: it has more than `MAX_PIXELS`.
    """
    from PIL import Image

    formats = _FORMATS.get(media_type)
    if formats is None:
        raise UnsupportedFile(f"Pictures of type {media_type!r} are not read: convert it to PNG or JPEG")
    if media_type == "heic":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    with decoding():
        image = Image.open(stream, formats=formats)
    check_pixels(image)
    return image


def check_pixels(image: Image) -> None:
    """Refuse a picture, or a page of one, that would fill the memory.

    Raises:
        ReadLimitExceeded: it has more than `MAX_PIXELS`.
    """
    if image.width * image.height > MAX_PIXELS:
        limit = f"{MAX_PIXELS // 1_000_000} megapixels"
        raise ReadLimitExceeded(f"The picture has {image.width} x {image.height} pixels: at most {limit} are read")


def orientation(image: Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where it is not given or not valid."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except DECODE_ERRORS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def is_reduced_page(image: ImageFile) -> bool:
    """Whether a page of a TIFF is only a smaller copy of another."""
    tags = getattr(image, "tag_v2", None)
    value = tags.get(_REDUCED_PAGE, 0) if tags is not None else 0
    return isinstance(value, int) and bool(value & 1)


def to_rgb(image: Image) -> Image:
    """The picture as RGB on white: 16-bit and float greys stretched, transparency composed, CMYK converted."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;") or image.mode in ("I", "F"):
        return _stretched(image).convert("RGB")
    if image.mode == "LAB":
        return image.getchannel(0).convert("RGB")
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        return _on_white(image)
    return image.convert("RGB")


def turned(image: Image, value: int) -> Image:
    """The picture turned and mirrored as its EXIF orientation `value` demands."""
    from PIL.Image import Transpose

    steps = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(steps[value]) if value in steps else image


def _on_white(image: Image) -> Image:
    from PIL import Image as PilImage

    layered = image.convert("RGBA")
    ground = PilImage.new("RGB", image.size, "white")
    ground.paste(layered, mask=layered.getchannel("A"))
    return ground


def _stretched(image: Image) -> Image:
    """Greys of more than 8 bits: the full range of 16 bits, or what is there where values go beyond it."""
    from PIL import Image as PilImage

    values = np.nan_to_num(np.asarray(image, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16") or (image.mode == "I" and low >= 0 and 255 < high < 65536):
        low, high = 0.0, 65535.0 if high > 4095 else max(high, 1.0)
    elif low >= 0 and 1 < high <= 255:
        low, high = 0.0, 255.0
    grey = (values - low) * (255.0 / max(high - low, 1e-12))
    return PilImage.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
