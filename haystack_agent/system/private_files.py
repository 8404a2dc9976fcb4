"""What this program keeps is for its user's eyes only: texts, names and questions stand in it.

Everything is made under `only_mine`; folders that hold it are made by `make_folder`, files by `write_private`, and what
an earlier version left open to others is closed by `tighten`. Systems without such permissions keep a user's folders to
that user anyway.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from haystack_agent.system.whole_files import replacing

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextlib.contextmanager
def only_mine() -> Iterator[None]:
    """Everything that this process makes meanwhile is its user's alone, whatever the umask; for a program's outside.

    The umask is the process's: two of these at once would undo each other.
    """
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for its user alone; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    missing = [folder, *folder.parents]
    missing = missing[: next((at for at, one in enumerate(missing) if one.exists()), len(missing))]
    for one in reversed(missing):
        # `parents=True` would make those above by the umask alone.
        one.mkdir(mode=0o700, exist_ok=True)
    if not missing and not folder.is_dir():
        raise NotADirectoryError(20, os.strerror(20), os.fspath(folder))


def write_private(path: Path, text: str) -> None:
    """Put a text, as UTF-8, in place of what was there, at once and whole; folders that are missing are made.

    Raises:
        OSError: it cannot be written.
    """
    make_folder(path.parent)
    with (
        replacing(path) as draft,
        os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file,
    ):
        file.write(text)


def read_private(path: Path) -> str | None:
    """The text of a file, or None where there is none, or one that is no text.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def tighten(folder: Path) -> None:
    """Close a folder and everything in it to others; links are not followed, and what is another user's stays."""
    _close(folder)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _close(Path(parent, name))


def _close(path: Path) -> None:
    # A file may be gone by now, or be another user's who shares the index on purpose.
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
