"""A model's answer while it is written, checked word by word: no number that means no place, no address of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from haystack_agent.answering.checks.citations import OF_AN_ADDRESS, check_words
from haystack_agent.records import Evidence

_LONGEST_WORD = 2000
"""Characters; what is longer is no word, and its rest is not shown while it is written."""
_LAST_SPACE = re.compile(r"\s+\S*$")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u9fff\uf900-\ufaff\uff01\uff0c\uff1b\uff1f]")
"""Of scripts that put no spaces between words."""
_OPEN = re.compile(r"!?\[[^\]\n]{0,400}(?:$|\](?:$|\((?:[^()\n]|\([^()\n]*\)){0,400}(?:\([^()\n]*)?$))")
"""What may still become the number of a place, or a link of Markdown."""


class CheckedWords:
    """Holds back what cannot be judged yet: a word that is not ended, a bracket that is not closed.

    Args:
        evidence: The places that can be cited at that moment, in the order of their numbers.
    """

    def __init__(self, evidence: Callable[[], Sequence[Evidence]]) -> None:
        self._evidence = evidence
        self._held = ""
        self._dropping = False

    def feed(self, text: str) -> str:
        """What can be shown after another piece."""
        if self._dropping:
            text = re.sub(r"^\S+", "", text)
            self._dropping = not text
        self._held += text
        if len(self._held) > _LONGEST_WORD and not _end_of_words(self._held):
            self._dropping = True
            return self.rest()
        return self._handed_on(_end_of_words(self._held))

    def rest(self) -> str:
        """What is still held back, at the end of a message."""
        return self._handed_on(len(self._held))

    def _handed_on(self, end: int) -> str:
        shown, self._held = self._held[:end], self._held[end:]
        return check_words(shown, self._evidence()) if shown else ""


def _end_of_words(text: str) -> int:
    """Where the last whole word ends; the space behind it waits for what follows."""
    space = _LAST_SPACE.search(text)
    end = space.start() if space else 0
    address = OF_AN_ADDRESS.search(text, end)
    for unspaced in _UNSPACED.finditer(text, end, address.start() if address else len(text)):
        end = unspaced.end()
    opened = _OPEN.search(text[: end + 1])  # what follows tells whether a bracket at the end is one of a link
    return len(text[: min(end, opened.start()) if opened else end].rstrip(" "))
