"""Opening documents of strangers: what is checked before and right after, and what a failure is called."""

from __future__ import annotations

import importlib
import zipfile
from pathlib import Path
from typing import Any

from haystack_agent.errors import EncryptedFile, ReadFailed, ReadLimitExceeded

ZIPPED = frozenset({"epub", "xps", "cbz", "docx", "pptx", "xlsx"})
MAX_UNPACKED = 500 * 1024 * 1024
MAX_RATIO = 200
MAX_ENTRIES = 50_000
_SMALL = 20 * 1024 * 1024
"""Below this many bytes unpacked any ratio is harmless."""

PAGE_WIDTH, PAGE_HEIGHT, FONT_SIZE = 480.0, 680.0, 11.0
"""Points. Files without pages of their own are laid out alike when they are read and when they are shown."""


def check_archive(path: Path) -> None:
    """Refuse a zip file that unpacks to more than can be meant.

    Raises:
        ReadFailed: the archive is damaged.
        EncryptedFile: its parts are encrypted.
        ReadLimitExceeded: it has too many parts, or unpacks to too many bytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise ReadFailed("the file is damaged: its archive cannot be read; get a whole copy") from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise EncryptedFile("the file is protected by a password; save a copy without it")
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED:
        raise ReadLimitExceeded(
            f"the file unpacks to {unpacked / 1e6:.0f} MB in {len(entries)} parts, more than is read "
            f"({MAX_UNPACKED / 1e6:.0f} MB, {MAX_ENTRIES} parts); split it"
        )
    if unpacked > _SMALL and unpacked > MAX_RATIO * max(1, packed):
        raise ReadLimitExceeded(
            f"the file unpacks to {unpacked / max(1, packed):.0f} times its size, as archives made to do harm do"
        )


def library_errors() -> tuple[type[Exception], ...]:
    """What PyMuPDF raises on input that it cannot read."""
    import pymupdf

    return pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError, IndexError, KeyError


def _pymupdf() -> Any:
    """The library, untyped as it is."""
    return importlib.import_module("pymupdf")


def open_document(path: Path, media_type: str) -> Any:
    """A PyMuPDF document, laid out, with at least one page.

    Raises:
        EncryptedFile: it needs a password.
        ReadFailed: it is damaged or empty.
    """
    pymupdf = _pymupdf()
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    if media_type in ZIPPED:
        check_archive(path)
    try:
        document = pymupdf.open(str(path), filetype=media_type)
        if document.needs_pass:
            document.close()
            raise EncryptedFile("the file is protected by a password; save a copy without it")
        if document.is_reflowable:
            document.layout(width=PAGE_WIDTH, height=PAGE_HEIGHT, fontsize=FONT_SIZE)
        pages = document.page_count
    except library_errors() as error:
        raise ReadFailed(f"the {media_type} file is damaged and cannot be opened; get a whole copy") from error
    if pages < 1:
        document.close()
        raise ReadFailed(f"the {media_type} file has no pages")
    return document
