"""Text that stays on screen, followed over the frames in which it was read, so that it is told once with its times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from haystack_agent.records import Box, Span
from ingest.ocr.layout import Line

if TYPE_CHECKING:
    from ingest.ocr.recognition import OcrLine

_SAME = 0.78
"""Similarity from which two readings in one place are the same line, read with slips."""
_GAP = 1.6
"""Seconds for which a line may be missed by OCR and still be the same."""
_RUNNING = 4
"""Number of values in one place from which a line that differs in digits only is a running counter ..."""
_PACE = 5.6
"""... if a new value comes within so many seconds."""
_SHORTEST = 0.2
_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class ShownText:
    """One line of text and the seconds from-to in which it is on screen."""

    line: OcrLine
    start: float
    end: float
    readings: int = 1

    def as_line(self) -> Line:
        """The line with a span for every word, each with its box and the seconds."""
        seconds = (round(self.start, 3), round(self.end, 3))
        words = self.line.words or (Span(0, len(self.line.text), self.line.box),)
        return Line(self.line.text, tuple(replace(word, seconds=seconds) for word in words))


@dataclass(frozen=True, slots=True)
class Reading:
    """What OCR saw in one frame, which is taken to be on screen from `start` to `end` seconds."""

    start: float
    end: float
    lines: tuple[ShownText, ...]


@dataclass(slots=True)
class _Track:
    start: float
    end: float
    readings: list[OcrLine] = field(default_factory=list)

    @property
    def last(self) -> OcrLine:
        return self.readings[-1]

    def shown(self) -> ShownText:
        """With the reading that came most often, whole or cut off by the frame's edge; among those, the surest."""
        counts = Counter(line.text for line in self.readings)
        times = {text: sum(count for part, count in counts.items() if part in text) for text in counts}
        best = max(self.readings, key=lambda line: (times[line.text] * line.score, len(line.text)))
        return ShownText(best, self.start, self.end, len(self.readings))


def normalise(text: str) -> str:
    """Letters and digits only, case folded: what OCR slips on least."""
    return "".join(_WORD.findall(text)).casefold()


def skeleton(text: str) -> str:
    """The text with every number made equal."""
    return _DIGITS.sub("0", normalise(text))


def follow(readings: Iterable[Reading]) -> list[ShownText]:
    """Lines of text over their readings, in order of appearance and, among those, of reading."""
    done: list[_Track] = []
    active: list[_Track] = []
    for reading in readings:
        done.extend(track for track in active if reading.start - track.end > _GAP)
        active = [track for track in active if reading.start - track.end <= _GAP]
        free = list(active)
        for seen in reading.lines:
            words = normalise(seen.line.text)
            track = _same_line(seen.line, free) if words else None
            if track is not None:
                free = [other for other in free if other is not track]
                _extend(track, seen)
            elif words:
                active.append(_Track(seen.start, seen.end, [seen.line]))
    order = sorted(enumerate([*done, *active]), key=lambda pair: (pair[1].start, pair[0]))
    return [shown for shown in (track.shown() for _, track in order) if not _is_noise(shown)]


def texts_between(shown: Sequence[ShownText], start: float, end: float) -> list[ShownText]:
    """What is on screen between two times, times clipped to them, running counters cut down to first and last."""
    clipped = [
        replace(text, start=max(start, text.start), end=min(end, text.end))
        for text in shown
        if min(end, text.end) - max(start, text.start) >= min(_SHORTEST, text.end - text.start, end - start)
        and text.start < end
        and (text.end > start or text.start == text.end == start)
    ]
    return _without_running(_rejoined(clipped))


def _same_line(line: OcrLine, tracks: Sequence[_Track]) -> _Track | None:
    text = normalise(line.text)
    same = [track for track in tracks if normalise(track.last.text) == text]
    near = same or [track for track in tracks if _near(line.box, track.last.box)]
    near = [track for track in near if track in same or _slip(text, normalise(track.last.text))]
    return min(near, key=lambda track: _distance(line.box, track.last.box), default=None)


def _slip(new: str, old: str) -> bool:
    """Whether two readings differ by OCR slips or by typing on; other digits are another text."""
    short, long = sorted((new, old), key=len)
    if len(short) >= 3 and long.startswith(short) and not (short[-1].isdigit() and long[len(short) :][:1].isdigit()):
        return True
    if _DIGITS.findall(new) != _DIGITS.findall(old):
        return False
    matcher = SequenceMatcher(None, new, old, autojunk=False)
    return matcher.quick_ratio() >= _SAME and matcher.ratio() >= _SAME


def _extend(track: _Track, seen: ShownText) -> None:
    new, old = normalise(seen.line.text), normalise(track.last.text)
    track.end = seen.end
    if len(new) > len(old) and new.startswith(old):
        track.readings = [seen.line]
    elif not (len(new) < len(old) and old.startswith(new)):
        track.readings.append(seen.line)


def _near(one: Box, two: Box) -> bool:
    height = max(one.y1 - one.y0, two.y1 - two.y0)
    level = abs((one.y0 + one.y1) - (two.y0 + two.y1)) / 2 < height
    return level and (abs(one.x0 - two.x0) < 0.04 or abs((one.x0 + one.x1) - (two.x0 + two.x1)) / 2 < 0.04)


def _distance(one: Box, two: Box) -> float:
    return abs(one.x0 - two.x0) + abs(one.y0 - two.y0)


def _is_noise(shown: ShownText) -> bool:
    """A lone letter, or a doubtful scrap seen in a single frame: leaves and fences look like that."""
    text = normalise(shown.line.text)
    if text.isdigit():
        return False
    wide = any(ord(char) > 0x2E7F for char in text)
    if shown.readings > 1:
        return len(text) < 2 and not wide and shown.readings < 4
    return len(text) < 2 or shown.line.score < (0.9 if len(text) < 3 else 0.8 if len(text) < 4 or wide else 0.0)


def _rejoined(texts: Sequence[ShownText]) -> list[ShownText]:
    """One entry for text that blinks: the same words in the same place again after a short while."""
    out: list[ShownText] = []
    for text in texts:
        words = normalise(text.line.text)
        for index, other in enumerate(out):
            again = normalise(other.line.text) == words and _near(other.line.box, text.line.box)
            if again and -0.01 <= text.start - other.end < 3 * _GAP:
                out[index] = replace(other, end=max(other.end, text.end))
                break
        else:
            out.append(text)
    return out


def _without_running(texts: Sequence[ShownText]) -> list[ShownText]:
    """Counters and clocks: of many values in one place, one after the other, the first and the last."""
    series: list[list[ShownText]] = []
    for text in texts:
        home = next((one for one in series if _continues(one[-1], text)), None)
        if home is None:
            series.append([text])
        else:
            home.append(text)
    dropped: set[int] = set()
    for one in series:
        pace = [later.start - sooner.start for sooner, later in pairwise(one)]
        if len(one) >= _RUNNING and median(pace) <= _PACE:
            dropped.update(id(text) for text in one[1:-1])
    return [text for text in texts if id(text) not in dropped]


def _continues(sooner: ShownText, later: ShownText) -> bool:
    one, two = sooner.line, later.line
    counted = _DIGITS.search(two.text) is not None and one.text != two.text
    return (
        counted and skeleton(one.text) == skeleton(two.text) and _near(one.box, two.box) and later.start > sooner.start
    )
