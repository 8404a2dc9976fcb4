"""Temporary folders, and those that a process left when it was killed.

Each holds a lock that its process keeps: the system lets go of it when the process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "haystack-scratch-"
_LOCK = ".lock"
_NEW_SECONDS = 60.0
"""A folder without a lock that is no older is just being made."""


@contextlib.contextmanager
def make_scratch() -> Iterator[Path]:
    """A folder that only this user can read, gone in the end."""
    sweep_scratch()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with FileLock(folder / _LOCK, thread_local=False):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_scratch() -> None:
    """Remove the folders of processes that are gone; what belongs to someone else cannot be removed and stays."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_dir() and not folder.is_symlink() and _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    lock = folder / _LOCK
    if not lock.exists():
        return time.time() - folder.stat().st_mtime > _NEW_SECONDS
    held = FileLock(lock)
    try:
        held.acquire(blocking=False)
    except Timeout:
        return False
    held.release()
    return True
