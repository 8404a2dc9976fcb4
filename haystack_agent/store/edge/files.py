"""The folder of an embedded shard: room on its disk, signs of damage, and what the engine's errors mean."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haystack_agent.errors import (
    HaystackError,
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexNotFound,
    IndexUnusable,
    StorageFull,
)
from haystack_agent.store.edge.noise import without_noise
from haystack_agent.store.schema import check_vectors
from haystack_agent.store.values import StoreSchema
from haystack_agent.system import full_disk
from haystack_agent.system.whole_files import write_whole

TO_CREATE = 192 * 2**20
"""Free bytes to make a shard: it takes 0.4 MB where files may have holes, else as much as they are long."""
TO_OPEN = 48 * 2**20
"""Free bytes to open or write: files grow by 32 MB at a time."""
_BYTES_PER_BYTE = 4
"""Written for each byte of a batch, at most: in the log, in the storage, in the indexes (2 measured)."""
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_DETAIL_SHOWN = 200
_CLOSED = "closed.json"
"""In the folder of a shard that was closed properly: the number of its points. Some kinds of damage only show as
points missing."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what the engine raises about the shard at `path` into `IndexUnusable` errors; the only place that does.

    The engine raises bare `Exception` with a text, and on broken invariants a panic, which is no `Exception`.
    """
    try:
        with without_noise():
            yield
    except OSError as error:
        raise _of_system(path, error) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise _damaged(path, "its data contradicts itself") from error
        if type(error) is Exception:
            raise _of_engine(path, " ".join(str(error).split())) from error
        raise


def require_room(path: Path, size: int = 0, reserve: int = TO_OPEN) -> None:
    """Refuse to write `size` bytes where the disk has no room for them and a reserve.

    Raises:
        StorageFull: so it is.
    """
    with translated(path):
        standing = next(folder for folder in (path, *path.parents) if folder.exists())
        free = shutil.disk_usage(standing).free
    needed = reserve + _BYTES_PER_BYTE * size
    if free < needed:
        raise StorageFull(
            f"The disk that holds the index {path} has {free >> 20} MiB free, {-(-needed >> 20)} MiB are needed: "
            "free some space, then run the same command again."
        )


def may_be_written(path: Path) -> bool:
    """Whether files of the shard at `path` can be written: not on a medium or in a folder that may only be read."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def is_missing(path: Path) -> bool:
    """Whether nothing stands at `path`, or an empty folder."""
    with translated(path):
        return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def refuse_missing(path: Path, create: bool) -> None:
    """Raise `IndexNotFound` for a missing shard that is not to be made."""
    if not create:
        raise IndexNotFound(f"There are no pieces stored at {path}: run `haystack-agent index FOLDER` first.")


def check_files(path: Path, schema: StoreSchema) -> None:
    """Compare the shard's configuration with `schema` and see that its parts stand, before anything is opened.

    Raises:
        IndexDamaged: a part is missing or the configuration cannot be read.
        IndexMismatch: it holds other vectors.
    """
    with translated(path):
        try:
            values = json.loads((path / "edge_config.json").read_bytes())
            stored = {str(name): int(vector["size"]) for name, vector in values.get("vectors", {}).items()}
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, f"edge_config.json: {error}") from error
        for part in ("segments", "wal"):
            if not any((path / part).glob("*")):
                raise _damaged(path, f"{part} is missing")
    check_vectors(str(path), stored, schema)


def read_closed(path: Path) -> int | None:
    """Number of points the shard had when it was last closed, ``None`` where it is not known."""
    try:
        return int(json.loads((path / _CLOSED).read_bytes())["points"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"{_CLOSED}: {error}") from error


def check_count(path: Path, closed: int | None, count: int) -> None:
    """Raise `IndexDamaged` where points are missing since the shard was closed."""
    if closed is not None and count < closed:
        raise _damaged(path, f"{closed - count} of {closed} pieces are missing")


def mark_closed(path: Path, count: int) -> None:
    """Note the number of points of a shard that is about to be closed."""
    write_whole(path / _CLOSED, json.dumps({"points": count}))


def mark_open(path: Path) -> None:
    """Forget the number of points, for good even after a power cut, before the first change."""
    (path / _CLOSED).unlink(missing_ok=True)
    if os.name == "posix":
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _damaged(path: Path, detail: str) -> IndexDamaged:
    return IndexDamaged(
        f"The index {path} is damaged ({detail[:_DETAIL_SHOWN]}): delete the folder {path.parent} and index again; "
        "your files are untouched."
    )


def _of_system(path: Path, error: OSError) -> HaystackError:
    told = _of_engine(path, f"{error.strerror} (os error {error.errno})")
    if isinstance(told, IndexDamaged):  # a failing disk or a wrong path: the index itself may be whole
        return IndexUnusable(f"The index {path} cannot be used ({error.strerror}): check its path and disk.")
    return told


def _of_engine(path: Path, text: str) -> HaystackError:
    shown = text[:_DETAIL_SHOWN]
    if "WouldBlock" in text:
        return IndexBusy(f"Another process uses the index {path}: wait until it is done or stop it, then try again.")
    if any(f"(os error {code})" in text for code in full_disk.CODES):
        return full_disk.index_full(path)
    if any(f"(os error {code})" in text for code in _FORBIDDEN):
        return IndexUnusable(f"The index {path} may not be read and written by this user ({shown}): set permissions.")
    if f"(os error {errno.EMFILE})" in text:
        return IndexUnusable(f"Too many files are open to open the index {path}: raise the limit (ulimit -n).")
    if "ncompatible" in text:
        return IndexMismatch(f"The index {path} was made otherwise ({shown}): index into a new index.")
    return _damaged(path, "its data cannot be read")
