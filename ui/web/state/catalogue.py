"""What is in an index, file by file: for browsing, and the only way from an id in an address to a file.

A file is served while its size, time and inode are those that were indexed: what was put in its place since is not
part of the index. Reading what the store knows of every file takes a while in a large index, so it is done in the
background, a few files at a time, and what is known so far is shown.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from haystack_agent.errors import HaystackError, UsageError
from haystack_agent.index_files import IndexFiles
from haystack_agent.records import Modality, PieceKind
from haystack_agent.store.values import IndexedPiece
from ingest.files.hashing import stat_of
from ingest.files.lines import path_text
from ingest.live_index import LiveIndex
from ingest.record.manifest import FileRow, Manifest
from ingest.record.upkeep import files_by_asset

_ASSETS_A_TIME = 16
_SORTED_EVERY = 64 * _ASSETS_A_TIME
_PAUSE = 0.01
_ROWS = 3
_ENOUGH = 3
"""Examples."""
_LOG = logging.getLogger(__name__)
_OLD = 3.0
"""Seconds after which the list of files is read again for an id that is not in it."""


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """A file as it is browsed."""

    asset_id: str
    path: str
    modality: Modality
    media_type: str
    made: datetime
    title: str
    languages: tuple[str, ...]
    pages: int | None
    duration: float | None
    place: str
    rows: tuple[str, ...]
    """Some rows of its tables."""


Suggest = Callable[[Sequence[AssetEntry]], list[str]]
"""Makes questions to begin with."""


class Catalogue:
    """The files of one index."""

    def __init__(self, live: LiveIndex, suggest: Suggest) -> None:
        self._live = live
        self._suggest = suggest
        self._examples: list[str] = []
        self._complete = False
        self._files: dict[str, list[FileRow]] = {}
        self._assets: dict[Path, str] = {}
        self._read_at = float("-inf")
        self._entries: dict[str, AssetEntry] = {}
        self._sorted: list[AssetEntry] = []
        self._wake = threading.Event()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._fill, name="catalogue", daemon=True)
        self.outdated()
        self._thread.start()

    def entries(self) -> Sequence[AssetEntry]:
        """All files known so far, the newest first."""
        return self._sorted

    def examples(self) -> list[str]:
        """Questions to begin with; none until all files are known, or a thousand."""
        return self._examples

    @property
    def complete(self) -> bool:
        """Whether everything was looked at since it was last told to look again."""
        return self._complete

    def outdated(self) -> None:
        """Look again at what there is."""
        self._complete = False
        self._wake.set()

    def close(self) -> None:
        """Stop looking."""
        self._closed = True
        self._wake.set()
        self._thread.join()

    def file(self, asset_id: str) -> tuple[Path, str]:
        """Where an asset is found unchanged, and its media type.

        Raises:
            UsageError: it is not in the index, or not there any more.
        """
        rows = self._rows(asset_id)
        if not rows:
            raise UsageError("This file is not in the index any more.")
        for row in rows:
            try:
                if stat_of(row.path.lstat()) == row.stat and row.media_type:
                    return row.path, row.media_type
            except OSError:
                continue
        raise UsageError("This file was changed, moved or removed since it was read: update the index to see it.")

    def paths(self) -> Mapping[Path, str]:
        """All files, with the ids of what is in them."""
        with self._lock:
            self._read_files()
            return self._assets

    def at(self, path: Path) -> AssetEntry | None:
        """What is known of the file at a path, where that is in the index."""
        return self._entries.get(self._assets.get(path, ""))

    def _rows(self, asset_id: str) -> list[FileRow]:
        with self._lock:
            unknown = asset_id not in self._files
            if unknown and time.monotonic() - self._read_at > _OLD:
                self._read_files()
            return self._files.get(asset_id, [])

    def _read_files(self) -> None:
        path = IndexFiles(self._live.location.path).manifest
        if not path.is_file():
            return
        manifest = Manifest(path, reading=True)
        try:
            self._files = files_by_asset(manifest)
        finally:
            manifest.close()
        self._assets = {row.path: asset_id for asset_id, rows in self._files.items() for row in rows}
        self._read_at = time.monotonic()

    def _fill(self) -> None:
        while not self._closed:
            self._wake.wait()
            self._wake.clear()
            try:
                self._look()
            except Exception:  # noqa: BLE001 - a thread's boundary; the index may be in the hands of another
                _LOG.exception("the files of the index could not be looked through")
                time.sleep(_OLD)
                self._wake.set()

    def _look(self) -> None:
        with self._lock:
            self._read_files()
            wanted = dict(self._files)
        for gone in self._entries.keys() - wanted.keys():
            del self._entries[gone]
        missing = [key for key in wanted if key not in self._entries]
        for start in range(0, len(missing), _ASSETS_A_TIME):
            if self._closed:
                return
            for entry in _described(self._live.store.fetch(missing[start : start + _ASSETS_A_TIME])):
                self._entries[entry.asset_id] = entry
            if start % _SORTED_EVERY == 0:
                self._sort()
                if start and not self._examples:
                    self._suggest_questions()
            time.sleep(_PAUSE)
        for key, rows in wanted.items():
            known = self._entries.get(key)
            if known is not None and known.path != path_text(rows[0].path):
                del self._entries[key]
                self.outdated()
        self._sort()
        if len(missing) < _SORTED_EVERY or len(self._examples) < _ENOUGH:  # else they stay as they were shown
            self._suggest_questions()
        self._complete = not self._wake.is_set()

    def _suggest_questions(self) -> None:
        with contextlib.suppress(HaystackError):  # an index that must be updated first has none
            self._examples = self._suggest(self._sorted)

    def _sort(self) -> None:
        self._sorted = sorted(self._entries.values(), key=lambda one: (one.made, one.path), reverse=True)


def _described(pieces: Sequence[IndexedPiece]) -> list[AssetEntry]:
    by_asset: dict[str, list[IndexedPiece]] = {}
    for one in pieces:
        by_asset.setdefault(one.piece.asset_id, []).append(one)
    return [_entry(asset_id, ones) for asset_id, ones in by_asset.items()]


def _entry(asset_id: str, ones: Sequence[IndexedPiece]) -> AssetEntry:
    first, meta = ones[0], ones[0].piece.meta
    made = meta.created or first.modified
    languages = dict.fromkeys(one.piece.language for one in ones if one.piece.language)
    return AssetEntry(
        asset_id,
        first.paths[0],
        first.piece.modality,
        meta.media_type,
        made if made.tzinfo else made.astimezone(),
        meta.title or meta.caption,
        tuple(str(language) for language in languages),
        meta.pages,
        meta.duration,
        meta.place,
        tuple(one.piece.text for one in ones if one.piece.kind is PieceKind.TABLE_ROW)[:_ROWS],
    )
