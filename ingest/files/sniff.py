"""What kind of file this is, told by its bytes; names only tell kinds of plain text apart."""

from __future__ import annotations

import re
from pathlib import Path

from haystack_agent.errors import EncryptedFile
from haystack_agent.media import TYPES, OpenedAs, types_opened
from ingest.files.textual import text_type
from ingest.files.zipped import zipped_type

HEAD_BYTES = 65536
"""How many of the first bytes `sniff` wants to see."""

SNIFF_VERSION = 1
"""Raised when a file may now be told to be of another kind: what was said before is then checked again."""

_SUFFIXES = {
    **{name: name for name in TYPES - types_opened(OpenedAs.AS_TEXT)},
    **dict.fromkeys(("jpg", "jpe", "jfif"), "jpeg"),
    **dict.fromkeys(("tif",), "tiff"),
    **dict.fromkeys(("heif", "hif"), "heic"),
    **dict.fromkeys(("j2k", "jpf", "jpx"), "jp2"),
    **dict.fromkeys(("pgm", "pbm", "pnm", "pam"), "ppm"),
    **dict.fromkeys(("m4v",), "mp4"),
    **dict.fromkeys(("qt",), "mov"),
    **dict.fromkeys(("m2ts", "mts"), "mpegts"),
    **dict.fromkeys(("mpg", "vob"), "mpeg"),
    **dict.fromkeys(("3g2",), "3gp"),
    **dict.fromkeys(("oxps",), "xps"),
    **dict.fromkeys(("azw",), "mobi"),
}

_PREFIXES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"FLV\x01", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "wmv"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"\x00\x00\x01\xb3", "mpeg"),
)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_OTHER_BRANDS = frozenset((b"M4A ", b"M4B ", b"M4P ", b"crx ", b"aax ", b"F4A ", b"F4B "))
_BMP_HEADERS = frozenset((12, 40, 52, 56, 64, 108, 124))
_PNM = re.compile(rb"P([1-6])\s+(?:#[^\n]*\n\s*)*\d+\s|P7\nWIDTH |P[Ff]\s+\d+\s+\d+\s")


def named_type(path: Path) -> str | None:
    """The media type that the name promises, ``None`` for plain text and for kinds that are not read."""
    return _SUFFIXES.get(path.suffix[1:].lower())


def sniff(path: Path, head: bytes) -> str | None:
    """Media type of a regular file whose first `HEAD_BYTES` bytes are `head`, or ``None`` if it is not read.

    Reads a bounded part of the file's end where the first bytes do not suffice (zip directories).

    Raises:
        EncryptedFile: an Office file that needs a password.
        OSError: the file cannot be read.
    """
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return zipped_type(path, head)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        _refuse_encrypted_office(path, head)
        return None
    return _magic_type(path, head) or _container_type(path, head) or text_type(path, head)


def _magic_type(path: Path, head: bytes) -> str | None:
    if head[:4] in _TIFF:
        return None if head[8:10] == b"CR" else "tiff"
    by_prefix = next((media_type for prefix, media_type in _PREFIXES if head.startswith(prefix)), None)
    tests = (
        ("pdf", b"%PDF-" in head[:1024]),
        ("mobi", head[60:68] in (b"BOOKMOBI", b"TEXtREAd")),
        ("bmp", _is_bmp(head)),
        ("ico", head[:4] == b"\0\0\1\0" and head[4:6] != b"\0\0" and head[9:10] == b"\0" and len(head) >= 22),
        ("ppm", bool(_PNM.match(head)) and (head[1:2] in b"4567" or named_type(path) == "ppm")),
        ("tga", named_type(path) == "tga" and _is_tga(head)),
    )
    return by_prefix or next((media_type for media_type, matches in tests if matches), None)


def _is_bmp(head: bytes) -> bool:
    header = int.from_bytes(head[14:18], "little")
    return head[:2] == b"BM" and head[6:10] == bytes(4) and header in _BMP_HEADERS


def _is_tga(head: bytes) -> bool:
    """TGA has no magic number: every field of its header must make sense."""
    if len(head) < 18 or head[1] > 1:
        return False
    width, height = int.from_bytes(head[12:14], "little"), int.from_bytes(head[14:16], "little")
    return head[2] in (1, 2, 3, 9, 10, 11) and width > 0 and height > 0 and head[16] in (8, 15, 16, 24, 32)


def _container_type(path: Path, head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return _iso_type(head)
    if head[4:8] in (b"moov", b"mdat", b"wide", b"skip", b"pnot", b"free") and named_type(path) in ("mov", "mp4"):
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _matroska_type(head)
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"AVI ": "avi"}.get(head[8:12])
    if head[:4] == b"OggS":
        return "ogv" if b"\x80theora" in head[:4096] or b"OVP80" in head[:4096] else None
    return "mpegts" if _is_transport_stream(head) else None


def _iso_type(head: bytes) -> str | None:
    """Formats built of ISO base media boxes differ in the brands that they claim."""
    size = max(16, min(int.from_bytes(head[:4], "big"), 1024))
    major = head[8:12]
    brands = [major, *(head[at : at + 4] for at in range(16, min(size, len(head)) - 3, 4))]
    if major in _OTHER_BRANDS:
        return None
    if _AVIF_BRANDS.intersection(brands) and major in _AVIF_BRANDS | _HEIC_BRANDS:
        return "avif"
    if major in _HEIC_BRANDS:
        return "heic"
    if major == b"qt  ":
        return "mov"
    if major[:3] in (b"3gp", b"3g2"):
        return "3gp"
    return "jp2" if major in (b"jp2 ", b"jpx ") else "mp4"


def _matroska_type(head: bytes) -> str | None:
    at = head.find(b"\x42\x82", 4, 4096)
    if at < 0:
        return None
    doctype = head[at + 3 : at + 3 + (head[at + 2] & 0x7F)] if len(head) > at + 3 else b""
    return {b"matroska": "mkv", b"webm": "webm"}.get(doctype.rstrip(b"\0"))


def _is_transport_stream(head: bytes) -> bool:
    """Packets of 188 bytes, or of 192 with four bytes of time before each, begin with a sync byte (a ``G`` in text)."""
    if b"\0" not in head[:4096] and b"\xff" not in head[:4096]:
        return False
    for start, length in ((0, 188), (4, 192)):
        syncs = head[start : start + length * 5 : length]
        if len(syncs) >= 3 and set(syncs) == {0x47}:
            return True
    return False


def _refuse_encrypted_office(path: Path, head: bytes) -> None:
    """The old Office container is read only to tell that a new Office file is encrypted inside of it."""
    shift = int.from_bytes(head[30:32], "little")
    sector = int.from_bytes(head[48:52], "little")
    if shift not in (9, 12):
        return
    with path.open("rb") as file:
        file.seek((sector + 1) << shift)
        directory = file.read(4096)
    if "EncryptedPackage".encode("utf-16-le") in directory:
        raise EncryptedFile("needs a password: save a copy without one to have it read")
