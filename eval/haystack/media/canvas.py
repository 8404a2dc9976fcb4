"""Pictures with text, drawn with Pillow and a font that PyMuPDF brings, so that no system font is needed."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

Colour = tuple[int, int, int]

COLOURS: tuple[Colour, ...] = (
    (206, 44, 40), (46, 140, 64), (40, 88, 184), (246, 214, 60), (240, 138, 32), (124, 58, 160), (140, 144, 148),
    (30, 30, 32),
)  # fmt: skip
"""In the order of the words for colours."""
DARK: Colour = (28, 28, 30)
LIGHT: Colour = (250, 250, 248)


@cache
def _font_file() -> bytes:
    import pymupdf

    return bytes(pymupdf.Font("cjk").buffer)


@cache
def font(size: int) -> FreeTypeFont:
    """A font with Latin, Japanese and Chinese letters."""
    from PIL import ImageFont

    return ImageFont.truetype(io.BytesIO(_font_file()), size)


def blank(size: tuple[int, int], colour: Colour) -> tuple[Image, ImageDraw]:
    """A picture of one colour, and a pen for it."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    picture = Pictures.new("RGB", size, colour)
    return picture, ImageDraw.Draw(picture)


def fitting(pen: ImageDraw, text: str, size: int, width: float) -> FreeTypeFont:
    """The font of this size or, where the text would be wider than `width`, a smaller one."""
    while size > 12 and pen.textlength(text, font=font(size)) > width:
        size -= 2
    return font(size)


def ink_on(ground: Colour) -> Colour:
    """Dark or light, whichever stands out."""
    red, green, blue = ground
    return DARK if 0.3 * red + 0.6 * green + 0.1 * blue > 140 else LIGHT


def lines(pen: ImageDraw, place: tuple[int, int], texts: Sequence[str], size: int, step: int) -> None:
    """Lines of dark text below each other."""
    x, y = place
    for text in texts:
        pen.text((x, y), text, font=font(size), fill=DARK)
        y += step


def worn(picture: Image, chance: random.Random) -> Image:
    """As a scanner or a phone would give it: a little askew, a little grey, with specks."""
    from PIL import Image as Pictures

    angle = chance.uniform(-0.8, 0.8)
    grey = picture.convert("L").rotate(angle, resample=Pictures.Resampling.BICUBIC, fillcolor=240)
    for _ in range(grey.width * grey.height // 2500):
        grey.putpixel((chance.randrange(grey.width), chance.randrange(grey.height)), chance.choice((130, 170, 205)))
    return grey


def jpeg(picture: Image, quality: int = 80, taken: date | None = None, clock: str = "") -> bytes:
    """The picture as JPEG, with the time it was taken in its EXIF if one is given."""
    from PIL import ExifTags
    from PIL.Image import Exif

    exif = Exif()
    if taken is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{taken:%Y:%m:%d} {clock:0>5}:00"
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality, exif=exif)
    return target.getvalue()


def png(picture: Image) -> bytes:
    """The picture as PNG."""
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()
