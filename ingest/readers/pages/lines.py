"""From ordered fragments to lines of text whose words keep their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haystack_agent.records import Box, Span
from ingest.ocr.layout import Line, union
from ingest.readers.pages.columns import Region, Row
from ingest.readers.pages.geometry import Rect, around
from ingest.readers.pages.text import COLUMN_GAP, WIDE_RUN, Word, is_wide


@dataclass(frozen=True, slots=True)
class PageLine:
    """One line with what tells a heading from running text; `rect` in points of the reading frame."""

    line: Line
    rect: Rect
    size: float
    bold: bool
    cells: int
    """Pieces of the line that stand apart from each other: more than one in rows of a table."""


def page_lines(regions: Sequence[Region]) -> list[PageLine]:
    """The lines of all regions in order; a block starts with each region and after each gap."""
    return [line for region in regions for line in _region_lines(region)]


def _region_lines(region: Region) -> Iterator[PageLine]:
    before: Row = []
    for row in region:
        yield _row_line(row, not before or _starts_block(before, row))
        before = row


def _starts_block(before: Row, row: Row) -> bool:
    upper, lower = around([f.rect for f in before]), around([f.rect for f in row])
    size = max(f.size for f in row)
    apart = lower[1] - upper[3] > 0.6 * size or lower[1] < upper[1]
    return apart or abs(size - max(f.size for f in before)) > 0.1 * size or row[0].bold != before[0].bold


def _row_line(row: Row, starts_block: bool) -> PageLine:
    text, spans, cells = "", list[Span](), 1
    for place, fragment in enumerate(row):
        if place:
            gap = _gap(row[place - 1].rect, fragment.rect)
            wide = gap > COLUMN_GAP * fragment.size
            cells += wide
            text += "  " if wide else " " if gap > 0.12 * fragment.size else ""
        for number, word in enumerate(fragment.words):
            text += " " if number else ""
            spans.extend(word_spans(word.text, word.box, len(text)))
            text += word.text
    rect = around([fragment.rect for fragment in row])
    size = max(fragment.size for fragment in row)
    return PageLine(Line(text, tuple(spans), starts_block), rect, size, all(f.bold for f in row), cells)


def _gap(one: Rect, other: Rect) -> float:
    return max(other[0] - one[2], one[0] - other[2])


def word_spans(text: str, box: Box, start: int) -> Iterator[Span]:
    """The span of a word; a run of an unspaced script is cut into pieces, their boxes measured off its length."""
    if len(text) <= WIDE_RUN or not any(map(is_wide, text)) or box.x1 - box.x0 < box.y1 - box.y0:
        yield Span(start, start + len(text), box)
        return
    step = (box.x1 - box.x0) / len(text)
    for at in range(0, len(text), WIDE_RUN):
        end = min(len(text), at + WIDE_RUN)
        piece = Box(round(box.x0 + at * step, 4), box.y0, round(box.x0 + end * step, 4), box.y1)
        yield Span(start + at, start + end, piece)


def cell_line(words: Sequence[Word]) -> tuple[str, tuple[Span, ...]]:
    """Text of the words of a table cell in order, and their spans in it."""
    text, spans = "", list[Span]()
    for number, word in enumerate(words):
        text += " " if number else ""
        spans.extend(word_spans(word.text, word.box, len(text)))
        text += word.text
    return text, tuple(spans)


def boxes_of(spans: Sequence[Span]) -> tuple[Box, ...]:
    """One box around all placed spans, none if there is none."""
    boxes = [span.box for span in spans if span.box]
    return (union(boxes),) if boxes else ()
