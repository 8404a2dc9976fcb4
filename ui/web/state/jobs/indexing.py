"""Indexing in the background of a server: one run at a time for an index, watched and cancelled from the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.live_index import LiveIndex
from ingest.pipeline import IndexOptions
from ingest.record.progress import IndexProgress, IndexReport
from ui import printable
from ui.web.state.jobs.background import BackgroundJob, Run

if TYPE_CHECKING:
    from ui.web.state.catalogue import Catalogue

Json = dict[str, object]
_BUSY = "This index is being brought up to date already: wait until it is done, or stop it."
_PHASES = {"find": "Looking for files", "hash": "Checking files", "read": "Reading"}


@dataclass(slots=True)
class _State:
    progress: IndexProgress | None = None
    report: IndexReport | None = None


class IndexingJob:
    """The run of indexing of one index; may be started again when it is over."""

    def __init__(self, live: LiveIndex, catalogue: Catalogue) -> None:
        self._live = live
        self._catalogue = catalogue
        self._job = BackgroundJob("indexing", _BUSY, _State(), daemon=False)

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return self._job.run.running

    def start(self, roots: Sequence[Path], retry: bool, workers: int | None) -> None:
        """Begin a run over folders, or over all that are known.

        Raises:
            UsageError: one goes on already.
        """
        chosen = list(roots)

        def work(run: Run[_State]) -> None:
            self._update(run.state, chosen, IndexOptions(retry=retry, workers=workers, stop=run.stop))

        self._job.start(_State(), work)

    def _update(self, state: _State, roots: Sequence[Path], options: IndexOptions) -> None:
        def tell(progress: IndexProgress) -> None:
            state.progress = progress

        try:
            state.report = self._live.update(roots, options, tell)
        finally:
            self._catalogue.outdated()

    def cancel(self) -> None:
        """Ask the run to end; what was read is kept."""
        self._job.cancel()

    def wait(self) -> None:
        """Return when the run has ended."""
        self._job.wait()

    def told(self) -> Json:
        """How it goes, for the page."""
        run = self._job.run
        told: Json = {"running": run.running, "stopping": run.stopping, "error": run.error}
        if run.running and run.state.progress is not None:
            told["progress"] = _progress(run.state.progress)
        if run.state.report is not None:
            told["report"] = _report(run.state.report)
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
