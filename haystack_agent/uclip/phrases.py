"""Phrases in many languages for those who have pictures but no captions: things that pictures show, alone or listed.

Text banks and pivot captions need no translation and no picture, so the languages' words may be drawn apart from each
other. The vocabulary is CLDR's (Unicode License); `eval.pictogram.world.make_vocabulary` writes it.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haystack_agent.errors import UsageError

PATH = Path(__file__).with_name("vocabulary.jsonl.xz")
ENGLISH = "en"
_SIZES = (0.4, 0.4, 0.2)
"""Chances of one, two and three things in a phrase."""


@dataclass(frozen=True, slots=True)
class PhraseWords:
    """The vocabulary of one language and its patterns for a list of two and of three."""

    language: str
    two: str
    three: str
    terms: tuple[str, ...]


def vocabulary() -> list[PhraseWords]:
    """The vocabulary in the package, one entry a language, in order of their codes."""
    with lzma.open(PATH, "rt", encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    return [PhraseWords(one["language"], one["two"], one["three"], tuple(one["terms"])) for one in entries]


def phrases(count: int, language: str | None = None, seed: int = 0) -> Iterator[str]:
    """`count` phrases of one language, or of all of them in equal shares; the same for the same seed.

    Raises:
        UsageError: there is no vocabulary of that language.
    """
    spoken = [words for words in vocabulary() if language in (None, words.language)]
    if not spoken:
        raise UsageError(f"There are no words of the language {language!r} to make phrases of: give texts of your own.")
    drawn = np.random.default_rng(seed)
    for number in range(count):
        yield _phrase(spoken[number % len(spoken)], drawn)


def _phrase(words: PhraseWords, drawn: np.random.Generator) -> str:
    size = int(drawn.choice(len(_SIZES), p=_SIZES)) + 1
    things = [words.terms[place] for place in drawn.integers(len(words.terms), size=size)]
    return ("{0}", words.two, words.three)[size - 1].format(*things)
