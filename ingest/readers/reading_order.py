"""The order in which a person reads the fragments of a page: columns, rows, right-to-left scripts.

The page is swept from top to bottom. Rows that share a free vertical strip form a run; the run is read column by
column where the strip looks like a gutter between columns of running text, row by row where it parts the cells of
a table or a label from its value. Geometry decides where it is clear, the order in the file where it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from ingest.layout import text_units
from ingest.readers.geometry import Rect, around, same_row
from ingest.readers.page_text import Fragment

Row = list[Fragment]
Region = list[Row]
Strip = tuple[float, float]

MAX_DEPTH = 12
LOOK_AHEAD = 3
"""Rows that must share a free strip before a run of columns begins."""


def reading_order(fragments: Sequence[Fragment]) -> list[Region]:
    """Regions in reading order, each a list of rows, each row its fragments in reading direction.

    Text that runs in another direction, and notes, come last in the order of the file, one row each.
    """
    upright = [fragment for fragment in fragments if not fragment.aside]
    regions = _regions(upright, 0)
    aside = [[fragment] for fragment in fragments if fragment.aside]
    return [*regions, aside] if aside else regions


def _regions(fragments: list[Fragment], depth: int) -> list[Region]:
    regions: list[Region] = []
    loose: Region = []
    runs = _runs(visual_rows(fragments))
    for run in (part for whole in runs for part in _parts(whole)):
        members = [fragment for row in run for fragment in row]
        columns = _columns(members) if depth < MAX_DEPTH else [members]
        if len(columns) == 1:
            loose.extend(run)
            continue
        if loose:
            regions.append(loose)
            loose = []
        for column in columns:
            regions.extend(_regions(column, depth + 1))
    if loose:
        regions.append(loose)
    return regions


def visual_rows(fragments: Sequence[Fragment]) -> list[Row]:
    """Fragments grouped by base line, rows from top to bottom, each in its reading direction."""
    rows: list[Row] = []
    for fragment in sorted(fragments, key=lambda f: ((f.rect[1] + f.rect[3]) / 2, f.rect[0])):
        for row in rows[-4:]:
            if all(same_row(fragment.rect, other.rect) for other in row):
                row.append(fragment)
                break
        else:
            rows.append([fragment])
    return [_in_direction(row) for row in rows]


def _in_direction(row: Row) -> Row:
    rtl = sum(len(f.text) for f in row if f.rtl) * 2 > sum(len(f.text) for f in row)
    return sorted(row, key=lambda f: -f.rect[2]) if rtl else sorted(row, key=lambda f: f.rect[0])


def _runs(rows: list[Row]) -> list[Region]:
    """Cut rows into runs: as long as a vertical strip stays free in all of them, or as long as there is none."""
    if not rows:
        return []
    least = _gutter_width([fragment for row in rows for fragment in row])
    covers = [_cover((fragment.rect[0], fragment.rect[2]) for fragment in row) for row in rows]
    runs: list[Region] = []
    start, cover = 0, _ahead(covers, 0)
    for place in range(1, len(rows)):
        if _free(cover, least):
            wider = _cover([*cover, *covers[place]])
            goes_on = bool(_free(wider, least))
        else:
            wider = cover
            goes_on = not _free(_ahead(covers, place), least)
        if not goes_on:
            runs.append(rows[start:place])
            start, wider = place, _ahead(covers, place)
        cover = wider
    runs.append(rows[start:])
    return runs


def _ahead(covers: list[list[Strip]], place: int) -> list[Strip]:
    """What the next rows take together: a strip that is free in one row only is no gutter."""
    return _cover(strip for one in covers[place : place + LOOK_AHEAD] for strip in one)


def _gutter_width(fragments: Sequence[Fragment]) -> float:
    return max(4.0, 0.7 * median(fragment.size for fragment in fragments))


def _cover(strips: Iterable[Strip]) -> list[Strip]:
    """The strips taken, merged where they touch, left to right."""
    merged: list[Strip] = []
    for left, right in sorted(strips):
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged


def _free(cover: Sequence[Strip], least: float) -> list[Strip]:
    """Strips of at least the width `least` between the strips taken."""
    return [(a[1], b[0]) for a, b in pairwise(cover) if b[0] - a[1] >= least]


def free_strips(fragments: Sequence[Fragment]) -> list[Strip]:
    """Vertical strips that no fragment touches, between others, left to right, wide enough for a gutter."""
    if not fragments:
        return []
    cover = _cover((fragment.rect[0], fragment.rect[2]) for fragment in fragments)
    return _free(cover, _gutter_width(fragments))


def _parts(run: Region) -> list[Region]:
    """Cut a run at its wide horizontal gaps, each part to be judged by itself, unless it is columns of prose."""
    members = [fragment for row in run for fragment in row]
    middles = [(left + right) / 2 for left, right in free_strips(members)]
    if not middles or any(_parts_prose(members, x) for x in middles):
        return [run]
    height = median(fragment.rect[3] - fragment.rect[1] for fragment in members)
    parts, bottom = [[run[0]]], max(fragment.rect[3] for fragment in run[0])
    for row in run[1:]:
        if min(fragment.rect[1] for fragment in row) - bottom > height:
            parts.append([])
        parts[-1].append(row)
        bottom = max(bottom, *(fragment.rect[3] for fragment in row))
    return parts


def _parts_prose(members: list[Fragment], x: float) -> bool:
    left = [fragment for fragment in members if fragment.rect[2] <= x]
    return _is_prose(left) and _is_prose([fragment for fragment in members if fragment.rect[0] >= x])


def _columns(members: list[Fragment]) -> list[list[Fragment]]:
    """Split at every strip that is a gutter; one list if there is none. Right-to-left pages start at the right."""
    gutters = [(left + right) / 2 for left, right in free_strips(members) if _is_gutter(members, (left + right) / 2)]
    columns: list[list[Fragment]] = [[] for _ in range(len(gutters) + 1)]
    for fragment in members:
        columns[sum(fragment.rect[0] > gutter for gutter in gutters)].append(fragment)
    rtl = sum(len(f.text) for f in members if f.rtl) * 2 > sum(len(f.text) for f in members)
    return columns[::-1] if rtl else columns


def _is_gutter(members: list[Fragment], x: float) -> bool:
    left = [fragment for fragment in members if fragment.rect[2] <= x]
    right = [fragment for fragment in members if fragment.rect[0] >= x]
    if len(left) < 2 or len(right) < 2:
        return False
    few, many = sorted((left, right), key=len)
    partnered = sum(any(_on_line(one.rect, other.rect) for other in many) for one in few)
    if partnered < 0.65 * len(few):
        return True
    prose = _is_prose(left) and _is_prose(right)
    sides = [fragment.rect[0] >= x for fragment in sorted(members, key=lambda f: f.order)]
    changes = sum(one != other for one, other in pairwise(sides))
    by_rows = changes > 0.7 * len(few)
    if by_rows:
        return prose and min(len(left), len(right)) >= 6
    return prose or not _has_figures(members)


def _on_line(one: Rect, other: Rect) -> bool:
    height = min(one[3] - one[1], other[3] - other[1])
    apart = min(abs(one[1] + one[3] - other[1] - other[3]) / 2, abs(one[3] - other[3]))
    return apart < 0.18 * height


def _is_prose(side: list[Fragment]) -> bool:
    """Whether the fragments look like lines of running text that fill their column."""
    box = around([fragment.rect for fragment in side])
    width = max(1.0, box[2] - box[0])
    filled = median((fragment.rect[2] - fragment.rect[0]) / width for fragment in side)
    return filled > 0.6 and median(text_units(fragment.text) for fragment in side) >= 4


def _has_figures(members: list[Fragment]) -> bool:
    """Whether a column of the fragments holds mostly numbers, as in a table."""
    middles = [(left + right) / 2 for left, right in free_strips(members)]
    columns: list[list[str]] = [[] for _ in range(len(middles) + 1)]
    for fragment in members:
        columns[sum(fragment.rect[0] > middle for middle in middles)].append(fragment.text.replace(" ", ""))
    return any(2 * sum(map(_is_figure, column)) >= len(column) >= 2 for column in columns)


def _is_figure(text: str) -> bool:
    return 2 * sum(char.isdigit() for char in text) >= len(text)
