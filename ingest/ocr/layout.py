"""Lines of text with the places of their words, and how lines become passages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from haystack_agent.records import Box, Span

PASSAGE_UNITS = 110
"""Size at which a passage is closed, in units of `text_units`: about 150 word pieces of a sentence encoder."""

_WIDE = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; the offsets of `spans` count in `text`."""

    text: str
    spans: tuple[Span, ...] = ()
    starts_block: bool = False
    """Whether a new paragraph, list item or region begins here."""


def text_units(text: str) -> int:
    """Length of a text in units that compare across scripts: words, or half the characters where none are spaced."""
    return len(_WIDE.sub(" ", text).split()) + (len(_WIDE.findall(text)) + 1) // 2


def join_lines(lines: Iterable[Line]) -> tuple[str, tuple[Span, ...]]:
    """Join lines by newlines into one text, with every span moved to its place in it."""
    texts: list[str] = []
    spans: list[Span] = []
    offset = 0
    for line in lines:
        spans.extend(replace(span, start=span.start + offset, end=span.end + offset) for span in line.spans)
        texts.append(line.text)
        offset += len(line.text) + 1
    return "\n".join(texts), tuple(spans)


def split_passages(lines: Sequence[Line], units: int = PASSAGE_UNITS) -> list[list[Line]]:
    """Cut lines into passages of about `units`, at the start of a block where one is near, never inside a line."""
    passages: list[list[Line]] = []
    current: list[Line] = []
    size = 0
    for line in lines:
        length = text_units(line.text)
        full = size + length > units or (line.starts_block and size >= units * 0.6)
        if current and full:
            passages.append(current)
            current, size = [], 0
        current.append(line)
        size += length
    if current:
        if passages and size < units * 0.2:
            passages[-1].extend(current)
        else:
            passages.append(current)
    return passages


def union(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of `boxes`, of which there must be at least one."""
    return Box(
        min(box.x0 for box in boxes),
        min(box.y0 for box in boxes),
        max(box.x1 for box in boxes),
        max(box.y1 for box in boxes),
    )


def line_boxes(lines: Iterable[Line]) -> tuple[Box, ...]:
    """One box per line that has placed words."""
    placed = ([span.box for span in line.spans if span.box] for line in lines)
    return tuple(union(boxes) for boxes in placed if boxes)
