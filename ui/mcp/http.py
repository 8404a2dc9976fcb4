"""The MCP server over HTTP (the transport "Streamable HTTP"), for who has the token: other users of this machine reach
its ports too.

Host and Origin must name the server as it is known: a page in a browser cannot reach it by a name that an attacker
lets point here (DNS rebinding).
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl

from ui import printable
from ui.serving.listening import bracketed

if TYPE_CHECKING:
    from ui.mcp.server import MediaServer

PATH = "/mcp"
_SECONDS_TO_END = 3
_LOGGED = 300
"""Characters of a line of the log."""
_HERE = ("127.0.0.1", "localhost", "[::1]")


class OneToken(TokenVerifier):
    """Takes one bearer token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        """Whether it is the one, in a time that does not tell how much of it is right."""
        if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token):
            return None
        return AccessToken(token=token, client_id="haystack-agent", scopes=[])


def asking_for(token: str) -> tuple[AuthSettings, TokenVerifier]:
    """What asks every client for the token."""
    # The SDK wants to know who issues tokens; without a resource URL it tells nobody.
    settings = AuthSettings(issuer_url=AnyHttpUrl("http://localhost"), resource_server_url=None)
    return settings, OneToken(token)


def allowed(host: str, port: int, names: Sequence[str]) -> TransportSecuritySettings:
    """Host and Origin headers by which the server may be called.

    This machine's own names and `host` with the very port, so that no page of another local server can call; and
    `names`, with a port as they say, or with none and with this one.
    """
    here = [f"{name}:{port}" for name in dict.fromkeys((*_HERE, bracketed(_own_name(host))))]
    plain = [name for name in names if not _has_port(name)]
    given = [*map(bracketed, plain), *(f"{bracketed(name)}:{port}" for name in plain)]
    hosts = [*here, *given, *(name for name in names if _has_port(name))]
    return TransportSecuritySettings(
        allowed_hosts=hosts,
        allowed_origins=[f"{scheme}://{name}" for name in hosts for scheme in ("http", "https")],
    )


def _has_port(name: str) -> bool:
    return "]:" in name or name.count(":") == 1


def _own_name(host: str) -> str:
    """The address or, where it stands for all addresses, the machine's name."""
    try:
        return socket.gethostname() if ipaddress.ip_address(host).is_unspecified else host
    except ValueError:
        return host


def _harmless(record: logging.LogRecord) -> bool:
    """Make a line of the log one that cannot be taken for anything else."""
    record.msg, record.args = printable.short(record.getMessage(), _LOGGED), None
    return True


def serve(server: MediaServer, listener: socket.socket, security: TransportSecuritySettings) -> None:
    """Serve until the process is asked to end."""
    import uvicorn

    from ui.serving.bounded_connections import BACKLOG, ConnectionLimits, bounded, fitting

    for handler in logging.getLogger().handlers:  # the SDK's own, which says what clients sent as it is
        handler.addFilter(_harmless)
    app = server.streamable_http_app(streamable_http_path=PATH, transport_security=security)
    app.router.redirect_slashes = False  # it would send whoever asks to whatever host is named
    config = uvicorn.Config(
        app,
        log_level="error",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SECONDS_TO_END,
        http=bounded(fitting(ConnectionLimits())),
        backlog=BACKLOG,
    )
    uvicorn.Server(config).run(sockets=[listener])
