"""Rectangles in points: (x0, y0, x1, y1), y downwards."""

from __future__ import annotations

from collections.abc import Sequence

Rect = tuple[float, float, float, float]


def around(rects: Sequence[Rect]) -> Rect:
    """The smallest rectangle around all of `rects`, of which there must be at least one."""
    return min(r[0] for r in rects), min(r[1] for r in rects), max(r[2] for r in rects), max(r[3] for r in rects)


def centre_inside(inner: Rect, outer: Rect, slack: float = 0.0) -> bool:
    """Whether the centre of `inner` lies in `outer` grown by `slack` points."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] - slack <= x <= outer[2] + slack and outer[1] - slack <= y <= outer[3] + slack


def area(rect: Rect) -> float:
    """Area in square points, 0 for an empty rectangle."""
    return max(0.0, rect[2] - rect[0]) * max(0.0, rect[3] - rect[1])


def intersection(first: Rect, second: Rect) -> Rect:
    """The common part; its area is 0 where there is none."""
    return max(first[0], second[0]), max(first[1], second[1]), min(first[2], second[2]), min(first[3], second[3])


def same_row(first: Rect, second: Rect) -> bool:
    """Whether the rectangles overlap vertically by more than half the height of the lower of them."""
    shared = min(first[3], second[3]) - max(first[1], second[1])
    return shared > 0.5 * min(first[3] - first[1], second[3] - second[1])
