"""Text in pictures: lines in reading order with a box for every word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from haystack_agent.records import Box, Span
from ingest import tesseract
from ingest.layout import Line
from ingest.rapid import Quad, RapidReader, Region
from ingest.reading_order import rows_in_order

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_SCORE = 0.6
"""Mean confidence under which a stretch of text is taken for noise."""
_WORK_SIDE = 2000
"""Longest side in pixels at which text is searched; larger pictures are scaled down."""
_MIN_SIDE = 736
"""Shorter side to which small pictures are scaled up, within reason: small letters are found better."""
_MAX_ENLARGE = 3.0
_SURE = 0.92
_DENSITY = 0.8
"""Characters in a stretch of text as long as it is high, at least, where all of it was read."""
_SURE_SHARE = 0.6
_SPARSE = 8
"""Stretches of text under which a picture is no page."""
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class OcrLine:
    """One line of text as read; `words` count in `text`, boxes are fractions of the picture given."""

    text: str
    box: Box
    words: tuple[Span, ...]
    score: float


class OcrEngine:
    """Reads text in pictures. Keep one per process: the models load at the first picture and stay."""

    def __init__(self, threads: int = 1) -> None:
        self._rapid = RapidReader(threads)

    def read(self, image: Image) -> list[OcrLine]:
        """Lines of text in reading order; empty where there is none.

        Raises:
            ModelUnavailable: the bundled OCR models are missing.
        """
        picture, scale = _working_picture(image)
        size = (image.width * scale, image.height * scale)
        return [_line(row, size) for row in rows_in_order(self._regions(picture))]

    def _regions(self, picture: Image) -> list[Region]:
        """Stretches of text by RapidOCR, and by Tesseract where RapidOCR sees text in letters that it does not know."""
        pixels = np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
        quads = self._rapid.detect(pixels)
        regions = self._rapid.recognise(pixels, quads)
        kept = [region for region in regions if region.score >= MIN_SCORE]
        if _looks_foreign(quads, kept) and tesseract.can_help():
            foreign = tesseract.read_other_scripts(picture, sparse=len(quads) < _SPARSE)
            kept = [region for region in kept if not any(_covers(other, region) for other in foreign)] + foreign
        return kept


def lines_of(ocr: Sequence[OcrLine]) -> list[Line]:
    """The lines as layout lines; a block begins where the gap above is wider than usual or the text jumps."""
    lines: list[Line] = []
    for index, line in enumerate(ocr):
        starts = index == 0 or _is_apart(ocr[index - 1].box, line.box)
        lines.append(Line(line.text, line.words, starts))
    return lines


def _is_apart(above: Box, box: Box) -> bool:
    height = min(above.y1 - above.y0, box.y1 - box.y0)
    overlaps = above.x0 < box.x1 and box.x0 < above.x1
    return box.y0 - above.y1 > 0.8 * height or box.y0 < above.y0 or not overlaps


def _working_picture(image: Image) -> tuple[Image, float]:
    """RGB at the size at which text is searched, and that size over the picture's own."""
    from PIL import Image as PilImage

    scale = min(_WORK_SIDE / max(image.size), max(1.0, min(_MAX_ENLARGE, _MIN_SIDE / min(image.size))))
    picture = image if image.mode == "RGB" else image.convert("RGB")
    if abs(scale - 1) <= 0.01:
        return picture, 1.0
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return picture.resize(size, PilImage.Resampling.BICUBIC if scale > 1 else PilImage.Resampling.LANCZOS), scale


def _looks_foreign(quads: Sequence[Quad], read: Sequence[Region]) -> bool:
    """Whether much of what was found as text was not read: unknown letters come out as nothing, or as doubtful ones."""
    found = sum(_length(quad) for quad in quads)
    sure = sum(min(len(region.glyphs) / _DENSITY, _length(region.quad)) for region in read if region.score >= _SURE)
    return found > 0 and sure < _SURE_SHARE * found


def _length(quad: Quad) -> float:
    """Length of a stretch of text in heights of it."""
    width, height = (float(np.linalg.norm(quad[corner] - quad[0])) for corner in (1, 3))
    return max(width, height) / max(1.0, min(width, height))


def _covers(foreign: Region, region: Region) -> bool:
    """Whether the middle of a stretch of text lies in another."""
    x, y = region.quad.mean(axis=0)
    (x0, y0), (x1, y1) = foreign.quad.min(axis=0), foreign.quad.max(axis=0)
    return bool(x0 <= x <= x1 and y0 <= y <= y1)


def _line(row: Sequence[Region], size: tuple[float, float]) -> OcrLine:
    texts: list[str] = []
    spans: list[Span] = []
    offset = 0
    for region in _as_read(row):
        spans.extend(_words(region, size, offset))
        texts.append(region.text)
        offset += len(region.text) + 1
    corners = np.concatenate([region.quad for region in row])
    weight = sum(len(region.text) for region in row)
    score = sum(region.score * len(region.text) for region in row) / weight
    return OcrLine(" ".join(texts), _box(corners, size), tuple(spans), score)


def _as_read(row: Sequence[Region]) -> Sequence[Region]:
    """A row from left to right, or from right to left where its letters run so."""
    directions = [unicodedata.bidirectional(char) for region in row for char in region.text]
    leftward = sum(direction in ("R", "AL") for direction in directions)
    return row[::-1] if leftward > directions.count("L") else row


def _words(region: Region, size: tuple[float, float], offset: int) -> list[Span]:
    """One span per word, or per character where a script has no spaces; the box from the characters' extents."""
    if not region.glyphs:
        return [Span(offset, offset + len(region.text), _box(region.quad, size))]
    spans = []
    places = {glyph.offset: glyph for glyph in region.glyphs}
    for match in _WORD.finditer(region.text):
        start, end = places[match.start()].start, places[match.end() - 1].end
        spans.append(Span(offset + match.start(), offset + match.end(), _box(_part(region.quad, start, end), size)))
    return spans


def _part(quad: Quad, start: float, end: float) -> Quad:
    """The part of a quad between two fractions of its length."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    return np.stack([quad[0] + start * top, quad[0] + end * top, quad[3] + end * bottom, quad[3] + start * bottom])


def _box(corners: Quad, size: tuple[float, float]) -> Box:
    x = np.clip(corners[:, 0] / size[0], 0, 1)
    y = np.clip(corners[:, 1] / size[1], 0, 1)
    return Box(float(x.min()), float(y.min()), float(x.max()), float(y.max()))
