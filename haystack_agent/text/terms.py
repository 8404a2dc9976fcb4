"""Text to weighted terms: the tokenizer shared by what is indexed and what is asked.

One text gives terms of several classes, told apart by a mark in front, so that they never meet by chance:

==========  ==================================================  ======
class       example                                             weight
==========  ==================================================  ======
word        ``membership``; a code ``bb5678`` with its parts     1
number      ``#1249.5`` for 1,249.50 and 1 249,50                1
date        ``@2026-11-22`` for 22.11.2026 and Nov 22, 2026      1.5
stem        ``~membe``: the first letters, for inflection        0.35
characters  two or three where words are not spaced              0.6
==========  ==================================================  ======

Truncation as a stemmer for many languages: McNamee and Mayfield, "Character n-gram tokenization for European
language text retrieval" (2004).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from haystack_agent.text.fold import fold
from haystack_agent.text.numbers import dates, numbers
from haystack_agent.text.scripts import RUNS

WORD, NUMBER, DATE, STEM, CHARACTERS = 1.0, 1.0, 1.5, 0.35, 0.6
STEM_LENGTH = 5

_LONGEST_WORD = 64
_CODE_PARTS = re.compile(r"\d+|[^\W\d_]+")
_CODE = re.compile(r"(?<!\w)\w{1,40}(?:[-/.:]\w{1,40}){1,8}(?!\w)")


@dataclass(frozen=True, slots=True)
class Term:
    """A term, its class weight, and the characters ``folded[start:end]`` of the folded text it was made of."""

    text: str
    weight: float
    start: int
    end: int


def terms(text: str) -> Iterator[Term]:
    """Terms of a text in no particular order; a term comes once for every place where it stands."""
    folded = fold(text)
    for found in dates(folded):
        for reading in found.readings:
            yield Term(f"@{reading}", DATE, found.start, found.end)
    for found in numbers(folded):
        for reading in found.readings:
            yield Term(f"#{reading}", NUMBER, found.start, found.end)
    for match in _CODE.finditer(folded):
        yield from _code_terms(match.group(), match.start())
    for match in RUNS.finditer(folded):
        if match.lastgroup == "word":
            yield from _word_terms(match.group(), match.start())
        else:
            yield from _character_terms(match.group(), match.start(), 2 if match.lastgroup == "bigram" else 3)


def weighted(text: str) -> dict[str, float]:
    """Sum of the class weights of every term of a text: its weighted frequency."""
    frequencies: defaultdict[str, float] = defaultdict(float)
    for term in terms(text):
        frequencies[term.text] += term.weight
    return dict(frequencies)


def _code_terms(code: str, start: int) -> Iterator[Term]:
    """A code written with marks inside, such as 35678-9, is also found without them; a plain decimal is none."""
    joined = re.sub(r"[-/.:]", "", code)
    decimal = joined.isdecimal() and not any(mark in code for mark in "-/")
    if any(char.isdecimal() for char in joined) and not decimal and len(joined) <= _LONGEST_WORD:
        yield Term(f"#{joined.lstrip('0') or '0'}" if joined.isdecimal() else joined, WORD, start, start + len(code))


def _word_terms(word: str, start: int) -> Iterator[Term]:
    end = start + len(word)
    if len(word) > _LONGEST_WORD:
        word = word[:_LONGEST_WORD]
    # Bare digits are found as numbers; with leading zeros they are a code as well.
    if not word.isdecimal() or word.startswith("0"):
        yield Term(word, WORD, start, end)
    if word.isdecimal():
        return
    if any(char.isdecimal() for char in word):
        for part in _CODE_PARTS.findall(word):
            if len(part) > 1:
                yield Term(f"#{part.lstrip('0') or '0'}" if part.isdecimal() else part, STEM, start, end)
    elif len(word) >= STEM_LENGTH:
        yield Term(f"~{word[:STEM_LENGTH]}", STEM, start, end)


def _character_terms(run: str, start: int, size: int) -> Iterator[Term]:
    if len(run) <= size:
        yield Term(run, WORD, start, start + len(run))
    for place in range(len(run) - size + 1):
        if len(run) > size:
            yield Term(run[place : place + size], CHARACTERS, start + place, start + place + size)
