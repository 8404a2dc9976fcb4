"""Indexing in the background of a server: one run at a time for an index, watched and cancelled from the page."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.errors import HaystackError, UsageError
from ingest.live_index import LiveIndex
from ingest.pipeline import IndexOptions
from ingest.record.progress import IndexProgress, IndexReport
from ui import printable

if TYPE_CHECKING:
    from ui.web.state.catalogue import Catalogue

Json = dict[str, object]
_LOG = logging.getLogger(__name__)
_PHASES = {"find": "Looking for files", "hash": "Checking files", "read": "Reading"}


@dataclass(slots=True)
class _State:
    running: bool = False
    stopping: bool = False
    progress: IndexProgress | None = None
    report: IndexReport | None = None
    error: str | None = None


class IndexingJob:
    """The run of indexing of one index; may be started again when it is over."""

    def __init__(self, live: LiveIndex, catalogue: Catalogue) -> None:
        self._live = live
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._state = _State()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return self._state.running

    def start(self, roots: Sequence[Path], retry: bool, workers: int | None) -> None:
        """Begin a run over folders, or over all that are known.

        Raises:
            UsageError: one goes on already.
        """
        with self._lock:
            if self._state.running:
                raise UsageError("This index is being brought up to date already: wait until it is done, or stop it.")
            self._state, self._stop = _State(running=True), threading.Event()
        options = IndexOptions(retry=retry, workers=workers, stop=self._stop)
        self._thread = threading.Thread(target=self._run, args=(list(roots), options), name="indexing")
        self._thread.start()

    def _run(self, roots: Sequence[Path], options: IndexOptions) -> None:
        state = self._state
        try:
            state.report = self._live.update(roots, options, self._tell)
        except HaystackError as error:
            state.error = printable.line(str(error))
        except Exception as error:  # noqa: BLE001 - a thread's boundary: the page must learn that the run is over
            _LOG.exception("indexing failed")
            state.error = printable.short(f"{type(error).__name__}: {error} (an unexpected error)", 300)
        finally:
            self._catalogue.outdated()
            state.running = False

    def _tell(self, progress: IndexProgress) -> None:
        self._state.progress = progress

    def cancel(self) -> None:
        """Ask the run to end; what was read is kept."""
        if self._state.running:
            self._state.stopping = True
            self._stop.set()

    def wait(self) -> None:
        """Return when the run has ended."""
        if self._thread is not None:
            self._thread.join()

    def told(self) -> Json:
        """How it goes, for the page."""
        state = self._state
        told: Json = {"running": state.running, "stopping": state.stopping, "error": state.error}
        if state.running and state.progress is not None:
            told["progress"] = _progress(state.progress)
        if state.report is not None:
            told["report"] = _report(state.report)
        return told


def _progress(state: IndexProgress) -> Json:
    return {
        "phase": _PHASES[state.phase.value],
        "done": state.files_done,
        "total": state.files_total,
        "bytes_done": state.bytes_done,
        "bytes_total": state.bytes_total,
        "pieces": state.pieces,
        "failed": state.failed,
        "current": [printable.name(Path(path).name) for path in state.current[:2]],
        "elapsed": state.elapsed,
        "left": state.left,
    }


def _report(report: IndexReport) -> Json:
    return {
        "indexed": report.counts.indexed,
        "failed": report.counts.failed,
        "skipped": report.counts.skipped,
        "read": report.read,
        "moved": report.moved,
        "removed": report.removed,
        "interrupted": report.interrupted,
        "seconds": report.seconds,
    }
