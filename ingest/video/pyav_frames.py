"""PyAV behind `ingest.video.frames.FrameSource`: the first choice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haystack_agent.errors import ReadFailed
from ingest.video.frames import (
    EPSILON,
    ClipInfo,
    Frame,
    Geometry,
    Luma,
    check_side,
    clip_origin,
    open_container,
    video_stream,
)

if TYPE_CHECKING:
    from PIL.Image import Image

_GIVE_UP = 500
"""Undecodable packets in a row after which the rest of a clip is left."""


class PyAVFrame:
    """A frame of `PyAVFrames`, converted only when asked."""

    def __init__(self, frame: Any, time: float, geometry: Geometry, scalers: tuple[Any, Any]) -> None:
        self.time = time
        self._frame = frame
        self._geometry = geometry
        self._scalers = scalers

    def image(self, max_side: int) -> Image:
        """See `Frame.image`."""
        from PIL.Image import fromarray

        return fromarray(self._pixels(max_side, "rgb24", self._scalers[0]))

    def luma(self, max_side: int) -> Luma:
        """See `Frame.luma`."""
        return self._pixels(max_side, "gray", self._scalers[1])

    def _pixels(self, max_side: int, layout: str, scaler: Any) -> NDArray[np.uint8]:
        width, height = self._geometry.stored(max_side)
        scaled = scaler.reformat(self._frame, width, height, layout, interpolation="AREA", threads=1)
        return self._geometry.turned(scaled.to_ndarray())


class PyAVFrames:
    """`FrameSource` on PyAV: times are pts * time_base of the container.

    Raises:
        ReadFailed: the container cannot be read; see also `ingest.video.frames.video_stream`.
    """

    def __init__(self, path: Path, media_type: str, threads: int = 1) -> None:
        from av.video.reformatter import VideoReformatter

        self._opening = (path, media_type, threads)
        self._scalers = (VideoReformatter(), VideoReformatter())
        self._geometry: Geometry | None = None
        self._open()
        self._first = next(self._decoded(), None)
        self.info = self._describe()
        self._container.close()
        self._open()

    def _open(self) -> None:
        """Stand before the first frame. Opening anew works for every container; seeking back does not."""
        path, media_type, threads = self._opening
        self._container = open_container(path, media_type)
        try:
            self._stream = video_stream(self._container)
        except ReadFailed:
            self._container.close()
            raise
        self._stream.codec_context.thread_count = threads
        self._origin = clip_origin(self._container)
        self._clock, self.end, self.broken = 0.0, 0.0, 0

    def decodes(self) -> bool:
        """Whether a frame could be decoded."""
        return self._first is not None

    def sample(self, step: float) -> Iterator[Frame]:
        """See `FrameSource.sample`."""
        due = 0.0
        for frame in self._decoded():
            if frame.time >= due - EPSILON:
                due = next_due(due, frame.time, step)
                yield frame

    def frame_at(self, seconds: float) -> Frame | None:
        """See `FrameSource.frame_at`."""
        self._seek(seconds)
        shown = self._until(seconds)
        if shown is None or shown.time > seconds + EPSILON:
            self._container.close()
            self._open()
            shown = self._until(seconds) or self._first
        return shown

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._first = None
        self._container.close()

    def _seek(self, seconds: float) -> None:
        import av

        base = self._stream.time_base
        try:
            self._container.seek(int((seconds + self._origin) / base), backward=True, stream=self._stream)
        except av.error.FFmpegError:
            return
        self._clock = seconds

    def _until(self, seconds: float) -> PyAVFrame | None:
        shown = None
        for frame in self._decoded():
            if frame.time > seconds + EPSILON:
                return shown or frame
            shown = frame
        return shown

    def _decoded(self) -> Iterator[PyAVFrame]:
        import av

        failures = 0
        for packet in self._packets():
            try:
                frames = packet.decode() if packet.stream is self._stream else []
            except (av.error.FFmpegError, MemoryError):
                failures += 1
                self.broken += 1
                if failures > _GIVE_UP:
                    return
                continue
            for frame in frames:
                failures = 0
                yield self._frame(frame)
            self._note_end(packet)

    def _packets(self) -> Iterator[Any]:
        import av

        try:
            yield from self._container.demux(self._stream, *self._container.streams.audio[:1])
        except av.error.FFmpegError:
            self.broken += 1

    def _note_end(self, packet: Any) -> None:
        if packet.pts is not None and packet.time_base is not None:
            over = float((packet.pts + (packet.duration or 0)) * packet.time_base) - self._origin
            self.end = max(self.end, over)

    def _frame(self, frame: Any) -> PyAVFrame:
        if frame.time is None:
            self._clock += 1 / float(self._stream.average_rate or 25)
        else:
            self._clock = max(0.0, float(frame.time) - self._origin)
        check_side(frame.width, frame.height)
        if self._geometry is None or (frame.width, frame.height) != (self._geometry.width, self._geometry.height):
            self._geometry = _geometry(frame, self._stream)
        return PyAVFrame(frame, self._clock, self._geometry, self._scalers)

    def _describe(self) -> ClipInfo:
        context, container = self._stream.codec_context, self._container
        geometry = self._geometry or Geometry(context.width or 2, context.height or 2)
        width, height = geometry.seen()
        duration = container.duration / 1_000_000 if container.duration and container.duration > 0 else None
        tags = {key.lower(): value for key, value in {**self._stream.metadata, **container.metadata}.items()}
        if duration and container.format.name.startswith("matroska"):
            duration = max(0.0, duration - self._origin)  # its header counts from zero, not from the first frame
        rate = float(self._stream.average_rate) if self._stream.average_rate else None
        return ClipInfo(width, height, duration, rate, tags)


def next_due(due: float, time: float, step: float) -> float:
    """When the next sample is due: on the grid of `step` seconds, unless the frame taken came later than that."""
    return due + step if due + step > time + EPSILON else time + step / 2


def _geometry(frame: Any, stream: Any) -> Geometry:
    aspect = float(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1) or 1.0
    if not 0.2 <= aspect <= 5:
        aspect = 1.0
    matrix = next((side for side in frame.side_data if side.type.name == "DISPLAYMATRIX"), None)
    mirrored, turns = False, round(frame.rotation / 90) % 4
    if matrix is not None:
        a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32, 5).astype(float)
        mirrored = a * d - b * c < 0
        if mirrored:  # the angle is that of the matrix after left and right are swapped back
            turns = round(float(np.degrees(np.arctan2(-b, -a))) / -90) % 4
    return Geometry(frame.width, frame.height, aspect, turns, mirrored)
