"""Finding the files of folders: every file found is told of, as found or with the reason why it is not read.

Hidden entries, caches (see `ingest.files.ignores`) and what ignore files name are not found at all: they are only
counted. `.haystackignore` and `.ignore` always hold for the folder they stand in and below; `.gitignore` holds inside
of a git work tree. Ignore files above the root do not hold: who names a folder wants it. Links are followed after
everything else, and only to what lies in the same root and was not found there under its own name; so no walk goes in
circles.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ingest.files.hashing import FileStat, stat_of
from ingest.files.ignores import Rules, in_git, is_cache, is_hidden, is_ignored, load_rules


class FileState(StrEnum):
    """What became of a file that was found."""

    INDEXED = "indexed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class FileFound:
    """A regular file: `path` as found, `real` to open (they differ for a link)."""

    path: Path
    real: Path
    root: Path
    stat: FileStat


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that was found but is not opened, with the reason in one line."""

    path: Path
    root: Path
    state: FileState
    reason: str


@dataclass(frozen=True, slots=True)
class DiscoverOptions:
    """What to find: `hidden` includes hidden entries and caches, `ignore_files` heeds ignore files."""

    hidden: bool = False
    ignore_files: bool = True
    exclude: frozenset[Path] = frozenset()
    """Real paths that are passed over, such as the folder of the index itself."""


@dataclass(slots=True)
class Discovery:
    """Everything found under the roots."""

    found: list[FileFound] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    passed_over: int = 0
    """Hidden, cache and ignored entries (a folder counts once)."""
    unseen: list[Path] = field(default_factory=list)
    """Roots and folders whose content could not be listed: nothing is known about files there."""


def outermost(roots: Iterable[Path]) -> list[Path]:
    """The roots as real paths, sorted, each once, without those that lie in another one."""
    chosen: list[Path] = []
    for root in sorted({Path(os.path.realpath(root)) for root in roots}):
        if not any(root.is_relative_to(other) for other in chosen):
            chosen.append(root)
    return chosen


def discover(roots: Sequence[Path], options: DiscoverOptions = DiscoverOptions()) -> Discovery:
    """Walk folders (a root may also be a single file); never raises for what lies in them."""
    discovery = Discovery()
    for root in outermost(roots):
        _Walk(root, options, discovery).run()
    return discovery


_SPECIAL = (
    (stat.S_ISFIFO, "is a named pipe, which is never opened"),
    (stat.S_ISSOCK, "is a socket, which is never opened"),
    (stat.S_ISBLK, "is a device, which is never opened"),
    (stat.S_ISCHR, "is a device, which is never opened"),
)


def reason_of(error: OSError) -> str:
    """A system error in plain words, without the path."""
    return f"cannot be read: {(error.strerror or 'the system does not say why').lower()}"


class _Walk:
    """One root: folders still to list, links still to follow, and what was seen."""

    def __init__(self, root: Path, options: DiscoverOptions, discovery: Discovery) -> None:
        self._root = root
        self._options = options
        self._out = discovery
        self._git = options.ignore_files and in_git(root)
        self._links: list[Path] = []
        self._folders_seen: set[tuple[int, int]] = set()

    def run(self) -> None:
        try:
            result = self._root.stat()
        except OSError as error:
            self._unseen(self._root, error)
            return
        if not stat.S_ISDIR(result.st_mode):
            self._file(self._root, self._root, result)
            return
        self._tree(self._root, self._root)
        while self._links:
            self._link(self._links.pop(0))

    def _unseen(self, folder: Path, error: OSError) -> None:
        self._out.unseen.append(folder)
        self._refuse(folder, FileState.FAILED, f"folder {reason_of(error)}")

    def _refuse(self, path: Path, state: FileState, reason: str) -> None:
        self._out.refused.append(Refused(path, self._root, state, reason))

    def _tree(self, shown: Path, real: Path) -> None:
        """Walk a folder that is shown at one path and stands at another (they differ below a link)."""
        pending: list[tuple[Path, Path, tuple[Rules, ...], bool]] = [(shown, real, (), self._git)]
        while pending:
            shown, real, rules, git = pending.pop()
            try:
                result = real.stat()
                key = (result.st_dev, result.st_ino)
                if key in self._folders_seen:
                    continue
                self._folders_seen.add(key)
                with os.scandir(real) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
                names = {entry.name for entry in entries}
                git = git or (self._options.ignore_files and ".git" in names)
                own = load_rules(real, names, git) if self._options.ignore_files else None
            except OSError as error:
                self._unseen(shown, error)
                continue
            rules = (*rules, own) if own else rules
            below = [(shown / e.name, real / e.name, rules, git) for e in entries if self._entry(e, shown, real, rules)]
            pending.extend(reversed(below))

    def _entry(self, entry: os.DirEntry[str], shown: Path, real: Path, rules: tuple[Rules, ...]) -> bool:
        """Take note of an entry; whether it is a folder to walk."""
        path = shown / entry.name
        try:
            folder = entry.is_dir(follow_symlinks=False)
            if self._passed_over(entry, real / entry.name, folder, rules):
                self._out.passed_over += 1
            elif entry.is_symlink():
                self._links.append(path)
            elif folder:
                return True
            else:
                # DirEntry.stat lacks the inode on Windows.
                self._file(path, real / entry.name, (real / entry.name).lstat())
        except OSError as error:
            # What cannot be looked at may be a folder: nothing is known about files there either.
            self._out.unseen.append(path)
            self._refuse(path, FileState.FAILED, reason_of(error))
        return False

    def _passed_over(self, entry: os.DirEntry[str], real: Path, folder: bool, rules: tuple[Rules, ...]) -> bool:
        if real in self._options.exclude:
            return True
        if not self._options.hidden and (is_hidden(entry) or is_cache(entry)):
            return True
        return is_ignored(real, folder, rules)

    def _file(self, path: Path, real: Path, result: os.stat_result) -> None:
        if stat.S_ISREG(result.st_mode):
            self._out.found.append(FileFound(path, real, self._root, stat_of(result)))
            return
        reason = next((text for test, text in _SPECIAL if test(result.st_mode)), "is not a regular file")
        self._refuse(path, FileState.SKIPPED, reason)

    def _link(self, path: Path) -> None:
        try:
            real = Path(os.path.realpath(path, strict=True))
            result = real.stat()
        except OSError:
            self._refuse(path, FileState.SKIPPED, "is a link to nothing, or in a circle")
            return
        if not real.is_relative_to(self._root):
            self._refuse(path, FileState.SKIPPED, "is a link to something outside of the folder: name that one too")
        elif stat.S_ISDIR(result.st_mode):
            self._tree(path, real)
        else:
            self._file(path, real, result)
