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
from ingest.workers.child import Message, ReadTask, Started, work
from ingest.workers.patience import Vitals, WorkerPatience

_LOOK_SECONDS = 0.25
_GROWN_SHARE = 0.6
_IN_LINE = frozenset((psutil.STATUS_RUNNING, psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP))


class WorkerDied(Exception):
    """The process ended by itself; the message says how, in one line."""


class WorkerProcess:
    """A started worker; `task` is what it reads at present."""

    def __init__(self, registry: ReaderRegistry, scratch: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.task: ReadTask | None = None
        self.loading = True
        self.files = 0
        self.patience = WorkerPatience()
        self._looked, self._unlooked = 0.0, 0.0
        self._memory = self._resting = 0
        self._folder = scratch / f"worker-{time.monotonic_ns()}"
        self._folder.mkdir()
        arguments = (theirs, registry, self._folder, os.getpid())
        self._process = context.Process(target=work, args=arguments, name="haystack-worker", daemon=True)
        self._process.start()
        theirs.close()
        self._view = psutil.Process(self._process.pid)

    def give(self, task: ReadTask) -> None:
        """Hand it a file to read."""
        self._memory, self._resting = 0, _resident(self._view)
        self.pipe.send(task)
        self.task = task
        self.loading = True
        self.files += 1
        self.patience.begin()

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
            self.patience.begin()
        self.patience.heard()
        return message

    def look(self, passed: float) -> None:
        """See how it does, at most every quarter of a second; `passed` seconds went by in which it could send."""
        self._unlooked += passed
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        vitals = self._vitals()
        self.patience.spend(self._unlooked, vitals)
        if self.pipe.poll():
            self.patience.heard()
        self._memory = vitals.memory - self._resting
        self._looked, self._unlooked = now, 0.0

    def _vitals(self) -> Vitals:
        family = self._family()
        in_line = any(_status(process) in _IN_LINE for process in family)
        return Vitals(sum(map(_cpu, family)), in_line, sum(map(_resident, family)))

    def memory(self) -> int:
        """Bytes that the process and those it started took since it was given its file, when last looked at: what
        earlier files left behind is not this one's fault."""
        return self._memory

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


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _status(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.Error:
        return psutil.STATUS_DEAD


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
