"""Horizontal and vertical rules among a page's drawings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.readers.pages.geometry import Rect, around
from ingest.readers.pages.text import PageFrame

SNAP = 3.0
"""Points by which rules of one table miss each other."""
MAX_RULES = 4000
LEAST_ACROSS, LEAST_DOWN = 12.0, 7.0
"""Points; shorter strokes belong to letters and ornaments."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal or vertical line: `at` across it, from `start` to `end` along it."""

    at: float
    start: float
    end: float


def rules(drawings: Iterable[dict[str, Any]], frame: PageFrame) -> tuple[list[Rule], list[Rule]]:
    """Horizontal and vertical rules among PyMuPDF's drawings: lines, thin rectangles, edges of rectangles."""
    across: list[Rule] = []
    down: list[Rule] = []
    for drawing in drawings:
        for item in drawing["items"]:
            if item[0] == "l":
                (x0, y0), (x1, y1) = item[1], item[2]
                _add_rule(frame.rect((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))), across, down)
            elif item[0] in {"re", "qu"}:
                rect = frame.rect(_rectangle(item))
                if _is_thin(rect):
                    _add_rule(rect, across, down)
                elif not _is_ground(drawing):
                    _add_edges(rect, across, down)
        if len(across) + len(down) > MAX_RULES:
            return [], []
    long_across = [rule for rule in _joined(across) if rule.end - rule.start >= LEAST_ACROSS]
    return long_across, [rule for rule in _joined(down) if rule.end - rule.start >= LEAST_DOWN]


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


def _is_thin(rect: Rect) -> bool:
    return rect[2] - rect[0] <= SNAP or rect[3] - rect[1] <= SNAP


def _is_ground(drawing: dict[str, Any]) -> bool:
    """White without an outline: nothing to see but what lies on it."""
    fill = drawing.get("fill")
    return drawing["type"] == "f" and fill is not None and min(fill) > 0.99


def _add_edges(rect: Rect, across: list[Rule], down: list[Rule]) -> None:
    x0, y0, x1, y1 = rect
    across.extend((Rule(y0, x0, x1), Rule(y1, x0, x1)))
    down.extend((Rule(x0, y0, y1), Rule(x1, y0, y1)))


def _joined(lines: list[Rule]) -> list[Rule]:
    """Rules at the same place that touch, as one."""
    joined: list[Rule] = []
    for group in _snapped(sorted(lines, key=lambda rule: rule.at)):
        at = sum(rule.at for rule in group) / len(group)
        start, end = group[0].start, group[0].start
        for rule in sorted(group, key=lambda rule: rule.start):
            if rule.start > end + SNAP:
                joined.append(Rule(at, start, end))
                start, end = rule.start, rule.end
            start, end = min(start, rule.start), max(end, rule.end)
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


def connected(across: list[Rule], down: list[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Groups of horizontal and vertical rules that cross or touch each other."""
    parent = list(range(len(across) + len(down)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for i, row in enumerate(across):
        for j, column in enumerate(down):
            if covers(row, column.at) and covers(column, row.at):
                parent[root(i)] = root(len(across) + j)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for i, row in enumerate(across):
        groups.setdefault(root(i), ([], []))[0].append(row)
    for j, column in enumerate(down):
        groups.setdefault(root(len(across) + j), ([], []))[1].append(column)
    return [group for group in groups.values() if group[0] and group[1]]


def places(lines: Iterable[Rule]) -> list[float]:
    """Where rules lie, in order, each place once."""
    found: list[float] = []
    for at in sorted(rule.at for rule in lines):
        if not found or at - found[-1] > SNAP:
            found.append(at)
    return found


def covers(rule: Rule, place: float) -> bool:
    """Whether the rule passes a place along it."""
    return rule.start - SNAP <= place <= rule.end + SNAP


def ruled(lines: Iterable[Rule], at: float, place: float) -> bool:
    """Whether one of the rules lies at `at` and passes `place`."""
    return any(abs(rule.at - at) <= SNAP and covers(rule, place) for rule in lines)
