"""Files through the three stages: what is read goes to the encoder in batches, and what is encoded to the writer.

Reading and encoding go on elsewhere; the thread that runs this moves things on, and writes. Each stage is a bounded
number of events or batches ahead of the next one, so memory is bounded too, and the slowest sets the pace.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing

from haystack_agent.encoders.pieces import NewPiece
from haystack_agent.errors import UnsupportedFile
from haystack_agent.records import Piece
from haystack_agent.vectors import Pixels
from ingest.files.lines import one_line, path_text
from ingest.readers.protocol import ReadEvent, Seen, Warned
from ingest.record.jobs import Job
from ingest.record.progress import Meter, Phase
from ingest.record.reading_log import ReadingLog
from ingest.record.writer import AssetWriter
from ingest.stages.batches import Gatherer, InEncoding
from ingest.stages.protocol import Stages
from ingest.workers.sandbox import FileEnded, FileRead, FileStarted, SandboxEvent, Waiting


class Flow:
    """One pass over the jobs: `run`, then `drain`."""

    def __init__(self, jobs: Sequence[Job], stages: Stages, writer: AssetWriter, meter: Meter, log: ReadingLog) -> None:
        self._jobs = {job.source.asset_id: job for job in jobs}
        self._reading = stages.reading
        self._writer = writer
        self._meter = meter
        self._log = log
        self._gatherer = Gatherer()
        self._encoding = InEncoding(stages.encoding)
        self._begun: set[str] = set()
        self._looks: dict[str, tuple[Pixels, ...]] = {}
        self.ended = 0
        """Number of files read, or given up."""

    def run(self, stop: threading.Event) -> None:
        """Read everything, or until `stop` is set.

        Raises what the stages raise.
        """
        jobs = list(self._jobs.values())
        self._meter.start(Phase.READ, [(job.stat.size, job.cost) for job in jobs])
        with closing(self._reading.read([(job.source, job.stat) for job in jobs])) as events:
            for event in events:
                self._take(event)
                self._move_on()
                self._meter.pieces = self._writer.pieces
                self._meter.tell()
                if stop.is_set():
                    return

    def drain(self) -> None:
        """Encode and write what was read to its end, and mark it; take back the rest."""
        self._gatherer.drop(self._writer.give_up_unread())
        self._hand_over()
        while self._encoding:
            if self._writer.is_awaited(self._encoding.oldest):
                self._write_oldest()
            else:
                self._encoding.drop()
        self._writer.finish()
        self._meter.pieces = self._writer.pieces

    def _move_on(self) -> None:
        if self._gatherer.due:
            self._hand_over()
        while self._encoding.ready:
            self._write_oldest()
        self._writer.commit_if_due()

    def _hand_over(self) -> None:
        while self._encoding.full:
            self._write_oldest()
        number, pieces = self._gatherer.number, self._gatherer.take()
        if pieces:
            self._encoding.put(number, pieces)

    def _write_oldest(self) -> None:
        """Write the oldest batch; it is let go only then, so that an interruption loses nothing."""
        self._writer.write(self._encoding.oldest, self._encoding.wait())
        self._encoding.drop()

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
            self._add(job, event)
        elif isinstance(event, Warned):
            self._writer.warn(job.source.asset_id, one_line(event.message))

    def _add(self, job: Job, piece: Piece) -> None:
        looks = self._looks.pop(piece.asset_id, ())
        self._writer.expect(piece.asset_id, piece.id, self._gatherer.number)
        self._gatherer.add(NewPiece(piece, job.placing.paths, job.placing.modified, looks))

    def _end(self, job: Job, event: FileEnded) -> None:
        key = job.source.asset_id
        self._looks.pop(key, None)
        self._writer.end(key, event.error)
        if event.error is not None:
            self._gatherer.drop((key,))
        if event.detail:
            self._log.write(job.source.path, event.detail)
        self._meter.current.pop(key, None)
        if event.error is not None and not isinstance(event.error, UnsupportedFile):
            self._meter.failed += 1
        self.ended += 1
        self._meter.done(job.stat.size, job.cost)
