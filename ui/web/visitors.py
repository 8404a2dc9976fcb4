"""Who asks: each browser is a visitor of its own, known by a secret in a cookie that scripts cannot read.

With a password a visitor must have signed in since the server was started. The secret itself is never stored: files and
memory know a visitor by its digest.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.loopback import is_loopback

COOKIE = "haystack_visitor"
_YEAR = 365 * 24 * 3600
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_OPEN_TO_ALL = ("/login", "/static/")
_PAUSE = 1.0
"""Seconds between two wrong passwords, whoever sends them."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser; `local` where it runs on this machine and only such can reach the server."""

    id: str
    local: bool


class Door:
    """The password, and who has given it."""

    def __init__(self, password: str | None, host: str) -> None:
        self._password = password
        self._inside: set[str] = set()
        self._local = is_loopback(host)
        self._wrong_at = float("-inf")

    @property
    def locked(self) -> bool:
        """Whether a password is asked for."""
        return self._password is not None

    def visitor(self, secret: str, client: str) -> Visitor:
        """The visitor with this secret, calling from this address."""
        return Visitor(_digest(secret), self._local and is_loopback(client))

    def is_inside(self, visitor: Visitor) -> bool:
        """Whether the visitor may see anything."""
        return self._password is None or visitor.id in self._inside

    def sign_in(self, visitor: Visitor, password: str) -> bool:
        """Let the visitor in if the password is right; after a wrong one, all must wait a moment."""
        if self._password is None or time.monotonic() - self._wrong_at < _PAUSE:
            return False
        if not hmac.compare_digest(password.encode(), self._password.encode()):
            self._wrong_at = time.monotonic()
            return False
        self._inside.add(visitor.id)
        return True


class Visitors:
    """Puts a `Visitor` into the scope of each request, and lets nobody in without the password."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = _secret_of(Headers(scope=scope))
        secret = known or secrets.token_urlsafe(32)
        client = scope.get("client")
        visitor = self._door.visitor(secret, client[0] if client else "")
        scope["visitor"] = visitor
        sending = send if known else _with_cookie(send, secret)
        path = str(scope["path"])
        if self._door.is_inside(visitor) or path.startswith(_OPEN_TO_ALL):
            await self._app(scope, receive, sending)
        elif path == "/":
            await RedirectResponse("/login", 303)(scope, receive, sending)
        else:
            await JSONResponse({"error": "Sign in first: open the page again."}, 401)(scope, receive, sending)


def _secret_of(headers: Headers) -> str | None:
    # Other servers on this machine share our cookies: theirs may be of any form, and must not hide ours.
    found = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    return found if _SECRET.fullmatch(found) else None


def _with_cookie(send: Send, secret: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            cookie = f"{COOKIE}={secret}; Path=/; Max-Age={_YEAR}; HttpOnly; SameSite=Strict"
            MutableHeaders(scope=message).append("Set-Cookie", cookie)
        await send(message)

    return sending


def _digest(secret: str) -> str:
    return hashlib.blake2b(secret.encode(), digest_size=16, person=b"visitor").hexdigest()
