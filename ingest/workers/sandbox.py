"""Reading files in worker processes: a decoder that crashes, hangs or eats memory costs one file.

A thread hands out files, gathers what the workers send and watches them; a bounded queue between it and the consumer
lets the workers read ahead while the consumer encodes.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from haystack_agent.errors import HaystackError, ReadCutShort, ReadFailed, ReadLimitExceeded
from haystack_agent.media import medium_of_type
from ingest.files.hashing import FileChanged, FileStat
from ingest.readers.protocol import ReadEvent, Source
from ingest.readers.registry import ReaderRegistry
from ingest.workers.child import Batch, Ended, Message, ReadTask, Started, Unable, check_unchanged
from ingest.workers.process import WorkerDied, WorkerProcess
from ingest.workers.scratch import make_scratch

_TICK = 0.2
_QUEUE_BATCHES = 48
_MAX_FALSE_STARTS = 3
_LONGEST_TICK = 1.0
"""Seconds that count of a tick that took longer: this process was stopped, or starved itself."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take."""

    silent: float
    """Seconds of work without a sign of life; see `ingest.workers.patience` for how sleep and waiting count."""
    total: float
    """Seconds altogether, not counting those in which it got no processor, or the consumer could not take more."""
    memory: int
    """Bytes in use by the worker."""
    loading: float = 240.0
    """Seconds of work that starting and loading its models may take."""


def limits_for(media_type: str) -> Limits:
    """The limits of a media type."""
    reading = medium_of_type(media_type).reading
    return Limits(reading.silent, reading.total, reading.memory)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How many workers, and what they may do."""

    workers: int = 1
    limits: Callable[[str], Limits] = limits_for
    recycle_files: int = 500
    """A worker is replaced after so many files, or earlier when it has grown."""


@dataclass(frozen=True, slots=True)
class FileStarted:
    """A worker began to read a file."""

    source: Source


@dataclass(frozen=True, slots=True)
class FileRead:
    """Some of a file's events."""

    source: Source
    events: tuple[ReadEvent, ...]


@dataclass(frozen=True, slots=True)
class FileEnded:
    """A file was read to its end, or not."""

    source: Source
    error: ReadFailed | None = None
    detail: str = ""
    """What developers want to know of the error: a traceback, of several lines."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing came for a moment: time to look whether to stop."""


SandboxEvent = FileStarted | FileRead | FileEnded | Waiting


def read_files(
    files: Iterable[tuple[Source, FileStat]], registry: ReaderRegistry, options: SandboxOptions = SandboxOptions()
) -> Generator[SandboxEvent, None, None]:
    """Read files in worker processes; events of one file come in order and end with `FileEnded`.

    Closing the generator ends the workers at once.

    Raises:
        ModelUnavailable: a worker cannot load what its readers need.
        HaystackError: workers do not start at all.
    """
    events: queue.Queue[SandboxEvent | HaystackError | None] = queue.Queue(_QUEUE_BATCHES)
    with make_scratch() as scratch:
        keeper = _Keeper(deque(files), registry, options, events, scratch)
        keeper.start()
        try:
            while (event := _next(events)) is not None:
                if isinstance(event, HaystackError):
                    raise event
                yield event
        finally:
            keeper.stop()


def _next(events: queue.Queue[SandboxEvent | HaystackError | None]) -> SandboxEvent | HaystackError | None:
    try:
        return events.get(timeout=_TICK)
    except queue.Empty:
        return Waiting()


class _Keeper(threading.Thread):
    """Keeps the workers busy and within their limits."""

    def __init__(
        self,
        files: deque[tuple[Source, FileStat]],
        registry: ReaderRegistry,
        options: SandboxOptions,
        events: queue.Queue[SandboxEvent | HaystackError | None],
        scratch: Path,
    ) -> None:
        super().__init__(name="haystack-sandbox", daemon=True)
        self._files = files
        self._registry = registry
        self._options = options
        self._events = events
        self._scratch = scratch
        self._workers: list[WorkerProcess] = []
        self._stopping = threading.Event()
        self._false_starts = 0

    def stop(self) -> None:
        """End the workers at once and wait for the thread."""
        self._stopping.set()
        while self.is_alive():
            with contextlib.suppress(queue.Empty):
                self._events.get_nowait()
            self.join(timeout=0.05)

    def run(self) -> None:
        # What is not foreseen below shows its traceback; the consumer must not wait for ever all the same.
        last: HaystackError | None = HaystackError("reading ended by an internal error: please report it")
        try:
            self._loop()
            last = None
        except HaystackError as error:
            last = error
        except OSError as error:
            last = HaystackError(f"worker processes cannot be started ({error}): close other programs and try again")
        finally:
            for worker in self._workers:
                worker.kill()
            if last is not None:
                self._put(last)
            self._put(None)

    def _put(self, event: SandboxEvent | HaystackError | None) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Full):
                self._events.put(event, timeout=_TICK)
                return

    def _loop(self) -> None:
        before = time.monotonic()
        while not self._stopping.is_set():
            self._hand_out()
            busy = [worker for worker in self._workers if worker.task]
            if not busy:
                return
            paused = self._events.full()
            if paused:
                self._stopping.wait(_TICK / 4)
            else:
                ready = set(wait([worker.pipe for worker in busy], timeout=_TICK))
                for worker in (worker for worker in busy if worker.pipe in ready):
                    self._receive(worker)
            now = time.monotonic()
            for worker in busy:
                self._watch(worker, 0.0 if paused else min(now - before, _LONGEST_TICK))
            before = now

    def _hand_out(self) -> None:
        idle = [worker for worker in self._workers if not worker.task]
        while self._files and len(self._workers) - len(idle) < self._options.workers:
            worker = idle.pop() if idle else self._start_worker()
            source, stat = self._files.popleft()
            try:
                worker.give(ReadTask(source, stat, self._options.limits(source.media_type).memory))
            except (BrokenPipeError, ConnectionResetError):
                self._files.appendleft((source, stat))
                self._drop(worker)
                self._false_start()

    def _start_worker(self) -> WorkerProcess:
        worker = WorkerProcess(self._registry, self._scratch)
        self._workers.append(worker)
        return worker

    def _drop(self, worker: WorkerProcess) -> None:
        worker.kill()
        self._workers.remove(worker)

    def _false_start(self) -> None:
        self._false_starts += 1
        if self._false_starts >= _MAX_FALSE_STARTS:
            raise HaystackError("worker processes end before they begin to read: check memory and the installation")

    def _receive(self, worker: WorkerProcess) -> None:
        """Take one message, so that no worker is heard at the cost of the others."""
        try:
            message: Message = worker.receive()
        except WorkerDied as death:
            self._bury(worker, death)
            return
        if isinstance(message, Unable):
            raise message.error
        if isinstance(message, Started):
            self._false_starts = 0
            assert worker.task is not None  # noqa: S101 - only workers with a task are listened to
            self._put(FileStarted(worker.task.source))
        elif isinstance(message, Batch):
            assert worker.task is not None  # noqa: S101 - only workers with a task are listened to
            self._put(FileRead(worker.task.source, message.events))
        elif isinstance(message, Ended):
            self._end(worker, message.error, message.detail)
            if worker.files >= self._options.recycle_files or worker.grown():
                self._drop(worker)

    def _bury(self, worker: WorkerProcess, death: WorkerDied) -> None:
        if worker.loading:
            # It died before it touched the file: not the file's fault.
            assert worker.task is not None  # noqa: S101 - only workers with a task are listened to
            self._files.appendleft((worker.task.source, worker.task.stat))
            self._drop(worker)
            self._false_start()
            return
        self._end(worker, ReadCutShort(str(death)))
        self._drop(worker)

    def _end(self, worker: WorkerProcess, error: ReadFailed | None, detail: str = "") -> None:
        task = worker.task
        worker.task = None
        assert task is not None  # noqa: S101 - only a worker with a task ends one
        self._put(FileEnded(task.source, _cause(task, error), detail))

    def _watch(self, worker: WorkerProcess, passed: float) -> None:
        """End a worker that is over a limit; `passed` seconds went by in which it could send."""
        task = worker.task
        if task is None:
            return
        worker.look(passed)
        error = _over_limit(worker, self._options.limits(task.source.media_type))
        if error is not None:
            self._end(worker, error)
            self._drop(worker)


def _over_limit(worker: WorkerProcess, limits: Limits) -> ReadFailed | None:
    if worker.loading:
        late = worker.patience.silent_for(limits.loading) is not None
        return ReadCutShort("waited too long for its reader to load") if late else None
    if worker.patience.active > limits.total:
        return ReadLimitExceeded(f"took longer than {limits.total:.0f} s to read")
    if (silence := worker.patience.silent_for(limits.silent)) is not None:
        return ReadCutShort(f"gave no sign of life for {silence:.0f} s while it was read")
    if worker.memory() > limits.memory:
        return ReadLimitExceeded(f"needs more than {limits.memory >> 20} MB of memory to be read")
    return None


def _cause(task: ReadTask, error: ReadFailed | None) -> ReadFailed | None:
    """The error, or the change of the file under way that explains it."""
    if error is None:
        return None
    try:
        check_unchanged(task)
    except FileChanged as changed:
        return changed
    except (ReadFailed, OSError):
        return error
    return error
