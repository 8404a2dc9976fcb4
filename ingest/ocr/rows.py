"""Text regions put in the order in which a person reads them, side by side ones on one row."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.ocr.layout import text_units

_PROSE_UNITS = 4.0
"""Words that a line of running text has at least, in the middle."""
_PROSE_ROWS = 3
_FULL = 0.7
"""Share of its column's width that a line of running text fills, in the middle."""


class Placed(Protocol):
    """A stretch of text at a place: `quad` is (4, 2), corners clockwise from the text's top left."""

    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def quad(self) -> NDArray[np.float32]: ...  # noqa: D102


RegionT = TypeVar("RegionT", bound=Placed)


@dataclass(frozen=True, slots=True)
class _Item(Generic[RegionT]):
    """A region with its upright box after the picture is turned so that most text runs to the right."""

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
    stacks = _stacks(items)
    stack_of = {id(item): place for place, stack in enumerate(stacks) for item in stack}
    rows = _rows(items, stack_of)
    if len(stacks) > 1:
        rows = _read_in_columns(_units(rows, stack_of))
    return [[item.region for item in row] for row in rows]


def _units(rows: Sequence[list[_Item[RegionT]]], stack_of: Mapping[int, int]) -> list[list[list[_Item[RegionT]]]]:
    """The rows of each stack together, every other row by itself."""
    stacked: dict[int, list[list[_Item[RegionT]]]] = {}
    units = []
    for row in rows:
        places = [stack_of[id(item)] for item in row if id(item) in stack_of]
        if not places:
            units.append([row])
        elif places[0] in stacked:
            stacked[places[0]].append(row)
        else:
            stacked[places[0]] = [row]
            units.append(stacked[places[0]])
    return units


def text_direction(regions: Sequence[Placed]) -> float:
    """The angle in radians at which most text runs: 0 to the right, a quarter of the circle for downwards."""
    along = np.array([region.quad[1] + region.quad[2] - region.quad[0] - region.quad[3] for region in regions])
    if not len(along):
        return 0.0
    angles, lengths = np.arctan2(along[:, 1], along[:, 0]), np.hypot(along[:, 0], along[:, 1])
    quarters = np.round(angles / (math.pi / 2)).astype(int) % 4
    quarter = int(np.bincount(quarters, weights=lengths, minlength=4).argmax())
    chosen = quarters == quarter
    turns = (angles[chosen] - quarter * math.pi / 2 + math.pi) % (2 * math.pi) - math.pi
    order = np.argsort(turns)
    total = np.cumsum(lengths[chosen][order])
    return quarter * math.pi / 2 + float(turns[order][int(np.searchsorted(total, total[-1] / 2))])


def _level(regions: Sequence[RegionT]) -> list[_Item[RegionT]]:
    angle = text_direction(regions)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    items = []
    for region in regions:
        corners = region.quad @ turn
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        items.append(_Item(region, float(x0), float(y0), float(x1), float(y1)))
    return items


def _stacks(items: Sequence[_Item[RegionT]]) -> list[list[_Item[RegionT]]]:
    """Lines of running text that stand right under each other with a common left or right edge, or centred."""
    stacks: list[list[_Item[RegionT]]] = []
    for item in sorted(items, key=lambda item: item.middle):
        above = [stack for stack in stacks if _continues(stack[-1], item)]
        if above:
            max(above, key=lambda stack: stack[-1].y1).append(item)
        else:
            stacks.append([item])
    return [stack for stack in stacks if _is_prose(stack)]


def _continues(above: _Item[RegionT], item: _Item[RegionT]) -> bool:
    height = min(above.height, item.height)
    shared = min(above.x1, item.x1) - max(above.x0, item.x0)
    return (
        max(above.height, item.height) < 1.6 * height
        and -0.5 * height < item.y0 - above.y1 < 0.8 * height
        and item.middle > above.middle + 0.5 * height
        and shared > 0.5 * min(above.x1 - above.x0, item.x1 - item.x0)
        and max(above.x1 - above.x0, item.x1 - item.x0) < 6 * min(above.x1 - above.x0, item.x1 - item.x0)
    )


def _is_prose(stack: list[_Item[RegionT]]) -> bool:
    """Whether a stack is running text: several lines, mostly words and not figures, mostly full."""
    if len(stack) < _PROSE_ROWS:
        return False
    texts = [item.region.text for item in stack]
    if statistics.median(map(text_units, texts)) < _PROSE_UNITS or sum(map(_is_figures, texts)) > 0.3 * len(texts):
        return False
    widths = [item.x1 - item.x0 for item in stack]
    return statistics.median(widths) > _FULL * (max(item.x1 for item in stack) - min(item.x0 for item in stack))


def _read_in_columns(units: Sequence[list[list[_Item[RegionT]]]]) -> list[list[_Item[RegionT]]]:
    """Rows of all units, each unit whole: what is above comes first, then what is to the left.

    One unit comes before another that it stands above of, and before one to its right unless a third one that
    reaches over both stands between them (a headline): the partial order of T. Breuel, 2003.
    """
    boxes = np.array([_extent(unit) for unit in units])
    x0, y0, x1, y1 = boxes.T
    middle = (y0 + y1) / 2
    slack = 0.1 * (x1 - x0)
    overlaps = (np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0)) > np.minimum(slack[:, None], slack)
    before = overlaps & (middle[:, None] < middle)
    for a in range(len(units)):
        for b in np.flatnonzero(~overlaps[a] & (x0[a] < x0)):
            low, high = sorted((middle[a], middle[b]))
            before[a, b] = not np.any(overlaps[a] & overlaps[b] & (middle > low) & (middle < high))
    order = _topological(before, np.lexsort((x0, y0)))
    return [row for place in order for row in units[place]]


def _topological(before: NDArray[np.bool_], preference: NDArray[np.intp]) -> list[int]:
    """An order in which `before` holds; among those free to come, by preference (which also breaks circles)."""
    waiting = before.sum(axis=0)
    left = [int(place) for place in preference]
    order = []
    while left:
        place = next((place for place in left if waiting[place] == 0), left[0])
        left.remove(place)
        order.append(place)
        waiting = waiting - before[place]
    return order


def _extent(rows: Sequence[Sequence[_Item[RegionT]]]) -> tuple[float, float, float, float]:
    items = [item for row in rows for item in row]
    return (
        min(item.x0 for item in items),
        min(item.y0 for item in items),
        max(item.x1 for item in items),
        max(item.y1 for item in items),
    )


def _is_figures(text: str) -> bool:
    letters = sum(char.isalpha() for char in text)
    return sum(char.isdigit() for char in text) > letters


def _rows(items: Sequence[_Item[RegionT]], stack_of: Mapping[int, int]) -> list[list[_Item[RegionT]]]:
    """Regions that stand on one baseline side by side, rows from top to bottom."""
    rows: list[list[_Item[RegionT]]] = []
    for item in sorted(items, key=lambda item: (item.middle, item.x0)):
        for row in reversed(rows[-4:]):
            if all(_side_by_side(item, other) and _may_join(item, other, stack_of) for other in row):
                row.append(item)
                break
        else:
            rows.append([item])
    for row in rows:
        row.sort(key=lambda item: item.x0)
    return sorted(rows, key=lambda row: (statistics.fmean(item.middle for item in row), row[0].x0))


def _may_join(a: _Item[RegionT], b: _Item[RegionT], stack_of: Mapping[int, int]) -> bool:
    """Running text is joined with an amount beside it and with the rest of its line, but not with other text."""
    near = max(a.x0, b.x0) - min(a.x1, b.x1) < 0.8 * min(a.height, b.height)
    for one, other in ((a, b), (b, a)):
        place, beside = stack_of.get(id(one)), stack_of.get(id(other))
        amount = _is_figures(other.region.text) and other.x0 > one.x0
        if place is not None and place != beside and not amount and not (near and beside is None):
            return False
    return True


def _side_by_side(a: _Item[RegionT], b: _Item[RegionT]) -> bool:
    low, high = sorted((a.height, b.height))
    shared = min(a.y1, b.y1) - max(a.y0, b.y0)
    apart = min(a.x1, b.x1) - max(a.x0, b.x0) < 0.5 * low
    return apart and shared > 0.5 * low and high < 2.5 * max(low, 1.0)
