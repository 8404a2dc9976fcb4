"""What has to be read, and reading it: events of the workers to the writer and to the meter."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from haystack_agent.errors import UnsupportedFile
from haystack_agent.records import Piece
from haystack_agent.vectors import Look
from ingest.files.hashing import FileStat
from ingest.files.lines import one_line, path_text
from ingest.readers.protocol import ReadEvent, Seen, Source, Warned
from ingest.readers.registry import ReaderRegistry
from ingest.record.changes import Survey
from ingest.record.manifest import AssetRow, AssetState, FileRow
from ingest.record.progress import Meter, Phase, cost_of
from ingest.record.reading_log import ReadingLog
from ingest.record.writer import MOST_TRIES, AssetWriter, IndexParts, Placing, placing_of
from ingest.workers.sandbox import FileEnded, FileRead, FileStarted, SandboxEvent, SandboxOptions, Waiting, read_files


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


class Reading:
    """One pass over the jobs."""

    def __init__(
        self, jobs: Sequence[Job], writer: AssetWriter, meter: Meter, stop: threading.Event, log: ReadingLog
    ) -> None:
        self._jobs = {job.source.asset_id: job for job in jobs}
        self._writer = writer
        self._meter = meter
        self._stop = stop
        self._log = log
        self._begun: set[str] = set()
        self._looks: dict[str, tuple[Look, ...]] = {}
        self.ended = 0

    def run(self, registry: ReaderRegistry, options: SandboxOptions) -> None:
        """Read everything, or until `stop` is set."""
        jobs = list(self._jobs.values())
        self._meter.start(Phase.READ, [(job.stat.size, job.cost) for job in jobs])
        with closing(read_files([(job.source, job.stat) for job in jobs], registry, options)) as events:
            for event in events:
                self._take(event)
                self._writer.commit_if_due()
                self._meter.pieces = self._writer.pieces
                self._meter.tell()
                if self._stop.is_set():
                    return

    def _take(self, event: SandboxEvent) -> None:
        if isinstance(event, Waiting):
            return
        job = self._jobs[event.source.asset_id]
        self._begin(job)
        if isinstance(event, FileRead):
            for read in event.events:
                self._take_read(job, read)
        elif isinstance(event, FileEnded):
            self._end(job, event)
        else:
            assert isinstance(event, FileStarted)  # noqa: S101 - says that no kind of event is forgotten

    def _begin(self, job: Job) -> None:
        key = job.source.asset_id
        if key not in self._begun:
            self._begun.add(key)
            self._meter.current[key] = path_text(job.source.path)
            self._writer.begin(job.row, job.placing, job.known)

    def _take_read(self, job: Job, event: ReadEvent) -> None:
        if isinstance(event, Seen):
            self._looks[job.source.asset_id] = event.looks
        elif isinstance(event, Piece):
            self._writer.add(event, self._looks.pop(job.source.asset_id, ()))
        elif isinstance(event, Warned):
            self._writer.warn(job.source.asset_id, one_line(event.message))

    def _end(self, job: Job, event: FileEnded) -> None:
        self._looks.pop(job.source.asset_id, None)
        self._writer.end(job.source.asset_id, event.error)
        if event.detail:
            self._log.write(job.source.path, event.detail)
        self._meter.current.pop(job.source.asset_id, None)
        if event.error is not None and not isinstance(event.error, UnsupportedFile):
            self._meter.failed += 1
        self.ended += 1
        self._meter.done(job.stat.size, job.cost)
