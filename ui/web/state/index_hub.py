"""The indexes that this server has open: each is opened when it is first asked for, and stays open until the end."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from haystack_agent.encoders.bundle import Encoders
from haystack_agent.encoders.profile import OFFLINE, Profile, profile_named
from haystack_agent.errors import HaystackError, IndexNotFound, UsageError
from haystack_agent.index_files import IndexFiles
from haystack_agent.index_location import IndexLocation
from haystack_agent.store.opening import beside
from ingest.live_index import LiveIndex
from ui.web.state.catalogue import Catalogue
from ui.web.state.example_questions import examples
from ui.web.state.filter_values import Facets
from ui.web.state.jobs.evaluation import EvaluationJob
from ui.web.state.jobs.indexing import IndexingJob

T = TypeVar("T")
_AT_ONCE = 16
"""Questions that wait for their turn, or for a model, in a thread each; more wait for these."""
_PATIENCE = 0.3
"""Seconds that a page waits for an index to be opened before it is shown without what is not known yet."""


@dataclass(slots=True)
class OpenIndex:
    """An open index with what is known of its files, its last run of indexing, and its last evaluation."""

    live: LiveIndex
    catalogue: Catalogue
    job: IndexingJob
    evaluation: EvaluationJob = field(default_factory=EvaluationJob)
    facets: Facets = field(default_factory=Facets)


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """An index that can be chosen: a key for addresses, and what people call it."""

    key: str
    label: str
    location: IndexLocation

    @property
    def exists(self) -> bool:
        """Whether it was made already."""
        return IndexFiles(self.location.path).card.is_file()


class IndexHub:
    """Knows the indexes of the data folder and the one that the server was started with."""

    def __init__(self, data_dir: Path, chosen: IndexLocation) -> None:
        self._folder = data_dir / "indexes"
        self._chosen = chosen
        self._open: dict[str, OpenIndex] = {}
        self._encoders: dict[str, Encoders] = {}
        self._opening = threading.Lock()
        self._opener = ThreadPoolExecutor(1, "open")
        self._coming: dict[str, Future[OpenIndex]] = {}
        # Searching is not made to wait for the slower reading of what others have found.
        self._search = ThreadPoolExecutor(1, "search")
        self._read = ThreadPoolExecutor(1, "read")
        self._waiting = ThreadPoolExecutor(_AT_ONCE, "wait")

    @property
    def default(self) -> IndexEntry:
        """The index that the server was started with."""
        return self._entry(self._chosen)

    def entries(self) -> list[IndexEntry]:
        """The default index, then those of the data folder."""
        names = sorted(path for path in self._folder.iterdir() if path.is_dir()) if self._folder.is_dir() else []
        found = [self._entry(beside(self._chosen, path)) for path in names]
        others = [entry for entry in found if entry.exists and entry.key != self.default.key]
        return [self.default, *others]

    def entry(self, key: str) -> IndexEntry:
        """The index with that key.

        Raises:
            UsageError: there is none.
        """
        for entry in self.entries():
            if entry.key == key:
                return entry
        raise UsageError("There is no such index any more: choose another one on the left.")

    def _entry(self, location: IndexLocation) -> IndexEntry:
        if location.path.parent == self._folder:
            return IndexEntry(location.path.name, location.path.name, location)
        digest = hashlib.blake2b(os.fsencode(location.path), digest_size=4).hexdigest()
        return IndexEntry(f"at-{digest}", location.path.name or str(location.path), location)

    def opened(self, key: str, create: bool = False) -> OpenIndex:
        """The open index with that key; opening takes seconds.

        Raises:
            UsageError: there is no such index.
            IndexUnusable, StoreUnreachable, ModelUnavailable: it cannot be opened.
        """
        already = self._open.get(key)
        if already is not None:
            return already
        entry = self.entry(key)
        with self._opening:
            if key not in self._open:
                if not create and not entry.exists:
                    raise IndexNotFound("Nothing is indexed yet: choose a folder to read.")
                live = LiveIndex.open(entry.location, self._load, create)
                catalogue = Catalogue(live, lambda entries: examples(entries, live.engine.ask))
                self._open[key] = OpenIndex(live, catalogue, IndexingJob(live, catalogue))
            return self._open[key]

    def opened_soon(self, key: str) -> OpenIndex | None:
        """The same, but ``None`` while it takes longer than anybody wants to wait for a page; ask again later.

        Raises:
            HaystackError: see `opened`.
        """
        already = self._open.get(key)
        if already is not None:
            return already
        if key not in self._coming:
            self._coming[key] = self._opener.submit(self.opened, key)
        coming = self._coming[key]
        try:
            found = coming.result(_PATIENCE)
        except TimeoutError:
            return None
        except HaystackError:
            self._coming.pop(key, None)  # whoever asks again tries again
            raise
        self._coming.pop(key, None)
        return found

    async def using(self, key: str) -> OpenIndex:
        """See `opened`; off the event loop."""
        already = self._open.get(key)
        return already if already is not None else await asyncio.to_thread(self.opened, key)

    def opened_already(self, key: str) -> OpenIndex | None:
        """The index, if it is open."""
        return self._open.get(key)

    def warm(self) -> None:
        """Open the default index and search it once, so that the first question need not wait for what that loads.

        Raises:
            HaystackError: it cannot be opened; whoever asks will be told the same.
        """
        if not self.default.exists:
            self._load(profile_named(OFFLINE.name))
        else:
            engine = self.opened(self.default.key).live.engine
            engine.ask("What is this?")

    def _load(self, profile: Profile) -> Encoders:
        if profile.fingerprint not in self._encoders:
            self._encoders[profile.fingerprint] = profile.load()
        return self._encoders[profile.fingerprint]

    def searched(self, work: Callable[[], T]) -> T:
        """The same as `searching`, for a thread that may wait."""
        return self._search.submit(work).result()

    def read(self, work: Callable[[], T]) -> T:
        """What comes of something longer, waited for in a thread that may wait."""
        return self._read.submit(work).result()

    async def waiting(self, work: Callable[[], T]) -> T:
        """Run something that may wait for the others, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._waiting, work)

    async def searching(self, work: Callable[[], T]) -> T:
        """Run something short that searches, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._search, work)

    def close(self) -> None:
        """Stop indexing and evaluating, and let go of everything; what was read is kept."""
        for one in self._open.values():
            one.job.cancel()
            one.evaluation.cancel()
        for one in self._open.values():
            one.job.wait()
            one.evaluation.wait()
        self._opener.shutdown(cancel_futures=True)
        self._search.shutdown()
        self._read.shutdown(cancel_futures=True)
        self._waiting.shutdown(cancel_futures=True)
        for one in self._open.values():
            one.catalogue.close()
            one.live.close()
        self._open.clear()
