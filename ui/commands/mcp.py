"""``haystack-agent mcp``: the index as tools for programs that speak the Model Context Protocol."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from socket import socket
from typing import TYPE_CHECKING, Annotated

import typer

from ui import options

if TYPE_CHECKING:
    from haystack_agent.settings import Settings
    from ui.mcp.tools import MediaTools

Http = Annotated[bool, typer.Option("--http", help="Serve over HTTP, not over standard input and output.")]
Host = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="With --http: the address; other than this machine's needs --token.",
    ),
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="With --http: the port; 0 takes any free one.")]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="With --http: what clients must send as a bearer token (better: HAYSTACK_MCP_TOKEN); without it, one is "
        "made and kept in the data folder.",
    ),
]
AllowHosts = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="With --http: a name clients call it by (repeatable)."),
]


@dataclass(frozen=True, slots=True)
class _Entrance:
    """Where clients come in, and the token that they send; `made` where it is this folder's own."""

    host: str
    listener: socket
    token: str
    made: bool
    allow_host: list[str]


def mcp(  # noqa: PLR0913, PLR0917 - the parameters are the options
    http: Http = False,
    host: Host = "127.0.0.1",
    port: Port = 8765,
    token: Token = None,
    allow_host: AllowHosts = None,
    model: options.Model = None,
    model_url: options.ModelUrl = None,
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
) -> None:
    """Give an index to a program that speaks MCP: tools to search it, open places and ask."""
    settings = options.settings_for(qdrant_url)
    location = options.location_for(settings, index)
    if not http and sys.stdin.isatty():
        typer.echo("Waiting for a program that speaks MCP on standard input; Ctrl-D ends.", err=True)
    with contextlib.ExitStack() as stack:
        entrance = stack.enter_context(_entrance(settings, host, port, token, allow_host or [])) if http else None
        from ingest.draw.drawing import EvidenceRenderer
        from ui.mcp.answers import ServerModel
        from ui.mcp.library import Library
        from ui.mcp.tools import MediaTools

        library = Library(location)
        stack.callback(library.close)
        tools = MediaTools(library, ServerModel(settings, model, model_url), EvidenceRenderer())
        if entrance:
            _serve_http(tools, entrance)
        else:
            _serve_stdio(tools)


@contextlib.contextmanager
def _entrance(
    settings: Settings, host: str, port: int, token: str | None, allow_host: list[str]
) -> Iterator[_Entrance]:
    """Refuse what cannot be, and listen, before anything large is loaded."""
    typer.echo("Starting ...", err=True)
    from ui.mcp import token as mcp_token
    from ui.serving.listening import listen

    chosen = token or (settings.mcp_token.get_secret_value() if settings.mcp_token else None)
    mcp_token.check(host, chosen)
    with listen(host, port) as listener:
        made = mcp_token.kept_token(settings.data_dir) if chosen is None else None
        yield _Entrance(host, listener, chosen or made or "", made is not None, allow_host)


def _serve_stdio(tools: MediaTools) -> None:
    from ui.mcp.server import make_server

    make_server(tools).run("stdio")


def _serve_http(tools: MediaTools, entrance: _Entrance) -> None:
    from ui.mcp import http as mcp_http
    from ui.mcp import token as mcp_token
    from ui.mcp.server import make_server
    from ui.serving.listening import address_of

    server = make_server(tools, mcp_http.asking_for(entrance.token))
    url = f"{address_of(entrance.host, entrance.listener)}{mcp_http.PATH}"
    port = entrance.listener.getsockname()[1]
    shown = entrance.token if entrance.made else "THE TOKEN THAT YOU SET"
    typer.echo(f"Serving MCP at {url}; Ctrl-C ends. A client's configuration:", err=True)
    typer.echo(mcp_token.configuration(url, shown), err=True)
    mcp_http.serve(server, entrance.listener, mcp_http.allowed(entrance.host, port, entrance.allow_host))
