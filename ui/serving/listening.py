"""A socket that listens, before anything large is imported: a port that is taken is told at once."""

from __future__ import annotations

import socket

from haystack_agent.errors import UsageError


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any free one.

    Raises:
        UsageError: the address cannot be used.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such name"
        raise UsageError(
            f"Nothing can listen at {bracketed(host)}:{port} ({reason}): choose another --port or --host, "
            "or end what uses it."
        ) from error


def bracketed(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def address_of(host: str, listener: socket.socket) -> str:
    """The origin of what listens there, where `host` is what it is called."""
    return f"http://{bracketed(host)}:{listener.getsockname()[1]}"
