"""Small pieces and a real embedded store for the tests."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from haystack_agent.records import AssetMeta, Box, Locator, Modality, Piece, PieceKind, Span

MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def word_spans(text: str, top: float = 0.1) -> tuple[Span, ...]:
    """One box for each word, lines one below the other."""
    spans = []
    place = 0
    for row, line in enumerate(text.split("\n")):
        for column, word in enumerate(line.split(" ")):
            box = Box(0.05 * column, top + 0.04 * row, 0.05 * column + 0.04, top + 0.04 * row + 0.03)
            spans.append(Span(place, place + len(word), box))
            place += len(word) + 1
    return tuple(spans)


def passage(
    text: str, asset: str = "a", page: int = 1, index: int = 0, kind: PieceKind = PieceKind.PASSAGE, title: str = ""
) -> Piece:
    """A passage of a page with boxes for its words."""
    meta = AssetMeta(media_type="pdf", title=title, pages=9)
    spans = word_spans(text)
    boxes = tuple(itertools.chain(span.box for span in spans if span.box))
    return Piece(asset, kind, Modality.DOCUMENT, index, Locator(page, boxes), text, meta, spans=spans)


def segment(text: str, asset: str, start: float, end: float, index: int = 0) -> Piece:
    """A stretch of a video whose text is shown in its middle second."""
    middle = (start + end) / 2
    span = Span(0, len(text), Box(0.1, 0.1, 0.5, 0.2), (middle - 0.5, middle + 0.5))
    locator = Locator(start=start, end=end)
    meta = AssetMeta(media_type="mp4", duration=end)
    return Piece(asset, PieceKind.SEGMENT, Modality.VIDEO, index, locator, text, meta, spans=(span,))


def picture(text: str, asset: str) -> Piece:
    """A picture with text in it."""
    return Piece(
        asset, PieceKind.IMAGE, Modality.IMAGE, 0, Locator(), text, AssetMeta(media_type="jpeg"), spans=word_spans(text)
    )
