"""Opening an index to write it: what it is made with, where its vectors are, and what is made where there is none."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.encoders.profile import OFFLINE, Profile, profile_named, profile_of_index
from haystack_agent.errors import HaystackError, IndexMismatch, UsageError
from haystack_agent.index_files import IndexCard, IndexFiles, VectorsPlace, read_card, write_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.store.opening import card_of, open_place, place_named, vectors_place
from haystack_agent.store.protocol import Store
from haystack_agent.system.private_files import tighten
from ingest.record.manifest import Manifest

if TYPE_CHECKING:
    from haystack_agent.encoders.hub import DownloadProgress as Download


@dataclass(frozen=True, slots=True)
class IndexWanted:
    """What a run of `index` asks for: encoders by name, who is told of downloads, and the server to move to."""

    profile: str | None = None
    tell: Callable[[Download], None] | None = None
    move: bool = False
    """Whether the location's server, where it is another one than the index remembers, is to be its new place."""


@dataclass(frozen=True, slots=True)
class Writable:
    """An index that is open to be written; `begin` before the first change, `end` or `fail` after the last.

    `close` it when it is done with: closing a store writes too, and then everything is closed to other users.
    """

    files: IndexFiles
    profile: Profile
    place: VectorsPlace
    store: Store

    def begin(self) -> None:
        """Note where the vectors are, and that nothing is sure until the end."""
        write_card(self.files, replace(read_card(self.files), place=self.place, pieces=0))

    def end(self, manifest: Manifest) -> None:
        """Note what the store holds now, and by which encoders."""
        card = replace(read_card(self.files), fingerprint=self.profile.fingerprint, pieces=manifest.pieces())
        write_card(self.files, card)

    def fail(self, manifest: Manifest) -> None:
        """Note what the store holds at least, where that can be."""
        with contextlib.suppress(HaystackError):  # the error that brought us here is the one to tell
            write_card(self.files, replace(read_card(self.files), pieces=manifest.pieces()))

    def close(self) -> None:
        """Let go of the index, and close it to other users."""
        try:
            self.store.close()
        finally:
            tighten(self.files.folder)


def open_writable(location: IndexLocation) -> Writable:
    """Open an index that is there.

    Raises:
        IndexUnusable, StoreUnreachable, UsageError: it cannot be opened, or keeps its vectors elsewhere.
    """
    files = IndexFiles(location.path)
    card = read_card(files)
    _refuse_lost_manifest(files, card)
    profile, place = profile_of_index(card.profile), vectors_place(location, card)
    store = open_place(location, place, profile.schema, create=False)
    return Writable(files, profile, place, store)


def open_or_make(location: IndexLocation, wanted: IndexWanted) -> Writable:
    """Open an index, or make it where there is none; one that holds nothing yet is made anew.

    Raises:
        UsageError: there is no such profile, or another server is named without `IndexWanted.move`.
        IndexMismatch: the index was made with another profile.
        IndexUnusable, StoreUnreachable: it cannot be opened.
    """
    files, card = IndexFiles(location.path), card_of(location)
    if card is not None:
        _refuse_lost_manifest(files, card)
    if card is None or _holds_nothing(files):
        return _make(location, card, wanted)
    profile = _profile(files, card, wanted)
    moved = wanted.move and location.qdrant_url is not None
    place = place_named(location, card) if moved else vectors_place(location, card)
    if card.place is None and place.url is None and not files.shard.exists():
        raise UsageError(
            f"The pieces of the index {files.folder} are not in its folder: name the server that it was made on with "
            "--qdrant-url, or delete the folder and index again."
        )
    store = open_place(location, place, profile.schema, create=True)
    return Writable(files, profile, place, store)


def moving(location: IndexLocation) -> str | None:
    """What an index does when it is brought up to date on the location's server; ``None`` where it stays.

    Raises:
        IndexUnusable: it cannot be read.
    """
    card = card_of(location)
    if card is None or card.place is None or location.qdrant_url is None or _holds_nothing(IndexFiles(location.path)):
        return None
    with contextlib.suppress(UsageError):
        vectors_place(location, card)
        return None
    old = card.place.url or "its own folder"
    return (
        f"The index moves from {old} to {location.qdrant_url}, collection {place_named(location, card).collection}: "
        f"what is not there is read again. What is in {old} stays there; delete it when you need it no more."
    )


def _make(location: IndexLocation, old: IndexCard | None, wanted: IndexWanted) -> Writable:
    files = IndexFiles(location.path)
    profile = profile_named(wanted.profile or (old.profile if old else OFFLINE.name), wanted.tell)
    place = place_named(location, None)
    if location.qdrant_url is None and old is not None and old.place is not None:
        place = old.place
    if old is not None and old.fingerprint != profile.fingerprint:
        _remove_store(location, files, place)
    made_before = files.folder.exists()
    # The card is what makes the folder an index: whoever is killed from here on can go on.
    write_card(files, IndexCard(profile.name, profile.fingerprint, place))
    try:
        store = open_place(location, place, profile.schema, create=True)
    except BaseException:
        if old is None:
            files.card.unlink(missing_ok=True)
            if not made_before:
                shutil.rmtree(files.folder, ignore_errors=True)
        raise
    return Writable(files, profile, place, store)


def _remove_store(location: IndexLocation, files: IndexFiles, place: VectorsPlace) -> None:
    """Remove the empty store of an index that is made anew with other vectors."""
    if place.url is not None and place.collection is not None:
        from haystack_agent.store.server.connection import remove_collection

        remove_collection(place.url, location.qdrant_api_key, place.collection)
        return
    from haystack_agent.store.edge.store import EdgeStore

    EdgeStore.remove(files.shard)


def _refuse_lost_manifest(files: IndexFiles, card: IndexCard) -> None:
    """Make no new manifest for pieces that are there: nobody could forget them then."""
    if card.pieces or (card.place is None and files.shard.exists()):
        Manifest(files.manifest, reading=True).close()


def _holds_nothing(files: IndexFiles) -> bool:
    """Whether an index was begun and nothing was read into it."""
    if not files.manifest.exists():
        return True
    if files.manifest.is_file() and files.manifest.stat().st_size == 0:
        return not files.shard.exists()
    manifest = Manifest(files.manifest, reading=True)
    try:
        return manifest.pieces() == 0
    finally:
        manifest.close()


def _profile(files: IndexFiles, card: IndexCard, wanted: IndexWanted) -> Profile:
    """The profile of an index, or of that name in its newest form."""
    name = card.profile
    if wanted.profile is not None and name not in (wanted.profile, str(Path(wanted.profile).expanduser().resolve())):
        raise IndexMismatch(
            f"The index at {files.folder} was made with the profile {name!r}, not {wanted.profile!r}: "
            "name another index with --index, or leave --profile out."
        )
    return profile_of_index(name)
