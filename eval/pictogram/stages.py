"""Work that is done once: a stage whose files are there, and that was run with the same plan, is skipped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from eval.pictogram.plan import ExperimentPlan


class ExperimentStages:
    """Runs the stages of one experiment in order and remembers in `folder` which are complete."""

    def __init__(self, folder: Path, plan: ExperimentPlan, say: Callable[[str], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._plan = asdict(plan)
        self._say = say
        self._stale = False
        self.seconds: dict[str, float] = {}

    def run(self, name: str, files: Sequence[Path], action: Callable[[], object]) -> None:
        """Do `action`, which writes `files`, unless that is done already; after one that is not, all are done anew."""
        mark = self._folder / f"{name}.json"
        seconds = None if self._stale else self._seconds(mark)
        if seconds is not None and all(path.is_file() for path in files):
            self._say(f"{name}: done before")
        else:
            self._stale = True
            mark.unlink(missing_ok=True)
            began = time.perf_counter()
            action()
            seconds = time.perf_counter() - began
            mark.write_text(json.dumps({"plan": self._plan, "seconds": seconds}), "utf-8")
            self._say(f"{name}: {seconds:.0f} s")
        self.seconds[name] = round(seconds, 1)

    def _seconds(self, mark: Path) -> float | None:
        """How long the stage took when it was done, or ``None`` where it was not, or by another plan."""
        try:
            done = json.loads(mark.read_text("utf-8"))
            return float(done["seconds"]) if done["plan"] == self._plan else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
