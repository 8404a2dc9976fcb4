"""The stretches of evidence that can be quoted as an answer: sentences, lines, table rows, and runs of short lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from haystack_agent.records import Box, Locator, Piece, PieceKind

_LONGEST_WINDOW = 20
_WINDOW_LINES = 3
_LINES_BEFORE = 2
_SHORT_LINE = 0.6
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\W_a-zà-ÿа-я])|(?<=[。！？؟।])\s*")
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:[^\W\d_]|[A-Z][a-z]{1,2}|No|Nr|St|vs|e\.g|i\.e|[Aa]pprox|\d{1,2})\.$")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")


@dataclass(frozen=True, slots=True)
class Unit:
    """The characters ``piece.text[start:end]``, and what stands just before them."""

    piece: Piece
    start: int
    end: int
    before: str = ""

    @property
    def text(self) -> str:
        """The words, on one line."""
        return " ".join(self.piece.text[self.start : self.end].split())

    @property
    def locator(self) -> Locator:
        """The narrowest place known for the unit: the boxes of its lines, the seconds it is shown."""
        return narrow(self.piece, self.start, self.end)


def length(text: str) -> int:
    """Words, or half the characters of scripts without spaces."""
    return len(_WIDE.sub(" ", text).split()) + len(_WIDE.findall(text)) // 2


def units(piece: Piece) -> list[Unit]:
    """Every quotable stretch of a piece: each sentence or line, and each run of up to three that is short."""
    if piece.kind is PieceKind.TABLE_ROW:
        return [Unit(piece, 0, len(piece.text))] if piece.text.strip() else []
    # What a clip shows line by line is shown at other seconds: no line runs on in the next.
    bounds = list(_bounds(piece.text, runs_on=piece.kind is not PieceKind.SEGMENT))
    found: list[Unit] = []
    for first in range(len(bounds)):
        for last in range(first, min(first + _WINDOW_LINES, len(bounds))):
            start, end = bounds[first][0], bounds[last][1]
            if last > first and (
                length(piece.text[start:end]) > _LONGEST_WINDOW or not _together(piece, bounds[first], bounds[last])
            ):
                break
            before = piece.text[bounds[max(0, first - _LINES_BEFORE)][0] : start]
            found.append(Unit(piece, start, end, before))
    return found


def _together(piece: Piece, first: tuple[int, int], last: tuple[int, int]) -> bool:
    """Whether two lines are shown at the same time, as far as that is known: a clip's place must stay narrow."""
    one, other = (narrow(piece, *bounds) for bounds in (first, last))
    if None in (one.start, one.end, other.start, other.end):
        return True
    return max(one.start or 0.0, other.start or 0.0) < min(one.end or 0.0, other.end or 0.0)


def narrow(piece: Piece, start: int, end: int) -> Locator:
    """The place of the characters ``text[start:end]`` of a piece, or the whole piece's where words have none."""
    spans = [span for span in piece.spans if span.start < end and span.end > start]
    boxes = _merge_lines([span.box for span in spans if span.box])
    times = [span.seconds for span in spans if span.seconds]
    if times:
        first, last = min(time[0] for time in times), max(time[1] for time in times)
        return replace(piece.locator, boxes=boxes, start=first, end=last)
    return replace(piece.locator, boxes=boxes or piece.locator.boxes)


def _bounds(text: str, runs_on: bool) -> Iterator[tuple[int, int]]:
    """Start and end of every sentence or line that stands by itself."""
    for block_start, block_end in _blocks(text) if runs_on else _lines(text):
        block = text[block_start:block_end]
        start = 0
        for match in _SENTENCE_END.finditer(block):
            if _ABBREVIATION.search(block[start : match.start()]):
                continue
            if block[start : match.start()].strip():
                yield block_start + start, block_start + match.start()
            start = match.end()
        if block[start:].strip():
            yield block_start + start, block_end


def _lines(text: str) -> list[tuple[int, int]]:
    """Start and end of every line."""
    lines: list[tuple[int, int]] = []
    place = 0
    for line in text.split("\n"):
        lines.append((place, place + len(line)))
        place += len(line) + 1
    return lines


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Lines joined to blocks where a sentence runs on over the line's end."""
    lines = _lines(text)
    widest = max((end - start for start, end in lines), default=0)
    open_at: int | None = None
    for start, end in lines:
        open_at = start if open_at is None else open_at
        line = text[start:end].rstrip()
        runs_on = (
            len(line) > _SHORT_LINE * widest
            and length(line) >= 5
            and not line.endswith((".", "!", "?", ":", ";", "。"))
        )
        if not runs_on:
            yield open_at, end
            open_at = None
    if open_at is not None:
        yield open_at, len(text)


def _merge_lines(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Join boxes of words that stand on the same line, in the order given."""
    merged: list[Box] = []
    for box in boxes:
        last = merged[-1] if merged else None
        if last and min(last.y1, box.y1) - max(last.y0, box.y0) > 0.5 * min(last.y1 - last.y0, box.y1 - box.y0):
            merged[-1] = Box(min(last.x0, box.x0), min(last.y0, box.y0), max(last.x1, box.x1), max(last.y1, box.y1))
        else:
            merged.append(box)
    return tuple(merged)
