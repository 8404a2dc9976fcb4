"""Keeping store and manifest in step: what is gone, what was interrupted, and what was moved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ingest.record.manifest import AssetRow, AssetState, FileRow, Manifest, with_state
from ingest.record.parts import IndexParts
from ingest.record.writer import Placing, placing_of, room_on

_CHUNK = 200
_REFRESH_CHUNK = 32


def files_by_asset(manifest: Manifest) -> dict[str, list[FileRow]]:
    """The files of each asset, in order of path."""
    result: dict[str, list[FileRow]] = defaultdict(list)
    for row in manifest.files():
        if row.asset_id and row.verdict is None:
            result[row.asset_id].append(row)
    return result


def remove_assets(index: IndexParts, asset_ids: Sequence[str], assets: dict[str, AssetRow]) -> None:
    """Remove assets and their pieces; being killed in between leaves them marked for the next run."""
    for at in range(0, len(asset_ids), _CHUNK):
        chunk = asset_ids[at : at + _CHUNK]
        index.manifest.put_assets(with_state(assets[key], AssetState.STARTED) for key in chunk if key in assets)
        index.store.delete_assets(chunk)
        index.store.flush()
        index.manifest.drop_assets(chunk)


def finish_forgetting(index: IndexParts) -> None:
    """Remove what was noted as forgotten: from the store first, so that nothing is found that the manifest denies.

    Being killed, or refused by the store, at any moment leaves the note for the next run.
    """
    manifest = index.manifest
    names = manifest.forgotten()
    if not names:
        return
    files = [row.path for row in manifest.files() if is_meant(row.path, names)]
    gone = set(files)
    rows = {key: [row for row in found if row.path not in gone] for key, found in files_by_asset(manifest).items()}
    left = {key: found for key, found in rows.items() if found}
    collect(index, left)
    refresh_placings(index, left)
    with manifest.transaction():
        manifest.drop_files(files)
        manifest.drop_roots(root.path for root in manifest.roots() if is_meant(root.path, names))
        manifest.put_forgotten(())


def is_meant(place: Path, names: Iterable[Path]) -> bool:
    """Whether a place is one of those named, or in one of them."""
    return any(place.is_relative_to(name) for name in names)


def collect(index: IndexParts, in_use: Iterable[str]) -> int:
    """Remove assets without a file, and what an interrupted run left half done; the number without a file."""
    assets = index.manifest.assets()
    kept = set(in_use)
    unused = [key for key in assets if key not in kept]
    begun = [key for key, row in assets.items() if row.state is AssetState.STARTED and key in kept]
    remove_assets(index, [*unused, *begun], assets)
    return len([key for key in unused if assets[key].state is AssetState.DONE])


def mend(index: IndexParts) -> None:
    """Make store and manifest agree, should one of them have been replaced or restored: what differs is removed."""
    if index.store.count() == index.manifest.pieces():
        return
    assets = index.manifest.assets()
    done = {key: row for key, row in assets.items() if row.state is AssetState.DONE}
    stored = set(index.store.asset_ids())
    wrong = [*(stored - done.keys()), *(key for key, row in done.items() if row.pieces and key not in stored)]
    both = sorted(done.keys() & stored)
    for at in range(0, len(both), _CHUNK):
        chunk = both[at : at + _CHUNK]
        found = Counter(indexed.piece.asset_id for indexed in index.store.fetch(chunk))
        wrong.extend(key for key in chunk if found[key] != done[key].pieces)
    remove_assets(index, wrong, assets)


def refresh_placings(index: IndexParts, files: dict[str, list[FileRow]]) -> int:
    """Tell stored pieces the paths at which their assets are found now; the number of assets that were moved."""
    moved: list[tuple[AssetRow, Placing]] = []
    for key, row in index.manifest.assets().items():
        if row.state is AssetState.DONE and key in files:
            placing = placing_of(files[key])
            if placing.digest != row.placed:
                moved.append((row, placing))
    for at in range(0, len(moved), _REFRESH_CHUNK):
        chunk = moved[at : at + _REFRESH_CHUNK]
        placings = {row.asset_id: placing for row, placing in chunk}
        encoder = index.encoder
        fresh = []
        for indexed in index.store.fetch(list(placings)):
            placing = placings[indexed.piece.asset_id]
            fresh.append(encoder.refresh(indexed, placing.paths, placing.modified))
        with room_on(index.manifest.path.parent):
            index.store.upsert(fresh)
        index.store.flush()
        index.manifest.put_assets(replace(row, placed=placing.digest) for row, placing in chunk)
    return len(moved)
