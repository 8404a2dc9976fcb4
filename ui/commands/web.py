"""``haystack-agent ui``: the browser interface, served from this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ui import options, printable

if TYPE_CHECKING:
    from socket import socket

    from haystack_agent.index_location import IndexLocation
    from haystack_agent.settings import Settings
    from ui.web.door.serving import Serving

Host = Annotated[
    str,
    typer.Option("--host", metavar="ADDRESS", help="Where to listen; 127.0.0.1 is reached from here only."),
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes any that is free.")]
Password = Annotated[
    str | None,
    typer.Option(
        "--password",
        metavar="TEXT",
        help="Asked for in the browser (better: HAYSTACK_UI_PASSWORD, which nobody else sees).",
    ),
]
BehindProxy = Annotated[
    str | None,
    typer.Option(
        "--behind-proxy",
        metavar="URL",
        help="What people open where a proxy stands before the server, such as https://media.example.org; the proxy "
        "must set X-Forwarded-For.",
    ),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open the page in the browser.")]


def ui(  # noqa: PLR0913, PLR0917 - the parameters are the options
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
    host: Host = "127.0.0.1",
    port: Port = 7864,
    password: Password = None,
    model: options.Model = None,
    model_url: options.ModelUrl = None,
    behind_proxy: BehindProxy = None,
    no_browser: NoBrowser = False,
) -> None:
    """Ask and browse in the browser; Ctrl-C ends it."""
    typer.echo("Starting ...", err=True)
    settings = options.settings_for(qdrant_url)
    location = options.location_for(settings, index)
    from ui.web.door.serving import Serving, check, origin_of

    known = settings.ui_password.get_secret_value() if settings.ui_password else None
    public = origin_of(behind_proxy) if behind_proxy else None
    serving = Serving(host, port, password or known or None, model, model_url, public)
    check(serving)
    from ui.serving.listening import listen

    with listen(host, port) as listener:
        _serve(settings, location, serving, listener, no_browser)


def _serve(settings: Settings, location: IndexLocation, serving: Serving, listener: socket, no_browser: bool) -> None:
    from ui.serving.listening import address_of
    from ui.web.door.visitors import Door
    from ui.web.page_address import PageAddress
    from ui.web.server import limits_of, log_to, make_app, serve

    log_to(settings.data_dir / "web")
    door = Door(serving, settings.data_dir)
    app = make_app(settings, location, serving, door)
    address = PageAddress(serving.public or address_of(serving.host, listener), door.key)
    file = settings.data_dir / "web" / "open.html"

    def ready() -> None:
        typer.echo(f"Open {printable.line(address.whole())}   (Ctrl-C ends it)")
        sys.stdout.flush()
        if not no_browser:
            address.open(file)

    serve(app, listener, limits_of(serving), ready, lambda: file.unlink(missing_ok=True))
