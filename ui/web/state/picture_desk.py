"""Pictures that people search with: taken in, drawn anew in a process that may crash, kept in memory for a while."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from io import BytesIO
from typing import TYPE_CHECKING

from haystack_agent.errors import ReadFailed, UsageError
from ingest.files.sniff import HEAD_BYTES, sniff
from ingest.pixels.pictures import MEDIA_TYPES
from ingest.workers.scratch import make_scratch
from ui.web.door.visitors import Visitor
from ui.web.state.drawing_lane import DrawingLane, Sketch

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 1024
_KEPT = 64


class PictureDesk:
    """Pictures by an id; each belongs to the visitor who brought it."""

    def __init__(self, lane: DrawingLane) -> None:
        self._lane = lane
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def take(self, visitor: Visitor, data: bytes) -> str:
        """Keep a picture; its id.

        Raises:
            UsageError: it is not a picture, or cannot be drawn.
        """
        with make_scratch() as folder:
            path = folder / "query"
            path.write_bytes(data)
            media_type = sniff(path, data[:HEAD_BYTES])
            if media_type not in MEDIA_TYPES:
                raise UsageError("This is not a picture: choose a JPEG, PNG, HEIC or other picture file.")
            try:
                jpeg = await self._lane.jpeg(Sketch(path, media_type, _SIDE))
            except ReadFailed as error:
                raise UsageError(f"This picture cannot be read: {error}.") from error
        identity = secrets.token_hex(16)
        self._kept[visitor.id, identity] = jpeg
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return identity

    def get(self, visitor: Visitor, identity: str) -> Image:
        """A picture that was taken in.

        Raises:
            UsageError: the visitor has none with that id.
        """
        data = self._kept.get((visitor.id, identity))
        if data is None:
            raise UsageError("The picture is not there any more: add it again.")
        return decoded(data)


def decoded(jpeg: bytes) -> Image:
    """A JPEG that a drawing process made, as RGB."""
    from PIL import Image as Pictures

    return Pictures.open(BytesIO(jpeg), formats=["JPEG"]).convert("RGB")
