"""The composition point of indexing: an index's store, manifest and encoders, brought together for one command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.encoders.pieces import PieceEncoder
from haystack_agent.errors import HaystackError
from haystack_agent.index_files import IndexFiles, VectorsPlace, read_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.index_lock import is_held
from haystack_agent.store.opening import card_of, vectors_place
from ingest import pipeline
from ingest.pipeline import IndexOptions
from ingest.readers.registry import default_registry
from ingest.record.manifest import Manifest
from ingest.record.opening import IndexWanted, Writable, moving, open_or_make, open_writable
from ingest.record.parts import IndexParts
from ingest.record.progress import IndexReport, IndexStatus, ProgressCallback, VectorsState

if TYPE_CHECKING:
    from haystack_agent.encoders.hub import DownloadProgress as Download

__all__ = ["forget", "index", "moving", "status"]


def index(  # noqa: PLR0913, PLR0917 - what a run of the command can be told
    location: IndexLocation,
    roots: Sequence[Path],
    options: IndexOptions = IndexOptions(),
    progress: ProgressCallback | None = None,
    profile: str | None = None,
    tell: Callable[[Download], None] | None = None,
    move: bool = False,
) -> IndexReport:
    """Bring an index up to date with folders, making it where there is none; see `ingest.pipeline.index_folders`.

    The encoders of a new index are those of `profile`; `tell` is told of their downloads. With `move`, the location's
    Qdrant server becomes the index's own: what is not on it is read again, and where it was before nothing is changed.

    Raises:
        IndexMismatch: `profile` is not the one that the index was made with.
        UsageError: there is no such profile, nothing to index, or another server is named without `move`.
    """
    if card_of(location) is None:
        pipeline.refuse_nothing(roots)
    with _parts(open_or_make(location, IndexWanted(profile, tell, move))) as parts:
        return pipeline.index_folders(roots, parts, options, progress)


def forget(location: IndexLocation, paths: Sequence[Path]) -> int:
    """Remove files and folders from an index; the number of files forgotten.

    What the store refuses to remove is noted, and removed by the next run of this or of `index`.

    Raises:
        UsageError: nothing at one of the paths is indexed, or another server is named than the index remembers.
        IndexUnusable, StoreUnreachable: the index cannot be opened, or its store refuses.
    """
    with _parts(open_writable(location)) as parts:
        return sum(pipeline.forget(path, parts) for path in paths)


def status(location: IndexLocation, ask: bool = False) -> IndexStatus:
    """What an index holds; an embedded store is not opened, and a server asked only with `ask` and for seconds.

    Raises:
        IndexUnusable: there is no index, or it is damaged.
        UsageError: another server is named than the index remembers.
    """
    files = IndexFiles(location.path)
    card = read_card(files)
    place = vectors_place(location, card)
    manifest = Manifest(files.manifest, reading=True)
    try:
        found = pipeline.status(manifest)
    finally:
        manifest.close()
    writing = is_held(files.lock)
    vectors = _on_server(location, place, found.pieces, writing) if ask else VectorsState(place.url, place.collection)
    if place.url is None and found.pieces and not files.shard.is_dir():
        vectors = VectorsState(problem=f"its pieces are gone from {files.shard}: run index to read the files again")
    return replace(found, profile=card.profile, vectors=vectors)


def _on_server(location: IndexLocation, place: VectorsPlace, counted: int, writing: bool) -> VectorsState:
    if place.url is None or place.collection is None:
        return VectorsState()
    from haystack_agent.store.server.connection import pieces_on

    try:
        stored = pieces_on(place.url, location.qdrant_api_key, place.collection)
    except HaystackError as error:
        return VectorsState(place.url, place.collection, problem=str(error))
    problem = None
    if stored != counted and not writing:
        problem = f"it holds {stored} pieces, and {counted} were written: run index to make them agree"
    return VectorsState(place.url, place.collection, stored, problem)


@contextmanager
def _parts(opened: Writable) -> Iterator[IndexParts]:
    profile = opened.profile
    try:
        opened.begin()
        manifest = Manifest(opened.files.manifest)
        try:
            # Pieces are stale by the fingerprint: it changes with every encoder, the profile's name does not.
            encoder, registry = PieceEncoder(profile.load, profile.name), default_registry()
            yield IndexParts(opened.store, manifest, encoder, profile.fingerprint, registry, profile.look)
            opened.end(manifest)
        except BaseException:
            opened.fail(manifest)
            raise
        finally:
            manifest.close()
    finally:
        opened.close()
