"""Pictures and clips of the index: drawn as JPEG or, for clips, their bytes. Named by id and never by path."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import FileResponse

from haystack_agent.errors import ReadFailed, UsageError
from haystack_agent.media import Preview, format_of, preview_of, types_shown
from ui.web.ids import AssetId
from ui.web.state.drawing_lane import Sketch
from ui.web.state.workspace import Workspace

SMALL, LARGE, ZOOMED = 640, 1600, 3200
_STILL = types_shown(Preview.PAGE, Preview.PICTURE)
_KEEP = {"Cache-Control": "private, max-age=3600"}


def media_routes(workspace: Workspace) -> APIRouter:
    """The routes below ``/media``."""
    router = APIRouter(prefix="/media/{index}/{asset}")

    @router.get("/still.jpg")
    async def still(
        index: str,
        asset: AssetId,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
        side: Annotated[int, Query()] = SMALL,
    ) -> Response:
        """A page or a photo."""
        sketch = await _located(workspace, index, asset)
        if side not in (SMALL, LARGE, ZOOMED) or sketch.media_type not in _STILL:
            raise HTTPException(404, "This has no such picture.")
        return await _drawn(workspace, replace(sketch, page=page, side=side))

    @router.get("/frame.jpg")
    async def frame(
        index: str,
        asset: AssetId,
        at: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
        side: Annotated[int, Query()] = SMALL,
    ) -> Response:
        """A frame of a clip."""
        sketch = await _located(workspace, index, asset)
        if side not in (SMALL, LARGE) or preview_of(sketch.media_type) is not Preview.VIDEO:
            raise HTTPException(404, "This has no such picture.")
        return await _drawn(workspace, replace(sketch, seconds=at, side=side))

    @router.get("/clip")
    async def clip(index: str, asset: AssetId) -> Response:
        """The bytes of a clip, in ranges."""
        sketch = await _located(workspace, index, asset)
        content_type = format_of(sketch.media_type).played_as
        if not content_type:
            raise HTTPException(404, "A browser does not play this kind of clip: open it on this computer.")
        return FileResponse(sketch.path, media_type=content_type, headers=_KEEP)

    return router


async def _located(workspace: Workspace, index: str, asset: str) -> Sketch:
    opened = await workspace.hub.using(index)
    try:
        path, media_type = await asyncio.to_thread(opened.catalogue.file, asset)
    except UsageError as error:
        raise HTTPException(404, str(error)) from error
    return Sketch(path, media_type, SMALL)


async def _drawn(workspace: Workspace, sketch: Sketch) -> Response:
    lane = workspace.thumbnails if sketch.side <= SMALL else workspace.large
    try:
        return Response(await lane.jpeg(sketch), media_type="image/jpeg", headers=_KEEP)
    except ReadFailed as error:
        raise HTTPException(404, f"This cannot be shown: {error}.") from error
