"""The worker process: reads files that its parent names and streams what it finds, until the pipe closes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from haystack_agent.errors import HaystackError, ReadCutShort, ReadFailed, ReadLimitExceeded
from haystack_agent.records import Piece
from ingest.files.discover import reason_of
from ingest.files.hashing import CHANGED, FileChanged, FileStat, check_size, open_regular, stat_of
from ingest.files.lines import one_line
from ingest.readers.protocol import DAMAGED, Progress, ReadEvent, Seen, Source
from ingest.readers.registry import ReaderRegistry, Readers
from ingest.workers.memory import give_memory_back, keep_freed_memory, limit_memory
from ingest.workers.quiet import silence

_BATCH_PIECES = 16
_BATCH_CHARACTERS = 1 << 18
_BATCH_SECONDS = 0.5
_MAX_PIECES = 200_000
_MAX_CHARACTERS = 1 << 29
_MAX_FILE_BYTES = 4 << 30
_MOST_DETAIL = 8000
"""Characters of a traceback."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_NETWORK_EVENTS = frozenset(("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"))


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A file to read, and the stat it had when its content id was taken."""

    source: Source
    stat: FileStat
    memory: int
    """Bytes of memory that the worker may take while it reads this file."""


@dataclass(frozen=True, slots=True)
class Started:
    """The readers are loaded; the file is being read from now on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the file's events, in order."""

    events: tuple[ReadEvent, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The file was read to its end, or could not be read."""

    error: ReadFailed | None = None
    detail: str = ""
    """How it failed, for developers: a traceback."""


@dataclass(frozen=True, slots=True)
class Unable:
    """The worker itself cannot do its work, whatever the file."""

    error: HaystackError


Message = Started | Batch | Ended | Unable


def work(pipe: Connection, registry: ReaderRegistry, scratch: Path, parent: int) -> None:
    """Serve read tasks from the pipe until it is closed or ``None`` comes."""
    _settle(scratch, parent)
    readers = Readers(registry)
    while True:
        try:
            task: ReadTask | None = pipe.recv()
            if task is None:
                return
            pipe.send(_serve(task, readers, pipe))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
        _empty(scratch)
        give_memory_back()


def _serve(task: ReadTask, readers: Readers, pipe: Connection) -> Ended | Unable:
    """Read one file, sending its events; what is returned is the last message about it."""
    sender = _Sender(pipe)
    try:
        reader = readers.reader(task.source.media_type)
        pipe.send(Started())
        limit_memory(task.memory)
        check_unchanged(task)
        with contextlib.closing(_events(reader.read(task.source))) as events:
            for event in events:
                sender.add(event)
        sender.send()
        check_unchanged(task)
    except ReadFailed as error:
        return Ended(_plain(error), _detail(error))
    except HaystackError as error:
        return Unable(error)
    except MemoryError:
        return Ended(_out_of_memory(task))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # noqa: BLE001 - a process boundary: whatever a decoder raises costs one file only
        return Ended(_unexpected(error, sender.progress), _detail(error))
    finally:
        limit_memory(None)
    return Ended()


def _unexpected(error: Exception, progress: Progress | None) -> ReadFailed:
    """What a user is told of an error that no reader foresaw: nothing of the program's own."""
    if isinstance(error, NetworkRefused):
        return ReadFailed(str(error))
    if isinstance(error, OSError) and error.errno and error.strerror:
        return ReadFailed(reason_of(error))
    if progress is not None and progress.total > 1 and progress.done < progress.total:
        return ReadFailed(f"{DAMAGED}, after {progress.done} of {progress.total} parts")
    return ReadFailed(DAMAGED)


def _out_of_memory(task: ReadTask) -> ReadFailed:
    if psutil.virtual_memory().available < task.memory:
        return ReadCutShort("there was not enough memory left to read it: close other programs")
    return ReadLimitExceeded(f"needs more than {task.memory >> 20} MB of memory to be read")


def _detail(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-_MOST_DETAIL:]


def _events(events: Iterator[ReadEvent]) -> Generator[ReadEvent, None, None]:
    yield from events


def _plain(error: ReadFailed) -> ReadFailed:
    """The error with a one-line message and nothing else that would have to cross the pipe."""
    return type(error)(one_line(str(error)))


def check_unchanged(task: ReadTask) -> None:
    """Refuse a file that is not the one that was discovered any more.

    Raises:
        FileChanged: it changed or went away.
        ReadFailed: it is not a regular file any more, or too big.
        OSError: it cannot be opened.
    """
    try:
        with open_regular(task.source.path) as file:
            unchanged = stat_of(os.fstat(file.fileno())) == task.stat
    except FileNotFoundError:
        unchanged = False
    if not unchanged:
        raise FileChanged(CHANGED)
    check_size(task.source.media_type, task.stat.size)


class _Sender:
    """Gathers events, so that the pipe carries few messages, and counts what a file gives."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._events: list[ReadEvent] = []
        self._characters = self._pieces = self._total = 0
        self._sent = 0.0
        self.progress: Progress | None = None
        """The last that was told."""

    def add(self, event: ReadEvent) -> None:
        self._events.append(event)
        if isinstance(event, Piece):
            self._pieces += 1
            self._characters += len(event.text)
            self._total += len(event.text)
            if self._pieces > _MAX_PIECES or self._total > _MAX_CHARACTERS:
                raise ReadLimitExceeded(f"holds more than {_MAX_PIECES} pieces or {_MAX_CHARACTERS} characters")
        elif isinstance(event, Progress):
            self.progress = event
        elif isinstance(event, Seen):
            self._characters += sum(len(look.rgb) for look in event.looks)
        late = time.monotonic() - self._sent >= _BATCH_SECONDS
        if late or len(self._events) >= _BATCH_PIECES or self._characters >= _BATCH_CHARACTERS:
            self.send()

    def send(self) -> None:
        if self._events:
            self._pipe.send(Batch(tuple(self._events)))
        self._events.clear()
        self._characters = 0
        self._sent = time.monotonic()


def _settle(scratch: Path, parent: int) -> None:
    """Make this process a quiet, bounded one that does not outlive its parent."""
    silence(1, 2)
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    os.environ["TMPDIR"] = os.environ["TEMP"] = os.environ["TMP"] = tempfile.tempdir = str(scratch)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    _die_with(parent)
    keep_freed_memory()
    _limit_files()
    sys.addaudithook(_refuse_network)


def _die_with(parent: int) -> None:
    if not sys.platform.startswith("linux"):
        return  # the closed pipe ends the worker after the file at hand
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _limit_files() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    limit = _MAX_FILE_BYTES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILE_BYTES)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))


class NetworkRefused(PermissionError):
    """A decoder wants the network."""


def _refuse_network(event: str, _args: tuple[object, ...]) -> None:
    if event in _NETWORK_EVENTS:
        raise NetworkRefused("asks for the network, but reading a file needs no network")


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
