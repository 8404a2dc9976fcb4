"""``haystack-agent mcp``: the index as tools for programs that speak the Model Context Protocol."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ui import options

if TYPE_CHECKING:
    from ui.mcp_tools import MediaTools

Http = Annotated[bool, typer.Option("--http", help="Serve over HTTP, not over standard input and output.")]
Host = Annotated[
    str,
    typer.Option(
        "--host", metavar="ADDRESS", help="With --http: the address; other than this machine's needs a token."
    ),
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="With --http: the port; 0 takes any free one.")]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="With --http: what clients must send as a bearer token (better: HAYSTACK_MCP_TOKEN).",
    ),
]
AllowHosts = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="With --http: a name clients call it by (repeatable)."),
]


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
    from ingest.drawing import EvidenceRenderer
    from ui.mcp_answers import ModelAnswers
    from ui.mcp_library import Library
    from ui.mcp_tools import MediaTools

    library = Library(location)
    tools = MediaTools(library, ModelAnswers(settings, model, model_url), EvidenceRenderer())
    try:
        if http:
            known = settings.mcp_token.get_secret_value() if settings.mcp_token else None
            _serve_http(tools, host, port, token or known, allow_host or [])
        else:
            _serve_stdio(tools)
    finally:
        library.close()


def _serve_stdio(tools: MediaTools) -> None:
    from ui.mcp_server import make_server

    if sys.stdin.isatty():
        typer.echo("Waiting for a program that speaks MCP on standard input; Ctrl-D ends.", err=True)
    make_server(tools).run("stdio")


def _serve_http(tools: MediaTools, host: str, port: int, token: str | None, allow_host: list[str]) -> None:
    from ui import mcp_http
    from ui.mcp_server import make_server

    server = make_server(tools, mcp_http.token_of(host, token))
    with mcp_http.listen(host, port) as listener:
        typer.echo(f"Serving MCP at {mcp_http.address_of(listener)}; Ctrl-C ends.", err=True)
        mcp_http.serve(server, listener, mcp_http.allowed(host, allow_host))
