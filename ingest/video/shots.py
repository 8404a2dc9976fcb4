"""Shots of a video: where the picture changes for good, the segments that follow from it, and their key frames."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_SEGMENT = 2.0
"""Shortest segment in seconds; shots shorter than this share one."""
MAX_SEGMENT = 30.0
"""Longest segment in seconds; it also bounds what a gradual change can hide."""
MAX_KEY_FRAMES = 3
_ROWS, _COLUMNS = 18, 32
_BINS = 16
_FLOOR = 0.12
"""Least difference (0..1) that is a cut: flicker, compression and people walking by stay below."""
_PEAK = 2.5
"""How far a cut stands out from the usual difference around it, so that a shaking camera does not cut."""
_AROUND = 8
_DISTINCT = 0.08
"""Difference (0..1) from which two frames of a segment are both worth showing."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameSample:
    """A frame boiled down to what shot detection needs."""

    time: float
    grid: NDArray[np.uint8]
    """Mean brightness on a grid of 18 x 32 places."""
    sharpness: float
    """Mean difference of neighbouring pixels, 0..255."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the video, seconds, and the times of the frames that stand for it, in order."""

    start: float
    end: float
    key_frames: tuple[float, ...]


def summarise(time: float, luma: NDArray[np.uint8]) -> FrameSample:
    """A sample from brightness 0..255 of any shape (height, width)."""
    rows = np.linspace(0, luma.shape[0], _ROWS, endpoint=False).astype(int)
    columns = np.linspace(0, luma.shape[1], _COLUMNS, endpoint=False).astype(int)
    sums = np.add.reduceat(np.add.reduceat(luma.astype(np.float32), rows, axis=0), columns, axis=1)
    ones = np.diff(np.append(rows, luma.shape[0])).clip(1)[:, None] * np.diff(np.append(columns, luma.shape[1])).clip(1)
    return FrameSample(time, (sums / ones).clip(0, 255).astype(np.uint8), sharpness(luma))


def sharpness(luma: NDArray[np.uint8]) -> float:
    """Mean absolute difference of neighbouring pixels, 0..255: falls with blur of motion or focus."""
    wide = luma.astype(np.int16)
    if min(wide.shape) < 2:
        return 0.0
    return float(np.abs(np.diff(wide, axis=0)).mean() + np.abs(np.diff(wide, axis=1)).mean())


def difference(first: FrameSample, second: FrameSample) -> float:
    """How much the picture changed, 0 (not at all) to 1: brightness in place, and its distribution anywhere."""
    moved = float(np.abs(first.grid.astype(np.int16) - second.grid).mean()) / 255
    one, two = (np.bincount(s.grid.ravel() // (256 // _BINS), minlength=_BINS) / s.grid.size for s in (first, second))
    spread = float(np.abs(np.cumsum(one) - np.cumsum(two)).sum()) / _BINS
    return min(1.0, moved + spread)


def find_cuts(samples: Sequence[FrameSample]) -> list[tuple[float, float]]:
    """Cuts as (time, strength): the change stands out from its surroundings and is no mere flash."""
    scores = np.array([difference(one, two) for one, two in itertools.pairwise(samples)])
    cuts = []
    for index, score in enumerate(scores):
        around = np.delete(scores[max(0, index - _AROUND) : index + _AROUND + 1], min(index, _AROUND))
        usual = float(np.median(around)) if around.size else 0.0
        if score >= max(_FLOOR, _PEAK * usual) and not _is_flash(samples, index, float(score)):
            before, after = samples[index].time, samples[index + 1].time
            cuts.append((max((before + after) / 2, after - 0.125), float(score)))
    return cuts


def _is_flash(samples: Sequence[FrameSample], index: int, score: float) -> bool:
    """Whether one odd sample stands between two that look alike."""
    back = index + 2 < len(samples) and difference(samples[index], samples[index + 2]) < score / 5
    return back or (index > 0 and difference(samples[index - 1], samples[index + 1]) < score / 5)


def segment_bounds(cuts: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """Stretches from 0 to `end` without gaps, cut at the strongest cuts first, none too short, none too long."""
    kept = [0.0, end]
    for time, _ in sorted(cuts, key=lambda cut: -cut[1]):
        if all(abs(time - other) >= MIN_SEGMENT for other in kept) and 0 < time < end:
            kept.append(time)
    kept.sort()
    bounds: list[tuple[float, float]] = []
    for start, stop in itertools.pairwise(kept):
        parts = max(1, math.ceil((stop - start) / MAX_SEGMENT - 1e-9))
        marks = [start + (stop - start) * part / parts for part in range(parts)] + [stop]
        bounds.extend(itertools.pairwise(marks))
    return bounds


def make_segments(samples: Sequence[FrameSample], end: float) -> list[Segment]:
    """Segments that cover 0 to `end` seconds, each with its key frames; samples are in order of time."""
    segments = []
    position = 0
    for start, stop in segment_bounds(find_cuts(samples), end):
        inside: list[FrameSample] = []
        while position < len(samples) and (samples[position].time < stop or stop >= end):
            inside.append(samples[position])
            position += 1
        segments.append(Segment(start, stop, pick_key_frames(inside)))
    return segments


def pick_key_frames(samples: Sequence[FrameSample]) -> tuple[float, ...]:
    """Times of the most typical sharp frame and of those that look different from it, at most `MAX_KEY_FRAMES`."""
    if not samples:
        return ()
    grids = np.stack([sample.grid for sample in samples]).astype(np.float32)
    far = np.abs(grids - grids.mean(axis=0)).mean(axis=(1, 2)) / 255
    sharp = np.array([sample.sharpness for sample in samples])
    chosen = [int(np.argmax(sharp / max(1e-6, float(sharp.max())) * 0.3 - far))]
    clear = sharp >= 0.5 * float(np.median(sharp))
    while len(chosen) < min(MAX_KEY_FRAMES, len(samples)):
        gaps = np.min([np.abs(grids - grids[index]).mean(axis=(1, 2)) / 255 for index in chosen], axis=0)
        index = int(np.argmax(np.where(clear, gaps, -1.0)))
        if gaps[index] < _DISTINCT:
            break
        chosen.append(index)
    return tuple(sorted(samples[index].time for index in chosen))
