"""What the stages before the writer must offer: reading and encoding, wherever they are done."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from haystack_agent.encoders.pieces import NewPiece
from haystack_agent.store.values import IndexedPiece
from ingest.files.hashing import FileStat
from ingest.readers.protocol import Source
from ingest.readers.registry import ReaderRegistry
from ingest.record.parts import EncodesPieces
from ingest.workers.sandbox import SandboxEvent, SandboxOptions


class ReadingStage(Protocol):
    """Reads files; the longest come first."""

    def read(self, files: Sequence[tuple[Source, FileStat]]) -> Generator[SandboxEvent, None, None]:
        """Read every file; events of one file come in order and end with `FileEnded`.

        While nothing comes, `Waiting` comes a few times a second; how far it reads ahead is bounded. Closing the
        generator ends the reading at once.

        Raises:
            HaystackError: nothing can be read at all.
        """


class EncodingStage(Protocol):
    """Encodes batches; used by one thread."""

    most_batches: int
    """Batches that it is handed at once, at most: enough that it need not wait for the next one."""

    def submit(self, pieces: Sequence[NewPiece]) -> Future[list[IndexedPiece]]:
        """Take a batch, without waiting; its future holds as many encoded pieces, in the same order, or the error.

        Batches may be encoded side by side, and in any order: they are written in the order of their submission.
        """

    def close(self) -> None:
        """Give up what is not begun, and leave no thread or process behind; calling it twice is harmless."""


@dataclass(frozen=True, slots=True)
class Means:
    """What stages are made of. The registry can be sent to another process, and so can the program's own encoder."""

    registry: ReaderRegistry
    encoder: EncodesPieces
    sandbox: SandboxOptions
    """Workers and limits that the user asked for."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages before the writer, ready for one run."""

    reading: ReadingStage
    encoding: EncodingStage


OpenStages = Callable[[Means], Stages]
