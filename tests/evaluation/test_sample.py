"""The sample folder holds what it promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.sample.folder import FILES, SPOKEN, make_sample
from ingest.files.sniff import HEAD_BYTES, sniff

TYPES = {
    "bicycle/invoice.pdf": "pdf",
    "bicycle/flat tyre.mp4": "mp4",
    "garden/minutes.docx": "docx",
    "garden/huerto.md": "markdown",
    "home/budget.xlsx": "xlsx",
    "home/lease (scan).pdf": "pdf",
    "home/recette.png": "png",
    "outings/koncert.webp": "webp",
    "outings/图书馆.jpg": "jpeg",
    "photos/IMG_0412.jpg": "jpeg",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    assert len(make_sample(folder)) == len(FILES)
    return folder


def test_files_are_what_their_names_say(folder: Path) -> None:
    for name, media_type in TYPES.items():
        path = folder / name
        assert sniff(path, path.read_bytes()[:HEAD_BYTES]) == media_type, name


def test_nothing_else_lies_in_the_folder(folder: Path) -> None:
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == set(FILES)


def test_the_scan_has_no_text_and_the_invoice_has(folder: Path) -> None:
    import pymupdf

    with pymupdf.open(folder / "home/lease (scan).pdf") as scan:
        assert not scan[0].get_text().strip()
        assert len(scan[0].get_images()) == 1
    with pymupdf.open(folder / "bicycle/invoice.pdf") as invoice:
        assert invoice.page_count == 2
        assert "£339.40" in invoice[1].get_text()
        assert invoice.metadata["title"] == "Invoice BW-2026-0317"


def test_photos_carry_date_and_place(folder: Path) -> None:
    from PIL import ExifTags, Image

    with Image.open(folder / "photos/IMG_0412.jpg") as photo:
        exif = photo.getexif()
        assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2025:07:19 18:42:10"
        degrees, minutes, _seconds = exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude]
        assert (degrees, minutes) == (38, 42)


def test_the_clip_has_four_scenes_and_subtitles(folder: Path) -> None:
    assert all(words in (folder / "bicycle/flat tyre.srt").read_text("utf-8") for words in SPOKEN)
    corners = [colour for _seconds, colour in wall_colours(folder / "bicycle/flat tyre.mp4")]
    changes = [at for at in range(1, len(corners)) if distance(corners[at], corners[at - 1]) > 12]
    assert len(corners) == 160
    assert changes == [40, 80, 120]


def wall_colours(path: Path) -> Iterator[tuple[float, tuple[int, ...]]]:
    import av

    with av.open(str(path)) as clip:
        for frame in clip.decode(video=0):
            assert frame.time is not None
            yield frame.time, tuple(int(part) for part in frame.to_ndarray(format="rgb24")[3, 3])


def distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def test_a_second_call_writes_nothing(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    make_sample(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_pdfs_are_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    for name in ("bicycle/invoice.pdf", "outings/jízdní řád.pdf"):
        FILES[name](tmp_path / "again.pdf")
        assert (tmp_path / "again.pdf").read_bytes() == (folder / name).read_bytes()
