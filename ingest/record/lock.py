"""One writer of an index at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from haystack_agent import index_lock


@contextlib.contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the lock file of an index for writing; the system lets go of it should this process be killed.

    Raises:
        IndexBusy: another process holds it.
        StorageFull, IndexUnusable: its folder cannot be written to.
    """
    lock = index_lock.hold(path)
    try:
        yield
    finally:
        lock.release()
