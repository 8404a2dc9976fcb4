"""Text regions put in the order in which a person reads them, side by side ones on one row."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.layout import text_units

_PROSE_UNITS = 4.0
"""Words a row has at least, in the middle, for its column to be read as running text."""
_PROSE_ROWS = 3
_GUTTER = 0.6
"""Width of the strip between two columns at least, in heights of a line."""


class Placed(Protocol):
    """A stretch of text at a place: `quad` is (4, 2), corners clockwise from the text's top left."""

    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def quad(self) -> NDArray[np.float32]: ...  # noqa: D102


RegionT = TypeVar("RegionT", bound=Placed)


@dataclass(frozen=True, slots=True)
class _Item(Generic[RegionT]):
    """A region with its upright box after the common slant of all lines is taken out."""

    region: RegionT
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2


def rows_in_order(regions: Sequence[RegionT]) -> list[list[RegionT]]:
    """Rows from first to last, each with its regions from left to right.

    Columns of running text are read one after the other; a label and the amount beside it become one row.
    """
    items = _level(regions)
    return [[item.region for item in row] for row in _ordered(items)]


def slant(regions: Sequence[Placed]) -> float:
    """The angle in radians at which most text runs, in the range of a quarter turn around level."""
    angles, weights = [], []
    for region in regions:
        along = region.quad[1] + region.quad[2] - region.quad[0] - region.quad[3]
        angle = math.atan2(float(along[1]), float(along[0]))
        if abs(angle) < math.pi / 4:
            angles.append(angle)
            weights.append(float(np.hypot(*along)))
    if not angles:
        return 0.0
    order = np.argsort(angles)
    total = np.cumsum(np.asarray(weights)[order])
    return float(np.asarray(angles)[order][int(np.searchsorted(total, total[-1] / 2))])


def _level(regions: Sequence[RegionT]) -> list[_Item[RegionT]]:
    angle = slant(regions)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    items = []
    for region in regions:
        corners = region.quad @ turn
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        items.append(_Item(region, float(x0), float(y0), float(x1), float(y1)))
    return items


def _ordered(items: list[_Item[RegionT]]) -> list[list[_Item[RegionT]]]:
    """Columns where there are some, else the parts above and below the widest gap, else rows."""
    pending, rows = [items], []
    while pending:
        part = pending.pop()
        if not part:
            continue
        halves = _columns(part) or _blocks(part)
        if halves is None:
            rows.extend(_rows(part))
        else:
            pending.extend(reversed(halves))
    return rows


def _columns(items: list[_Item[RegionT]]) -> tuple[list[_Item[RegionT]], list[_Item[RegionT]]] | None:
    """Left and right of the widest gutter between two columns of running text."""
    if len(items) < 2 * _PROSE_ROWS:
        return None
    least = _GUTTER * statistics.median(item.height for item in items)
    for width, at in sorted(_gaps([(item.x0, item.x1) for item in items]), reverse=True):
        if width < least:
            return None
        left = [item for item in items if item.x1 <= at]
        right = [item for item in items if item.x0 >= at]
        if _is_prose(left) and _is_prose(right):
            return left, right
    return None


def _blocks(items: list[_Item[RegionT]]) -> tuple[list[_Item[RegionT]], list[_Item[RegionT]]] | None:
    """Above and below the widest gap that no region crosses, where a column may begin or end there."""
    if len(items) <= 2 * _PROSE_ROWS:
        return None
    gaps = _gaps([(item.y0, item.y1) for item in items])
    if not gaps:
        return None
    _, at = max(gaps)
    return [item for item in items if item.y1 <= at], [item for item in items if item.y0 >= at]


def _gaps(intervals: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Width and middle of each gap that no interval covers."""
    gaps = []
    end = math.inf
    for start, stop in sorted(intervals):
        if start > end:
            gaps.append((start - end, (start + end) / 2))
        end = stop if math.isinf(end) else max(end, stop)
    return gaps


def _is_prose(items: list[_Item[RegionT]]) -> bool:
    """Whether a column holds running text: several rows, mostly words and not figures, mostly full."""
    rows = _rows(items)
    if len(rows) < _PROSE_ROWS:
        return False
    texts = [" ".join(item.region.text for item in row) for row in rows]
    if statistics.median(text_units(text) for text in texts) < _PROSE_UNITS:
        return False
    if sum(map(_is_figures, texts)) > 0.3 * len(texts):
        return False
    width = max(item.x1 for item in items) - min(item.x0 for item in items)
    return statistics.median(row[-1].x1 - row[0].x0 for row in rows) > 0.5 * width


def _is_figures(text: str) -> bool:
    letters = sum(char.isalpha() for char in text)
    return sum(char.isdigit() for char in text) > letters


def _rows(items: list[_Item[RegionT]]) -> list[list[_Item[RegionT]]]:
    """Regions that stand on one baseline side by side, rows from top to bottom."""
    rows: list[list[_Item[RegionT]]] = []
    for item in sorted(items, key=lambda item: (item.middle, item.x0)):
        for row in reversed(rows[-4:]):
            if all(_side_by_side(item, other) for other in row):
                row.append(item)
                break
        else:
            rows.append([item])
    for row in rows:
        row.sort(key=lambda item: item.x0)
    return sorted(rows, key=lambda row: (statistics.fmean(item.middle for item in row), row[0].x0))


def _side_by_side(a: _Item[RegionT], b: _Item[RegionT]) -> bool:
    low, high = sorted((a.height, b.height))
    shared = min(a.y1, b.y1) - max(a.y0, b.y0)
    apart = min(a.x1, b.x1) - max(a.x0, b.x0) < 0.5 * low
    return apart and shared > 0.5 * low and high < 2.5 * max(low, 1.0)
