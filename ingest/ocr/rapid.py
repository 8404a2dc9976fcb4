"""Text regions of a picture by RapidOCR with the models inside its package: nothing is ever downloaded."""

from __future__ import annotations

import itertools
import math
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haystack_agent.errors import ModelUnavailable
from ingest.ocr.spacing import split_words

if TYPE_CHECKING:
    from rapidocr import RapidOCR

Pixels = NDArray[np.uint8]
Quad = NDArray[np.float32]
_Crop = tuple[Pixels, Quad, bool]
"""A line of text turned upright, its quad with the text's top left first, and whether it stood on its side."""

_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}
_TALL = 1.5
"""Height to width from which a crop is taken for a line of text that stands on its side."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character that is not a space: offset in the text and extent along the line, in fractions of its length."""

    offset: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Region:
    """One stretch of text: `quad` is (4, 2), corners in pixels clockwise from where the text's top left is."""

    text: str
    score: float
    quad: Quad
    glyphs: tuple[Glyph, ...]
    tall: bool = False


class RapidReader:
    """Detects and recognises text; the models load at the first call."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._engine: RapidOCR | None = None

    def detect(self, pixels: Pixels) -> list[Quad]:
        """Quads around stretches of text in BGR pixels (height, width, 3), in pixels."""
        found = self._loaded()(pixels, use_det=True, use_cls=False, use_rec=False)
        boxes = getattr(found, "boxes", None)
        return [] if boxes is None else [np.asarray(box, dtype=np.float32) for box in boxes]

    def recognise(self, pixels: Pixels, quads: list[Quad]) -> list[Region]:
        """What stands in each quad, in their order; a quad in which nothing is read is left out."""
        engine = self._loaded()
        upright = [_upright(pixels, quad) for quad in quads]
        kept = [item for item in upright if item is not None]
        if not kept:
            return []
        kept = [_unturned(engine, *item) if item[2] else item for item in kept]
        result = engine.recognize_txt([crop for crop, _, _ in kept])
        rows = zip(kept, result.txts or (), result.scores, result.word_results, strict=True)
        regions = (_region(text, score, info, item) for item, text, score, info in rows)
        return [region for region in regions if region is not None]

    def _loaded(self) -> RapidOCR:
        if self._engine is None:
            self._engine = _open(self._threads)
        return self._engine


def _open(threads: int) -> RapidOCR:
    params: dict[str, Any] = {f"{part}.model_path": str(_model_file(name)) for part, name in _MODELS.items()}
    params |= {
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Global.log_level": "critical",
        "Global.return_word_box": True,
        # The picture comes at the size at which it is to be searched: the engine must not scale it again.
        "Global.use_preprocess_img": False,
        "Det.limit_type": "max",
        "Det.limit_side_len": 1 << 16,
    }
    # Read once, when ONNX Runtime is loaded: without it, its packages from PyPI report to their maker.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from rapidocr import RapidOCR

    return RapidOCR(params=params)


def _model_file(name: str) -> Path:
    """The model inside the installed package: with a path given, RapidOCR has no reason to fetch one."""
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise ModelUnavailable("The Python package 'rapidocr' is not installed: install rapidocr==3.10.0.")
    path = Path(spec.origin).parent / "models" / name
    if not path.is_file():
        raise ModelUnavailable(
            f"The OCR model {name} is missing from the package 'rapidocr': reinstall rapidocr==3.10.0."
        )
    return path


def _upright(pixels: Pixels, quad: Quad) -> _Crop | None:
    """The crop turned so that its text runs to the right, its quad likewise, and whether it was turned."""
    import cv2

    width = round(max(math.dist(quad[0], quad[1]), math.dist(quad[3], quad[2])))
    height = round(max(math.dist(quad[0], quad[3]), math.dist(quad[1], quad[2])))
    if width < 3 or height < 3:
        return None
    tall = height >= _TALL * width
    if tall:  # a quarter turn against the clock brings text that reads downwards upright
        quad, width, height = np.roll(quad, -1, axis=0), height, width
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad, corners)
    crop = cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, dtype=np.uint8), quad, tall


def _unturned(engine: RapidOCR, crop: Pixels, quad: Quad, tall: bool) -> _Crop:
    """Turn a crop by half where the classifier sees it upside down (text that reads upwards, as beside charts)."""
    _, result = engine.cls_and_rotate([crop])
    label, score = (result.cls_res or [("0", 0.0)])[0]
    if label != "180" or score < 0.9:
        return crop, quad, tall
    return np.ascontiguousarray(crop[::-1, ::-1]), np.roll(quad, 2, axis=0), tall


def _region(text: str, score: float, info: Any, place: _Crop) -> Region | None:
    """A result with single spaces only; `None` where it holds no letter and no digit: marks alone are mostly noise."""
    if info.line_txt_len <= 0 or not any(char.isalnum() for char in text):
        return None
    crop, quad, tall = place
    centres = [(column + 0.5) / info.line_txt_len for word in info.word_cols for column in word]
    clean = " ".join(split_words(text.split(), crop, centres))
    offsets = [offset for offset, char in enumerate(clean) if char != " "]
    glyphs = _glyphs(offsets, centres) if len(centres) == len(offsets) else ()
    return Region(clean, float(score), quad, glyphs, tall)


def _glyphs(offsets: list[int], centres: list[float]) -> tuple[Glyph, ...]:
    """Extents from centres: half way to a neighbour, but no further than half a usual advance."""
    advances = sorted(b - a for a, b in itertools.pairwise(centres))
    half = (advances[len(advances) // 2] if advances else 1 / max(1, len(centres))) / 2
    glyphs = []
    for index, (offset, centre) in enumerate(zip(offsets, centres, strict=True)):
        left = centres[index - 1] if index else -1.0
        right = centres[index + 1] if index + 1 < len(centres) else 2.0
        start = max(0.0, centre - min(half, (centre - left) / 2))
        end = min(1.0, centre + min(half, (right - centre) / 2))
        glyphs.append(Glyph(offset, start, max(start, end)))
    return tuple(glyphs)
