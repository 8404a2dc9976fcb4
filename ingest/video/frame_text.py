"""Which frames of a video are read by OCR, and when what was read in them is on screen.

A frame is read when it looks different from the last one read, anywhere, even in one word. A still picture is so read
once, however long it stays; a moving one about once a second for a while, and then as often as an allowance permits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.video.cells import alike, cells_of, changed_cells, first_change, touched
from ingest.video.frames import Frame, Luma
from ingest.video.shots import sharpness
from ingest.video.text_tracks import Reading, ShownText, skeleton

if TYPE_CHECKING:
    from PIL.Image import Image

    from ingest.ocr.recognition import OcrEngine, OcrLine

READ_SIDE = 1280
"""Longest side in pixels of a frame given to OCR."""
LUMA_SIDE = 256
"""Longest side in pixels of the brightness in which frames are compared."""
_WINDOW = 0.75
"""Seconds after a first change at which the best frame since is read: text fades in, cameras come to rest."""
_ALLOWANCE = 30.0
"""Frames that may be read in a burst ..."""
_REFILL = 0.4
"""... and how many a second come back."""
_HELD = 4
_REMEMBERED = 3
_CLOCK_PACE = 2.0
"""Seconds within which a counter shows its next value."""
_CLOCK_PAUSE = 5.0
"""Seconds between two readings of a picture in which only a running clock or counter changes."""
_HALF_STEP = 0.125
_TRAIL = 16
_FLAT = 10
"""Difference (0..255) of dark and bright below which a picture shows no text."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    time: float
    since: float
    """When this picture may have come on screen at the earliest: the sample before."""
    luma: Luma
    sharpness: float
    image: Image | None
    """None for a flat picture."""


@dataclass(slots=True)
class _Seen:
    luma: Luma
    until: float
    """Time of the last sample that looked the same."""
    read_at: float
    lines: tuple[OcrLine, ...]
    runs: int = 0
    """For how many readings on end a counter has run."""
    clocks: NDArray[np.bool_] | None = None
    """Cells in which it runs."""


@dataclass(slots=True)
class _Read:
    """One reading while its end is still open; None for the seconds of a line that are those of the whole picture."""

    time: float
    start: float
    luma: Luma
    lines: tuple[OcrLine, ...]
    starts: list[float | None]
    ends: list[float | None]
    steady: list[bool]
    """Whether the line was there in the sample before."""


@dataclass(slots=True)
class FrameTextReader:
    """Watches the samples of a clip in order and reads the distinct ones; keeps a handful of pictures at most."""

    ocr: OcrEngine
    _reads: list[_Read] = field(default_factory=list)
    _trail: list[tuple[float, Luma]] = field(default_factory=list)
    """Samples from the last one read on, as far as they are needed to time single lines."""
    _allowance: float = _ALLOWANCE
    _last: float = 0.0
    _seen: list[_Seen] = field(default_factory=list)
    _pending: list[_Candidate] = field(default_factory=list)
    _skipped: list[_Candidate] = field(default_factory=list)
    """The last picture of the window before, if all was moving and another was read."""

    def see(self, frame: Frame, luma: Luma) -> bool:
        """Take note of a sample; True if a frame was read now, which takes long."""
        since, self._last = self._last, frame.time
        ran = self._read_lasting(frame.time)
        self._trail.append((frame.time, luma))
        if len(self._trail) > _TRAIL:
            del self._trail[1]
        self._allowance = min(_ALLOWANCE, self._allowance + (frame.time - since) * _REFILL)
        if self._is_shown(frame.time, luma):
            if not self._pending:
                self._seen[-1].until = frame.time
        else:
            self._hold(_candidate(frame, luma, since))
        return self._read_due(frame.time) or ran

    def finish(self, end: float) -> list[Reading]:
        """Read what is still waiting, and return all readings in order; the last one lasts until `end`."""
        while self._pending:
            self._read(self._choose())
        if self._reads:
            self._time_ends(self._reads[-1])
        stops = [*(read.start for read in self._reads[1:]), end]
        return [_closed(read, max(stop, read.start)) for read, stop in zip(self._reads, stops, strict=False)]

    def _is_shown(self, time: float, luma: Luma) -> bool:
        """Whether this looks like the last frame read, but for a running clock."""
        if not self._seen:
            return False
        last = self._seen[-1]
        changed = changed_cells(last.luma, luma)
        if last.clocks is not None and changed is not None and time - last.read_at < _CLOCK_PAUSE:
            changed &= ~last.clocks
        return not touched(changed)

    def _hold(self, candidate: _Candidate) -> None:
        self._pending.append(candidate)
        if len(self._pending) > _HELD:
            self._pending.remove(min(self._pending[:-1], key=lambda one: one.sharpness))

    def _read_lasting(self, time: float) -> bool:
        """Read a picture that has stood alone until now (few frames a second, or a frame that lasts)."""
        lasts = bool(self._pending) and time - self._pending[-1].time >= _WINDOW
        return self._read(len(self._pending) - 1) if lasts and self._allowance >= 1 else False

    def _read_due(self, time: float) -> bool:
        due = bool(self._pending) and time - self._pending[0].time >= _WINDOW - 1e-3
        if not due or self._allowance < 1:
            return False
        return self._read(self._choose())

    def _choose(self) -> int:
        """The sharpest of the first pictures that stood still; where all move, the sharpest of all."""
        pending = self._pending
        run = [0]
        for index in range(1, len(pending)):
            if alike(pending[run[0]].luma, pending[index].luma):
                run.append(index)
            elif len(run) > 1:
                break
            else:
                run = [index]
        if len(run) == 1:
            return max(range(len(pending)), key=lambda index: (pending[index].sharpness, -index))
        return max(run, key=lambda index: (pending[index].sharpness, -index))

    def _read(self, chosen: int) -> bool:
        """Read a candidate; what stood still after it and looks different goes on waiting."""
        candidate = self._pending[chosen]
        start = self._onset(chosen)
        later = self._pending[chosen + 1 :]
        window = self._pending
        moving = not any(alike(one.luma, two.luma) for one, two in pairwise(window))
        if moving:
            later = []  # one picture stands for the whole window
        same = [one for one in later if alike(candidate.luma, one.luma)]
        self._pending = [one for one in later if all(one is not other for other in same)]
        until = same[-1].time if same and not self._pending else candidate.time
        known = next((seen for seen in self._seen if alike(seen.luma, candidate.luma)), None)
        ran = known is None and candidate.image is not None
        lines = known.lines if known else self._lines_in(candidate)
        self._allowance -= float(ran)
        if moving and ran and lines:
            candidate, lines = self._fullest(candidate, lines, [*self._skipped, *window])
        self._skipped = window[-1:] if moving and chosen < len(window) - 1 else []
        self._remember(_Seen(candidate.luma, until, candidate.time, lines))
        self._note(candidate, start, lines)
        return ran

    def _lines_in(self, candidate: _Candidate) -> tuple[OcrLine, ...]:
        return tuple(self.ocr.read(candidate.image)) if candidate.image else ()

    def _fullest(
        self, candidate: _Candidate, lines: tuple[OcrLine, ...], window: Sequence[_Candidate]
    ) -> tuple[_Candidate, tuple[OcrLine, ...]]:
        """The picture of the window in which most can be read: text that moves past is often cut off by the edge."""
        best, most = (candidate, lines), _amount(lines)
        for other in window:
            if other is candidate or other.image is None or self._allowance < 1:
                continue
            self._allowance -= 1
            read = self._lines_in(other)
            if _amount(read) > most:
                best, most = (other, read), _amount(read)
        return best

    def _note(self, candidate: _Candidate, start: float, lines: tuple[OcrLine, ...]) -> None:
        """Add a reading, and time each of its lines, and the ends of those before, by the samples around it."""
        blank: list[float | None] = [None] * len(lines)
        read = _Read(candidate.time, start, candidate.luma, lines, blank, blank.copy(), [True] * len(lines))
        if self._reads:
            self._time_ends(self._reads[-1])
        before = [(time, changed_cells(luma, read.luma)) for time, luma in self._trail if time <= read.time]
        for index, line in enumerate(lines):
            change = first_change(before[::-1], cells_of([line], read.luma.shape, margin=0))
            if change is not None:
                read.starts[index] = max((change[0] + change[1]) / 2, change[0] - _HALF_STEP)
                read.steady[index] = change[0] < read.time
        self._reads.append(read)
        self._trail = [one for one in self._trail if one[0] >= read.time]

    def _time_ends(self, read: _Read) -> None:
        after = [(time, changed_cells(luma, read.luma)) for time, luma in self._trail if time >= read.time]
        for index, line in enumerate(read.lines):
            change = first_change(after, cells_of([line], read.luma.shape, margin=0))
            if change is None:
                continue
            if change[0] > read.time or read.steady[index]:
                read.ends[index] = max((change[0] + change[1]) / 2, change[1] - _HALF_STEP)
            else:
                read.starts[index] = None  # the line moves: where it was before cannot be told

    def _remember(self, seen: _Seen) -> None:
        if self._seen:
            _find_clocks(self._seen[-1], seen)
        self._seen = [*self._seen[-_REMEMBERED + 1 :], seen]

    def _onset(self, chosen: int) -> float:
        """When the candidate came on screen: where samples alike begin, or halfway from the last thing read."""
        first = chosen
        while first and alike(self._pending[first - 1].luma, self._pending[chosen].luma):
            first -= 1
        if not self._seen:  # a clip that moves from the start: count back to the first picture that may show text
            while first and self._pending[first - 1].image is not None:
                first -= 1
            return self._pending[first].time if first else self._pending[0].since
        one = self._pending[first]
        if first == chosen and len(self._pending) > 1:
            return max((self._seen[-1].until + one.time) / 2, one.time - _WINDOW)
        return max((one.since + one.time) / 2, one.time - _HALF_STEP)


def _amount(lines: Sequence[OcrLine]) -> float:
    return sum(len(line.text) * line.score for line in lines)


def _candidate(frame: Frame, luma: Luma, since: float) -> _Candidate:
    dark, bright = np.percentile(luma, (0.1, 99.9))
    image = frame.image(READ_SIDE) if bright - dark >= _FLAT else None
    return _Candidate(frame.time, since, luma, sharpness(luma), image)


def _find_clocks(before: _Seen, after: _Seen) -> None:
    """Note in `after` where lines differ from `before` in digits alone, once that has happened quickly and again."""
    pace = _CLOCK_PAUSE + 1 if before.clocks is not None else _CLOCK_PACE
    if before.luma.shape != after.luma.shape or after.read_at - before.read_at > pace:
        return
    old = {(skeleton(line.text), round(line.box.y0 * 20)): line for line in before.lines}
    running = [
        line
        for line in after.lines
        for was in (old.get((skeleton(line.text), round(line.box.y0 * 20))),)
        if was is not None and was.text != line.text and abs(was.box.x0 - line.box.x0) < 0.05
    ]
    after.runs = before.runs + 1 if running else 0
    if after.runs >= 2:
        after.clocks = cells_of(running, after.luma.shape)


def _closed(read: _Read, end: float) -> Reading:
    """The reading with every line's own seconds, where they are known, else those of the whole."""
    seen = []
    for line, start, stop in zip(read.lines, read.starts, read.ends, strict=True):
        first = read.start if start is None else min(start, read.time)
        last = end if stop is None else max(stop, read.time)
        seen.append(ShownText(line, first, max(first, last)))
    return Reading(read.start, end, tuple(seen))
