"""From pieces to the store, in an order that a ``kill -9`` at any moment cannot make wrong.

An asset is marked started, its old pieces are removed, its new ones written and flushed, and only then is it marked
done. What is found started at the beginning of a run was interrupted: it is removed and read again.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from haystack_agent.encoders.pieces import NewPiece
from haystack_agent.errors import ReadCutShort, ReadFailed, StorageFull, UnsupportedFile
from haystack_agent.records import Piece
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import IndexedPiece
from haystack_agent.vectors import Look
from ingest.files.hashing import FileChanged
from ingest.files.lines import path_text
from ingest.readers.registry import ReaderRegistry
from ingest.record.manifest import AssetRow, AssetState, FileRow, Manifest, with_state

BATCH_PIECES = 64
_COMMIT_SECONDS = 2.0
_COMMIT_PIECES = 500
_MAX_WARNINGS = 20
MOST_TRIES = 3
"""Readings of a content that is cut short each time, after which it stays failed until the user wants it tried."""
RESERVE_BYTES = 64 << 20
"""Free space below which nothing more is written: a full disk may damage more than this index."""


class PieceEncoder(Protocol):
    """Gives pieces their vectors."""

    def encode(self, pieces: Sequence[NewPiece]) -> list[IndexedPiece]:
        """Encode pieces; order is kept."""

    def refresh(self, indexed: IndexedPiece, paths: tuple[str, ...], modified: datetime) -> IndexedPiece:
        """The same piece found at other paths; dense vectors are kept."""


@dataclass(frozen=True, slots=True)
class IndexParts:
    """What an index is made of; `profile` names its encoders, `look` is `Source.look` for every file."""

    store: Store
    manifest: Manifest
    encoder: PieceEncoder
    profile: str
    registry: ReaderRegistry
    look: int | None = None


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
    waiting: int = 0
    ids: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)


class AssetWriter:
    """Writes the pieces of assets that are read side by side; `begin`, then `add` and `warn`, then `end`."""

    def __init__(self, index: IndexParts) -> None:
        self._index = index
        self._open: dict[str, _Open] = {}
        self._batch: list[tuple[Piece, tuple[Look, ...], _Open]] = []
        self._marks: list[AssetRow] = []
        self._changed: list[tuple[str, str]] = []
        self._committed = time.monotonic()
        self._unflushed = 0
        self.pieces = 0

    def begin(self, row: AssetRow, placing: Placing, known: bool) -> None:
        """An asset is going to be read; `row` says what it is."""
        self._open[row.asset_id] = _Open(row, placing, known)

    def add(self, piece: Piece, looks: tuple[Look, ...] = ()) -> None:
        """Write a piece, by and by."""
        asset = self._open[piece.asset_id]
        asset.ids.add(piece.id)
        asset.waiting += 1
        self._batch.append((piece, looks, asset))
        if len(self._batch) >= BATCH_PIECES:
            self._write_batch()

    def warn(self, asset_id: str, message: str) -> None:
        """Note that part of an asset could not be read."""
        warnings = self._open[asset_id].warnings
        if len(warnings) < _MAX_WARNINGS:
            warnings.append(message)

    def end(self, asset_id: str, error: ReadFailed | None = None) -> None:
        """An asset was read to its end, or could not be."""
        asset = self._open[asset_id]
        asset.ended = True
        if error is None:
            self._begin_in_store([asset])
            return
        self._discard([asset], old=True)
        if isinstance(error, FileChanged):
            self._changed.append((asset_id, str(error)))
            return
        self._marks.append(_failed(asset.row, error))

    def _discard(self, assets: Sequence[_Open], old: bool) -> list[str]:
        """Forget assets and take back what was written of them (with `old`, earlier on too); those written."""
        ids = {asset.row.asset_id for asset in assets}
        self._batch = [entry for entry in self._batch if entry[0].asset_id not in ids]
        written = [asset.row.asset_id for asset in assets if asset.begun or (old and asset.known)]
        if written:
            self._index.manifest.put_assets(with_state(self._open[key].row, AssetState.STARTED) for key in written)
            self._index.store.delete_assets(written)
        for key in ids:
            del self._open[key]
        return written

    def _begin_in_store(self, assets: Sequence[_Open]) -> None:
        fresh = [asset for asset in assets if not asset.begun]
        if not fresh:
            return
        self._index.manifest.put_assets(with_state(asset.row, AssetState.STARTED) for asset in fresh)
        old = [asset.row.asset_id for asset in fresh if asset.known]
        if old:
            self._index.store.delete_assets(old)
        for asset in fresh:
            asset.begun = True

    def _write_batch(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        self._begin_in_store(list({id(asset): asset for *_, asset in batch}.values()))
        encoded = self._index.encoder.encode(
            [NewPiece(p, a.placing.paths, a.placing.modified, looks) for p, looks, a in batch]
        )
        with room_on(self._index.manifest.path.parent):
            self._index.store.upsert(encoded)
        for *_, asset in batch:
            asset.waiting -= 1
        self.pieces += len(batch)
        self._unflushed += len(batch)

    def commit_if_due(self) -> None:
        """Flush and mark, if there is enough to."""
        late = time.monotonic() - self._committed >= _COMMIT_SECONDS
        if self._unflushed >= _COMMIT_PIECES or late:
            self.commit()

    def commit(self) -> None:
        """Flush the store, then mark every asset of which nothing is waiting any more."""
        done = [asset for asset in self._open.values() if asset.ended and not asset.waiting]
        if done or self._marks or self._changed:
            self._index.store.flush()
            manifest = self._index.manifest
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
        """Write and mark everything that was read to its end; take back the rest."""
        taken_back = self._discard([asset for asset in self._open.values() if not asset.ended], old=False)
        while self._batch:
            self._write_batch()
        # Pieces of these were lost when the interruption came in the middle of a batch.
        taken_back += self._discard([asset for asset in self._open.values() if asset.waiting], old=False)
        self.commit()
        if taken_back:
            self._index.store.flush()
            self._index.manifest.drop_assets(taken_back)


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
