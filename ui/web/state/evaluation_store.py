"""Evaluations on disk: those of each index in a folder of its own, each a run as ``haystack-agent eval`` keeps it."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.runs.config import read_config
from haystack_agent.errors import UsageError
from haystack_agent.system.whole_files import write_whole
from ui.web.ids import EVALUATION

if TYPE_CHECKING:
    from eval.runs.config import RunConfig

_SUMMARY = "summary.json"
_STAMP = "%Y%m%d-%H%M%S"


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run, and what it came to where it was finished."""

    key: str
    begun: datetime
    config: RunConfig
    summary: dict[str, Any] | None


class EvaluationStore:
    """The evaluations of one index."""

    def __init__(self, data_dir: Path, index: str) -> None:
        self.folder = data_dir / "evaluations" / index

    def begin(self) -> Path:
        """The folder of a new run, not made yet; what it is in is for the owner's eyes only."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder / f"{datetime.now().astimezone().strftime(_STAMP)}-{secrets.token_hex(2)}"

    def listed(self) -> list[KeptRun]:
        """All runs that can be read, the newest first."""
        if not self.folder.is_dir():
            return []
        found = []
        for path in sorted(self.folder.iterdir(), reverse=True):
            if re.fullmatch(EVALUATION, path.name):
                try:
                    found.append(self._kept(path))
                except UsageError:
                    continue  # begun and not yet written, or of another version: it cannot be shown
        return found

    def path(self, key: str) -> Path:
        """The folder of a run.

        Raises:
            UsageError: there is none.
        """
        path = self.folder / key
        if not re.fullmatch(EVALUATION, key) or not path.is_dir():
            raise UsageError("There is no such evaluation any more.")
        return path

    def remove(self, key: str) -> None:
        """Delete a run.

        Raises:
            UsageError: there is none.
        """
        shutil.rmtree(self.path(key))

    @staticmethod
    def finish(path: Path, summary: dict[str, Any]) -> None:
        """Note what a run came to."""
        write_whole(path / _SUMMARY, json.dumps(summary))

    def _kept(self, path: Path) -> KeptRun:
        begun = datetime.strptime(path.name[:15], _STAMP).astimezone()
        try:
            summary = json.loads((path / _SUMMARY).read_text("utf-8"))
        except (OSError, ValueError):
            summary = None  # it was stopped, or is going on
        return KeptRun(path.name, begun, read_config(path), summary)
