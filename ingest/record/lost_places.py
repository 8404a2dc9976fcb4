"""Files that are not where they were: deleted, moved, or in a place that is lost for now.

A folder that lost all its files, two or more, keeps them in the index, since a disk that is not mounted looks just
like that; so do all files of a disk that is not there any more, and a root that was replaced. They are removed when
the user says so. Anything else that is missing was deleted. What is found at another place was moved.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.files.hashing import UNKNOWN
from ingest.record.manifest import FileRow, Root

_SEVERAL = 2


@dataclass(frozen=True, slots=True)
class Places:
    """The roots of a run, and what became of them since the last one."""

    walked: Sequence[Path]
    """Roots that are looked through."""
    strayed: Sequence[Path] = ()
    """Roots that lead elsewhere now: they, or a folder above them, were replaced by a link."""
    before: Sequence[Root] = ()
    gone: bool = False
    """Whether the user says that what is not there is gone for good."""

    def holds(self, path: Path) -> bool:
        """Whether a path is in one of them."""
        return _below(path, self.walked) or _below(path, self.strayed)

    def vanished(self) -> list[Path]:
        """Walked roots of which there is nothing."""
        return [root for root in self.walked if _is_nothing(root)]

    def replaced(self) -> set[Path]:
        """Walked roots that are not the folder they were."""
        now = {root: root_at(root) for root in self.walked}
        return {root.path for root in self.before if root.path in now and now[root.path] not in (None, root)}


@dataclass(frozen=True, slots=True)
class Missing:
    """Known files that were not found: paths to remove, and rows to keep, each with its lost folder."""

    gone: Sequence[Path]
    kept: Sequence[FileRow]


def root_at(path: Path) -> Root | None:
    """The folder as it is on disk now, ``None`` if it is not there."""
    try:
        result = path.stat()
    except OSError:
        return None
    return Root(path, result.st_dev, result.st_ino)


def is_elsewhere(root: Path) -> bool:
    """Whether a known root, which was a real path, leads elsewhere now."""
    return Path(os.path.realpath(root)) != root


def missing_files(
    known: Mapping[Path, FileRow], found: Sequence[FileRow], unseen: Sequence[Path], places: Places
) -> Missing:
    """Known files in `places` that are not among those `found` (rows of refused paths too) nor below `unseen`."""
    paths = {row.path for row in found}
    vanished = places.vanished()
    hidden = [path for path in unseen if path not in vanished]
    rows = [r for r in known.values() if r.path not in paths and places.holds(r.path) and not _below(r.path, hidden)]
    if not rows:
        return Missing((), ())
    kept: dict[Path, Path] = {}
    if not places.gone:
        contents = {row.content_id for row in found}
        contents.update(r.content_id for r in known.values() if r.lost is None and not places.holds(r.path))
        candidates = [row for row in rows if row.content_id not in (None, *contents) and not _passed_over(row, places)]
        kept = _Sorting(known, paths, places, vanished).lost(candidates)
    return Missing(
        [row.path for row in rows if row.path not in kept],
        [replace(row, lost=kept[row.path]) for row in rows if row.path in kept],
    )


class _Sorting:
    """Which of the missing files are in a lost place."""

    def __init__(
        self, known: Mapping[Path, FileRow], found: Collection[Path], places: Places, vanished: Sequence[Path]
    ) -> None:
        self._places = places
        self._lost_roots = (*vanished, *places.strayed)
        self._alive = _folders_above(found)
        still = [known[path] for path in found if path in known]
        self._returned = {row.lost for row in still}
        self._devices = {row.stat.device for row in still} | {UNKNOWN}

    def lost(self, rows: Sequence[FileRow]) -> dict[Path, Path]:
        """The lost folder of each file that is in one."""
        lost: dict[Path, Path] = {}
        dead = {row.path: self._dead_folder(row.path) for row in rows}
        sizes, replaced = Counter(dead.values()), self._places.replaced()
        for row in rows:
            folder = dead[row.path]
            if row.lost is not None and row.lost not in self._returned:
                lost[row.path] = row.lost
            elif folder and (sizes[folder] >= _SEVERAL or folder in self._lost_roots or folder in replaced):
                lost[row.path] = folder
        for folder, paths in self._on_lost_disks([row for row in rows if row.path not in lost]):
            lost.update(dict.fromkeys(paths, folder))
        return lost

    def _dead_folder(self, path: Path) -> Path | None:
        """The outermost folder around a missing file in which nothing was found."""
        if root := next((root for root in self._lost_roots if path.is_relative_to(root)), None):
            return root
        root = next(root for root in self._places.walked if path.is_relative_to(root))
        inner = [folder for folder in path.parents if folder.is_relative_to(root)]
        return next((folder for folder in reversed(inner) if folder not in self._alive), None)

    def _on_lost_disks(self, rows: Iterable[FileRow]) -> list[tuple[Path, list[Path]]]:
        """Folder and files of each disk of which no known file is there, and whose place another one has now."""
        disks: dict[int, list[Path]] = defaultdict(list)
        for row in rows:
            if row.stat.device not in self._devices and _device_now(row.path) != row.stat.device:
                disks[row.stat.device].append(row.path)
        return [(Path(os.path.commonpath([path.parent for path in paths])), paths) for paths in disks.values()]


def _folders_above(paths: Iterable[Path]) -> set[Path]:
    folders: set[Path] = set()
    for path in paths:
        for folder in path.parents:
            if folder in folders:
                break
            folders.add(folder)
    return folders


def _device_now(path: Path) -> int:
    """The device that a file would be on, if it were made."""
    return next((root.device for root in map(root_at, path.parents) if root), UNKNOWN)


def _below(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _is_nothing(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _passed_over(row: FileRow, places: Places) -> bool:
    """Whether a file that was not found is there all the same: it is hidden or ignored now."""
    if _below(row.path, places.strayed) or not os.path.lexists(row.path):
        return False
    return _below(Path(os.path.realpath(row.path.parent)), places.walked)
