"""Draws a page or a picture with places marked: ``python -m ui.draw_place``, a JSON request on standard input.

A process of its own, since drawing a hostile file can take for ever and cannot be interrupted from inside. Exit code 0
and a PNG, or 3 and the reason on standard output.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haystack_agent.errors import HaystackError, ReadFailed
from haystack_agent.records import Box
from ingest.hashing import open_regular
from ingest.pictures import MEDIA_TYPES, decoding, open_picture, orientation, to_rgb, turned
from ingest.render import MAX_SIDE, mark_boxes, render_page

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH = 1600


def draw(request: Mapping[str, Any]) -> None:
    """Draw `page` of `path` with `boxes` marked and save it at `target`.

    Raises:
        ReadFailed: the file cannot be drawn.
    """
    path, media_type, page = Path(request["path"]), str(request["media_type"]), int(request["page"])
    if media_type in MEDIA_TYPES:
        image = _picture(path, media_type, page)
    else:
        image = render_page(path, page, media_type, WIDTH)
    boxes = [Box(*box) for box in request["boxes"]]
    (mark_boxes(image, boxes) if boxes else image).save(request["target"], "PNG")


def _picture(path: Path, media_type: str, page: int) -> Image:
    with open_regular(path) as stream:
        image = open_picture(stream, media_type)
        if not 1 <= page <= getattr(image, "n_frames", 1):
            raise ReadFailed(f"there is no page {page} in this picture")
        with decoding():
            image.seek(page - 1)
            upright = turned(to_rgb(image), orientation(image))
            upright.thumbnail((MAX_SIDE, MAX_SIDE))
    return upright


def main() -> int:
    """Read the request, draw, tell."""
    try:
        draw(json.load(sys.stdin))
    except HaystackError as error:
        sys.stdout.buffer.write(str(error).encode("utf-8", "replace"))
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
