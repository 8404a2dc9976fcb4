"""The token that clients of the MCP server over HTTP must send: the user's own, or one that is made once and kept."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from haystack_agent.errors import UsageError
from haystack_agent.system.loopback import is_loopback
from haystack_agent.system.private_files import read_private, write_private

_SHORTEST_TOKEN = 16


def kept_token(data_dir: Path) -> str:
    """The token that this data folder has: made once, and readable by the user of this computer only."""
    path = data_dir / "mcp-token"
    if not (read_private(path) or "").strip():
        write_private(path, f"{secrets.token_urlsafe(32)}\n")
    return (read_private(path) or "").strip()


def check(host: str, token: str | None) -> None:
    """Refuse a token that can be guessed, and to be reached from other machines with none that was chosen.

    Raises:
        UsageError: as said.
    """
    if token is None:
        if not is_loopback(host):
            raise UsageError(
                f"--host {host} lets other machines connect: set a token that they must send, in HAYSTACK_MCP_TOKEN "
                "or with --token, or leave --host away."
            )
    elif len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"The token must have {_SHORTEST_TOKEN} letters, digits or signs at least, and no space.")


def configuration(url: str, token: str) -> str:
    """What a client's configuration says, on one line."""
    server = {"type": "http", "url": url, "headers": {"Authorization": f"Bearer {token}"}}
    return json.dumps({"mcpServers": {"haystack-agent": server}})
