"""The index behind the MCP server: opened when it is first needed, and let go when nobody has asked for a while."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from haystack_agent.engine import Engine
from haystack_agent.errors import UsageError
from haystack_agent.records import Evidence
from haystack_agent.store.values import IndexedPiece

if TYPE_CHECKING:
    from haystack_agent.index_location import IndexLocation

IDLE_SECONDS = 60.0
"""An index has one user at a time: after so long unused it is free for `haystack-agent index`."""
_BATCH = 64
_REMEMBERED = 10_000


class Library:
    """One index for several threads, one at a time; `close` it at the end."""

    def __init__(self, location: IndexLocation, idle_seconds: float = IDLE_SECONDS) -> None:
        self.location = location
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._timer: threading.Timer | None = None
        self._assets: dict[str, str] = {}
        """Ids of evidence given out, oldest first, and of the files they are in: these need not be looked for."""

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """The open index; whoever else wants it waits.

        Raises:
            IndexUnusable: it is missing, busy, damaged, or of another version or profile.
            StoreUnreachable: its Qdrant server does not answer.
            ModelUnavailable: the profile's models cannot be loaded.
        """
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._engine is None:
                self._engine = Engine.open(self.location)
            try:
                yield self._engine
            finally:
                self._timer = threading.Timer(self._idle_seconds, self._rest, args=(self._engine,))
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Let go of the index; calling it twice is harmless."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._let_go()

    def _rest(self, engine: Engine) -> None:
        with self._lock:
            # A timer may fire while it is cancelled: then the index is in use again, and has a newer timer.
            if self._engine is engine and self._timer is threading.current_thread():
                self._let_go()

    def _let_go(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def remember(self, evidence: Iterable[Evidence]) -> None:
        """Keep in mind which files evidence is in, so that `evidence` finds it at once."""
        for item in evidence:
            self._assets.pop(item.piece.id, None)
            self._assets[item.piece.id] = item.piece.asset_id
        for oldest in list(islice(self._assets, max(0, len(self._assets) - _REMEMBERED))):
            self._assets.pop(oldest, None)

    def evidence(self, piece_id: str) -> Evidence:
        """The place that an id means, in this session or an earlier one.

        Raises:
            UsageError: it is no id, or there is no such piece in the index.
        """
        try:
            wanted = str(uuid.UUID(piece_id))
        except ValueError:
            raise UsageError(f"{piece_id[:80]!r} is not the id of evidence: take one from search_media.") from None
        asset_id = self._assets.get(wanted)
        with self.engine() as engine:
            found = piece_by_id(engine, wanted, engine.asset_ids() if asset_id is None else [asset_id])
        if found is None:
            raise UsageError(f"There is no evidence {wanted} in the index (any more): search again with search_media.")
        return Evidence(found.piece, found.paths, 0.0)


def piece_by_id(engine: Engine, piece_id: str, asset_ids: Iterable[str]) -> IndexedPiece | None:
    """The piece with an id, looked for in files one batch after another."""
    left = iter(asset_ids)
    while batch := list(islice(left, _BATCH)):
        for stored in engine.pieces(batch):
            if stored.piece.id == piece_id:
                return stored
    return None
