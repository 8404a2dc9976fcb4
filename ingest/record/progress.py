"""What is told about a run while it goes on and when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from haystack_agent.media import medium_of_type


class Phase(StrEnum):
    """The parts of a run, in order."""

    FIND = "find"
    HASH = "hash"
    READ = "read"


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far a run is. Files and bytes count those that the phase has to work on."""

    phase: Phase
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    pieces: int
    failed: int
    current: tuple[str, ...]
    """Paths being read."""
    elapsed: float
    """Seconds since the run began."""
    left: float | None
    """Seconds that the phase will still take, a guess; ``None`` while there is none."""


ProgressCallback = Callable[[IndexProgress], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """A file, or folder, that is not indexed, or not whole; `state` is ``failed``, ``skipped`` or ``indexed``."""

    path: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class KeptFolder:
    """A folder that lost all its files, and how many of them are kept in the index."""

    path: str
    files: int


@dataclass(frozen=True, slots=True)
class FileCounts:
    """What became of the files found."""

    indexed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def found(self) -> int:
        """Every file found."""
        return self.indexed + self.failed + self.skipped


@dataclass(frozen=True, slots=True)
class IndexReport:
    """The result of a run; `counts` and `problems` are about the folders of this run."""

    counts: FileCounts
    problems: tuple[Problem, ...]
    interrupted: bool
    read: int
    """Contents read anew."""
    moved: int
    """Contents that were found at other paths and not read again."""
    removed: int
    """Contents that were removed since no path is left."""
    passed_over: int
    """Hidden, cache and ignored entries, which are no files found."""
    pieces: int
    """Pieces in the index now."""
    seconds: float
    kept: tuple[KeptFolder, ...] = ()
    """Folders of this run that lost all their files; see `ingest.record.lost_places`."""


@dataclass(frozen=True, slots=True)
class VectorsState:
    """Where the vectors of an index are, and what is wrong with them, as far as it can be seen at once."""

    server: str | None = None
    """URL of the Qdrant server; ``None`` for the index folder."""
    collection: str | None = None
    pieces: int | None = None
    """Pieces stored; ``None`` where it is not known."""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What an index holds."""

    counts: FileCounts
    problems: tuple[Problem, ...]
    pieces: int
    roots: tuple[str, ...]
    profile: str | None
    kept: tuple[KeptFolder, ...] = ()
    unremoved: int = 0
    """Files that were forgotten or are gone, and that the store could not be made to remove yet."""
    vectors: VectorsState = VectorsState()


def cost_of(media_type: str | None, size: int) -> float:
    """Roughly how long a file takes to read, in seconds of an ordinary computer: orders work and guesses times."""
    return medium_of_type(media_type or "").reading.cost(size)


class Meter:
    """Adds up the work of a phase and tells the callback, at most ten times a second."""

    def __init__(self, callback: ProgressCallback | None, began: float) -> None:
        self._callback = callback
        self._began = began
        self.pieces = self.failed = 0
        self.current: dict[str, str] = {}
        self.start(Phase.FIND, [])

    def start(self, phase: Phase, work: list[tuple[int, float]]) -> None:
        """Begin a phase whose files have these sizes in bytes and costs in seconds."""
        self._phase, self._since = phase, time.monotonic()
        self._files = [0, len(work)]
        self._bytes = [0, sum(size for size, _ in work)]
        self._cost = [0.0, sum(cost for _, cost in work)]
        self._told = 0.0
        self.tell()

    def done(self, size: int, cost: float) -> None:
        """One more file is done with."""
        self._files[0] += 1
        self._bytes[0] += size
        self._cost[0] += cost
        self.tell()

    def tell(self, last: bool = False) -> None:
        """Call back, if it is time to."""
        now = time.monotonic()
        if self._callback is None or (now - self._told < 0.1 and not last):
            return
        self._told = now
        spent, (done, total) = now - self._since, self._cost
        left = spent * (total - done) / done if done > 0 and spent > 1 else None
        self._callback(
            IndexProgress(
                phase=self._phase,
                files_done=self._files[0],
                files_total=self._files[1],
                bytes_done=self._bytes[0],
                bytes_total=self._bytes[1],
                pieces=self.pieces,
                failed=self.failed,
                current=tuple(self.current.values()),
                elapsed=now - self._began,
                left=left,
            )
        )
