"""The server: one process that answers people in browsers, and indexes meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
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
from ui.loopback import is_loopback
from ui.web.chat_routes import chat_routes
from ui.web.conversation_store import ConversationStore
from ui.web.drawing_lane import DrawingLane
from ui.web.evaluation_routes import evaluation_routes
from ui.web.gradio_queue import OwnEventsOnly, mount_queue, warm_queue
from ui.web.index_hub import IndexHub
from ui.web.library_routes import library_routes
from ui.web.media_routes import media_routes
from ui.web.model_desk import ModelDesk
from ui.web.page_routes import STATIC, page_routes, static_files
from ui.web.picture_desk import PictureDesk
from ui.web.security import Guard
from ui.web.visitors import Door, Visitors
from ui.web.warm_renderer import WarmRenderer
from ui.web.workspace import Workspace

_LOG_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Serving:
    """How the server is reached, and which model it asks."""

    host: str
    port: int
    password: str | None
    model: str | None = None
    model_url: str | None = None


def check(serving: Serving) -> None:
    """Refuse to be reached from other machines without a password.

    Raises:
        UsageError: as said.
    """
    if not is_loopback(serving.host) and not serving.password:
        raise UsageError(
            f"--host {serving.host} can be reached from other machines: give a --password too, or leave --host out."
        )


def make_app(settings: Settings, location: IndexLocation, serving: Serving) -> ASGIApp:
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
    door = Door(serving.password, serving.host)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan(workspace))
    app.include_router(page_routes(door))
    app.include_router(chat_routes(workspace))
    app.include_router(library_routes(workspace))
    app.include_router(media_routes(workspace))
    app.include_router(evaluation_routes(workspace))
    app.mount(STATIC, static_files())
    app.add_exception_handler(HaystackError, _told)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(Exception, _unexpected)
    mount_queue(app, workspace)
    return Guard(Visitors(OwnEventsOnly(app), door), serving.host)


def _lifespan(workspace: Workspace) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        workspace.thumbnails.warm()
        warming = asyncio.ensure_future(_warm(workspace))
        try:
            yield
        finally:
            try:
                await warming
                await workspace.abandon_answers()
            finally:
                workspace.close()

    return lifespan


async def _warm(workspace: Workspace) -> None:
    with contextlib.suppress(HaystackError):  # the page is told when it asks
        await workspace.hub.searching(workspace.hub.warm)
    await asyncio.to_thread(warm_queue)
    # What was loaded stays: looking through it for garbage would hold up a question now and then, by 0.3 s.
    gc.collect()
    gc.freeze()


async def _told(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": printable.line(str(error))}, 400 if isinstance(error, UsageError) else 409)


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    told = f"An unexpected error ({type(error).__name__}): the server's log has the details."
    return JSONResponse({"error": told}, 500)


async def _malformed(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"error": "The page sent something that this server does not understand: reload it."}, 422)


class _Announcing(uvicorn.Server):
    """Says where it is when it can be reached."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[int], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._announce(self.servers[0].sockets[0].getsockname()[1])


def log_to(folder: Path) -> None:
    """Write what nobody thought of to a file of the data folder, where the user of this computer finds it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = RotatingFileHandler(folder / "server.log", maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    logging.basicConfig(level=logging.ERROR, handlers=[handler], format="%(asctime)s %(name)s: %(message)s")


def serve(app: ASGIApp, serving: Serving, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; `announce` is given the address when it can be opened.

    Raises:
        UsageError: another program listens there.
    """
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    config = uvicorn.Config(
        app,
        serving.host,
        serving.port,
        log_config=None,
        log_level="error",
        server_header=False,
        timeout_graceful_shutdown=3,
        ws="none",
    )
    try:
        bound = config.bind_socket()
    except SystemExit:
        raise UsageError(
            f"Nothing can listen on {serving.host}, port {serving.port}: choose another --port, or end what uses it."
        ) from None
    with bound:
        _Announcing(config, lambda port: announce(f"http://{host}:{port}/")).run([bound])
