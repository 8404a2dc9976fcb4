"""A file of JSON lines that is only ever appended to: what stands in it is done, whatever happens next."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Journal:
    """Records of one kind, each under a key; a later one replaces an earlier one of the same key."""

    def __init__(self, path: Path, key: tuple[str, ...]) -> None:
        self._path = path
        self._key = key
        self._records: dict[tuple[Any, ...], Record] = {}
        self._mend()

    def _mend(self) -> None:
        """Take in what is there; what a kill left of a last line is cut off, so that the next one starts a line.

        A last line that is whole but for its end, as editors leave it, is kept, and so are empty ones.
        """
        if not self._path.is_file():
            return
        whole = 0
        with self._path.open("rb") as file:
            for line in file:
                unended = not line.endswith(b"\n")
                if unended and not _is_json(line):
                    break
                whole += len(line)
                if line.strip():
                    record = json.loads(line)
                    self._records[self._of(record)] = record
                if unended:
                    self._end_line()
                    return
        if whole < self._path.stat().st_size:
            os.truncate(self._path, whole)

    def _end_line(self) -> None:
        with self._path.open("ab") as file:
            file.write(b"\n")

    def _of(self, record: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(record[name] for name in self._key)

    def __contains__(self, key: tuple[Any, ...]) -> bool:
        return key in self._records

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def get(self, *key: Any) -> Record | None:
        """The record of a key."""
        return self._records.get(key)

    def add(self, record: Record) -> None:
        """Write a record; it is on its way to the disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
        self._records[self._of(record)] = record


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
