"""Puts what stands on a page in order: lines in reading order, ruled tables whole at their place, table rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingest.ocr.layout import Line
from ingest.readers.pages.columns import Region, Row, reading_order
from ingest.readers.pages.geometry import around, centre_inside
from ingest.readers.pages.lines import PageLine, page_lines
from ingest.readers.pages.tables.aligned import aligned_grids
from ingest.readers.pages.tables.find import Cell, Grid, Table, joined_row, with_header
from ingest.readers.pages.tables.ruled import ruled_grids
from ingest.readers.pages.tables.rules import Rule
from ingest.readers.pages.text import Fragment


def arrange(
    fragments: Sequence[Fragment], rules: tuple[list[Rule], list[Rule]] = ([], [])
) -> tuple[list[PageLine], list[Table]]:
    """The lines of a page and its tables, both in reading order."""
    grids = ruled_grids(*rules, fragments)
    marks = [_mark(grid, fragments) for grid in grids]
    rest = list(_outside(fragments, grids))
    regions = reading_order([*rest, *marks])
    placed = {id(mark): grid for mark, grid in zip(marks, grids, strict=True)}
    lines = [line for part in _parts(regions, placed) for line in _part_lines(part)]
    ruled = [with_header(grid.rows, grid.rect) for grid in grids]
    free = [with_header(grid.rows, grid.rect) for grid in aligned_grids(regions)]
    return lines, sorted([*ruled, *free], key=_top) if ruled else free


def _top(table: Table) -> tuple[float, float]:
    return (table.rect[1], table.rect[0]) if table.rect else (0.0, 0.0)


def _mark(grid: Grid, fragments: Sequence[Fragment]) -> Fragment:
    """Holds the place of a table among the other fragments: it has no words."""
    inside = [fragment for fragment in fragments if centre_inside(fragment.rect, grid.rect)]
    size = min((fragment.size for fragment in inside), default=10.0)
    return Fragment((), grid.rect, size, False, min((fragment.order for fragment in inside), default=0))


def _outside(fragments: Sequence[Fragment], grids: Sequence[Grid]) -> Iterator[Fragment]:
    for fragment in fragments:
        words = tuple(w for w in fragment.words if not any(centre_inside(w.rect, grid.rect) for grid in grids))
        if len(words) == len(fragment.words):
            yield fragment
        elif words:
            rect = around([word.rect for word in words])
            yield Fragment(words, rect, fragment.size, fragment.bold, fragment.order, fragment.aside)


def _parts(regions: Sequence[Region], placed: dict[int, Grid]) -> Iterator[Region | Grid]:
    for region in regions:
        loose: Region = []
        for row in region:
            words: Row = [fragment for fragment in row if fragment.words]
            if words:
                loose.append(words)
            for fragment in row:
                if id(fragment) in placed:
                    if loose:
                        yield loose
                        loose = []
                    yield placed[id(fragment)]
        if loose:
            yield loose


def _part_lines(part: Region | Grid) -> Iterator[PageLine]:
    if not isinstance(part, Grid):
        yield from page_lines([part])
        return
    for number, row in enumerate(part.rows):
        text, spans = joined_row(row)
        yield PageLine(Line(text, spans, number == 0), part.rect, 0.0, _bold(row), 2)


def _bold(row: Sequence[Cell]) -> bool:
    return all(cell.bold for cell in row if cell.text)
