"""One user of an index at a time: whoever comes second is turned away, and told by whom."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from haystack_agent.errors import HaystackError, IndexBusy, IndexUnusable
from haystack_agent.system.full_disk import index_full, is_full
from haystack_agent.system.private_files import make_folder

_PATIENCE = 3.0
"""Seconds to wait for who is nearly done: a search takes no longer."""


class IndexLock:
    """The lock that `hold` took; `release` it, or the system does when the process ends."""

    def __init__(self, lock: FileLock, note: Path) -> None:
        self._lock = lock
        self._note = note

    def release(self) -> None:
        """Let others in; calling it twice is harmless."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._note.unlink(missing_ok=True)
            self._lock.release()


def hold(path: Path) -> IndexLock:
    """Lock the file at `path`, which stands in the folder of an index, for this process and whatever thread.

    Raises:
        IndexBusy: another process, or this one, holds it.
        StorageFull: no room for the file.
        IndexUnusable: nothing can be written there.
    """
    # Whichever thread is done with the index releases it.
    lock, note = FileLock(path, thread_local=False, mode=0o600), path.with_suffix(".pid")
    try:
        make_folder(path.parent)
        lock.acquire(timeout=_PATIENCE)
    except Timeout as busy:
        raise IndexBusy(
            f"The index {path.parent} is in use by {_holder(note)}: wait until that is done or end it, then try again."
        ) from busy
    except OSError as error:
        raise _of_system(path, error) from error
    with contextlib.suppress(OSError):  # the note only makes the other's message better
        note.write_text(f"{os.getpid()} {_command()}\n")
    return IndexLock(lock, note)


def is_held(path: Path) -> bool:
    """Whether a process that runs has left its note beside the lock file at `path`."""
    return _noted(path.with_suffix(".pid")) is not None


def _of_system(path: Path, error: OSError) -> HaystackError:
    if is_full(error):
        return index_full(path.parent)
    return IndexUnusable(
        f"The index {path.parent} cannot be used by this user ({(error.strerror or '').lower()}): "
        "check the permissions of its folder."
    )


def _command() -> str:
    """The command that the process was started with, where it is this program's: ``index``, ``search``, ..."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    return first if first.isascii() and first.isalpha() else ""


def _holder(note: Path) -> str:
    number, command = _noted(note) or ("", "")
    if not number:
        return "another process"
    return f"`haystack-agent {command}` (process {number})" if command else f"process {number}"


def _noted(note: Path) -> tuple[str, str] | None:
    try:
        number, _, command = note.read_text("ascii")[:80].strip().partition(" ")
    except (OSError, ValueError):
        return None
    if not number.isdecimal() or not psutil.pid_exists(int(number)):
        return None
    return number, command if command.isalpha() else ""
