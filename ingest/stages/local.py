"""Reading and encoding on this machine: by worker processes, and by a thread beside the one that writes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from haystack_agent.encoders.pieces import NewPiece
from haystack_agent.store.values import IndexedPiece
from ingest.files.hashing import FileStat
from ingest.readers.protocol import Source
from ingest.readers.registry import ReaderRegistry
from ingest.record.parts import EncodesPieces
from ingest.stages.protocol import Means, Stages
from ingest.workers.sandbox import SandboxEvent, SandboxOptions, read_files


class SandboxReading:
    """A `ReadingStage`: worker processes within limits."""

    def __init__(self, registry: ReaderRegistry, options: SandboxOptions) -> None:
        self._registry = registry
        self._options = options

    def read(self, files: Sequence[tuple[Source, FileStat]]) -> Generator[SandboxEvent, None, None]:
        """See `ReadingStage`.

        Raises:
            ModelUnavailable: a worker cannot load what its readers need.
            HaystackError: workers do not start at all.
        """
        return read_files(files, self._registry, self._options)


class ThreadEncoding:
    """An `EncodingStage`: one thread, since a network itself takes every processor it can get."""

    most_batches = 3
    """One is written, one is encoded, and one is ready to follow it."""

    def __init__(self, encoder: EncodesPieces) -> None:
        self._encoder = encoder
        self._thread = ThreadPoolExecutor(1, "haystack-encoding")

    def submit(self, pieces: Sequence[NewPiece]) -> Future[list[IndexedPiece]]:
        """See `EncodingStage`."""
        return self._thread.submit(self._encoder.encode, pieces)

    def close(self) -> None:
        """See `EncodingStage`; the batch at hand is encoded to its end."""
        self._thread.shutdown(cancel_futures=True)


def open_stages(means: Means) -> Stages:
    """See `ingest.stages.backends`."""
    return Stages(SandboxReading(means.registry, means.sandbox), ThreadEncoding(means.encoder))
