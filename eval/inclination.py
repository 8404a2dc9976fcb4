"""The "English inclination" test: does an encoder prefer an unrelated English text to the related one of the question?

The pool holds every item twice, in English and in the language of the questions, written independently. A question is
the first half of the item's text in its language.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from zlib import crc32

import numpy as np

from haystack_agent.errors import UsageError
from haystack_agent.text.terms import terms
from haystack_agent.vectors import FloatArray, TextEncoder

_HALF = 2


@dataclass(frozen=True, slots=True)
class RankedItem:
    """One thing described in two languages."""

    english: str
    other: str


class First(StrEnum):
    """What was ranked first for a question."""

    SAME = "related, same language"
    ENGLISH = "related, English"
    INCLINED = "unrelated, English"
    MISSED = "unrelated, same language"


def read_items(path: Path, limit: int | None = None) -> list[RankedItem]:
    """Items of a file with one JSON object a line (``en``, ``text``), gzip or plain.

    Raises:
        UsageError: it cannot be read, or has other fields.
    """
    try:
        with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else nullcontext(raw) as file:
            rows = [json.loads(line) for line in islice(file, limit)]
        return [RankedItem(row["en"], row["text"]) for row in rows]
    except (OSError, EOFError, ValueError) as error:
        raise UsageError(f"{path.name!r} cannot be read: {error}") from error
    except (KeyError, TypeError) as error:
        raise UsageError(f"{path.name!r} has no fields 'en' and 'text' in a line: {error}") from error


def question_of(text: str) -> str:
    """The first half of a text: its words, or its characters where it has no spaces."""
    words = text.split()
    if len(words) >= _HALF:
        return " ".join(words[: (len(words) + 1) // _HALF])
    return text[: (len(text) + 1) // _HALF]


def inclination(encoder: TextEncoder, items: Sequence[RankedItem]) -> dict[First, float]:
    """Shares of the questions by what was ranked first; they add up to 1."""
    english = encoder.encode_passages([item.english for item in items])
    other = encoder.encode_passages([item.other for item in items])
    questions = np.stack([encoder.encode_query(question_of(item.other)) for item in items])
    counts = Counter(_judge(place, questions[place], english, other) for place in range(len(items)))
    return {first: counts[first] / len(items) for first in First}


def _judge(place: int, question: FloatArray, english: FloatArray, other: FloatArray) -> First:
    in_english, in_other = english @ question, other @ question
    if in_other.max() >= in_english.max():
        return First.SAME if int(in_other.argmax()) == place else First.MISSED
    return First.ENGLISH if int(in_english.argmax()) == place else First.INCLINED


class WordEncoder:
    """A baseline that knows no language: shared terms, hashed, unit length."""

    dimension = 4096
    fingerprint = "words"

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """See `TextEncoder.encode_passages`."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                vectors[row, crc32(term.text.encode("utf-8")) % self.dimension] += term.weight
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: FloatArray = vectors / np.maximum(lengths, 1e-9)
        return unit

    def encode_query(self, text: str) -> FloatArray:
        """See `TextEncoder.encode_query`."""
        vector: FloatArray = self.encode_passages([text])[0]
        return vector
