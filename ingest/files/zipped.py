"""Which kind of document a zip file is, by the names in its directory: nothing is unpacked."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_END = b"PK\x05\x06"
_END_BYTES = 22
_ENTRY = struct.Struct("<4s24x3H12x")
_ENTRY_BYTES = 46
_COMMENT_BYTES = 65535
_DIRECTORY_BYTES = 4 << 20
"""Bounds what is read of a directory that may have millions of entries."""
_PICTURES = frozenset((".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".jp2", ".avif", ".jxl"))
_BESIDE_PICTURES = frozenset((".xml", ".txt", ".nfo", ".db", ".json", ""))


def zipped_type(path: Path, head: bytes) -> str | None:
    """Media type of a zip file, or ``None`` where it is an archive or of a kind that is not read.

    Raises:
        OSError: the file cannot be read.
    """
    mimetype = _first_mimetype(head)
    if mimetype is not None:
        return "epub" if mimetype.startswith(b"application/epub+zip") else None
    names = {name.replace("\\", "/") for name in _names(path)}
    for folder, media_type in (("word/document", "docx"), ("ppt/presentation", "pptx"), ("xl/workbook", "xlsx")):
        if any(name.startswith(folder) and name.endswith(".xml") for name in names):
            return media_type
    if "META-INF/container.xml" in names:
        return "epub"
    if any(name.lower().endswith((".fdseq", ".fpage")) for name in names):
        return "xps"
    return "cbz" if path.suffix.lower() != ".zip" and _is_comic(names) else None


def _first_mimetype(head: bytes) -> bytes | None:
    """Content of an entry called ``mimetype`` that stands first and unpacked, as EPUB and OpenDocument want it."""
    if head[26:28] != b"\x08\x00" or head[30:38] != b"mimetype" or head[8:10] != b"\0\0":
        return None
    return head[38 + int.from_bytes(head[28:30], "little") :][:128]


def _is_comic(names: set[str]) -> bool:
    suffixes = [PurePosixPath(name).suffix.lower() for name in names if not name.endswith("/")]
    return any(suffix in _PICTURES for suffix in suffixes) and all(
        suffix in _PICTURES or suffix in _BESIDE_PICTURES for suffix in suffixes
    )


def _names(path: Path) -> Iterator[str]:
    directory = _directory(path)
    at = 0
    while at + _ENTRY_BYTES <= len(directory):
        signature, name, extra, comment = _ENTRY.unpack_from(directory, at)
        if signature != b"PK\x01\x02":
            return
        start = at + _ENTRY_BYTES
        yield directory[start : start + name].decode("utf-8", "replace")
        at = start + name + extra + comment


def _directory(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_BYTES - _COMMENT_BYTES))
        tail = file.read(_END_BYTES + _COMMENT_BYTES)
        at = tail.rfind(_END)
        if at < 0 or len(tail) < at + _END_BYTES:
            return b""
        length = int.from_bytes(tail[at + 12 : at + 16], "little")
        end = size - len(tail) + at
        # The directory stands right before its end record, whatever offset the record claims.
        file.seek(max(0, end - length))
        return file.read(min(length, end, _DIRECTORY_BYTES))
