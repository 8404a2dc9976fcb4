"""The writing stage: encoded pieces to the store, in an order that a ``kill -9`` at any moment cannot make wrong.

An asset is marked started, its old pieces are removed, its new ones written and flushed, and only then is it marked
done. What is found started at the beginning of a run was interrupted: it is removed and read again.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from haystack_agent.errors import ReadCutShort, ReadFailed, StorageFull, UnsupportedFile
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import IndexedPiece
from ingest.files.hashing import FileChanged
from ingest.files.lines import path_text
from ingest.record.manifest import AssetRow, AssetState, FileRow, Manifest, with_state

_COMMIT_SECONDS = 2.0
_COMMIT_PIECES = 500
_MAX_WARNINGS = 20
MOST_TRIES = 3
"""Readings of a content that is cut short each time, after which it stays failed until the user wants it tried."""
RESERVE_BYTES = 64 << 20
"""Free space below which nothing more is written: a full disk may damage more than this index."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Where an asset is found, as its stored pieces say it."""

    paths: tuple[str, ...]
    modified: datetime

    @property
    def digest(self) -> str:
        """Changes with every field."""
        text = "\0".join((*self.paths, self.modified.isoformat()))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def placing_of(rows: Sequence[FileRow]) -> Placing:
    """The placing of an asset with these files, in their order."""
    try:
        modified = datetime.fromtimestamp(rows[0].stat.mtime_ns / 10**9, UTC)
    except (OverflowError, ValueError, OSError):
        modified = datetime.fromtimestamp(0, UTC)
    return Placing(tuple(path_text(row.path) for row in rows), modified)


@contextmanager
def room_on(path: Path, reserve: int = RESERVE_BYTES) -> Iterator[None]:
    """Say in the user's words that the disk is full.

    Raises:
        StorageFull: it is, or almost.
    """
    message = f"no room left on the disk that holds {path}: free some and run index again; what is indexed stays"
    if shutil.disk_usage(path).free < reserve:
        raise StorageFull(message)
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(message) from error
        raise


@dataclass(slots=True)
class _Open:
    """An asset between its first piece and its mark."""

    row: AssetRow
    placing: Placing
    known: bool
    """Whether the store may hold older pieces of it."""
    begun: bool = False
    ended: bool = False
    waiting: set[int] = field(default_factory=set)
    """Numbers of the batches with pieces of it that are not written yet."""
    ids: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)


class AssetWriter:
    """Writes assets that are read side by side: `begin`, `expect` and `warn`, `end`; `write` as batches are encoded."""

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self._store = store
        self._manifest = manifest
        self._open: dict[str, _Open] = {}
        self._marks: list[AssetRow] = []
        self._changed: list[tuple[str, str]] = []
        self._taken_back: set[str] = set()
        self._committed = time.monotonic()
        self._unflushed = 0
        self.pieces = 0
        """Number of pieces written."""

    def begin(self, row: AssetRow, placing: Placing, known: bool) -> None:
        """An asset is going to be read; `row` says what it is."""
        self._open[row.asset_id] = _Open(row, placing, known)

    def expect(self, asset_id: str, piece_id: str, batch: int) -> None:
        """A piece was read and will be written with that batch: its asset is not marked done before."""
        asset = self._open[asset_id]
        asset.ids.add(piece_id)
        asset.waiting.add(batch)

    def warn(self, asset_id: str, message: str) -> None:
        """Note that part of an asset could not be read."""
        warnings = self._open[asset_id].warnings
        if len(warnings) < _MAX_WARNINGS:
            warnings.append(message)

    def end(self, asset_id: str, error: ReadFailed | None = None) -> None:
        """An asset was read to its end, or could not be: then what comes of it later is not written."""
        asset = self._open[asset_id]
        if error is None:
            self._begin_in_store([asset])
            asset.ended = True
            return
        self._discard([asset], old=True)
        if isinstance(error, FileChanged):
            self._changed.append((asset_id, str(error)))
            return
        self._marks.append(_failed(asset.row, error))

    def write(self, batch: int, pieces: Sequence[IndexedPiece]) -> None:
        """Write the pieces of a batch; doing so once more, after an interruption, is harmless."""
        kept = [indexed for indexed in pieces if indexed.piece.asset_id in self._open]
        assets = [self._open[key] for key in dict.fromkeys(indexed.piece.asset_id for indexed in kept)]
        if kept:
            self._begin_in_store(assets)
            with room_on(self._manifest.path.parent):
                self._store.upsert(kept)
        for asset in assets:
            asset.waiting.discard(batch)
        self.pieces += len(kept)
        self._unflushed += len(kept)

    def is_awaited(self, batch: int) -> bool:
        """Whether a batch has pieces that are still to be written."""
        return any(batch in asset.waiting for asset in self._open.values())

    def give_up_unread(self) -> Collection[str]:
        """Take back the assets that were not read to their end; their ids."""
        unread = [asset for asset in self._open.values() if not asset.ended]
        self._taken_back.update(self._discard(unread, old=False))
        return [asset.row.asset_id for asset in unread]

    def _discard(self, assets: Sequence[_Open], old: bool) -> list[str]:
        """Forget assets and take back what was written of them (with `old`, earlier on too); those written."""
        written = [asset.row.asset_id for asset in assets if asset.begun or (old and asset.known)]
        if written:
            self._manifest.put_assets(with_state(self._open[key].row, AssetState.STARTED) for key in written)
            self._store.delete_assets(written)
        for asset in assets:
            del self._open[asset.row.asset_id]
        return written

    def _begin_in_store(self, assets: Sequence[_Open]) -> None:
        fresh = [asset for asset in assets if not asset.begun]
        if not fresh:
            return
        self._manifest.put_assets(with_state(asset.row, AssetState.STARTED) for asset in fresh)
        old = [asset.row.asset_id for asset in fresh if asset.known]
        if old:
            self._store.delete_assets(old)
        for asset in fresh:
            asset.begun = True

    def commit_if_due(self) -> None:
        """Flush and mark, if there is enough to."""
        late = time.monotonic() - self._committed >= _COMMIT_SECONDS
        if self._unflushed >= _COMMIT_PIECES or late:
            self.commit()

    def commit(self) -> None:
        """Flush the store, then mark every asset of which nothing is waiting any more."""
        done = [asset for asset in self._open.values() if asset.ended and not asset.waiting]
        if done or self._marks or self._changed:
            self._store.flush()
            manifest = self._manifest
            with manifest.transaction():
                manifest.put_assets([*(_done(asset) for asset in done), *self._marks])
                for asset_id, reason in self._changed:
                    manifest.fail_asset_files(asset_id, reason)
                manifest.drop_assets(asset_id for asset_id, _ in self._changed)
        for asset in done:
            del self._open[asset.row.asset_id]
        self._marks.clear()
        self._changed.clear()
        self._unflushed = 0
        self._committed = time.monotonic()

    def finish(self) -> None:
        """Mark everything that was read to its end and is written; take back the rest."""
        self.give_up_unread()
        waiting = [asset for asset in self._open.values() if asset.waiting]
        self._taken_back.update(self._discard(waiting, old=False))
        self.commit()
        if self._taken_back:
            self._store.flush()
            self._manifest.drop_assets(self._taken_back)
            self._taken_back.clear()


def _failed(row: AssetRow, error: ReadFailed) -> AssetRow:
    if not isinstance(error, ReadCutShort):
        state = AssetState.SKIPPED if isinstance(error, UnsupportedFile) else AssetState.FAILED
        return replace(with_state(row, state, str(error)), cut_short=0)
    tries = row.cut_short + 1
    then = f"{tries} times in a row: only `index --retry` tries it again"
    if tries < MOST_TRIES:
        then = "the next `index` tries it again"
    return replace(with_state(row, AssetState.FAILED, f"{error} ({then})"), cut_short=tries)


def _done(asset: _Open) -> AssetRow:
    done = replace(with_state(asset.row, AssetState.DONE), cut_short=0)
    placed, warnings = asset.placing.digest, tuple(asset.warnings)
    return replace(done, pieces=len(asset.ids), placed=placed, warnings=warnings)
