"""The MCP server over HTTP (the transport "Streamable HTTP"), for this machine or, with a token, for others.

Host and Origin must name the server as it is known: a page in a browser cannot reach it by a name that an attacker
lets point here (DNS rebinding).
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl

from haystack_agent.errors import UsageError
from ui.loopback import is_loopback

if TYPE_CHECKING:
    from ui.mcp_server import MediaServer

PATH = "/mcp"
_SHORTEST_TOKEN = 16
_SECONDS_TO_END = 3
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


def token_of(host: str, token: str | None) -> tuple[AuthSettings, TokenVerifier] | None:
    """What asks for the token, if there is one.

    Raises:
        UsageError: there is none though other machines could connect, or it is too short.
    """
    if token is None:
        if not is_loopback(host):
            raise UsageError(
                f"--host {host} lets other machines connect: set a token that they must send, in HAYSTACK_MCP_TOKEN "
                "or with --token, or leave --host away."
            )
        return None
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"The token must have {_SHORTEST_TOKEN} letters, digits or signs at least, and no space.")
    # The SDK wants to know who issues tokens; without a resource URL it tells nobody.
    settings = AuthSettings(issuer_url=AnyHttpUrl("http://localhost"), resource_server_url=None)
    return settings, OneToken(token)


def allowed(host: str, names: Sequence[str]) -> TransportSecuritySettings:
    """Host and Origin headers by which the server may be called: this machine's own, `host`, and `names`, any port."""
    called = dict.fromkeys((*_HERE, *map(_bracketed, (_own_name(host), *names))))
    origins = [f"{scheme}://{name}" for name in called for scheme in ("http", "https")]
    return TransportSecuritySettings(
        allowed_hosts=[value for name in called for value in (name, f"{name}:*")],
        allowed_origins=[value for origin in origins for value in (origin, f"{origin}:*")],
    )


def _own_name(host: str) -> str:
    """The address or, where it stands for all addresses, the machine's name."""
    try:
        return socket.gethostname() if ipaddress.ip_address(host).is_unspecified else host
    except ValueError:
        return host


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any free one.

    Raises:
        UsageError: the address cannot be used.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(
            f"Nothing can listen at {_bracketed(host)}:{port} ({error.strerror}): choose another --port or --host."
        ) from error


def address_of(listener: socket.socket) -> str:
    """The URL of the server."""
    host, port = listener.getsockname()[:2]
    return f"http://{_bracketed(host)}:{port}{PATH}"


def serve(server: MediaServer, listener: socket.socket, security: TransportSecuritySettings) -> None:
    """Serve until the process is asked to end."""
    import uvicorn

    app = server.streamable_http_app(streamable_http_path=PATH, transport_security=security)
    config = uvicorn.Config(
        app, log_level="warning", ws="none", server_header=False, timeout_graceful_shutdown=_SECONDS_TO_END
    )
    uvicorn.Server(config).run(sockets=[listener])
