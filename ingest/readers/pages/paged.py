"""Reads the pages of documents that PyMuPDF opens."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from haystack_agent.errors import ReadFailed
from haystack_agent.records import AssetMeta
from ingest.readers.looks import seen
from ingest.readers.pages.fonts.mending import DocumentFonts
from ingest.readers.pages.headings import HeadingTrail, OutlineEntry
from ingest.readers.pages.layout import arrange
from ingest.readers.pages.lines import PageLine
from ingest.readers.pages.meta import parse_date, sensible_author, sensible_title
from ingest.readers.pages.native import NativePage, read_native
from ingest.readers.pages.opening import library_errors, open_document
from ingest.readers.pages.pixels import PixelReader, needs_ocr, pictures_to_read
from ingest.readers.pages.render import pixels
from ingest.readers.pages.sections import PieceMaker, Section, common_heading, page_sections
from ingest.readers.pages.tables.find import Table, continued
from ingest.readers.pages.text import Fragment
from ingest.readers.protocol import DAMAGED, Progress, ReadEvent, Source, Warned

if TYPE_CHECKING:
    from ingest.ocr.recognition import OcrEngine

MAX_PAGES = 5000
MAX_OUTLINE = 3000
_LOOK_SIDE = 4096


@dataclass(frozen=True, slots=True)
class PageContent:
    """Lines and tables of a page in reading order; `extra` are lines read in pictures on a page with text."""

    lines: list[PageLine]
    tables: list[Table]
    extra: list[PageLine] = field(default_factory=list)
    extra_tables: list[Table] = field(default_factory=list)
    ocr: bool = False


class PagedReader:
    """Reads one document of pages."""

    def __init__(self, source: Source, ocr: OcrEngine) -> None:
        self._source = source
        self._pixels = PixelReader(ocr)
        self._last_table: Table | None = None

    def read(self) -> Iterator[ReadEvent]:
        """Yield the pieces of all pages.

        Raises:
            ReadFailed: the file cannot be opened, or none of its pages can be read.
        """
        document = open_document(self._source.path, self._source.media_type)
        try:
            yield from self._read(document)
        finally:
            document.close()

    def _read(self, document: Any) -> Iterator[ReadEvent]:
        count = min(document.page_count, MAX_PAGES)
        if document.page_count > MAX_PAGES:
            yield Warned(f"only the first {MAX_PAGES} of {document.page_count} pages were read")
        trail, fonts = HeadingTrail(_outline(document)), DocumentFonts(document)
        maker: PieceMaker | None = None
        for number in range(1, count + 1):
            content = yield from self._whole_or_warned(document, number, fonts)
            if content is not None:
                sections = page_sections(content.lines, trail, number, content.ocr)
                maker = maker or PieceMaker(self._source.asset_id, _meta(document, self._source, sections))
                yield from self._look(document, number)
                yield from self._pieces(maker, number, content, sections)
            yield Progress(number, count)
        if maker is None:
            raise ReadFailed(f"none of its {count} pages can be read: the file {DAMAGED}")

    def _look(self, document: Any, number: int) -> Iterator[ReadEvent]:
        side = self._source.look
        if side is None:
            return
        try:
            page = document.load_page(number - 1)
            picture = pixels(page, 2 * side / max(1.0, min(page.rect.width, page.rect.height)), _LOOK_SIDE)
        except library_errors():
            yield Warned(f"page {number} could not be drawn, so that it is not found by its look: it {DAMAGED}")
        else:
            yield from seen(self._source, picture)

    def _whole_or_warned(
        self, document: Any, number: int, fonts: DocumentFonts
    ) -> Generator[ReadEvent, None, PageContent | None]:
        try:
            content = yield from self._content(document, number, fonts)
        except MemoryError:
            raise
        except ReadFailed as error:
            yield Warned(f"page {number} could not be read: {error}")
        except Exception:  # noqa: BLE001 - a damaged page makes any library raise anything; it costs this page only
            yield Warned(f"page {number} could not be read: it {DAMAGED}")
        else:
            return content
        return None

    def _content(self, document: Any, number: int, fonts: DocumentFonts) -> Generator[ReadEvent, None, PageContent]:
        page = document.load_page(number - 1)
        native = read_native(page, fonts)
        whole = self._whole_page(page, native, number)
        content = yield from whole if needs_ocr(native) else self._with_pictures(page, native, number)
        return content

    def _whole_page(self, page: Any, native: NativePage, number: int) -> Generator[ReadEvent, None, PageContent]:
        """The page read from its pixels; its own text where pixels give much less (scripts that OCR cannot read)."""
        letters = sum(char.isalpha() for char in native.text)
        found: list[Fragment] = []
        try:
            image = self._pixels.page_image(page)
        except library_errors():
            yield Warned(f"page {number} could not be drawn, so that its pictures were not read: it {DAMAGED}")
        else:
            found = self._pixels.page(image, native.frame)
        if sum(char.isalpha() for f in found for char in f.text) < 0.2 * letters:
            yield Warned(
                f"page {number}: its text is stored in a way that may not be readable, and OCR read less of it"
            )
            return PageContent(*arrange(native.fragments, native.rules))
        lines, tables = arrange(found)
        return PageContent(lines, tables, ocr=True)

    def _with_pictures(self, page: Any, native: NativePage, number: int) -> Generator[ReadEvent, None, PageContent]:
        content = PageContent(*arrange(native.fragments, native.rules))
        for rect in pictures_to_read(native):
            yield Progress(number - 1, number)
            try:
                image = self._pixels.picture_image(page, rect)
            except library_errors():
                yield Warned(f"a picture on page {number} could not be drawn, so that it was not read: it {DAMAGED}")
                continue
            lines, tables = arrange(self._pixels.picture(image, native, rect))
            content.extra.extend(lines)
            content.extra_tables.extend(tables)
        return content

    def _pieces(
        self, maker: PieceMaker, number: int, content: PageContent, sections: Sequence[Section]
    ) -> Iterator[ReadEvent]:
        maker.page = number
        everything = [line.line for line in (*content.lines, *content.extra)]
        headings = [section.heading for section in sections]
        heading = common_heading(headings) if headings else ""
        yield maker.whole_page(everything, headings[0] if headings else "", content.ocr)
        yield from maker.passages(sections, content.ocr)
        if content.extra:
            yield from maker.passages([Section(heading, tuple(line.line for line in content.extra))], ocr=True)
        for table in content.tables:
            self._last_table = continued(table, self._last_table)
            yield from maker.rows(self._last_table, heading, content.ocr)
        for table in content.extra_tables:
            yield from maker.rows(table, heading, ocr=True)


def _outline(document: Any) -> list[OutlineEntry]:
    """The file's own table of contents; empty where it has none, or a damaged one."""
    try:
        entries = document.get_toc(simple=True)
    except library_errors():
        # A damaged outline costs headings only: type sizes tell them as well.
        return []
    outline = [OutlineEntry(level, " ".join(title.split()), page) for level, title, page in entries if page > 0]
    return outline if 1 < len(outline) <= MAX_OUTLINE else []


def _meta(document: Any, source: Source, sections: Sequence[Section]) -> AssetMeta:
    facts = document.metadata or {}
    first = next((section.heading for section in sections if section.heading), "")
    return AssetMeta(
        source.media_type,
        title=sensible_title(facts.get("title")) or first.split(" > ")[0],
        author=sensible_author(facts.get("author")),
        created=parse_date(facts.get("creationDate")) or parse_date(facts.get("modDate")),
        keywords=tuple(dict.fromkeys(k.strip() for k in re.split(r"[,;]", facts.get("keywords") or "") if k.strip()))[
            :30
        ],
        pages=document.page_count,
    )
