"""How much each part of a ranking counts; measured, see `docs/EVALUATION.md`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Of channels, and of what the question says of where its answer may be."""

    bm25: float = 1.0
    text: float = 1.6
    text_foreign: float = 0.4
    """For `text` where the question is in a language that the sentence encoder does not know."""
    neighbours: float = 0.15
    """Share of the second-best pieces of a place that is added to the best."""
    image: float = 0.35
    video: float = 1.0
    """Added where the question's words name this kind of media; "picture" may also mean one in a document."""
    scene: float = 0.5
    """Added to pictures and clips where the question is about something seen."""
    uclip: float = 2.0
    chance: float = 1.0
    """Standard deviations above other pieces at which a likeness begins to count."""
    certain: float = 7.0
    """And those at which it counts fully."""
    first: float = 0.05
    """Added to a document's first page: of pages alike, it is the one that is meant."""
    repetition: float = 0.85
    """Factor on each further place of a file already ranked, so that one file does not fill the page."""
