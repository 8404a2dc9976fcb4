"""Tables without rules: rows of cells that stand in common columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingest.readers.pages.columns import Region, Row, free_strips
from ingest.readers.pages.geometry import around
from ingest.readers.pages.lines import cell_line
from ingest.readers.pages.tables.find import Cell, Grid, is_table
from ingest.readers.pages.text import Fragment

LEAST_ROWS = 3


def aligned_grids(regions: Sequence[Region]) -> list[Grid]:
    """At least three rows near each other whose cells stand in common columns, in all regions."""
    return [grid for region in regions for run in _runs(region) if (grid := _grid(run))]


def _runs(region: Region) -> list[Region]:
    """Rows in runs of such with several cells; single cells between them stay, as parts of a cell or subtitles."""
    runs: list[Region] = []
    current: Region = []
    for row in region:
        near = not current or row[0].rect[1] - current[-1][0].rect[3] < 2.5 * row[0].size
        plain = all(fragment.words and not fragment.aside for fragment in row)
        if not near or not plain or (current and not free_strips([f for r in [*current, row] for f in r])):
            runs.append(current)
            current = []
        if plain and (current or len(row) >= 2):
            current.append(row)
    return [run for run in [*runs, current] if sum(len(row) >= 2 for row in run) >= LEAST_ROWS]


def _grid(run: Region) -> Grid | None:
    members = [fragment for row in run for fragment in row]
    middles = [(left + right) / 2 for left, right in free_strips(members)]
    rtl = sum(len(f.text) for f in members if f.rtl) * 2 > sum(len(f.text) for f in members)
    rows: list[list[Cell]] = []
    for row in run:
        cells = _cells(row, middles)[:: -1 if rtl else 1]
        if rows and len(cells) > 2 and _continues(cells):
            rows[-1] = [_joined(above, cell) for above, cell in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    if not is_table(rows):
        return None
    return Grid(tuple(map(tuple, rows)), around([fragment.rect for fragment in members]))


def _continues(cells: list[Cell]) -> bool:
    """Whether a row without a first cell is the next line of wrapped cells above."""
    return not cells[0].text and sum(bool(cell.text) for cell in cells) < len(cells) / 2


def _cells(row: Row, middles: list[float]) -> list[Cell]:
    slots: list[list[Fragment]] = [[] for _ in range(len(middles) + 1)]
    for fragment in row:
        slots[sum(fragment.rect[0] > middle for middle in middles)].append(fragment)
    return [_cell(slot) for slot in slots]


def _cell(fragments: list[Fragment]) -> Cell:
    text, spans = cell_line([word for fragment in fragments for word in fragment.words])
    return Cell(text, spans, bool(fragments) and all(fragment.bold for fragment in fragments))


def _joined(above: Cell, below: Cell) -> Cell:
    if not below.text or not above.text:
        return below if below.text else above
    shift = len(above.text) + 1
    moved = tuple(replace(span, start=span.start + shift, end=span.end + shift) for span in below.spans)
    return Cell(f"{above.text} {below.text}", (*above.spans, *moved), above.bold and below.bold)
