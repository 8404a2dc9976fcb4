"""Work in a thread beside a server: one run at a time, which can be watched, stopped and waited for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from haystack_agent.errors import HaystackError, UsageError
from ui import printable

State = TypeVar("State")
_LOG = logging.getLogger(__name__)
_LONGEST = 300


@dataclass(slots=True)
class Run(Generic[State]):
    """One go of a job; `state` is what the work tells of itself, `error` is fit to be shown."""

    state: State
    stop: threading.Event = field(default_factory=threading.Event)
    running: bool = False
    error: str | None = None

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self.stop.is_set()


class BackgroundJob(Generic[State]):
    """Work that goes on while the server answers; may be started again when it is over.

    `name` is the thread's; `busy` is what whoever starts it twice is told. The server waits at its end for the thread
    unless it is a `daemon`.
    """

    def __init__(self, name: str, busy: str, idle: State, *, daemon: bool) -> None:
        self._name, self._busy, self._daemon = name, busy, daemon
        self._lock = threading.Lock()
        self._run = Run(idle)
        self._thread: threading.Thread | None = None

    @property
    def run(self) -> Run[State]:
        """The run that goes on, or the last one."""
        return self._run

    def start(self, state: State, work: Callable[[Run[State]], None]) -> None:
        """Begin a run; the work is to end soon after its `stop` was set.

        Raises:
            UsageError: one goes on already.
        """
        with self._lock:
            if self._run.running:
                raise UsageError(self._busy)
            self._run = run = Run(state, running=True)
        self._thread = threading.Thread(target=self._do, args=(run, work), name=self._name, daemon=self._daemon)
        self._thread.start()

    def _do(self, run: Run[State], work: Callable[[Run[State]], None]) -> None:
        try:
            work(run)
        except HaystackError as error:
            run.error = printable.line(str(error))
        except Exception as error:  # noqa: BLE001 - a thread's boundary: the page must learn that it is over
            _LOG.exception("%s failed", self._name)
            run.error = printable.short(f"{type(error).__name__}: {error} (an unexpected error)", _LONGEST)
        finally:
            run.running = False

    def cancel(self) -> None:
        """Ask the run that goes on to end."""
        if self._run.running:
            self._run.stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Return when the run has ended or, if told, after so many seconds."""
        if self._thread is not None:
            self._thread.join(seconds)

    def clear(self, idle: State) -> None:
        """Tell no more of the last run; one that goes on stays."""
        with self._lock:
            if not self._run.running:
                self._run = Run(idle)
