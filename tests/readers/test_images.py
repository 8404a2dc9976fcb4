"""The image reader: every format, orientation, metadata, pages, passages, damage and limits; on files made here."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from haystack_agent.errors import ReadFailed, ReadLimitExceeded, UnsupportedFile
from haystack_agent.records import AssetMeta, Modality, Piece, PieceKind
from ingest.ocr.recognition import OcrEngine
from ingest.pixels.gazetteer import nearest_place
from ingest.pixels.pictures import to_rgb
from ingest.readers.image.exif import parse_date
from ingest.readers.image.reader import MEDIA_TYPES, ImageReader
from ingest.readers.protocol import Progress, ReadEvent, Source, Warned
from tests.support.paths import SHARED

MEDIA = SHARED / "real_media" / "images"
WORDS = "Meeting room 4711"


@pytest.fixture(scope="module")
def reader() -> ImageReader:
    return ImageReader(OcrEngine())


def drawn(text: str = WORDS, size: tuple[int, int] = (400, 120), mode: str = "RGB") -> Image.Image:
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).multiline_text((20, 30), text, font=ImageFont.load_default(32), fill="black")
    return picture.convert(mode)


def events(reader: ImageReader, path: Path, media_type: str) -> list[ReadEvent]:
    return list(reader.read(Source(path, "asset", media_type)))


def pieces(reader: ImageReader, path: Path, media_type: str) -> list[Piece]:
    return [event for event in events(reader, path, media_type) if isinstance(event, Piece)]


def meta_of(reader: ImageReader, path: Path, media_type: str = "jpeg") -> AssetMeta:
    return pieces(reader, path, media_type)[0].meta


FORMATS = {
    "jpeg": ("JPEG", "RGB"),
    "png": ("PNG", "RGB"),
    "gif": ("GIF", "P"),
    "webp": ("WEBP", "RGB"),
    "tiff": ("TIFF", "RGB"),
    "bmp": ("BMP", "RGB"),
    "heic": ("HEIF", "RGB"),
    "avif": ("AVIF", "RGB"),
    "jp2": ("JPEG2000", "RGB"),
    "ppm": ("PPM", "RGB"),
    "ico": ("ICO", "RGBA"),
    "tga": ("TGA", "RGB"),
}


def test_every_type_is_tried() -> None:
    assert set(FORMATS) == MEDIA_TYPES


@pytest.mark.parametrize("media_type", sorted(FORMATS))
def test_formats(reader: ImageReader, tmp_path: Path, media_type: str) -> None:
    name, mode = FORMATS[media_type]
    if media_type == "heic":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    size = (250, 120) if media_type == "ico" else (400, 120)
    text = "Room 4711" if media_type == "ico" else WORDS
    path = tmp_path / "picture.bin"
    if media_type == "ico":
        drawn(text, size, mode).save(path, name, sizes=[size])
    else:
        drawn(text, size, mode).save(path, name)
    (piece,) = pieces(reader, path, media_type)
    assert (piece.kind, piece.modality, piece.index, piece.ocr) == (PieceKind.IMAGE, Modality.IMAGE, 0, True)
    assert piece.text == text
    assert [piece.text[span.start : span.end] for span in piece.spans] == text.split()
    assert (piece.meta.media_type, piece.meta.width, piece.meta.height) == (media_type, *size)
    assert piece.locator.page is None


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16", "RGBA", "LA", "YCbCr", "F", "I"])
def test_colour_modes(reader: ImageReader, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.tif"
    if mode == "I;16":
        grey = np.asarray(drawn(mode="L"), dtype=np.uint16) * 257
        Image.fromarray(grey).save(path, "TIFF")
    elif mode == "YCbCr":  # as scanners write it: Pillow 12.3 cannot read its own uncompressed ones again
        drawn(mode=mode).save(path, "TIFF", compression="jpeg")
    else:
        drawn(mode=mode).save(path, "TIFF")
    assert pieces(reader, path, "tiff")[0].text == WORDS


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_transparency_is_seen_on_white(mode: str) -> None:
    layered = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    layered.paste((200, 0, 0, 255), (0, 0, 20, 20))
    buffer = io.BytesIO()
    layered.convert(mode).save(buffer, "PNG")
    with Image.open(buffer) as image:
        seen = to_rgb(image)
    assert seen.getpixel((30, 10)) == (255, 255, 255)
    assert seen.getpixel((5, 10)) == pytest.approx((200, 0, 0), abs=3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(reader: ImageReader, tmp_path: Path, orientation: int) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    picture = drawn()
    stored = picture.transpose(back[orientation]) if orientation > 1 else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "turned.jpg", exif=exif)
    (piece,) = pieces(reader, tmp_path / "turned.jpg", "jpeg")
    assert piece.text == WORDS
    assert (piece.meta.width, piece.meta.height) == (400, 120)
    box = piece.spans[0].box
    assert box is not None
    assert (box.x0, box.y0) == pytest.approx((20 / 400, 33 / 120), abs=0.06)


def test_exif_metadata(reader: ImageReader, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "The fortress above the river"
    exif[0x010F], exif[0x0110] = "NIKON CORPORATION", "NIKON D90"
    exif[0x013B] = "Ada Example"
    exif[0x9C9E] = "castle;river".encode("utf-16-le")
    exif.get_ifd(0x8769).update({0x9003: "2019:07:04 18:30:15", 0x9011: "+02:00"})
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 47.0, 42.0), 3: "E", 4: (13.0, 2.0, 48.0)})
    drawn().save(tmp_path / "a.jpg", exif=exif)
    meta = meta_of(reader, tmp_path / "a.jpg")
    assert meta.caption == "The fortress above the river"
    assert meta.camera == "NIKON D90"
    assert meta.author == "Ada Example"
    assert meta.keywords == ("castle", "river")
    assert meta.created == datetime(2019, 7, 4, 18, 30, 15, tzinfo=timezone(timedelta(hours=2)))
    assert meta.place == "Salzburg, Austria"


def test_what_cameras_write_by_themselves_is_no_caption(reader: ImageReader, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "OLYMPUS DIGITAL CAMERA         "
    exif[0x0132] = "0000:00:00 00:00:00"
    drawn().save(tmp_path / "a.jpg", exif=exif)
    meta = meta_of(reader, tmp_path / "a.jpg")
    assert (meta.caption, meta.created) == ("", None)


@pytest.mark.parametrize("seed", range(8))
def test_malformed_exif_never_fails_the_file(reader: ImageReader, tmp_path: Path, seed: int) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0110] = "caption", "camera"
    exif.get_ifd(0x8769).update({0x9003: "2019:07:04 18:30:15", 0x9286: b"ASCII\0\0\0hello"})
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 47.0, 42.0), 3: "E", 4: (13.0, 2.0, 48.0)})
    random = np.random.default_rng(seed)
    data = bytearray(exif.tobytes())
    for place in random.integers(6, len(data), 25):
        data[place] = random.integers(0, 256)
    drawn().save(tmp_path / "a.jpg", exif=bytes(data))
    assert len(pieces(reader, tmp_path / "a.jpg", "jpeg")) == 1


def test_xmp_title_caption_and_keywords(reader: ImageReader, tmp_path: Path) -> None:
    xmp = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
        photoshop:City="Graz" photoshop:DateCreated="2020-02-03T04:05:06Z">
       <dc:title><rdf:Alt><rdf:li xml:lang="de">Uhrturm</rdf:li><rdf:li xml:lang="x-default">Clock tower</rdf:li>
       </rdf:Alt></dc:title>
       <dc:description><rdf:Alt><rdf:li xml:lang="x-default">Seen from below</rdf:li></rdf:Alt></dc:description>
       <dc:subject><rdf:Bag><rdf:li>tower</rdf:li><rdf:li>clock</rdf:li></rdf:Bag></dc:subject>
      </rdf:Description></rdf:RDF></x:xmpmeta>"""
    drawn().save(tmp_path / "a.jpg", xmp=xmp.encode())
    meta = meta_of(reader, tmp_path / "a.jpg")
    assert (meta.title, meta.caption, meta.keywords) == ("Clock tower", "Seen from below", ("tower", "clock"))
    assert meta.place == "Graz"
    assert meta.created == datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_xmp_reads_no_file_and_unfolds_nothing(reader: ImageReader, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do not tell")
    xmp = f"""<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]><x xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description><dc:title>&e;</dc:title>
      </rdf:Description></x>"""
    drawn().save(tmp_path / "a.jpg", xmp=xmp.encode())
    assert "do not tell" not in meta_of(reader, tmp_path / "a.jpg").title


def iptc(fields: list[tuple[int, bytes]]) -> bytes:
    """An APP13 segment of a JPEG with IPTC fields of record 2."""
    body = b"".join(b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(value)) + value for number, value in fields)
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(body)) + body + b"\0" * (len(body) % 2)
    data = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + struct.pack(">H", len(data) + 2) + data


def test_iptc(reader: ImageReader, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    drawn().save(buffer, "JPEG")
    fields = [
        (5, b"Harbour"),
        (25, b"ships"),
        (25, "Fl\u00fcsse".encode("latin-1")),
        (120, b"Ships at dusk"),
        (90, b"Rijeka"),
    ]
    fields.append((55, b"20180605"))
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue()[:2] + iptc(fields) + buffer.getvalue()[2:])
    meta = meta_of(reader, tmp_path / "a.jpg")
    assert (meta.title, meta.caption, meta.keywords) == ("Harbour", "Ships at dusk", ("ships", "Flüsse"))
    assert (meta.place, meta.created) == ("Rijeka", datetime(2018, 6, 5, tzinfo=UTC))


def test_png_text(reader: ImageReader, tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("Title", "Plan of the house")
    info.add_itxt("Description", "Erdgeschoß, größer")
    drawn().save(tmp_path / "a.png", pnginfo=info)
    meta = meta_of(reader, tmp_path / "a.png", "png")
    assert (meta.title, meta.caption) == ("Plan of the house", "Erdgeschoß, größer")


def test_pages_of_a_tiff(reader: ImageReader, tmp_path: Path) -> None:
    first, *others = [drawn(f"Page number {number}") for number in (1, 2, 3)]
    first.save(tmp_path / "a.tif", save_all=True, append_images=others)
    found = events(reader, tmp_path / "a.tif", "tiff")
    read = [event for event in found if isinstance(event, Piece)]
    assert [(piece.locator.page, piece.text) for piece in read] == [(n, f"Page number {n}") for n in (1, 2, 3)]
    assert [piece.index for piece in read] == [0, 1, 2]
    assert read[0].meta.pages == 3
    assert [event for event in found if isinstance(event, Progress)][-1] == Progress(3, 3)


def test_animation_is_noted(reader: ImageReader, tmp_path: Path) -> None:
    drawn("First frame").save(tmp_path / "a.gif", save_all=True, append_images=[drawn("Second frame")])
    found = events(reader, tmp_path / "a.gif", "gif")
    assert [event.text for event in found if isinstance(event, Piece)] == ["First frame"]
    assert any(isinstance(event, Warned) and "first of 2 frames" in event.message for event in found)


def test_long_text_gives_passages(reader: ImageReader, tmp_path: Path) -> None:
    lines = [f"Line {n} tells about the harbour and its many ships" for n in range(24)]
    drawn("\n".join(lines), (900, 1060)).save(tmp_path / "a.png")
    whole, *passages = pieces(reader, tmp_path / "a.png", "png")
    assert whole.text.splitlines() == lines
    assert len(passages) >= 2
    assert "\n".join(piece.text for piece in passages) == whole.text
    for index, piece in enumerate(passages, 1):
        assert (piece.kind, piece.modality, piece.index) == (PieceKind.PASSAGE, Modality.IMAGE, index)
        assert len(piece.locator.boxes) == len(piece.text.splitlines())
        assert all(" " not in piece.text[span.start : span.end] for span in piece.spans)


def test_tiny_picture_is_a_piece_without_text(reader: ImageReader, tmp_path: Path) -> None:
    Image.new("RGB", (16, 16), "red").save(tmp_path / "a.png")
    (piece,) = pieces(reader, tmp_path / "a.png", "png")
    assert (piece.text, piece.spans, piece.ocr) == ("", (), False)


def test_truncated_file_is_read_as_far_as_it_goes(reader: ImageReader, tmp_path: Path) -> None:
    drawn(f"{WORDS}\n\n\n\n\n\nlost", (400, 400)).save(tmp_path / "a.jpg", quality=95)
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[: len(data) * 3 // 4])
    found = events(reader, tmp_path / "a.jpg", "jpeg")
    assert any(isinstance(event, Warned) and "damaged" in event.message for event in found)
    assert WORDS in next(event.text for event in found if isinstance(event, Piece))


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        ("jpeg", b"\xff\xd8\xff\xe0"),
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("png", b""),
        ("tiff", b"II*\0\x08\0\0\0\xff\xff"),
        ("gif", b"GIF89a\x01\0"),
        ("webp", b"RIFF\x10\0\0\0WEBPVP8 "),
        ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
        ("avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"),
        ("jpeg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"),
    ],
)
def test_what_is_no_picture_fails_in_one_line(
    reader: ImageReader, tmp_path: Path, media_type: str, data: bytes
) -> None:
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(ReadFailed) as failure:
        events(reader, tmp_path / "a.bin", media_type)
    assert "\n" not in str(failure.value)
    assert str(tmp_path) not in str(failure.value)


def test_pixel_bomb_is_refused_before_it_is_decoded(reader: ImageReader, tmp_path: Path) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(bomb)
    with pytest.raises(ReadLimitExceeded):
        events(reader, tmp_path / "a.png", "png")


def test_other_types_and_vanished_files(reader: ImageReader, tmp_path: Path) -> None:
    drawn().save(tmp_path / "a.png")
    with pytest.raises(UnsupportedFile):
        events(reader, tmp_path / "a.png", "eps")
    with pytest.raises(ReadFailed):
        events(reader, tmp_path / "gone.png", "png")


def test_same_bytes_give_the_same_pieces(reader: ImageReader, tmp_path: Path) -> None:
    drawn().save(tmp_path / "a.png")
    assert pieces(reader, tmp_path / "a.png", "png") == pieces(reader, tmp_path / "a.png", "png")


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("2019:07:04 18:30:15", "", datetime(2019, 7, 4, 18, 30, 15, tzinfo=UTC)),
        ("2019-07-04T18:30:15-05:30", "", datetime(2019, 7, 4, 18, 30, 15, tzinfo=timezone(-timedelta(hours=5.5)))),
        ("20190704", "", datetime(2019, 7, 4, tzinfo=UTC)),
        ("2019:02:31 00:00:00", "", None),
        ("0000:00:00 00:00:00", "", None),
        ("yesterday", "", None),
        ("", "", None),
    ],
)
def test_dates(text: str, offset: str, expected: datetime | None) -> None:
    assert parse_date(text, offset) == expected


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        (48.8584, 2.2945, "Paris, France"),
        (-33.857, 151.215, "Sydney, Australia"),
        (35.0, -40.0, ""),
        (91.0, 0.0, ""),
        (float("nan"), 0.0, ""),
    ],
)
def test_places(latitude: float, longitude: float, place: str) -> None:
    assert nearest_place(latitude, longitude) == place


def test_real_photo(reader: ImageReader) -> None:
    path = MEDIA / "img_046.jpg"
    if not path.exists():
        pytest.skip("shared/real_media is not here: the check on real pictures needs it")
    meta = meta_of(reader, path)
    assert meta.created == datetime(2010, 4, 20, 8, 10, 38, tzinfo=UTC)
    assert meta.camera == "CASIO COMPUTER CO.,LTD EX-Z750"
    assert (meta.width, meta.height) == (3072, 2304)
