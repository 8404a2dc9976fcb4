"""What developers want to know of files that could not be read: tracebacks, in a file beside the manifest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ingest.files.lines import path_text

NAME = "reading.log"
_MOST_BYTES = 1 << 20


class ReadingLog:
    """A log of at most about a megabyte; begun anew when it is full."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def write(self, path: Path, detail: str) -> None:
        """Note how the reading of a file failed; without an effect where the log cannot be written."""
        when = datetime.now().astimezone().isoformat(timespec="seconds")
        try:
            full = self._path.exists() and self._path.stat().st_size > _MOST_BYTES
            with self._path.open("w" if full else "a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(f"{when} {path_text(path)}\n{detail.rstrip()}\n\n")
        except OSError:
            return  # the reason is in the manifest: this is an extra
