"""The command that shows a place: ``open``."""

from __future__ import annotations

from typing import Annotated

import typer

from haystack_agent.errors import UsageError
from haystack_agent.records import Locator
from ui import options, printable
from ui.terminal.last_results import Place, load

What = Annotated[str, typer.Argument(metavar="N|FILE", help="A number of the last list shown, or a file.")]
Page = Annotated[int | None, typer.Option("--page", min=1, help="The page of the file.")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="The time in the video: 17, 0:17 or 1:02:03.")]
_DIGITS = 6
"""More of them are the name of a file."""


def open_(what: What, page: Page = None, at: At = None) -> None:
    """Open a citation where it stands: the page or picture with the passage marked, the video at its second."""
    settings = options.settings_for()
    by_number = what.isascii() and what.isdecimal() and len(what) <= _DIGITS
    if by_number and (page is not None or at is not None):
        raise UsageError("--page and --at go with a file; a number already means one place.")
    place = load(settings.data_dir, int(what)) if by_number else Place((what,), Locator(page=page, start=_seconds(at)))
    from ui.terminal.opener import open_place

    opened = open_place(place, settings.data_dir, settings.viewer)
    typer.echo(f"Opened {printable.name(opened.path)}")


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or not all(0 <= part < 1e6 for part in parts):
        raise UsageError(f"--at {text!r} is no time: write 17, 0:17 or 1:02:03.")
    return sum(part * 60.0**power for power, part in enumerate(reversed(parts)))
