"""Spaces that text recognition left out, seen again as blank columns between letters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BLANK = 0.18
"""Width of a space at least, in heights of the line: gaps inside of words are narrower than 0.14."""
_WIDER = 1.5
"""A space is this many times wider than any other gap beside it, or letters are merely set wide."""
_PART = 3
"""Letters on each side at least."""


def split_words(words: Sequence[str], crop: NDArray[np.uint8], centres: Sequence[float]) -> list[str]:
    """Words cut where a wide blank stands between letters.

    `crop` is the line, (height, width, 3); `centres` are the middles of its characters in fractions of its width.
    """
    if sum(map(len, words)) != len(centres) or not any(_is_long(word) for word in words):
        return list(words)
    ink = _inked_columns(crop)
    parts: list[str] = []
    offset = 0
    for word in words:
        gaps = _gaps(word, ink, centres[offset : offset + len(word)]) if _is_long(word) else []
        parts.extend(_cut(word, gaps, _BLANK * crop.shape[0]))
        offset += len(word)
    return parts


def _is_long(word: str) -> bool:
    """Whether a word has room for two, in a script that puts spaces between them."""
    return len(word) >= 2 * _PART and all(char.isalpha() and char < "\u0590" for char in word)


def _inked_columns(crop: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which columns of the middle rows hold ink: dark or light, whichever the upper and lower edges mostly are not."""
    import cv2

    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    _, light = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ground = np.concatenate([light[0], light[-1]]).mean() >= 0.5
    ink = light != ground
    margin = round(0.15 * crop.shape[0])
    return np.asarray(ink[margin : crop.shape[0] - margin].any(axis=0))


def _gaps(word: str, ink: NDArray[np.bool_], centres: Sequence[float]) -> list[int]:
    """Longest blank run in pixels between each character and the next."""
    places = [round(centre * (len(ink) - 1)) for centre in centres]
    gaps = []
    for index in range(len(word) - 1):
        longest = run = 0
        for inked in ink[places[index] : places[index + 1] + 1]:
            run = 0 if inked else run + 1
            longest = max(longest, run)
        gaps.append(longest)
    return gaps


def _cut(word: str, gaps: Sequence[int], least: float) -> list[str]:
    """Cut at the widest gap where it stands out; the two parts are not cut again."""
    if not gaps:
        return [word]
    best = max(range(len(gaps)), key=gaps.__getitem__)
    others = max((gap for index, gap in enumerate(gaps) if index != best), default=0)
    left, right = word[: best + 1], word[best + 1 :]
    if gaps[best] < max(least, _WIDER * others) or min(len(left), len(right)) < _PART:
        return [word]
    return [left, right]
