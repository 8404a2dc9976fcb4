"""Another backend of indexing than the program's own: pieces are encoded by processes, side by side."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor

from haystack_agent.encoders.pieces import NewPiece
from haystack_agent.store.values import IndexedPiece
from ingest.record.parts import EncodesPieces
from ingest.stages.local import SandboxReading
from ingest.stages.protocol import Means, Stages


class PoolEncoding:
    """An `EncodingStage` of two processes, in which later batches may be encoded before earlier ones."""

    most_batches = 5

    def __init__(self, encoder: EncodesPieces) -> None:
        self._encoder = encoder
        self._pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))

    def submit(self, pieces: Sequence[NewPiece]) -> Future[list[IndexedPiece]]:
        """See `EncodingStage`."""
        return self._pool.submit(_encode, self._encoder, pieces)

    def close(self) -> None:
        """See `EncodingStage`."""
        self._pool.shutdown(cancel_futures=True)


def open_stages(means: Means) -> Stages:
    """See `ingest.stages.backends`."""
    return Stages(SandboxReading(means.registry, means.sandbox), PoolEncoding(means.encoder))


def _encode(encoder: EncodesPieces, pieces: Sequence[NewPiece]) -> list[IndexedPiece]:
    time.sleep(random.uniform(0, 0.1))  # noqa: S311 - moments, not secrets
    return encoder.encode(pieces)
