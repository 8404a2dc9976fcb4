"""What a request must be like before anything looks at it, and the headers that every answer carries.

The page may load nothing but this server's own files, and runs no inline script. Names that resolve to this machine by
somebody else's wish (DNS rebinding) are told by the Host header; what changes something must come from the page itself.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.web.door.site import Site

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}
MAX_BODY = 256 * 1024
"""Bytes of a request that is no upload."""
MAX_UPLOAD = 20 * 2**20
UPLOAD_PATH = "/api/picture"
LOGIN = "/login"
_MAX_FORM = 16 * 1024
GRADIO = "/gradio"
_ASK = re.compile(r"/gradio/gradio_api/call/ask(/[0-9a-f]{32})?")
_SAFE_METHODS = frozenset(("GET", "HEAD"))


class Guard:
    """Refuses requests from elsewhere and ones that are too large, and adds the headers."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no websockets are spoken here
        refusal = self._refusal(scope)
        answering = _with_headers(scope, send)
        if refusal:
            status, reason = refusal
            await PlainTextResponse(reason, status)(scope, receive, answering)
            return
        with contextlib.suppress(ClientDisconnect):  # nobody is there to be answered
            await self._app(scope, _limited(receive, _limit(scope["path"])), answering)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers, path = Headers(scope=scope), str(scope["path"])
        if not self._site.knows(headers.get("host", "")):
            return 421, "This name does not belong to this server. Open it by its address, or start it with --host."
        if self._site.client(scope) is None:
            return 400, "The proxy must say in X-Forwarded-For which address a request comes from."
        if scope["method"] not in _SAFE_METHODS and not self._site.comes_from_the_page(headers):
            return 403, "This request does not come from the page."
        if path.startswith(GRADIO) and not _ASK.fullmatch(path):
            return 404, "There is nothing here."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _limit(path):
            return 413, "That is too large."
        return None


def _limit(path: str) -> int:
    return {UPLOAD_PATH: MAX_UPLOAD, LOGIN: _MAX_FORM}.get(path, MAX_BODY)


def _limited(receive: Receive, limit: int) -> Receive:
    """Ends the connection of whoever sends more than was announced, or announces nothing."""
    seen = 0

    async def receiving() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > limit else message

    return receiving


def _with_headers(scope: Scope, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            if scope["path"] == LOGIN:
                headers["Referrer-Policy"] = "same-origin"  # else a browser hides from us where the form comes from
            if not scope["path"].startswith(("/media/", "/static/")):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return sending
