"""Pages as pictures, and places marked in pictures."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haystack_agent.errors import ReadFailed, UnsupportedFile
from haystack_agent.media import Preview, preview_of
from haystack_agent.records import Box
from ingest.readers.pages.geometry import Rect
from ingest.readers.pages.opening import library_errors, open_document
from ingest.readers.protocol import DAMAGED

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 8192
MARK = (255, 200, 0)
MARK_STRENGTH = 90
"""Opacity of a mark, of 255."""


def render_page(path: Path, page: int, media_type: str, width: int = 1000) -> Image:
    """The page (from 1) as an RGB picture about `width` pixels wide, no side above 8192.

    Raises:
        UnsupportedFile: files of this type have no pages that could be drawn.
        ReadFailed: the file or the page cannot be drawn.
    """
    if preview_of(media_type) is not Preview.PAGE:
        raise UnsupportedFile(f"pages of a {media_type} file cannot be drawn; open it in its own program")
    document = open_document(path, media_type)
    try:
        if not 1 <= page <= document.page_count:
            raise ReadFailed(f"there is no page {page}: the file has {document.page_count}")
        loaded = document.load_page(page - 1)
        return pixels(loaded, width / max(1.0, loaded.rect.width), MAX_SIDE)
    except library_errors() as error:
        raise ReadFailed(f"page {page} {DAMAGED}") from error
    finally:
        document.close()


def pixels(page: Any, scale: float, max_side: int, clip: Rect | None = None) -> Image:
    """A PyMuPDF page, or the part `clip` (points of the visible page) of it, drawn at `scale` pixels a point."""
    from PIL import Image as Pictures

    pymupdf: Any = importlib.import_module("pymupdf")
    area = pymupdf.Rect(clip) if clip else page.rect
    scale = min(scale, max_side / max(area.width, area.height, 1.0))
    drawn = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), clip=area, colorspace=pymupdf.csRGB, alpha=False)
    if drawn.width < 1 or drawn.height < 1:
        raise ValueError("nothing to draw")
    return Pictures.frombytes("RGB", (drawn.width, drawn.height), drawn.samples)


def mark_boxes(image: Image, boxes: Sequence[Box]) -> Image:
    """A copy of the picture with the boxes (fractions of it) marked as with a highlighter."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    layer = Pictures.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    line = max(1, image.width // 500)
    for box in boxes:
        corners = (box.x0 * image.width, box.y0 * image.height, box.x1 * image.width, box.y1 * image.height)
        x0, y0, x1, y1 = (round(corner) for corner in corners)
        place = (
            max(0, x0 - line),
            max(0, y0 - line),
            min(image.width - 1, x1 + line),
            min(image.height - 1, y1 + line),
        )
        draw.rectangle(place, fill=(*MARK, MARK_STRENGTH), outline=(*MARK, 255), width=line)
    return Pictures.alpha_composite(image.convert("RGBA"), layer).convert("RGB")
