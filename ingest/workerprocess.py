"""One worker process as its parent sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import psutil

from ingest.readers.registry import ReaderRegistry
from ingest.worker import Message, ReadTask, Started, work

_MEMORY_SECONDS = 0.25
_GROWN_SHARE = 0.6
_STARVED_FACTOR = 4


class WorkerDied(Exception):
    """The process ended by itself; the message says how, in one line."""


class WorkerProcess:
    """A started worker; `task` is what it reads at present."""

    def __init__(self, registry: ReaderRegistry, scratch: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.task: ReadTask | None = None
        self.loading = True
        self.active = 0.0
        self.files = 0
        self._heard = time.monotonic()
        self._cpu_then = 0.0
        self._memory = (0.0, 0)
        self._resting = 0
        self._folder = scratch / f"worker-{time.monotonic_ns()}"
        self._folder.mkdir()
        arguments = (theirs, registry, self._folder, os.getpid())
        self._process = context.Process(target=work, args=arguments, name="haystack-worker", daemon=True)
        self._process.start()
        theirs.close()
        self._view = psutil.Process(self._process.pid)

    def give(self, task: ReadTask) -> None:
        """Hand it a file to read."""
        self._memory, self._resting = (0.0, 0), _resident(self._view)
        self.pipe.send(task)
        self.task = task
        self.loading = True
        self.active = 0.0
        self.files += 1
        self._alive()

    def receive(self) -> Message:
        """The next message, which must be on its way.

        Raises:
            WorkerDied: the process is gone.
        """
        try:
            message: Message = self.pipe.recv()
        except (EOFError, ConnectionResetError, BrokenPipeError) as error:
            raise WorkerDied(self._how_it_ended()) from error
        if isinstance(message, Started):
            self.loading = False
            self.active = 0.0
        self._alive()
        return message

    def _alive(self) -> None:
        self._heard = time.monotonic()
        self._cpu_then = self._cpu()

    def _cpu(self) -> float:
        try:
            times = self._view.cpu_times()
        except psutil.Error:
            return 0.0
        return times.user + times.system + times.children_user + times.children_system

    def silent(self) -> float:
        """Seconds since it was last heard of, with nothing of it waiting in the pipe."""
        return 0.0 if self.pipe.poll() else time.monotonic() - self._heard

    def stuck(self, limit: float) -> bool:
        """Whether it was silent for too long; on a machine so busy that it hardly ran, it is given more time."""
        silent = self.silent()
        if silent <= limit:
            return False
        share = (self._cpu() - self._cpu_then) / limit
        starved = 0.05 < share < 0.5
        return not starved or silent > _STARVED_FACTOR * limit

    def memory(self) -> int:
        """Bytes that the process and those it started took since it was given its file, measured at most every quarter
        of a second: what earlier files left behind is not this one's fault."""
        now = time.monotonic()
        if now - self._memory[0] >= _MEMORY_SECONDS:
            self._memory = (now, sum(map(_resident, self._family())) - self._resting)
        return self._memory[1]

    def grown(self) -> bool:
        """Whether it keeps so much memory between files that it should be replaced."""
        return self.task is None and _resident(self._view) > _GROWN_SHARE * (2 << 30)

    def _family(self) -> list[psutil.Process]:
        try:
            return [self._view, *self._view.children(recursive=True)]
        except psutil.Error:
            return [self._view]

    def _how_it_ended(self) -> str:
        self._process.join(timeout=5)
        code = self._process.exitcode
        if code is None:
            return "the decoder closed its connection"
        if code == -signal.SIGTERM or (hasattr(signal, "SIGKILL") and code == -signal.SIGKILL):
            return "the decoder was ended by the system, most likely for want of memory"
        return f"the decoder crashed (signal {-code})" if code < 0 else f"the decoder quit (exit code {code})"

    def kill(self) -> None:
        """End it and everything that it started, and remove its files."""
        for process in reversed(self._family()):
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.join(timeout=10)
        self.pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
