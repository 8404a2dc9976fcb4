"""Draws places in files: ``python -m ingest.draw``, JSON requests on standard input, one a line.

A process of its own, since drawing a hostile file can crash, or take for ever and cannot be interrupted from inside.
For each request one line of JSON on standard output: the pictures written, or an error.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haystack_agent.errors import HaystackError, ReadFailed, UnsupportedFile
from haystack_agent.media import Preview, preview_of
from haystack_agent.records import Box
from ingest.files.discover import reason_of
from ingest.files.hashing import open_regular
from ingest.pixels.pictures import decoding, open_picture, orientation, to_rgb, turned
from ingest.readers.pages.render import MAX_SIDE, mark_boxes, render_page
from ingest.readers.protocol import DAMAGED
from ingest.video.opening import render_frame
from ingest.workers.quiet import silence

if TYPE_CHECKING:
    from PIL.Image import Image

_MEMORY = 4 << 30
_JPEG_QUALITY = 88


def drawn(request: Mapping[str, Any]) -> Iterator[Image]:
    """The page or picture with its boxes marked, or the frames of a video at `times`, no side above `side` pixels.

    Raises:
        UnsupportedFile: it has no look.
        ReadFailed: it cannot be drawn.
    """
    path, media_type, side = Path(request["path"]), str(request["media_type"]), int(request["side"])
    if preview_of(media_type) is Preview.VIDEO:
        for seconds in request["times"]:
            yield render_frame(path, media_type, float(seconds), side)
        return
    image = _still(path, media_type, int(request["page"]), side)
    image.thumbnail((side, side))
    boxes = [Box(*box) for box in request["boxes"]]
    yield mark_boxes(image, boxes) if boxes else image


def _still(path: Path, media_type: str, page: int, side: int) -> Image:
    preview = preview_of(media_type)
    if preview is Preview.PICTURE:
        return _picture(path, media_type, page)
    if preview is Preview.PAGE:
        return render_page(path, page, media_type, side)
    raise UnsupportedFile(f"a {media_type} file has no pages that could be drawn; open it in its own program")


def _picture(path: Path, media_type: str, page: int) -> Image:
    with open_regular(path) as stream:
        image = open_picture(stream, media_type)
        if not 1 <= page <= getattr(image, "n_frames", 1):
            raise ReadFailed(f"there is no page {page} in this picture")
        with decoding():
            image.seek(page - 1)
            image.load()
            upright = turned(to_rgb(image), orientation(image))
            upright.thumbnail((MAX_SIDE, MAX_SIDE))
    return upright


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Draw one request to files that begin as its `target` does."""
    target = str(request["target"])
    format_, suffix = ("PNG", ".png") if request.get("lossless") else ("JPEG", ".jpg")
    files = []
    try:
        for number, image in enumerate(drawn(request)):
            files.append(f"{target}-{number}{suffix}")
            image.save(files[-1], format_, quality=_JPEG_QUALITY)
    except HaystackError as error:
        return {"files": files, "error": str(error)}
    except OSError as error:
        return {"files": files, "error": reason_of(error) if error.strerror else DAMAGED}
    except Exception:  # noqa: BLE001 - a process boundary: one request must not cost the others
        return {"files": files, "error": DAMAGED}
    return {"files": files, "error": None}


def main() -> None:
    """Serve requests until the input ends."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with os.fdopen(os.dup(1), "w") as told:
        silence(1, 2)  # decoders write there as they like: the answers have a descriptor of their own
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), file=told, flush=True)
