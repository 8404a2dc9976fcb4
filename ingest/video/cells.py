"""Comparing frames cell by cell: where two of them differ, and whether it matters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.video.frames import Luma

if TYPE_CHECKING:
    from ingest.ocr.recognition import OcrLine

_CELL = 8
_CHANGED = 9.0
"""Mean difference (0..255) of a cell of 8 x 8 pixels from which something there is different."""
Pair = tuple[float, float]


def changed_cells(one: Luma, two: Luma) -> NDArray[np.bool_] | None:
    """Cells of 8 x 8 pixels that differ, a change of the whole picture's brightness apart; None for two shapes."""
    if one.shape != two.shape:
        return None
    change = one.astype(np.int16) - two
    change -= np.int16(np.clip(np.median(change), -16, 16))
    size = np.abs(change).astype(np.float32)
    rows, columns = range(0, size.shape[0], _CELL), range(0, size.shape[1], _CELL)
    sums = np.add.reduceat(np.add.reduceat(size, rows, axis=0), columns, axis=1)
    return np.asarray(sums > _CHANGED * _CELL * _CELL, dtype=np.bool_)


def alike(one: Luma, two: Luma) -> bool:
    """Whether two frames show the same."""
    return not touched(changed_cells(one, two))


def first_change(samples: Sequence[tuple[float, NDArray[np.bool_] | None]], cells: NDArray[np.bool_]) -> Pair | None:
    """Times of the last sample that is alike in `cells` and of the first that is not; None where all are alike."""
    for (same, _), (other, changed) in pairwise(samples):
        if touched(changed, cells):
            return same, other
    return None


def touched(changed: NDArray[np.bool_] | None, cells: NDArray[np.bool_] | bool = True) -> bool:
    """Whether something changed in `cells`."""
    return changed is None or bool((changed & cells).any())


def cells_of(lines: Sequence[OcrLine], shape: tuple[int, ...], margin: int = 1) -> NDArray[np.bool_]:
    """The cells in which lines stand, in frames of this shape (height, width), and `margin` cells around them."""
    height, width = shape
    cells = np.zeros((-(-height // _CELL), -(-width // _CELL)), dtype=np.bool_)
    for line in lines:
        top, bottom = (int(y * height) // _CELL for y in (line.box.y0, line.box.y1))
        left, right = (int(x * width) // _CELL for x in (line.box.x0, line.box.x1))
        cells[max(0, top - margin) : bottom + 1 + margin, max(0, left - margin) : right + 1 + margin] = True
    return cells
