"""Documents without pages of their own: a stream of headings, paragraphs and tables becomes pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from haystack_agent.records import Piece
from ingest.ocr.layout import Line, text_units
from ingest.readers.pages.sections import PieceMaker, Section
from ingest.readers.pages.tables.find import Table, joined_row

MAX_PARAGRAPH_UNITS = 110
FLUSH_UNITS = 2000
"""Size at which what was gathered becomes passages, so that a huge file is not held whole."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `level` from 1, the outermost."""

    level: int
    text: str
    shown: bool = True
    """Whether it is a part of the text too, not only a name (of a sheet)."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph or list item."""

    line: Line


Block = Heading | Paragraph | Table


class BlockPieces:
    """Gathers blocks and makes pieces of them."""

    def __init__(self, maker: PieceMaker) -> None:
        self._maker = maker
        self._trail: list[tuple[int, str]] = []
        self._sections: list[Section] = []
        self._lines: list[Line] = []
        self._units = 0

    @property
    def path(self) -> str:
        """The headings above the current place."""
        return " > ".join(text for _, text in self._trail)

    def pieces(self, blocks: Iterable[Block]) -> Iterator[Piece]:
        """Pieces of all blocks: passages in order, the rows of a table after the passage that it stands in."""
        tables: list[tuple[Table, str]] = []
        for block in blocks:
            if isinstance(block, Heading):
                self._close_section()
                self._enter(block)
                if block.shown:
                    self._add(Line(block.text, starts_block=True))
            elif isinstance(block, Table):
                tables.append((block, self.path))
                for line in table_lines(block):
                    self._add(line)
            else:
                for line in split_line(block.line):
                    self._add(line)
            if self._units >= FLUSH_UNITS:
                yield from self._flush(tables)
        yield from self._flush(tables)

    def _enter(self, heading: Heading) -> None:
        while self._trail and self._trail[-1][0] >= heading.level:
            self._trail.pop()
        self._trail.append((heading.level, heading.text))

    def _add(self, line: Line) -> None:
        self._lines.append(line)
        self._units += text_units(line.text)

    def _close_section(self) -> None:
        if self._lines:
            self._sections.append(Section(self.path, tuple(self._lines)))
            self._lines = []

    def _flush(self, tables: list[tuple[Table, str]]) -> Iterator[Piece]:
        self._close_section()
        yield from self._maker.passages(self._sections)
        for table, heading in tables:
            yield from self._maker.rows(table, heading)
        tables.clear()
        self._sections, self._units = [], 0


def table_lines(table: Table) -> Iterator[Line]:
    """A table as lines of text: the names of its columns, then its rows."""
    if table.title:
        yield Line(table.title, starts_block=True)
    names = "  ".join(name for name in table.header if name)
    if names:
        yield Line(names, starts_block=not table.title)
    for row in table.rows:
        text, spans = joined_row(row)
        if text:
            yield Line(text, spans)


def split_line(line: Line) -> Iterator[Line]:
    """A paragraph longer than a passage, cut between its sentences where it can be, else between words.

    Lines with placed words are not cut.
    """
    if line.spans or text_units(line.text) <= MAX_PARAGRAPH_UNITS:
        yield line
        return
    first = True
    for part in _cut(line.text):
        yield Line(part, starts_block=line.starts_block and first)
        first = False


def _cut(text: str) -> Iterator[str]:
    current, size = "", 0
    for sentence in _sentences(text):
        units = text_units(sentence)
        if current and size + units > MAX_PARAGRAPH_UNITS:
            yield current.strip()
            current, size = "", 0
        current += sentence
        size += units
    if current.strip():
        yield current.strip()


def _sentences(text: str) -> Iterator[str]:
    start, size = 0, 0
    for place, char in enumerate(text):
        size += 1
        ends = char in "。！？" or (char == " " and place and text[place - 1] in ".!?…؟।")
        too_long = size >= 300 and (char.isspace() or size >= 600)
        if ends or too_long:
            yield text[start : place + 1]
            start, size = place + 1, 0
    yield text[start:]
