"""Before a folder is read: what is in it, and how long reading it will take."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from haystack_agent.media import MEDIA, medium_of_type
from ingest.files.discover import discover
from ingest.files.sniff import named_type
from ingest.pipeline import default_workers
from ingest.record.progress import cost_of

_LISTED = 40
_TEXTS = frozenset((".txt", ".md", ".markdown", ".html", ".htm", ".csv", ".rst", ".log"))


def estimate(folder: Path, workers: int | None) -> dict[str, object]:
    """Files by kind, told by their names, their bytes, and a guess of the seconds that reading them takes."""
    found = discover([folder]).found
    types = [(named_type(one.path) or _text_type(one.path), one.stat.size) for one in found]
    read = [(media_type, size) for media_type, size in types if media_type]
    seconds = sum(cost_of(media_type, size) for media_type, size in read) / (workers or default_workers())
    counts = Counter(medium_of_type(media_type).modality for media_type, _ in read)
    return {
        "files": len(found),
        "kinds": {medium.modality.value: counts[medium.modality] for medium in MEDIA},
        "bytes": sum(size for _, size in read),
        "seconds": round(seconds),
    }


def _text_type(path: Path) -> str | None:
    """Kinds of plain text, which are told by their bytes when they are read, guessed by their names."""
    return path.suffix.lower().lstrip(".") if path.suffix.lower() in _TEXTS else None


def subfolders(typed: str) -> list[str]:
    """Folders whose paths begin as typed, for completing it."""
    path = os.path.expanduser(typed)  # noqa: PTH111 - a trailing slash matters here
    parent, start = os.path.split(path)
    if not os.path.isabs(parent):  # noqa: PTH117 - plain text, as above
        return []
    try:
        with os.scandir(parent) as listing:
            names = [one.name for one in listing if one.is_dir() and one.name.lower().startswith(start.lower())]
    except OSError:
        return []
    shown = [name for name in sorted(names) if start.startswith(".") or not name.startswith(".")]
    return [str(Path(parent, name)) for name in shown[:_LISTED] if name.isprintable()]


def sample_folder(data_dir: Path) -> Path:
    """A folder of made files to try things on, in the data folder."""
    from eval.sample.folder import make_sample

    folder = data_dir / "sample"
    make_sample(folder)
    return folder
