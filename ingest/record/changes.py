"""What is in the folders now, against what the manifest knows: only new and changed files are opened and hashed.

Subtitles (.srt .vtt .ass .ssa) that share the stem of a video beside them are read with it: they count as skipped,
"subtitles of ...", and the video's asset id covers their content, so that the video is read anew when they change.
"""

from __future__ import annotations

import errno
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from haystack_agent.errors import ReadFailed, UnsupportedFile
from haystack_agent.media import PlaceOf, types_placed
from ingest.files.discover import Discovery, FileFound, FileState, Refused, reason_of
from ingest.files.hashing import FileChanged, FileStat, examine, sample_of, with_siblings
from ingest.files.lines import one_line
from ingest.files.sniff import named_type
from ingest.record.lost_places import Places, missing_files
from ingest.record.manifest import FileRow
from ingest.video.subtitles import SUFFIXES

_COARSEST_CLOCK_NS = 2 * 10**9
"""A file may change twice within one tick of its file system's clock (2 s on FAT) with the same size."""
_UNKNOWN = FileStat(-1, -1, -1)
_TIMED = types_placed(PlaceOf.SECOND)
"""Types of files that subtitles belong to."""


@dataclass(slots=True)
class Survey:
    """The files under the roots of a run: their rows now, their real paths, and what became of those not found."""

    rows: list[FileRow] = field(default_factory=list)
    real: dict[Path, Path] = field(default_factory=dict)
    kept: list[FileRow] = field(default_factory=list)
    """Files of lost places; see `ingest.record.lost_places`."""
    gone: list[Path] = field(default_factory=list)
    siblings: dict[Path, tuple[Path, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looking:
    """How files are looked at: what is called after each, what asks to stop, and what is looked at again."""

    hashed: Callable[[FileFound, FileRow], None]
    stopped: Callable[[], bool]
    retry: bool = False
    trusted: bool = True
    """Whether the media types in the manifest were told by the present rules."""


def to_hash(discovery: Discovery, known: dict[Path, FileRow], looking: Looking) -> list[FileFound]:
    """The files that are new or changed."""
    return [found for found in discovery.found if not _unchanged(known.get(found.path), found, looking)]


def _unchanged(row: FileRow | None, found: FileFound, looking: Looking) -> bool:
    if row is None or row.stat != found.stat or not looking.trusted:
        return False
    if looking.retry and row.verdict == FileState.FAILED:
        return False
    if row.sample and row.stat.ctime_ns != found.stat.ctime_ns:
        return False
    return found.stat.mtime_ns <= row.seen_ns - _COARSEST_CLOCK_NS


def survey(discovery: Discovery, known: dict[Path, FileRow], places: Places, looking: Looking) -> Survey:
    """Look at every file found.

    Raises:
        InterruptedError: `Looking.stopped` said so.
    """
    result = Survey(real={found.path: found.real for found in discovery.found})
    changed = {found.path for found in to_hash(discovery, known, looking)}
    for found in discovery.found:
        if found.path not in changed:
            result.rows.append(_as_before(known[found.path], found))
            continue
        if looking.stopped():
            raise InterruptedError("stopped while hashing")
        row = _only_touched(known.get(found.path), found, looking) or _look(found, looking.stopped)
        looking.hashed(found, row)
        result.rows.append(row)
    result.rows = _with_assets(result)
    given_up = places.vanished() if places.gone else []
    result.rows.extend(_refused_row(refused) for refused in discovery.refused if refused.path not in given_up)
    missing = missing_files(known, result.rows, discovery.unseen, places)
    result.kept.extend(missing.kept)
    result.rows = _with_lost(result, places)
    told = {row.path for row in result.rows}
    result.gone.extend(path for path in missing.gone if path not in told)
    return result


def _as_before(row: FileRow, found: FileFound) -> FileRow:
    """The row of an unchanged file, with what an index of an earlier version did not keep."""
    before, now = row.stat, found.stat
    if row.lost is None and before.ctime_ns == now.ctime_ns and before.device == now.device:
        return row
    return replace(row, stat=now, lost=None)


def _only_touched(row: FileRow | None, found: FileFound, looking: Looking) -> FileRow | None:
    """The row of a file that got another owner, link or the like, but no other content."""
    if row is None or row.sample is None or row.stat.ctime_ns == found.stat.ctime_ns:
        return None
    if not _unchanged(replace(row, stat=found.stat), found, looking) or row.stat != found.stat:
        return None
    try:
        same = sample_of(found.real) == row.sample
    except (ReadFailed, OSError):  # a whole look says what is wrong
        return None
    return replace(row, stat=found.stat, lost=None) if same else None


def _with_lost(result: Survey, places: Places) -> list[FileRow]:
    """The rows, with one that tells of each lost folder, unless there is a file in its place."""
    lost = Counter(row.lost for row in result.kept if row.lost and row.lost not in result.real)
    told = [_lost_row(folder, files, places) for folder, files in lost.items()]
    return [*(row for row in result.rows if row.path not in lost), *told]


def _lost_row(folder: Path, files: int, places: Places) -> FileRow:
    root = next(root for root in (*places.walked, *places.strayed) if folder.is_relative_to(root))
    return FileRow(folder, root, _UNKNOWN, 0, verdict=FileState.FAILED, reason=_lost_reason(folder, files, places))


def _lost_reason(folder: Path, files: int, places: Places) -> str:
    what = "1 file of it stays" if files == 1 else f"{files} files of it stay"
    if folder in places.strayed:
        return f"folder is a link now, or below one: {what} in the index; name it in `index` to read what is there now"
    happened = "lost all its files" if os.path.lexists(folder) else "is not there any more"
    return (
        f"folder {happened} (a disk that is not mounted?): {what} in the index; if they are gone for good, "
        "say `index --gone`, or `forget` the folder"
    )


def _look(found: FileFound, stopped: Callable[[], bool]) -> FileRow:
    row = FileRow(found.path, found.root, found.stat, time.time_ns())
    try:
        seen = examine(found.real, stopped)
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
    row = replace(row, stat=seen.stat, media_type=seen.media_type, content_id=seen.content_id, sample=seen.sample)
    return row if seen.content_id else _not_read(row)


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
        if row.content_id and row.media_type in _TIMED:
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
    if row.content_id is None or row.path.suffix.lower() not in SUFFIXES or row.media_type in _TIMED:
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
    asset_id = with_siblings(row.content_id, ids)
    if (row.asset_id, row.verdict, row.reason) == (asset_id, None, ""):
        return row
    return replace(row, asset_id=asset_id, verdict=None, reason="")
