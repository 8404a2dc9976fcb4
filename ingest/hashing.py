"""Opening a file that nobody vouches for, and the id of its content."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from haystack_agent.errors import ReadFailed, ReadLimitExceeded
from ingest.sniff import HEAD_BYTES, IMAGE_TYPES, VIDEO_TYPES, sniff

GIGABYTE = 1 << 30
CHANGED = "changed while it was read: run index again"
_BLOCK = 1 << 20
_ID_BYTES = 16


class FileChanged(ReadFailed):
    """The file was changed, or went away, while it was read: it will be tried again."""


@dataclass(frozen=True, slots=True)
class FileStat:
    """What tells cheaply whether a file is still the one that was seen."""

    size: int
    mtime_ns: int
    inode: int


def stat_of(result: os.stat_result) -> FileStat:
    """The part of a stat that is kept."""
    return FileStat(result.st_size, result.st_mtime_ns, result.st_ino)


def size_limit(media_type: str) -> int:
    """Bytes above which a file of the type is not opened by a decoder."""
    if media_type in VIDEO_TYPES:
        return 50 * GIGABYTE
    if media_type in IMAGE_TYPES:
        return GIGABYTE // 2
    return GIGABYTE // 4 if media_type in ("txt", "markdown", "html", "csv") else 2 * GIGABYTE


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; links are not followed and pipes cannot block.

    Raises:
        ReadFailed: it is not a regular file.
        OSError: it cannot be opened.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ReadFailed("is not a regular file")
    return os.fdopen(descriptor, "rb")


def check_size(media_type: str, size: int) -> None:
    """Refuse what is too big.

    Raises:
        ReadLimitExceeded: the size is above `size_limit`.
    """
    limit = size_limit(media_type)
    if size > limit:
        raise ReadLimitExceeded(
            f"is too big: {size / GIGABYTE:.1f} GB, and {media_type} files are read up to {limit / GIGABYTE:.2g} GB"
        )


def examine(path: Path, stopped: Callable[[], bool] = lambda: False) -> tuple[FileStat, str | None, str | None]:
    """Stat, media type and content id of a file; no content id for a file that is of no kind that is read.

    Raises:
        ReadFailed: not a regular file, encrypted, too big, or changed under way.
        OSError: it cannot be opened or read.
        InterruptedError: `stopped` said so before the end was reached.
    """
    with open_regular(path) as file:
        before = stat_of(os.fstat(file.fileno()))
        head = file.read(HEAD_BYTES)
        media_type = sniff(path, head) if head else None
        if media_type is None:
            return before, None, None
        check_size(media_type, before.size)
        digest = hashlib.blake2b(head, digest_size=_ID_BYTES)
        while block := file.read(_BLOCK):
            if stopped():
                raise InterruptedError("stopped while hashing")
            digest.update(block)
        if stat_of(os.fstat(file.fileno())) != before:
            raise FileChanged(CHANGED)
    return before, media_type, digest.hexdigest()


def with_siblings(content_id: str, siblings: Sequence[tuple[str, str]]) -> str:
    """Id of content that is read together with files beside it, given as (what follows the stem, content id)."""
    if not siblings:
        return content_id
    digest = hashlib.blake2b(content_id.encode(), digest_size=_ID_BYTES)
    for ending, sibling in sorted(siblings):
        digest.update(f"\0{ending}\0{sibling}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
