"""Who asks: each browser is a visitor of its own, known by a secret in a cookie that scripts cannot read.

Nobody is let in but who gave the password or, where there is none, who opened the address that was printed where the
server was started: other users of this machine reach its ports too. The cookie is made when somebody is let in, never
taken from them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.web.door.known_browsers import YEAR, KnownBrowsers, id_from
from ui.web.door.peer import Peer
from ui.web.door.security import LOGIN
from ui.web.door.serving import Serving
from ui.web.door.site import Site
from ui.web.door.wrong_guesses import WrongGuesses

_EARLIER_COOKIE = "haystack_visitor"
"""Of versions that let every user of this machine in: the owner's conversations are found by it."""
_DOOR = ("/", LOGIN)
_OPEN_TO_ALL = "/static/"
_NOT_YOURS = (
    "This page belongs to another user of this computer. If it is yours, and you reach it from outside this computer, "
    "start it with a password: haystack-agent ui --password."
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser; `local` where it runs on this machine and only such can reach the server."""

    id: str
    local: bool


@dataclass(frozen=True, slots=True)
class Lock:
    """What opens the door; `mark` tells it from other locks, and nothing about what opens it."""

    opener: str
    mark: str
    guessable: bool

    def opens(self, given: str) -> bool:
        """Whether it is the right one, in a time that tells nothing about it."""
        return hmac.compare_digest(_hashed(given), _hashed(self.opener))


def lock_of(password: str | None, browsers: KnownBrowsers) -> Lock:
    """The password, or a key that is made anew at each start."""
    if password is None:
        return Lock(secrets.token_urlsafe(32), "key", guessable=False)
    mark = hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=browsers.salt(), n=2**14, r=8, p=1, dklen=16)
    return Lock(password, mark.hex(), guessable=True)


class Door:
    """Lets in who can open the lock, and who was let in before."""

    def __init__(self, serving: Serving, data_dir: Path) -> None:
        self.site = Site(serving)
        self._browsers = KnownBrowsers(data_dir / "web" / "browsers")
        self._lock = lock_of(serving.password, self._browsers)
        self._guesses = WrongGuesses()
        # Cookies are shared by all ports of a machine: servers of other data folders have cookies of other names.
        self._cookie = f"haystack_{hashlib.blake2b(str(data_dir).encode(), digest_size=4).hexdigest()}"

    @property
    def key(self) -> str | None:
        """What the address must carry where there is no password."""
        return None if self._lock.guessable else self._lock.opener

    def belongs_to_another(self, scope: Scope) -> bool:
        """Whether the browser is run by another user, whose it cannot be whatever it brings.

        A cookie does not tell: browsers send it to all ports of a machine, also those of other users' servers.
        """
        return not self._lock.guessable and self.site.peer(scope) is Peer.OTHER

    def visitor(self, scope: Scope) -> Visitor | None:
        """Who is inside already."""
        known = self._browsers.visitor(_cookies(scope).get(self._cookie, ""), self._lock.mark)
        return Visitor(known, self.site.is_here(self.site.client(scope) or "")) if known else None

    def wait(self, scope: Scope) -> float:
        """Seconds until this client may try again."""
        return self._guesses.wait(self.site.client(scope) or "") if self._lock.guessable else 0.0

    def let_in(self, scope: Scope, given: str, response: Response) -> bool:
        """Put a new cookie into the response if the lock opens.

        Raises:
            OSError: the browser cannot be noted.
        """
        client = self.site.client(scope) or ""
        if self.wait(scope) > 0:
            return False
        if not self._lock.opens(given):
            self._guesses.note(client)
            return False
        self._guesses.forgive(client)
        self._give_cookie(_cookies(scope), response)
        return True

    def _give_cookie(self, cookies: dict[str, str], response: Response) -> None:
        before = cookies.get(self._cookie, "")
        visitor = self._browsers.visitor(before)
        if visitor is None and not self._lock.guessable:
            visitor = id_from(cookies.get(_EARLIER_COOKIE, ""))
        secret = self._browsers.add(self._lock.mark, visitor)
        self._browsers.forget(before)
        # Lax: the browser is known too when it comes from a bookmark, a file or another site's link.
        response.set_cookie(
            self._cookie, secret, max_age=YEAR, path="/", httponly=True, samesite="lax", secure=self.site.secure
        )


class Visitors:
    """Puts the `Visitor` into the scope of each request, or None at the door, beyond which nobody else comes."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] == "http":
            if self._door.belongs_to_another(scope):
                await PlainTextResponse(_NOT_YOURS, 403)(scope, receive, send)
                return
            scope["visitor"] = self._door.visitor(scope)
            path = str(scope["path"])
            if scope["visitor"] is None and path not in _DOOR and not path.startswith(_OPEN_TO_ALL):
                await JSONResponse({"error": self._told()}, 401)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _told(self) -> str:
        if self._door.key is None:
            return "Sign in first: open the page again."
        return "This browser is not known yet: open the address that `haystack-agent ui` printed."


def _cookies(scope: Scope) -> dict[str, str]:
    # Other servers on this machine share our cookies: theirs may be of any form, and must not hide ours.
    return cookie_parser(Headers(scope=scope).get("cookie", ""))


def _hashed(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass")).digest()


def visitor_of(request: Request) -> Visitor:
    """Who makes the request."""
    visitor: Visitor = request.scope["visitor"]
    return visitor
