"""Text in pictures: lines in reading order with a box for every word."""

from __future__ import annotations

import re
import statistics
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from haystack_agent.records import Box, Span
from ingest.ocr import tesseract
from ingest.ocr.layout import Line
from ingest.ocr.rapid import Pixels, Quad, RapidReader, Region
from ingest.ocr.rows import rows_in_order

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_SCORE = 0.6
"""Mean confidence under which a stretch of text is taken for noise."""
_WORK_SIDE = 2000
"""Longest side in pixels at which text is searched at first."""
_READ_SIDE = 4000
"""Longest side in pixels at which what was found is read, and small print is searched."""
_SMALL = 14.0
"""Height in pixels of a line found under which more may be found in a larger picture."""
_UPSIDE_DOWN_LINES = 3
"""Stretches of text from which a picture may be a page that stands on its head."""
_MIN_SIDE = 736
"""Shorter side to which small pictures are scaled up, within reason: small letters are found better."""
_MAX_ENLARGE = 3.0
_SURE = 0.92
_DENSITY = 0.8
"""Characters in a stretch of text as long as it is high, at least, where all of it was read."""
_SURE_SHARE = 0.6
_WORD_LENGTH = 2.0
"""Length of a word in heights at least, to be looked at by Tesseract."""
_HUGE = 0.5
"""Share of the picture's height from which one or two letters are no text."""
_SPARSE = 8
"""Stretches of text under which a picture is no page."""
_FAINT_SIDE = 512
"""Longest side at which text of little contrast is searched: a second look at a photo must cost little."""
_FAINT_SCORE = 0.97
_FAINT_LENGTH = 3
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

        A picture in which nothing is found is looked at once more for text of little contrast.

        Raises:
            ModelUnavailable: the bundled OCR models are missing.
        """
        picture = image if image.mode == "RGB" else image.convert("RGB")
        picture = _resized(picture, min(_READ_SIDE / max(picture.size), _enlargement(picture.size)))
        regions = self._regions(picture)
        if not regions:
            regions = self._faint(picture)
        return [_line(row, picture.size) for row in rows_in_order(regions)]

    def _regions(self, picture: Image) -> list[Region]:
        """Stretches of text by RapidOCR, and by Tesseract where RapidOCR sees text in letters that it does not know."""
        quads = self._detected(picture)
        regions = self._upright(_pixels(picture), quads)
        kept = _without_noise(regions, picture.height)
        lines = [quad for quad in quads if _length(quad) >= _WORD_LENGTH and _height(quad) < _HUGE * picture.height]
        if _looks_unread(lines, kept) and tesseract.can_help():
            foreign = _by_tesseract(picture, lines)
            kept = [region for region in kept if not any(_covers(other, region) for other in foreign)] + foreign
        return kept

    def _faint(self, picture: Image) -> list[Region]:
        """Text of little contrast: what stands out once the tones are spread evenly, if it is read beyond doubt."""
        from PIL import ImageOps

        scale = min(1.0, _FAINT_SIDE / max(picture.size))
        pixels = _pixels(ImageOps.equalize(_resized(picture, scale)))
        regions = self._rapid.recognise(pixels, self._rapid.detect(pixels))
        sure = [region for region in regions if region.score >= _FAINT_SCORE and len(region.text) >= _FAINT_LENGTH]
        return [replace(region, quad=region.quad / np.float32(scale)) for region in sure]

    def _detected(self, picture: Image) -> list[Quad]:
        """Quads in pixels of `picture`, found in a smaller copy unless the print is too small for that."""
        scale = min(1.0, _WORK_SIDE / max(picture.size))
        quads = self._rapid.detect(_pixels(_resized(picture, scale)))
        heights = [_height(quad) for quad in quads]
        if scale < 1 and len(quads) >= _SPARSE and statistics.median(heights) < _SMALL:
            scale = 1.0
            quads = self._rapid.detect(_pixels(picture))
        return [quad / np.float32(scale) for quad in quads]

    def _upright(self, pixels: Pixels, quads: list[Quad]) -> list[Region]:
        """What stands in the quads, read from the other side where the picture seems to stand on its head."""
        regions = self._rapid.recognise(pixels, quads)
        if len(quads) < _UPSIDE_DOWN_LINES or not _looks_unread(quads, regions):
            return regions
        flipped = self._rapid.recognise(pixels, [np.roll(quad, 2, axis=0) for quad in quads])
        return regions if _looks_unread(quads, flipped) else flipped


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


def _enlargement(size: tuple[int, int]) -> float:
    """How much a small picture is scaled up."""
    return max(1.0, min(_MAX_ENLARGE, _MIN_SIDE / min(size)))


def _resized(picture: Image, scale: float) -> Image:
    from PIL.Image import Resampling

    if abs(scale - 1) <= 0.01:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Resampling.BICUBIC if scale > 1 else Resampling.LANCZOS)


def _pixels(picture: Image) -> Pixels:
    """BGR, as the engine wants it."""
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


def _height(quad: Quad) -> float:
    return min(float(np.linalg.norm(quad[corner] - quad[0])) for corner in (1, 3))


def _without_noise(regions: Sequence[Region], height: int) -> list[Region]:
    """What is read with confidence; in a picture with little text, single letters must be surer and not huge.

    Wheels, windows and whole faces are otherwise read as an 8, an O or a 1.
    """
    kept = [region for region in regions if region.score >= MIN_SCORE]
    if len(kept) >= _SPARSE:
        return kept
    return [
        region
        for region in kept
        if len(region.text) > 2 or (region.score >= _SURE and _height(region.quad) < _HUGE * height)
    ]


def _looks_unread(quads: Sequence[Quad], read: Sequence[Region]) -> bool:
    """Whether much of what was found as text was not read: unknown letters come out as nothing, or as doubtful ones."""
    found = sum(_length(quad) for quad in quads)
    sure = sum(min(len(region.glyphs) / _DENSITY, _length(region.quad)) for region in read if region.score >= _SURE)
    return found > 0 and sure < _SURE_SHARE * found


def _by_tesseract(picture: Image, quads: Sequence[Quad]) -> list[Region]:
    """What Tesseract reads in the part of the picture where text was found: the whole of a photo takes it long."""
    corners = np.concatenate(quads)
    margin = max(map(_height, quads))
    left, top = np.maximum(corners.min(axis=0) - margin, 0).astype(int).tolist()
    right, bottom = np.minimum(corners.max(axis=0) + margin, picture.size).astype(int).tolist()
    scale = min(1.0, _WORK_SIDE / max(right - left, bottom - top))
    part = _resized(picture.crop((left, top, right, bottom)), scale)
    regions = tesseract.read_other_scripts(part, sparse=len(quads) < _SPARSE)
    place = np.array([left, top], dtype=np.float32)
    return [replace(region, quad=region.quad / np.float32(scale) + place) for region in regions]


def _length(quad: Quad) -> float:
    """Length of a stretch of text in heights of it."""
    width, height = (float(np.linalg.norm(quad[corner] - quad[0])) for corner in (1, 3))
    return max(width, height) / max(1.0, min(width, height))


def _covers(foreign: Region, region: Region) -> bool:
    """Whether the middle of a stretch of text lies in another."""
    x, y = region.quad.mean(axis=0)
    (x0, y0), (x1, y1) = foreign.quad.min(axis=0), foreign.quad.max(axis=0)
    return bool(x0 <= x <= x1 and y0 <= y <= y1)


def _line(row: Sequence[Region], size: tuple[int, int]) -> OcrLine:
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


def _words(region: Region, size: tuple[int, int], offset: int) -> list[Span]:
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


def _box(corners: Quad, size: tuple[int, int]) -> Box:
    x = np.clip(corners[:, 0] / size[0], 0, 1)
    y = np.clip(corners[:, 1] / size[1], 0, 1)
    return Box(float(x.min()), float(y.min()), float(x.max()), float(y.max()))
