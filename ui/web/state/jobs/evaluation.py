"""An evaluation in the background of a server: one at a time, watched and stopped from the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.runs.execute import Progress
from ui import printable
from ui.web.state.jobs.background import BackgroundJob, Run

Work = Callable[[Progress], Sequence[str]]
"""Does it, tells how far it is, and gives a line for each thing that went wrong on the way."""
_SHOWN = 20
_PATIENCE = 3.0
_BUSY = "An evaluation of this index goes on already: wait until it is done, or stop it."


class _Stopped(Exception):
    """Ends the work from within its telling."""


@dataclass(slots=True)
class _State:
    about: str = ""
    stopped: bool = False
    label: str = ""
    done: int = 0
    total: int = 0
    failures: tuple[str, ...] = ()


class EvaluationJob:
    """The evaluation of one index; may be started again when it is over."""

    def __init__(self) -> None:
        # A daemon: the server ends though a model is still being waited for; what was answered is on the disk.
        self._job = BackgroundJob("evaluation", _BUSY, _State(), daemon=True)

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self._job.run.running

    def start(self, work: Work, about: str) -> None:
        """Begin work on the run with a key.

        Raises:
            UsageError: something goes on already.
        """
        self._job.start(_State(about), lambda run: _evaluate(run, work))

    def cancel(self) -> None:
        """Ask it to end; it does so before its next step."""
        self._job.cancel()

    def wait(self, seconds: float = _PATIENCE) -> None:
        """Return when it has ended, or after a while."""
        self._job.wait(seconds)

    def forget(self, about: str) -> None:
        """Tell no more of a run that was deleted."""
        if self._job.run.state.about == about:
            self._job.clear(_State())

    def told(self) -> dict[str, object]:
        """How it goes, for the page."""
        run = self._job.run
        state = run.state
        return {
            "about": state.about,
            "running": run.running,
            "stopping": run.running and run.stopping,
            "stopped": state.stopped,
            "label": printable.line(state.label),
            "done": state.done,
            "total": state.total,
            "error": run.error,
            "failures": list(state.failures[:_SHOWN]),
            "missing": len(state.failures),
        }


def _evaluate(run: Run[_State], work: Work) -> None:
    state = run.state

    def tell(label: str, done: int, total: int) -> None:
        if run.stopping:
            raise _Stopped
        state.label, state.done, state.total = label, done, total

    try:
        state.failures = tuple(printable.short(one, 300) for one in work(tell))
    except _Stopped:
        state.stopped = True
