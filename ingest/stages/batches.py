"""Pieces gathered into batches, and the batches on their way through an encoding stage."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection
from concurrent.futures import Future

from haystack_agent.encoders.pieces import NewPiece
from haystack_agent.store.values import IndexedPiece
from ingest.stages.protocol import EncodingStage

_BATCH_PIECES = 64
_BATCH_PICTURES = 32
"""Pictures cost an encoder many times what texts do, and hold memory: an interrupted run waits for a batch to end."""
_BATCH_SECONDS = 1.0
"""A batch that does not fill goes on after so long: what was read to its end is soon safe."""


class Gatherer:
    """The batch that is being filled; batches are numbered from 0."""

    def __init__(self) -> None:
        self._pieces: list[NewPiece] = []
        self._began = 0.0
        self.number = 0
        """The number of the batch."""

    def add(self, piece: NewPiece) -> None:
        """Put a piece into the batch."""
        if not self._pieces:
            self._began = time.monotonic()
        self._pieces.append(piece)

    def drop(self, asset_ids: Collection[str]) -> None:
        """Take the pieces of assets out of the batch."""
        self._pieces = [new for new in self._pieces if new.piece.asset_id not in asset_ids]

    @property
    def due(self) -> bool:
        """Whether the batch is full, or has waited for long."""
        if not self._pieces:
            return False
        pictures = sum(len(new.looks) for new in self._pieces)
        full = len(self._pieces) >= _BATCH_PIECES or pictures >= _BATCH_PICTURES
        return full or time.monotonic() - self._began >= _BATCH_SECONDS

    def take(self) -> list[NewPiece]:
        """The pieces of the batch; the next batch begins."""
        pieces, self._pieces = self._pieces, []
        self.number += 1
        return pieces


class InEncoding:
    """The batches that an encoding stage was handed, the oldest first."""

    def __init__(self, stage: EncodingStage) -> None:
        self._stage = stage
        self._batches: deque[tuple[int, Future[list[IndexedPiece]]]] = deque()

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def full(self) -> bool:
        """Whether the oldest must be taken before another is handed over."""
        return len(self._batches) >= self._stage.most_batches

    @property
    def ready(self) -> bool:
        """Whether the oldest is encoded, or failed."""
        return bool(self._batches) and self._batches[0][1].done()

    @property
    def oldest(self) -> int:
        """Its number."""
        return self._batches[0][0]

    def put(self, number: int, pieces: list[NewPiece]) -> None:
        """Hand a batch over."""
        self._batches.append((number, self._stage.submit(pieces)))

    def wait(self) -> list[IndexedPiece]:
        """Wait for the oldest; it stays until it is dropped.

        Raises what the encoder raised.
        """
        return self._batches[0][1].result()

    def drop(self) -> None:
        """Be done with the oldest: it is written, or nobody wants it any more."""
        self._batches.popleft()[1].cancel()
