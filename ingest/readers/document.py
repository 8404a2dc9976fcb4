"""The reader of documents: files of pages, and office files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from haystack_agent.media import OpenedAs, Preview, types_opened, types_shown
from ingest.readers.pages.paged import PagedReader
from ingest.readers.protocol import ReadEvent, Source

if TYPE_CHECKING:
    from ingest.ocr.recognition import OcrEngine

OFFICE = types_opened(OpenedAs.OWN_PROGRAM)
MEDIA_TYPES = types_shown(Preview.PAGE) | OFFICE
READER_VERSION = 1


class DocumentReader:
    """Reads PDF, EPUB, XPS, MOBI, FB2, CBZ, DOCX, PPTX and XLSX: passages, table rows and whole pages."""

    def __init__(self, ocr: OcrEngine) -> None:
        self._ocr = ocr

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """Yield the pieces of the document in order of `Piece.index`.

        Raises:
            EncryptedFile: it needs a password.
            ReadLimitExceeded: it unpacks to too much.
            ReadFailed: it is damaged or has no pages.
        """
        if source.media_type in OFFICE:
            from ingest.readers.office.reader import read_office

            yield from read_office(source, self._ocr)
        else:
            yield from PagedReader(source, self._ocr).read()
