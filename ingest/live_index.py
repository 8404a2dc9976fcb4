"""An index that is searched while it is written, by one process.

An embedded index has one user at a time, so whoever serves people must index too. Here both go through one store
object whose calls take turns: a search waits for one write of at most a batch, never for a run. What a run has written
can be found at once; the measures that search takes of an index as a whole are taken anew every few seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from haystack_agent.encoders.bundle import Encoders
from haystack_agent.encoders.pieces import PieceEncoder
from haystack_agent.encoders.profile import Profile
from haystack_agent.engine import Engine
from haystack_agent.errors import HaystackError, IndexDamaged, IndexMismatch
from haystack_agent.index_files import IndexFiles, read_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.store.opening import refuse_missing
from ingest import pipeline
from ingest.pipeline import IndexOptions
from ingest.readers.registry import default_registry
from ingest.record.manifest import Manifest
from ingest.record.opening import IndexWanted, Writable, open_or_make, open_writable
from ingest.record.parts import IndexParts
from ingest.record.progress import IndexProgress, IndexReport, ProgressCallback
from ingest.record.shared_store import SharedStore

_FRESH_SECONDS = 5.0

Load = Callable[[Profile], Encoders]
"""Gives the encoders of a profile; several indexes may share them."""


@dataclass(frozen=True, slots=True)
class _Opened:
    writable: Writable
    store: SharedStore
    encoders: Encoders
    lexicon: Lexicon


class LiveIndex:
    """An open index; searches go through `engine`, which any thread may use, and one thread at a time may `update`."""

    def __init__(self, location: IndexLocation, opened: _Opened) -> None:
        self.location = location
        self.profile = opened.writable.profile
        self._opened = opened
        self._engine = self._new_engine()
        self._renewed = 0.0
        self._updating = threading.Lock()
        self._problem = _problem(location, opened)

    @classmethod
    def open(cls, location: IndexLocation, load: Load, create: bool = False) -> LiveIndex:
        """Open an index or, with `create`, make it with the profile `offline` where there is none.

        Raises:
            IndexUnusable: it is missing (unless `create`), used by another process, or damaged.
            StoreUnreachable: its Qdrant server does not answer.
            ModelUnavailable: the profile's models cannot be loaded.
        """
        writable = open_or_make(location, IndexWanted()) if create else open_writable(location)
        store = SharedStore(writable.store)
        try:
            return cls(location, _Opened(writable, store, load(writable.profile), Lexicon()))
        except BaseException:
            store.close()
            raise

    @property
    def store(self) -> SharedStore:
        """What engine and updates share."""
        return self._opened.store

    @property
    def sees(self) -> bool:
        """Whether it can be searched by a picture."""
        return self._opened.encoders.sight is not None

    @property
    def engine(self) -> Engine:
        """What to search with; do not close it, and ask for it anew for each question.

        Raises:
            IndexMismatch: an older version wrote the index, and it was not updated yet.
            IndexDamaged: most of its pieces are missing, and it was not updated yet.
        """
        if self._problem is not None:
            raise self._problem
        return self._engine

    def update(
        self, roots: Sequence[Path], options: IndexOptions, progress: ProgressCallback | None = None
    ) -> IndexReport:
        """Bring the index up to date with folders; see `ingest.pipeline.index_folders`."""
        writable = self._opened.writable
        with self._updating:
            writable.begin()
            manifest = Manifest(IndexFiles(self.location.path).manifest)
            try:
                encoder = PieceEncoder(lambda: self._opened.encoders, self.profile.name)
                parts = IndexParts(
                    self.store, manifest, encoder, self.profile.fingerprint, default_registry(), self.profile.look
                )
                report = pipeline.index_folders(roots, parts, options, self._telling(progress))
                writable.end(manifest)
                self._problem = None
            except BaseException:
                writable.fail(manifest)
                raise
            else:
                return report
            finally:
                manifest.close()
                self._renew()

    def _telling(self, progress: ProgressCallback | None) -> ProgressCallback:
        def tell(state: IndexProgress) -> None:
            if time.monotonic() - self._renewed > _FRESH_SECONDS:
                self._renew()
            if progress is not None:
                progress(state)

        return tell

    def _renew(self) -> None:
        self._engine = self._new_engine()
        self._renewed = time.monotonic()

    def _new_engine(self) -> Engine:
        return Engine(self._opened.store, self._opened.encoders, self._opened.lexicon)

    def close(self) -> None:
        """Let go of the index, once an update that goes on has ended."""
        with self._updating:
            self._opened.store.close()
            self._opened.writable.close()
            self._opened.lexicon.close()


def _problem(location: IndexLocation, opened: _Opened) -> HaystackError | None:
    """Why the index must be updated before it is searched."""
    card = read_card(IndexFiles(location.path))
    if card.fingerprint != opened.writable.profile.fingerprint:
        return IndexMismatch("This index was made by an older version: update it, then ask again.")
    try:
        refuse_missing(location, opened.store, card)
    except IndexDamaged as error:
        return error
    return None
