"""The server: one process that answers people in browsers, and indexes meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from logging.handlers import RotatingFileHandler
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from haystack_agent.errors import HaystackError, UsageError
from haystack_agent.index_location import IndexLocation
from haystack_agent.settings import Settings
from ui import printable
from ui.serving.abandonable import Abandonable, Abandoned
from ui.serving.bounded_connections import BACKLOG, ConnectionLimits, bounded, fitting
from ui.web.ask.gradio_queue import LateQueue, OwnEventsOnly
from ui.web.ask.routes import chat_routes
from ui.web.cards.media_routes import media_routes
from ui.web.door.security import Guard
from ui.web.door.serving import Serving
from ui.web.door.visitors import Door, Visitors
from ui.web.evaluation.routes import evaluation_routes
from ui.web.library.routes import library_routes
from ui.web.page_routes import STATIC, page_routes, static_files
from ui.web.state.conversation_store import ConversationStore
from ui.web.state.drawing_lane import DrawingLane
from ui.web.state.index_hub import IndexHub
from ui.web.state.model_desk import ModelDesk
from ui.web.state.picture_desk import PictureDesk
from ui.web.state.warm_renderer import WarmRenderer
from ui.web.state.workspace import Workspace

_LOG_BYTES = 2**20


def make_app(settings: Settings, location: IndexLocation, serving: Serving, door: Door) -> ASGIApp:
    """The application; its lifespan opens and closes what it needs."""
    thumbnails, large = DrawingLane(), DrawingLane()
    workspace = Workspace(
        settings,
        IndexHub(settings.data_dir, location),
        ModelDesk(settings, serving.model, serving.model_url, WarmRenderer(large)),
        ConversationStore(settings.data_dir),
        thumbnails,
        large,
        PictureDesk(large),
    )
    queue = LateQueue(workspace)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan(workspace, queue))
    app.include_router(page_routes(door))
    app.include_router(chat_routes(workspace))
    app.include_router(library_routes(workspace))
    app.include_router(media_routes(workspace))
    app.include_router(evaluation_routes(workspace))
    app.mount(STATIC, static_files())
    app.add_exception_handler(HaystackError, _told)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(Exception, _unexpected)
    return Guard(Visitors(OwnEventsOnly(app, queue), door), door.site)


def _lifespan(workspace: Workspace, queue: LateQueue) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        workspace.thumbnails.warm()
        ended, loading = asyncio.Event(), Abandonable()
        behind = asyncio.ensure_future(_behind_the_page(workspace, queue, loading, ended))
        try:
            yield
        finally:
            ended.set()
            loading.abandon()
            try:
                with contextlib.suppress(Abandoned):
                    await behind
                await workspace.abandon_answers()
            finally:
                workspace.close()

    return lifespan


async def _behind_the_page(workspace: Workspace, queue: LateQueue, loading: Abandonable, ended: asyncio.Event) -> None:
    """Load what the first question needs, and serve questions until the end."""
    with contextlib.suppress(HaystackError):  # the page is told when it asks
        await workspace.hub.searching(lambda: loading.run(workspace.hub.warm))
    try:
        async with queue.opened(loading):
            # What was loaded stays: looking through it for garbage would hold up a question now and then, by 0.3 s.
            gc.collect()
            gc.freeze()
            await ended.wait()
    except Exception:
        logging.getLogger(__name__).exception("Questions cannot be answered.")


async def _told(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": printable.line(str(error))}, 400 if isinstance(error, UsageError) else 409)


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    told = f"An unexpected error ({type(error).__name__}): the server's log has the details."
    return JSONResponse({"error": told}, 500)


async def _malformed(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"error": "The page sent something that this server does not understand: reload it."}, 422)


class _Announcing(uvicorn.Server):
    """Says when it can be reached, and when it cannot any more: after that, a signal may end the process at once."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], ended: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._ended = ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, and let go."""
        self._ended()
        await super().shutdown(sockets)


def log_to(folder: Path) -> None:
    """Write what nobody thought of to a file of the data folder, where the user of this computer finds it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = RotatingFileHandler(folder / "server.log", maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    logging.basicConfig(level=logging.ERROR, handlers=[handler], format="%(asctime)s %(name)s: %(message)s")


def limits_of(serving: Serving) -> ConnectionLimits:
    """How many connections there may be: behind a proxy all come from one address."""
    limits = fitting(ConnectionLimits())
    return replace(limits, per_address=limits.overall) if serving.public else limits


def serve(
    app: ASGIApp,
    listener: socket.socket,
    limits: ConnectionLimits,
    ready: Callable[[], None],
    ended: Callable[[], None],
) -> None:
    """Serve until Ctrl-C; `ready` is called when the page can be opened, `ended` when it cannot any more."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        server_header=False,
        proxy_headers=False,  # what a proxy says is looked at in `Site`, and only where there is one
        timeout_graceful_shutdown=3,
        ws="none",
        http=bounded(limits),
        backlog=BACKLOG,
    )
    _Announcing(config, ready, ended).run([listener])
