"""An evaluation in the background of a server: one at a time, watched and stopped from the page."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.runs.execute import Progress
from haystack_agent.errors import HaystackError, UsageError
from ui import printable

Work = Callable[[Progress], Sequence[str]]
"""Does it, tells how far it is, and gives a line for each thing that went wrong on the way."""
_SHOWN = 20
_PATIENCE = 3.0
_LOG = logging.getLogger(__name__)


class _Stopped(Exception):
    """Ends the work from within its telling."""


@dataclass(slots=True)
class _State:
    about: str = ""
    running: bool = False
    stopped: bool = False
    label: str = ""
    done: int = 0
    total: int = 0
    error: str | None = None
    failures: tuple[str, ...] = ()


class BackgroundTask:
    """Work that goes on while the server answers; may be started again when it is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = _State()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self._state.running

    def start(self, work: Work, about: str) -> None:
        """Begin work on the run with a key.

        Raises:
            UsageError: something goes on already.
        """
        with self._lock:
            if self._state.running:
                raise UsageError("An evaluation of this index goes on already: wait until it is done, or stop it.")
            self._state, self._stop = _State(about, running=True), threading.Event()
        # A daemon: the server ends though a model is still being waited for; what was answered is on the disk.
        self._thread = threading.Thread(target=self._run, args=(work,), name="evaluation", daemon=True)
        self._thread.start()

    def _run(self, work: Work) -> None:
        state = self._state
        try:
            state.failures = tuple(printable.short(one, 300) for one in work(self._tell))
        except _Stopped:
            state.stopped = True
        except HaystackError as error:
            state.error = printable.line(str(error))
        except Exception as error:  # noqa: BLE001 - a thread's boundary: the page must learn that it is over
            _LOG.exception("an evaluation failed")
            state.error = printable.short(f"{type(error).__name__}: {error} (an unexpected error)", 300)
        finally:
            state.running = False

    def _tell(self, label: str, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _Stopped
        self._state.label, self._state.done, self._state.total = label, done, total

    def cancel(self) -> None:
        """Ask it to end; it does so before its next step."""
        self._stop.set()

    def wait(self, seconds: float = _PATIENCE) -> None:
        """Return when it has ended, or after a while."""
        if self._thread is not None:
            self._thread.join(seconds)

    def forget(self, about: str) -> None:
        """Tell no more of a run that was deleted."""
        if not self._state.running and self._state.about == about:
            self._state = _State()

    def told(self) -> dict[str, object]:
        """How it goes, for the page."""
        state = self._state
        return {
            "about": state.about,
            "running": state.running,
            "stopping": state.running and self._stop.is_set(),
            "stopped": state.stopped,
            "label": printable.line(state.label),
            "done": state.done,
            "total": state.total,
            "error": state.error,
            "failures": list(state.failures[:_SHOWN]),
            "missing": len(state.failures),
        }
