"""Frames of a video with the container's own timestamps, as a person sees them.

Two decoders stand behind one contract, `FrameSource`. PyAV comes first; decord is the fallback for a stream that PyAV
cannot decode. Measured on 34 clips (0.1 to 139 s, 4 frames a second, one thread, brightness at 256 x 144): PyAV 4.8 CPU
seconds in all and 51 to 69 MB resident, decord 6.5 s and 62 to 87 MB; PyAV needed less of both on every clip. PyAV's
times are the container's; decord's differed on 9 clips (it moves a late first frame to 0, counts a discarded frame),
and such clips are refused by `DecordFrames`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from haystack_agent.errors import EncryptedFile, ReadFailed, ReadLimitExceeded, UnsupportedFile

if TYPE_CHECKING:
    from PIL.Image import Image

Luma = NDArray[np.uint8]

MAX_SIDE = 8192
"""Longest side in pixels of a frame that is decoded."""
EPSILON = 1e-3
"""Seconds by which times that ought to be equal may differ."""
_LATE_START = 1.0
"""A clock that starts this late (seconds) is a programme clock, not an offset meant to be seen."""
_PROGRAMMES = frozenset({"mpegts", "mpeg"})
_CONTAINERS = {
    "mp4": "mp4", "mov": "mov", "3gp": "3gp", "mkv": "matroska", "webm": "webm", "avi": "avi", "mpegts": "mpegts",
    "mpeg": "mpeg", "flv": "flv", "wmv": "asf", "ogv": "ogg",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What the container says: size in pixels as seen (rotation and pixel shape applied), seconds, its tags."""

    width: int
    height: int
    duration: float | None
    rate: float | None
    tags: Mapping[str, str]
    """Names in lower case."""


class Frame(Protocol):
    """One decoded picture; `time` is its timestamp in seconds from the start of the video."""

    @property
    def time(self) -> float:
        """Seconds from the start of the video."""
        ...

    def image(self, max_side: int) -> Image:
        """RGB picture as seen, scaled down so that its longest side is at most `max_side` pixels."""
        ...

    def luma(self, max_side: int) -> Luma:
        """Brightness 0..255, shape (height, width), scaled like `image`."""
        ...


class FrameSource(Protocol):
    """An open video. A frame is valid until the next one is asked for; close the source before other decoders run."""

    @property
    def info(self) -> ClipInfo:
        """What the container says."""
        ...

    @property
    def broken(self) -> int:
        """Number of packets that could not be decoded so far."""
        ...

    @property
    def end(self) -> float:
        """Time in seconds at which the last frame met so far, of picture or sound, is over."""
        ...

    def sample(self, step: float) -> Iterator[Frame]:
        """Frames in order of time: the first, then one for every `step` seconds that have gone by (0: every frame)."""
        ...

    def frame_at(self, seconds: float) -> Frame | None:
        """The frame that is shown at `seconds`; the last one beyond the end; None where nothing decodes."""
        ...

    def close(self) -> None:
        """Free the decoder; the source cannot be used any more."""
        ...


@dataclass(frozen=True, slots=True)
class Geometry:
    """How stored pixels become the picture that is seen."""

    width: int
    """Of the stored picture, pixels."""
    height: int
    aspect: float = 1.0
    """Width of a stored pixel over its height."""
    turns: int = 0
    """Quarter turns counter-clockwise."""
    mirrored: bool = False
    """Whether left and right are swapped before turning."""

    def seen(self, max_side: int | None = None) -> tuple[int, int]:
        """Width and height as seen."""
        width, height = self.stored(max_side)
        return (height, width) if self.turns % 2 else (width, height)

    def stored(self, max_side: int | None = None) -> tuple[int, int]:
        """Width and height with square pixels, before turning."""
        wide = self.width * self.aspect
        scale = 1.0 if max_side is None else min(1.0, max_side / max(wide, self.height))
        return max(2, round(wide * scale)), max(2, round(self.height * scale))

    def turned(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture as seen, from pixels of the `stored` shape."""
        if self.mirrored:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(np.rot90(pixels, self.turns)) if self.turns or self.mirrored else pixels


def open_container(path: Path, media_type: str) -> Any:
    """Open with the container that was found in the bytes, and nothing but this file within reach.

    Raises:
        ReadFailed: the bytes cannot be read as that container.
        UnsupportedFile: no container is known for `media_type`.
    """
    import av

    name = _CONTAINERS.get(media_type)
    if name is None:
        raise UnsupportedFile(f"no video container is known for the type {media_type!r}")
    try:
        return av.open(
            "file:" + os.fspath(path),
            format=name,
            options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReadFailed(f"damaged or incomplete {media_type} video: {reason}; fetch or export it anew") from error


def video_stream(container: Any) -> Any:
    """The moving picture that a player would show.

    Raises:
        UnsupportedFile: there is none (sound only, or a cover picture).
        EncryptedFile, ReadLimitExceeded: it cannot be shown, or is too large.
    """
    from av.stream import Disposition

    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        raise UnsupportedFile("this file holds sound but no moving picture; only videos are read")
    best = container.streams.best("video")
    stream = best if best in moving else moving[0]
    context = stream.codec_context
    if context is None:
        raise ReadFailed("the video is coded in a way that no decoder here knows; convert it to H.264")
    if context.codec_tag.lower() in {"encv", "drmi"}:
        raise EncryptedFile("the video is copy-protected (encrypted) and cannot be read")
    check_side(context.width, context.height)
    return stream


def check_side(width: int, height: int) -> None:
    """Raise `ReadLimitExceeded` for frames that are larger than `MAX_SIDE`."""
    if max(width, height) > MAX_SIDE:
        raise ReadLimitExceeded(f"frames of {width} x {height} pixels are larger than the limit of {MAX_SIDE} a side")


def clip_origin(container: Any) -> float:
    """Seconds on the container's clock that count as the start of the video.

    Programme streams count from any moment, so their first one is the start, and so it is for clips cut from a longer
    recording with its clock. Elsewhere zero is the start, even where the picture begins a little later.
    """
    start: float = (container.start_time or 0) / 1_000_000
    return start if start >= _LATE_START or container.format.name in _PROGRAMMES else 0.0
