"""The calls that indexing cannot spare, with nothing around them: RapidOCR on every picture it read, the encoder on
every text it encoded.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL.Image import Image

from haystack_agent.encoders.pieces import dense_text
from haystack_agent.encoders.profile import OFFLINE
from haystack_agent.errors import ReadFailed
from haystack_agent.records import Piece
from ingest.files.sniff import HEAD_BYTES, sniff
from ingest.ocr.recognition import OcrEngine, OcrLine
from ingest.readers.protocol import Source
from ingest.readers.registry import default_registry


class RecordingOcr(OcrEngine):
    """Reads as its parent does, and keeps a copy of each picture it was given."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.pictures: list[Path] = []

    def read(self, image: Image) -> list[OcrLine]:
        """See `OcrEngine.read`."""
        path = self._folder / f"{len(self.pictures)}.bmp"
        image.convert("RGB").save(path)
        self.pictures.append(path)
        return super().read(image)


def bare_seconds(folder: Path, processes: int) -> float:
    """Seconds of RapidOCR on the folder's pictures, shared out to processes of one thread, and of the encoder."""
    with tempfile.TemporaryDirectory() as scratch:
        pictures, texts = _inputs(folder, Path(scratch))
        # Longest first and dealt out in turn, so that the processes end together.
        pictures.sort(key=lambda path: -path.stat().st_size)
        shares = [pictures[place::processes] for place in range(processes)]
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            ocr = max(pool.map(_read_all, shares), default=0.0)
    encoder = OFFLINE.load().text
    encoder.encode_query("warm")
    began = time.perf_counter()
    encoder.encode_passages(texts)
    return ocr + time.perf_counter() - began


def _inputs(folder: Path, scratch: Path) -> tuple[list[Path], list[str]]:
    """The pictures given to OCR and the texts given to the encoder."""
    import importlib

    ocr = RecordingOcr(scratch)
    texts: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            media_type = sniff(path, file.read(HEAD_BYTES))
        entry = default_registry().entry(media_type) if media_type else None
        if media_type is None or entry is None:
            continue
        construct = getattr(importlib.import_module(entry.module), entry.name)
        reader = construct(ocr) if entry.ocr else construct()
        try:
            events = list(reader.read(Source(path, path.name, media_type)))
        except ReadFailed:
            continue
        texts += [text for event in events if isinstance(event, Piece) and (text := dense_text(event))]
    return ocr.pictures, texts


def _read_all(paths: Sequence[Path]) -> float:
    """Seconds that a plain RapidOCR of one thread takes for pictures on disk, loading them not counted."""
    import numpy as np
    from PIL import Image as Images
    from rapidocr import RapidOCR

    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": 1, "EngineConfig.onnxruntime.inter_op_num_threads": 1}
    engine = RapidOCR(params={**threads, "Global.log_level": "error"})
    total = 0.0
    for path in paths:
        with Images.open(path) as image:
            pixels = np.asarray(image)[:, :, ::-1]
        began = time.perf_counter()
        engine(pixels, return_word_box=True)
        total += time.perf_counter() - began
    return total
