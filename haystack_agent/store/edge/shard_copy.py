"""A copy of an embedded shard to read from, where nothing can be written beside the shard itself.

The engine opens its files for writing even if nothing is going to be written, and on a full disk that ends the process
by a signal. A full disk or one that may only be read must not keep anybody from what is on it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import psutil

from haystack_agent.errors import IndexUnusable, StorageFull

_PREFIX = "haystack-agent-read-"
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made there
_BLOCK = 2**16


def make(shard: Path, needed: int) -> Path:
    """Copy the shard to a temporary folder that only this user can read, with `needed` bytes to spare there.

    Raises:
        StorageFull: there is no room for it.
        IndexUnusable: it cannot be read.
    """
    size = sum(_taken(file) for file in shard.rglob("*"))
    for place in dict.fromkeys((Path(tempfile.gettempdir()), _IN_MEMORY)):
        _sweep(place)
        if _has_room(place, size + needed):
            return _copy(shard, place)
    raise StorageFull(
        f"The disk that holds the index {shard} is full, and to read a copy of it {(size + needed) >> 20} MiB are "
        f"needed in {tempfile.gettempdir()}: free some space, or name another temporary folder with TMPDIR."
    )


def remove(copied: Path) -> None:
    """Remove what `make` made."""
    shutil.rmtree(copied.parent, ignore_errors=True)


def _copy(shard: Path, place: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
    try:
        shutil.copytree(shard, folder / shard.name, copy_function=_copy_file)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise IndexUnusable(f"The index {shard} cannot be read ({_reason(error)}): check its disk.") from error
    return folder / shard.name


def _copy_file(source: str, target: str) -> None:
    """Files of a shard are mostly holes: what is nothing but zeros is not written."""
    with open(source, "rb") as read, open(target, "wb") as written:  # noqa: PTH123 - names given by copytree
        while block := read.read(_BLOCK):
            if block.count(0) == len(block):
                written.seek(len(block), os.SEEK_CUR)
            else:
                written.write(block)
        written.truncate()


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or "some files could not be copied").lower()


def _taken(file: Path) -> int:
    state = file.lstat()
    return min(state.st_size, state.st_blocks * 512) if hasattr(state, "st_blocks") else state.st_size


def _has_room(place: Path, needed: int) -> bool:
    try:
        return os.access(place, os.W_OK) and shutil.disk_usage(place).free >= needed
    except OSError:
        return False


def _sweep(place: Path) -> None:
    """Remove the copies of processes that are gone; what belongs to someone else cannot be removed and stays."""
    for folder in place.glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not folder.is_symlink() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
