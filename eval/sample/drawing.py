"""Drawing for the sample folder: text in any script without system fonts, and pictures somewhat like photos."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]

CSS = "* {font-family: sans-serif; margin: 0; padding: 0} p {margin-bottom: 6px}"


def html_picture(html: str, size: tuple[int, int], background: Colour = (255, 255, 255)) -> Image:
    """A picture of `size` pixels with the HTML laid out in it; MuPDF brings fonts for all common scripts."""
    import pymupdf
    from PIL import Image as Pictures

    width, height = size
    with pymupdf.open() as document:
        page = document.new_page(width=width, height=height)
        page.draw_rect(page.rect, fill=tuple(part / 255 for part in background), color=None)
        page.insert_htmlbox(pymupdf.Rect(12, 12, width - 12, height - 12), html, css=CSS)
        drawn = page.get_pixmap(alpha=False)
    return Pictures.open(io.BytesIO(drawn.tobytes("png"))).convert("RGB")


def draw_table(page: Any, place: tuple[float, float], widths: Sequence[float], rows: Sequence[Sequence[str]]) -> float:
    """Draw a ruled table on a PyMuPDF page, the first row as its header; the y coordinate below it."""
    import pymupdf

    left, y = place
    for number, row in enumerate(rows):
        x = left
        for width, cell in zip(widths, row, strict=True):
            area = pymupdf.Rect(x, y, x + width, y + 22)
            page.draw_rect(area, color=(0.3, 0.3, 0.3), width=0.7)
            weight = "bold" if number == 0 else "normal"
            page.insert_htmlbox(
                (x + 5, y + 4, x + width - 5, y + 20), f"<p style='font-size:10px;font-weight:{weight}'>{cell}</p>"
            )
            x += width
        y += 22
    return y


def scan_of(page_picture: Image, seed: int) -> Image:
    """The picture of a page as a flatbed scanner would give it: grey, a little askew, with specks."""
    from PIL import Image as Pictures

    noise = random.Random(seed)  # noqa: S311 - specks of dust need no secrecy
    grey = page_picture.convert("L").rotate(0.6, resample=Pictures.Resampling.BICUBIC, fillcolor=255)
    for _ in range(grey.width * grey.height // 900):
        place = (noise.randrange(grey.width), noise.randrange(grey.height))
        grey.putpixel(place, noise.choice((120, 160, 200)))
    return grey


def _sky(size: tuple[int, int], top: Colour, bottom: Colour) -> Image:
    from PIL import Image as Pictures

    column = Pictures.new("RGB", (1, size[1]))
    for y in range(size[1]):
        share = y / size[1]
        column.putpixel((0, y), tuple(round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True)))
    return column.resize(size)


def sailing_boat(size: tuple[int, int] = (960, 640)) -> Image:
    """A drawing of a boat with a red sail in a harbour."""
    from PIL import ImageDraw

    picture = _sky(size, (120, 180, 235), (235, 225, 205))
    draw = ImageDraw.Draw(picture)
    width, height = size
    horizon = int(height * 0.62)
    draw.rectangle((0, horizon, width, height), fill=(38, 96, 140))
    for number in range(26):
        y = horizon + 8 + number * 9
        x = (number * 137) % width
        draw.line((x, y, x + 70, y), fill=(90, 150, 190), width=3)
    draw.ellipse((width - 190, 60, width - 110, 140), fill=(255, 225, 120))
    draw.polygon(
        [(380, horizon + 20), (620, horizon + 20), (575, horizon + 80), (415, horizon + 80)], fill=(90, 55, 35)
    )
    draw.line((495, horizon + 20, 495, 110), fill=(60, 40, 25), width=9)
    draw.polygon([(505, 120), (505, horizon), (650, horizon)], fill=(200, 45, 40))
    draw.polygon([(485, 150), (485, horizon), (390, horizon)], fill=(240, 240, 235))
    return picture


def mountain(size: tuple[int, int] = (960, 640)) -> Image:
    """A drawing of a snowy mountain above a forest."""
    from PIL import ImageDraw

    picture = _sky(size, (70, 130, 200), (215, 230, 240))
    draw = ImageDraw.Draw(picture)
    height = size[1]
    draw.polygon([(120, height), (520, 70), (900, height)], fill=(110, 115, 125))
    draw.polygon([(410, 260), (520, 70), (625, 270), (560, 235), (515, 290), (460, 230)], fill=(250, 250, 252))
    for number in range(30):
        x = number * 36 - 20
        top = int(height - 150 + 26 * math.sin(number * 1.7))
        draw.polygon([(x, height), (x + 30, top), (x + 60, height)], fill=(24, 80 + (number % 4) * 8, 50))
    return picture


def workshop(step: int, size: tuple[int, int] = (640, 360)) -> Image:
    """A drawing of a bicycle wheel on a coloured wall; each `step` looks clearly different."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    walls = ((214, 226, 233), (245, 226, 196), (205, 230, 204), (232, 210, 226))
    picture = Pictures.new("RGB", size, walls[step % len(walls)])
    draw = ImageDraw.Draw(picture)
    x, y, radius = 140 + 120 * step, 130, 95
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=(30, 30, 30), width=11)
    for spoke in range(12):
        angle = spoke * math.pi / 6 + step
        draw.line((x, y, x + radius * math.cos(angle), y + radius * math.sin(angle)), fill=(90, 90, 90), width=2)
    draw.ellipse((x - 12, y - 12, x + 12, y + 12), fill=(160, 30, 30))
    return picture
