"""One writer of an index at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from haystack_agent.errors import IndexBusy, IndexUnusable


@contextlib.contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the lock file of an index for writing; the system lets go of it should this process be killed.

    Raises:
        IndexBusy: another process holds it.
        IndexUnusable: its folder cannot be written to.
    """
    lock, note, folder = FileLock(path), path.with_suffix(".pid"), path.parent
    try:
        lock.acquire(blocking=False)
    except Timeout as busy:
        raise IndexBusy(f"the index at {folder} is being written by {_owner(note)}: wait until it is done") from busy
    except OSError as error:
        raise IndexUnusable(
            f"the index at {folder} cannot be written to ({error.strerror}): check its permissions"
        ) from error
    try:
        with contextlib.suppress(OSError):  # the note only makes the other's message better
            note.write_text(f"{os.getpid()}\n")
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _owner(note: Path) -> str:
    try:
        number = note.read_text().strip()
    except OSError:
        return "another process"
    return f"process {number}" if number.isdecimal() else "another process"
