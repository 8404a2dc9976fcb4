"""Office files: which of them is read by what, and what failures are called."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from haystack_agent.errors import EncryptedFile, ReadFailed
from ingest.readers.pages.opening import check_archive
from ingest.readers.protocol import ReadEvent, Source

if TYPE_CHECKING:
    from ingest.ocr.recognition import OcrEngine

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Office wraps an encrypted file into a container of its old format."""


def read_office(source: Source, ocr: OcrEngine) -> Iterator[ReadEvent]:
    """Yield the pieces of a DOCX, PPTX or XLSX file.

    Raises:
        EncryptedFile: it needs a password.
        ReadLimitExceeded: it unpacks to too much.
        ReadFailed: it is damaged.
    """
    with source.path.open("rb") as file:
        if file.read(8) == _COMPOUND:
            raise EncryptedFile("the file is protected by a password; save a copy without it")
    check_archive(source.path)
    try:
        if source.media_type == "docx":
            from ingest.readers.office.docx import read_docx

            yield from read_docx(source, ocr)
        elif source.media_type == "pptx":
            from ingest.readers.office.pptx import read_pptx

            yield from read_pptx(source, ocr)
        else:
            from ingest.readers.office.xlsx import read_xlsx

            yield from read_xlsx(source)
    except _damage() as error:
        raise ReadFailed(f"the {source.media_type} file is damaged; get a whole copy") from error


def _damage() -> tuple[type[Exception], ...]:
    """What the libraries raise on parts that are missing, cut off, or not XML."""
    import zlib

    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError
    from openpyxl.utils.exceptions import InvalidFileException
    from pptx.exc import PythonPptxError

    return (
        OSError, zipfile.BadZipFile, zlib.error, OpcError, PythonPptxError, LxmlError, InvalidFileException,
        KeyError, ValueError, AttributeError, TypeError, IndexError, EOFError, NotImplementedError, SyntaxError,
    )  # fmt: skip
