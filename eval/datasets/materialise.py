"""Files of a pool written from a stream: what is there is not written again, what is damaged is."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eval.datasets.dataset import Told
from haystack_agent.errors import StorageFull, UsageError

JOURNAL = "pool.jsonl"
_UNSAFE = re.compile(r"[^\w.,@=+-]+")
_LONGEST = 150


@dataclass(frozen=True, slots=True)
class Item:
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


def materialise(items: Iterable[Item], folder: Path, tell: Told | None = None, total: int | None = None) -> int:
    """Write the items to a folder, one at a time; the number of files in it.

    A journal beside the folder holds the size and digest of each file written. Items that stand in it with the size
    they have on the disk are not written again; `verify` compares the bytes too.

    Raises:
        UsageError: two items have one name, or the folder cannot be written.
        StorageFull: the disk is full; running it again goes on.
    """
    journal = folder.with_name(f"{folder.name}.{JOURNAL}")
    known, seen = _read(journal), set[str]()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with journal.open("a", encoding="utf-8") as log:
            for item in items:
                if item.name in seen:
                    raise UsageError(f"The data set has two files called {item.name}: it cannot be laid out.")
                seen.add(item.name)
                target = folder / item.name
                if known.get(item.name) != (digest := _digest(item.data)) or not _has(target, len(item.data)):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    draft = target.with_name(f".{target.name}.part")
                    draft.write_bytes(item.data)
                    draft.replace(target)
                    log.write(json.dumps({"name": item.name, "digest": digest}) + "\n")
                    log.flush()
                if tell is not None:
                    tell(len(seen), total)
    except OSError as error:
        if error.errno == 28:
            raise StorageFull(f"The disk of {folder} is full: free some space and run the same command.") from error
        raise UsageError(f"{folder} cannot be written ({error.strerror}): name another folder.") from error
    return len(seen)


def damaged(folder: Path) -> Iterator[str]:
    """Names of files whose bytes are not those that were written."""
    for name, digest in _read(folder.with_name(f"{folder.name}.{JOURNAL}")).items():
        path = folder / name
        if not path.is_file() or _digest(path.read_bytes()) != digest:
            yield name


def _read(journal: Path) -> dict[str, str]:
    """What was written, by name; a last line cut short counts as not written."""
    known: dict[str, str] = {}
    if journal.is_file():
        for line in journal.read_text("utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            known[entry["name"]] = entry["digest"]
    return known


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _has(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
