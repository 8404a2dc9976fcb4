"""Text in pictures: lines in reading order with a box for every word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from haystack_agent.records import Box, Span
from ingest.layout import Line
from ingest.rapid import Pixels, Quad, RapidReader, Region
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
        pixels, scale = _working_pixels(image)
        regions = self._rapid.recognise(pixels, self._rapid.detect(pixels))
        size = (image.width * scale, image.height * scale)
        kept = [region for region in regions if region.score >= MIN_SCORE]
        return [_line(row, size) for row in rows_in_order(kept)]


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


def _working_pixels(image: Image) -> tuple[Pixels, float]:
    """BGR pixels at the size at which text is searched, and that size over the picture's own."""
    from PIL import Image as PilImage

    scale = min(_WORK_SIDE / max(image.size), max(1.0, min(_MAX_ENLARGE, _MIN_SIDE / min(image.size))))
    picture = image if image.mode == "RGB" else image.convert("RGB")
    if abs(scale - 1) > 0.01:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        picture = picture.resize(size, PilImage.Resampling.BICUBIC if scale > 1 else PilImage.Resampling.LANCZOS)
    else:
        scale = 1.0
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1]), scale


def _line(row: Sequence[Region], size: tuple[float, float]) -> OcrLine:
    texts: list[str] = []
    spans: list[Span] = []
    offset = 0
    for region in row:
        spans.extend(_words(region, size, offset))
        texts.append(region.text)
        offset += len(region.text) + 1
    corners = np.concatenate([region.quad for region in row])
    weight = sum(len(region.text) for region in row)
    score = sum(region.score * len(region.text) for region in row) / weight
    return OcrLine(" ".join(texts), _box(corners, size), tuple(spans), score)


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
