"""Tables whose cells are parted by rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from ingest.readers.pages.columns import visual_rows
from ingest.readers.pages.geometry import Rect, area, around, centre_inside, intersection
from ingest.readers.pages.lines import cell_line
from ingest.readers.pages.tables.find import Cell, Grid, is_figure, is_table
from ingest.readers.pages.tables.rules import SNAP, Rule, connected, places, ruled
from ingest.readers.pages.text import Fragment

MAX_CELLS = 20_000


def ruled_grids(across: list[Rule], down: list[Rule], fragments: Sequence[Fragment]) -> list[Grid]:
    """The grids that the rules form, filled with the words in them; frames around running text are left out."""
    grids: list[Grid] = []
    for group_across, group_down in connected(across, down):
        xs, ys = places(group_down), places(group_across)
        if len(xs) < 3 or len(ys) < 2 or (len(xs) - 1) * (len(ys) - 1) > MAX_CELLS:
            continue
        rect = (xs[0], ys[0], xs[-1], ys[-1])
        inside = [fragment for fragment in fragments if area(intersection(fragment.rect, rect)) > 0]
        rows = _rows(xs, ys, (group_across, group_down), inside)
        if is_table(rows) and not _is_ornament(rows) and not _cuts_text(xs, ys, group_down, inside):
            grids.append(Grid(_in_direction(rows, inside), rect))
    return _outermost(grids)


def _outermost(grids: list[Grid]) -> list[Grid]:
    kept: list[Grid] = []
    for grid in sorted(grids, key=lambda g: -area(g.rect)):
        if not any(centre_inside(grid.rect, other.rect) for other in kept):
            kept.append(grid)
    return sorted(kept, key=lambda g: (g.rect[1], g.rect[0]))


def _rows(
    xs: list[float], ys: list[float], lines: tuple[list[Rule], list[Rule]], fragments: Sequence[Fragment]
) -> list[list[Cell]]:
    """Cells of the grid row by row; one that reaches over several columns stands in the first of them."""
    across, down = lines
    rows: list[list[Cell]] = []
    for top, bottom in pairwise(ys):
        starts = _starts(xs, (top + bottom) / 2, down)
        band = list(_clipped(fragments, (xs[0] - SNAP, top, xs[-1] + SNAP, bottom)))
        above = rows[-1] if rows else None
        for part in _split_band(band, [xs[start] for start, _ in starts] + [xs[-1]]):
            cells = [Cell() for _ in xs[:-1]]
            for start, end in starts:
                cell = _cell(part, (xs[start], top, xs[end], bottom))
                cells[start] = replace(cell, width=end - start)
            rows.append(cells)
        open_top = [i for i, _ in starts if above and not ruled(across, top, (xs[i] + xs[i + 1]) / 2)]
        if above is not None:
            _repeat(above, rows[-1], open_top)
    return [row for row in rows if any(cell.text and not cell.repeated for cell in row)]


def _starts(xs: list[float], middle: float, down: list[Rule]) -> list[tuple[int, int]]:
    """First and last edge of each cell of a band: there is a rule between two cells."""
    edges = [0, *(i for i in range(1, len(xs) - 1) if ruled(down, xs[i], middle)), len(xs) - 1]
    return list(pairwise(edges))


def _clipped(fragments: Iterable[Fragment], rect: Rect) -> Iterator[Fragment]:
    """The fragments with only the words whose centre lies in `rect`."""
    for fragment in fragments:
        words = tuple(word for word in fragment.words if centre_inside(word.rect, rect))
        if len(words) == len(fragment.words):
            yield fragment
        elif words:
            yield replace(fragment, words=words, rect=around([word.rect for word in words]))


def _cuts_text(xs: list[float], ys: list[float], down: list[Rule], fragments: Sequence[Fragment]) -> bool:
    """Whether the rules go through running text, as the edges of marked words do: then they part no cells."""
    pairs = cut = 0
    for fragment in fragments:
        middle = (fragment.rect[1] + fragment.rect[3]) / 2
        edges = [x for x in xs[1:-1] if ruled(down, x, middle)] if ys[0] <= middle <= ys[-1] else []
        for one, other in pairwise(fragment.words):
            left, right = sorted((one.rect, other.rect))
            near = right[0] - left[2] < 0.5 * fragment.size
            pairs += near
            cut += near and any((left[0] + left[2]) / 2 < x < (right[0] + right[2]) / 2 for x in edges)
    return cut > 0.25 * pairs


def _is_ornament(rows: list[list[Cell]]) -> bool:
    """Whether most columns of a fine grid hold nothing."""
    used = sum(any(row[column].text for row in rows) for column in range(len(rows[0])))
    return len(rows[0]) > 12 and used < 0.4 * len(rows[0])


def _in_direction(rows: list[list[Cell]], fragments: Sequence[Fragment]) -> tuple[tuple[Cell, ...], ...]:
    """Rows in reading direction: a table in a right-to-left script begins at the right."""
    rtl = sum(len(f.text) for f in fragments if f.rtl) * 2 > sum(len(f.text) for f in fragments)
    return tuple(tuple(_turned(row)) if rtl else tuple(row) for row in rows)


def _turned(row: list[Cell]) -> Iterator[Cell]:
    place = len(row)
    while place:
        start = next(i for i in range(place - 1, -1, -1) if row[i].width > 1 or row[i].text or i == place - 1)
        start = next((i for i in range(start, -1, -1) if i + row[i].width >= place), start)
        yield row[start]
        yield from (Cell() for _ in range(place - start - 1))
        place = start


def _repeat(above: list[Cell], row: list[Cell], open_top: list[int]) -> None:
    """A cell that reaches over several rows, and stands before all others in them, counts for each of them."""
    first = next((column for column, cell in enumerate(row) if cell.text), 0)
    for column in open_top:
        if column < first and above[column].text and not is_figure(above[column].text):
            row[column] = replace(above[column], repeated=True)


def _split_band(band: list[Fragment], edges: list[float]) -> list[list[Fragment]]:
    """A band of a table whose rows are not ruled, as its lines; any other band as it is."""
    rows = visual_rows(band)
    counts = [
        sum(any(left <= word.rect[0] < right for fragment in row for word in fragment.words) for row in rows)
        for left, right in pairwise(edges)
    ]
    used = [count for count in counts if count]
    full = sum(count >= 0.8 * len(rows) for count in used)
    figures = sum(is_figure(fragment.text) for row in rows for fragment in row)
    lines = len(rows) >= 2 and full == len(used) >= 3 and 2 * figures > len(band)
    many = len(rows) >= 4 and full >= 2 and full > len(used) / 2
    return [list(row) for row in rows] if lines or many else [band]


def _cell(fragments: Iterable[Fragment], rect: Rect) -> Cell:
    kept = list(_clipped(fragments, rect))
    ordered = [word for row in visual_rows(kept) for fragment in row for word in fragment.words]
    text, spans = cell_line(ordered)
    return Cell(text, spans, bool(kept) and all(fragment.bold for fragment in kept))
