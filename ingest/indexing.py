"""The composition point of indexing: an index's store, manifest and encoders, brought together for one command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.encoders.pieces import PieceEncoder
from haystack_agent.encoders.profile import OFFLINE, Profile, profile_named, profile_of_index
from haystack_agent.errors import IndexMismatch
from haystack_agent.index_files import IndexCard, IndexFiles, read_card, write_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.store.opening import open_store
from ingest import pipeline
from ingest.manifest import Manifest
from ingest.pipeline import IndexOptions
from ingest.progress import IndexReport, ProgressCallback, Status
from ingest.readers.registry import default_registry
from ingest.writer import IndexParts

if TYPE_CHECKING:
    from haystack_agent.encoders.hub import Progress as Download


def index(
    location: IndexLocation,
    roots: Sequence[Path],
    options: IndexOptions = IndexOptions(),
    progress: ProgressCallback | None = None,
    profile: str | None = None,
    tell: Callable[[Download], None] | None = None,
) -> IndexReport:
    """Bring an index up to date with folders, making it where there is none; see `ingest.pipeline.index_folders`.

    The encoders of a new index are those of `profile`; `tell` is told of their downloads.

    Raises:
        IndexMismatch: `profile` is not the one that the index was made with.
        UsageError: there is no such profile.
    """
    with _parts(location, create=True, wanted=Wanted(profile, tell)) as parts:
        return pipeline.index_folders(roots, parts, options, progress)


def forget(location: IndexLocation, paths: Sequence[Path]) -> int:
    """Remove files and folders from an index; the number of files forgotten.

    Raises:
        UsageError: nothing at one of the paths is indexed.
        IndexUnusable, StoreUnreachable: the index cannot be opened.
    """
    with _parts(location, create=False) as parts:
        return sum(pipeline.forget(path, parts) for path in paths)


def status(location: IndexLocation) -> Status:
    """What an index holds; the store is not opened.

    Raises:
        IndexUnusable: there is no index, or it is damaged.
    """
    card = read_card(IndexFiles(location.path))
    manifest = Manifest(IndexFiles(location.path).manifest)
    try:
        return replace(pipeline.status(manifest), profile=card.profile)
    finally:
        manifest.close()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The profile of an index to be made, by name, and who is told of downloads."""

    profile: str | None = None
    tell: Callable[[Download], None] | None = None


@contextmanager
def _parts(location: IndexLocation, create: bool, wanted: Wanted = Wanted()) -> Iterator[IndexParts]:
    files = IndexFiles(location.path)
    profile = _profile(files, create, wanted)
    store = open_store(location, profile.schema, create)
    try:
        manifest = Manifest(files.manifest)
        try:
            # Pieces are stale by the fingerprint: it changes with every encoder, the profile's name does not.
            encoder, registry = PieceEncoder(profile.load), default_registry()
            yield IndexParts(store, manifest, encoder, profile.fingerprint, registry, profile.look)
            write_card(files, IndexCard(profile.name, profile.fingerprint))
        finally:
            manifest.close()
    finally:
        store.close()


def _profile(files: IndexFiles, create: bool, wanted: Wanted) -> Profile:
    """The profile of an index, or the one wanted of an index to be made."""
    if create and not files.card.exists():
        profile = profile_named(wanted.profile or OFFLINE.name, wanted.tell)
        write_card(files, IndexCard(profile.name, profile.fingerprint))
        return profile
    name = read_card(files).profile
    if wanted.profile is not None and name not in (wanted.profile, str(Path(wanted.profile).expanduser().resolve())):
        raise IndexMismatch(
            f"The index at {files.folder} was made with the profile {name!r}, not {wanted.profile!r}: "
            "name another index with --index, or leave --profile out."
        )
    return profile_of_index(name)
