"""Shots: cuts are found at their time, motion and flashes are not cuts, segments cover the clip without gaps."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.video.shots import MAX_SEGMENT, FrameSample, difference, find_cuts, make_segments, segment_bounds, summarise


def scene(seed: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 256, (9, 16), dtype=np.uint8), np.ones((16, 16), np.uint8))


def samples(paint: Callable[[float], NDArray[np.uint8]], end: float) -> list[FrameSample]:
    return [summarise(time, paint(time)) for time in np.arange(0, end, 0.25).tolist()]


def test_cuts_are_found_within_half_a_step() -> None:
    made = samples(lambda time: scene(1 if time < 5 else 2 if time < 11.5 else 3), 20)
    segments = make_segments(made, 20.0)
    assert [segment.start for segment in segments] == [0.0, 4.875, 11.375]
    assert [segment.end for segment in segments] == [4.875, 11.375, 20.0]
    for segment in segments:
        assert segment.key_frames
        assert all(segment.start <= time < segment.end for time in segment.key_frames)


def test_a_panning_camera_is_no_row_of_cuts() -> None:
    wide = np.kron(np.random.default_rng(4).integers(0, 256, (9, 400), dtype=np.uint8), np.ones((16, 16), np.uint8))
    made = samples(lambda time: wide[:, int(time * 64) : int(time * 64) + 256], 20)
    assert difference(made[0], made[1]) > 0.05, "the pan must be fast enough to be a temptation"
    assert find_cuts(made) == []


def test_a_flash_is_no_cut_but_a_short_shot_ends() -> None:
    def flash(time: float) -> NDArray[np.uint8]:
        return np.full((144, 256), 255, np.uint8) if time == 4.0 else scene(1)

    assert find_cuts(samples(flash, 10)) == []
    inserted = samples(lambda time: scene(2) if 4 <= time < 6.5 else scene(1), 12)
    assert [segment.start for segment in make_segments(inserted, 12.0)] == [0.0, 3.875, 6.375]


def test_a_still_clip_is_cut_by_length_alone() -> None:
    segments = make_segments(samples(lambda _: scene(1), 70), 70.0)
    assert len(segments) == 3
    assert all(len(segment.key_frames) == 1 for segment in segments)


def test_a_change_without_a_cut_shows_in_the_key_frames() -> None:
    one, two = scene(1).astype(float), scene(2).astype(float)
    faded = samples(lambda time: (one + (two - one) * time / 20).astype(np.uint8), 20)
    (segment,) = make_segments(faded, 20.0)
    assert len(segment.key_frames) >= 2
    assert segment.key_frames[-1] - segment.key_frames[0] > 5


def test_key_frames_prefer_sharp_frames() -> None:
    blurred = np.full((144, 256), 128, np.uint8)
    noise = scene(1) // 8 + 112
    (segment,) = make_segments(samples(lambda time: noise if 2 <= time < 3 else blurred, 5), 5.0)
    assert 2 <= segment.key_frames[0] < 3


cuts = st.lists(st.tuples(st.floats(0, 400), st.floats(0.1, 1)), max_size=40)


@given(cuts, st.floats(0.04, 400))
def test_segments_cover_everything_once(found: list[tuple[float, float]], end: float) -> None:
    bounds = segment_bounds(found, end)
    assert bounds[0][0] == 0.0
    assert bounds[-1][1] == end
    assert all(one[1] == two[0] for one, two in itertools.pairwise(bounds))
    assert all(0 < stop - start <= MAX_SEGMENT + 1e-6 for start, stop in bounds)
    assert len(bounds) == 1 or all(stop - start >= 2.0 - 1e-6 for start, stop in bounds)
