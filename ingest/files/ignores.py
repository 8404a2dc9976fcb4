"""Which entries of a folder are passed over: hidden ones, caches, and what ignore files name."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from os import DirEntry
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

from ingest.files.globs import SteadyPattern

ALWAYS = (".haystackignore", ".ignore")
ONLY_IN_GIT = ".gitignore"
_MAX_BYTES = 1 << 20
_CACHE_TAG = b"Signature: 8a477f597d28d172789f06886806bc55"

CACHES = frozenset(
    (
        "node_modules",
        "bower_components",
        "__pycache__",
        "__macosx",
        "site-packages",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
    )
)


@dataclass(frozen=True, slots=True)
class Rules:
    """The ignore files of one folder; patterns are relative to it."""

    folder: Path
    spec: GitIgnoreSpec


def is_hidden(entry: DirEntry[str]) -> bool:
    """Whether the system hides the entry from people, or an office program made it while a file is open."""
    if entry.name.startswith((".", "~$")):
        return True
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & getattr(stat, "FILE_ATTRIBUTE_HIDDEN", 0))


def is_cache(entry: DirEntry[str]) -> bool:
    """Whether the entry holds what programs made for themselves and can make again.

    Raises:
        OSError: the entry cannot be looked at.
    """
    if entry.name.lower() in CACHES:
        return True
    if not entry.is_dir(follow_symlinks=False):
        return False
    folder = Path(entry.path)
    try:
        if (folder / "pyvenv.cfg").is_file():
            return True
        tag = folder / "CACHEDIR.TAG"
        if not tag.is_file():
            return False
        with tag.open("rb") as file:
            return file.read(len(_CACHE_TAG)) == _CACHE_TAG
    except PermissionError:
        return False  # who walks into the folder meets the same error, and tells of it


def in_git(folder: Path) -> bool:
    """Whether the folder belongs to a git work tree."""
    return any(os.path.lexists(parent / ".git") for parent in (folder, *folder.parents))


def load_rules(folder: Path, names: set[str], git: bool) -> Rules | None:
    """Rules of the ignore files among `names` in the folder; later files and lines win, bad lines are left out.

    Raises:
        OSError: an ignore file cannot be read.
    """
    lines: list[str] = []
    for name in (ONLY_IN_GIT, *reversed(ALWAYS)):
        path = folder / name
        if name in names and (git or name != ONLY_IN_GIT) and path.is_file():
            with path.open("rb") as file:
                lines.extend(file.read(_MAX_BYTES).decode("utf-8-sig", "replace").splitlines())
    good = [line for line in lines if _is_pattern(line)]
    return Rules(folder, GitIgnoreSpec.from_lines(good, SteadyPattern, backend="simple")) if good else None


def _is_pattern(line: str) -> bool:
    if not line.strip() or line.startswith("#"):
        return False
    try:
        SteadyPattern(line)
    except GitIgnorePatternError:
        return False
    return True


def is_ignored(path: Path, folder: bool, rules: Sequence[Rules]) -> bool:
    """Whether the ignore files from the root down to the entry name it; the deepest one that does decides."""
    for rule in reversed(rules):
        name = path.relative_to(rule.folder).as_posix() + ("/" if folder else "")
        verdict = rule.spec.check_file(name).include
        if verdict is not None:
            return verdict
    return False
