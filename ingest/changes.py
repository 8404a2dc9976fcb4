"""What is in the folders now, against what the manifest knows: only new and changed files are opened and hashed.

Subtitles (.srt .vtt .ass .ssa) that share the stem of a video beside them are read with it: they count as skipped,
"subtitles of ...", and the video's asset id covers their content, so that the video is read anew when they change.
"""

from __future__ import annotations

import errno
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from haystack_agent.errors import ReadFailed, UnsupportedFile
from ingest.discover import Discovery, FileState, Found, Refused, reason_of
from ingest.hashing import FileChanged, FileStat, examine, with_siblings
from ingest.lines import one_line
from ingest.manifest import FileRow, Root
from ingest.sniff import VIDEO_TYPES, named_type
from ingest.subtitles import SUFFIXES

_COARSEST_CLOCK_NS = 2 * 10**9
"""A file may change twice within one tick of its file system's clock (2 s on FAT) with the same size."""
_UNKNOWN = FileStat(-1, -1, -1)


@dataclass(slots=True)
class Survey:
    """The files under the roots of a run: their rows now, their real paths, and which rows are to go."""

    rows: list[FileRow] = field(default_factory=list)
    real: dict[Path, Path] = field(default_factory=dict)
    gone: list[Path] = field(default_factory=list)
    siblings: dict[Path, tuple[Path, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looking:
    """How files are looked at: what is called after each, what asks to stop, and what is looked at again."""

    hashed: Callable[[Found, FileRow], None]
    stopped: Callable[[], bool]
    retry: bool = False
    trusted: bool = True
    """Whether the media types in the manifest were told by the present rules."""


def to_hash(discovery: Discovery, known: dict[Path, FileRow], looking: Looking) -> list[Found]:
    """The files that are new or changed."""
    return [found for found in discovery.found if not _unchanged(known.get(found.path), found, looking)]


def _unchanged(row: FileRow | None, found: Found, looking: Looking) -> bool:
    if row is None or row.stat != found.stat or not looking.trusted:
        return False
    if looking.retry and row.verdict == FileState.FAILED:
        return False
    return found.stat.mtime_ns <= row.seen_ns - _COARSEST_CLOCK_NS


def survey(discovery: Discovery, known: dict[Path, FileRow], roots: Sequence[Path], looking: Looking) -> Survey:
    """Look at every file found.

    Raises:
        InterruptedError: `Looking.stopped` said so.
    """
    result = Survey(real={found.path: found.real for found in discovery.found})
    changed = {found.path for found in to_hash(discovery, known, looking)}
    for found in discovery.found:
        if found.path not in changed:
            result.rows.append(known[found.path])
            continue
        if looking.stopped():
            raise InterruptedError("stopped while hashing")
        row = _look(found, looking.stopped)
        looking.hashed(found, row)
        result.rows.append(row)
    result.rows = _with_assets(result)
    result.rows.extend(_refused_row(refused) for refused in discovery.refused)
    result.gone = _gone(discovery, known, roots, {row.path for row in result.rows})
    return result


def _look(found: Found, stopped: Callable[[], bool]) -> FileRow:
    row = FileRow(found.path, found.root, found.stat, time.time_ns())
    try:
        stat, media_type, content_id = examine(found.real, stopped)
    except InterruptedError:
        raise
    except FileChanged as error:
        return replace(row, stat=_UNKNOWN, verdict=FileState.FAILED, reason=str(error))
    except ReadFailed as error:
        verdict = FileState.SKIPPED if isinstance(error, UnsupportedFile) else FileState.FAILED
        return replace(row, verdict=verdict, reason=one_line(str(error)))
    except OSError as error:
        gone = error.errno == errno.ENOENT
        reason = "vanished while it was read: run index again" if gone else reason_of(error)
        return replace(row, stat=_UNKNOWN, verdict=FileState.FAILED, reason=reason)
    row = replace(row, stat=stat, media_type=media_type, content_id=content_id)
    return row if content_id else _not_read(row)


def _not_read(row: FileRow) -> FileRow:
    """A file of no kind that is read failed if its name promises one: it is damaged."""
    promised = named_type(row.path)
    verdict = FileState.FAILED if promised else FileState.SKIPPED
    if row.stat.size == 0:
        return replace(row, verdict=verdict, reason="is empty")
    if promised:
        reason = f"is named {one_line(row.path.suffix)}, but is damaged or of no kind that is read"
        return replace(row, verdict=verdict, reason=reason)
    return replace(row, verdict=verdict, reason="is not a kind of file that is read")


def _refused_row(refused: Refused) -> FileRow:
    return FileRow(refused.path, refused.root, _UNKNOWN, 0, verdict=refused.state, reason=refused.reason)


def _with_assets(result: Survey) -> list[FileRow]:
    """The rows with their asset ids, and with the subtitles given to their videos."""
    owners: dict[tuple[Path, str], list[FileRow]] = defaultdict(list)
    for row in result.rows:
        if row.content_id and row.media_type in VIDEO_TYPES:
            for name in {row.path.stem.casefold(), row.path.name.casefold()}:
                owners[row.path.parent, name].append(row)
    taken: dict[Path, list[FileRow]] = defaultdict(list)
    videos: dict[Path, list[str]] = defaultdict(list)
    for row in result.rows:
        for video in _videos_of(row, owners):
            taken[video.path].append(row)
            videos[row.path].append(video.path.name)
    for path, subtitles in taken.items():
        result.siblings[path] = tuple(sorted(result.real[row.path] for row in subtitles))
    return [_with_asset(row, taken.get(row.path, []), videos.get(row.path, [])) for row in result.rows]


def _videos_of(row: FileRow, owners: dict[tuple[Path, str], list[FileRow]]) -> list[FileRow]:
    """The videos a file holds the subtitles of: ``clip.srt`` and ``clip.cs.srt`` belong to ``clip.mp4``."""
    if row.content_id is None or row.path.suffix.lower() not in SUFFIXES or row.media_type in VIDEO_TYPES:
        return []
    name = row.path.stem.casefold()
    while name:
        if videos := owners.get((row.path.parent, name)):
            return videos
        name = name.rpartition(".")[0]
    return []


def _with_asset(row: FileRow, subtitles: Sequence[FileRow], videos: Sequence[str]) -> FileRow:
    if row.content_id is None:
        return row
    if videos:
        reason = one_line(f"subtitles of {', '.join(videos)}, read with it")
        return replace(row, asset_id=None, verdict=FileState.SKIPPED, reason=reason)
    ids = [(sub.path.name[len(row.path.stem) :], sub.content_id or "") for sub in subtitles]
    return replace(row, asset_id=with_siblings(row.content_id, ids), verdict=None, reason="")


def _gone(discovery: Discovery, known: Iterable[Path], roots: Sequence[Path], found: set[Path]) -> list[Path]:
    """Known files below the roots that are not there any more, except where nobody could look."""

    def below(path: Path, folders: Sequence[Path]) -> bool:
        return any(path.is_relative_to(folder) for folder in folders)

    return [p for p in known if p not in found and below(p, roots) and not below(p, discovery.unseen)]


def refuse_lost_roots(discovery: Discovery, roots: Sequence[Path], known: Iterable[Path], before: list[Root]) -> None:
    """Take an empty folder that is not the one it was for a place where nothing is mounted: keep its files."""
    identities = {root.path: (root.device, root.inode) for root in before}
    for path in roots:
        root = root_at(path)
        filled = any(found.root == path for found in discovery.found) or any(
            refused.root == path for refused in discovery.refused
        )
        if root is None or filled or identities.get(path, (root.device, root.inode)) == (root.device, root.inode):
            continue
        if any(file.is_relative_to(path) for file in known):
            reason = "folder is empty and not the one it was (not mounted?): what was indexed from it is kept"
            discovery.unseen.append(path)
            discovery.refused.append(Refused(path, path, FileState.FAILED, reason))


def root_at(path: Path) -> Root | None:
    """The folder as it is on disk now, ``None`` if it is not there."""
    try:
        result = path.stat()
    except OSError:
        return None
    return Root(path, result.st_dev, result.st_ino)
