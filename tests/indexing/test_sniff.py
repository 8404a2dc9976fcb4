from __future__ import annotations

import io
import os
import time
import zipfile
from pathlib import Path

import pytest

from haystack_agent.errors import EncryptedFile, ReadFailed, ReadLimitExceeded
from ingest.files.hashing import check_size, examine, with_siblings
from ingest.files.sniff import HEAD_BYTES, named_type, sniff
from tests.support.paths import SHARED

REAL_MEDIA = SHARED / "real_media"


def told(folder: Path, name: str, data: bytes) -> str | None:
    path = folder / name
    path.write_bytes(data)
    return sniff(path, data[:HEAD_BYTES])


def picture(form: str, **options: object) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(buffer, form, **options)
    return buffer.getvalue()


def heif(form: str) -> bytes:
    import pillow_heif
    from PIL import Image

    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("JPEG", "jpeg"),
        ("PNG", "png"),
        ("GIF", "gif"),
        ("WEBP", "webp"),
        ("TIFF", "tiff"),
        ("BMP", "bmp"),
        ("JPEG2000", "jp2"),
        ("PPM", "ppm"),
        ("ICO", "ico"),
        ("AVIF", "avif"),
    ],
)
def test_pictures_are_told_by_their_bytes_whatever_their_name(tmp_path: Path, form: str, media_type: str) -> None:
    data = picture(form)
    assert {told(tmp_path, name, data) for name in ("a", "a.pdf", "a.txt", "a.mp4")} == {media_type}


def test_pictures_with_less_clear_marks(tmp_path: Path) -> None:
    assert told(tmp_path, "a.jpg", heif("HEIF")) == "heic"
    assert told(tmp_path, "a.tga", picture("TGA")) == "tga"
    assert told(tmp_path, "a.bin", picture("TGA")) is None
    assert told(tmp_path, "a.pgm", b"P2\n# made by hand\n2 2\n255\n0 1 2 3\n") == "ppm"


@pytest.mark.parametrize(
    ("container", "codec", "media_type"),
    [
        ("mp4", "mpeg4", "mp4"),
        ("mov", "mpeg4", "mov"),
        ("matroska", "mpeg4", "mkv"),
        ("webm", "libvpx", "webm"),
        ("avi", "mpeg4", "avi"),
        ("mpegts", "mpeg2video", "mpegts"),
        ("mpeg", "mpeg1video", "mpeg"),
        ("flv", "flv", "flv"),
        ("asf", "mpeg4", "wmv"),
        ("3gp", "mpeg4", "3gp"),
    ],
)
def test_videos_are_told_by_their_bytes(tmp_path: Path, container: str, codec: str, media_type: str) -> None:
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
        for _ in range(10):
            output.mux(stream.encode(av.VideoFrame(176, 144, "yuv420p")))
        output.mux(stream.encode())
    assert told(tmp_path, "misnamed.jpg", buffer.getvalue()) == media_type


def test_ogg_with_and_without_pictures(tmp_path: Path) -> None:
    page = b"OggS\0\2" + bytes(22)
    assert told(tmp_path, "a.ogg", page + b"\x80theora\3\2\1") == "ogv"
    assert told(tmp_path, "a.ogg", page + b"\1vorbis") is None


def zipped(**entries: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), text)
    return buffer.getvalue()


def test_office_files(tmp_path: Path) -> None:
    import docx
    import openpyxl
    import pptx

    for media_type, document in (
        ("docx", docx.Document()),
        ("pptx", pptx.Presentation()),
        ("xlsx", openpyxl.Workbook()),
    ):
        buffer = io.BytesIO()
        document.save(buffer)
        assert told(tmp_path, "some.zip", buffer.getvalue()) == media_type


def test_other_zips(tmp_path: Path) -> None:
    assert told(tmp_path, "a", zipped(mimetype="application/epub+zip", a="b")) == "epub"
    assert told(tmp_path, "a", zipped(**{"META-INF__container_dot_xml": "x"})) == "epub"
    assert told(tmp_path, "a.epub", zipped(mimetype="application/vnd.oasis.opendocument.text")) is None
    assert told(tmp_path, "a", zipped(**{"FixedDocSeq_dot_fdseq": "x"})) == "xps"
    pictures = zipped(**{"1__a_dot_jpg": "x", "2_dot_PNG": "y", "ComicInfo_dot_xml": "z"})
    assert (told(tmp_path, "a.cbz", pictures), told(tmp_path, "a.zip", pictures)) == ("cbz", None)
    assert told(tmp_path, "a.cbz", zipped(**{"a_dot_jpg": "x", "b_dot_exe": "y"})) is None
    assert told(tmp_path, "a.docx", zipped(**{"word__document_dot_xml": "x"})[:-30]) is None
    assert told(tmp_path, "a.docx", b"PK\x03\x04") is None


@pytest.mark.parametrize(
    "head", ["<!--" * 2000, "<!-- -->" * 1000 + "x", "<?xml ?>" + "<!-- -->" * 1000, "<?xml" * 1600, "<!-- > -->" * 800]
)
def test_no_beginning_of_a_file_is_slow_to_look_at(tmp_path: Path, head: str) -> None:
    began = time.process_time()
    assert told(tmp_path, "a.txt", head.encode()) == "txt"
    assert time.process_time() - began < 5


def test_pdf_mobi_fb2(tmp_path: Path) -> None:
    import pymupdf

    document = pymupdf.open()
    document.new_page()
    assert told(tmp_path, "a.jpg", document.tobytes()) == "pdf"
    assert told(tmp_path, "a.pdf", b"\n\njunk before\n%PDF-1.4\n...") == "pdf"
    assert told(tmp_path, "a.prc", bytes(60) + b"BOOKMOBI") == "mobi"
    assert told(tmp_path, "a.xml", b'<?xml version="1.0"?>\n<FictionBook xmlns="x">') == "fb2"


@pytest.mark.parametrize(
    ("name", "text", "media_type"),
    [
        ("a.txt", "plain", "txt"),
        ("README", "plain", "txt"),
        ("a.MD", "# head", "markdown"),
        ("a.csv", "a;b", "csv"),
        ("a.tsv", "a\tb", "csv"),
        ("a.html", "just words", "html"),
        ("a.txt", "<!-- x -->\n<!DOCTYPE html><p>", "html"),
        ("page.php", "<html><body>", "html"),
        ("a.py", "import os", None),
        ("a.json", "{}", None),
        ("a.svg", "<svg/>", None),
        ("a.txt", "BMW builds cars", "txt"),
        ("a.txt", "P1 is a motorway", "txt"),
        ("a.txt", "G" * 2000, "txt"),
        ("a.txt", "   \n", None),
    ],
)
def test_text_is_told_by_its_name(tmp_path: Path, name: str, text: str, media_type: str | None) -> None:
    assert told(tmp_path, name, text.encode()) == media_type


@pytest.mark.parametrize(
    "data",
    [
        "ěščř žluťoučký".encode("cp1250"),
        "привет мир".encode("koi8-r"),
        "日本語のテキスト".encode("shift-jis"),
        "žluťoučký kůň".encode("utf-16"),
        b"\xfe\xff" + "words".encode("utf-16-be"),
        "words without a mark".encode("utf-16-le"),
        "words".encode("utf-32"),
        b"x" * (HEAD_BYTES - 1) + "ž".encode(),
    ],
)
def test_text_in_any_encoding(tmp_path: Path, data: bytes) -> None:
    assert told(tmp_path, "a.txt", data) == "txt"


def test_what_is_not_read(tmp_path: Path) -> None:
    for data in (
        b"\x7fELF" + bytes(100),
        os.urandom(5000),
        b"{\\rtf1\0",
        b"\x1f\x8b\x08",
        b"RIFF\0\0\0\0WAVE",
        bytes(70000),
    ):
        assert told(tmp_path, "a.txt", data) is None
    assert told(tmp_path, "a.m4a", b"\0\0\0\x20ftypM4A \0\0\0\0isommp42") is None
    assert (named_type(Path("x.JPG")), named_type(Path("x.txt"))) == ("jpeg", None)


def test_encrypted_office_file(tmp_path: Path) -> None:
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
    header[30:32], header[48:52] = b"\x09\0", b"\1\0\0\0"
    data = bytes(header) + bytes(512) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    with pytest.raises(EncryptedFile, match="password"):
        told(tmp_path, "a.docx", data)
    assert told(tmp_path, "a.doc", bytes(header) + bytes(2000)) is None


def test_content_id_is_of_the_bytes_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 3_000_000)
    (tmp_path / "b.md").write_bytes(b"x" * 3_000_000)
    (tmp_path / "c.txt").write_bytes(b"x" * 2_999_999 + b"y")
    one, two, other = (examine(tmp_path / name) for name in ("a.txt", "b.md", "c.txt"))
    first = one.content_id
    assert (one.media_type, two.media_type) == ("txt", "markdown")
    assert first == two.content_id and first != other.content_id and one.sample == two.sample != other.sample
    assert first is not None and len(first) == 32
    assert with_siblings(first, []) == first
    ids = {with_siblings(first, s) for s in ([(".srt", "1")], [(".srt", "2")], [(".cs.srt", "1")])}
    assert len(ids) == 3


def test_links_pipes_and_giants_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "link.txt").symlink_to("a.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(OSError, match="symbolic links"):
        examine(tmp_path / "link.txt")
    with pytest.raises(ReadFailed, match="regular"):
        examine(tmp_path / "pipe.txt")
    with (tmp_path / "giant.jpg").open("wb") as file:
        file.write(b"\xff\xd8\xff\xe0")
        file.truncate(1 << 40)
    with pytest.raises(ReadLimitExceeded, match=r"too big: 1024.0 GB, and jpeg files are read up to 0.5 GB"):
        examine(tmp_path / "giant.jpg")
    check_size("mp4", 49 << 30)


@pytest.mark.skipif(not REAL_MEDIA.is_dir(), reason="the folder of real media is not there")
def test_real_media_are_what_their_names_say() -> None:
    files = [path for path in sorted(REAL_MEDIA.rglob("*_*.*")) if path.parent != REAL_MEDIA]
    assert files
    for path in files:
        with path.open("rb") as file:
            assert sniff(path, file.read(HEAD_BYTES)) == named_type(path), path.name
