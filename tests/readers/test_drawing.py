"""Drawing evidence for a model, and a place for a person, from real files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from eval.sample import folder as sample
from haystack_agent.answering.pictures import PictureWanted
from haystack_agent.errors import ReadFailed
from haystack_agent.records import AssetMeta, Box, Evidence, Locator, Modality, Piece, PieceKind
from ingest.draw import drawing
from ingest.draw.drawing import EvidenceRenderer, draw_place, frame_times

KINDS = {
    Modality.DOCUMENT: PieceKind.PASSAGE,
    Modality.IMAGE: PieceKind.IMAGE,
    Modality.VIDEO: PieceKind.SEGMENT,
}


def evidence(path: Path, modality: Modality, locator: Locator = Locator(), frames: tuple[float, ...] = ()) -> Evidence:
    media_type = {".jpg": "jpeg"}.get(path.suffix, path.suffix[1:])
    meta = AssetMeta(media_type)
    piece = Piece(path.name, KINDS[modality], modality, 0, locator, "text", meta, key_frames=frames)
    return Evidence(piece, (str(path),), 1.0)


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(BytesIO(jpeg))


def test_every_kind_of_evidence_is_drawn_from_its_file(tmp_path: Path) -> None:
    for name, colour in (("red.jpg", "red"), ("blue.png", "blue")):
        Image.new("RGB", (900, 600), colour).save(tmp_path / name)
    document = pymupdf.open()
    for number in range(2):
        document.new_page(width=300, height=400).insert_text((50, 50 + 200 * number), "words")
    document.save(tmp_path / "two.pdf")
    document.close()
    sample.write_video(tmp_path / "clip.mp4")
    (tmp_path / "note.txt").write_text("no look")
    Image.new("RGB", (90, 60)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:60])
    box = Box(0.1, 0.6, 0.5, 0.7)
    wanted = [
        PictureWanted(evidence(tmp_path / "red.jpg", Modality.IMAGE), 300),
        PictureWanted(evidence(tmp_path / "cut.png", Modality.IMAGE), 300),
        PictureWanted(evidence(tmp_path / "gone.png", Modality.IMAGE), 300),
        PictureWanted(evidence(tmp_path / "blue.png", Modality.IMAGE), 300),
        PictureWanted(evidence(tmp_path / "note.txt", Modality.DOCUMENT, Locator(page=1)), 300),
        PictureWanted(evidence(tmp_path / "two.pdf", Modality.DOCUMENT, Locator(page=2, boxes=(box,))), 400),
        PictureWanted(evidence(tmp_path / "clip.mp4", Modality.VIDEO, Locator(start=0, end=20), (0.5, 17.0)), 320, 2),
    ]
    red, cut, gone, blue, note, page, frames = EvidenceRenderer().render(wanted)
    assert opened(red[0].jpeg).size == (300, 200) and opened(red[0].jpeg).getpixel((9, 9)) == (254, 0, 0)
    assert not cut and not gone and not note
    assert opened(blue[0].jpeg).size == (300, 200)
    marked = np.asarray(opened(page[0].jpeg)).astype(int)
    assert max(marked.shape) == 400 and "page 2" in page[0].label and "marked" in page[0].label
    assert marked[260, 80, 2] < 190 and marked[100, 80, 2] > 240
    assert [one.label for one in frames] == ["frame at 0.5 s", "frame at 17.0 s"]
    assert np.abs(np.asarray(opened(frames[0].jpeg)).astype(int) - np.asarray(opened(frames[1].jpeg))).mean() > 1


def test_what_crashes_costs_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (90, 60), "red").save(tmp_path / "red.png")
    wanted = [PictureWanted(evidence(tmp_path / "red.png", Modality.IMAGE), 64)] * 3
    real, runs = drawing._process, []

    def crashing(requests: list[dict[str, object]], limit: float) -> list[dict[str, object]]:
        """The first process dies over its second request."""
        runs.append(len(requests))
        return real(requests[:1] if len(runs) == 1 else requests, limit)

    monkeypatch.setattr(drawing, "_process", crashing)
    first, second, third = EvidenceRenderer().render(wanted)
    assert first and not second and third and runs == [3, 1]


def test_a_place_is_drawn_for_a_person_or_a_reason_given(tmp_path: Path) -> None:
    Image.new("RGB", (90, 60), "red").save(tmp_path / "red.jpg")
    shown = draw_place(tmp_path / "red.jpg", "jpeg", Locator(), tmp_path / "shown")
    with Image.open(shown) as image:
        assert shown.suffix == ".png" and image.size == (90, 60)
    with pytest.raises(ReadFailed, match="no page 3"):
        draw_place(tmp_path / "red.jpg", "jpeg", Locator(page=3), tmp_path / "shown")


def test_frames_cover_what_goes_by_unseen() -> None:
    def times(keys: tuple[float, ...], start: float, end: float, most: int) -> list[float]:
        return frame_times(evidence(Path("a.mp4"), Modality.VIDEO, Locator(start=start, end=end), keys).piece, most)

    assert times((1.0,), 0, 20, 3) == [1.0, 10.5, 15.25]
    assert times((0.5,), 0, 1, 4) == [0.5]
    assert times(tuple(map(float, range(10))), 0, 10, 3) == [0, 4, 9]
    assert times((), 3, 3, 4) == [3]
