"""The order in which a person reads the fragments of a page: columns, rows, right-to-left scripts.

The page is swept from top to bottom. Rows that share a free vertical strip form a run; the run is read column by
column where the strip looks like a gutter between columns of running text, row by row where it parts the cells of
a table or a label from its value. Geometry decides where it is clear, the order in the file where it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from ingest.ocr.layout import text_units
from ingest.readers.pages.geometry import Rect, same_row
from ingest.readers.pages.text import Fragment

Row = list[Fragment]
Region = list[Row]
Strip = tuple[float, float]

MAX_DEPTH = 12
LOOK_AHEAD = 4
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
    start, cover = 0, _ahead(covers, 0, least)
    for place in range(1, len(rows)):
        if _free(cover, least):
            wider = _cover([*cover, *covers[place]])
            goes_on = bool(_free(wider, least))
        else:
            wider = cover
            goes_on = not _free(_ahead(covers, place, least), least)
        if not goes_on:
            runs.append(rows[start:place])
            start, wider = place, _ahead(covers, place, least)
        cover = wider
    runs.append(rows[start:])
    return runs


def _ahead(covers: list[list[Strip]], place: int, least: float) -> list[Strip]:
    """What the next rows take together, strips filled in that have text of one row only at one side."""
    rows = covers[place : place + LOOK_AHEAD]
    cover = _cover(strip for row in rows for strip in row)
    for left, right in _free(cover, least):
        before = sum(row[0][0] < left for row in rows)
        after = sum(row[-1][1] > right for row in rows)
        if min(before, after) < 2 <= len(rows) - 1:
            cover = _cover([*cover, (left, right)])
    return cover


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
    """Cut a run at its wide horizontal gaps, each part to be judged by itself, unless it has clear columns."""
    members = [fragment for row in run for fragment in row]
    if any(_is_clear(left, right) for left, right in pairwise(_split(members))):
        return [run]
    height = median(fragment.rect[3] - fragment.rect[1] for fragment in members)
    parts, bottom = [[run[0]]], max(fragment.rect[3] for fragment in run[0])
    for row in run[1:]:
        if min(fragment.rect[1] for fragment in row) - bottom > 1.2 * height:
            parts.append([])
        parts[-1].append(row)
        bottom = max(bottom, *(fragment.rect[3] for fragment in row))
    return _with_common_gutter(parts)


def _with_common_gutter(parts: list[Region]) -> list[Region]:
    """Parts on top of each other that the same gutter goes through are one."""
    merged = parts[:1]
    for part in parts[1:]:
        both = [fragment for row in [*merged[-1], *part] for fragment in row]
        columns = [_columns([f for row in one for f in row]) for one in (merged[-1], part)]
        if min(map(len, columns)) > 1 and len(_columns(both)) > 1:
            merged[-1] = [*merged[-1], *part]
        else:
            merged.append(part)
    return merged


def _split(members: list[Fragment]) -> list[list[Fragment]]:
    """The fragments between the free strips, from left to right."""
    middles = [(left + right) / 2 for left, right in free_strips(members)]
    columns: list[list[Fragment]] = [[] for _ in range(len(middles) + 1)]
    for fragment in members:
        columns[sum(fragment.rect[0] > middle for middle in middles)].append(fragment)
    return columns


def _columns(members: list[Fragment]) -> list[list[Fragment]]:
    """Split at every strip that is a gutter; one list if there is none. Right-to-left pages start at the right."""
    columns: list[list[Fragment]] = []
    figures = _has_figures(members)
    before: list[Fragment] = []
    for column in _split(members):
        if before and _is_gutter(before, column, figures):
            columns.append(column)
        elif before:
            columns[-1] = [*columns[-1], *column]
        else:
            columns.append(column)
        before = column
    rtl = sum(len(f.text) for f in members if f.rtl) * 2 > sum(len(f.text) for f in members)
    return columns[::-1] if rtl else columns


def _is_clear(left: list[Fragment], right: list[Fragment]) -> bool:
    """Whether two neighbours are columns beyond doubt: both prose, or many lines that seldom share a base line."""
    if _is_prose(left) and _is_prose(right):
        return True
    return min(len(left), len(right)) >= 8 and _partnered(left, right) < 0.4


def _is_gutter(left: list[Fragment], right: list[Fragment], figures: bool) -> bool:
    few = min(len(left), len(right))
    if few < 2:
        return False
    prose = _is_prose(left) and _is_prose(right)
    partnered = _partnered(left, right)
    if (few >= 8 and partnered < 0.4) or (few >= 4 and partnered < 0.65 and not figures):
        return True
    if _changes(left, right) > 0.7 * few:
        return prose and few >= 6
    return prose or not figures


def _changes(left: list[Fragment], right: list[Fragment]) -> int:
    """How often the file goes from one side to the other."""
    last = {id(fragment) for fragment in right}
    sides = [id(fragment) in last for fragment in sorted([*left, *right], key=lambda f: f.order)]
    return sum(one != other for one, other in pairwise(sides))


def _partnered(left: list[Fragment], right: list[Fragment]) -> float:
    """Share of the fragments of the smaller side with one on their base line at the other side."""
    few, many = sorted((left, right), key=len)
    return sum(any(_on_line(one.rect, other.rect) for other in many) for one in few) / len(few)


def _on_line(one: Rect, other: Rect) -> bool:
    height = min(one[3] - one[1], other[3] - other[1])
    apart = min(abs(one[1] + one[3] - other[1] - other[3]) / 2, abs(one[3] - other[3]))
    return apart < 0.18 * height


def _is_prose(side: list[Fragment]) -> bool:
    """Whether the fragments look like lines of running text that fill their column."""
    left, right = min(fragment.rect[0] for fragment in side), max(fragment.rect[2] for fragment in side)
    rows = visual_rows(side)
    extents = [max(f.rect[2] for f in row) - min(f.rect[0] for f in row) for row in rows]
    units = [sum(text_units(fragment.text) for fragment in row) for row in rows]
    return median(extents) > 0.6 * (right - left) and median(units) >= 4


def _has_figures(members: list[Fragment]) -> bool:
    """Whether a column of the fragments holds mostly numbers, as in a table."""
    columns = ([fragment.text.replace(" ", "") for fragment in column] for column in _split(members))
    return any(2 * sum(map(_is_figure, column)) >= len(column) >= 2 for column in columns)


def _is_figure(text: str) -> bool:
    return 2 * sum(char.isdigit() for char in text) >= len(text)
