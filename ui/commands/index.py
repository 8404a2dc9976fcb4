"""The commands that change or describe an index: ``index``, ``status`` and ``forget``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haystack_agent.errors import UsageError
from ingest.stages.backends import Backend, opener_of
from ui import json_output, options, printable
from ui.terminal.downloads import tell_download
from ui.terminal.render import say

if TYPE_CHECKING:
    from haystack_agent.index_location import IndexLocation

Roots = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FOLDER]...", help="Folders or files; without any, all that the index knows."),
]
Hidden = Annotated[bool, typer.Option("--hidden", help="Read hidden files and caches too.")]
NoIgnore = Annotated[bool, typer.Option("--no-ignore", help="Do not heed .gitignore, .ignore and .haystackignore.")]
Retry = Annotated[bool, typer.Option("--retry", help="Try again what failed before, though unchanged.")]
Gone = Annotated[
    bool,
    typer.Option("--gone", help="Remove what is kept of folders that lost all their files: they are gone for good."),
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, max=256, help="Processes that read files.")]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Encoders of a new index: offline, pictogram, or a .toml file."),
]
Engine = Annotated[
    Backend, typer.Option("--backend", hidden=len(Backend) == 1, help="Where files are read, and their pieces encoded.")
]
Everything = Annotated[bool, typer.Option("--all", help="List every problem.")]


def index(  # noqa: PLR0913, PLR0917 - the parameters are the options
    folders: Roots = None,
    hidden: Hidden = False,
    no_ignore: NoIgnore = False,
    retry: Retry = False,
    gone: Gone = False,
    workers: Workers = None,
    profile: ProfileName = None,
    backend: Engine = Backend.LOCAL,
    as_json: options.AsJson = False,
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
) -> None:
    """Read folders into the index, or bring it up to date.

    A file that is not there any more is removed from the index; a folder that lost all its files (two or more: the disk
    may not be mounted) keeps them until --gone, or `forget`.
    """
    settings = options.settings_for(qdrant_url)
    location = options.location_for(settings, index)
    roots = [Path(folder) for folder in folders or ()]
    _check_place(location, roots)
    from ingest.indexing import index as run
    from ingest.indexing import moving
    from ingest.pipeline import IndexOptions
    from ui.terminal import render

    how = IndexOptions(hidden, not no_ignore, retry, gone, workers or settings.workers, stages=opener_of(backend))
    move = qdrant_url is not None
    if move and (told := moving(location)):
        say(told)
    with render.progress_bar() as progress:
        report = run(location, roots, how, progress, profile, tell_download, move)
    if as_json:
        json_output.write(json_output.report_object(report, str(location.path)))
    else:
        render.show_report(report)
    if report.interrupted:
        typer.echo("Stopped. What was read is kept: run the same command to go on.", err=True)
        raise typer.Exit(130)
    raise typer.Exit(1 if report.counts.failed else 0)


def _check_place(location: IndexLocation, roots: list[Path]) -> None:
    """Do not make an index among other files, or for a folder that is not there.

    Raises:
        UsageError: as said.
    """
    from haystack_agent.index_files import IndexFiles

    files = IndexFiles(location.path)
    if files.card.exists() or files.manifest.exists():
        return
    if location.path.exists() and (not location.path.is_dir() or any(location.path.iterdir())):
        place = printable.name(location.path)
        raise UsageError(f"{place} holds other files: name an empty or a new folder for the index.")
    for root in roots:
        if not os.path.lexists(root):
            raise UsageError(f"There is no file or folder {printable.name(root)}: check the name.")


def status(
    everything: Everything = False,
    as_json: options.AsJson = False,
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
) -> None:
    """Say what was read, what failed and why, and what cannot be searched."""
    location = options.location_for(options.settings_for(qdrant_url), index)
    from ingest.indexing import status as run

    state = run(location, ask=True)
    notes = _notes(state.profile)
    if as_json:
        json_output.write(json_output.status_object(state, str(location.path), notes))
        return
    from ui.terminal import render

    render.show_status(state, str(location.path), notes, everything)


def _notes(profile: str | None) -> list[str]:
    """What cannot be searched, and what to do about it."""
    from ingest.ocr.tesseract import missing_scripts

    scripts = missing_scripts()
    offline = (
        "The profile 'offline' finds pictures and videos by the text in them and their metadata, not by what they show"
    )
    return [*([offline] if profile == "offline" else []), *([scripts] if scripts else [])]


def forget(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files or folders.")],
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
) -> None:
    """Remove files or folders from the index; the files themselves are not touched."""
    location = options.location_for(options.settings_for(qdrant_url), index)
    from ingest.indexing import forget as run

    named = [printable.path_of(path) for path in paths]
    count = run(location, named)
    typer.echo(f"{count} {'file' if count == 1 else 'files'} forgotten.")
    if count and _comes_back(location, named):
        typer.echo("The next index reads what is still in an indexed folder, unless a .haystackignore names it.")
    raise typer.Exit(0 if count else 1)


def _comes_back(location: IndexLocation, forgotten: list[Path]) -> bool:
    """Whether one of these is there, in a folder that the index knows."""
    from ingest.indexing import status as run

    folders = [printable.path_of(folder) for folder in run(location).roots]
    there = [Path(os.path.realpath(path)) for path in forgotten if os.path.lexists(path)]
    return any(path.is_relative_to(folder) for path in there for folder in folders)
