"""What the terminal says while a model is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ui import printable

if TYPE_CHECKING:
    from haystack_agent.encoders.hub import DownloadProgress

_MEGABYTE = 1_000_000
_STEPS = 10


def tell_download(progress: DownloadProgress) -> None:
    """Say what is downloaded, how much, and where it is kept; then every tenth of it."""
    size = max(1, progress.total)
    tenth, before = (_STEPS * done // size for done in (progress.done, progress.done - 1))
    if progress.done == 0:
        place = printable.name(progress.folder)
        name = printable.line(progress.repo)
        typer.echo(f"Downloading {name}: {progress.total / _MEGABYTE:.0f} MB, kept in {place}", err=True)
    elif tenth != before:
        typer.echo(f"{printable.line(progress.repo)}: {100 * progress.done // size} %", err=True)
