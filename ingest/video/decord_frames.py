"""decord behind `ingest.video.frames.FrameSource`: the fallback, for clips that it times as their container does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haystack_agent.errors import ReadFailed, UnsupportedFile
from ingest.video.frames import EPSILON, Frame, Geometry, Luma, clip_origin, open_container, video_stream
from ingest.video.pyav_frames import PyAVFrames, next_due

if TYPE_CHECKING:
    from PIL.Image import Image

DECORD_SIDE = 1280
"""Longest side in pixels of the frames that decord gives: it decodes ahead, and full frames take gigabytes."""
_BATCH = 8
_AGREE = 2e-3
"""Largest difference in seconds between two decoders' times of one frame (containers count in milliseconds)."""


def decord_installed() -> bool:
    """Whether decord has a wheel on this machine; it is not imported."""
    return find_spec("decord") is not None


class DecordFrame:
    """A frame of `DecordFrames`: RGB pixels as seen, at most `DECORD_SIDE` a side."""

    def __init__(self, pixels: NDArray[np.uint8], time: float) -> None:
        self.time = time
        self._pixels = pixels

    def image(self, max_side: int) -> Image:
        """See `Frame.image`."""
        from PIL import Image as PilImage

        picture = PilImage.fromarray(self._pixels)
        picture.thumbnail((max_side, max_side), PilImage.Resampling.BOX)
        return picture

    def luma(self, max_side: int) -> Luma:
        """See `Frame.luma`."""
        return np.asarray(self.image(max_side).convert("L"))


class DecordFrames:
    """`FrameSource` on decord, for clips whose every frame has the container's own time.

    Raises:
        ReadFailed: decord cannot read the clip, or its times are not the container's.
        UnsupportedFile: decord is not installed.
    """

    def __init__(self, path: Path, media_type: str, threads: int = 1) -> None:
        if not decord_installed():
            raise UnsupportedFile("decord has no wheel for this machine")
        probe = PyAVFrames(path, media_type)
        try:
            self.info = probe.info
            times = _container_times(path, media_type)
        finally:
            probe.close()
        self.broken = 0
        self.end = 0.0
        self._geometry = Geometry(self.info.width, self.info.height)
        self._reader = _open_decord(path, self._geometry.stored(DECORD_SIDE), threads)
        self._times = _agreed_times(self._reader, times)

    def sample(self, step: float) -> Iterator[Frame]:
        """See `FrameSource.sample`."""
        wanted: list[int] = []
        due = 0.0
        for index, time in enumerate(self._times):
            if time >= due - EPSILON:
                due = next_due(due, time, step)
                wanted.append(index)
        for start in range(0, len(wanted), _BATCH):
            yield from self._batch(wanted[start : start + _BATCH])
        self.end = self.info.duration or self.end

    def frame_at(self, seconds: float) -> Frame | None:
        """See `FrameSource.frame_at`."""
        index = int(np.searchsorted(self._times, seconds + EPSILON, side="right")) - 1
        return next(iter(self._batch([max(0, index)])), None)

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._reader = None

    def _batch(self, indices: Sequence[int]) -> list[DecordFrame]:
        from decord import DECORDError

        try:
            pixels = self._reader.get_batch(list(indices)).asnumpy()
        except DECORDError:
            self.broken += len(indices)
            return []
        self.end = max(self.end, self._times[indices[-1]])
        return [DecordFrame(pixels[row], self._times[index]) for row, index in enumerate(indices)]


def _container_times(path: Path, media_type: str) -> list[float]:
    """Times in seconds of the frames that are meant to be shown, from the packets alone."""
    container = open_container(path, media_type)
    try:
        stream, origin = video_stream(container), clip_origin(container)
        packets = (p for p in container.demux(stream) if p.pts is not None and not p.is_discard)
        return sorted(float(p.pts * p.time_base) - origin for p in packets)
    finally:
        container.close()


def _open_decord(path: Path, size: tuple[int, int], threads: int) -> Any:
    import decord

    try:
        return decord.VideoReader(
            os.fspath(path), ctx=decord.cpu(0), width=size[0], height=size[1], num_threads=threads
        )
    except (decord.DECORDError, RuntimeError) as error:
        raise ReadFailed("decord cannot read this video either; convert it to H.264") from error


def _agreed_times(reader: Any, times: Sequence[float]) -> list[float]:
    count = len(reader)
    stamps = reader.get_frame_timestamp(list(range(count)))[:, 0] if count else np.zeros(0)
    if count != len(times) or not count or float(np.abs(stamps - np.asarray(times)).max()) > _AGREE:
        raise ReadFailed("decord counts this video's frames or times differently from its container")
    return list(times)
