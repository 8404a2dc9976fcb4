"""One user of an embedded shard: whoever comes second is turned away before the engine touches a file.

The engine has a lock of its own, but takes it late: a second load is refused only after it has repaired the journals of
the first one's vectors, whose next flush then fails as if its files were damaged (measured with qdrant-edge-py 0.9.0).
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from haystack_agent.errors import IndexBusy, IndexUnusable


def hold(shard: Path) -> FileLock:
    """Lock the shard in a folder until the lock is released or the process ends.

    Raises:
        IndexBusy: another process, or this one, uses it.
        IndexUnusable: nothing can be written beside it.
    """
    # Whichever thread closes the store releases it.
    lock = FileLock(shard.with_name(f"{shard.name}.lock"), thread_local=False)
    try:
        shard.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise IndexBusy(
            f"Another process uses the index {shard}: wait until it is done or stop it, then try again."
        ) from None
    except OSError as error:
        raise IndexUnusable(
            f"The index {shard} cannot be locked ({error.strerror}): check the permissions of its folder."
        ) from error
    return lock
