"""Opens a video with the decoder that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.errors import ReadFailed

if TYPE_CHECKING:
    from PIL.Image import Image

    from ingest.video.frames import FrameSource


def open_frames(path: Path, media_type: str, threads: int = 1) -> FrameSource:
    """Open a video with PyAV, or with decord where PyAV knows no decoder for it; the caller closes it.

    Raises:
        ReadFailed: no decoder reads it; see also `video_stream`.
    """
    from ingest.video.decord_frames import DecordFrames, decord_installed
    from ingest.video.pyav_frames import PyAVFrames

    source = PyAVFrames(path, media_type, threads)
    if source.decodes() or not decord_installed():
        return source
    source.close()
    try:
        return DecordFrames(path, media_type, threads)
    except ReadFailed:
        return PyAVFrames(path, media_type, threads)


def render_frame(path: Path, media_type: str, seconds: float, max_side: int) -> Image:
    """The frame shown at `seconds`, as seen, RGB, its longest side at most `max_side` pixels.

    Raises:
        ReadFailed: nothing can be decoded there.
    """
    source = open_frames(path, media_type)
    try:
        frame = source.frame_at(seconds)
        if frame is None:
            raise ReadFailed(f"no frame of the video can be decoded at {seconds:.1f} s")
        return frame.image(max_side)
    finally:
        source.close()
