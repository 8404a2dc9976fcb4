"""Names of what is compared."""

from __future__ import annotations

from enum import StrEnum


class System(StrEnum):
    """Retrievers that come with the package."""

    OURS = "ours"
    BM25 = "bm25"
    """Plain BM25 over the index's pieces: the question's own words."""
    DENSE = "dense"
    """The sentence encoder alone."""
    UCLIP = "uclip"
    """The common space of texts and pictures alone; needs a profile that sees."""
    RRF = "rrf"
    """BM25 and dense, joined by reciprocal ranks."""
    TUTORIAL = "tutorial"
    """PDFs' text layers in chunks, one dense vector each (see `eval.runs.tutorial`)."""


class Condition(StrEnum):
    """What evidence an answer is made from."""

    NONE = "none"
    GOLD = "gold"
    TOP_1 = "top-1"
    TOP_3 = "top-3"
    TOP_5 = "top-5"
    ASK = "ask"
    """As users have it: search, then the reader's own choice."""

    @property
    def places(self) -> int | None:
        """How many places found are given; ``None`` where it is not a number of those."""
        return {Condition.TOP_1: 1, Condition.TOP_3: 3, Condition.TOP_5: 5}.get(self)


EXTRACTIVE = "extractive"
"""Name of the reader that needs no model."""
