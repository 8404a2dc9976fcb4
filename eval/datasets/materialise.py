"""Files of a pool written from a stream: what is there is not written again, what is damaged is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from eval.datasets.dataset import Told
from haystack_agent.errors import StorageFull, UsageError
from haystack_agent.system.full_disk import is_full
from haystack_agent.system.whole_files import write_whole

_UNSAFE = re.compile(r"[^\w.,@=+-]+")
_LONGEST = 150


@dataclass(frozen=True, slots=True)
class ArchiveItem:
    """A file of a pool: its path below the pool's folder with ``/``, and its bytes."""

    name: str
    data: bytes = field(repr=False)


def safe_name(*parts: str) -> str:
    """A path of plain names: what a data set calls its files can lead nowhere else."""
    kept = []
    for part in parts:
        plain = _UNSAFE.sub("_", Path(part.replace("\\", "/")).name).strip("._") or "_"
        if len(plain) > _LONGEST:
            stem, dot, suffix = plain.rpartition(".")
            digest = hashlib.blake2b(part.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
            plain = f"{(stem or suffix)[:_LONGEST]}-{digest}{dot if stem else ''}{suffix[:8] if stem else ''}"
        kept.append(plain)
    return "/".join(kept)


def materialise(items: Iterable[ArchiveItem], folder: Path, tell: Told | None = None, total: int | None = None) -> int:
    """Write the items to a folder, one at a time; the number of files in it.

    What stands there with the same bytes is left alone, so that running it again goes on, and mends what is damaged.

    Raises:
        UsageError: two items have one name, or the folder cannot be written.
        StorageFull: the disk is full; running it again goes on.
    """
    seen = set[str]()
    try:
        for item in items:
            if item.name in seen:
                raise UsageError(f"The data set has two files called {item.name}: it cannot be laid out.")
            seen.add(item.name)
            _write(folder / item.name, item.data)
            if tell is not None:
                tell(len(seen), total)
    except OSError as error:
        if is_full(error):
            raise StorageFull(f"The disk of {folder} is full: free some space and run the same command.") from error
        raise UsageError(f"{folder} cannot be written ({error.strerror}): name another folder.") from error
    return len(seen)


def _write(target: Path, data: bytes) -> None:
    if target.is_file() and target.stat().st_size == len(data) and target.read_bytes() == data:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, data)
