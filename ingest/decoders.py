"""The two decoders behind `ingest.frames.FrameSource`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haystack_agent.errors import ReadFailed, UnsupportedFile
from ingest.frames import ClipInfo, Frame, Geometry, Luma, check_side, clip_origin, open_container, video_stream

if TYPE_CHECKING:
    from PIL.Image import Image

DECORD_SIDE = 1280
"""Longest side in pixels of the frames that decord gives: it decodes ahead, and full frames take gigabytes."""
_BATCH = 8
_AGREE = 2e-3
"""Largest difference in seconds between two decoders' times of one frame (containers count in milliseconds)."""
_EPS = 1e-3
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
        ReadFailed: the container cannot be read; see also `ingest.frames.video_stream`.
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
        last = -step
        for frame in self._decoded():
            if frame.time - last >= step - _EPS:
                last = frame.time
                yield frame

    def frame_at(self, seconds: float) -> Frame | None:
        """See `FrameSource.frame_at`."""
        self._seek(seconds)
        shown = self._until(seconds)
        if shown is None or shown.time > seconds + _EPS:
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
            if frame.time > seconds + _EPS:
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
        last = -step
        for index, time in enumerate(self._times):
            if time - last >= step - _EPS:
                last = time
                wanted.append(index)
        for start in range(0, len(wanted), _BATCH):
            yield from self._batch(wanted[start : start + _BATCH])
        self.end = self.info.duration or self.end

    def frame_at(self, seconds: float) -> Frame | None:
        """See `FrameSource.frame_at`."""
        index = int(np.searchsorted(self._times, seconds + _EPS, side="right")) - 1
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
