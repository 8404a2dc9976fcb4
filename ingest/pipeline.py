"""Indexing folders: find, hash, read in workers, encode, store, and remember."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from haystack_agent.errors import StorageFull, UsageError
from ingest.files.discover import DiscoverOptions, Discovery, FileFound, FileState, discover, outermost
from ingest.files.lines import path_text
from ingest.files.sniff import SNIFF_VERSION
from ingest.record.changes import Looking, Survey, survey, to_hash
from ingest.record.former import FormerContents
from ingest.record.jobs import Job, plan_jobs
from ingest.record.lock import writer_lock
from ingest.record.lost_places import Places, is_elsewhere, root_at
from ingest.record.manifest import FileRow, Manifest, Outcome
from ingest.record.parts import IndexParts
from ingest.record.progress import (
    FileCounts,
    IndexReport,
    IndexStatus,
    KeptFolder,
    Meter,
    Phase,
    Problem,
    ProgressCallback,
)
from ingest.record.reading_log import ReadingLog
from ingest.record.upkeep import collect, files_by_asset, finish_forgetting, is_meant, mend, refresh_placings
from ingest.record.writer import RESERVE_BYTES, AssetWriter, room_on
from ingest.stages.flow import Flow
from ingest.stages.local import open_stages
from ingest.stages.protocol import Means, OpenStages
from ingest.workers.sandbox import Limits, SandboxOptions, limits_for
from ingest.workers.scratch import sweep_scratch

__all__ = ["IndexOptions", "IndexParts", "forget", "index_folders", "status"]

_SAVE_SECONDS = 2.0
_BYTES_A_WORKER = 3 << 29
_MOST_WORKERS = 8


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How a run goes."""

    hidden: bool = False
    """Whether hidden entries and caches are read too."""
    ignore_files: bool = True
    retry: bool = False
    """Whether what failed before is tried again."""
    gone: bool = False
    """Whether what is kept of folders that lost all their files is removed; see `ingest.record.lost_places`."""
    workers: int | None = None
    """Number of reading processes; by default what processors and memory allow."""
    limits: Callable[[str], Limits] = limits_for
    reserve: int = RESERVE_BYTES
    """Bytes that must be free on the index's disk before anything is read."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set it to end the run cleanly, as Ctrl-C does."""
    stages: OpenStages = open_stages
    """What opens the stages that read and encode; see `ingest.stages.backends`."""


def index_folders(
    roots: Sequence[Path],
    index: IndexParts,
    options: IndexOptions = IndexOptions(),
    progress: ProgressCallback | None = None,
) -> IndexReport:
    """Bring the index up to date with folders (or single files); without any, with all that it knows.

    Ctrl-C ends the run cleanly: what was read is kept, and the next run goes on from there.

    Raises:
        UsageError: a folder is not there and was never indexed, or none is named and none is known.
        IndexUnusable: the index is busy, damaged, or its disk is full; what it held stays.
        ModelUnavailable: a reader or an encoder lacks a model.
        StoreUnreachable: the server does not answer.
    """
    sweep_scratch()
    with writer_lock(lock_path(index.manifest)):
        finish_forgetting(index)
        return _Run(_places(roots, index.manifest, options.gone), index, options, progress).go()


def forget(path: Path, index: IndexParts) -> int:
    """Remove a file or a folder from the index; the number of files forgotten. The files themselves are untouched.

    Raises:
        UsageError: nothing there is indexed.
        IndexUnusable, StoreUnreachable: as for `index_folders`.
    """
    manifest = index.manifest
    with writer_lock(lock_path(manifest)):
        names = {Path(os.path.abspath(path)), Path(os.path.realpath(path))}  # noqa: PTH100 - a link is no folder here

        files = [row.path for row in manifest.files() if is_meant(row.path, names)]
        if not files and not any(is_meant(root.path, names) for root in manifest.roots()):
            raise UsageError(f"nothing at {path_text(path)} is indexed: `status` lists the folders that are")
        manifest.put_forgotten(sorted(names.union(manifest.forgotten())))
        finish_forgetting(index)
        return len(files)


def status(manifest: Manifest) -> IndexStatus:
    """What the index holds: indexed + failed + skipped is every file found in its folders."""
    found = manifest.counts()
    counts, problems = FileCounts(*(found.get(state, 0) for state in FileState)), _problems(manifest.outcomes(True))
    roots = tuple(path_text(root.path) for root in manifest.roots())
    lost, unremoved = _kept(manifest), _unremoved(manifest)
    return IndexStatus(counts, problems, manifest.pieces(), roots, manifest.get("profile"), lost, unremoved)


def _kept(manifest: Manifest) -> tuple[KeptFolder, ...]:
    return tuple(KeptFolder(path_text(lost.folder), lost.files) for lost in manifest.lost())


def _unremoved(manifest: Manifest) -> int:
    """Number of files that are to be removed and that the store still holds."""
    names = manifest.forgotten()
    forgotten = sum(is_meant(row.path, names) for row in manifest.files()) if names else 0
    return forgotten + manifest.unowned()


def refuse_nothing(roots: Sequence[Path]) -> None:
    """Do not begin an index without anything to index.

    Raises:
        UsageError: no folder is named, or one is not there.
    """
    _refuse_absent(outermost(roots), known=())


def lock_path(manifest: Manifest) -> Path:
    """The file that is locked while the index is written."""
    return manifest.path.with_name("lock")


def _places(roots: Sequence[Path], manifest: Manifest, gone: bool) -> Places:
    before = manifest.roots()
    known = {root.path for root in before}
    named = {Path(os.path.abspath(root)) for root in roots}  # noqa: PTH100 - a link is not followed here
    strayed = [root for root in sorted(known) if (root in named or not roots) and is_elsewhere(root)]
    chosen = outermost(roots or known.difference(strayed))
    if chosen or not strayed:
        _refuse_absent(chosen, known)
    return Places(chosen, strayed, before, gone)


def _refuse_absent(chosen: Sequence[Path], known: Collection[Path]) -> None:
    if not chosen:
        raise UsageError("no folder is named, and none was indexed before: name the folder to index")
    for root in chosen:
        if root not in known and not root.exists():
            raise UsageError(f"there is no file or folder {path_text(root)}: check the name")


def _summary(outcomes: Sequence[Outcome]) -> tuple[FileCounts, tuple[Problem, ...]]:
    states = [outcome.state for outcome in outcomes]
    return FileCounts(*(states.count(state) for state in FileState)), _problems(outcomes)


def _problems(outcomes: Sequence[Outcome]) -> tuple[Problem, ...]:
    return tuple(
        Problem(path_text(outcome.path), outcome.state, reason)
        for outcome in outcomes
        for reason in (outcome.warnings if outcome.state == FileState.INDEXED else (outcome.reason,))
    )


class _Run:
    """One run over some folders."""

    def __init__(
        self, places: Places, index: IndexParts, options: IndexOptions, progress: ProgressCallback | None
    ) -> None:
        self._places = places
        self._index = index
        self._options = options
        self._began = time.monotonic()
        self._meter = Meter(progress, self._began)
        self._discovery = Discovery()
        self._known: dict[Path, FileRow] = {}
        self._read = self._moved = self._removed = 0

    def go(self) -> IndexReport:
        interrupted = False
        try:
            self._work()
        except (KeyboardInterrupt, InterruptedError):
            interrupted = True
        self._meter.tell(last=True)
        return self._report(interrupted or self._options.stop.is_set())

    def _work(self) -> None:
        found = self._survey()
        manifest = self._index.manifest
        files = files_by_asset(manifest)
        former = FormerContents.of(manifest.assets(), files, self._known)
        self._removed = collect(self._index, (*files, *former.keys()))
        mend(self._index)
        self._moved = refresh_placings(self._index, files)
        jobs = plan_jobs(self._index, files, found, self._options.retry)
        if not jobs:
            self._removed += collect(self._index, files)
            return
        with room_on(manifest.path.parent, self._options.reserve):
            try:
                self._read_all(jobs)
            except (KeyboardInterrupt, StorageFull):
                # Taking back needs little room, and the next run does it where there is none.
                with contextlib.suppress(StorageFull):
                    self._removed += collect(self._index, (*files, *former.still_needed(manifest.assets())))
                raise
        left = former.still_needed(manifest.assets()) if self._options.stop.is_set() else ()
        self._removed += collect(self._index, (*files, *left))

    def _read_all(self, jobs: Sequence[Job]) -> None:
        """Read, encode and write; what was read to its end is kept when Ctrl-C or a full disk ends it."""
        manifest = self._index.manifest
        sandbox = SandboxOptions(self._options.workers or default_workers(), self._options.limits)
        stages = self._options.stages(Means(self._index.registry, self._index.encoder, sandbox))
        with contextlib.closing(stages.encoding):
            writer = AssetWriter(self._index.store, manifest)
            flow = Flow(jobs, stages, writer, self._meter, ReadingLog(manifest.path.parent))
            try:
                flow.run(self._options.stop)
                flow.drain()
            except KeyboardInterrupt:
                with contextlib.suppress(StorageFull):
                    flow.drain()
                raise
            except StorageFull:
                with contextlib.suppress(StorageFull):
                    writer.finish()
                raise
            finally:
                self._read = flow.ended

    def _survey(self) -> Survey:
        manifest = self._index.manifest
        self._known = known = {row.path: row for row in manifest.files()}
        index_folder = Path(os.path.realpath(manifest.path.parent))
        options = DiscoverOptions(self._options.hidden, self._options.ignore_files, frozenset((index_folder,)))
        self._discovery = discovery = discover(self._places.walked, options)
        unsaved: list[FileRow] = []
        looking = Looking(self._on_hashed(unsaved), self._options.stop.is_set, self._options.retry, self._trusted())
        pending = to_hash(discovery, known, looking)
        self._meter.start(Phase.HASH, [(found.stat.size, found.stat.size) for found in pending])
        try:
            result = survey(discovery, known, self._places, looking)
        finally:
            # The hashes are kept even where the run ends here.
            manifest.put_files(unsaved)
        result.rows = [self._without_reader(row) for row in result.rows]
        self._save(result, {row.path: row for row in manifest.files()} if pending else known)
        return result

    def _trusted(self) -> bool:
        return self._index.manifest.get("sniff") == str(SNIFF_VERSION)

    def _on_hashed(self, unsaved: list[FileRow]) -> Callable[[FileFound, FileRow], None]:
        saved = time.monotonic()

        def on_hashed(found: FileFound, row: FileRow) -> None:
            nonlocal saved
            unsaved.append(row)
            self._meter.done(found.stat.size, found.stat.size)
            if time.monotonic() - saved > _SAVE_SECONDS:
                self._index.manifest.put_files(unsaved)
                unsaved.clear()
                saved = time.monotonic()

        return on_hashed

    def _without_reader(self, row: FileRow) -> FileRow:
        if row.asset_id is None or (row.media_type and self._index.registry.entry(row.media_type)):
            return row
        return replace(row, asset_id=None, verdict=FileState.SKIPPED, reason=f"{row.media_type} files are not read")

    def _save(self, result: Survey, known: dict[Path, FileRow]) -> None:
        manifest = self._index.manifest
        identities = {root.path: root for root in manifest.roots()}
        unseen = set(self._discovery.unseen)
        present = [root for root in map(root_at, self._places.walked) if root and root.path not in unseen]
        inside = [path for path in identities if any(path != r and path.is_relative_to(r) for r in self._places.walked)]
        changed = [row for row in (*result.rows, *result.kept) if not _is_known(row, known)]
        with manifest.transaction():
            manifest.drop_files(result.gone)
            manifest.put_files(changed)
            manifest.put_roots(root for root in present if identities.get(root.path) != root)
            manifest.drop_roots((*inside, *self._lost_roots(result)))
            manifest.set("sniff", str(SNIFF_VERSION))
            manifest.set("profile", self._index.profile)

    def _lost_roots(self, result: Survey) -> list[Path]:
        """Roots that there is no reason to look for any more."""
        kept = {row.lost for row in result.kept}
        strayed = [root for root in self._places.strayed if root not in kept]
        return [*strayed, *(self._places.vanished() if self._places.gone else ())]

    def _report(self, interrupted: bool) -> IndexReport:
        manifest = self._index.manifest
        outcomes = [outcome for outcome in manifest.outcomes() if self._places.holds(outcome.path)]
        counts, problems = _summary(outcomes)
        return IndexReport(
            counts,
            problems,
            interrupted,
            read=self._read,
            moved=self._moved,
            removed=self._removed,
            passed_over=self._discovery.passed_over,
            pieces=manifest.pieces(),
            seconds=time.monotonic() - self._began,
            kept=tuple(one for one in _kept(manifest) if self._places.holds(Path(one.path))),
        )


def _is_known(row: FileRow, known: dict[Path, FileRow]) -> bool:
    before = known.get(row.path)
    return before is not None and row.is_same_as(before)


def default_workers() -> int:
    """As many readers as processors and memory allow."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors, psutil.virtual_memory().total // _BYTES_A_WORKER, _MOST_WORKERS))
