"""What systems say of a disk without room, and what is said of an index on it."""

from __future__ import annotations

import errno
from pathlib import Path

from haystack_agent.errors import StorageFull

CODES = frozenset({errno.ENOSPC, errno.EDQUOT})
"""There is no room on the disk, or none left of the user's share of it."""


def is_full(error: OSError) -> bool:
    """Whether there was no room for what was to be written."""
    return error.errno in CODES


def index_full(index: Path) -> StorageFull:
    """What is said where the disk of the index at a path is full."""
    return StorageFull(f"The disk that holds the index {index} is full: free some space, then try again.")
