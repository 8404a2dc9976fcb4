"""What has to be read, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.files.hashing import FileStat
from ingest.readers.protocol import Source
from ingest.record.changes import Survey
from ingest.record.manifest import AssetRow, AssetState, FileRow
from ingest.record.parts import IndexParts
from ingest.record.progress import cost_of
from ingest.record.writer import MOST_TRIES, Placing, placing_of


@dataclass(frozen=True, slots=True)
class Job:
    """A content to read: from which file, and what will be remembered of it."""

    source: Source
    stat: FileStat
    row: AssetRow
    placing: Placing
    known: bool
    cost: float


def plan_jobs(index: IndexParts, files: dict[str, list[FileRow]], found: Survey, retry: bool) -> list[Job]:
    """The assets in the surveyed folders that are not read yet, or read in a way that is out of date."""
    assets = index.manifest.assets()
    jobs = []
    for asset_id, rows in files.items():
        readable = next((row for row in rows if row.path in found.real), None)
        wanted = _wanted(index, asset_id, rows)
        if readable is None or wanted is None:
            continue
        before = assets.get(asset_id)
        if before is not None:
            if _fresh(before, wanted, retry):
                continue
            wanted = replace(wanted, cut_short=0 if retry else before.cut_short)
        siblings = found.siblings.get(readable.path, ())
        source = Source(found.real[readable.path], asset_id, wanted.media_type, siblings, index.look)
        cost = cost_of(wanted.media_type, readable.stat.size)
        jobs.append(Job(source, readable.stat, wanted, placing_of(rows), before is not None, cost))
    # The longest first: no worker is left alone with a long one in the end.
    return sorted(jobs, key=lambda job: (-job.cost, job.placing.paths))


def _wanted(index: IndexParts, asset_id: str, rows: Sequence[FileRow]) -> AssetRow | None:
    media_type = rows[0].media_type or ""
    entry = index.registry.entry(media_type)
    if entry is None:
        return None
    return AssetRow(asset_id, media_type, index.profile, entry.version, AssetState.STARTED)


def _fresh(before: AssetRow, wanted: AssetRow, retry: bool) -> bool:
    if (before.media_type, before.reader_version) != (wanted.media_type, wanted.reader_version):
        return False
    if before.state is AssetState.DONE:
        return before.profile == wanted.profile
    if before.state is AssetState.STARTED or retry:
        return False
    return not 0 < before.cut_short < MOST_TRIES
