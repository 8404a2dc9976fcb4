"""Asking goes through Gradio's queue (its Server mode): streamed, with a bound on how many are answered at once.

Of Gradio's many routes only the two that ask and listen can be reached (see `security`), and who listens must be who
asked: an event's id alone is not enough.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.serving.abandonable import Abandonable
from ui.web.ask.making import AT_ONCE
from ui.web.ask.told import answered
from ui.web.door.security import GRADIO
from ui.web.state.workspace import Workspace

if TYPE_CHECKING:
    from fastapi import FastAPI

_WAITING = 200
_REMEMBERED = 2000


def _make_queue(workspace: Workspace) -> FastAPI:
    """An application with Gradio's API below ``/gradio``; the import alone takes seconds."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Not in the system's temporary folder, under a name that anybody could have made before.
    os.environ["GRADIO_TEMP_DIR"] = os.fspath(workspace.settings.data_dir / "web" / "gradio")
    import gradio
    import matplotlib.pyplot  # noqa: F401 - Gradio would, when the first question comes
    from fastapi import FastAPI
    from gradio.events import api

    async def ask(question: dict[str, Any], request: gradio.Request) -> AsyncIterator[dict[str, Any]]:
        scope: Scope = request.request.scope  # type: ignore[union-attr]
        async for told in answered(workspace, scope["visitor"], question):
            yield told

    # Gradio reads the types themselves, and cannot find a name that is imported in here.
    ask.__annotations__ = {"question": dict, "request": gradio.Request, "return": dict}
    with gradio.Blocks(analytics_enabled=False, mode="server") as blocks:
        api(ask, api_name="ask", concurrency_limit=AT_ONCE)
    blocks.queue(max_size=_WAITING)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    gradio.mount_gradio_app(
        app, blocks, GRADIO, run_history=False, show_error=False, ssr_mode=False, mcp_server=False, footer_links=[]
    )
    return app


class LateQueue:
    """The queue, made while the page is served already: questions wait for it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._app: ASGIApp | None = None
        self._decided = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as soon as there is what serves it."""
        await self._decided.wait()
        answering = self._app or JSONResponse(
            {"error": "Questions cannot be answered: the server's log says why."}, 500
        )
        await answering(scope, receive, send)

    @asynccontextmanager
    async def opened(self, making: Abandonable) -> AsyncIterator[None]:
        """Make it, and serve what waited for it.

        Raises:
            Abandoned: before it was made.
        """
        try:
            app = await asyncio.to_thread(making.run, lambda: _make_queue(self._workspace))
        except Exception:
            self._decided.set()
            raise
        async with app.router.lifespan_context(app):
            self._app = app
            self._decided.set()
            yield


class OwnEventsOnly:
    """Hands questions to the queue, and lets a visitor listen to the answers to their own only."""

    def __init__(self, app: ASGIApp, queue: LateQueue) -> None:
        self._app = app
        self._queue = queue
        self._owners: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] != "http" or not scope["path"].startswith(GRADIO):
            await self._app(scope, receive, send)
        elif scope["method"] == "POST":
            body = await Request(scope, receive).body()
            if _is_plain(body):
                await self._queue(scope, _again(body, receive), self._noting(scope["visitor"].id, send))
            else:
                await JSONResponse({"error": "This cannot be asked."}, 422)(scope, receive, send)
        elif self._owners.get(scope["path"].rpartition("/")[2]) == scope["visitor"].id:
            await self._queue(scope, receive, send)
        else:
            await JSONResponse({"error": "There is no such answer."}, 404)(scope, receive, send)

    def _noting(self, visitor: str, send: Send) -> Send:
        body = b""

        async def sending(message: Message) -> None:
            nonlocal body
            body += message.get("body", b"")
            if message["type"] == "http.response.body" and not message.get("more_body"):
                event = _event_of(body)
                if event is not None:
                    self._owners[event] = visitor
                    while len(self._owners) > _REMEMBERED:
                        self._owners.popitem(last=False)
            await send(message)

        return sending


def _is_plain(body: bytes) -> bool:
    """Whether nothing is said but the question: Gradio would let the body name another's session to listen to."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.keys() == {"data"}


def _again(body: bytes, receive: Receive) -> Receive:
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


def _event_of(body: bytes) -> str | None:
    try:
        told = json.loads(body)
    except ValueError:
        return None
    event = told.get("event_id") if isinstance(told, dict) else None
    return event if isinstance(event, str) else None
