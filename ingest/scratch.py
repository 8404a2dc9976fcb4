"""Temporary folders of the workers, and those that an earlier run left when it was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

_PREFIX = "haystack-agent-"


@contextlib.contextmanager
def make_scratch() -> Iterator[Path]:
    """A folder that only this user can read, gone in the end."""
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the folders of processes that are gone; what belongs to someone else cannot be removed and stays."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not folder.is_symlink() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
