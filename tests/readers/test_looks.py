"""What pieces look like: from readers, from folders, and as a picture to search with."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from haystack_agent.errors import UsageError
from haystack_agent.records import Piece, PieceKind
from haystack_agent.vectors import Pixels
from ingest.looking import looks_of, pictures_in
from ingest.ocr.recognition import OcrEngine
from ingest.pixels.query_picture import decode_picture, load_picture
from ingest.readers.document import DocumentReader
from ingest.readers.image.reader import ImageReader
from ingest.readers.looks import look_of, packed, unpacked
from ingest.readers.protocol import ReadEvent, Seen, Source


def colour_of(look: Pixels) -> tuple[int, ...]:
    middle = 3 * (look.width * (look.height // 2) + look.width // 2)
    return tuple(look.rgb[middle : middle + 3])


def followed(events: list[ReadEvent]) -> list[tuple[Pixels, PieceKind]]:
    """Each look with the kind of the piece that it belongs to."""
    return [
        (event.looks[0], after.kind)
        for event, after in pairwise(events)
        if isinstance(event, Seen) and isinstance(after, Piece)
    ]


def test_a_look_keeps_the_proportions_but_of_very_long_pictures() -> None:
    assert (look_of(Image.new("RGB", (400, 200)), 64).width, look_of(Image.new("RGB", (400, 200)), 64).height) == (
        128,
        64,
    )
    long = look_of(Image.new("L", (3000, 10)), 64)
    assert (long.width, long.height, len(long.rgb)) == (256, 64, 256 * 64 * 3)


def test_packing_keeps_what_is_seen() -> None:
    back = unpacked(packed(Image.new("RGB", (40, 30), (200, 30, 30)))).getpixel((5, 5))
    assert isinstance(back, tuple) and abs(back[0] - 200) < 8


def test_pages_are_seen_only_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "two.pdf"
    document = pymupdf.open()
    for colour in ((1, 0, 0), (0, 0, 1)):
        page = document.new_page(width=300, height=600)
        page.draw_rect(page.rect, fill=colour)
        page.insert_text((50, 50), "Some words on a page of colour")
    document.save(path)
    document.close()
    reader = DocumentReader(OcrEngine())
    seen = followed(list(reader.read(Source(path, "asset", "pdf", look=64))))
    assert [kind for _, kind in seen] == [PieceKind.PAGE, PieceKind.PAGE]
    assert [(look.width, look.height, colour_of(look)) for look, _ in seen] == [
        (64, 128, (255, 0, 0)),
        (64, 128, (0, 0, 255)),
    ]
    assert not any(isinstance(event, Seen) for event in reader.read(Source(path, "asset", "pdf")))


def test_pictures_are_seen_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (200, 100), "white")
    picture.paste((255, 0, 0), (0, 0, 100, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right: red comes to the top
    path = tmp_path / "turned.png"
    picture.save(path, exif=exif)
    [(look, kind)] = followed(list(ImageReader(OcrEngine()).read(Source(path, "asset", "png", look=64))))
    assert kind is PieceKind.IMAGE and (look.width, look.height) == (64, 128)
    assert tuple(look.rgb[:3]) == (255, 0, 0) and tuple(look.rgb[-3:]) == (255, 255, 255)
    assert load_picture(path).getpixel((0, 0)) == (255, 0, 0)


def test_the_pictures_of_a_folder_are_looked_at_and_bad_ones_passed_over(tmp_path: Path) -> None:
    Image.new("RGB", (80, 80), "red").save(tmp_path / "red.png")
    Image.new("RGB", (80, 80), "blue").save(tmp_path / "blue.jpg")
    (tmp_path / "broken.png").write_bytes((tmp_path / "red.png").read_bytes()[:40])
    (tmp_path / "note.txt").write_text("no picture")
    found = list(looks_of(pictures_in([tmp_path], 32)))
    assert sorted(colour_of(look)[0] > 200 for look in found) == [False, True]


def test_a_coarse_picture_looks_like_the_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    gradient = Image.radial_gradient("L").resize((1600, 1200))
    Image.merge("RGB", (gradient, gradient.rotate(90), gradient.rotate(180))).save(path, quality=95)
    coarse = decode_picture(path, 64)
    assert coarse.size == (200, 150)
    one, other = (np.frombuffer(look_of(image, 64).rgb, np.uint8) for image in (coarse, decode_picture(path)))
    assert np.abs(one.astype(int) - other).mean() < 1.5


def test_what_is_no_picture_cannot_be_searched_with(tmp_path: Path) -> None:
    (tmp_path / "note.png").write_text("no picture")
    with pytest.raises(UsageError, match="is not a picture"):
        load_picture(tmp_path / "note.png")
    with pytest.raises(UsageError, match="cannot be opened"):
        load_picture(tmp_path / "none.png")
    Image.new("RGB", (80, 80), "red").save(tmp_path / "red.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "red.png").read_bytes()[:60])
    with pytest.raises(UsageError, match=r"cut\.png"):
        load_picture(tmp_path / "cut.png")
