"""Text that stands on a page only as pixels: whole scans, and large pictures among text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from haystack_agent.records import Box
from ingest.ocr.layout import union
from ingest.readers.pages.fonts.quality import is_broken, nonsense
from ingest.readers.pages.geometry import Rect, area, centre_inside, intersection
from ingest.readers.pages.native import NativePage
from ingest.readers.pages.render import pixels
from ingest.readers.pages.text import Fragment, PageFrame, Word

if TYPE_CHECKING:
    from PIL.Image import Image

    from ingest.ocr.recognition import OcrEngine, OcrLine

OCR_SCALE = 200 / 72
"""Pixels a point."""
OCR_SIDE = 2000
LARGE_PICTURE, SMALL_PICTURE, MAX_SMALL = 0.15, 0.02, 4
"""Shares of the page: a larger picture is always read, one between them where it looks written, the smaller never."""
FEW_CHARACTERS = 16
LITTLE_TEXT = 250
"""Letters and digits on a page below which drawn curves on it are read, too: a form filled in by hand."""
MANY_PATHS = 300
"""Drawn paths that, on a page almost without text, may be letters."""


def needs_ocr(page: NativePage) -> bool:
    """Whether the page as a whole must be read from its pixels: no text layer, or one that cannot be trusted."""
    text = page.text
    count = sum(char.isalnum() for char in text)
    if count == 0:
        return bool(page.pictures or page.paths)
    if is_broken(text):
        return True
    if count < FEW_CHARACTERS and page.paths > MANY_PATHS:
        return True
    whole = page.frame.width * page.frame.height
    scanned = any(area(picture) > 0.8 * whole for picture in page.pictures)
    return scanned and nonsense(text) > 0.25


def pictures_to_read(page: NativePage) -> list[Rect]:
    """Pictures not merely the ground that the page's own text is written on: all large ones, a few small ones."""
    whole = page.frame.width * page.frame.height
    found: list[Rect] = []
    small = 0
    for rect in sorted(_whole_pictures(page.pictures), key=area, reverse=True):
        share = area(rect) / whole
        words = [word for fragment in page.fragments for word in fragment.words if _stands_in(word, rect, page.frame)]
        written_over = sum(len(word.text) for word in words) > 200 * share
        inside = any(area(intersection(rect, other)) > 0.7 * area(rect) for other in found)
        if share > SMALL_PICTURE and small < MAX_SMALL and not written_over and not inside:
            found.append(rect)
            small += share < LARGE_PICTURE
    few = sum(char.isalnum() for char in page.text) < LITTLE_TEXT
    if few and not found and page.strokes is not None:
        found.append(page.strokes)
    return found


def is_large(rect: Rect, frame: PageFrame) -> bool:
    """Whether a picture takes up so much of the page that it is read whatever it looks like."""
    return area(rect) > LARGE_PICTURE * frame.width * frame.height


def _whole_pictures(parts: Sequence[Rect]) -> list[Rect]:
    """Pictures stored in strips, put together: same left and right edge, one under the other."""
    pictures: list[Rect] = []
    for rect in sorted(parts, key=lambda r: (round(r[0]), round(r[2]), r[1])):
        above = pictures[-1] if pictures else None
        if above and abs(above[0] - rect[0]) < 2 and abs(above[2] - rect[2]) < 2 and abs(rect[1] - above[3]) < 2:
            pictures[-1] = (above[0], above[1], above[2], rect[3])
        else:
            pictures.append(rect)
    return pictures


def _stands_in(word: Word, rect: Rect, frame: PageFrame) -> bool:
    return centre_inside(_points(word.box, frame), rect)


def _points(box: Box, frame: PageFrame) -> Rect:
    return box.x0 * frame.width, box.y0 * frame.height, box.x1 * frame.width, box.y1 * frame.height


class PixelReader:
    """Reads pages and pictures of one document; a picture that comes back on other pages is read once."""

    def __init__(self, ocr: OcrEngine) -> None:
        self._ocr = ocr
        self._seen: set[bytes] = set()

    def page_image(self, page: Any) -> Image:
        """The page drawn as large as OCR uses it."""
        return pixels(page, OCR_SCALE, OCR_SIDE)

    def picture_image(self, page: Any, rect: Rect) -> Image:
        """A part of the page drawn as large as OCR uses it."""
        return pixels(page, OCR_SCALE, OCR_SIDE, rect)

    def page(self, image: Image, frame: PageFrame) -> list[Fragment]:
        """Fragments of a whole page."""
        if _is_blank(image):
            return []
        return ocr_fragments(self._ocr.read(image), (0.0, 0.0, frame.width, frame.height), _upright(frame))

    def picture(self, image: Image, native: NativePage, rect: Rect) -> list[Fragment]:
        """Fragments in a picture on a page that are not part of the page's own text."""
        key = hashlib.blake2b(image.tobytes(), digest_size=16).digest()
        if key in self._seen or _is_blank(image):
            return []
        self._seen.add(key)
        if not is_large(rect, native.frame) and rect != native.strokes and not _looks_written(image):
            return []
        frame = _upright(native.frame)
        known = [_points(word.box, frame) for fragment in native.fragments for word in fragment.words]
        found = ocr_fragments(self._ocr.read(image), rect, frame)
        return [f for f in found if not any(centre_inside(f.rect, w, 1) or centre_inside(w, f.rect) for w in known)]


def _upright(frame: PageFrame) -> PageFrame:
    return PageFrame((1.0, 0.0, 0.0, 1.0, 0.0, 0.0), frame.width, frame.height)


def _is_blank(image: Image) -> bool:
    low, high = image.convert("L").reduce(max(1, min(image.size) // 600)).getextrema()
    return isinstance(low, (int, float)) and isinstance(high, (int, float)) and high - low < 24


def _looks_written(image: Image) -> bool:
    """Whether a picture has flat ground and hard edges, as writing has and photographs seldom have."""
    import numpy as np

    grey = np.asarray(image.convert("L").reduce(max(1, max(image.size) // 500)), dtype=np.int16)
    steps = np.abs(np.diff(grey, axis=1))
    return bool(steps.size) and bool((steps < 4).mean() > 0.35) and bool((steps > 48).mean() > 0.01)


def ocr_fragments(lines: Sequence[OcrLine], place: Rect, frame: PageFrame) -> list[Fragment]:
    """Lines read in a picture that lies at `place` (points of the visible page), cut at wide gaps."""
    fragments: list[Fragment] = []
    for line in lines:
        group: list[Word] = []
        for token in re.finditer(r"\S+", line.text):
            word = _word(token.group(), token.span(), line, place, frame)
            height = word.rect[3] - word.rect[1]
            if group and word.rect[0] - group[-1].rect[2] > 1.5 * height:
                fragments.append(_fragment(group, len(fragments)))
                group = []
            group.append(word)
        if group:
            fragments.append(_fragment(group, len(fragments)))
    return fragments


def _word(text: str, span: tuple[int, int], line: OcrLine, place: Rect, frame: PageFrame) -> Word:
    parts = [word for word in line.words if word.start < span[1] and word.end > span[0] and word.box]
    box = union([part.box for part in parts if part.box]) if parts else line.box
    width, height = place[2] - place[0], place[3] - place[1]
    rect = (place[0] + box.x0 * width, place[1] + box.y0 * height,
            place[0] + box.x1 * width, place[1] + box.y1 * height)  # fmt: skip
    return Word(text, frame.rect(rect), frame.box(rect))


def _fragment(words: Sequence[Word], order: int) -> Fragment:
    rects = [word.rect for word in words]
    rect = (min(r[0] for r in rects), min(r[1] for r in rects), max(r[2] for r in rects), max(r[3] for r in rects))
    return Fragment(tuple(words), rect, max(1.0, 0.8 * (rect[3] - rect[1])), False, order)
