"""What the server is called, where a request comes from, and whether the page itself made it."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from haystack_agent.system.loopback import is_loopback
from ui.web.door.peer import Peer, peer_of, system_tells
from ui.web.door.serving import Serving

_THIS_COMPUTER = "127.0.0.1"


class Site:
    """The server as browsers know it. Only behind a proxy is anything taken from what a proxy says."""

    def __init__(self, serving: Serving) -> None:
        self._public = serving.public
        self._loopback = is_loopback(serving.host) and serving.public is None
        self._asks_system = self._loopback and system_tells()
        names = {"localhost", serving.host.lower(), socket.gethostname().lower()}
        if serving.public:
            names.add(urlsplit(serving.public).hostname or "")
        self._names = frozenset(names)

    @property
    def secure(self) -> bool:
        """Whether browsers reach it over TLS."""
        return self._public is not None and self._public.startswith("https:")

    def knows(self, host: str) -> bool:
        """Whether the Host header is an address, or a name of this machine or its proxy: no other site's name."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names or name.removesuffix(".local") in self._names:
            return True
        return _is_address(name)

    def comes_from_the_page(self, headers: Headers) -> bool:
        """Whether the browser says that this server's own page made the request."""
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site") == "same-origin"
        return origin == (self._public or f"http://{headers.get('host', '').lower()}")

    def client(self, scope: Scope) -> str | None:
        """The address that a request comes from, one for all of this computer; None where the proxy should have told
        it and did not."""
        if self._public is None:
            client, server = scope.get("client"), scope.get("server")
            if client and server and client[0] == server[0]:
                return _THIS_COMPUTER
            return client[0] if client else ""
        told = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).rpartition(",")[2].strip()
        return told if _is_address(told) else None

    def peer(self, scope: Scope) -> Peer:
        """Whose the browser is, where only such as sit at this machine can reach the server, and the system tells."""
        return peer_of(scope.get("client"), scope.get("server")) if self._asks_system else Peer.UNKNOWN

    def is_here(self, client: str) -> bool:
        """Whether who calls sits at this machine, and only such can reach the server."""
        return self._loopback and is_loopback(client)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
