"""``haystack-agent ui``: the browser interface, served from this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from ui import options, printable

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
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open the page in the browser.")]


def ui(  # noqa: PLR0913, PLR0917 - the parameters are the options
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
    host: Host = "127.0.0.1",
    port: Port = 7864,
    password: Password = None,
    model: options.Model = None,
    model_url: options.ModelUrl = None,
    no_browser: NoBrowser = False,
) -> None:
    """Ask and browse in the browser; Ctrl-C ends it."""
    settings = options.settings_for(qdrant_url)
    location = options.location_for(settings, index)
    from ui.web.server import Serving, check, log_to, make_app, serve

    known = settings.ui_password.get_secret_value() if settings.ui_password else None
    serving = Serving(host, port, password or known or None, model, model_url)
    check(serving)
    log_to(settings.data_dir / "web")
    app = make_app(settings, location, serving)

    def announce(address: str) -> None:
        typer.echo(f"Open {printable.line(address)}   (Ctrl-C ends it)")
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    serve(app, serving, announce)
