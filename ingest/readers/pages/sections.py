"""From lines and headings to the pieces of an asset."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from haystack_agent.records import AssetMeta, Box, Locator, Modality, Piece, PieceKind, Span
from ingest.ocr.layout import Line, join_lines, line_boxes, split_passages, text_units
from ingest.readers.pages.headings import HeadingTrail
from ingest.readers.pages.lines import PageLine, boxes_of
from ingest.readers.pages.tables.find import Table, row_texts

SMALL_SECTION = 60
"""Units below which a section is put into one passage with the next."""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under one heading, which is their first line where the file shows it."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(slots=True)
class PieceMaker:
    """Makes the pieces of one document, counting their index up."""

    asset_id: str
    meta: AssetMeta
    count: int = 0
    page: int | None = None
    heading: str = field(default="")

    def passages(self, sections: Sequence[Section], ocr: bool = False) -> Iterator[Piece]:
        """Passages of about equal size; small sections share one, under the headings they have in common."""
        for heading, lines in _grouped(sections):
            for part in split_passages(lines):
                text, spans = join_lines(part)
                if text.strip():
                    yield self._piece(PieceKind.PASSAGE, text, spans, line_boxes(part), heading, ocr)

    def rows(self, table: Table, heading: str, ocr: bool = False) -> Iterator[Piece]:
        """One piece for each row of a table that has at least two filled cells."""
        for text, spans in row_texts(table):
            yield self._piece(PieceKind.TABLE_ROW, text, spans, boxes_of(spans), heading, ocr)

    def whole_page(self, lines: Iterable[Line], heading: str, ocr: bool = False) -> Piece:
        """The page itself, with all of its text in reading order."""
        text = "\n".join(line.text for line in lines)
        return self._piece(PieceKind.PAGE, text, (), (), heading, ocr)

    def _piece(
        self, kind: PieceKind, text: str, spans: tuple[Span, ...], boxes: tuple[Box, ...], heading: str, ocr: bool
    ) -> Piece:
        place = Locator(self.page, boxes)
        index, self.count = self.count, self.count + 1
        return Piece(
            self.asset_id, kind, Modality.DOCUMENT, index, place, text, self.meta, heading, spans=spans, ocr=ocr
        )


def _grouped(sections: Sequence[Section]) -> Iterator[tuple[str, list[Line]]]:
    lines: list[Line] = []
    headings: list[str] = []
    size = 0
    for section in sections:
        if lines and size >= SMALL_SECTION:
            yield common_heading(headings), lines
            lines, headings, size = [], [], 0
        first, *rest = section.lines or (Line(""),)
        lines.extend((replace(first, starts_block=True), *rest))
        headings.append(section.heading)
        size += sum(text_units(line.text) for line in section.lines)
    if lines:
        yield common_heading(headings), lines


def common_heading(headings: Sequence[str]) -> str:
    """The headings that all of these paths begin with."""
    shared = headings[0].split(" > ")
    for heading in headings[1:]:
        parts = heading.split(" > ")
        same = next((i for i, (a, b) in enumerate(zip(shared, parts, strict=False)) if a != b), None)
        shared = shared[: min(len(shared), len(parts)) if same is None else same]
    return " > ".join(shared)


def page_sections(lines: Sequence[PageLine], trail: HeadingTrail, page: int, ocr: bool = False) -> list[Section]:
    """Cut a page's lines at its headings; the trail then stands at the end of the page."""
    trail.enter_page(page, lines)
    sections: list[Section] = []
    current: list[Line] = []
    path = trail.path
    heading: PageLine | None = None
    for line in lines:
        title = re.sub(r"\s+", " ", line.line.text).strip()
        if heading is not None and trail.goes_on(line, heading):
            trail.extend(title)
            path = trail.path
        elif (rank := trail.rank(line, page, ocr)) is not None:
            if current:
                sections.append(Section(path, tuple(current)))
                current = []
            trail.enter(rank, title)
            path, heading = trail.path, line
        else:
            heading = None
        current.append(line.line)
    if current:
        sections.append(Section(path, tuple(current)))
    return sections
