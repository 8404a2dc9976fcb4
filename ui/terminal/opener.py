"""Opening a citation: a page or picture with the passage marked, a video at its second, a text with the quote marked.

Files of strangers are not handed to the system unless their name says what their bytes are: a script called
``notes.txt.command`` is shown as text, never run.
"""

from __future__ import annotations

import html
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from haystack_agent.errors import HaystackError, ReadFailed, UsageError
from haystack_agent.media import OpenedAs, PlaceOf, medium_of_type, opening_of, place_name
from haystack_agent.records import Locator
from haystack_agent.system.private_files import make_folder
from ui import printable
from ui.terminal.last_results import Place

FOLDER = "opened"
KEPT_SECONDS = 24 * 3600
_MAX_TEXT = 2_000_000
_ROOM = 32 * 2**20
"""Free bytes without which a page is drawn elsewhere."""

_PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; media-src file:; style-src 'unsafe-inline'">
<style>body {{font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em}}
pre {{white-space: pre-wrap; overflow-wrap: anywhere}} video {{max-width: 100%}}</style></head>
<body><h1>{title}</h1>{body}</body></html>
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was done: the file, and what the viewer was given to show it."""

    path: Path
    shown: Path


def open_place(place: Place, data_dir: Path, viewer: str | None) -> Opened:
    """Show a place in the system's viewer, or with the command `viewer`.

    Raises:
        UsageError: the file is not there any more, or is of no kind that can be shown.
        ReadFailed: it cannot be drawn.
        HaystackError: no viewer can be started.
    """
    path = _existing(place)
    media_type = _media_type(path)
    folder = _fresh_folder(data_dir)
    shown = _prepare(path, media_type, place, folder)
    _view(shown, viewer)
    return Opened(path, shown)


def _existing(place: Place) -> Path:
    for text in place.paths:
        path = printable.path_of(text)
        if path.is_file():
            return path.absolute()
    raise UsageError(
        f"{printable.name(place.paths[0])} is not there: run `haystack-agent index` again if it was moved."
    )


def _media_type(path: Path) -> str:
    from ingest.files.hashing import open_regular
    from ingest.files.sniff import HEAD_BYTES, sniff

    try:
        with open_regular(path) as stream:
            head = stream.read(HEAD_BYTES)
        media_type = sniff(path, head)
    except OSError as error:
        raise ReadFailed(f"{printable.name(path)} cannot be read: {error.strerror}.") from error
    if media_type is None:
        raise UsageError(f"{printable.name(path)} is not a kind of file that is read, so it is not opened either.")
    return media_type


def _fresh_folder(data_dir: Path) -> Path:
    """Where the pictures made for viewers lie; those of earlier days are removed.

    Where nothing can be written among the user's data, it is a temporary folder.
    """
    folder = data_dir / FOLDER
    try:
        make_folder(folder)
        full = shutil.disk_usage(folder).free < _ROOM or not os.access(folder, os.W_OK)
    except OSError:
        full = True
    if full:
        return Path(tempfile.mkdtemp(prefix="haystack-agent-opened-"))
    for old in folder.iterdir():
        if time.time() - old.lstat().st_mtime > KEPT_SECONDS:
            old.unlink(missing_ok=True)
    return folder


def _prepare(path: Path, media_type: str, place: Place, folder: Path) -> Path:
    """The file to give to a viewer."""
    from ingest.files.sniff import named_type

    opened = opening_of(media_type)
    if opened is OpenedAs.PLAYED:
        return _write_page(folder, path, _video_body(path, place))
    if opened is OpenedAs.AS_TEXT:
        return _write_page(folder, path, _text_body(path, place.quote))
    if opened is OpenedAs.OWN_PROGRAM:
        # Macro-enabled files bear other names (.docm), so that the name decides what a program does with it.
        trusted = named_type(path) == media_type
        return path if trusted else _write_page(folder, path, f"<pre>{html.escape(place.quote)}</pre>")
    paged = place.locator.page and medium_of_type(media_type).place is PlaceOf.PAGE
    suffix = f" {place_name(place.locator, media_type)}" if paged else ""
    target = _target(folder, f"{path.stem}{suffix}", "")
    try:
        return _draw(path, media_type, place.locator, target)
    finally:
        target.unlink(missing_ok=True)  # it kept the name for the picture


def _target(folder: Path, stem: str, suffix: str) -> Path:
    plain = "".join(character if character.isalnum() or character in " ._-" else "_" for character in stem)[:60]
    handle, name = tempfile.mkstemp(suffix, f"{plain.strip(' .-') or 'opened'} ", folder)
    os.close(handle)
    return Path(name)


def _draw(path: Path, media_type: str, locator: Locator, target: Path) -> Path:
    from ingest.draw.drawing import draw_place

    try:
        return draw_place(path, media_type, locator, target)
    except ReadFailed as error:
        raise ReadFailed(f"{printable.name(path)} cannot be shown: {printable.line(str(error))}") from error


def _write_page(folder: Path, path: Path, body: str) -> Path:
    target = _target(folder, path.stem, ".html")
    target.write_text(_PAGE.format(title=html.escape(printable.name(path.name)), body=body), "utf-8")
    return target


def _video_body(path: Path, place: Place) -> str:
    start = place.locator.start or 0.0
    source = html.escape(f"{path.as_uri()}#t={start:g}", quote=True)
    return f'<video controls autoplay muted src="{source}"></video><pre>{html.escape(place.quote)}</pre>'


def _text_body(path: Path, quote: str) -> str:
    """The text with the quote marked where it stands word for word, else with the quote above it."""
    from ingest.files.hashing import open_regular

    with open_regular(path) as stream:
        text = stream.read(_MAX_TEXT).decode("utf-8", "replace")
    at = text.find(quote) if quote else -1
    if at < 0:
        above = f"<pre><mark>{html.escape(quote)}</mark></pre><hr>" if quote else ""
        return f"{above}<pre>{html.escape(text)}</pre>"
    parts = (text[:at], quote, text[at + len(quote) :])
    before, marked, after = map(html.escape, parts)
    return f'<pre>{before}<mark id="quote">{marked}</mark>{after}</pre>'


def _view(shown: Path, viewer: str | None) -> None:
    """Start the viewer and leave it running."""
    command = _viewer_command(viewer)
    if command is None:
        os.startfile(shown)  # type: ignore[attr-defined,unused-ignore]  # noqa: S606 - Windows has no other way
        return
    try:
        process = subprocess.Popen(
            [*command, os.fspath(shown)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError as error:
        raise HaystackError(
            f"No viewer can be started ({command[0]}: {error.strerror}). The place is drawn here: {shown}"
        ) from error
    try:
        code = process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        return
    if code:
        raise HaystackError(f"The viewer {command[0]} failed (exit code {code}). The place is drawn here: {shown}")


def _viewer_command(viewer: str | None) -> list[str] | None:
    if viewer:
        try:
            return shlex.split(viewer, posix=os.name != "nt")
        except ValueError as error:
            raise UsageError(f"The viewer {viewer!r} is not a command: {error}.") from None
    if sys.platform == "win32":
        return None
    return ["open"] if sys.platform == "darwin" else ["xdg-open"]
