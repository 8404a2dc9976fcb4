"""Whether a question is about something seen, told by its likeness to questions of either kind.

Pictures and clips have little text, so pages with a few of the question's words come before them. A question about what
somebody wears or what stands where is seldom answered by a page: it lies nearer, in the space of the sentence encoder,
to other such questions than to questions about bills and reports.
"""

from __future__ import annotations

from haystack_agent.vectors import FloatArray, TextEncoder

_SEEN = (
    "What colour is the car in the photo?",
    "What is the person in the picture wearing?",
    "Which animal is seen in the video?",
    "What word is written on the sign above the shop?",
    "What is standing next to the building?",
    "Who is holding the cup?",
    "What does the man do after he opens the door?",
)
_WRITTEN = (
    "What is the total amount on the invoice?",
    "How many cases does the report mention?",
    "What is the date of the contract?",
    "How is the software installed?",
    "Who is the author of the paper?",
    "What does the letter say about the deadline?",
    "What rate is given in the table?",
)
_FROM, _TO = 0.594, 0.851
"""Where a question begins to be, and surely is, about something seen, on the way from the ones to the others."""


class SceneJudge:
    """Judges questions in one encoder's space."""

    def __init__(self, encoder: TextEncoder) -> None:
        seen, written = encoder.encode_passages(_SEEN), encoder.encode_passages(_WRITTEN)
        self._direction: FloatArray = seen.mean(axis=0) - written.mean(axis=0)
        high, low = seen @ self._direction, written @ self._direction
        self._able = bool(high.min() > low.max())
        """Whether this encoder tells one kind from the other at all."""
        low_mean, span = float(low.mean()), float(high.mean() - low.mean())
        self._from, self._to = low_mean + _FROM * span, low_mean + _TO * span

    def __call__(self, question: FloatArray) -> float:
        """From 0 (about something written) to 1 (about something seen) for a question's vector, shape (dimension,)."""
        if not self._able:
            return 0.0
        return min(1.0, max(0.0, (float(question @ self._direction) - self._from) / (self._to - self._from)))
