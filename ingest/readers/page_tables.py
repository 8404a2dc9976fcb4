"""Tables on a page: grids of ruled lines, and columns of aligned cells without any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.readers.geometry import Rect, area, around, centre_inside
from ingest.readers.page_lines import cell_line
from ingest.readers.page_text import Fragment, Frame, Word
from ingest.readers.reading_order import Region, Row, free_strips, visual_rows
from ingest.readers.tables import Cell, is_figure

SNAP = 3.0
"""Points by which rules of one table miss each other."""
MAX_RULES = 4000
MAX_GRID = 20_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal or vertical line: `at` across it, from `start` to `end` along it."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of equally many cells at a place (points of the reading frame); the names of the columns among them."""

    rows: tuple[tuple[Cell, ...], ...]
    rect: Rect


def rules(drawings: Iterable[dict[str, Any]], frame: Frame) -> tuple[list[Rule], list[Rule]]:
    """Horizontal and vertical rules among PyMuPDF's drawings: lines, thin rectangles, edges of rectangles."""
    across: list[Rule] = []
    down: list[Rule] = []
    for drawing in drawings:
        for item in drawing["items"]:
            if item[0] == "l":
                (x0, y0), (x1, y1) = item[1], item[2]
                _add_rule(frame.rect((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))), across, down)
            elif item[0] in {"re", "qu"}:
                _add_rectangle(frame.rect(_rectangle(item)), across, down)
        if len(across) + len(down) > MAX_RULES:
            return [], []
    return _joined(across), _joined(down)


def _rectangle(item: Sequence[Any]) -> Rect:
    if item[0] == "re":
        x0, y0, x1, y1 = item[1]
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    return around([(x, y, x, y) for x, y in item[1]])


def _add_rule(rect: Rect, across: list[Rule], down: list[Rule]) -> None:
    width, height = rect[2] - rect[0], rect[3] - rect[1]
    if height <= SNAP < width:
        across.append(Rule((rect[1] + rect[3]) / 2, rect[0], rect[2]))
    elif width <= SNAP < height:
        down.append(Rule((rect[0] + rect[2]) / 2, rect[1], rect[3]))


def _add_rectangle(rect: Rect, across: list[Rule], down: list[Rule]) -> None:
    x0, y0, x1, y1 = rect
    if x1 - x0 <= SNAP or y1 - y0 <= SNAP:
        _add_rule(rect, across, down)
        return
    across.extend((Rule(y0, x0, x1), Rule(y1, x0, x1)))
    down.extend((Rule(x0, y0, y1), Rule(x1, y0, y1)))


def _joined(lines: list[Rule]) -> list[Rule]:
    """Rules at the same place that touch, as one."""
    joined: list[Rule] = []
    for group in _snapped(sorted(lines, key=lambda rule: rule.at)):
        at = sum(rule.at for rule in group) / len(group)
        start = end = None
        for rule in sorted(group, key=lambda r: r.start):
            if end is None or start is None:
                start, end = rule.start, rule.end
            elif rule.start <= end + SNAP:
                end = max(end, rule.end)
            else:
                joined.append(Rule(at, start, end))
                start, end = rule.start, rule.end
        if start is not None and end is not None:
            joined.append(Rule(at, start, end))
    return joined


def _snapped(lines: list[Rule]) -> list[list[Rule]]:
    groups: list[list[Rule]] = []
    for rule in lines:
        if groups and rule.at - groups[-1][0].at <= SNAP:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    return groups


def ruled_grids(across: list[Rule], down: list[Rule], fragments: Sequence[Fragment]) -> list[Grid]:
    """The grids that the rules form, filled with the words in them; frames around running text are left out."""
    grids: list[Grid] = []
    for group_across, group_down in _connected(across, down):
        ys = _places(group_across)
        xs = _places(group_down)
        if len(xs) < 3 or len(ys) < 2 or (len(xs) - 1) * (len(ys) - 1) > MAX_GRID:
            continue
        rect = (xs[0], ys[0], xs[-1], ys[-1])
        rows = _grid_rows(xs, ys, (group_across, group_down), fragments)
        if _is_table(rows):
            grids.append(Grid(tuple(map(tuple, rows)), rect))
    return _outermost(grids)


def _connected(across: list[Rule], down: list[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    parent = list(range(len(across) + len(down)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for i, row in enumerate(across):
        for j, column in enumerate(down):
            crosses = row.start - SNAP <= column.at <= row.end + SNAP
            if crosses and column.start - SNAP <= row.at <= column.end + SNAP:
                parent[root(i)] = root(len(across) + j)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for i, row in enumerate(across):
        groups.setdefault(root(i), ([], []))[0].append(row)
    for j, column in enumerate(down):
        groups.setdefault(root(len(across) + j), ([], []))[1].append(column)
    return [group for group in groups.values() if group[0] and group[1]]


def _places(lines: list[Rule]) -> list[float]:
    places: list[float] = []
    for at in sorted(rule.at for rule in lines):
        if not places or at - places[-1] > SNAP:
            places.append(at)
    return places


def _grid_rows(
    xs: list[float], ys: list[float], lines: tuple[list[Rule], list[Rule]], fragments: Sequence[Fragment]
) -> list[list[Cell]]:
    """Cells of the grid row by row; where a rule is missing between two, the words go to the first of them."""
    rows: list[list[Cell]] = []
    across, down = lines
    for top, bottom in zip(ys, ys[1:], strict=False):
        middle = (top + bottom) / 2
        open_left = [not _covers(down, x, middle) for x in xs[:-1]]
        starts = [0, *(column for column in range(1, len(xs) - 1) if not open_left[column])]
        band = [f for f in fragments if centre_inside(f.rect, (xs[0], top, xs[-1], bottom)) or _within(f, top, bottom)]
        for part in _split_band(band, xs, starts):
            cells = [Cell() for _ in xs[:-1]]
            for place, start in enumerate(starts):
                end = starts[place + 1] if place + 1 < len(starts) else len(xs) - 1
                cells[start] = _cell(part, (xs[start], top, xs[end], bottom))
            rows.append(cells)
    return [row for row in rows if any(cell.text for cell in row)]


def _within(fragment: Fragment, top: float, bottom: float) -> bool:
    return top <= (fragment.rect[1] + fragment.rect[3]) / 2 <= bottom


def _covers(down: list[Rule], x: float, y: float) -> bool:
    return any(abs(rule.at - x) <= SNAP and rule.start - SNAP <= y <= rule.end + SNAP for rule in down)


def _split_band(band: list[Fragment], xs: list[float], starts: list[int]) -> list[list[Fragment]]:
    """A band of a table whose rows are not ruled, as its lines; any other band as it is."""
    rows = visual_rows(band)
    edges = [xs[start] for start in starts] + [xs[-1]]
    columns = list(zip(edges, edges[1:], strict=False))
    counts = [sum(any(left <= w.rect[0] < right for f in row for w in f.words) for row in rows)
              for left, right in columns]  # fmt: skip
    used = [count for count in counts if count]
    full = sum(count >= 0.8 * len(rows) for count in used)
    figures = sum(is_figure(fragment.text) for row in rows for fragment in row)
    lines = len(rows) >= 2 and full == len(used) >= 3 and 2 * figures > len(band)
    many = len(rows) >= 4 and full >= 2 and full > len(used) / 2
    return [list(row) for row in rows] if lines or many else [band]


def _cell(fragments: Iterable[Fragment], rect: Rect) -> Cell:
    inside = [(f, [w for w in f.words if centre_inside(w.rect, rect)]) for f in fragments]
    kept = [Fragment(tuple(ws), around([w.rect for w in ws]), f.size, f.bold, f.order) for f, ws in inside if ws]
    words = [word for row in visual_rows(kept) for fragment in row for word in fragment.words]
    return to_cell(words, bool(kept) and all(fragment.bold for fragment in kept))


def to_cell(words: Sequence[Word], bold: bool) -> Cell:
    """A cell of these words in order."""
    text, spans = cell_line(words)
    return Cell(text, spans, bold)


def _is_table(rows: list[list[Cell]]) -> bool:
    """Whether at least two rows have at least two filled cells, and they hold a good part of the text."""
    full = [row for row in rows if sum(bool(cell.text) for cell in row) >= 2]
    everything = sum(len(cell.text) for row in rows for cell in row)
    return len(full) >= 2 and sum(len(cell.text) for row in full for cell in row) >= 0.4 * everything


def _outermost(grids: list[Grid]) -> list[Grid]:
    kept: list[Grid] = []
    for grid in sorted(grids, key=lambda g: -area(g.rect)):
        if not any(centre_inside(grid.rect, other.rect) for other in kept):
            kept.append(grid)
    return sorted(kept, key=lambda g: (g.rect[1], g.rect[0]))


def aligned_grids(regions: Sequence[Region]) -> list[Grid]:
    """Tables without rules: at least three rows near each other whose cells stand in common columns."""
    return [grid for region in regions for run in _aligned_runs(region) if (grid := _aligned_grid(run))]


def _aligned_runs(region: Region) -> list[Region]:
    """Rows in runs of such with several cells; single cells between them stay, as parts of a cell or subtitles."""
    runs: list[Region] = []
    current: Region = []
    for row in region:
        near = not current or row[0].rect[1] - current[-1][0].rect[3] < 2.5 * row[0].size
        plain = all(f.words and not f.aside for f in row)
        if not near or not plain or (current and not free_strips([f for r in [*current, row] for f in r])):
            runs.append(current)
            current = []
        if plain and (current or len(row) >= 2):
            current.append(row)
    return [run for run in [*runs, current] if sum(len(row) >= 2 for row in run) >= 3]


def _aligned_grid(run: Region) -> Grid | None:
    middles = [(left + right) / 2 for left, right in free_strips([f for row in run for f in row])]
    rows: list[list[Cell]] = []
    for row in run:
        cells = _row_cells(row, middles)
        continues = rows and not cells[0].text and sum(bool(c.text) for c in cells) < len(cells) / 2
        if continues and len(cells) > 2:
            rows[-1] = [_joined_cells(above, cell) for above, cell in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    if not _is_table(rows):
        return None
    return Grid(tuple(map(tuple, rows)), around([f.rect for row in run for f in row]))


def _row_cells(row: Row, middles: list[float]) -> list[Cell]:
    slots: list[list[Fragment]] = [[] for _ in range(len(middles) + 1)]
    for fragment in row:
        slots[sum(fragment.rect[0] > middle for middle in middles)].append(fragment)
    return [to_cell([w for f in slot for w in f.words], bool(slot) and all(f.bold for f in slot)) for slot in slots]


def _joined_cells(above: Cell, below: Cell) -> Cell:
    if not below.text or not above.text:
        return below if below.text else above
    shift = len(above.text) + 1
    moved = tuple(type(s)(s.start + shift, s.end + shift, s.box) for s in below.spans)
    return Cell(f"{above.text} {below.text}", (*above.spans, *moved), above.bold and below.bold)
