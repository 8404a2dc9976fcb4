"""Opening a file that nobody vouches for, and the id of its content."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from haystack_agent.errors import ReadFailed, ReadLimitExceeded
from haystack_agent.media import largest_of
from ingest.files.sniff import HEAD_BYTES, sniff

GIGABYTE = 1 << 30
CHANGED = "changed while it was read: run index again"
_BLOCK = 1 << 20
_ID_BYTES = 16
_SAMPLES = 16
_SAMPLE_BYTES = 1 << 14
UNKNOWN = -1
"""What an index of an earlier version says of what it did not keep."""


class FileChanged(ReadFailed):
    """The file was changed, or went away, while it was read: it will be tried again."""


@dataclass(frozen=True, slots=True)
class FileStat:
    """What tells cheaply whether a file is still the one that was seen: equal ones are of the same state of a file.

    A new `ctime_ns` alone is a hint only, since links, permissions and backups make one too: see `sample_of`.
    """

    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int = field(default=UNKNOWN, compare=False)
    device: int = field(default=UNKNOWN, compare=False)
    """Where it lies: a number that a restart may change."""


def stat_of(result: os.stat_result) -> FileStat:
    """The part of a stat that is kept."""
    return FileStat(result.st_size, result.st_mtime_ns, result.st_ino, result.st_ctime_ns, result.st_dev)


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
        ReadLimitExceeded: the size is above `largest_of` its type.
    """
    limit = largest_of(media_type)
    if size > limit:
        raise ReadLimitExceeded(
            f"is too big: {size / GIGABYTE:.1f} GB, and {media_type} files are read up to {limit / GIGABYTE:.2g} GB"
        )


@dataclass(frozen=True, slots=True)
class Examined:
    """What a file is; without `content_id` and `sample` where it is of no kind that is read."""

    stat: FileStat
    media_type: str | None = None
    content_id: str | None = None
    sample: str | None = None


def examine(path: Path, stopped: Callable[[], bool] = lambda: False) -> Examined:
    """Stat, media type, content id and sample of a file.

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
            return Examined(before)
        check_size(media_type, before.size)
        digest = hashlib.blake2b(head, digest_size=_ID_BYTES)
        while block := file.read(_BLOCK):
            if stopped():
                raise InterruptedError("stopped while hashing")
            digest.update(block)
        sample = _sampled(file, before.size)
        if stat_of(os.fstat(file.fileno())) != before:
            raise FileChanged(CHANGED)
    return Examined(before, media_type, digest.hexdigest(), sample)


def sample_of(path: Path) -> str:
    """A digest of parts all over a file: tells without reading the whole whether other content was put in its place.

    Raises:
        ReadFailed: not a regular file.
        OSError: it cannot be opened or read.
    """
    with open_regular(path) as file:
        return _sampled(file, os.fstat(file.fileno()).st_size)


def _sampled(file: BinaryIO, size: int) -> str:
    digest = hashlib.blake2b(str(size).encode(), digest_size=_ID_BYTES)
    last = max(0, size - _SAMPLE_BYTES)
    for place in sorted({last * number // (_SAMPLES - 1) for number in range(_SAMPLES)}):
        file.seek(place)
        digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def with_siblings(content_id: str, siblings: Sequence[tuple[str, str]]) -> str:
    """Id of content that is read together with files beside it, given as (what follows the stem, content id)."""
    if not siblings:
        return content_id
    digest = hashlib.blake2b(content_id.encode(), digest_size=_ID_BYTES)
    for ending, sibling in sorted(siblings):
        digest.update(f"\0{ending}\0{sibling}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
