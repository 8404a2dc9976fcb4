"""Evidence as the page shows it: plain values, every text made fit to be seen, no path but as words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from haystack_agent.media import Preview, format_of, place_name, preview_of
from haystack_agent.records import Answer, Box, Citation, Evidence, Locator, Piece
from ui import printable

Card = dict[str, object]

_TEXT = 6000
_SNIPPET = 260
_MOST_MARKED = 0.4
"""Share of a page above which marks tell nothing and only hide."""


def cards_of(evidence: Sequence[Evidence]) -> list[Card]:
    """The cards of what a search found, numbered from 1."""
    top = max((one.score for one in evidence), default=0.0) or 1.0
    return [card_of(one, number, top) for number, one in enumerate(evidence, start=1)]


def card_of(one: Evidence, number: int, top: float = 1.0) -> Card:
    """One piece of evidence; `score` is its share of the best one's."""
    words = tuple(dict.fromkeys(word for match in one.matches for word in match.words))
    return {
        **piece_card(one.piece, one.paths),
        "n": number,
        "score": max(0.0, min(1.0, one.score / top)),
        "why": _reasons(one, words),
        "words": [printable.line(word) for word in words],
        "snippet": printable.around(one.piece.text, words, _SNIPPET),
    }


def piece_card(piece: Piece, paths: Sequence[str]) -> Card:
    """What is known of a place, however it was come by."""
    path, meta, locator = PurePath(paths[0]), piece.meta, piece.locator
    return {
        "id": piece.id,
        "asset": piece.asset_id,
        "name": printable.name(path.name),
        "folder": printable.name(str(path.parent)),
        "title": printable.short(meta.title or meta.caption, 120),
        "modality": piece.modality.value,
        "type": printable.name(meta.media_type),
        "look": preview_of(meta.media_type).value,
        "playable": bool(format_of(meta.media_type).played_as),
        "language": printable.name(piece.language or ""),
        "made": meta.created.date().isoformat() if meta.created else "",
        "where": printable.line(meta.place),
        "heading": printable.short(piece.heading, 160),
        "pages": meta.pages,
        "duration": meta.duration,
        "frame": _frame_of(piece),
        "text": printable.text(piece.text[:_TEXT]),
        "ocr": piece.ocr,
        **place(locator, meta.media_type),
    }


def place(locator: Locator, media_type: str) -> Card:
    """Where it is, in words and in numbers; boxes that cover most of a page are left out."""
    covered = sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in locator.boxes)
    return {
        "place": place_words(locator, media_type),
        "page": locator.page,
        "start": locator.start,
        "end": locator.end,
        "boxes": [_box(box) for box in locator.boxes] if covered < _MOST_MARKED else [],
    }


def place_words(locator: Locator, media_type: str) -> str:
    """``page 2``, ``slide 2`` or ``0:17–0:21``; empty for what is one place."""
    return place_name(locator, media_type, "–")


def answer_card(answer: Answer) -> Card:
    """An answer with its citations; their numbers are those of the cards."""
    numbers = {one.piece.id: number for number, one in enumerate(answer.evidence, start=1)}
    return {
        "text": printable.text(answer.text),
        "abstained": answer.abstained,
        "listed": answer.listed,
        "notes": [printable.line(note) for note in answer.notes],
        "citations": [_citation(one, numbers.get(one.evidence.piece.id, 1)) for one in answer.citations],
    }


def _citation(citation: Citation, number: int) -> Card:
    return {
        "n": number,
        "quote": printable.short(citation.quote, 1000),
        "verified": citation.verified,
        **place(citation.locator, citation.evidence.piece.meta.media_type),
    }


def _reasons(one: Evidence, words: Sequence[str]) -> list[str]:
    vectors = {match.vector for match in one.matches}
    reasons = ["words: " + ", ".join(map(printable.line, words[:6]))] if words else []
    reasons += ["similar meaning"] if "text" in vectors else []
    reasons += ["looks like it"] if "uclip" in vectors else []
    return reasons or ["name or date"]


def _frame_of(piece: Piece) -> float | None:
    if preview_of(piece.meta.media_type) is not Preview.VIDEO:
        return None
    return piece.key_frames[len(piece.key_frames) // 2] if piece.key_frames else piece.locator.start or 0.0


def _box(box: Box) -> list[float]:
    return [round(value, 5) for value in (box.x0, box.y0, box.x1, box.y1)]
