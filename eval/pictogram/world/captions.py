"""What is said of pictures: names of what they show, sometimes keywords, in one language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eval.pictogram.world.concepts import DrawnConcept

_SEVERAL = (0.5, 0.3, 0.2)
"""Chances of one, two and three emoji in a picture."""
_NAME_ALONE, _NAME_AND_KEYWORDS = 0.5, 0.3
"""Of the ways to call a concept; what is left is by keywords alone."""


def groups(count: int, concepts: int, drawn: np.random.Generator) -> list[tuple[int, ...]]:
    """For each of `count` pictures the places of one to three concepts; each concept as often as any other."""
    sizes = drawn.choice(len(_SEVERAL), count, p=_SEVERAL) + 1
    endless = _shuffled_again_and_again(concepts, drawn)
    return [tuple(dict.fromkeys(next(endless) for _ in range(size))) for size in sizes]


def _shuffled_again_and_again(count: int, drawn: np.random.Generator) -> Iterator[int]:
    while True:
        yield from map(int, drawn.permutation(count))


def plain_caption(shown: Sequence[DrawnConcept], language: str) -> str:
    """The names, with commas between them."""
    return ", ".join(concept.names[language] for concept in shown)


def caption(shown: Sequence[DrawnConcept], language: str, drawn: np.random.Generator) -> str:
    """Names, names with keywords, or keywords; names alone where a language has no keywords for it.

    A concept without a name in this language is called by its English one.
    """
    return ", ".join(_called(concept, language, drawn) for concept in shown)


def _called(concept: DrawnConcept, language: str, drawn: np.random.Generator) -> str:
    if language not in concept.names:
        language = "en"
    name, keywords = concept.names[language], concept.keywords.get(language, ())
    chance = drawn.random()
    if chance < _NAME_ALONE or not keywords:
        return name
    some = [keywords[place] for place in drawn.permutation(len(keywords))[: drawn.integers(1, 4)]]
    return ", ".join([name, *some] if chance < _NAME_ALONE + _NAME_AND_KEYWORDS else some)


def distinct_groups(count: int, concepts: int, drawn: np.random.Generator) -> list[tuple[int, ...]]:
    """Like `groups`, but no two are of the same concepts, so that each caption belongs to one picture."""
    found: dict[frozenset[int], tuple[int, ...]] = {}
    while len(found) < count:
        for group in groups(count, concepts, drawn):
            found.setdefault(frozenset(group), group)
    return list(found.values())[:count]
